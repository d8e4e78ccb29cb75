"""Eclat on bitsets: an itemset's transactions are one bit each, 64 in a word, and joining two itemsets is one AND.

The itemsets of a level are joined many at a time, each with its later siblings, as on tid-lists
(:mod:`interpret.mining.engine.join`); a run of them goes down to its largest itemset before the next run begins, so
that memory stays bounded by ``_HELD`` words a level. Transactions that are equal in the units that count are kept
once, as often as their number has binary digits: in dense data that leaves a fraction of the words.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.mining.engine.found import Found
from interpret.mining.engine.layout import Ints, Layout, within

Words = npt.NDArray[np.uint64]

_WORDS = 1 << 13
"""Words joined at once (count): what stays in a cache, and fewer than a matrix library shares among threads."""

_HELD = 1 << 20
"""Words of a level's itemsets that are kept at once (count): 8 MiB; a single itemset's extensions may take more."""

_PAIRS = 1 << 18
"""Pairs of siblings that are numbered at once (count)."""

_CELLS = 1 << 22
"""Cells of a table of items and transactions that is packed at once (bytes)."""


@dataclass(frozen=True, eq=False)
class Items:
    """The frequent units of some classes, one item for each unit of each class, by class.

    Within a class they come in the order of the search: an itemset is joined with its later siblings.

    Attributes:
        labels: (B,) int64, the classes, indices into the layout's ``class_ids``.
        label: (m,) int64, which of ``labels`` each item is of, ascending.
        unit: (m,) int64, its unit.
        count: (m,) int64, transactions of the class that hold it (count).
        least: (B,) int64, the threshold of each class (count).
    """

    labels: Ints
    label: Ints
    unit: Ints
    count: Ints
    least: Ints


@dataclass(frozen=True, eq=False)
class _Level:
    """Itemsets of one size.

    ``bits`` (m, W) their transactions, ``unit`` (m,) the unit joined last, ``end`` (m,) one past the last sibling,
    ``least`` (m,) the threshold of the class, ``place`` where the first stands among all that were found of this size.
    """

    bits: Words
    unit: Ints
    end: Ints
    least: Ints
    place: int


def words_for(rows: int) -> int:
    """Words that hold a bit for each of so many transactions (count)."""
    return max(1, -(-rows // 64))


def search(layout: Layout, items: Items, found: Found) -> None:
    """Find every itemset of frequent units that is frequent in its class.

    Args:
        layout: the transactions.
        items: the classes to search and their frequent units; the classes should be of like size, since all take the
            words of the largest.
        found: takes what is found, and says when to stop.

    Raises:
        TooManyItemsets: see :class:`Found`.
        OutOfTime: where the deadline of ``found.limits`` has passed.
    """
    sizes = layout.class_sizes[items.labels]
    if len(items.labels) == 1 and len(items.unit) <= 64:
        bits, times = _distinct(layout, items)
    else:
        bits = _by_row(layout, items, int(sizes.max()))
        times = np.ones(bits.shape[1], np.int64)
    # Sums of 32-bit floats are exact up to 2**24, and summing them is a product with a vector, which libraries do best.
    weight = times.astype(np.float64)
    if sizes.max() < 1 << 24:
        weight = weight.astype(np.float32)
    place = found.add(1, np.zeros(len(items.unit), np.int64), items.unit, items.count)
    ends = np.searchsorted(items.label, items.label, side="right")
    _Search(found, weight).grow(_Level(bits, items.unit, ends, items.least[items.label], place), 1)


class _Search:
    """One search; ``weight`` (W,) says how many transactions a bit of each word stands for."""

    def __init__(self, found: Found, weight: npt.NDArray[np.float64] | npt.NDArray[np.float32]) -> None:
        self.found, self.limits, self.weight = found, found.limits, weight
        width = len(weight)
        self.step = max(1, _WORDS // width)  # itemsets joined at once
        self.left = np.empty((self.step, width), np.uint64)
        self.right = np.empty((self.step, width), np.uint64)
        self.ones = np.empty((self.step, width), np.uint8)
        # Zeros: a product of its first rows may load later ones too, and garbage there could raise a warning.
        self.numbers = np.zeros((self.step, width), weight.dtype)

    def grow(self, level: _Level, size: int) -> None:
        """Search the supersets of a level's itemsets, those of a run of itemsets at a time."""
        m = len(level.unit)
        if size == self.limits.max_size or m < 2:
            return
        later = level.end - np.arange(1, m + 1)
        done = np.cumsum(later)
        most = min(_PAIRS, max(1, _HELD // len(self.weight)))
        lo = 0
        while lo < m:
            before = int(done[lo - 1]) if lo else 0
            hi = max(lo + 1, int(np.searchsorted(done, before + most, side="right")))
            if done[hi - 1] > before:
                below = self._join(level, lo, later[lo:hi], size)
                if below is not None:
                    self.grow(below, size + 1)
            lo = hi

    def _join(self, level: _Level, first: int, later: Ints, size: int) -> _Level | None:
        """The frequent supersets, of one unit more, of the itemsets from ``first`` on; None where the search ends."""
        owner = np.arange(first, first + len(later)).repeat(later)
        second = owner + 1 + within(later)
        least = level.least[owner] if level.least[0] != level.least[-1] else level.least[:1]
        last = size + 1 == self.limits.max_size
        kept, counts, bits = [], [], []
        for lo in range(0, len(owner), self.step):
            self.limits.check_time()
            part = slice(lo, lo + self.step)
            n = len(owner[part])
            # "clip" spares a copy: every place is in range.
            left = np.take(level.bits, owner[part], axis=0, out=self.left[:n], mode="clip")
            left &= np.take(level.bits, second[part], axis=0, out=self.right[:n], mode="clip")
            ones = np.bitwise_count(left, out=self.ones[:n])
            count = self._sum(ones)
            reached = np.flatnonzero(count >= (least if len(least) == 1 else least[part]))
            kept.append(reached + lo)
            counts.append(count[reached])
            if not last:
                bits.append(left[reached])
        at = np.concatenate(kept)
        if not len(at):
            return None
        owner, unit = owner[at], level.unit[second[at]]
        place = self.found.add(size + 1, owner + level.place, unit, np.concatenate(counts).astype(np.int64))
        if last:
            return None
        ends = np.searchsorted(owner, owner, side="right")
        return _Level(np.concatenate(bits), unit, ends, level.least[owner], place)

    def _sum(self, ones: npt.NDArray[np.uint8]) -> npt.NDArray:
        """(n,) transactions, from the bits (n, W) that are set in each word."""
        if ones.shape[1] == 1:
            return ones[:, 0] if self.weight[0] == 1 else ones[:, 0] * self.weight[0]
        numbers = self.numbers[: len(ones)]
        numbers[:] = ones
        with np.errstate(invalid="ignore"):  # of small whole numbers none is: what OpenBLAS loads beside them may be
            return numbers @ self.weight


def _by_row(layout: Layout, items: Items, largest: int) -> Words:
    """(m, W) bits of every item, one for each transaction of its class in order."""
    m, n_units = len(items.unit), layout.n_units
    starts, edges = layout.class_starts[items.labels], layout.class_starts[items.labels + 1]
    width = words_for(largest)
    bits = np.zeros((m, width), np.uint64)
    if len(items.labels) == 1:
        number = np.full(n_units, -1, np.int32)
        number[items.unit] = np.arange(m)
        rows = max(64, _CELLS // m // 64 * 64)
        for lo in range(starts[0], edges[0], rows):
            held = _table(layout, number, m, lo, min(lo + rows, int(edges[0])), rows_first=False)
            word = (lo - starts[0]) // 64
            bits[:, word : word + held.shape[1] // 64] = np.packbits(held, axis=1, bitorder="little").view(np.uint64)
        return bits
    # All classes in one table, by the place of each unit of a class among the items.
    place = np.full(len(items.labels) * n_units, -1, np.int64)
    place[items.label * n_units + items.unit] = np.arange(m) * (64 * width)
    sizes = edges - starts
    row = starts.repeat(sizes) + within(sizes)  # of all classes, one after the other
    n_held = layout.row_starts[row + 1] - layout.row_starts[row]
    unit = layout.units[layout.row_starts[row].repeat(n_held) + within(n_held)]
    cell = place[(np.arange(len(sizes)) * n_units).repeat(sizes).repeat(n_held) + unit]
    kept = np.flatnonzero(cell >= 0)
    held = np.zeros(m * 64 * width, np.bool_)
    held[cell[kept] + within(sizes).repeat(n_held)[kept]] = True
    return np.packbits(held.reshape(m, -1), axis=1, bitorder="little").view(np.uint64)


def _table(layout: Layout, number: npt.NDArray[np.int32], m: int, lo: int, hi: int, *, rows_first: bool) -> npt.NDArray:
    """Which of ``m`` numbered items rows lo..hi-1 hold: bool (rows, 64), or (m, rows) with rows up to whole words."""
    edges = layout.row_starts[lo : hi + 1]
    node = number[layout.units[edges[0] : edges[-1]]]
    row = np.arange(hi - lo).repeat(np.diff(edges))
    kept = np.flatnonzero(node >= 0)
    if len(kept) < len(node):
        node, row = node[kept], row[kept]
    rows = 64 * words_for(hi - lo)
    if rows_first:
        held = np.zeros((hi - lo) * 64, np.bool_)
        held[row * 64 + node] = True
        return held.reshape(-1, 64)
    held = np.zeros(m * rows, np.bool_)
    held[node.astype(np.int64) * rows + row] = True
    return held.reshape(m, rows)


def _distinct(layout: Layout, items: Items) -> tuple[Words, Ints]:
    """(m, W) bits of at most 64 items of one class, and (W,) how many transactions a bit of each word stands for.

    Equal transactions come once for each binary digit of their number, in the words of that digit. Where that takes
    no fewer words, each transaction has a bit of its own.
    """
    starts, label, m = layout.class_starts, int(items.labels[0]), len(items.unit)
    number = np.full(layout.n_units, -1, np.int32)
    number[items.unit] = np.arange(m)
    rows: list[Words] = []
    for lo in range(starts[label], starts[label + 1], _CELLS // 64):
        hi = min(lo + _CELLS // 64, int(starts[label + 1]))
        held = _table(layout, number, m, lo, hi, rows_first=True)
        rows.append(np.packbits(held, axis=1, bitorder="little").view(np.uint64)[:, 0])
    row = np.concatenate(rows)
    different, times = np.unique(row, return_counts=True)
    digits = range(int(times.max()).bit_length())
    planes = [np.flatnonzero(times >> digit & 1) for digit in digits]
    words = sum(-(-len(plane) // 64) for plane in planes)
    if words >= words_for(len(row)):
        return _turned(row, m), np.ones(words_for(len(row)), np.int64)
    bits = np.concatenate([_turned(different[plane], m) for plane in planes if len(plane)], axis=1)
    weight = np.concatenate([np.full(-(-len(p) // 64), 1 << d) for d, p in zip(digits, planes, strict=True)])
    return bits, weight


def _turned(rows: Words, m: int) -> Words:
    """(m, words) bits of items by row, from the (n,) items of each row, the first ``m`` bits of a word."""
    bits = np.zeros((m, words_for(len(rows))), np.uint64)
    for lo in range(0, len(rows), _CELLS // 64):
        part = rows[lo : lo + _CELLS // 64]
        held = np.zeros((64 * words_for(len(part)), 64), np.bool_)
        held[: len(part)] = np.unpackbits(part.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
        packed = np.packbits(np.ascontiguousarray(held.T[:m]), axis=1, bitorder="little").view(np.uint64)
        bits[:, lo // 64 : lo // 64 + packed.shape[1]] = packed
    return bits
