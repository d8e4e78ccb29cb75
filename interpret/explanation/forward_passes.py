"""Forward passes of batches, recorded once on a GPU and then replayed.

A network of a few hundred small operations takes a GPU less time than Python takes to name them to it one by one, the
more so while other threads wait for Python's lock. As a CUDA graph they are one. Batches that are not full are filled
up, since for each size that they have not seen CUDA's libraries spend seconds on choosing their kernels.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from interpret.explanation.extractor import Extractor
from interpret.explanation.gradcam import Forward

Passed = tuple[Tensor | None, Forward, Tensor]
"""What the network saw, None where it is not needed any more; what it answered; the predicted classes (B,)."""

WARM = 2
"""Batches before one is recorded (count): libraries choose their kernels and take memory during the first."""


class ForwardPasses:
    """Gives the forward pass of each batch; called on the threads of :class:`interpret.explanation.passes.Passes`."""

    def __init__(self, extractor: Extractor, batch_size: int) -> None:
        """Prepare to run an extractor's network.

        Args:
            extractor: which says how photos become inputs, and which layer is taken.
            batch_size: photos in a full batch (count).
        """
        self._extractor = extractor
        self._batch_size = batch_size
        self._begun = 0
        self._recorded: _Recorded | None = None
        # What is differentiated, or needed again as input, is neither filled up nor replayed.
        self._fills_up = (
            extractor.device.type == "cuda" and extractor.weight is not None and extractor.config.encoding != "crop"
        )

    def __call__(self, network: nn.Module, pixels: Sequence[npt.NDArray[np.uint8]]) -> Passed:
        """The forward pass of B photos, (H, W, 3) uint8 each, through ``network``."""
        if not self._fills_up:
            return self._run(network, self._extractor.on_device(pixels))
        # With a GPU there is one thread, so that what follows is done by one at a time.
        there = self._extractor.on_device([*pixels, *[pixels[-1]] * (self._batch_size - len(pixels))])
        if self._recorded is not None:
            return _first_of(self._recorded.replay(there), len(pixels))
        passed = self._run(network, there)
        self._begun += 1
        if self._begun == WARM + 1:
            self._recorded = self._record(network, there, passed)
        return _first_of(passed, len(pixels))

    def _run(self, network: nn.Module, there: Tensor) -> Passed:
        inputs = self._extractor.normalised(there)
        passed = self._extractor.forward(network, inputs)
        return inputs, passed, passed.logits.detach().argmax(dim=1)

    def _record(self, network: nn.Module, there: Tensor, expected: Passed) -> "_Recorded | None":
        """A recorded pass, if it gives every bit of what the pass gave before."""
        try:
            recorded = _Recorded(lambda static: self._run(network, static), there)
            _, again, predicted = recorded.replay(there)
        except RuntimeError:  # a step that cannot be recorded, or too little memory: batches go on one by one
            torch.cuda.synchronize()
            return None
        _, passed, classes = expected
        pairs = ((again.logits, passed.logits), (again.activations, passed.activations), (predicted, classes))
        return recorded if all(torch.equal(one, other) for one, other in pairs) else None


def _first_of(passed: Passed, count: int) -> Passed:
    """Without the photos that a batch was filled up with."""
    inputs, forward, predicted = passed
    seen = None if inputs is None else inputs[:count]
    outside = None if forward.outside is None else forward.outside[:count]
    return seen, Forward(forward.logits[:count], forward.activations[:count], outside), predicted[:count]


class _Recorded:
    """A forward pass as a CUDA graph, with the memory that it reads and writes."""

    def __init__(self, run: Callable[[Tensor], Passed], sample: Tensor) -> None:
        self._static = sample.clone()
        self._graph = torch.cuda.CUDAGraph()
        # Other threads work on while this one records.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            _, self._passed, self._predicted = run(self._static)

    def replay(self, there: Tensor) -> Passed:
        """The pass of another batch of the same size; copied, since the next one writes to the same memory."""
        self._static.copy_(there)
        self._graph.replay()
        outside = None if self._passed.outside is None else self._passed.outside.clone()
        passed = Forward(self._passed.logits.clone(), self._passed.activations.clone(), outside)
        return None, passed, self._predicted.clone()
