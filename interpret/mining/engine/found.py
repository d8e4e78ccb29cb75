"""The itemsets that a search has found so far, whichever engine found them."""

from dataclasses import dataclass, field, replace

import numpy as np

from interpret.mining.engine.limits import Limits
from interpret.mining.engine.trie import Ints, Trie, merge


@dataclass(eq=False)
class Found:
    """Itemsets class after class: per size the place of one of a unit less, the unit more and the count.

    Attributes:
        n_units: K (count).
        limits: the number of different itemsets allowed.
        one_class: whether the database has one class only, so that no itemset is found twice.
    """

    n_units: int
    limits: Limits
    one_class: bool
    _parents: list[list[Ints]] = field(default_factory=list)
    _units: list[list[Ints]] = field(default_factory=list)
    _counts: list[list[Ints]] = field(default_factory=list)
    _sizes: list[int] = field(default_factory=list)
    _check_at: int = 0

    def __post_init__(self) -> None:
        self._check_at = self.limits.max_itemsets

    def add(self, size: int, parent: Ints, unit: Ints, count: Ints) -> int:
        """Note itemsets of ``size`` units and return the place of the first.

        Args:
            size: units in each of them (count).
            parent: (m,) place of an itemset of one unit less among those of its size; anything for single units.
            unit: (m,) the unit that each has more.
            count: (m,) transactions of the class that hold it.

        Raises:
            TooManyItemsets: where more than ``limits.max_itemsets`` different ones were found.
        """
        while len(self._units) < size:
            self._units.append([])
            self._parents.append([])
            self._counts.append([])
            self._sizes.append(0)
        place = self._sizes[size - 1]
        self._units[size - 1].append(unit)
        self._parents[size - 1].append(parent)
        self._counts[size - 1].append(count)
        self._sizes[size - 1] += len(unit)
        total = sum(self._sizes)
        if total > self._check_at:
            # Several classes may have found the same itemset, so the distinct ones are counted, which takes a while;
            # it is done again only once enough more have come.
            distinct = total if self.one_class else len(self.trie())
            self.limits.check_count(distinct)
            most = self.limits.max_itemsets
            self._check_at = total + max(most - distinct, most // 8)
        return place

    def copy(self) -> "Found":
        """What was found so far, to which more can be added apart from this."""
        made = replace(self)
        made._parents, made._units, made._counts = (
            [list(parts) for parts in lists] for lists in (self._parents, self._units, self._counts)
        )
        made._sizes, made._check_at = list(self._sizes), self._check_at
        return made

    def trie(self) -> Trie:
        """Every itemset found, once."""
        levels = [(np.concatenate(p), np.concatenate(u)) for p, u in zip(self._parents, self._units, strict=True)]
        counts = [np.concatenate(parts) for parts in self._counts] if self.one_class else None
        return merge(levels, self.n_units, counts)
