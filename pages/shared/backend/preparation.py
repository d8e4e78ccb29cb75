"""What a page needs first, made ready while the server starts and the first browser loads."""

import contextlib
import gc
import importlib
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any

from interpret.errors import InputError
from interpret.imports import without_collections
from pages.shared.backend import first_study

MODULES = ("pages.shared.backend.cached_results", "pages.shared.view.patch_chain", "pages.shared.controls.new_study")
"""What the first page imports: with PyTorch, seconds of one core, while another one is idle."""

_started: list[threading.Thread] = []
_modules = 0  # that were imported when they were last spared (count)


@contextlib.asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    """Begin when the server starts."""
    thread = threading.Thread(target=_prepare, name="preparation", daemon=True)
    _started.append(thread)
    thread.start()
    yield


def wait() -> None:
    """Wait until all is ready: modules that two threads import at once may be seen half made."""
    for thread in _started:
        thread.join()


def _prepare() -> None:
    with contextlib.suppress(InputError):  # the first page tries again, and says so
        first_study.begin_default(first_study.shared_names())
    with without_collections():
        for name in MODULES:
            with contextlib.suppress(ImportError):  # likewise
                importlib.import_module(name)
    gc.collect()
    spare_modules()


def spare_modules() -> None:
    """Take imported modules out of all later garbage collections; called when a run of a page begins.

    Streamlit collects all garbage after every run. What modules hold never becomes garbage, and to look through it
    takes longer than many a page. Freezing takes no time, right after such a collection little else is frozen with
    the modules, and it happens only after something was imported, so that little ever is.
    """
    global _modules
    if len(sys.modules) > _modules:
        _modules = len(sys.modules)
        gc.freeze()
