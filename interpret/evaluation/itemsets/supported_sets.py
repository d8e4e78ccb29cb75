"""The supported itemsets of each class, and which transactions and photos hold them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.mining import Mined
from interpret.mining.contrast import is_supported
from interpret.mining.relevance import classes_of

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Units = tuple[int, ...]

MAX_CELLS = 20_000_000
"""Transactions times itemsets (count) looked at together."""


@dataclass(frozen=True, eq=False)
class ClassSets:
    """The supported itemsets of one class.

    Attributes:
        class_id: the class, c.
        itemsets: I itemsets in canonical order, each by ascending unit.
        rules: (I,) int64, the row of each rule X -> c in ``mined.rules``.
        shared_by: S(X) of each: the classes in which it is frequent.
        units: (m,) int64, the units of all of them, ascending.
    """

    class_id: int
    itemsets: tuple[Units, ...]
    rules: Ints
    shared_by: tuple[tuple[int, ...], ...]
    units: Ints

    @property
    def sizes(self) -> Ints:
        """(I,) units in each itemset (count)."""
        return np.array([len(units) for units in self.itemsets], np.int64)


def supported_sets(mined: Mined) -> dict[int, ClassSets]:
    """The supported itemsets of each class that has any, by class id.

    An itemset is supported where all of its rules are, see :func:`interpret.mining.contrast.is_supported`.
    """
    rules = mined.rules
    supported = is_supported(rules).groupby(rules["itemset_id"]).transform("all").to_numpy(bool)
    itemset, class_id = rules["itemset_id"].to_numpy(np.int64), rules["class_id"].to_numpy(np.int64)
    units_of, shared_by = mined.units_of, classes_of(mined)
    found = {}
    for c in np.unique(class_id[supported]).tolist():
        rows = np.flatnonzero(supported & (class_id == c))
        ids = itemset[rows].tolist()
        itemsets = tuple(units_of[i] for i in ids)
        units = np.unique(np.fromiter((unit for units in itemsets for unit in units), np.int64))
        found[c] = ClassSets(c, itemsets, rows, tuple(shared_by[i] for i in ids), units)
    return found


def membership(ranked: npt.NDArray[np.integer], units: Ints) -> Bools:
    """(P, m) which of ``units`` (m, ascending) each transaction (P, N) holds; negative entries are padding."""
    held = np.zeros((len(ranked), len(units)), np.bool_)
    if not len(units):
        return held
    place = np.minimum(np.searchsorted(units, ranked), len(units) - 1)
    row, column = np.nonzero(units[place] == ranked)
    held[row, place[row, column]] = True
    return held


def indicator(itemsets: Sequence[Units], units: Ints) -> Bools:
    """(I, m) which of ``units`` (m, ascending) each itemset holds; its other units are disregarded."""
    marked = np.zeros((len(itemsets), len(units)), np.bool_)
    row = np.repeat(np.arange(len(itemsets)), [len(members) for members in itemsets])
    flat = np.fromiter((unit for members in itemsets for unit in members), np.int64, len(row))
    if len(units):
        place = np.minimum(np.searchsorted(units, flat), len(units) - 1)
        known = units[place] == flat
        marked[row[known], place[known]] = True
    return marked


def holds(member: Bools, marked: Bools) -> Bools:
    """(P, I) whether each transaction holds all units of each itemset.

    Args:
        member: (P, m), from :func:`membership`.
        marked: (I, m), from :func:`indicator`.
    """
    size = marked.sum(axis=1)
    found = np.empty((len(member), len(marked)), np.bool_)
    step = max(1, MAX_CELLS // max(1, len(member)))
    rows = member.astype(np.float32)
    for start in range(0, len(marked), step):
        part = slice(start, start + step)
        # sums of at most 512 ones: exact in float32
        found[:, part] = rows @ marked[part].T.astype(np.float32) == size[part]
    return found


def by_photo(held: npt.NDArray, photos: Ints) -> tuple[Ints, npt.NDArray[np.int64]]:
    """The photos of some transactions, ascending, and in how many transactions of each photo the columns are true.

    Args:
        held: (P, I) bool.
        photos: (P,) the photo of each transaction.

    Returns:
        (n,) ids and (n, I) counts.
    """
    ids, place = np.unique(photos, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(ids)))
    if not len(ids):
        return ids.astype(np.int64), np.zeros((0, held.shape[1]), np.int64)
    return ids.astype(np.int64), np.add.reduceat(held[order].astype(np.int64), starts, axis=0)
