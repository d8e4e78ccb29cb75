"""The itemsets that set the errors of a pair apart from right photos of the same class.

Photos of A that are taken for B (the errors) are compared with right photos of A, both explained for the same class:

- explained for B: which units argue for B in the errors, and not in the right photos?
- explained for A: which units argue for A in the right photos, and are missing in the errors?

Both groups are explained in the same way, so that neither is chosen by the units. In each comparison, and in each
direction of it, the itemsets are those that are frequent in the group where they are said to be more frequent; the
p-value is Fisher's exact test over photos, one-sided, and the q-value counts every itemset that could have been found
in any of the four comparisons (see :mod:`interpret.mining.contrast`).
"""

import time
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import MineConfig
from interpret.confusion.explained import Explained
from interpret.confusion.pairs import Pair
from interpret.mining import Mined, mine
from interpret.mining.condensed import by_class
from interpret.mining.contrast import MAX_Q, ContrastCounts
from interpret.mining.engine.placement import Placement
from interpret.mining.ranked_units import check_top_units
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase
from interpret.study import Study

Units = tuple[int, ...]

ERRORS, RIGHT = "errors", "right"
"""The two groups: photos of A taken for B, and photos of A predicted as A."""

LARGEST = 3
"""Units of the largest set compared (count), where mining sets no limit.

The correction counts every set that could have been found: a transaction of ten units has 1,023, of which 175 have at
most three units. Errors are few, so that the large sets would cost more power than they could repay.
"""

_OWN, _OTHER = 0, 1  # class ids of the two groups inside one comparison


COLUMNS = [
    "units", "target", "more_in", "error_count", "error_photos", "right_count", "right_photos", "p_value", "q_value",
    "significant",
]  # fmt: skip
"""Columns of :attr:`Differences.table`."""


@dataclass(frozen=True, eq=False)
class Differences:
    """The itemsets that are frequent in one of the groups of a pair, each compared with the other group.

    Attributes:
        table: one row for each closed itemset and each class that the photos were explained for: units (ascending),
            target (that class), more_in (``errors`` or ``right``: the group in which the itemset is frequent and has
            the larger share of photos; where it is in both, only this direction is listed), error_count and
            error_photos (errors of which a patch holds it, and all with a patch, counts), right_count and right_photos
            (the same for the right photos), p_value, q_value, significant (q_value at most 0.05); by p-value, then
            size, then units.
        tested: all itemsets that were found, closed or not (count).
        largest: units of the largest set that was looked for (count).
        photos: photos with a patch in each group, by (target, group) (counts).
    """

    table: pd.DataFrame
    tested: int
    largest: int
    photos: dict[tuple[int, str], int]


def differences(
    study: Study, pair: Pair, explained: Explained, config: MineConfig, *, seconds: float | None = None
) -> Differences:
    """Mine the photos of a pair and test what sets the errors apart.

    Args:
        study: the study.
        pair: its photos.
        explained: their patches, from :func:`interpret.confusion.explained.explain_pair`.
        config: N, support, size and engine. Transactions are the N best units of each patch; an itemset must also be in
            two patches, which matters where there are few errors. Where the size is not limited, sets of at most
            :data:`LARGEST` units are compared.
        seconds: the longest that mining may take; None without a limit.

    Raises:
        ExplosionError: there would be too many itemsets.
        InputError: N is more than was stored, or the time is up.
    """
    check_top_units(config, explained.units.shape[1])
    largest = config.max_size or LARGEST
    config = replace(config, max_size=largest)
    deadline = None if seconds is None else time.monotonic() + seconds
    groups = {ERRORS: pair.errors, RIGHT: pair.right}
    comparisons = [(pair.predicted, ERRORS), (pair.label, RIGHT), (pair.predicted, RIGHT), (pair.label, ERRORS)]
    photos: dict[tuple[int, str], int] = {}
    found: list[tuple[Mined, int, str]] = []
    for target, more_in in comparisons:
        own = explained.of(groups[more_in], target)
        other = explained.of(groups[RIGHT if more_in == ERRORS else ERRORS], target)
        photos[target, more_in] = len(np.unique(own.image_ids))
        if len(own) < 2 or not len(other):
            continue
        left = None if deadline is None else max(0.1, deadline - time.monotonic())
        found.append((_mined(own, other, config, study, left), target, more_in))
    rows, p, q = _tested([mined for mined, _, _ in found])
    frames = []
    for (mined, target, more_in), (first, last) in zip(found, rows, strict=True):
        frames.append(_frame(mined, target, more_in, p[first:last], q[first:last]))
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*COLUMNS, "closed"])
    more = table["error_count"] * table["right_photos"] - table["right_count"] * table["error_photos"]
    larger = np.where(table["more_in"] == ERRORS, more > 0, more < 0).astype(bool)
    kept = table[table["closed"].astype(bool) & larger][COLUMNS]
    kept = kept.assign(size=kept["units"].map(len)).sort_values(["p_value", "size", "units"], kind="stable")
    return Differences(kept[COLUMNS].reset_index(drop=True), len(table), largest, photos)


