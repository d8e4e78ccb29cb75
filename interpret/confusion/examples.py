"""The patches that stand for a group of photos in a gallery: one for each photo, those that hold a set first."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.confusion.differences import Units, holds
from interpret.confusion.explained import Explained

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Examples:
    """Photos of a group explained for a class, one patch each.

    Attributes:
        image_ids: (n,) int64, the photos: those of which a patch holds the set first, by falling sum of its units'
            scores there, then the others by number.
        boxes: (n, 4) int64, the patch, in pixels of the source photo: the one where that sum is largest, or the one of
            most mass.
        holds: (n,) bool, whether the patch holds the set.
    """

    image_ids: Ints
    boxes: Ints
    holds: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.image_ids)


def examples(explained: Explained, image_ids: Ints, target: int, units: Units, top_units: int) -> Examples:
    """The photos of a group that have a patch, those that hold a set first.

    Args:
        explained: patches of the photos.
        image_ids: the group.
        target: the class that they are explained for.
        units: the set; no photo holds an empty one.
        top_units: N, the units of a transaction (count).
    """
    patches = explained.of(image_ids, target)
    held = holds(patches, units, top_units) if units else np.zeros(len(patches), np.bool_)
    members = np.isin(patches.units[:, :top_units], units)
    strength = np.where(held, np.where(members, patches.scores[:, :top_units], 0.0).sum(axis=1, dtype=np.float64), 0.0)
    # Patches of a photo stand in the order of their mass, which decides between those that do not hold the set.
    order = np.lexsort((np.arange(len(patches)), patches.image_ids, -strength, ~held))
    _, first = np.unique(patches.image_ids[order], return_index=True)
    chosen = order[np.sort(first)]
    return Examples(patches.image_ids[chosen], patches.boxes[chosen], held[chosen])
