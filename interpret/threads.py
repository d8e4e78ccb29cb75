"""How many threads torch computes with, in one thread of the process and not in the others."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

_lock = threading.Lock()


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """Let torch compute in one thread inside, in the calling thread only, and restore its thread count afterwards.

    Mining and ablation are thousands of steps of a few hundred microseconds, each too short to share: on two busy cores
    two threads that wait for each other made the search ten times slower. Does nothing where ``device`` is no
    processor, or where torch keeps one count for the whole process.
    """
    if torch.device(device).type != "cpu" or not own_counts():
        yield
        return
    before = torch.get_num_threads()
    _set_for_this_thread(1)
    try:
        yield
    finally:
        _set_for_this_thread(before)


def lone_threads(count: int, name: str = "") -> ThreadPoolExecutor:
    """A pool of ``count`` threads in each of which torch computes without helpers, where threads have own counts."""
    begin = _begin_alone if own_counts() else None
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=begin)


def each_alone(work: Callable[[Item], Result], items: Iterable[Item], device: str) -> Iterator[Result]:
    """What ``work`` gives for each item, in their order.

    On a processor the items are shared out over as many threads as torch may use, each of which computes without
    helpers: thousands of small operations wait for helpers longer than they compute. On another device, or where torch
    keeps one count for the whole process, the calling thread does one after the other.

    Args:
        work: called in other threads, several at a time; it must not change what another call reads.
        items: of which ``work`` is called with each.
        device: what ``work`` computes on.
    """
    threads = torch.get_num_threads() if torch.device(device).type == "cpu" and own_counts() else 1
    if threads < 2:
        yield from map(work, items)
        return
    pool = lone_threads(threads)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(cancel_futures=True)


def own_counts() -> bool:
    """Whether each thread has a number of threads of its own that it computes with."""
    return "OpenMP" in torch.__config__.parallel_info()


def _begin_alone() -> None:
    torch.get_num_threads()  # or the first operation would take the count for new threads over
    _set_for_this_thread(1)


def _set_for_this_thread(count: int) -> None:
    """Set the calling thread's count, and no other thread's.

    Torch keeps a count for each thread, and one that a thread takes over when it first uses torch.
    ``torch.set_num_threads`` sets both. The second is read, and put back, in a thread that has not used torch before.
    """
    with _lock:
        for_new_threads = _in_new_thread(torch.get_num_threads)
        torch.set_num_threads(count)
        _in_new_thread(lambda: torch.set_num_threads(for_new_threads))


def _in_new_thread(work: Callable[[], Result]) -> Result:
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()