def holds(explained: Explained, units: Units, top_units: int) -> npt.NDArray[np.bool_]:
    """(P,) whether the transaction of each patch, its ``top_units`` best units, holds an itemset."""
    members = explained.units[:, :top_units]
    return np.all([(members == unit).any(axis=1) for unit in units], axis=0)


def _mined(own: Explained, other: Explained, config: MineConfig, study: Study, seconds: float | None) -> Mined:
    """The itemsets that are frequent in the own group, counted in the other one."""
    # Between one and two patches, so that the exact count that mining asks for is two.
    support = max(config.min_support, min(1.0, 1.5 / len(own)))
    least_two = replace(config, min_support=support, min_class_patches=1, contrast_quantile=0.0)
    database = TransactionDatabase(
        own.units.copy(), np.full(len(own), _OWN, np.int32), own.image_ids.copy(), study.n_units
    )
    contrast = ContrastDatabase(
        other.units.copy(),
        np.full(len(other), _OWN, np.int32),
        np.full(len(other), _OTHER, np.int32),
        other.image_ids.copy(),
        study.n_units,
    )
    place = Placement(study.compute_on, study.announce)
    return mine(database, least_two, contrast=contrast, seconds=seconds, place=place)


def _tested(
    found: list[Mined],
) -> tuple[list[tuple[int, int]], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where the rules of each comparison begin and end among all, and the p- and q-values of all, as one family."""
    counts = [mined.contrast for mined in found if mined.contrast is not None]
    assert len(counts) == len(found)
    if not found:
        return [], np.zeros(0), np.zeros(0)
    sizes = [len(mined.rules) for mined in found]
    joined = ContrastCounts(
        **{name: np.concatenate([getattr(each, name) for each in counts]) for name in vars(counts[0])}
    )
    columns = joined.columns(
        own_support=np.concatenate([mined.rules["support_count"] / mined.n for mined in found]),
        own=np.concatenate([mined.rules["image_count"].to_numpy(np.int64) for mined in found]),
        label=np.repeat(np.arange(len(found)), sizes),
        n_c=np.concatenate([mined.class_photos for mined in found]),
        is_mined=np.ones(len(found), np.bool_),
    )
    ends = np.cumsum(sizes)
    rows = [(int(end - size), int(end)) for end, size in zip(ends, sizes, strict=True)]
    return rows, columns["image_p_value"], columns["image_q_value"]


def _frame(
    mined: Mined, target: int, more_in: str, p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]
) -> pd.DataFrame:
    rules = mined.rules
    own = (rules["image_count"].to_numpy(np.int64), np.full(len(rules), mined.n_photos))
    other = (rules["contrast_image_count"].to_numpy(np.int64), rules["contrast_images"].to_numpy(np.int64))
    errors, right = (own, other) if more_in == ERRORS else (other, own)
    return pd.DataFrame(
        {
            "units": pd.Series([mined.units_of[i] for i in rules["itemset_id"]], dtype=object),
            "target": target,
            "more_in": more_in,
            "error_count": errors[0],
            "error_photos": errors[1],
            "right_count": right[0],
            "right_photos": right[1],
            "p_value": p,
            "q_value": q,
            "significant": q <= MAX_Q,
            "closed": by_class(mined).closed,
        }
    )
