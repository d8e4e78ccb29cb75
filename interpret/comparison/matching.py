"""Units of two networks matched by the photos that they respond to."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.errors import InputError
from interpret.study import Study
from interpret.study.prints import contents

Ints = npt.NDArray[np.int64]

LEAST_PHOTOS = 100
"""Photos (count) below which correlations say too little: of 1,000 units that have nothing to do with one, the best
reaches about 0.33 over 100 photos, and 0.6 over 30."""

CHUNK = 8192
"""Photos whose activations are in memory at a time (count)."""

_NONE = -2.0
"""Stands for a correlation that is not defined; below all that are."""


@dataclass(frozen=True, eq=False)
class Matches:
    """The counterpart of each unit of a study in another one.

    Attributes:
        unit: (K,) int64, the other study's unit that each unit is matched with, no two with the same; -1 for one that
            is left over, or whose activation is the same in all shared photos.
        correlation: (K,) float64, with it; NaN where there is none.
        best: (K,) int64, the unit that each one correlates with most, whatever others are matched with it; -1 likewise.
        best_correlation: (K,) float64, with that one.
        photos: that both studies have (count).
    """

    unit: Ints
    correlation: npt.NDArray[np.float64]
    best: Ints
    best_correlation: npt.NDArray[np.float64]
    photos: int

    def table(self) -> pd.DataFrame:
        """unit, counterpart, correlation, best, best_correlation: a row for each unit, missing values where none is."""
        counterpart, best = (pd.Series(units, dtype="Int64") for units in (self.unit, self.best))
        return pd.DataFrame(
            {
                "unit": np.arange(len(self.unit)),
                "counterpart": counterpart.mask(counterpart < 0),
                "correlation": self.correlation,
                "best": best.mask(best < 0),
                "best_correlation": self.best_correlation,
            }
        )


def shared_photos(study: Study, other: Study) -> tuple[Ints, Ints]:
    """The photos that both studies have: their positions in each one's ``images``, in the order of the first.

    A photo is the same where its name within the folder is, and its content too as far as both studies know it.

    Raises:
        InputError: what one of them knows of its photos' contents is damaged.
    """
    first, second = (contents(each.folder) for each in (study, other))
    place = {name: at for at, name in enumerate(other.images["path"].tolist())}
    pairs = [
        (at, place[name])
        for at, name in enumerate(study.images["path"].tolist())
        if name in place and (name not in first or name not in second or first[name] == second[name])
    ]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def match_units(study: Study, other: Study) -> Matches:
    """Match units by the correlation (Pearson) of their mean activations over the photos that both studies have.

    One with one, so that the sum of the correlations is largest: the bipartite matching of Li et al., "Convergent
    Learning: Do different neural networks learn the same representations?", ICLR 2016.

    Args:
        study: the study.
        other: another one, of the same network or any other.

    Raises:
        InputError: they share fewer than :data:`LEAST_PHOTOS` photos.
    """
    from scipy.optimize import linear_sum_assignment

    own, others = shared_photos(study, other)
    if len(own) < LEAST_PHOTOS:
        raise InputError(
            f"{study.name} and {other.name} have {len(own)} photos in common, and to match units takes {LEAST_PHOTOS}; "
            "make both from the same folder."
        )
    correlations = correlations_of(study.features, own, other.features, others)
    known = np.nan_to_num(correlations, nan=_NONE)
    unit, correlation = np.full(len(known), -1, np.int64), np.full(len(known), np.nan)
    rows, columns = linear_sum_assignment(known, maximize=True)
    held = known[rows, columns] > _NONE
    unit[rows[held]], correlation[rows[held]] = columns[held], known[rows, columns][held]
    best = known.argmax(axis=1)
    largest = known[np.arange(len(known)), best]
    none = largest == _NONE
    return Matches(unit, correlation, np.where(none, -1, best), np.where(none, np.nan, largest), len(own))


def correlations_of(
    features: npt.NDArray[np.float32], rows: Ints, other: npt.NDArray[np.float32], other_rows: Ints
) -> npt.NDArray[np.float64]:
    """Pearson's correlation of each column with each column of another array, over pairs of rows.

    Only :data:`CHUNK` rows are in memory at a time.

    Args:
        features: (n, K), may be memory-mapped.
        rows: (m,) the rows of ``features`` that count.
        other: (n', K').
        other_rows: (m,) the row of ``other`` that belongs to each.

    Returns:
        (K, K'); NaN where a column is constant.
    """
    sides = [(features, rows), (other, other_rows)]
    starts = range(0, len(rows), CHUNK)
    means, constant = [], []
    for values, places in sides:
        total, same = np.zeros(values.shape[1]), np.ones(values.shape[1], np.bool_)
        for start in starts:
            part = values[places[start : start + CHUNK]]
            total += part.sum(axis=0, dtype=np.float64)
            same &= (part == values[places[0]]).all(axis=0)
        means.append(total / len(places))
        constant.append(same)  # whose variance may be a rounding error
    product = np.zeros((features.shape[1], other.shape[1]))
    squares = [np.zeros(values.shape[1]) for values, _ in sides]
    for start in starts:
        parts = [
            values[places[start : start + CHUNK]].astype(np.float64) - mean
            for (values, places), mean in zip(sides, means, strict=True)
        ]
        product += parts[0].T @ parts[1]
        for square, centred in zip(squares, parts, strict=True):
            square += np.square(centred).sum(axis=0)
    lengths = [np.where(none, np.nan, np.sqrt(square)) for square, none in zip(squares, constant, strict=True)]
    return product / lengths[0][:, None] / lengths[1]
