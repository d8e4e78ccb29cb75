"""Forward passes of many photos at once: on a CPU, pieces of a batch side by side, each on one thread of its own.

A single pass on several threads waits for the slowest of them after each operation, most of all where other threads
decode photos meanwhile, and a large batch allocates its activations anew in each layer. Small pieces on a thread each
do neither, and give the same numbers for any number of threads.
"""

import copy
import itertools
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from types import TracebackType
from typing import TypeVar

import torch
from torch import Tensor, nn

from interpret.threads import lone_threads, own_counts

PIECE = 4
"""Photos per forward pass on a CPU (count). It may change float rounding, and with it what a study holds.

The largest activations of four photos are small enough for the C library to keep their memory from layer to layer; from
32 MB on it gives it back and takes it anew: 3,300 page faults a photo in pieces of eight (EfficientNet-Lite0, float32),
none in pieces of four.
"""

T = TypeVar("T")


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
        threads = 1 if alone or not own_counts() else torch.get_num_threads()
        self.piece = batch_size if alone else min(PIECE, batch_size)
        self.width = self.piece * threads
        self._networks: SimpleQueue[nn.Module] = SimpleQueue()
        for _ in range(threads):
            self._networks.put(_twin(network))
        self._pool = lone_threads(threads, "forward-pass")

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

    def run(self, work: Callable[[nn.Module], T]) -> "Future[T]":
        """Call ``work`` with a network on one of the threads, after what was given before."""

        def with_network() -> T:
            network = self._networks.get()
            try:
                return work(network)
            finally:
                self._networks.put(network)

        return self._pool.submit(with_network)


@torch.inference_mode(False)
def _twin(network: nn.Module) -> nn.Module:
    """A copy of a network that shares its parameters and buffers: hooks on the one are not on the other."""
    shared: dict[int, Tensor] = {id(t): t for t in itertools.chain(network.parameters(), network.buffers())}
    return copy.deepcopy(network, dict(shared))
