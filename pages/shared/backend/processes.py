"""Processes of this server that work on studies: none of them outlives it."""

import atexit
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pages.shared.page_list import ROOT

GRACE = 5.0
"""Seconds that a process gets to stop by itself before it is killed."""

children: dict[str, subprocess.Popen[bytes]] = {}
"""The processes by the names of their runs; their exit status is needed."""

YIELDS = 10
"""By how much less a process counts than the server where both want the processor, as `nice` says it."""

LEAST = 19
"""The priority below which no process can go."""

_SECRET = ("UNITSCOPE_PASSWORD",)  # of no use to a run


def start(name: str, arguments: Sequence[str], log: Path, ended: Callable[[], None], *, yields: bool) -> int:
    """Start `python -m interpret ARGUMENTS` and return its number.

    Args:
        name: of the run.
        arguments: of the command line.
        log: file for what it writes to its standard error.
        ended: called when it has ended, from another thread.
        yields: whether pages come first where it and they want the processor.

    Raises:
        OSError: the log cannot be written.
    """
    environment = {key: value for key, value in os.environ.items() if key not in _SECRET}
    environment |= {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    with log.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "interpret", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
            start_new_session=True,
        )
    children[name] = child
    if yields and hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):  # it has ended already, or the system does not allow it
            os.setpriority(os.PRIO_PROCESS, child.pid, min(LEAST, os.getpriority(os.PRIO_PROCESS, 0) + YIELDS))

    def wait() -> None:
        child.wait()
        ended()

    threading.Thread(target=wait, name=f"run {name}", daemon=True).start()
    return child.pid


def born(pid: int) -> str | None:
    """When a process began, to tell it from a later one with the same number; None if unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def alive(name: str, pid: int, began: str | None) -> bool:
    """Whether the process of a run is running, be it of this server or of an earlier one."""
    child = children.get(name)
    if child is not None:
        return child.poll() is None
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    return began is None or born(pid) == began


def end(name: str, pid: int) -> None:
    """End a process and everything that it started."""
    child = children.get(name)
    for sign in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(pid, sign)
            else:
                os.kill(pid, sign)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            if child is not None:
                if child.poll() is not None:
                    return
            elif not alive(name, pid, born(pid)):
                return
            time.sleep(0.05)


@atexit.register
def _end_all() -> None:
    for name, child in list(children.items()):
        if child.poll() is None:
            end(name, child.pid)
