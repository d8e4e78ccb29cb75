"""Which photos of a study are like a given one in the units of their transactions."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.findings.findings import Findings
from interpret.findings.unit_index import UnitIndex, unit_index
from interpret.frames import integers
from interpret.mining.ranked_units import quantile_of
from interpret.study import Study

Ints = npt.NDArray[np.int64]

COLUMNS = {"image_id": "int64", "similarity": "float64", "shared": "int64", "either": "int64"}
"""Columns of :func:`similar_photos` and their types."""


class SimilarRow(NamedTuple):
    """A row of :func:`similar_photos`."""

    image_id: int
    similarity: float
    shared: int
    either: int


def similar_photos(
    findings: Findings, units: Iterable[int], *, limit: int = 12, leave_out: int | None = None
) -> pd.DataFrame:
    """The photos of a study that are most like a given one in their units.

    A photo's units are those of the transactions of all its patches. What counts is the Jaccard similarity (Jaccard,
    New Phytologist 11, 1912) of two sets of units: the number that are in both sets, divided by the number that are in
    at least one. Photos of equal similarity come by rising id.

    The units' lists of patches are read, those of the given units alone, and one number is held for each photo.

    Args:
        findings: of the study; they decide what a transaction holds.
        units: the given photo's; duplicates count once.
        limit: largest number of photos (count).
        leave_out: a photo of the study that is not listed, as the given one itself.

    Returns:
        image_id, similarity (fraction), shared (units that both have, count), either (units that at least one has,
        count), the most similar first. Photos that share no unit are left out.

    Raises:
        InputError: the layer has no such unit.
    """
    study, given = findings.study, sorted({int(unit) for unit in units})
    for unit in given:
        if not 0 <= unit < study.n_units:
            raise InputError(f"There is no unit {unit}; the layer has {study.n_units}, counted from 0.")
    index, image = unit_index(study, findings.config), integers(study.patches, "image_id")[0]
    shared = np.zeros(len(study.images), np.int32)
    for unit in given:
        shared[_photos_with(index, image, unit)] += 1
    if leave_out is not None:
        shared[leave_out] = 0
    photos = np.flatnonzero(shared)
    both = shared[photos].astype(np.int64)
    either = _units_per_photo(study, findings.config)[photos] + len(given) - both
    similarity = both / either
    if len(photos) > limit:  # the best alone are sorted
        best = np.flatnonzero(similarity >= np.partition(similarity, -limit)[-limit])
        photos, both, either, similarity = photos[best], both[best], either[best], similarity[best]
    order = np.argsort(-similarity, kind="stable")[:limit]
    columns = (photos[order], similarity[order], both[order], either[order])
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))).astype(COLUMNS)


def _photos_with(index: UnitIndex, image: Ints, unit: int) -> Ints:
    """The photos with a patch whose transaction holds a unit, each once."""
    photos = image[index.rows[index.starts[unit] : index.starts[unit + 1]]]
    change = np.diff(photos)
    if (change < 0).any():  # patches lie by photo; where they do not, the photos are sorted first
        return np.unique(photos)
    first = np.ones(len(photos), np.bool_)
    first[1:] = change > 0
    return photos[first]


def _units_per_photo(study: Study, config: MineConfig) -> npt.NDArray[np.int32]:
    """(n,) the number of different units in the transactions of each photo; kept as long as the study is open."""

    def counted() -> npt.NDArray[np.int32]:
        index, image = unit_index(study, config), integers(study.patches, "image_id")[0]
        found = np.zeros(len(study.images), np.int32)
        for unit in range(study.n_units):
            found[_photos_with(index, image, unit)] += 1
        found.setflags(write=False)
        return found

    key = ("units of photos", config.top_units, quantile_of(study, config), config.contrast_shared)
    return study.derived(key, counted)
