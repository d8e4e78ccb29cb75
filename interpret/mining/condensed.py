"""All, closed or maximal itemsets, and rules without the redundant ones: a choice of display, not of meaning.

Within class c, an itemset of S(X)'s row for c is *closed* if no proper superset that is frequent in c has the same
count in c, and *maximal* if no proper superset is frequent in c. Over the whole database the family is that of all
itemsets held: closed if no proper superset held has the same count over all transactions, maximal if none is held.

A rule X -> c is *redundant* if a proper subset of X says the same at no lower confidence.

Supersets of one unit more decide the first two: what lies between an itemset and a superset has a count in between.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from interpret.mining.itemsets import Mined

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Which = Literal["all", "closed", "maximal"]


@dataclass(frozen=True, eq=False)
class Shown:
    """Which rows of the tables of a result to show.

    Attributes:
        itemsets: (rows of ``Mined.itemsets``,) bool.
        rules: (rows of ``Mined.rules``,) bool: those of the itemsets shown for the rule's class.
    """

    itemsets: Bools
    rules: Bools


def shown(mined: Mined, which: Which = "all", *, hide_redundant: bool = False) -> Shown:
    """Rows to show.

    Args:
        mined: the itemsets.
        which: all itemsets, the closed or the maximal ones, each row for its own class or for the whole database.
        hide_redundant: leave out redundant rules; itemsets are not touched by it.
    """
    kept = np.flatnonzero(mined.frequent)
    whole = np.ones(len(mined), np.bool_)
    by_class = np.ones(len(kept), np.bool_)
    if which != "all":
        for sub, sup in _steps(mined):
            whole[sub[(which == "maximal") | (mined.all_patches[sub] == mined.all_patches[sup])]] = False
        for sub, sup in _class_steps(mined, kept):
            equal = mined.patches[kept[sub]] == mined.patches[kept[sup]]
            by_class[sub[(which == "maximal") | equal]] = False
    rules = by_class & ~redundant(mined) if hide_redundant else by_class
    row_itemset = np.concatenate([np.arange(len(mined)), mined.itemset[kept]])
    order = np.argsort(row_itemset, kind="stable")
    return Shown(np.concatenate([whole, by_class])[order], rules)


def redundant(mined: Mined, among: Bools | None = None) -> Bools:
    """(rows of ``Mined.rules``,) whether a proper subset of the rule's itemset has at least its confidence.

    Args:
        mined: the itemsets.
        among: (rows of ``Mined.rules``,) only these rules are looked at, and only they can make another redundant; all
            if None. A closed itemset stands for the smaller ones found in the very same patches: where only closed
            ones are listed, hiding it because of one of those would leave none of them.
    """
    kept = np.flatnonzero(mined.frequent)
    # Equal fractions of integers below 2**26 are equal as floats, and different ones differ.
    confidence = mined.patches[kept] / mined.all_patches[mined.itemset[kept]]
    says = confidence if among is None else np.where(among, confidence, 0.0)
    best = np.zeros(len(kept))  # the largest confidence among proper subsets that are looked at
    for sub, sup in _class_steps(mined, kept):  # by size, so that subsets are done before their supersets
        np.maximum.at(best, sup, np.maximum(best[sub], says[sub]))
    return (best >= confidence) if among is None else (best >= confidence) & among


def _steps(mined: Mined) -> list[tuple[Ints, Ints]]:
    """Pairs of an itemset and one with one unit more, (itemset, superset) numbers, by the superset's size."""
    trie = mined.trie(int(mined.unit_values.max(initial=0)) + 1)
    starts = trie.starts()
    steps = []
    for size, units in enumerate(trie.matrices()[1:], 2):
        sup = np.arange(len(units)) + starts[size - 1]
        for left_out in range(size):
            steps.append((trie.find(np.delete(units, left_out, axis=1)) + starts[size - 2], sup))
    return steps


def _class_steps(mined: Mined, kept: Ints) -> list[tuple[Ints, Ints]]:
    """The same for each class in S of the superset: pairs of positions in ``kept``, the rows of the rules."""
    itemset, label = mined.itemset[kept], mined.label[kept]
    n_classes = len(mined.class_ids)
    keys = itemset * n_classes + label
    starts = np.searchsorted(itemset, np.arange(len(mined) + 1))
    steps = []
    for sub, sup in _steps(mined):
        n = starts[sup + 1] - starts[sup]
        # Each row of the superset, and beside it the row of the subset for the same class, which is always there.
        rows = np.repeat(starts[sup] - (np.cumsum(n) - n), n) + np.arange(n.sum())
        steps.append((np.searchsorted(keys, np.repeat(sub, n) * n_classes + label[rows]), rows))
    return steps


def closed_and_maximal(
    itemsets: Sequence[tuple[int, ...]], counts: Sequence[Hashable], groups: Sequence[Hashable] | None = None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which itemsets are closed and which are maximal.

    Closed: no larger itemset has the same count. Maximal: there is no larger one at all. Every subset of a frequent
    itemset is frequent, so one more unit is all that has to be looked at.

    Args:
        itemsets: all frequent itemsets, units ascending.
        counts: support count of each in one class; or its counts in several classes, as a tuple.
        groups: only itemsets of one group are compared, such as the classes that they are frequent in; all if None.

    Returns:
        Two arrays of bool, one value for each itemset.
    """
    place = {itemset: index for index, itemset in enumerate(itemsets)}
    closed = np.ones(len(itemsets), bool)
    maximal = np.ones(len(itemsets), bool)
    for index, itemset in enumerate(itemsets):
        for left_out in range(len(itemset)):
            below = place.get(itemset[:left_out] + itemset[left_out + 1 :])
            if below is None or (groups is not None and groups[below] != groups[index]):
                continue
            maximal[below] = False
            if counts[below] == counts[index]:
                closed[below] = False
    return closed, maximal
