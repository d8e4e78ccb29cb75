"""Which transactions hold which itemsets of a trie.

The transactions are walked along the trie with all units that any itemset holds, block by block, so that memory stays
bounded.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from interpret.mining.engine.join import (
    NUMBER,
    Occurrences,
    default_chunk,
    group_ends,
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
from interpret.mining.engine.limits import Limits
from interpret.mining.engine.placement import PAIR, Placement
from interpret.mining.engine.trie import Trie
from interpret.threads import one_thread

_SPLIT = 8
"""A block of rows that brings more than this many chunks of pairs at one level is cut in two."""


@dataclass(frozen=True, eq=False)
class _Step:
    """From one level of a trie to the next.

    ``childless`` (m,) marks itemsets without a superset; ``start`` (m,) is an argument of
    :func:`~interpret.mining.engine.join.pairs`; ``child`` (slots,) is the number at the next level, or -1.
    """

    childless: Tensor
    start: Tensor
    child: Tensor


def _steps(trie: Trie, device: torch.device) -> list[_Step]:
    """One step for each level but the last."""
    steps = []
    for level, below in zip(trie.levels[:-1], trie.levels[1:], strict=True):
        parent, unit = torch.from_numpy(level.parent).to(device), torch.from_numpy(level.unit).to(device)
        x, last = torch.from_numpy(below.parent).to(device), torch.from_numpy(below.unit).to(device)
        childless = torch.ones(len(level), dtype=torch.bool, device=device)
        childless[x] = False
        n_later = later_siblings(run_ends(parent))
        n_later[childless] = 0
        base = torch.cumsum(n_later, 0) - n_later
        start = base - torch.arange(1, len(level) + 1, device=device)
        # The sibling that x is joined with: it has x's prefix and the child's last unit.
        y = torch.searchsorted(parent * trie.n_units + unit, parent[x] * trie.n_units + last)
        child = unnumbered(int(n_later.sum()), device)
        child[start[x] + y] = numbers(len(below), device)
        steps.append(_Step(childless, start.to(NUMBER), child))
    return steps


class Walk:
    """Walks the transactions of a layout along a trie.

    Args:
        trie: the itemsets.
        layout: the transactions.
        limits: when to stop; only the time matters here.
        device: where to compute.
        chunk: pairs handled at once (count); chosen by device if None. It never changes a result.
    """

    def __init__(
        self, trie: Trie, layout: Layout, limits: Limits, device: torch.device, chunk: int | None = None
    ) -> None:
        self.trie, self.layout, self.limits, self.device = trie, layout, limits, device
        self.chunk = chunk or default_chunk(device)
        self.steps = _steps(trie, device)
        # Only units that an itemset holds, by their number in the first level.
        number = np.full(trie.n_units, -1, np.int32)
        if trie.levels:
            number[trie.levels[0].unit] = np.arange(len(trie.levels[0]))
        self.nodes, self.starts = layout.numbered(number)

    def blocks(self) -> Iterator[list[tuple[Tensor, Tensor]]]:
        """Yield, for each block of rows in order, the (row, itemset) occurrences of each level.

        Raises:
            OutOfTime: where the deadline has passed.
        """
        blocks = self._blocks() if self.trie.levels else []
        while blocks:
            lo, hi = blocks.pop()
            self.limits.check_time()
            found = self._walk(lo, hi)
            if found is None:
                middle = self._middle(lo, hi)
                blocks += [(middle, hi), (lo, middle)]
            else:
                yield found

    def _blocks(self) -> list[tuple[int, int]]:
        """Runs of rows, last first, that bring about one chunk of pairs at first and never split a photo."""
        photo = self.layout.row_photo
        length = np.diff(self.starts)
        done = np.cumsum(length * (length - 1) // 2 + 1)
        edges, before = [0], 0
        while edges[-1] < len(photo):
            at = max(edges[-1] + 1, int(np.searchsorted(done, before + self.chunk, side="right")))
            edges.append(int(np.searchsorted(photo, photo[at - 1], side="right")))
            before = int(done[edges[-1] - 1])
        return list(itertools.pairwise(edges))[::-1]

    def _middle(self, lo: int, hi: int) -> int:
        """A row near the middle of lo..hi at which a photo begins, or ``hi`` for a single photo."""
        photo = self.layout.row_photo
        middle = int(np.searchsorted(photo, photo[(lo + hi) // 2]))
        return middle if middle > lo else int(np.searchsorted(photo, photo[lo], side="right"))

    def _walk(self, lo: int, hi: int) -> list[tuple[Tensor, Tensor]] | None:
        """Per level the (row, itemset) occurrences in rows lo..hi-1; None where they are too many for one block."""
        starts = self.starts[lo : hi + 1]
        per_row = torch.from_numpy(np.diff(starts)).to(self.device)
        row = numbers(hi - lo, self.device).add_(lo).repeat_interleave(per_row)
        node = torch.from_numpy(self.nodes[starts[0] : starts[-1]]).to(self.device)
        occ = Occurrences(node, group_ends(per_row))
        found = [(row, occ.node)]
        if not len(row):
            return []
        for step in self.steps:
            later = occ.later.masked_fill_(pick(step.childless, occ.node), 0)
            left = positions(later > 0)
            if not len(left):
                break
            later = pick(later, left)
            if int(later.sum()) > _SPLIT * self.chunk and self._middle(lo, hi) < hi:
                return None
            owners, nodes = [], []
            for slot, owner in pairs(occ, left, later, step.start, self.chunk):
                child = pick(step.child, slot)
                kept = positions(child >= 0)
                owners.append(pick(owner, kept))
                nodes.append(pick(child, kept))
            owner = torch.cat(owners)
            if not len(owner):
                break
            occ = joined(owner, torch.cat(nodes), len(left))
            row = pick(row, pick(left, owner))
            found.append((row, occ.node))
        return found


def occurrences(trie: Trie, layout: Layout, place: Placement) -> tuple[Ints, Ints]:
    """Every occurrence of every itemset: (n,) int64 itemset in canonical order, and (n,) int64 row of the layout.

    Their order depends on the device.
    """

    def walk(device: str) -> tuple[Ints, Ints]:
        itemset, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        with one_thread(device):
            for found in Walk(trie, layout, Limits(len(trie)), tensor_device(device)).blocks():
                for first, (row, node) in zip(trie.starts(), found, strict=False):
                    itemset.append(node.long().add_(first).cpu().numpy())
                    rows.append(row.long().cpu().numpy())
        return np.concatenate(itemset), np.concatenate(rows)

    return place.run(PAIR * layout.pairs, walk)
