"""How often the itemset of each rule is found where other photos are explained for the rule's class."""

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from interpret.mining.contrast import ContrastCounts
from interpret.mining.engine.counting import Counts, count
from interpret.mining.engine.layout import Layout, arrange
from interpret.mining.engine.limits import Limits
from interpret.mining.engine.placement import PAIR, Placement, worthwhile
from interpret.mining.engine.trie import Trie
from interpret.mining.itemsets import Mined
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


_ROWS = 1024
"""Contrast patches whose itemsets are counted together (count)."""


def count_contrast(
    mined: Mined,
    own: TransactionDatabase,
    contrast: ContrastDatabase,
    limits: Limits,
    *,
    place: Placement | None = None,
    engine: str = "auto",
) -> ContrastCounts:
    """Count the itemsets of every rule in its contrast.

    Args:
        mined: the itemsets.
        own: the transactions that they were mined from, of ``top_units`` units each.
        contrast: the contrast transactions, cut to as many units.
        limits: when to stop; the largest itemset is used for ``subsets``.
        place: where to count; on the CPU if None.
        engine: as for :func:`interpret.mining.engine.counting.count`.
    """
    kept = np.flatnonzero(mined.frequent)
    itemset, label = mined.itemset[kept], mined.label[kept]
    n_classes, rules = len(mined.class_ids), itemset * max(1, len(mined.class_ids)) + label
    # Contrast transactions of classes that have none of their own say nothing about a rule.
    target, known = places(mined.class_ids, contrast.targets)
    others = np.unique(contrast.predicted)
    n_others = max(1, len(others))
    pair = target * n_others + np.searchsorted(others, contrast.predicted)
    totals = arrange(_database(contrast, np.flatnonzero(known), pair, width=0))
    patches, photos = np.zeros((2, n_classes, len(others)), np.int64)
    at = np.divmod(totals.class_ids, n_others)
    patches[at], photos[at] = totals.class_sizes, totals.class_photos
    # S(X) in the places of ``others``, as keys of itemset and place.
    shared_place, shared_known = places(others, mined.class_ids[label])
    inside = np.unique(itemset[shared_known] * n_others + shared_place[shared_known])
    # Which predicted classes share an itemset with a target: only their photos are taken off again.
    of, member = _members(itemset)
    of, member = of[shared_known[member]], member[shared_known[member]]
    taken_off = np.zeros((n_classes, n_others), np.bool_)
    taken_off[label[of], shared_place[member]] = True
    by_patch, by_photo = np.zeros((2, len(rules)), np.int64)
    trie, shared = mined.trie(contrast.n_units), mined.n_classes > 1
    for rows in _by_target(np.where(known & (contrast.targets != contrast.predicted), target, -1)):
        # Of a class's contrast only the itemsets of its rules are asked.
        asked = np.zeros(len(mined), np.bool_)
        asked[itemset[np.isin(label, target[rows])]] = True
        layout = arrange(_database(contrast, rows, target))
        counts = _count(trie.restricted(asked), layout, limits, place, engine)
        found = np.flatnonzero(asked)[counts.itemset]
        rule, is_rule = places(rules, found * n_classes + layout.class_ids[counts.label])
        by_patch[rule[is_rule]] = counts.patches[is_rule]
        by_photo[rule[is_rule]] = counts.photos[is_rule]
        # Photos predicted as another class of S are taken off again.
        asked &= shared
        rows = rows[taken_off[target[rows], pair[rows] - target[rows] * n_others]]
        if not (asked.any() and len(rows)):
            continue
        layout = arrange(_database(contrast, rows, pair))  # (target, predicted) as one class for the counting
        counts = _count(trie.restricted(asked), layout, limits, place, engine)
        found = np.flatnonzero(asked)[counts.itemset]
        found_target, found_other = np.divmod(layout.class_ids[counts.label], n_others)
        rule, is_rule = places(rules, found * n_classes + found_target)
        off = is_rule & places(inside, found * n_others + found_other)[1]
        by_patch -= np.bincount(rule[off], counts.patches[off], minlength=len(rules)).astype(np.int64)
        by_photo -= np.bincount(rule[off], counts.photos[off], minlength=len(rules)).astype(np.int64)
    return ContrastCounts(
        count=by_patch,
        patches=_outside(patches, itemset, label, shared_place, shared_known),
        image_count=by_photo,
        images=_outside(photos, itemset, label, shared_place, shared_known),
        all_images=photos.sum(axis=1),
        subsets=_subsets(mined, own, contrast, target, limits.max_size),
    )


