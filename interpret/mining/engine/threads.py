"""One thread for torch's work on a processor."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_lock = threading.Lock()
_saved: list[int] = []  # the number of threads before the first of the runs under way, once per run under way


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """Let torch work in one thread on a processor, and give back the threads that it had before.

    The search is thousands of steps of a few hundred microseconds, each too short to share: on two busy cores two
    threads that wait for each other made it ten times slower. Runs in several threads may overlap: the number of
    threads is that of before the first, once each of them has ended.
    """
    if torch.device(device).type != "cpu":
        yield
        return
    with _lock:
        _saved.append(_saved[0] if _saved else torch.get_num_threads())
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _lock:
            before = _saved.pop()
            if not _saved:
                torch.set_num_threads(before)
