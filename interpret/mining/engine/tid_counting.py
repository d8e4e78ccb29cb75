"""Counting on tid-lists, in torch: each itemset in every class, by patches and by photos."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import coo_array
from torch import Tensor

from interpret.mining.engine.join import NUMBER, histogram, on_host, pick, positions, tensor_device
from interpret.mining.engine.layout import Layout
from interpret.mining.engine.limits import Limits
from interpret.mining.engine.trie import Trie
from interpret.mining.engine.walk import Walk

Part = tuple[npt.NDArray[np.integer], ...]


def parts(trie: Trie, layout: Layout, limits: Limits, *, device: str, chunk: int | None = None) -> Iterator[Part]:
    """Yield itemset, label, patches and photos of pairs of an itemset and a class; a pair may come several times.

    Args:
        trie: the itemsets.
        layout: the transactions.
        limits: when to stop; only the time matters here.
        device: type of the device that computes.
        chunk: pairs handled at once (count); chosen by device if None. It never changes a result.

    Raises:
        OutOfTime: where ``limits.deadline`` has passed.
    """
    walk = Walk(trie, layout, limits, tensor_device(device), chunk)
    by_class = _ClassCounter(layout, walk.device)
    for found in walk.blocks():
        for first, level, (row, node) in zip(trie.starts(), trie.levels, found, strict=False):
            yield by_class.count(row, node, first, len(level))


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
        if on_host(row.device):
            return self.grouped(row.numpy(), node.numpy(), first, n)
        return self.by_keys(row, node, first, n)

    def by_keys(self, row: Tensor, node: Tensor, first: int, n: int) -> Part:
        """The same on any device, by a number for each pair."""
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

    def grouped(self, row: npt.NDArray[np.integer], node: npt.NDArray[np.integer], first: int, n: int) -> Part:
        """The same on a processor, by moving the occurrences to their itemsets, in which they stay in order of rows."""
        k = len(row)
        by_node = coo_array((row, (node, np.arange(k, dtype=node.dtype))), (n, k)).tocsr()
        row, per_node = by_node.data, np.diff(by_node.indptr)
        new_node = np.zeros(k, np.bool_)
        new_node[by_node.indptr[:-1][per_node > 0]] = True
        label = self.row_class.numpy()[row]
        starts = np.flatnonzero(_changes(label) | new_node)
        patches = np.diff(starts, append=k)
        photos = patches
        if not self.one_patch_each:
            new_photo = _changes(self.row_photo.numpy()[row]) | new_node
            photos = np.add.reduceat(new_photo, starts, dtype=np.int64)
        itemset = np.arange(n).repeat(per_node)[starts]
        return itemset + first, label[starts], patches, photos


def _changes(values: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    """(k,) whether each value differs from the one before; the first does."""
    return np.concatenate([[True], values[1:] != values[:-1]])


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
