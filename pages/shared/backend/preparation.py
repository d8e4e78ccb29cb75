"""What a page needs first, made ready while the server starts and the first browser loads."""

import contextlib
import importlib
import threading
from collections.abc import AsyncIterator
from typing import Any

from interpret.errors import InputError
from pages.shared.backend import first_study

MODULES = ("pages.shared.backend.cached_results", "pages.shared.view.patch_chain", "pages.shared.controls.new_study")
"""What the first page imports: with PyTorch, seconds of one core, while another one is idle."""

_started: list[threading.Thread] = []


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
    for name in MODULES:
        with contextlib.suppress(ImportError):  # likewise
            importlib.import_module(name)
