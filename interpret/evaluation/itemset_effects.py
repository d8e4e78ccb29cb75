"""The effect of every itemset: what ablating its units costs its classes, beside random units and other classes.

One measurement for all itemsets of a mining result, from stored activations. A single itemset's, with all its random
draws, is that of :func:`interpret.evaluation.effect.ablate_class`, and the numbers are the same.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.evaluation.ablation import AblationSet, Ints, classify
from interpret.evaluation.effect import random_units
from interpret.mining import Mined
from interpret.mining.contrast import is_supported

LOGITS = 10_000_000_000
"""Logits (count) that all itemsets of a study may cost under a linear head: some ten seconds on two cores."""

HEAD_PREDICTIONS = 2_000
"""The same in predictions (count) of any other head, which is run for every photo and itemset in milliseconds."""

DRAWS, HEAD_DRAWS = 20, 5
"""Random sets of units of each size (count), with a linear head and with any other."""

ITEMSETS = 50_000
"""Itemsets that are measured at the most (count); each takes a tenth of a millisecond, however few the photos."""

MIN_PHOTOS = 5
"""Photos of each class (count) that are measured on in any case, where there are as many."""

CHUNK = 256
"""Itemsets whose predictions are held at a time (count)."""

COLUMNS = {
    "itemset_id": "int64", "class_id": "int64", "photos": "int64", "before": "float64", "fall": "float64",
    "random": "float64", "random_high": "float64", "others": "float64", "worst_class": "int64", "worst": "float64",
}  # fmt: skip
"""Columns of :func:`itemset_effects` and their types."""


class EffectRow(NamedTuple):
    """A row of :func:`itemset_effects`."""

    itemset_id: int
    class_id: int
    photos: int
    before: float
    fall: float
    random: float
    random_high: float
    others: float
    worst_class: int
    worst: float

    @property
    def after(self) -> float:
        """The accuracy of the class with the itemset's units ablated."""
        return self.before - self.fall


