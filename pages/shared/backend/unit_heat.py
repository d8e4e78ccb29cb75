"""Where units fire in the photos of a gallery: maps from stored activations, else from the network, in a short time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import streamlit as st

from interpret.explanation import unit_maps
from interpret.explanation.unit_maps import Maps
from interpret.figures.study_pictures import HeatOf
from interpret.study import Study
from pages.shared.backend import model, places, studies

SECONDS = 4.0
"""Longest time that a page runs the network for the maps of a gallery (seconds)."""

BATCH = 4
"""Photos that the network is run on at a time, and whose maps are kept together (count)."""


@dataclass(frozen=True, eq=False)
class UnitHeat:
    """Maps of the same units in some photos.

    Attributes:
        units: the units.
        maps: a map in 0..1 by photo, comparable between the photos.
        missing: photos without a map, because the time was over (count).
    """

    units: tuple[int, ...] = ()
    maps: HeatOf = field(default_factory=dict)
    missing: int = 0

    @property
    def key(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What decides the maps of a study: the units, and the photos that they are compared in."""
        return self.units, tuple(self.maps)


NONE = UnitHeat()
"""No maps."""


def of_photos(opened: Study, images: Sequence[int], units: tuple[int, ...]) -> UnitHeat:
    """The maps of units in photos.

    Where the study stores no activations, the network is run until :data:`SECONDS` are over. What it gave is kept, so
    that the next call goes on from there.

    Raises:
        InputError: the network is needed, and cannot be loaded or has other weights than the study was made with.
    """
    chosen = list(dict.fromkeys(images))
    stored = unit_maps.stored_maps(opened, chosen, units)
    if stored is not None:
        return UnitHeat(units, dict(zip(chosen, unit_maps.heat(stored), strict=True)))
    model.ready_model(opened)  # loading it, once, is not counted
    end = time.monotonic() + SECONDS
    found: list[Maps] = []
    done: list[int] = []
    for start in range(0, len(chosen), BATCH):
        if found and time.monotonic() > end:
            break
        batch = tuple(chosen[start : start + BATCH])
        ids, maps = _computed(str(opened.folder), places.stamp(opened.folder), batch, units)
        done += ids
        found.append(maps)
    if not done:
        return NONE
    heat = unit_maps.heat(np.concatenate([maps for maps in found if len(maps)]))
    return UnitHeat(units, dict(zip(done, heat, strict=True)), len(chosen) - len(done))


@st.cache_data(max_entries=400, show_spinner="Computing where the units fire …")
def _computed(folder: str, stamp: int, images: tuple[int, ...], units: tuple[int, ...]) -> tuple[list[int], Maps]:
    """Those of some photos whose files are here, and their maps."""
    opened = studies.cached(folder, stamp)
    photos = {image: photo for image in images if (photo := opened.photo(image)) is not None}
    ready, lock = model.ready_model(opened)
    with lock:
        return list(photos), unit_maps.computed_maps(ready, photos.values(), units)
