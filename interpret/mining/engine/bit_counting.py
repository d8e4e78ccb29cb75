"""Counting on bitsets: each itemset in every class, by patches and by photos.

A block of rows is a few words for each itemset: those of a class stand together, and within it the first patches of all
photos, then the second patches of those that have one, and so on, photos of many patches first. So the photos of an
itemset are the OR of these runs, each laid over the beginning of the first.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.mining.engine.layout import Ints, Layout, within
from interpret.mining.engine.limits import Limits
from interpret.mining.engine.trie import Trie

Words = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]
Part = tuple[npt.NDArray[np.integer], ...]

_WORDS = 1 << 14
"""Words joined at once (count): what stays in a cache."""

_HELD = 1 << 22
"""Words of a level's itemsets that are kept at once (count): 32 MiB."""

_BLOCK = 1 << 6
"""Words of a block at most (count): an itemset that does not occur in a block is not followed there."""

_CELLS = 1 << 24
"""Cells of a table of units and transactions that is packed at once (bytes)."""

_SAMPLE = 256
"""Rows that an estimate of the occurrences looks at (count)."""

_CHEAP = 5e6
"""Counting on bitsets that costs no more (ns) is not worth an estimate."""

_ITEMSET, _WORD, _OCCURRENCE = 25.0, 3.0, 25.0
"""What counting costs (ns, measured): for each itemset and block and for each of its words on bitsets; for each
occurrence of an itemset on tid-lists."""


@dataclass(frozen=True, eq=False)
class _Block:
    """Rows as bits.

    A *piece* is the rows of a class, or some of a large one; a *run* those rows of a piece that are the first, or the
    second, ... patch of their photo.

    Attributes:
        first: the first row.
        row_bit: (rows,) int64, each row's bit, 64 to a word.
        label: (pieces,) int64, the class of each piece.
        run_start: (runs + 1,) int64, the first word of each run, first patches of all pieces before second ones; and
            how many words there are.
        run_rank: (runs,) int64, 0 for first patches, 1 for second ones, ...; ascending.
        run_piece: (runs,) int64, ascending within a rank.
    """

    first: int
    row_bit: Ints
    label: Ints
    run_start: Ints
    run_rank: Ints
    run_piece: Ints


