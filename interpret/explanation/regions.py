"""Regions of many maps at once: 8-connected components above a threshold, their boxes and masses."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Regions:
    """The patches of n maps, by map and, within a map, largest mass first.

    Attributes:
        owners: (p,) int64, the map that each patch was cut from, ascending.
        boxes: (p, 4) int64 x0, y0, x1, y1 in pixels of the map, half-open.
        masses: (p,) float32, the fraction of the map's total that lies in the patch's component.
    """

    owners: Ints
    boxes: Ints
    masses: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        for array in (self.owners, self.boxes, self.masses):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.owners)


@dataclass(frozen=True, eq=False)
class Runs:
    """The stretches of pixels within a row at or above the threshold, in n maps of equal size.

    Attributes:
        row: (r,) int64, the row of each, counted on from map to map, ascending.
        start: (r,) int64, its first pixel in the row, ascending within a row.
        stop: (r,) int64, one past its last.
        mass: (r,) float64, the sum of its pixels.
        totals: (n,) float64, the sum of each map.
    """

    row: Ints
    start: Ints
    stop: Ints
    mass: npt.NDArray[np.float64]
    totals: npt.NDArray[np.float64]


def find_runs(heat: npt.NDArray[np.float32], tau: float) -> Runs:
    """The runs of maps (n, H, W), at least 0, at or above a fraction ``tau`` of each one's maximum; none of zeros."""
    n, height, width = heat.shape
    peaks = heat.max(axis=(1, 2), initial=0.0)
    above = np.zeros((n, height, width + 1), np.bool_)  # one column that is never above: runs end with their row
    np.greater_equal(heat, (tau * peaks).astype(np.float32)[:, None, None], out=above[:, :, :width])
    above[peaks <= 0.0] = False
    edges = _edges(above.ravel())
    row, start = np.divmod(edges[::2], width + 1)
    lengths = edges[1::2] - edges[::2]
    inside = heat[above[:, :, :width]].astype(np.float64)
    mass = np.add.reduceat(inside, np.cumsum(lengths) - lengths) if len(lengths) else inside
    totals = (heat @ np.ones(width, np.float32)).sum(axis=1, dtype=np.float64)
    return Runs(row, start, start + lengths, mass, totals)


def cut_runs(parts: Sequence[Runs], height: int, width: int, *, min_area: float, max_patches: int) -> Regions:
    """Patches from the runs of several groups of maps: the boxes of the components.

    Two runs of neighbouring rows are connected where they touch, corners included.

    Args:
        parts: of each group, in order.
        height: rows of every map (pixels).
        width: columns of every map (pixels).
        min_area: patches whose box is smaller than this fraction of ``height`` x ``width`` are dropped.
        max_patches: patches kept per map, largest mass first; those of equal mass by position, top to bottom and left
            to right (count).
    """
    maps = np.cumsum([0, *(len(part.totals) for part in parts)])
    row = np.concatenate([part.row + first * height for part, first in zip(parts, maps[:-1], strict=True)])
    x0, x1 = (np.concatenate([getattr(part, name) for part in parts]) for name in ("start", "stop"))
    if not len(row):
        return Regions(np.zeros(0, np.int64), np.zeros((0, 4), np.int64), np.zeros(0, np.float32))
    label = _components(row * (width + 1) + x0, row * (width + 1) + x1, width + 1, height)
    owner, y = np.divmod(row, height)
    order = np.argsort(label, kind="stable")
    first = np.flatnonzero(np.diff(label[order], prepend=-1))
    owners = owner[order][first]
    boxes = np.stack(
        [
            np.minimum.reduceat(x0[order], first),
            np.minimum.reduceat(y[order], first),
            np.maximum.reduceat(x1[order], first),
            np.maximum.reduceat(y[order], first) + 1,
        ],
        axis=1,
    )
    mass, totals = (np.concatenate([getattr(part, name) for part in parts]) for name in ("mass", "totals"))
    masses = np.add.reduceat(mass[order], first) / totals[owners]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.lexsort((boxes[:, 0], boxes[:, 1], -masses, owners))
    order = order[area[order] >= min_area * height * width]
    rank = np.arange(len(order)) - np.searchsorted(owners[order], owners[order])
    order = order[rank < max_patches]
    return Regions(owners[order], boxes[order], masses[order].astype(np.float32))


def _edges(flat: npt.NDArray[np.bool_]) -> Ints:
    """Where each stretch of True begins and where it ends, half-open, in turn; the last value must be False."""
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return np.concatenate([np.zeros(1, np.int64), edges]) if len(flat) and flat[0] else edges


def _components(start: Ints, stop: Ints, stride: int, height: int) -> Ints:
    """(runs,) the component of each run.

    Args:
        start: (runs,) ascending positions in maps laid out one after the other, row by row.
        stop: (runs,) one past the last position of each.
        stride: positions in a row, the last of them never in a run.
        height: rows in a map.
    """
    # Runs of the next row that touch run i, corners included: they begin at or before its end, and end at or after its
    # start, each moved down by one row.
    low = np.searchsorted(stop, start + stride, side="left")
    high = np.searchsorted(start, stop + stride, side="right")
    high[start // stride % height == height - 1] = 0  # what follows a map's last row is another map
    count = np.maximum(high - low, 0)
    above = np.repeat(np.arange(len(start)), count)
    below = np.repeat(low - (np.cumsum(count) - count), count) + np.arange(count.sum())
    graph = coo_array((np.ones(len(above), np.int8), (above, below)), (len(start), len(start)))
    return connected_components(graph.tocsr(), directed=False)[1].astype(np.int64)
