"""First pass of the torch engine: the itemsets that are frequent in a class, for all classes in one traversal.

A unit of class c is an item of its own, kept only where it is frequent in c. So one search over these items finds
what a search per class would, and never follows an occurrence that cannot become frequent.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from interpret.mining.engine.counting import Counts, Tally, collect, count
from interpret.mining.engine.join import (
    NUMBER,
    Occurrences,
    cuts,
    default_chunk,
    frequent_keys,
    group_ends,
    histogram,
    joined,
    later_siblings,
    numbers,
    pairs,
    pick,
    positions,
    run_ends,
    unnumbered,
)
from interpret.mining.engine.layout import Ints, Layout
from interpret.mining.engine.limits import Limits
from interpret.mining.engine.trie import Trie, merge

Part = tuple[npt.NDArray[np.integer], ...]
"""What :meth:`interpret.mining.engine.counting.Tally.count` returns."""


@dataclass(frozen=True, eq=False)
class _Nodes:
    """The frequent itemsets of one level, each of one class.

    ``unit`` (m,) is the last unit, ``group_end`` (m,) one past the last sibling, ``least`` (m,) the
    threshold of the class, ``found`` the place of the first in the list of all that were found at this level.
    """

    unit: Tensor
    group_end: Tensor
    least: Tensor
    found: int


@dataclass(eq=False)
class _Found:
    """What has been found so far: per size the place of the prefix and the last unit, the classes one after another.

    ``most`` is the count that no itemset of a class exceeds.
    """

    n_units: int
    limits: Limits
    most: int
    tally: Tally | None = None
    parents: list[list[Tensor]] = field(default_factory=list)
    units: list[list[Tensor]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    parts: list[list[Part]] = field(default_factory=list)
    check_at: int = 0

    def __post_init__(self) -> None:
        self.check_at = self.limits.max_itemsets

    def add(self, size: int, parent: Tensor, unit: Tensor) -> int:
        """Note itemsets of ``size`` units and return the place of the first."""
        while len(self.units) < size:
            self.units.append([])
            self.parents.append([])
            self.counts.append(0)
            self.parts.append([])
        self.units[size - 1].append(unit)
        self.parents[size - 1].append(parent)
        self.counts[size - 1] += len(unit)
        total = sum(self.counts)
        if total > self.check_at:
            # Several classes may have found the same. At least so many more are needed before it is too much.
            different = len(self.trie()[0])
            self.limits.check_count(different)
            most = self.limits.max_itemsets
            self.check_at = total + max(most - different, most // 8)
        return self.counts[size - 1] - len(unit)

    def count(self, size: int, row: Tensor, node: Tensor, first: int, n: int) -> None:
        """Tally occurrences of the ``n`` itemsets of ``size`` units noted from place ``first`` on."""
        if self.tally is not None and len(row):
            self.parts[size - 1].append(self.tally.count(row, node, first, n))

    def trie(self) -> tuple[Trie, list[Ints]]:
        """Every itemset found, once, and per size the number in the trie of each that was noted."""
        levels = [(torch.cat(p), torch.cat(u)) for p, u in zip(self.parents, self.units, strict=True)]
        return merge([(p.cpu().numpy(), u.cpu().numpy()) for p, u in levels], self.n_units)


def frequent(layout: Layout, least: Ints, limits: Limits, *, device: str = "cpu", chunk: int | None = None) -> Trie:
    """Every itemset that reaches the threshold of at least one class.

    Args:
        layout: the transactions.
        least: (C,) int64, the smallest count that makes an itemset frequent in each class, 1 or more.
        limits: when to stop.
        device: where to compute.
        chunk: pairs handled at once (count); by device if left open. It never changes a result.

    Raises:
        TooManyItemsets: where more than ``limits.max_itemsets`` different itemsets are frequent.
        OutOfTime: where ``limits.deadline`` has passed.
    """
    trie, _ = _search(
        layout,
        least,
        _Found(layout.n_units, limits, int(layout.class_sizes.max(initial=0))),
        torch.device(device),
        chunk,
    ).trie()
    limits.check_count(len(trie))
    return trie


def frequent_overall(
    layout: Layout, least: int, limits: Limits, *, device: str = "cpu", chunk: int | None = None
) -> tuple[Trie, Counts]:
    """Every itemset in ``least`` transactions or more, of whatever class, and its count in every class.

    Where all classes have one threshold together, the search comes by every occurrence of what it finds, and counts it
    by class on the way.

    Args and errors are those of :func:`frequent`, but for ``least``, 1 or more.
    """
    where = torch.device(device)
    found = _Found(layout.n_units, limits, len(layout), Tally(layout, where) if layout.nested else None)
    trie, numbers = _search(layout.as_one_class(), np.array([least]), found, where, chunk).trie()
    limits.check_count(len(trie))
    if not layout.nested:  # a photo of two classes would count twice in the sum of its classes
        return trie, count(trie, layout, limits, device=device, chunk=chunk)
    parts = [
        (first + number[place], *more)
        for first, number, level in zip(trie.starts(), numbers, found.parts, strict=False)
        for place, *more in level
    ]
    return trie, collect(parts, len(trie), layout)


def _search(layout: Layout, least: Ints, found: _Found, where: torch.device, chunk: int | None) -> _Found:
    """Fill ``found`` with what is frequent in a class."""
    chunk = chunk or default_chunk(where)
    thresholds = torch.from_numpy(least).to(where)
    for first, last in _batches(layout, chunk):
        occ, row, nodes = _singletons(layout, first, last, thresholds, found)
        _grow(occ, row, nodes, 1, found, chunk)
    return found


def _batches(layout: Layout, chunk: int) -> Iterator[tuple[int, int]]:
    """Runs of classes that are searched together: few enough rows and items to stay in a cache."""
    starts = layout.class_starts
    width = max(1, layout.units.shape[1])
    at, n = 0, len(layout.class_ids)
    while at < n:
        by_rows = int(np.searchsorted(starts, starts[at] + 4 * chunk // width, side="right")) - 1
        by_items = at + 4 * chunk // (layout.n_units + 1)
        until = min(n, max(at + 1, min(by_rows, by_items)))
        yield at, until
        at = until


def _singletons(
    layout: Layout, first: int, last: int, least: Tensor, found: _Found
) -> tuple[Occurrences, Tensor | None, _Nodes]:
    """Frequent units of the classes first..last-1, where they occur and, where it is tallied, in which rows."""
    lo, hi = layout.class_starts[[first, last]].tolist()
    where = least.device
    units = torch.from_numpy(layout.units[lo:hi]).to(where)  # (n, N)
    label = torch.from_numpy(layout.row_class[lo:hi]).to(where) - first  # (n,)
    key = (label[:, None] * (layout.n_units + 1) + units).flatten()  # (n * N,)
    counts = histogram(key, (last - first) * (layout.n_units + 1)).view(last - first, -1)
    kept = counts >= least[first:last, None]
    kept[:, -1] = False  # the filling of short rows
    item_class, item_unit = torch.nonzero(kept, as_tuple=True)
    number = unnumbered(kept.numel(), where)
    number[kept.flatten()] = numbers(len(item_unit), where)
    node = pick(number, key)
    held = node >= 0
    place = found.add(1, torch.zeros_like(item_unit), item_unit)
    nodes = _Nodes(item_unit, run_ends(item_class), least[first:last][item_class], place)
    per_row = held.view(units.shape).sum(1)
    occ = Occurrences(pick(node, positions(held)), group_ends(per_row))
    row = None
    if found.tally is not None:
        row = numbers(len(units), where).add_(lo).repeat_interleave(per_row)
        found.count(1, row, occ.node, place, len(item_unit))
    return occ, row, nodes


def _grow(occ: Occurrences, row: Tensor | None, nodes: _Nodes, size: int, found: _Found, chunk: int) -> None:
    """Search the supersets of ``nodes``: those of a run of itemsets at a time, down to the largest."""
    if size == found.limits.max_size:
        return
    later = occ.later
    left = positions(later > 0)
    if not len(left):
        return
    later = pick(later, left)
    siblings = later_siblings(nodes.group_end)
    # Most searches need one run; several keep memory bounded where there is more to do.
    node = pick(occ.node, left)
    bounds = [0, len(siblings)]
    if int(later.sum()) + int(siblings.sum()) > 16 * chunk:
        bounds = cuts(torch.zeros_like(siblings).index_add_(0, node, later.long()) + siblings, 16 * chunk)
    for x0, x1 in itertools.pairwise(bounds):
        own = positions((node >= x0) & (node < x1)) if len(bounds) > 2 else slice(None)
        _grow_run(occ, row, left[own], later[own], nodes, (x0, x1), siblings, size, found, chunk)


def _grow_run(
    occ: Occurrences,
    row: Tensor | None,
    left: Tensor,
    later: Tensor,
    nodes: _Nodes,
    run: tuple[int, int],
    siblings: Tensor,
    size: int,
    found: _Found,
    chunk: int,
) -> None:
    """One level for the itemsets run[0]..run[1]-1, and then the levels under it."""
    where = left.device
    x0, x1 = run
    n_later = siblings[x0:x1]
    n_slots = int(n_later.sum())
    if not n_slots or not len(left):
        return
    own = torch.arange(x0, x1, device=where)
    start = torch.zeros(len(siblings), dtype=NUMBER, device=where)
    start[x0:x1] = (torch.cumsum(n_later, 0) - n_later - own - 1).to(NUMBER)
    # First count every slot, then keep the pairs of the slots that are frequent. The pairs of a small run are held in
    # between, those of a large one are made a second time, which costs time instead of memory.
    counts = torch.zeros(0, dtype=torch.int64, device=where)
    held: list[tuple[Tensor, Tensor]] = []
    holds = int(later.sum()) <= 4 * chunk
    for slot, owner in pairs(occ, left, later, start, chunk):
        found.limits.check_time()
        if holds:
            held.append((slot, owner))
        else:
            more = histogram(slot, n_slots)
            counts = counts.add_(more) if len(counts) else more
    # Few slots reach even the lowest threshold: only for those is it worth looking up whose they are.
    lowest = int(nodes.least.min())
    if holds:
        slots, counts = frequent_keys(torch.cat([slot for slot, _ in held]), n_slots, lowest, found.most)
    else:
        slots = positions(counts >= lowest)
        counts = pick(counts, slots)
    x = torch.searchsorted(torch.cumsum(n_later, 0), slots, right=True) + x0
    reached = positions(counts >= pick(nodes.least, x))
    if not len(reached):
        return
    frequent_slots, x = pick(slots, reached), pick(x, reached)
    unit = pick(nodes.unit, frequent_slots - pick(start, x))
    place = found.add(size + 1, x + nodes.found, unit)
    if size + 1 == found.limits.max_size and row is None:
        return
    number = unnumbered(n_slots, where)
    number[frequent_slots] = numbers(len(x), where)
    kept_owner, kept_node = [], []
    for slot, owner in held if holds else pairs(occ, left, later, start, chunk):
        found.limits.check_time()
        node = pick(number, slot)
        kept = positions(node >= 0)
        kept_owner.append(pick(owner, kept))
        kept_node.append(pick(node, kept))
    held.clear()
    owners = torch.cat(kept_owner)
    below = joined(owners, torch.cat(kept_node), len(left))
    if row is not None:
        row = pick(row, pick(left, owners))
        found.count(size + 1, row, below.node, place, len(x))
    _grow(below, row, _Nodes(unit, run_ends(x), pick(nodes.least, x), place), size + 1, found, chunk)
