"""Forward passes of many photos at once: on a CPU, pieces of a batch side by side, each on one thread of its own.

A single pass on several threads waits for the slowest of them after each operation, most of all where other threads
decode photos meanwhile, and a large batch allocates its activations anew in each layer. Small pieces on a thread each
do neither, and give the same numbers for any number of threads.
"""

import copy
import itertools
import math
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import TypeVar

import torch
from torch import Tensor, nn

PIECE = 4
"""Photos per forward pass on a CPU (count). It may change float rounding, and with it what a study holds.

The largest activations of four photos are small enough for the C library to keep their memory from layer to layer; from
32 MB on it gives it back and takes it anew: 3,300 page faults a photo in pieces of eight (EfficientNet-Lite0, float32),
none in pieces of four.
"""

T = TypeVar("T")
_SETTING = threading.Lock()


class Passes:
    """Threads that run a network side by side; a context that ends them.

    Attributes:
        width: how many photos are worked on at a time (count).
        piece: photos per forward pass; the whole batch where the network is not on a CPU.
    """

    def __init__(self, network: nn.Module, device: torch.device, batch_size: int) -> None:
        """Start the threads, as many as torch computes with; one for a GPU.

        Args:
            network: in evaluation mode; each thread runs a copy with the same parameters.
            device: the network's.
            batch_size: photos in a batch (count).
        """
        alone = device.type != "cpu"
        single = not alone and _own_threads()
        threads = torch.get_num_threads() if single else 1
        self.piece = batch_size if alone else min(PIECE, batch_size)
        self.width = self.piece * threads
        self._networks: SimpleQueue[nn.Module] = SimpleQueue()
        for _ in range(threads):
            self._networks.put(_twin(network))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="forward-pass")
        self._single = single
        if single:
            _one_thread_each(self._pool, threads)

    def __enter__(self) -> "Passes":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def ahead(self, batch_size: int) -> int:
        """How many batches keep every thread busy while one more is finished (count)."""
        return 1 + math.ceil(self.width / batch_size)

    def split(self, items: Sequence[T]) -> list[Sequence[T]]:
        """A batch in pieces, in order."""
        return [items[start : start + self.piece] for start in range(0, len(items), self.piece)]

    def compute_alone(self, pool: ThreadPoolExecutor) -> None:
        """Let the one thread of another pool, which works beside these, compute without helpers as they do."""
        if self._single:
            _one_thread_each(pool, 1)

    def run(self, work: Callable[[nn.Module], T]) -> "Future[T]":
        """Call ``work`` with a network on one of the threads, after what was given before."""

        def with_network() -> T:
            network = self._networks.get()
            try:
                return work(network)
            finally:
                self._networks.put(network)

        return self._pool.submit(with_network)


def run_alone(work: Callable[[], T]) -> T:
    """The result of ``work``, from a thread that computes without helpers.

    A pass of a photo or two gains little from more threads, and on a busy machine waits for them after each operation.
    """
    with ThreadPoolExecutor(1) as pool:
        if _own_threads():
            _one_thread_each(pool, 1)
        return pool.submit(work).result()


def _own_threads() -> bool:
    """Whether each thread has a number of threads of its own that it computes with."""
    return "OpenMP" in torch.__config__.parallel_info()


@torch.inference_mode(False)
def _twin(network: nn.Module) -> nn.Module:
    """A copy of a network that shares its parameters and buffers: hooks on the one are not on the other."""
    shared: dict[int, Tensor] = {id(t): t for t in itertools.chain(network.parameters(), network.buffers())}
    return copy.deepcopy(network, dict(shared))


def _one_thread_each(pool: ThreadPoolExecutor, threads: int) -> None:
    """Let each thread of a pool compute by itself; the number of threads of all others stays."""
    started = threading.Barrier(threads + 1)

    def compute_alone() -> None:
        torch.get_num_threads()  # or the first operation would take the process's number over
        torch.set_num_threads(1)
        started.wait()

    with _SETTING:
        before = torch.get_num_threads()
        waiting = [pool.submit(compute_alone) for _ in range(threads)]
        started.wait()
        torch.set_num_threads(before)  # the number that new threads begin with
    for each in waiting:
        each.result()
