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


def join_regions(parts: Sequence[Regions], maps: int) -> Regions:
    """The patches of several groups of ``maps`` maps each (the last may have fewer), counted on from group to group."""
    owners = [part.owners + index * maps for index, part in enumerate(parts)]
    return Regions(
        np.concatenate([np.zeros(0, np.int64), *owners]),
        np.concatenate([np.zeros((0, 4), np.int64), *(part.boxes for part in parts)]),
        np.concatenate([np.zeros(0, np.float32), *(part.masses for part in parts)]),
    )


def cut_regions(heat: npt.NDArray[np.float32], tau: float, *, min_area: float, max_patches: int) -> Regions:
    """Cut maps at a fraction of each one's maximum.

    The same patches as :func:`interpret.explanation.patches.cut` gives map by map. Components are found on runs
    (stretches of pixels above the threshold within a row): two runs of neighbouring rows are connected where they
    touch, corners included.

    Args:
        heat: (n, H, W) float32, at least 0.
        tau: the fraction of a map's maximum at which it is cut.
        min_area: patches whose box is smaller than this fraction of H x W are dropped.
        max_patches: patches kept per map, largest mass first; those of equal mass by position, top to bottom and left
            to right (count).
    """
    n, height, width = heat.shape
    peaks = heat.max(axis=(1, 2), initial=0.0)
    mask = np.zeros((n, height, width + 1), np.bool_)  # one column that is never above: runs end with their row
    np.greater_equal(heat, (tau * peaks).astype(np.float32)[:, None, None], out=mask[:, :, :width])
    mask[peaks <= 0.0] = False
    start, stop = _runs(mask.ravel())
    if not len(start):
        return Regions(np.zeros(0, np.int64), np.zeros((0, 4), np.int64), np.zeros(0, np.float32))
    label = _components(start, stop, width + 1, height)
    row, x0 = np.divmod(start, width + 1)
    owner, y = np.divmod(row, height)
    x1 = x0 + stop - start
    inside = heat[mask[:, :, :width]].astype(np.float64)
    lengths = stop - start
    run_mass = np.add.reduceat(inside, np.cumsum(lengths) - lengths)
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
    masses = np.add.reduceat(run_mass[order], first) / heat.sum(axis=(1, 2), dtype=np.float64)[owners]
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.lexsort((boxes[:, 0], boxes[:, 1], -masses, owners))
    order = order[area[order] >= min_area * height * width]
    rank = np.arange(len(order)) - np.searchsorted(owners[order], owners[order])
    order = order[rank < max_patches]
    return Regions(owners[order], boxes[order], masses[order].astype(np.float32))


def _runs(flat: npt.NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Where each stretch of True begins and where it ends, half-open; the last value must be False."""
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if len(flat) and flat[0]:
        edges = np.concatenate([np.zeros(1, np.int64), edges])
    return edges[::2], edges[1::2]


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
