"""Second pass: how often each itemset occurs in every class, frequent there or not, by patches and by photos.

Only what occurs is stored: there is never an array of itemsets times classes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array

from interpret.mining.engine import bit_counting
from interpret.mining.engine.layout import Ints, Layout
from interpret.mining.engine.limits import Limits
from interpret.mining.engine.placement import PAIR, Placement
from interpret.mining.engine.trie import Trie

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


def count(
    trie: Trie,
    layout: Layout,
    limits: Limits,
    *,
    place: Placement | None = None,
    engine: str = "auto",
    chunk: int | None = None,
    by_class_only: bool = False,
) -> Counts:
    """Count every itemset in every class.

    Args:
        trie: the n itemsets.
        layout: the transactions.
        limits: when to stop; only the time matters here.
        place: where tid-lists are counted; on the CPU if None. Where a GPU was asked for, it counts everything.
        engine: ``bitsets``, ``torch`` (tid-lists), or ``auto``: the one that should be faster.
        chunk: pairs of tid-lists handled at once (count); chosen by device if None. It never changes a result.
        by_class_only: whether ``all_photos`` may be the sum of the classes' photos, which spares time where a photo
            has several classes.

    Raises:
        OutOfTime: where ``limits.deadline`` has passed.
    """
    place = place or Placement()
    counts = _count(trie, layout, limits, place, engine, chunk)
    if layout.nested or by_class_only:
        return counts
    # A photo of several classes counts once for each of them, and once over the whole database.
    whole = _count(trie, layout.merged(), limits, place, engine, chunk)
    return replace(counts, all_photos=whole.all_photos)


def known(trie: Trie, layout: Layout) -> Counts | None:
    """The counts that the search itself made, where ``layout``, which it searched, is one class of one patch a photo.

    None anywhere else.
    """
    if trie.counts is None or len(layout.class_ids) != 1 or not layout.one_patch_each:
        return None
    n = len(trie)
    return Counts(np.arange(n), np.zeros(n, np.int64), trie.counts, trie.counts, trie.counts, trie.counts)


def _count(trie: Trie, layout: Layout, limits: Limits, place: Placement, engine: str, chunk: int | None) -> Counts:
    """Count the itemsets, photos over the whole database as the sum of the classes'."""

    def on_tids(device: str) -> Counts:
        from interpret.mining.engine import tid_counting  # with PyTorch, which takes seconds to import
        from interpret.threads import one_thread

        with one_thread(device):
            return _collect(tid_counting.parts(trie, layout, limits, device=device, chunk=chunk), len(trie), layout)

    def by_cost() -> Counts:
        seconds = 0.0 if engine == "bitsets" else bit_counting.seconds_on_tids(trie, layout)
        if seconds:
            return place.run(seconds, on_tids)
        return _collect(bit_counting.parts(trie, layout, limits), len(trie), layout)

    if engine == "torch":
        return place.run(PAIR * layout.pairs, on_tids)
    if engine == "auto" and place.forced:
        return place.run(0.0, lambda device: by_cost() if device == "cpu" else on_tids(device))
    return by_cost()


def _collect(parts: Iterable[Part], n: int, layout: Layout) -> Counts:
    """The counts of ``n`` itemsets in canonical order from those of all blocks; counts of the same pair are summed."""
    shape = (n, max(1, len(layout.class_ids)))
    none = (np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros(0, np.int64))
    itemset, label, patches, photos = (np.concatenate(column) for column in zip(none, *parts, strict=True))
    if _ascending(itemset, label):  # of one block, which came in order
        itemset, patches, photos = (column.astype(np.int64) for column in (itemset, patches, photos))
        sums = (_sums(itemset, patches, n), _sums(itemset, photos, n))
        return Counts(itemset, label.astype(np.int64), patches, photos, *sums)
    by_patch = coo_array((patches, (itemset, label)), shape).tocsr()  # linear in time
    by_patch.sum_duplicates()
    by_photo = by_patch
    if not layout.one_patch_each:
        by_photo = coo_array((photos, (itemset, label)), shape).tocsr()
        by_photo.sum_duplicates()
    itemset = np.repeat(np.arange(n), np.diff(by_patch.indptr))
    sums = (_sums(itemset, by_patch.data, n), _sums(itemset, by_photo.data, n))
    return Counts(itemset, by_patch.indices.astype(np.int64), by_patch.data, by_photo.data, *sums)


def _ascending(itemset: npt.NDArray[np.integer], label: npt.NDArray[np.integer]) -> bool:
    """Whether pairs come in order, each once."""
    later = itemset[1:] > itemset[:-1]
    return bool((later | ((itemset[1:] == itemset[:-1]) & (label[1:] > label[:-1]))).all())


def _sums(itemset: Ints, counts: Ints, n: int) -> Ints:
    """(n,) int64 sums of ``counts`` by ascending ``itemset``."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    bounds = np.searchsorted(itemset, np.arange(n + 1))
    return np.diff(total[bounds])