def itemset_effects(
    test_set: AblationSet,
    mined: Mined,
    *,
    draws: int | None = None,
    seed: int = 0,
    budget: int | None = None,
    most: int = ITEMSETS,
) -> pd.DataFrame:
    """The fall of accuracy of each class of each itemset when the itemset's units are ablated.

    Where all itemsets and photos would cost more than ``budget``, the first photos of each class are measured on, and
    :data:`MIN_PHOTOS` at least; where that is too much as well, or there are more than ``most`` itemsets, supported
    ones are measured before others, and of these the ones of the largest support.

    Args:
        test_set: the photos and the head.
        mined: whose itemsets.
        draws: random sets of units of each size (count), the same for all itemsets of that size; :data:`DRAWS` or
            :data:`HEAD_DRAWS` if None.
        seed: of those draws.
        budget: predictions of itemsets in all (count); if None, what :data:`LOGITS` or :data:`HEAD_PREDICTIONS` allow.
        most: itemsets to measure at the most (count).

    Returns:
        One row for each rule whose class has photos and whose itemset was measured, in the order and with the index of
        ``mined.rules``: itemset_id, class_id, photos (of the class, measured on, count), before (its accuracy with no
        unit ablated), fall (of its accuracy with the units ablated), random (the same with as many random units, mean
        over the draws), random_high (the 95th percentile of these), others (mean fall over the classes in which the
        itemset is not frequent; NaN without any), worst_class and worst (the one of these that falls most, the lower id
        of equals, and its fall; -1 and NaN without any). Accuracies and falls are fractions; a gain is a fall below 0.
    """
    classes = test_set.classes
    if budget is None:
        budget = LOGITS // n_classes(test_set) if test_set.head.linear else HEAD_PREDICTIONS
    if draws is None:
        draws = DRAWS if test_set.head.linear else HEAD_DRAWS
    rules = mined.rules[["itemset_id", "class_id"]].astype(np.int64)
    chosen = _chosen(mined, min(most, budget // max(1, MIN_PHOTOS * len(classes))))
    rules = rules[rules["itemset_id"].isin(chosen) & rules["class_id"].isin(classes)]
    if rules.empty:
        return nothing()
    photos = _photos(test_set, classes, budget // (len(chosen) * len(classes)))
    counts = np.bincount(np.searchsorted(classes, test_set.labels[photos]), minlength=len(classes))
    right = _right(test_set, photos, classes, [()])[0]
    random, random_high = np.zeros((2, int(mined.sizes[chosen].max()) + 1, len(classes)))  # by size and class
    for size in np.unique(mined.sizes[chosen]).tolist():
        sets = random_units(test_set.n_units, size, draws, seed)
        drawn = (right - _right(test_set, photos, classes, sets)) / counts
        random[size], random_high[size] = drawn.mean(axis=0), np.quantile(drawn, 0.95, axis=0)
    parts = []
    for start in range(0, len(chosen), CHUNK):
        ids = chosen[start : start + CHUNK]
        falls = (right - _right(test_set, photos, classes, [mined.units_of[i] for i in ids.tolist()])) / counts
        part = rules.iloc[slice(*np.searchsorted(rules["itemset_id"], [ids[0], ids[-1] + 1]))]  # they are in order
        row = np.searchsorted(ids, part["itemset_id"].to_numpy())
        place = np.searchsorted(classes, part["class_id"].to_numpy())
        serves = np.zeros(falls.shape, np.bool_)
        serves[row, place] = True
        size = mined.sizes[ids[row]]
        elsewhere = ~serves.all(axis=1)
        worst = np.where(serves, -np.inf, falls).argmax(axis=1)
        outside = np.where(serves, 0.0, falls).sum(axis=1) / np.maximum(1, (~serves).sum(axis=1))
        columns = {
            "photos": counts[place],
            "before": right[place] / counts[place],
            "fall": falls[row, place],
            "random": random[size, place],
            "random_high": random_high[size, place],
            "others": np.where(elsewhere, outside, np.nan)[row],
            "worst_class": np.where(elsewhere, classes[worst], -1)[row],
            "worst": np.where(elsewhere, falls[np.arange(len(ids)), worst], np.nan)[row],
        }
        parts.append(part.assign(**columns))
    return pd.concat(parts).astype(COLUMNS)


def nothing() -> pd.DataFrame:
    """The table of :func:`itemset_effects` where no itemset was measured."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})


def n_classes(test_set: AblationSet) -> int:
    """C, the classes that a linear head scores (count)."""
    assert test_set.head.weight is not None
    return len(test_set.head.weight)


def _chosen(mined: Mined, most: int) -> Ints:
    """Ids of the itemsets to measure, ascending: supported ones first, and those of larger support, in any class."""
    rules = mined.rules
    if len(mined) > most:
        sizes = pd.Series(mined.class_sizes, index=mined.class_ids)
        share = rules["support_count"] / rules["class_id"].map(sizes)
        of = pd.DataFrame({"supported": is_supported(rules), "share": share}).groupby(rules["itemset_id"])
        order = of.agg({"supported": "all", "share": "max"}).sort_values(
            ["supported", "share"], ascending=False, kind="stable"
        )
        return np.sort(order.index.to_numpy(np.int64)[:most])
    return np.unique(rules["itemset_id"].to_numpy(np.int64))


def _photos(test_set: AblationSet, classes: Ints, per_class: int) -> Ints:
    """Positions of the photos to measure on, those of a class side by side."""
    most = max(MIN_PHOTOS, per_class)
    return np.concatenate([np.flatnonzero(test_set.labels == c)[:most] for c in classes.tolist()]).astype(np.int64)


def _right(
    test_set: AblationSet, photos: Ints, classes: Ints, unit_sets: Sequence[Sequence[int] | Ints]
) -> npt.NDArray[np.int64]:
    """(S, c) right answers of each class with each set of units ablated (count); photos of a class side by side."""
    labels = test_set.labels[photos]
    settings = [[np.array(units, np.int64)] for units in unit_sets]
    correct = classify(test_set, settings, np.zeros(len(photos), np.int64), photos) == labels
    return np.add.reduceat(correct, np.searchsorted(labels, classes), axis=1, dtype=np.int64)
