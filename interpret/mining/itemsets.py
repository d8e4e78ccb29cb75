"""What mining finds: itemsets with their counts, rules, and the relevant units of each class."""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.mining import rules as rule_measures
from interpret.mining.contrast import ContrastCounts, untested
from interpret.mining.engine.trie import Trie, from_matrices

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mined:
    """The itemsets of a database in canonical order: by size, then lexicographic by ascending unit.

    Itemsets are kept if they are frequent in at least one class; where every class is mined, that includes all that
    are frequent over the whole database. S(X), the classes in which itemset X is frequent, decides everything else.

    Attributes:
        unit_values: (u,) int32, the units of all itemsets one after the other, ascending within each.
        unit_starts: (n + 1,) int64, where each itemset's units begin.
        all_patches: (n,) int64, transactions that contain the itemset (count).
        all_photos: (n,) int64, photos with a transaction that contains it (count).
        itemset: (m,) int64, entries of the class-wise counts: the itemset, ascending.
        class_id: (m,) int64, the class, ascending within an itemset; only classes in which it occurs.
        patches: (m,) int64, transactions of the class that contain the itemset (count).
        photos: (m,) int64, photos of the class with a transaction that contains it (count).
        class_ids: (C,) int64, the classes of the database, ascending.
        class_sizes: (C,) int64, transactions of each class (count).
        class_photos: (C,) int64, photos of each class (count).
        least: (C,) int64, the minimum support count of each class; larger than the class where it has too few
            transactions to be mined.
        n: transactions in all (count).
        n_photos: photos in all (count).
        min_support: the smallest support asked for (fraction).
        contrast: what the contrast says of each rule, in the order of :attr:`rules`; None where the study has none.
        device: the type of the device that mined, such as ``cpu`` or ``cuda``; None where it is not known. It changes
            nothing else.
    """

    unit_values: npt.NDArray[np.int32]
    unit_starts: Ints
    all_patches: Ints
    all_photos: Ints
    itemset: Ints
    class_id: Ints
    patches: Ints
    photos: Ints
    class_ids: Ints
    class_sizes: Ints
    class_photos: Ints
    least: Ints
    n: int
    n_photos: int
    min_support: float
    contrast: ContrastCounts | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        for value in vars(self).values():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)

    def __len__(self) -> int:
        return len(self.all_patches)

    @cached_property
    def sizes(self) -> Ints:
        """(n,) int64, units per itemset (count)."""
        return np.diff(self.unit_starts)

    @cached_property
    def label(self) -> Ints:
        """(m,) int64, ``class_id`` as an index into ``class_ids``."""
        return np.searchsorted(self.class_ids, self.class_id)

    @cached_property
    def is_mined(self) -> npt.NDArray[np.bool_]:
        """(C,) bool, whether the class has enough transactions to be mined; no other is ever in S(X)."""
        return self.least <= self.class_sizes

    @property
    def unmined(self) -> dict[int, int]:
        """The classes that have too few transactions to be mined, and how many each has (count)."""
        few = ~self.is_mined
        return dict(zip(self.class_ids[few].tolist(), self.class_sizes[few].tolist(), strict=True))

    @cached_property
    def frequent(self) -> npt.NDArray[np.bool_]:
        """(m,) bool, whether the itemset reaches the class's threshold: the entries that make S(X)."""
        return self.patches >= self.least[self.label]

    @cached_property
    def n_classes(self) -> Ints:
        """(n,) int64, the size of S(X): 1 for class-specific itemsets, more for class-shared ones."""
        return np.bincount(self.itemset[self.frequent], minlength=len(self))

    @cached_property
    def kinds(self) -> npt.NDArray[np.str_]:
        """(n,) "specific" or "shared" for each itemset."""
        return np.where(self.n_classes == 1, "specific", "shared")

    @cached_property
    def units_of(self) -> list[tuple[int, ...]]:
        """The units of each itemset, ascending."""
        values, starts = self.unit_values.tolist(), self.unit_starts.tolist()
        return [tuple(values[a:b]) for a, b in itertools.pairwise(starts)]

    def trie(self, n_units: int) -> Trie:
        """The itemsets level by level; ``n_units`` is K, or any number larger than every unit."""
        matrices: list[npt.NDArray[np.integer]] = []
        for size in range(1, int(self.sizes.max(initial=0)) + 1):
            start = self.unit_starts[:-1][self.sizes == size]
            matrices.append(self.unit_values[start[:, None] + np.arange(size)].astype(np.int64))
        return from_matrices(matrices, n_units)

    @cached_property
    def itemsets(self) -> pd.DataFrame:
        """One row per itemset over the whole database (``class_id`` null), then one per class in S(X).

        Columns: itemset_id, units (tuple, ascending), class_id, support_count, image_count (counts), support (fraction
        of the class's transactions, or of all).
        """
        kept = np.flatnonzero(self.frequent)
        row_itemset = np.concatenate([np.arange(len(self)), self.itemset[kept]])
        order = np.argsort(row_itemset, kind="stable")
        class_id = np.concatenate([np.full(len(self), -1), self.class_id[kept]])[order]
        count = np.concatenate([self.all_patches, self.patches[kept]])[order]
        photos = np.concatenate([self.all_photos, self.photos[kept]])[order]
        size = np.concatenate([np.full(len(self), self.n), self.class_sizes[self.label[kept]]])[order]
        row_itemset = row_itemset[order]
        units = pd.Series([self.units_of[i] for i in row_itemset.tolist()], dtype=object)
        return pd.DataFrame(
            {
                "itemset_id": row_itemset,
                "units": units,
                "class_id": pd.arrays.IntegerArray(class_id, class_id < 0),
                "support_count": count,
                "image_count": photos,
                "support": count / np.maximum(size, 1),
            }
        )

    @cached_property
    def rules(self) -> pd.DataFrame:
        """One row per rule X -> c with c in S(X), by itemset and class.

        Columns: itemset_id, class_id, support_count (count of X with c), image_count, and, describing the database and
        proving nothing, confidence, lift, leverage, conviction. Against the contrast (see
        :mod:`interpret.mining.contrast`): contrast_count, contrast_patches, contrast_support, contrast_lift,
        contrast_image_count, contrast_images, image_p_value, image_q_value; without a contrast the counts are 0 and
        the rest is NaN: nothing was tested.
        """
        kept = np.flatnonzero(self.frequent)
        itemset, label = self.itemset[kept], self.label[kept]
        columns: dict[str, npt.NDArray] = {
            "itemset_id": itemset,
            "class_id": self.class_id[kept],
            "support_count": self.patches[kept],
            "image_count": self.photos[kept],
        }
        columns |= rule_measures.measures(
            self.patches[kept], self.all_patches[itemset], self.class_sizes[label], self.n
        )
        support = self.patches[kept] / np.maximum(self.class_sizes[label], 1)
        columns |= (
            untested(len(kept))
            if self.contrast is None
            else self.contrast.columns(support, self.photos[kept], label, self.class_photos, self.is_mined)
        )
        return pd.DataFrame(columns)

    @cached_property
    def units(self) -> pd.DataFrame:
        """The relevant units of every class: the union of the units of its itemsets, best first.

        A unit's rank within a class follows the support in that class of the best itemset that contains it. No itemset
        has more support than its subsets, so that is the support of the unit alone; ties are broken by the unit's
        index. Its kind is that of the unit alone: specific if it is frequent in this class only.

        Returns:
            Columns class_id, unit, rank (1 is best), support (fraction), kind; by class and rank.
        """
        singles = np.flatnonzero(self.frequent & (self.sizes[self.itemset] == 1))
        class_id = self.class_id[singles]
        itemset = self.itemset[singles]
        unit = self.unit_values[self.unit_starts[itemset]].astype(np.int64)
        count = self.patches[singles]
        order = np.lexsort((unit, -count, class_id))
        class_id, unit, label = class_id[order], unit[order], self.label[singles][order]
        new = np.concatenate([[True], class_id[1:] != class_id[:-1]]) if len(class_id) else np.zeros(0, bool)
        first = np.flatnonzero(new)[np.cumsum(new) - 1] if len(class_id) else np.zeros(0, np.int64)
        return pd.DataFrame(
            {
                "class_id": class_id,
                "unit": unit,
                "rank": np.arange(len(class_id)) - first + 1,
                "support": count[order] / self.class_sizes[label],
                "kind": pd.Series(self.kinds[itemset[order]], dtype=object),
            }
        )
