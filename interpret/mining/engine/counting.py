"""Second pass: how often each itemset occurs in every class, frequent there or not, by patches and by photos.

Only what occurs is stored: there is never an array of itemsets times classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import coo_array
from torch import Tensor

from interpret.mining.engine.join import NUMBER, histogram, pick, positions
from interpret.mining.engine.layout import Ints, Layout
from interpret.mining.engine.limits import Limits
from interpret.mining.engine.trie import Trie
from interpret.mining.engine.walk import Walk

Part = tuple[npt.NDArray[np.integer], ...]
"""Itemset, label, patches and photos of pairs of an itemset and a class, unordered."""


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
        chunk: pairs handled at once (count); chosen by device if None. It never changes a result.

    Raises:
        OutOfTime: where ``limits.deadline`` has passed.
    """
    counts = _count(Walk(trie, layout, limits, torch.device(device), chunk))
    if layout.nested:
        return counts
    # A photo of several classes counts once for each of them, and once over the whole database.
    whole = _count(Walk(trie, layout.merged(), limits, torch.device(device), chunk))
    return replace(counts, all_photos=whole.all_photos)


def _count(walk: Walk) -> Counts:
    """Count the occurrences that a walk yields."""
    trie, layout = walk.trie, walk.layout
    by_class = _ClassCounter(layout, walk.device)
    parts = []
    for found in walk.blocks():
        for first, level, (row, node) in zip(trie.starts(), trie.levels, found, strict=False):
            parts.append(by_class.count(row, node, first, len(level)))
    return _collect(parts, len(trie), layout)


class _ClassCounter:
    """Counts occurrences of itemsets by class, in patches and in photos."""

    def __init__(self, layout: Layout, device: torch.device) -> None:
        self.one_patch_each = layout.one_patch_each
        self.row_class = torch.from_numpy(layout.row_class).to(device, NUMBER)
        self.row_photo = torch.from_numpy(layout.row_photo).to(device, NUMBER)
        _, patches_of_photo = torch.unique_consecutive(self.row_photo, return_counts=True)
        self.class_of_photo = self.row_class[torch.cumsum(patches_of_photo, 0) - 1]

    def count(self, row: Tensor, node: Tensor, first: int, n: int) -> Part:
        """Counts of ``n`` itemsets in one block of rows that splits no photo.

        Args:
            row: (k,) ascending rows of the layout, at least one.
            node: (k,) which of the itemsets each occurrence is of, 0 to ``n`` - 1.
            first: added to the itemsets' numbers in what is returned.
            n: how many itemsets there are (count).
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


def _collect(parts: Sequence[Part], n: int, layout: Layout) -> Counts:
    """The counts of ``n`` itemsets in canonical order from those of all blocks; counts of the same pair are summed."""
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


def _sums(itemset: Ints, counts: Ints, n: int) -> Ints:
    """(n,) int64 sums of ``counts`` by ascending ``itemset``."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    bounds = np.searchsorted(itemset, np.arange(n + 1))
    return np.diff(total[bounds])


def _key(group: Tensor, low: int, n: int, node: Tensor) -> Tensor:
    """(k,) int64, one number for each pair of a group (``low`` or more) and an itemset (less than ``n``)."""
    return (group.long() - low).mul_(n).add_(node)


def _unique(keys: Tensor, space: int) -> tuple[Tensor, Tensor]:
    """The distinct keys (all in 0..space-1), ascending, and how often each occurs."""
    if space <= 4 * len(keys) + 4096:
        counts = histogram(keys, space)
        different = positions(counts > 0)
        return different, pick(counts, different)
    ordered = torch.sort(keys)[0]
    return torch.unique_consecutive(ordered, return_counts=True)
