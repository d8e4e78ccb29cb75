"""Second pass: how often each itemset occurs in every class, frequent there or not, by patches and by photos.

The transactions are walked once more with all units that any itemset holds, and matched against the trie of itemsets.
Only what occurs is stored: there is never an array of itemsets times classes.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import coo_array
from torch import Tensor

from interpret.mining.engine.join import (
    NUMBER,
    Occurrences,
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
from interpret.mining.engine.layout import Ints, Layout
from interpret.mining.engine.limits import Limits
from interpret.mining.engine.trie import Trie

_SPLIT = 8
"""A block of rows that brings more than this many chunks of pairs at one level is cut in two."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts of n itemsets in canonical order, for the classes in which they occur at all.

    Attributes:
        itemset: (m,) int64, ascending.
        label: (m,) int64, index of the class in the layout's ``class_ids``, ascending within an itemset.
        patches: (m,) int64, transactions of the class that hold the itemset (count, 1 or more).
        photos: (m,) int64, photos of the class of which a transaction holds it (count).
        all_patches: (n,) int64, transactions of the whole database that hold it (count).
        all_photos: (n,) int64, photos of the whole database of which a transaction holds it (count).
    """

    itemset: Ints
    label: Ints
    patches: Ints
    photos: Ints
    all_patches: Ints
    all_photos: Ints


def count(trie: Trie, layout: Layout, limits: Limits, *, device: str = "cpu", chunk: int | None = None) -> Counts:
    """Count every itemset in every class.

    Args:
        trie: the n itemsets.
        layout: the transactions.
        limits: when to stop; only the time matters here.
        device: where to compute.
        chunk: pairs handled at once (count); by device if left open. It never changes a result.

    Raises:
        OutOfTime: where ``limits.deadline`` has passed.
    """
    where = torch.device(device)
    chunk = chunk or default_chunk(where)
    counts = _Walk(trie, layout, limits, where, chunk).run()
    if layout.nested:
        return counts
    merged = _Walk(trie, layout.merged(), limits, where, chunk).run()
    return replace(counts, all_photos=merged.all_photos)


def occurrences(trie: Trie, layout: Layout) -> tuple[Ints, Ints]:
    """Every occurrence of every itemset: (n,) int64 itemset in canonical order, and (n,) int64 row of the layout."""
    walk = _Walk(trie, layout, Limits(len(trie)), torch.device("cpu"), default_chunk(torch.device("cpu")))
    itemset, rows = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for found in walk.blocks():
        for first, (row, node) in zip(trie.starts(), found, strict=False):
            itemset.append(node.long().add_(first).numpy())
            rows.append(row.long().numpy())
    return np.concatenate(itemset), np.concatenate(rows)


def _sums(itemset: Ints, counts: Ints, n: int) -> Ints:
    """(n,) int64 sums of ``counts`` by ascending ``itemset``."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    bounds = np.searchsorted(itemset, np.arange(n + 1))
    return np.diff(total[bounds])


class Tally:
    """Counts occurrences of itemsets by class, in patches and in photos."""

    def __init__(self, layout: Layout, device: torch.device) -> None:
        self.one_patch_each = layout.one_patch_each
        self.row_class = torch.from_numpy(layout.row_class).to(device, NUMBER)
        self.row_photo = torch.from_numpy(layout.row_photo).to(device, NUMBER)
        _, patches_of_photo = torch.unique_consecutive(self.row_photo, return_counts=True)
        self.class_of_photo = self.row_class[torch.cumsum(patches_of_photo, 0) - 1]

    def count(self, row: Tensor, node: Tensor, first: int, n: int) -> tuple[npt.NDArray[np.integer], ...]:
        """Counts of ``n`` itemsets.

        Args:
            row: (k,) ascending rows of the layout, one at least.
            node: (k,) which of the itemsets each occurrence is of, 0 to ``n`` - 1.
            first: added to the itemsets' numbers in what is returned.
            n: how many itemsets there are.

        Returns:
            Itemset, label, patches and photos of every pair of an itemset and a class that occurs, unordered.
        """
        label = pick(self.row_class, row)
        low, high = int(label[0]), int(label[-1])
        keys, patches = _unique(_key(label, low, n, node), (high - low + 1) * n)
        photos = patches
        if not self.one_patch_each:
            photo = pick(self.row_photo, row)
            start = int(photo[0])
            each, _ = _unique(_key(photo, start, n, node), (int(photo[-1]) - start + 1) * n)
            label = pick(self.class_of_photo, each // n + start)
            _, photos = _unique(_key(label, low, n, each % n), (high - low + 1) * n)
        offset = keys // n
        itemset, label = (keys - offset * n + first).to(NUMBER), (offset + low).to(NUMBER)
        return tuple(column.cpu().numpy() for column in (itemset, label, patches, photos))


def collect(parts: Sequence[tuple[npt.NDArray[np.integer], ...]], n: int, layout: Layout) -> Counts:
    """The counts of several tallies of ``n`` itemsets in canonical order; those of the same pair are added up."""
    shape = (n, max(1, len(layout.class_ids)))
    none = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64))
    itemset, label, patches, photos = (np.concatenate(column) for column in zip(none, *parts, strict=True))
    by_patch = coo_array((patches, (itemset, label)), shape).tocsr()  # linear in time
    by_patch.sum_duplicates()
    by_photo = by_patch
    if not layout.one_patch_each:
        by_photo = coo_array((photos, (itemset, label)), shape).tocsr()
        by_photo.sum_duplicates()
    itemset = np.repeat(np.arange(n), np.diff(by_patch.indptr))
    sums = (_sums(itemset, by_patch.data, n), _sums(itemset, by_photo.data, n))
    return Counts(itemset, by_patch.indices.astype(np.int64), by_patch.data, by_photo.data, *sums)


