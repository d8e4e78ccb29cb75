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

NAVIGATION = "pages.shared.router"
"""What the first run of a page imports before anything can be drawn; it does without PyTorch."""

MODULES = ("pages.shared.backend.cached_results", "pages.shared.view.patch_chain", "pages.shared.controls.new_study")
"""What the first page of a study imports: with PyTorch, seconds of one core."""

LOOK = 0.2
"""Time between two looks at the first run, whose drawings keep all cores busy (seconds)."""

_needed = threading.Event()  # pages are to be shown
_modules = 0  # that were imported when they were last spared (count)


class _Preparation(threading.Thread):
    """Imports what pages need.

    Attributes:
        navigates: set once the navigation can be drawn, and what it shows while there is no study.
    """

    def __init__(self) -> None:
        super().__init__(name="preparation", daemon=True)
        self.navigates = threading.Event()

    def run(self) -> None:
        with contextlib.suppress(InputError):  # the first page tries again, and says so
            first_study.begin_default(first_study.shared_names())
        try:
            _import(NAVIGATION)
        finally:
            self.navigates.set()
        with contextlib.suppress(InputError):
            while first_study.is_being_drawn() and not _needed.wait(LOOK):
                pass
        _import(*MODULES)
        gc.collect()
        spare_modules()


_started: list[_Preparation] = []


@contextlib.asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    """Begin when the server starts."""
    thread = _Preparation()
    _started.append(thread)
    thread.start()
    yield


def wait() -> None:
    """Wait until the navigation can be drawn: modules that two threads import at once may be seen half made."""
    for thread in _started:
        thread.navigates.wait()


def wait_for_pages() -> None:
    """Wait until the pages of a study can be drawn, which takes a second or two where nobody asked for it before."""
    _needed.set()
    for thread in _started:
        thread.join()


def _import(*names: str) -> None:
    with without_collections():
        for name in names:
            with contextlib.suppress(ImportError):  # the first page tries again, and says so
                importlib.import_module(name)


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
