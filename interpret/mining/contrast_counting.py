"""How often the itemset of each rule is found where other photos are explained for the rule's class."""

import math

import numpy as np
import numpy.typing as npt

from interpret.mining.contrast import ContrastCounts
from interpret.mining.engine.counting import count
from interpret.mining.engine.layout import arrange
from interpret.mining.engine.limits import Limits
from interpret.mining.itemsets import Mined
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def count_contrast(
    mined: Mined, own: TransactionDatabase, contrast: ContrastDatabase, limits: Limits, *, device: str = "cpu"
) -> ContrastCounts:
    """Count the itemsets of every rule in its contrast.

    Args:
        mined: the itemsets.
        own: the transactions that they were mined from, of ``top_units`` units each.
        contrast: the contrast transactions, cut to as many units.
        limits: when to stop; the largest itemset is used for ``subsets``.
        device: where to count.
    """
    kept = np.flatnonzero(mined.frequent)
    itemset, label = mined.itemset[kept], mined.label[kept]
    n_classes, rules = len(mined.class_ids), itemset * max(1, len(mined.class_ids)) + label
    # Contrast transactions of classes that have none of their own say nothing about a rule.
    target, known = places(mined.class_ids, contrast.targets)
    rows = np.flatnonzero(known)
    others = np.unique(contrast.predicted)
    other = np.searchsorted(others, contrast.predicted[rows])
    pair = target[rows] * max(1, len(others)) + other  # (target, predicted) as one class for the counting
    images = contrast.image_ids[rows]
    layout = arrange(
        TransactionDatabase(contrast.units[rows].copy(), pair.astype(np.int32), images.copy(), contrast.n_units)
    )
    counts = count(mined.trie(contrast.n_units), layout, limits, device=device)
    found_target, found_other = np.divmod(layout.class_ids[counts.label], max(1, len(others)))
    # S(X) in the places of ``others``, as keys of itemset and place.
    shared_place, shared_known = places(others, mined.class_ids[label])
    inside = np.unique(itemset[shared_known] * max(1, len(others)) + shared_place[shared_known])
    outside = ~np.isin(counts.itemset * max(1, len(others)) + found_other, inside)
    rule, is_rule = places(rules, counts.itemset * n_classes + found_target)
    used = outside & is_rule
    by_patch = np.bincount(rule[used], counts.patches[used], minlength=len(rules)).astype(np.int64)
    by_photo = np.bincount(rule[used], counts.photos[used], minlength=len(rules)).astype(np.int64)
    patches, photos = np.zeros((n_classes, len(others)), np.int64), np.zeros((n_classes, len(others)), np.int64)
    at = np.divmod(layout.class_ids, max(1, len(others)))
    patches[at], photos[at] = layout.class_sizes, layout.class_photos
    return ContrastCounts(
        count=by_patch,
        patches=_outside(patches, itemset, label, shared_place, shared_known),
        image_count=by_photo,
        images=_outside(photos, itemset, label, shared_place, shared_known),
        all_images=photos.sum(axis=1),
        subsets=_subsets(mined, own, contrast, target, limits.max_size),
    )


def places(values: npt.NDArray, wanted: npt.NDArray) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Where each of ``wanted`` stands in the ascending ``values``, and whether it does: (n,) each."""
    if not len(values):
        return np.zeros(len(wanted), np.int64), np.zeros(len(wanted), np.bool_)
    place = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return place, values[place] == wanted


def _outside(totals: Ints, itemset: Ints, label: Ints, place: Ints, known: npt.NDArray[np.bool_]) -> Ints:
    """(rules,) totals (C, predicted) of each rule's class over the predicted classes outside its itemset's S."""
    whole = totals.sum(axis=1)[label]
    starts = np.searchsorted(itemset, itemset, side="left")
    size = np.searchsorted(itemset, itemset, side="right") - starts
    # Each rule beside every rule of its itemset: the classes of S.
    rule = np.repeat(np.arange(len(itemset)), size)
    member = np.repeat(starts - (np.cumsum(size) - size), size) + np.arange(size.sum())
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
