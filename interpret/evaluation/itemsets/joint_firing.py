"""Joint firing: do the units of an itemset come together more often than their single supports say?

For every supported itemset of two or more units of class c, in three sets of transactions: c's own mined ones, its
contrast's (for a class-shared itemset those of photos outside S), and those of the held-out photos predicted as c. In
each, the observed support over the product of the units' single supports, and over what independent picks would give in
transactions of these lengths (:mod:`interpret.evaluation.itemsets.fixed_length`). The product alone is unfair to sets:
a transaction holds N units, and each takes a place from the others.

An itemset was chosen because its own support is high and its contrast support low, so that the first of these ratios
flatters it and the second does the opposite. The held-out photos chose nothing: they are tested. The p-value is
one-sided, over photos: the probability that as many held-out photos hold the itemset if the units of their patches were
picked independently given their number. A photo of two patches has two chances. The q-values are Benjamini and
Hochberg's, over all itemsets of two or more units.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import MineConfig
from interpret.evaluation.class_means import rows_by_class
from interpret.evaluation.itemsets import fixed_length
from interpret.evaluation.itemsets.supported_sets import (
    Bools,
    ClassSets,
    Ints,
    Units,
    by_photo,
    holds,
    indicator,
    membership,
)
from interpret.frames import integers
from interpret.mining.ranked_elsewhere import ranked_elsewhere
from interpret.mining.ranked_units import ranked_contrast_units, ranked_units
from interpret.stats import benjamini_hochberg
from interpret.study import Study

MAX_Q = 0.05
"""Largest q-value at which an itemset counts as firing jointly beyond noise."""

KINDS = ("own", "contrast", "held")
"""The sets of transactions: mined ones of the class, those of its contrast, those of held-out photos."""

OBSERVED = ("patches", "count", "support", "product", "ratio", "expected", "fixed_ratio")

COLUMNS = [
    "class_id", "units", "size", *OBSERVED,
    *(f"{kind}_{name}" for kind in KINDS[1:] for name in OBSERVED),
    "photos", "image_count", "image_expected", "p_value", "q_value",
]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Group:
    """Some transactions of one class, and its itemsets that are looked at in them.

    Attributes:
        class_id: the class that they were explained for.
        kind: one of :data:`KINDS`.
        itemsets: those looked at, each by ascending unit.
        rows: (I,) int64, their rows in the table of :func:`joint_firing`.
        members: (P, m) bool, the units that the transactions hold; every unit that any of them holds is among the m.
        photos: (P,) int64, the photo of each.
        marked: (I, m) bool, the units of the itemsets.
        held: (P, I) bool.
    """

    class_id: int
    kind: str
    itemsets: tuple[Units, ...]
    rows: Ints
    members: Bools
    photos: Ints
    marked: Bools
    held: Bools

    @property
    def lengths(self) -> Ints:
        """(P,) units in each transaction (count)."""
        return self.members.sum(axis=1)


def find_groups(study: Study, heldout_study: Study, config: MineConfig, sets: dict[int, ClassSets]) -> list[Group]:
    """The own and held-out transactions of each class, and its contrast transactions for each S(X) of its itemsets.

    Args:
        study: the study that was mined.
        heldout_study: other photos.
        config: what a transaction holds.
        sets: from :func:`interpret.evaluation.itemsets.supported_sets.supported_sets`; itemsets of one unit are left
            out.
    """
    own, contrast = ranked_units(study, config)[0], ranked_contrast_units(study, config)[0]
    own_class, own_photo = integers(study.patches, "predicted", "image_id")
    target, predicted, photo = integers(study.contrast, "target", "predicted", "image_id")
    other = ranked_elsewhere(study, heldout_study, config)[0]
    other_class, other_photo = integers(heldout_study.patches, "predicted", "image_id")
    own_of, other_of, contrast_of = rows_by_class(own_class), rows_by_class(other_class), rows_by_class(target)
    groups: list[Group] = []
    rows = 0
    for c, found in sets.items():
        several = np.flatnonzero(found.sizes > 1).tolist()
        if not several:
            continue
        first, rows = rows, rows + len(several)
        mine = own_of(c)
        at = np.arange(first, rows)
        itemsets = [found.itemsets[i] for i in several]
        groups.append(_group(c, "own", itemsets, at, own[mine], own_photo[mine]))
        called = other_of(c)
        groups.append(_group(c, "held", itemsets, at, other[called], other_photo[called]))
        explained = contrast_of(c)
        shared_by = [found.shared_by[i] for i in several]
        for classes in dict.fromkeys(shared_by):
            alike = [place for place, others in enumerate(shared_by) if others == classes]
            asked = explained[~np.isin(predicted[explained], classes)]
            some = [itemsets[place] for place in alike]
            groups.append(_group(c, "contrast", some, at[alike], contrast[asked], photo[asked]))
    return groups


def joint_firing(groups: list[Group], longest: int) -> pd.DataFrame:
    """Joint firing of every supported itemset of two or more units, one row each.

    Args:
        groups: from :func:`find_groups`.
        longest: N, units in a transaction at most (count).

    Returns:
        class_id, units, size. Of the class's own transactions: patches and count (transactions, and those that hold the
        itemset), support (null without transactions), product (of the units' single supports), ratio (support over
        product; null where that is 0), expected (transactions of independent picks that hold it, count), fixed_ratio
        (count over expected). The same, named ``contrast_`` and ``held_``, of the contrast and of held-out photos. Of
        the held-out photos: photos, image_count, image_expected (counts), p_value and q_value.
    """
    if not groups:
        return pd.DataFrame(columns=COLUMNS)
    parts: dict[str, list[pd.DataFrame]] = {kind: [] for kind in KINDS}
    for group, picked in zip(groups, _fitted(groups, longest), strict=True):
        chance = fixed_length.probabilities(picked, group.marked, longest)
        columns = _observed(group, chance)
        if group.kind != "own":
            columns = {f"{group.kind}_{name}": values for name, values in columns.items()}
        if group.kind == "held":
            columns |= _photo_test(group, chance)
        frame = pd.DataFrame(columns, index=group.rows)
        if group.kind == "own":
            frame.insert(0, "class_id", group.class_id)
            frame.insert(1, "units", pd.Series(group.itemsets, dtype=object, index=group.rows))
            frame.insert(2, "size", group.marked.sum(axis=1))
        parts[group.kind].append(frame)
    own, contrast, held = (pd.concat(parts[kind]) for kind in KINDS)
    table = own.join(contrast).join(held)
    table["q_value"] = benjamini_hochberg(table["p_value"].to_numpy(), len(table))
    return table[COLUMNS]


def _group(
    class_id: int,
    kind: str,
    itemsets: list[Units],
    rows: Ints,
    ranked: npt.NDArray[np.int32],
    photos: Ints,
) -> Group:
    units = np.union1d(ranked[ranked >= 0], np.concatenate(itemsets)).astype(np.int64)
    members, marked = membership(ranked, units), indicator(itemsets, units)
    return Group(class_id, kind, tuple(itemsets), rows, members, photos, marked, holds(members, marked))


def _fitted(groups: list[Group], longest: int) -> list[fixed_length.Floats]:
    """The fitted picks of each group, (m,) each; all groups are fitted together."""
    widest = max(group.members.shape[1] for group in groups)
    counts = np.zeros((len(groups), widest), np.int64)
    lengths = np.zeros((len(groups), longest + 1), np.int64)
    for row, group in enumerate(groups):
        counts[row, : group.members.shape[1]] = group.members.sum(axis=0)
        lengths[row] = np.bincount(group.lengths, minlength=longest + 1)
    picked = fixed_length.fit(counts, lengths)
    return [picked[row, : group.members.shape[1]] for row, group in enumerate(groups)]


def _observed(group: Group, chance: fixed_length.Floats) -> dict[str, np.ndarray]:
    n = len(group.members)
    count = group.held.sum(axis=0)
    single = group.members.sum(axis=0) / max(n, 1)
    product = np.prod(np.where(group.marked, single, 1.0), axis=1)
    expected = chance @ np.bincount(group.lengths, minlength=chance.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        support = count / n if n else np.full(len(count), np.nan)
        ratio = np.where(product > 0, support / product, np.nan)
        fixed_ratio = np.where(expected > 0, count / expected, np.nan)
    return {
        "patches": np.full(len(count), n),
        "count": count,
        "support": support,
        "product": product,
        "ratio": ratio,
        "expected": expected,
        "fixed_ratio": fixed_ratio,
    }


def _photo_test(group: Group, chance: fixed_length.Floats) -> dict[str, np.ndarray]:
    """Photos that hold each itemset, how many would, and the probability of as many.

    Photos differ in how many patches they have, so that their number is a sum of unequal chances. The binomial
    distribution with their mean has the heavier tail (Hoeffding, Ann. Math. Stat. 1956): the test is conservative.
    """
    from scipy.stats import binom  # only here: its import takes a second, which pages would wait for

    ids, count = by_photo(group.held, group.photos)
    _, place = np.unique(group.photos, return_inverse=True)
    lengths = np.zeros((len(ids), chance.shape[1]), np.int64)
    np.add.at(lengths, (place, group.lengths), 1)
    alike, photos = np.unique(lengths, axis=0, return_counts=True)  # photos with patches of the same lengths
    with np.errstate(divide="ignore"):
        without = np.log1p(-np.minimum(chance, 1.0))  # (I, N + 1)
    without = np.maximum(without, -1e300)  # a certainty stays one when multiplied by 0 patches
    expected = (1 - np.exp(without @ alike.T)) @ photos
    found = (count > 0).sum(axis=0)
    p = binom.sf(found - 1, len(ids), np.clip(expected / max(len(ids), 1), 0, 1))
    return {
        "photos": np.full(len(found), len(ids)),
        "image_count": found,
        "image_expected": expected,
        "p_value": np.where(found > 0, p, 1.0),
    }
