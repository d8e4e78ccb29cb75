"""A set of itemsets that contains every subset of its members, level by level in canonical order."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Level:
    """The itemsets of one size, in the order (prefix, last unit): lexicographic by ascending unit.

    Attributes:
        parent: (m,) int64, number of the prefix in the level before; 0 at the first level.
        unit: (m,) int64, the last (largest) unit.
    """

    parent: Ints
    unit: Ints

    def __len__(self) -> int:
        return len(self.unit)


@dataclass(frozen=True, eq=False)
class Trie:
    """Itemsets by size, then lexicographic by ascending unit: the canonical order.

    Attributes:
        levels: level k holds the itemsets of k + 1 units; no level is empty.
        n_units: K, units of the layer (count).
        counts: (n,) int64, transactions of a database of one class that hold each itemset (count); None where they
            were not counted, or there are several classes.
    """

    levels: tuple[Level, ...]
    n_units: int
    counts: Ints | None = None

    def __len__(self) -> int:
        return sum(map(len, self.levels))

    def starts(self) -> list[int]:
        """The number of each level's first itemset in canonical order."""
        return [0, *np.cumsum([len(level) for level in self.levels])[:-1].tolist()] if self.levels else []

    def matrices(self) -> list[npt.NDArray[np.int32]]:
        """Per level (m, k) int32, the units of its itemsets, ascending."""
        made: list[npt.NDArray[np.int32]] = []
        for level in self.levels:
            last = level.unit.astype(np.int32)[:, None]
            made.append(np.hstack([made[-1][level.parent], last]) if made else last)
        return made

    def restricted(self, kept: npt.NDArray[np.bool_]) -> "Trie":
        """The itemsets that ``kept`` (n,) marks, in the same order; every prefix of one that is kept must be kept."""
        levels: list[Level] = []
        number = np.zeros(1, np.int64)
        for first, level in zip(self.starts(), self.levels, strict=True):
            own = kept[first : first + len(level)]
            at = np.flatnonzero(own)
            if not len(at):
                break
            levels.append(Level(number[level.parent[at]], level.unit[at]))
            number = np.cumsum(own) - 1
        return Trie(tuple(levels), self.n_units)

    def find(self, units: npt.NDArray[np.integer]) -> Ints:
        """Where itemsets of one size are.

        Args:
            units: (m, k) ascending units.

        Returns:
            (m,) int64, number within level k - 1, or -1 for an itemset that is not in the trie.
        """
        m, size = units.shape
        if not 0 < size <= len(self.levels):
            return np.full(m, -1, np.int64)
        at = np.zeros(m, np.int64)
        for level, column in zip(self.levels, units.T, strict=False):
            known = level.parent * self.n_units + level.unit
            wanted = at * self.n_units + column
            place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
            at = np.where((at >= 0) & (known[place] == wanted), place, -1)
        return at


def merge(levels: list[tuple[Ints, Ints]], n_units: int, counts: list[Ints] | None = None) -> Trie:
    """One trie of itemsets that searches found, each once, whatever order a search took the units in.

    Args:
        levels: per size, (m,) int64 place of an itemset in the list before (anything at the first size) and (m,) int64
            the unit that it has more; the same itemset may come several times. With every itemset all its subsets come.
        n_units: K (count).
        counts: per size the counts of all itemsets, where none comes twice; kept as the trie's.
    """
    levels = levels[: next((i for i, (_, unit) in enumerate(levels) if not len(unit)), len(levels))]
    none = np.zeros(0, np.int64)
    if all(_ascending(unit if i == 0 else parent * n_units + unit) for i, (parent, unit) in enumerate(levels)):
        made = [Level(parent if i else np.zeros_like(parent), unit) for i, (parent, unit) in enumerate(levels)]
        return Trie(tuple(made), n_units, None if counts is None else np.concatenate([none, *counts]))
    return _sorted(levels, n_units, counts)


def _ascending(keys: Ints) -> bool:
    return bool((keys[1:] > keys[:-1]).all())


def _sorted(levels: list[tuple[Ints, Ints]], n_units: int, counts: list[Ints] | None) -> Trie:
    """The trie of itemsets in any order; see :func:`merge`.

    An itemset's key is the number of a prefix in the trie, then the ranks of the next units, as many as find room.
    """
    units = np.unique(levels[0][1])
    rank = np.zeros(n_units, np.int32)
    rank[units] = np.arange(len(units))
    bits = max(1, (len(units) - 1).bit_length())
    room = max(1, (63 - max(len(unit) for _, unit in levels).bit_length()) // bits)
    made: list[Level] = []
    keys: list[Ints] = []  # ascending, of the itemsets of each size
    sorted_counts = [np.zeros(0, np.int64)]
    found = np.zeros((1, 0), np.int32)  # the ranks of each itemset in the order of the search
    for size, (parent, unit) in enumerate(levels, 1):
        last = rank[unit][:, None]
        found = np.hstack([found[parent], last]) if made else last
        ranks = np.sort(found, axis=1)
        key = np.zeros(len(unit), np.int64)
        for at in range(size):
            if at and at % room == 0:
                key = np.searchsorted(keys[at - 1], key)
            key = (key << bits) | ranks[:, at]
        if counts is not None:
            order = np.argsort(key)
            key = key[order]
            sorted_counts.append(counts[size - 1][order])
        else:
            key.sort()
            key = key[np.concatenate([[True], key[1:] != key[:-1]])]
        prefix = key >> bits  # of a new run of units it is the prefix's number itself
        made.append(Level(prefix if (size - 1) % room == 0 else np.searchsorted(keys[-1], prefix),
                          units[key & ((1 << bits) - 1)]))  # fmt: skip
        keys.append(key)
    return Trie(tuple(made), n_units, None if counts is None else np.concatenate(sorted_counts))


def from_matrices(matrices: list[npt.NDArray[np.integer]], n_units: int) -> Trie:
    """A trie of all itemsets in ``matrices`` (one (m, k) array of ascending units per size k = 1, 2, ...).

    Every prefix of an itemset must be in the matrix of its size.
    """
    made: list[Level] = []
    for size, units in enumerate(matrices, 1):
        if not len(units):
            break
        held = Trie(tuple(made), n_units)
        prefix = held.find(units[:, :-1]) if size > 1 else np.zeros(len(units), np.int64)
        keys = np.sort(prefix * n_units + units[:, -1])
        keys = keys[np.concatenate([[True], keys[1:] != keys[:-1]])]
        made.append(Level(keys // n_units, keys % n_units))
    return Trie(tuple(made), n_units)
