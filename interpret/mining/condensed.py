"""Closed and maximal itemsets, and redundant rules: what decides which itemsets are listed, never what they mean.

An itemset is *closed* if no proper superset has the same count, and *maximal* if no proper superset is frequent:
within one class (:func:`by_class`), or over all classes in which it is frequent (:func:`over_classes`). A rule X -> c
is *redundant* if a proper subset of X predicts c with at least its confidence (:func:`redundant`).

Support never rises from an itemset to a superset, so only supersets of one unit more have to be compared.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.mining.itemsets import Mined

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Condensed:
    """Which itemsets stand for others.

    Attributes:
        closed: (m,) bool, no proper superset has the same count.
        maximal: (m,) bool, no proper superset is frequent.
    """

    closed: Bools
    maximal: Bools


def by_class(mined: Mined) -> Condensed:
    """Closed and maximal within each class; one value per row of ``Mined.rules``."""
    kept = np.flatnonzero(mined.frequent)
    count = mined.patches[kept]
    closed, maximal = np.ones(len(kept), np.bool_), np.ones(len(kept), np.bool_)
    for subset, superset in _rule_pairs(mined, kept):
        maximal[subset] = False
        closed[subset[count[subset] == count[superset]]] = False
    return Condensed(closed, maximal)


def over_classes(mined: Mined, classes: Sequence[int] | Ints | None = None) -> Condensed:
    """Closed and maximal over the classes that share an itemset; one value per itemset.

    Only itemsets that are frequent in the same classes are compared. Closed means that no proper superset has the same
    count in every one of these classes; maximal, that no proper superset is frequent in all of them.

    Args:
        mined: the itemsets.
        classes: class ids; others are disregarded. All classes if None.
    """
    kept = np.flatnonzero(mined.frequent)
    counted = np.ones(len(kept), np.bool_) if classes is None else np.isin(mined.class_id[kept], classes)
    itemset, count = mined.itemset[kept], mined.patches[kept]
    n_classes = np.bincount(itemset[counted], minlength=len(mined))
    closed, maximal = np.ones(len(mined), np.bool_), np.ones(len(mined), np.bool_)
    for subset, superset in _rule_pairs(mined, kept):
        rows = counted[superset]
        below, above = subset[rows], superset[rows]
        same = count[below] == count[above]
        # The rows of a superset, one for each of its classes, follow one another.
        first = np.flatnonzero(np.diff(itemset[above], prepend=-1))
        if not len(first):
            continue
        equal = np.add.reduceat(same.astype(np.int64), first)
        below, above = itemset[below[first]], itemset[above[first]]
        # A superset is frequent in some of the subset's classes; where it is in as many, it is in the same ones.
        alike = n_classes[below] == n_classes[above]
        maximal[below[alike]] = False
        closed[below[alike & (equal == n_classes[above])]] = False
    return Condensed(closed, maximal)


def redundant(mined: Mined, among: Bools | None = None) -> Bools:
    """Whether a proper subset of a rule's itemset predicts its class with at least its confidence.

    Args:
        mined: the itemsets.
        among: (rows of ``Mined.rules``,) bool. Only these rules are judged, and only they make others redundant; all
            if None. A closed itemset stands for smaller ones with the same patches: where only closed itemsets are
            listed, such a smaller one must not hide it, or neither would be listed.

    Returns:
        (rows of ``Mined.rules``,) bool.
    """
    kept = np.flatnonzero(mined.frequent)
    # Equal fractions of integers below 2**26 are equal as floats, and different ones differ.
    confidence = mined.patches[kept] / mined.all_patches[mined.itemset[kept]]
    offered = confidence if among is None else np.where(among, confidence, 0.0)
    best = np.zeros(len(kept))  # the largest confidence that a proper subset offers
    for subset, superset in _rule_pairs(mined, kept):
        np.maximum.at(best, superset, np.maximum(best[subset], offered[subset]))
    return (best >= confidence) if among is None else (best >= confidence) & among


def _pairs(mined: Mined) -> Iterator[tuple[Ints, Ints]]:
    """Numbers of an itemset and of one with one unit more, (subset, superset), small supersets first.

    A superset comes at most once in each pair of arrays, in ascending order.
    """
    trie = mined.trie(int(mined.unit_values.max(initial=0)) + 1)
    starts = trie.starts()
    for size, units in enumerate(trie.matrices()[1:], 2):
        superset = np.arange(len(units)) + starts[size - 1]
        for left_out in range(size):
            yield trie.find(np.delete(units, left_out, axis=1)) + starts[size - 2], superset


def _rule_pairs(mined: Mined, kept: Ints) -> Iterator[tuple[Ints, Ints]]:
    """The same for rules of one class, for each class in which the superset is frequent.

    Args:
        mined: the itemsets.
        kept: entries of ``mined.itemset`` that are rules.

    Yields:
        Rows of ``Mined.rules``, of the subset and of the superset; those of a superset follow one another.
    """
    itemset, label = mined.itemset[kept], mined.label[kept]
    n_classes = len(mined.class_ids)
    keys = itemset * n_classes + label
    starts = np.searchsorted(itemset, np.arange(len(mined) + 1))
    for subset, superset in _pairs(mined):
        n = starts[superset + 1] - starts[superset]
        rows = np.repeat(starts[superset] - (np.cumsum(n) - n), n) + np.arange(n.sum())
        # The subset is frequent in every class in which the superset is: its row is always there.
        yield np.searchsorted(keys, np.repeat(subset, n) * n_classes + label[rows]), rows
