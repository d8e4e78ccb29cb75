"""Units of two networks matched by the photos that they respond to."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.errors import InputError
from interpret.study import Study
from interpret.study.prints import read_prints

Ints = npt.NDArray[np.int64]

LEAST_PHOTOS = 100
"""Photos (count) below which correlations say too little: of 1,000 units that have nothing to do with one, the best
reaches about 0.33 over 100 photos, and 0.6 over 30."""

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


def shared_photos(study: Study, other: Study) -> tuple[Ints, Ints]:
    """The photos that both studies have: their positions in each one's ``images``, in the order of the first.

    A photo is the same where its name within the folder is, and its content too as far as both studies know it.
    """
    first, second = (_contents(each) for each in (study, other))
    place = {name: at for at, name in enumerate(other.images["path"].tolist())}
    pairs = [
        (at, place[name])
        for at, name in enumerate(study.images["path"].tolist())
        if name in place and (name not in first or name not in second or first[name] == second[name])
    ]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _contents(study: Study) -> dict[str, bytes]:
    return {state.name: kept.content for state, kept in read_prints(study.folder).items()}


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
    correlations = _standardised(study.features[own]).T @ _standardised(other.features[others])
    known = np.nan_to_num(correlations, nan=_NONE)
    unit, correlation = np.full(len(known), -1, np.int64), np.full(len(known), np.nan)
    rows, columns = linear_sum_assignment(known, maximize=True)
    held = known[rows, columns] > _NONE
    unit[rows[held]], correlation[rows[held]] = columns[held], known[rows, columns][held]
    best = known.argmax(axis=1)
    largest = known[np.arange(len(known)), best]
    none = largest == _NONE
    return Matches(unit, correlation, np.where(none, -1, best), np.where(none, np.nan, largest), len(own))


def _standardised(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """(n, K) columns of mean 0 and length 1; NaN where a column is constant."""
    centred = features.astype(np.float64)
    centred -= centred.mean(axis=0)
    lengths = np.sqrt(np.square(centred).sum(axis=0))
    constant = np.ptp(features, axis=0) == 0  # whose length may be a rounding error
    return centred / np.where(constant, np.nan, lengths)
