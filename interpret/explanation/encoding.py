"""Encoding: a patch as the units that were most relevant to it, best first."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from interpret.study.schema import PAD


@dataclass(frozen=True, eq=False)
class RankedUnits:
    """Patches as ranked units.

    Attributes:
        units: (n, N) int32, best first, ``PAD`` where a patch has fewer units of positive score.
        scores: (n, N) float32, 0 at the padding.
    """

    units: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        self.units.setflags(write=False)
        self.scores.setflags(write=False)


def pool_patches(activations: Tensor, owners: Tensor, boxes: Tensor, height: int, width: int) -> Tensor:
    """Mean activation of each unit over the cells that a patch covers.

    Args:
        activations: (B, K, h, w).
        owners: (n,) int64, the image in the batch that each patch belongs to.
        boxes: (n, 4) x0, y0, x1, y1 in pixels of the image as the network saw it, half-open.
        height: of that image, in pixels.
        width: of that image, in pixels.

    Returns:
        (n, K). A cell counts with the fraction of its area that lies in the box, so that a patch smaller than a cell
        still has a value.
    """
    cells = activations[owners]  # (n, K, h, w)
    down = _overlap(boxes[:, 1], boxes[:, 3], cells.shape[2], height / cells.shape[2])  # (n, h)
    across = _overlap(boxes[:, 0], boxes[:, 2], cells.shape[3], width / cells.shape[3])  # (n, w)
    weights = down[:, :, None] * across[:, None, :]
    weights = weights / weights.sum(dim=(1, 2), keepdim=True)
    return torch.einsum("nkhw,nhw->nk", cells, weights)


def _overlap(start: Tensor, stop: Tensor, cells: int, size: float) -> Tensor:
    """(n, cells) length in pixels of [start, stop) that falls into each cell of ``size`` pixels."""
    edges = torch.arange(cells + 1, device=start.device, dtype=torch.float32) * size
    left = torch.maximum(start[:, None].float(), edges[None, :-1])
    right = torch.minimum(stop[:, None].float(), edges[None, 1:])
    return (right - left).clamp_min(0.0)


def rank_units(scores: Tensor, n: int) -> RankedUnits:
    """The ``n`` best units of each patch from scores (n_patches, K); only positive scores enter, ties by unit index."""
    n = min(n, scores.shape[1])
    values, units = torch.sort(scores, dim=1, descending=True, stable=True)
    values, units = values[:, :n], units[:, :n]
    kept = values > 0.0
    return RankedUnits(
        torch.where(kept, units, PAD).to(torch.int32).cpu().numpy(),
        torch.where(kept, values, 0.0).float().cpu().numpy(),
    )
