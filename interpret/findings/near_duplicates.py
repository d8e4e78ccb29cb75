"""Near-duplicates: itemsets that nearly the same patches hold, which a list folds into one row.

Two itemsets are near-duplicates if the Jaccard similarity of the sets of patches that hold them is :data:`ALIKE` or
more: patches that hold both, over patches that hold either. This is the distance between patterns of Xin, Han, Yan and
Cheng (Mining Compressed Frequent-Pattern Sets, VLDB 2005), whose clusters have a representative within that distance of
each member. Here the representative is the member that the list puts first.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from interpret.findings.findings import Findings
from interpret.findings.rows import Units

Ints = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]

ALIKE = Fraction(7, 10)
"""Jaccard similarity from which two itemsets are near-duplicates."""


@dataclass(frozen=True, eq=False)
class Folded:
    """A list of itemsets, folded.

    Attributes:
        itemset_ids: the list.
        into: (m,) for each entry the position of its representative, itself included.
    """

    itemset_ids: tuple[int, ...]
    into: Ints

    def __post_init__(self) -> None:
        self.into.setflags(write=False)

    @property
    def representatives(self) -> list[int]:
        """Their positions, ascending."""
        found: list[int] = np.flatnonzero(self.into == np.arange(len(self.into))).tolist()
        return found

    def members(self, position: int) -> list[int]:
        """Positions of all that have the representative of an entry, itself included, ascending."""
        found: list[int] = np.flatnonzero(self.into == self.into[position]).tolist()
        return found


def fold(findings: Findings, itemset_ids: Sequence[int], class_id: int | None = None) -> Folded:
    """The near-duplicates in a list of itemsets.

    From the top of the list down, each itemset that is not folded yet is the representative of all below it that are
    its near-duplicates and not folded yet.

    Args:
        findings: where the itemsets are from.
        itemset_ids: the list, the best first.
        class_id: all are compared by the patches of photos predicted as this class. If None, only itemsets that are
            frequent in the same classes are compared, by these classes' patches.
    """
    ids = tuple(int(key) for key in itemset_ids)
    groups: dict[tuple[int, ...], list[int]] = {}
    for position, key in enumerate(ids):
        classes = (class_id,) if class_id is not None else tuple(sorted(findings.classes_of[key]))
        groups.setdefault(classes, []).append(position)
    into = np.arange(len(ids))
    for classes, positions in groups.items():
        if len(positions) > 1:
            held = holding_patches(findings, [findings.units_of[ids[position]] for position in positions], classes)
            into[positions] = np.array(positions)[leaders(held)]
    return Folded(ids, into)


def holding_patches(findings: Findings, itemsets: Sequence[Units], class_ids: Sequence[int]) -> Bits:
    """(m, bytes) which patches of photos predicted as some classes hold each itemset, a bit each.

    Args:
        findings: whose transactions the patches have.
        itemsets: m, of a unit or more.
        class_ids: the classes.
    """
    units, _ = findings.transactions
    units = units[np.isin(findings.study.patches["predicted"].to_numpy(), class_ids)]
    used = np.unique([unit for each in itemsets for unit in each])
    place = np.searchsorted(used, units).clip(0, len(used) - 1)
    known = used[place] == units
    member = np.zeros((len(used), len(units)), np.bool_)
    member[place[known], np.nonzero(known)[0]] = True
    of_unit = np.packbits(member, axis=1)
    held = np.zeros((len(itemsets), of_unit.shape[1]), np.uint8)
    for row, each in enumerate(itemsets):
        held[row] = np.bitwise_and.reduce(of_unit[np.searchsorted(used, each)], axis=0)
    return held


def leaders(held: Bits, alike: Fraction = ALIKE) -> Ints:
    """(m,) for each of m sets the first one, from the top down, that leads and is at least so similar; else itself.

    Args:
        held: (m, bytes) the sets, a bit for each thing.
        alike: the least Jaccard similarity, compared exactly. Two empty sets are alike.
    """
    wide = np.pad(held, ((0, 0), (0, -held.shape[1] % 8))).view(np.uint64)
    count = np.bitwise_count(wide).sum(axis=1, dtype=np.int64)
    into, rest = np.arange(len(held)), np.arange(len(held))
    while len(rest) > 1:
        first, rest = rest[0], rest[1:]
        # Sets of too different sizes can't be alike, which spares looking into them.
        low, high = np.minimum(count[rest], count[first]), np.maximum(count[rest], count[first])
        near = np.flatnonzero(low * alike.denominator >= high * alike.numerator)
        both = np.bitwise_count(wide[rest[near]] & wide[first]).sum(axis=1, dtype=np.int64)
        either = count[rest[near]] + count[first] - both
        near = near[both * alike.denominator >= either * alike.numerator]
        into[rest[near]] = first
        rest = np.delete(rest, near)
    return into


def core(itemsets: Sequence[Units]) -> Units:
    """The units that itemsets have in common; where there is none the unit that most of them hold, the lower of two."""
    common = set(itemsets[0]).intersection(*itemsets[1:])
    if common:
        return tuple(sorted(common))
    counted = Counter(unit for units in itemsets for unit in units)
    return (min(counted, key=lambda unit: (-counted[unit], unit)),)