def seconds_on_tids(trie: Trie, layout: Layout) -> float:
    """How long tid-lists should take the CPU (seconds), estimated from a sample of rows; 0 where bitsets are faster."""
    if not len(trie) or not len(layout):
        return 0.0
    words = int((-(-layout.class_sizes // 64)).sum())
    blocks = 1 + words // _most_words(trie)
    cost = len(trie) * (blocks * _ITEMSET + words * _WORD)
    if cost < _CHEAP:
        return 0.0
    rows = np.linspace(0, len(layout) - 1, min(_SAMPLE, len(layout)), dtype=np.int64)
    starts = layout.row_starts
    lengths = starts[rows + 1] - starts[rows]
    units = layout.units[starts[rows].repeat(lengths) + within(lengths)]
    occurrences = 0

    def visit(itemsets: Ints, bits: Words) -> Flags:
        nonlocal occurrences
        ones = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
        occurrences += int(ones.sum())
        return ones > 0

    _walk(trie, _packed(trie, units, np.arange(len(rows)).repeat(lengths), -(-len(rows) // 64)), visit)
    on_tids = occurrences / len(rows) * len(layout) * _OCCURRENCE
    return 0.0 if cost < on_tids else 1e-9 * on_tids


def parts(trie: Trie, layout: Layout, limits: Limits) -> Iterator[Part]:
    """Yield itemset, label, patches and photos of pairs of an itemset and a class; a pair may come several times.

    Args:
        trie: the itemsets.
        layout: the transactions.
        limits: when to stop; only the time matters here.

    Raises:
        OutOfTime: where ``limits.deadline`` has passed.
    """
    if not len(trie) or not len(layout):
        return
    for block in _blocks(layout, _most_words(trie)):
        limits.check_time()
        edges = layout.row_starts[block.first : block.first + len(block.row_bit) + 1]
        units = layout.units[edges[0] : edges[-1]]
        bits_of_units = _packed(trie, units, block.row_bit.repeat(np.diff(edges)), int(block.run_start[-1]))
        counter = _Counter(block)
        found: list[Part] = []

        def visit(itemsets: Ints, bits: Words, counter: _Counter = counter, label: Ints = block.label) -> Flags:
            limits.check_time()
            patches, photos = counter.count(bits)
            at, piece = np.nonzero(patches)
            found.append((itemsets[at], label[piece], patches[at, piece], photos[at, piece]))  # noqa: B023
            occurs = np.zeros(len(bits), np.bool_)
            occurs[at] = True
            return occurs

        _walk(trie, bits_of_units, visit)
        yield from found


class _Counter:
    """Counts the bits of a block."""

    def __init__(self, block: _Block) -> None:
        self.starts = block.run_start[:-1]
        self.n_pieces = len(block.label)
        self.n_firsts = int(block.run_start[self.n_pieces])
        # For second, third, ... patches: their pieces, runs and words, and the words of their photos' first patches.
        self.later: list[tuple[Ints, slice, slice, Ints]] = []
        ranks = np.searchsorted(block.run_rank, np.arange(1, int(block.run_rank[-1]) + 2))
        for lo, hi in itertools.pairwise(ranks.tolist()):
            pieces, n_words = block.run_piece[lo:hi], np.diff(block.run_start[lo : hi + 1])
            firsts = self.starts[pieces].repeat(n_words) + within(n_words)
            words = slice(int(block.run_start[lo]), int(block.run_start[hi]))
            self.later.append((pieces, slice(lo, hi), words, firsts))

    def count(self, bits: Words) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
        """(m, pieces) patches and photos from the bits (m, W) of m itemsets."""
        sums = _sums(np.bitwise_count(bits), self.starts)
        if not self.later:
            return sums, sums
        patches = sums[:, : self.n_pieces].astype(np.int32)
        photos = bits[:, : self.n_firsts].copy()
        for pieces, runs, words, firsts in self.later:
            patches[:, pieces] += sums[:, runs]
            photos[:, firsts] |= bits[:, words]
        return patches, _sums(np.bitwise_count(photos), self.starts[: self.n_pieces])


def _sums(ones: npt.NDArray[np.uint8], starts: Ints) -> npt.NDArray[np.integer]:
    """(m, pieces) sums of ``ones`` (m, W) over the words of each piece."""
    return ones if len(starts) == ones.shape[1] else np.add.reduceat(ones, starts, axis=1, dtype=np.int32)


def _walk(trie: Trie, units: Words, visit: Callable[[Ints, Words], Flags]) -> None:
    """Visit the itemsets whose prefix occurs, level by level, a part at a time.

    Args:
        trie: the itemsets.
        units: (U, W) bits of the single units.
        visit: given the numbers (m,) of itemsets and their bits (m, W), says (m,) which of them occur.
    """
    step = max(1, _WORDS // units.shape[1])
    nodes, place = np.arange(len(units)), np.zeros(0, np.int64)
    bits = units
    for first, level, below in zip(trie.starts(), trie.levels, [*trie.levels[1:], None], strict=True):
        if first:
            parent = place[level.parent]
            nodes = np.flatnonzero(parent >= 0)
            parent, single = parent[nodes], np.searchsorted(trie.levels[0].unit, level.unit[nodes])
        wanted = np.zeros(len(level), np.bool_)
        if below is not None:
            wanted[below.parent] = True
        kept: list[Ints] = [np.zeros(0, np.int64)]
        kept_bits: list[Words] = [units[:0]]
        for at in range(0, len(nodes), step):
            part = nodes[at : at + step]
            here = bits[at : at + step]
            if first:
                here = np.take(bits, parent[at : at + step], axis=0)
                here &= np.take(units, single[at : at + step], axis=0)
            going_on = np.flatnonzero(visit(part + first, here) & wanted[part])
            if len(going_on):
                kept.append(part[going_on])
                kept_bits.append(here[going_on])
        parents, bits = np.concatenate(kept), np.concatenate(kept_bits)
        if not len(parents):
            return
        place = np.full(len(level), -1)
        place[parents] = np.arange(len(parents))


def _most_words(trie: Trie) -> int:
    """Words of a block, so that a level of itemsets and the table of units stay within their bounds (count)."""
    return max(1, min(_BLOCK, _HELD // max(map(len, trie.levels)), _CELLS // 64 // len(trie.levels[0])))


def _packed(trie: Trie, units: npt.NDArray[np.int32], bit: Ints, words: int) -> Words:
    """(U, words) bits of the trie's single units, from ``units`` (n,) and the bit (n,) of each one's row."""
    number = np.full(trie.n_units, -1, np.int64)
    number[trie.levels[0].unit] = np.arange(len(trie.levels[0])) * (64 * words)
    item = number[units]
    held = np.zeros(len(trie.levels[0]) * 64 * words, np.bool_)
    kept = item >= 0
    held[item[kept] + bit[kept]] = True
    return np.packbits(held.reshape(-1, 64 * words), axis=1, bitorder="little").view(np.uint64)


def _blocks(layout: Layout, most: int) -> Iterator[_Block]:
    """A layout in blocks of at most ``most`` words, or of one piece of at most as many rows, or of one photo."""
    photo = layout.row_photo
    ends = [layout.class_starts]
    for lo, hi in itertools.pairwise(layout.class_starts.tolist()):
        if hi - lo > 64 * most:  # a piece ends after the photo in which the wanted place lies
            wanted = np.arange(lo + 64 * most, hi, 64 * most)
            ends.append(np.searchsorted(photo, photo[wanted], side="right"))
    edges = np.unique(np.concatenate(ends))
    photo_row = np.flatnonzero(np.diff(photo, prepend=-1))  # the first row of each photo
    patches = np.diff(photo_row, append=len(photo))
    piece_of_photo = np.searchsorted(edges, photo_row, side="right") - 1
    photo_edges = np.searchsorted(photo_row, edges)
    order = np.lexsort((-patches, piece_of_photo))
    place = np.empty(len(photo_row), np.int64)  # within its piece, photos of many patches first
    place[order] = np.arange(len(order)) - photo_edges[piece_of_photo[order]]
    n_runs = np.maximum.reduceat(patches, photo_edges[:-1])  # of each piece
    first_run = np.cumsum(n_runs) - n_runs
    rank = within(patches)
    run = first_run[piece_of_photo].repeat(patches) + rank
    n_words = -(-np.bincount(run) // 64)  # of each run
    words = np.cumsum(np.add.reduceat(n_words, first_run))  # up to the end of each piece
    run_piece, run_rank = np.arange(len(n_runs)).repeat(n_runs), within(n_runs)
    at = 0
    while at < len(words):
        before = int(words[at - 1]) if at else 0
        until = max(at + 1, int(np.searchsorted(words, before + most, side="right")))
        first, last = int(edges[at]), int(edges[until])
        lo, hi = int(first_run[at]), int(first_run[until - 1] + n_runs[until - 1])
        by_rank = np.lexsort((run_piece[lo:hi], run_rank[lo:hi]))
        run_start = np.concatenate([[0], np.cumsum(n_words[lo:hi][by_rank])])
        start_of_run = np.empty(hi - lo, np.int64)
        start_of_run[by_rank] = run_start[:-1]
        row_photo = photo[first:last]
        row_bit = 64 * start_of_run[run[first:last] - lo] + place[row_photo]
        rank_of, piece_of = run_rank[lo:hi][by_rank], run_piece[lo:hi][by_rank] - at
        yield _Block(first, row_bit, layout.row_class[edges[at:until]], run_start, rank_of, piece_of)
        at = until