def _count(trie: Trie, layout: Layout, limits: Limits, place: Placement | None, engine: str) -> Counts:
    """Count in the contrast of some classes: a GPU is worth it for few of them, even where one was asked for."""
    large = PAIR * layout.pairs >= worthwhile()
    return count(trie, layout, limits, place=place if large else None, engine=engine, by_class_only=True)


def _database(contrast: ContrastDatabase, rows: Ints, classes: Ints, width: int | None = None) -> TransactionDatabase:
    """Contrast patches (``rows`` of them, of their ``width`` first units) as transactions of ``classes`` (P,)."""
    units = contrast.units[rows, :width]
    return TransactionDatabase(units, classes[rows].astype(np.int32), contrast.image_ids[rows], contrast.n_units)


def _by_target(target: Ints) -> Iterator[Ints]:
    """The contrast patches (P,) of a class, or of several that have few, by their targets; none of a target below 0."""
    order = np.argsort(target, kind="stable")
    order = order[np.searchsorted(target[order], 0) :]
    ends = np.flatnonzero(np.diff(target[order], append=-1)) + 1
    at = 0
    while at < len(order):
        enough = ends[ends <= at + _ROWS]
        until = max(int(ends[np.searchsorted(ends, at, side="right")]), int(enough[-1]) if len(enough) else 0)
        yield order[at:until]
        at = until


def places(values: npt.NDArray, wanted: npt.NDArray) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Where each of ``wanted`` stands in the ascending ``values``, and whether it does: (n,) each."""
    if not len(values):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    place = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return place, values[place] == wanted


def _members(itemset: Ints) -> tuple[Ints, Ints]:
    """Each of (rules,) rules, ascending by itemset, beside every rule of its itemset: the classes of S."""
    starts = np.searchsorted(itemset, itemset, side="left")
    size = np.searchsorted(itemset, itemset, side="right") - starts
    rule = np.repeat(np.arange(len(itemset)), size)
    return rule, np.repeat(starts - (np.cumsum(size) - size), size) + np.arange(size.sum())


def _outside(totals: Ints, itemset: Ints, label: Ints, place: Ints, known: npt.NDArray[np.bool_]) -> Ints:
    """(rules,) totals (C, predicted) of each rule's class over the predicted classes outside its itemset's S."""
    whole = totals.sum(axis=1)[label]
    rule, member = _members(itemset)
    taken = np.where(known[member], totals[label[rule], place[member]] if totals.size else 0, 0)
    return whole - np.bincount(rule, taken, minlength=len(itemset)).astype(np.int64)


def _subsets(
    mined: Mined, own: TransactionDatabase, contrast: ContrastDatabase, target: Ints, max_size: int | None
) -> Floats:
    """(C,) sets of units within the transactions of each class, its own and its contrast's."""
    label, known = places(mined.class_ids, own.class_ids)
    total = np.zeros(len(mined.class_ids))
    for units, place, valid in (
        (own.units, label, known),
        (contrast.units, target, places(mined.class_ids, contrast.targets)[1]),
    ):
        length = (units >= 0).sum(axis=1)
        sizes = np.arange(1, (units.shape[1] if max_size is None else min(max_size, units.shape[1])) + 1)
        table = np.array([_choose(n, sizes).sum() for n in range(units.shape[1] + 1)])
        total += np.bincount(place[valid], table[length[valid]], minlength=len(total))
    return total


def _choose(n: int, k: npt.NDArray[np.integer]) -> Floats:
    """Binomial coefficients."""
    return np.array([math.comb(n, size) for size in k.tolist()], np.float64)
