"""A trial on a few photos: how much of a backbone must stay in float32 for its maps to follow those in float32."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from interpret.config import Arithmetic
from interpret.errors import InputError
from interpret.explanation.gradcam import BatchExplanation, explain, join
from interpret.explanation.passes import Pass, Passes
from interpret.models import Classifier
from interpret.models.head import trial_inputs
from interpret.models.layout import At
from interpret.models.precision import exact_copy, prepare
from interpret.threads import one_thread

SHARES = (0.06, 0.25, 0.5)
"""Fractions of the backbone's work that are tried in float32, the fastest first."""

PHOTOS = 32
"""Photos of a trial, at most (count)."""

MAPS = 0.998
"""Correlation that the map of each trial photo reaches with its float32 one: the worst of thousands, at 0.99, differs
about five times as much as the worst of a few dozen."""

FEATURES = 0.99
"""The same for the pooled activations of each photo."""


def choose_arithmetic(
    classifier: Classifier,
    device: torch.device,
    precision: str,
    pixels: Sequence[npt.NDArray[np.uint8]],
    announce: Callable[[str], None] | None = None,
) -> Arithmetic:
    """How the network computes best: in ``precision``, with as little of it in float32 as the trial photos allow.

    The same photos and network give the same choice. Nothing is tried for float32, or without a photo.

    Args:
        classifier: on any device, of any floating-point type; not changed.
        device: where the network will run.
        precision: ``float32``, ``bfloat16`` or ``float16``.
        pixels: (H, W, 3) uint8 each, photos as the network sees them before normalisation.
        announce: called with one line where the network does not run in this precision, or no share is enough, and
            it computes in float32.
    """
    first = Arithmetic(precision)
    if precision == "float32" or not pixels:
        return first
    sample = trial_inputs(classifier.preprocessing.size)[:1]
    stacked = torch.from_numpy(np.stack(pixels[:PHOTOS])).to(device)
    inputs = classifier.preprocessing.normalise(stacked).contiguous(memory_format=torch.channels_last)
    network = exact_copy(classifier.network, device)
    layer = classifier.hook_point
    with one_thread("cpu"):  # one photo gains little from helpers, and on a busy machine waits for them
        ready = prepare(network, layer, device, "float32", sample)
    exact = _explained(ready, layer, inputs)
    lowest = 0.0
    for share in SHARES:
        tried = replace(first, exact_share=share)
        try:
            with one_thread("cpu"):
                ready = prepare(network, layer, device, tried, sample)
        except InputError:
            if announce is not None:
                announce(f"The network computes in float32: it does not run in {precision}.")
            return Arithmetic("float32")
        rough = _explained(ready, layer, inputs, exact.targets)
        maps = lowest_correlation(exact.maps, rough.maps)
        features = lowest_correlation(exact.activations.mean(dim=(2, 3)), rough.activations.mean(dim=(2, 3)))
        if maps >= MAPS and features >= FEATURES:
            return tried
        lowest = max(lowest, maps)
    if announce is not None:
        announce(
            f"The network computes in float32: in {precision} the map of one of {len(inputs)} photos correlates with "
            f"its float32 one at {lowest:.3f} only."
        )
    return Arithmetic("float32")


def _explained(network: nn.Module, layer: At, inputs: Tensor, targets: Tensor | None = None) -> BatchExplanation:
    """Grad-CAM of the trial photos, for the predicted classes if no others are given."""
    with Passes(network, inputs.device, len(inputs)) as passes:

        def explain_piece(at: int) -> Pass[BatchExplanation]:
            here = slice(at, at + passes.piece)
            chosen = None if targets is None else targets[here]
            return passes.run(lambda net: explain(net, layer, inputs[here], chosen))

        return join([each.result() for each in [explain_piece(at) for at in range(0, len(inputs), passes.piece)]])


def lowest_correlation(exact: Tensor, rough: Tensor) -> float:
    """The lowest of the correlations of each row of two batches (B, ...).

    Rows of ``exact`` that are constant have none and are passed over; 1 where all are. A row of ``rough`` that is
    constant or not finite beside one that is not correlates at 0.
    """
    a, b = (each.flatten(1).double() for each in (exact, rough))
    a, b = (each - each.mean(dim=1, keepdim=True) for each in (a, b))
    varied = a.square().sum(dim=1) > 0
    found = (a * b).sum(dim=1) / (a.square().sum(dim=1) * b.square().sum(dim=1)).sqrt()
    return float(found[varied].nan_to_num(0.0).min()) if bool(varied.any()) else 1.0
