"""Encoding: a patch as its most relevant units, best first."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from interpret.study.schema import PAD


@dataclass(frozen=True, eq=False)
class RankedUnits:
    """The units of n patches, ranked by their scores.

    Attributes:
        units: (n, N) int32, best first, ``PAD`` where a patch has fewer than N units of positive score.
        scores: (n, N) float32, 0 at the padding.
    """

    units: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        self.units.setflags(write=False)
        self.scores.setflags(write=False)


def pool_patches(activations: Tensor, owners: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    """Mean activation of each unit over the part of the layer's grid that a patch covers.

    Args:
        activations: (B, K, h, w).
        owners: (n,) int64, the image in the batch that each patch belongs to.
        boxes: (n, 4) x0, y0, x1, y1 in pixels of the network's input, half-open.
        height: of the network's input, in pixels.
        width: of the network's input, in pixels.

    Returns:
        (n, K). Each spatial location is weighted by the fraction of its area inside the box, so that a patch smaller
        than one location still has a value.
    """
    batch, units, height_of_grid, width_of_grid = activations.shape
    rows = _covered(boxes[:, 1], boxes[:, 3], height_of_grid, height / height_of_grid)  # (n, h)
    columns = _covered(boxes[:, 0], boxes[:, 2], width_of_grid, width / width_of_grid)  # (n, w)
    weights = rows[:, :, None] * columns[:, None, :]  # (n, h, w)
    weights = weights / weights.sum(dim=(1, 2), keepdim=True)
    # One product per image, over all of its patches: the activations are read once and never copied per patch.
    count = torch.bincount(owners, minlength=batch)
    order = torch.argsort(owners, stable=True)
    place = torch.empty_like(owners)
    place[order] = torch.arange(len(owners), device=owners.device) - (torch.cumsum(count, 0) - count)[owners[order]]
    padded = weights.new_zeros(batch, int(count.max()) if len(owners) else 0, height_of_grid * width_of_grid)
    padded[owners, place] = weights.flatten(1)
    flat = activations.permute(0, 2, 3, 1).reshape(batch, height_of_grid * width_of_grid, units)
    return (padded @ flat)[owners, place]


def _covered(start: Tensor, stop: Tensor, count: int, size: float) -> Tensor:
    """(n, count) length in pixels of [start, stop) inside each of ``count`` intervals of ``size`` pixels."""
    edges = torch.arange(count + 1, device=start.device, dtype=torch.float32) * size
    left = torch.maximum(start[:, None].float(), edges[None, :-1])
    right = torch.minimum(stop[:, None].float(), edges[None, 1:])
    return (right - left).clamp_min(0.0)


def rank_units(scores: Tensor, n: int) -> RankedUnits:
    """The ``n`` best units of each patch.

    Args:
        scores: (n_patches, K). Only positive scores are ranked; ties are ordered by unit index.
        n: units per patch (count); K if that is fewer.
    """
    n = min(n, scores.shape[1])
    more = min(n + 1, scores.shape[1])
    best, units = torch.topk(scores, more, dim=1)  # equal scores come in no particular order
    units, place = torch.sort(units[:, :n], dim=1)
    values, order = torch.sort(best.gather(1, place), dim=1, descending=True, stable=True)
    units = units.gather(1, order)
    # Where the last to enter equals the first that does not, the lower index enters: those rows are sorted whole.
    tied = (best[:, more - 1] == best[:, n - 1]) & (best[:, n - 1] > 0.0)
    if more > n and bool(tied.any()):
        whole, index = torch.sort(scores[tied], dim=1, descending=True, stable=True)
        values[tied], units[tied] = whole[:, :n], index[:, :n]
    positive = values > 0.0
    return RankedUnits(
        torch.where(positive, units, PAD).to(torch.int32).cpu().numpy(),
        torch.where(positive, values, 0.0).float().cpu().numpy(),
    )