@dataclass(frozen=True, eq=False)
class _Step:
    """From one level of a trie to the next.

    ``childless`` (m,) tells itemsets without a superset; ``start`` (m,) is the one that
    :func:`~interpret.mining.engine.join.pairs` takes; ``child`` (slots,) the number at the next level, or -1.
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


class _Walk:
    """Walks the transactions of a layout along a trie."""

    def __init__(self, trie: Trie, layout: Layout, limits: Limits, device: torch.device, chunk: int) -> None:
        self.trie, self.layout, self.limits, self.device, self.chunk = trie, layout, limits, device, chunk
        self.steps = _steps(trie, device)
        self.number = unnumbered(trie.n_units + 1, device)
        if trie.levels:
            units = torch.from_numpy(trie.levels[0].unit).to(device)
            self.number[units] = numbers(len(units), device)

    def blocks(self) -> Iterator[list[tuple[Tensor, Tensor]]]:
        """Per block of rows, in order, and per level the (row, itemset) occurrences."""
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

    def run(self) -> Counts:
        """Count them all."""
        tally = Tally(self.layout, self.device)
        parts = []
        for found in self.blocks():
            for first, level, (row, node) in zip(self.trie.starts(), self.trie.levels, found, strict=False):
                parts.append(tally.count(row, node, first, len(level)))
        return collect(parts, len(self.trie), self.layout)

    def _blocks(self) -> list[tuple[int, int]]:
        """Runs of rows, last first, that bring about one chunk of pairs and never part a photo."""
        width = self.layout.units.shape[1]
        rows = max(1, self.chunk // max(1, width * (width - 1) // 2))
        photo = self.layout.row_photo
        edges = [0]
        while edges[-1] < len(photo):
            at = min(edges[-1] + rows, len(photo)) - 1
            edges.append(int(np.searchsorted(photo, photo[at], side="right")))
        return list(itertools.pairwise(edges))[::-1]

    def _middle(self, lo: int, hi: int) -> int:
        """A row near the middle of lo..hi at which a photo begins, or ``hi`` for a single photo."""
        photo = self.layout.row_photo
        middle = int(np.searchsorted(photo, photo[(lo + hi) // 2]))
        return middle if middle > lo else int(np.searchsorted(photo, photo[lo], side="right"))

    def _walk(self, lo: int, hi: int) -> list[tuple[Tensor, Tensor]] | None:
        """Per level the (row, itemset) occurrences in rows lo..hi-1; None where they are too many for one block."""
        units = torch.from_numpy(self.layout.units[lo:hi]).to(self.device)
        node = pick(self.number, units.flatten())
        held = node >= 0
        per_row = held.view(units.shape).sum(1)
        row = numbers(len(units), self.device).add_(lo).repeat_interleave(per_row)
        occ = Occurrences(pick(node, positions(held)), group_ends(per_row))
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


def _key(group: Tensor, low: int, n: int, node: Tensor) -> Tensor:
    """(k,) int64, one number for each pair of a group (``low`` or more) and an itemset (less than ``n``)."""
    return (group.long() - low).mul_(n).add_(node)


def _unique(keys: Tensor, space: int) -> tuple[Tensor, Tensor]:
    """The different keys (all in 0..space-1), ascending, and how often each occurs."""
    if space <= 4 * len(keys) + 4096:
        counts = histogram(keys, space)
        different = positions(counts > 0)
        return different, pick(counts, different)
    ordered = torch.sort(keys)[0]
    return torch.unique_consecutive(ordered, return_counts=True)
