"""Maps brought from the layer's grid to the size of the network's input."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor


def upsample(maps: Tensor, height: int, width: int) -> npt.NDArray[np.float32]:
    """What :func:`upsampled` gives, as an array."""
    return upsampled(maps, height, width).cpu().numpy()


def upsampled(maps: Tensor, height: int, width: int, *, out: Tensor | None = None) -> Tensor:
    """Maps (B, h, w) upsampled to (B, height, width) pixels and divided by their own maximum; all-zero maps stay zero.

    Bilinear between the centres of the spatial locations (``align_corners=False``), because each stands for an area.

    Args:
        maps: (B, h, w).
        height: pixels.
        width: pixels.
        out: (B, height, width) float32 on the maps' device, what the result is written to; new memory if None.
    """
    maps = maps.float()
    rows, columns = (
        _weights(side, given, maps.device) for side, given in ((height, maps.shape[1]), (width, maps.shape[2]))
    )
    large = torch.matmul(rows, maps @ columns.T, out=out)
    peak = large.flatten(1).amax(dim=1)[:, None, None]
    return large.div_(peak.clamp_min(torch.finfo(torch.float32).tiny))


def _weights(side: int, given: int, device: torch.device) -> Tensor:
    """(side, given) the weights of bilinear interpolation along an axis; a matrix product with them is the fastest."""
    unit = torch.eye(given, device=device)[None, None]
    return F.interpolate(unit, size=(side, given), mode="bilinear", align_corners=False)[0, 0]
