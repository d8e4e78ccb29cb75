"""First pass of the torch engine: the itemsets that are frequent in a class, for all classes in one traversal.

A unit of class c is an item of its own, kept only where it is frequent in c. So one search over these items finds
what a search per class would, and never follows an occurrence that cannot become frequent.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from interpret.mining.join import (
    NUMBER,
    Occurrences,
    cuts,
    default_chunk,
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
from interpret.mining.layout import Ints, Layout
from interpret.mining.limits import Limits
from interpret.mining.trie import Trie, merge


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
    """What has been found so far: per size the place of the prefix and the last unit, the classes one after another."""

    n_units: int
    limits: Limits
    parents: list[list[Tensor]] = field(default_factory=list)
    units: list[list[Tensor]] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    check_at: int = 0

    def __post_init__(self) -> None:
        self.check_at = self.limits.max_itemsets

    def add(self, size: int, parent: Tensor, unit: Tensor) -> int:
        """Note itemsets of ``size`` units and return the place of the first."""
        while len(self.units) < size:
            self.units.append([])
            self.parents.append([])
            self.counts.append(0)
        self.units[size - 1].append(unit)
        self.parents[size - 1].append(parent)
        self.counts[size - 1] += len(unit)
        total = sum(self.counts)
        if total > self.check_at:
            # Several classes may have found the same. At least so many more are needed before it is too much.
            different = len(self.trie())
            self.limits.check_count(different)
            most = self.limits.max_itemsets
            self.check_at = total + max(most - different, most // 8)
        return self.counts[size - 1] - len(unit)

    def trie(self) -> Trie:
        """Every itemset found, once."""
        numbers = [(torch.cat(p), torch.cat(u)) for p, u in zip(self.parents, self.units, strict=True)]
        return merge([(p.cpu().numpy(), u.cpu().numpy()) for p, u in numbers], self.n_units)


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
    where = torch.device(device)
    chunk = chunk or default_chunk(where)
    found = _Found(layout.n_units, limits)
    thresholds = torch.from_numpy(least).to(where)
    for first, last in _batches(layout, chunk):
        occ, nodes = _singletons(layout, first, last, thresholds, found)
        _grow(occ, nodes, 1, found, chunk)
    trie = found.trie()
    limits.check_count(len(trie))
    return trie


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


def _singletons(layout: Layout, first: int, last: int, least: Tensor, found: _Found) -> tuple[Occurrences, _Nodes]:
    """Frequent units of the classes first..last-1, and where they occur."""
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
    return Occurrences(pick(node, positions(held)), group_ends(held.view(units.shape).sum(1))), nodes


def _grow(occ: Occurrences, nodes: _Nodes, size: int, found: _Found, chunk: int) -> None:
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
    bounds = cuts(torch.zeros_like(siblings).index_add_(0, node, later.long()) + siblings, 16 * chunk)
    for x0, x1 in itertools.pairwise(bounds):
        own = positions((node >= x0) & (node < x1)) if len(bounds) > 2 else slice(None)
        _grow_run(occ, left[own], later[own], nodes, (x0, x1), siblings, size, found, chunk)


def _grow_run(
    occ: Occurrences,
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
    counts: Tensor | None = None
    held: list[tuple[Tensor, Tensor]] = []
    holds = int(later.sum()) <= 4 * chunk
    for slot, owner in pairs(occ, left, later, start, chunk):
        found.limits.check_time()
        more = histogram(slot, n_slots)
        counts = more if counts is None else counts.add_(more)
        if holds:
            held.append((slot, owner))
    if counts is None:
        return
    # Few slots reach even the lowest threshold: only for those is it worth looking up whose they are.
    slots = positions(counts >= int(nodes.least.min()))
    x = torch.searchsorted(torch.cumsum(n_later, 0), slots, right=True) + x0
    reached = positions(pick(counts, slots) >= pick(nodes.least, x))
    if not len(reached):
        return
    frequent_slots, x = pick(slots, reached), pick(x, reached)
    unit = pick(nodes.unit, frequent_slots - pick(start, x))
    place = found.add(size + 1, x + nodes.found, unit)
    if size + 1 == found.limits.max_size:
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
    below = joined(torch.cat(kept_owner), torch.cat(kept_node), len(left))
    _grow(below, _Nodes(unit, run_ends(x), pick(nodes.least, x), place), size + 1, found, chunk)
