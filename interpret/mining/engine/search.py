"""First pass on tid-lists, in torch: the itemsets that are frequent in a class, for many classes in one traversal.

A unit of class c is an item of its own, kept only where it is frequent in c. So one search over these items finds
what a search of each class would, and never follows an occurrence that cannot become frequent.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from interpret.mining.engine.found import Found
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
    tensor_device,
    unnumbered,
)
from interpret.mining.engine.layout import Ints, Layout


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


class TidSearch:
    """A search for the itemsets that are frequent in a class, on tid-lists.

    Args:
        layout: the transactions.
        least: (C,) int64, the smallest count that makes an itemset frequent in each class.
        found: takes what is found, and says when to stop.
        device: type of the device that computes.
        chunk: pairs handled at once (count); chosen by device if None.
    """

    def __init__(
        self, layout: Layout, least: Ints, found: Found, *, device: str = "cpu", chunk: int | None = None
    ) -> None:
        self.layout, self.found, self.limits = layout, found, found.limits
        self.device = tensor_device(device)
        self.least = torch.from_numpy(least).to(self.device)
        self.chunk = chunk or default_chunk(self.device)
        self.largest_class = int(layout.class_sizes.max(initial=0))

    def run(self, first: int, last: int) -> None:
        """Search the classes first..last-1 of the layout."""
        for lo, hi in self._batches(first, last):
            self._grow(*self._singletons(lo, hi), 1)

    def _batches(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Runs of classes that are searched together: few enough units and items to stay in a cache."""
        starts = self.layout.row_starts[self.layout.class_starts]
        at = first
        while at < last:
            by_units = int(np.searchsorted(starts, starts[at] + 4 * self.chunk, side="right")) - 1
            by_items = at + 4 * self.chunk // (self.layout.n_units + 1)
            until = min(last, max(at + 1, min(by_units, by_items)))
            yield at, until
            at = until

    def _singletons(self, first: int, last: int) -> tuple[Occurrences, _Nodes]:
        """Frequent units of the classes first..last-1, and where they occur."""
        n_units, layout = self.layout.n_units, self.layout
        rows = slice(*layout.class_starts[[first, last]].tolist())
        lengths = np.diff(layout.row_starts[rows.start : rows.stop + 1])
        lo, hi = layout.row_starts[[rows.start, rows.stop]].tolist()
        units = torch.from_numpy(layout.units[lo:hi]).to(self.device)  # (n,)
        row = torch.from_numpy(np.arange(len(lengths)).repeat(lengths)).to(self.device)  # (n,)
        label = torch.from_numpy(layout.row_class[rows]).to(self.device) - first  # (rows,)
        key = pick(label, row).mul_(n_units).add_(units)  # (n,)
        counts = histogram(key, (last - first) * n_units).view(last - first, -1)
        kept = counts >= self.least[first:last, None]
        item_class, item_unit = torch.nonzero(kept, as_tuple=True)
        number = unnumbered(kept.numel(), self.device)
        number[kept.flatten()] = numbers(len(item_unit), self.device)
        node = pick(number, key)
        held = positions(node >= 0)
        place = self._note(1, torch.zeros_like(item_unit), item_unit, counts[kept])
        nodes = _Nodes(item_unit, run_ends(item_class), self.least[first:last][item_class], place)
        return Occurrences(pick(node, held), group_ends(histogram(pick(row, held), len(lengths)))), nodes

    def _note(self, size: int, parent: Tensor, unit: Tensor, count: Tensor) -> int:
        """Add itemsets of ``size`` units to what was found; the place of the first."""
        return self.found.add(size, *(column.long().cpu().numpy() for column in (parent, unit, count)))

    def _grow(self, occ: Occurrences, nodes: _Nodes, size: int) -> None:
        """Search the supersets of ``nodes``: those of a run of itemsets at a time, down to the largest."""
        if size == self.limits.max_size:
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
        if int(later.sum()) + int(siblings.sum()) > 16 * self.chunk:
            pairs_of_node = torch.zeros_like(siblings).index_add_(0, node, later.long())
            bounds = cuts(pairs_of_node + siblings, 16 * self.chunk)
        for x0, x1 in itertools.pairwise(bounds):
            in_run = positions((node >= x0) & (node < x1)) if len(bounds) > 2 else slice(None)
            below = self._next_level(occ, left[in_run], later[in_run], nodes, (x0, x1), siblings, size)
            if below is not None:
                self._grow(*below, size + 1)

    def _next_level(
        self,
        occ: Occurrences,
        left: Tensor,
        later: Tensor,
        nodes: _Nodes,
        run: tuple[int, int],
        siblings: Tensor,
        size: int,
    ) -> tuple[Occurrences, _Nodes] | None:
        """The frequent supersets, of one unit more, of the itemsets run[0]..run[1]-1; None where the search ends."""
        x0, x1 = run
        n_later = siblings[x0:x1]
        n_slots = int(n_later.sum())
        if not n_slots or not len(left):
            return None
        start = torch.zeros(len(siblings), dtype=NUMBER, device=self.device)
        itemsets = torch.arange(x0, x1, device=self.device)
        start[x0:x1] = (torch.cumsum(n_later, 0) - n_later - itemsets - 1).to(NUMBER)
        # First count every slot, then keep the pairs of the slots that are frequent. The pairs of a small run are held
        # in between; those of a large one are made a second time, which costs time instead of memory.
        counts = torch.zeros(0, dtype=torch.int64, device=self.device)
        held: list[tuple[Tensor, Tensor]] = []
        holds = int(later.sum()) <= 4 * self.chunk
        for slot, owner in pairs(occ, left, later, start, self.chunk):
            self.limits.check_time()
            if holds:
                held.append((slot, owner))
            else:
                more = histogram(slot, n_slots)
                counts = counts.add_(more) if len(counts) else more
        # Few slots reach even the lowest threshold: only for those is it worth looking up which class they belong to.
        lowest = int(nodes.least.min())
        if holds:
            slots, counts = frequent_keys(torch.cat([slot for slot, _ in held]), n_slots, lowest, self.largest_class)
        else:
            slots = positions(counts >= lowest)
            counts = pick(counts, slots)
        x = torch.searchsorted(torch.cumsum(n_later, 0), slots, right=True) + x0
        reached = positions(counts >= pick(nodes.least, x))
        if not len(reached):
            return None
        frequent_slots, x = pick(slots, reached), pick(x, reached)
        unit = pick(nodes.unit, frequent_slots - pick(start, x))
        place = self._note(size + 1, x + nodes.found, unit, pick(counts, reached))
        if size + 1 == self.limits.max_size:
            return None
        number = unnumbered(n_slots, self.device)
        number[frequent_slots] = numbers(len(x), self.device)
        kept_owner, kept_node = [], []
        for slot, owner in held if holds else pairs(occ, left, later, start, self.chunk):
            self.limits.check_time()
            node = pick(number, slot)
            kept = positions(node >= 0)
            kept_owner.append(pick(owner, kept))
            kept_node.append(pick(node, kept))
        below = joined(torch.cat(kept_owner), torch.cat(kept_node), len(left))
        return below, _Nodes(unit, run_ends(x), pick(nodes.least, x), place)
