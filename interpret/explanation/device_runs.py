"""Runs of many maps found on the GPU that they are on: what comes to the processor is a hundredth of the maps' size."""

import numpy as np
import torch
from torch import Tensor

from interpret.explanation.regions import Runs

_STEPS = 2.0**36
"""Steps that a map's maximum is divided into, so that sums are of whole numbers: equal in whatever order they are made.

The largest map of 2^26 pixels still sums to less than an int64 holds.
"""


def find_runs(heat: Tensor, tau: float) -> Runs:
    """What :func:`interpret.explanation.regions.find_runs` finds, but for the last digits of masses and totals.

    Args:
        heat: (n, H, W) float32, each map divided by its maximum, or zero everywhere.
        tau: runs are at or above this fraction of the maximum.
    """
    n, height, width = heat.shape
    peaks = heat.amax(dim=(1, 2))
    row_length = width + 1  # one column that is never above: runs end with their row
    flags = torch.zeros(n * height * row_length + 1, dtype=torch.bool, device=heat.device)  # the first is never above
    above = flags[1:].view(n, height, row_length)
    above[:, :, :width] = (heat >= (tau * peaks)[:, None, None]) & (peaks > 0.0)[:, None, None]
    edges = torch.nonzero(flags[1:] != flags[:-1])[:, 0]
    steps = torch.zeros((n, height, row_length), dtype=torch.int64, device=heat.device)
    steps[:, :, :width] = heat.double().mul_(_STEPS).round_().long()
    totals = steps.sum(dim=(1, 2))
    before = steps.view(n, -1).cumsum(dim=1).sub_(steps.view(n, -1)).view(-1)[edges]  # of its map, exclusive
    found = torch.cat([edges, before, totals]).cpu().numpy()  # one copy, since each waits for the GPU
    positions, sums = found[: len(edges)], found[len(edges) : 2 * len(edges)]
    row, start = np.divmod(positions[::2], row_length)
    return Runs(
        row,
        start,
        start + positions[1::2] - positions[::2],
        (sums[1::2] - sums[::2]) / _STEPS,
        found[2 * len(edges) :] / _STEPS,
    )
