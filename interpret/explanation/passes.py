"""Forward passes of many photos at once: on a CPU, pieces of a batch side by side, each on one thread of its own.

On a GPU one thread gives it whole batches, as fast as they come. Whoever uses a result lets the GPU wait for it, and
works on a stream of its own: to wait on that of the passes would be to wait for all the batches that were begun since.

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
from typing import Generic, TypeVar

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


class Pass(Generic[T]):
    """Work that was given to a thread of :class:`Passes`."""

    def __init__(self, future: "Future[tuple[T, torch.cuda.Event | None]]") -> None:
        self._future = future

    def result(self) -> T:
        """What the work gave, once the thread has done it; what the caller then does on a GPU waits for the GPU."""
        value, done = self._future.result()
        if done is not None:
            torch.cuda.current_stream().wait_event(done)
        return value


class Passes:
    """Threads that run a network side by side; a context that ends them.

    Attributes:
        width: how many photos are worked on at a time (count).
        piece: photos per forward pass; the whole batch where the network is not on a CPU.
        alone: whether the network is not on a CPU, and so runs on one thread.
    """

    def __init__(self, network: nn.Module, device: torch.device, batch_size: int) -> None:
        """Start the threads, as many as torch computes with; one for a GPU.

        Args:
            network: in evaluation mode; each thread runs a copy with the same parameters.
            device: the network's.
            batch_size: photos in a batch (count).
        """
        self.alone = alone = device.type != "cpu"
        threads = 1 if alone or not own_counts() else torch.get_num_threads()
        self.piece = batch_size if alone else min(PIECE, batch_size)
        self.width = self.piece * threads
        self._networks: SimpleQueue[nn.Module] = SimpleQueue()
        for _ in range(threads):
            self._networks.put(_twin(network))
        self._pool = lone_threads(threads, "forward-pass")
        self._stream = self._aside = None
        if device.type == "cuda":
            self._stream, self._aside = torch.cuda.Stream(device), torch.cuda.Stream(device)
            self._stream.wait_stream(torch.cuda.current_stream(device))  # which may still prepare the network

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

    def run(self, work: Callable[[nn.Module], T]) -> Pass[T]:
        """Call ``work`` with a network on one of the threads, after what was given before."""

        def with_network() -> tuple[T, torch.cuda.Event | None]:
            network = self._networks.get()
            try:
                if self._stream is None:
                    return work(network), None
                with torch.cuda.stream(self._stream):
                    return work(network), self._stream.record_event()
            finally:
                self._networks.put(network)

        return Pass(self._pool.submit(with_network))

    def beside(self, work: Callable[[], T]) -> T:
        """Call ``work`` in the calling thread, on a GPU beside the passes; on return the GPU has done it.

        So memory that passes took, and that it read, can be given back to them.
        """
        if self._aside is None:
            return work()
        with torch.cuda.stream(self._aside):
            made = work()
            self._aside.synchronize()
        return made


@torch.inference_mode(False)
def _twin(network: nn.Module) -> nn.Module:
    """A copy of a network that shares its parameters and buffers: hooks on the one are not on the other."""
    shared: dict[int, Tensor] = {id(t): t for t in itertools.chain(network.parameters(), network.buffers())}
    return copy.deepcopy(network, dict(shared))
