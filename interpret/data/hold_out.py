"""Which photos of a labelled folder are set aside, to measure on what was found in the others."""

import hashlib
from collections.abc import Mapping, Sequence
from math import floor

from interpret.config import RunConfig
from interpret.data.builtin import BUILT_IN

SHARE = 0.2
"""Fraction of each class's photos that is set aside where none is asked for."""

LEAST = 20
"""Photos of a class (count) from which some are set aside: of fewer, what is mined would say too little."""


def hold_out_of(config: RunConfig) -> float:
    """The fraction to set aside: as the options say, else :data:`SHARE` of a folder, and none of a built-in set."""
    if config.hold_out is not None:
        return config.hold_out
    return 0.0 if config.images in BUILT_IN else SHARE


def set_aside(names: Sequence[str], label_of: Mapping[str, int | None], share: float) -> set[str]:
    """The photos to set aside: of each class with :data:`LEAST` photos or more the same fraction, rounded down.

    They are the ones whose names have the smallest digests, so that the choice is as good as drawn by lot, the same
    each time, and hardly another one when photos are added. Nothing is set aside where fewer than two classes have
    enough photos.

    Args:
        names: of the photos, relative to their folder.
        label_of: the class of each folder; photos of folders without one are never set aside.
        share: of each class (fraction).
    """
    of_class: dict[int, list[str]] = {}
    for name in names:
        label = label_of.get(name.rpartition("/")[0])
        if label is not None:
            of_class.setdefault(label, []).append(name)
    large = [photos for photos in of_class.values() if len(photos) >= LEAST]
    if len(large) < 2:
        return set()
    return {name for photos in large for name in sorted(photos, key=_lot)[: floor(share * len(photos))]}


def _lot(name: str) -> str:
    return hashlib.sha256(f"held out: {name}".encode()).hexdigest()
