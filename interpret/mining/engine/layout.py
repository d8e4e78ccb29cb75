"""Transactions in the order that the engines walk them: by class, then by photo, units ascending."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.errors import InputError
from interpret.mining.transactions import TransactionDatabase

Ints = npt.NDArray[np.int64]


_CELLS = 1 << 18
"""Cells of a padded table that are handled at once (count): what stays in a processor's cache."""


@dataclass(frozen=True, eq=False)
class Layout:
    """A database sorted by class, then by photo, with the units of each row ascending and without padding.

    Attributes:
        units: (n,) int32, the units of all rows one after the other, ascending within a row.
        row_starts: (P + 1,) int64, where each row's units begin, and n at the end.
        row_class: (P,) int64, index into ``class_ids``, ascending.
        row_photo: (P,) int64, dense index of the row's (class, photo) pair, ascending.
        photo_ids: (P,) int64, the photo as the database names it.
        class_ids: (C,) int64, the classes that occur, ascending.
        class_sizes: (C,) int64, transactions per class (count).
        class_photos: (C,) int64, photos per class (count).
        n_photos: photos in all (count).
        n_units: K, units of the layer (count).
        nested: whether all transactions of a photo have the same class; in a study they do.
    """

    units: npt.NDArray[np.int32]
    row_starts: Ints
    row_class: Ints
    row_photo: Ints
    photo_ids: Ints
    class_ids: Ints
    class_sizes: Ints
    class_photos: Ints
    n_photos: int
    n_units: int
    nested: bool

    def __len__(self) -> int:
        return len(self.row_class)

    @property
    def class_starts(self) -> Ints:
        """(C + 1,) int64, the first row of each class, and the number of rows at the end."""
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(self.class_sizes)])

    @property
    def width(self) -> int:
        """Units of the longest row (count)."""
        return int(np.diff(self.row_starts).max(initial=0))

    @property
    def pairs(self) -> int:
        """Pairs of units within a row, over all rows (count)."""
        lengths = np.diff(self.row_starts)
        return int((lengths * (lengths - 1) // 2).sum())

    @property
    def one_patch_each(self) -> bool:
        """Whether no photo has two transactions of one class, so that photos and transactions count alike."""
        return len(self) == int(self.class_photos.sum())

    def numbered(self, number: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], Ints]:
        """The rows with other numbers for the units, without those whose number is negative.

        Args:
            number: (K,) int32, the new number of each unit.

        Returns:
            The (n,) int32 numbers of all rows one after the other, in the units' order, and (P + 1,) int64 where each
            row's begin.
        """
        parts, starts = [np.zeros(0, np.int32)], [np.zeros(1, np.int64)]
        for rows, _ in _slices(np.diff(self.row_starts)):
            edges = self.row_starts[rows.start : rows.stop + 1]
            new = number[self.units[edges[0] : edges[-1]]]
            held = new >= 0
            before = np.concatenate([starts[-1][-1:], held]).cumsum()
            parts.append(new[held])
            starts.append(before[edges[1:] - edges[0]])
        return np.concatenate(parts), np.concatenate(starts)

    def merged(self) -> "Layout":
        """The same transactions as one class of index 0."""
        classes = np.zeros(len(self), np.int64)
        order, classes, photos = _order(classes, self.photo_ids)
        units, lengths = self.units, np.diff(self.row_starts)
        if order is not None:
            starts, lengths = self.row_starts[:-1][order], lengths[order]
            units = np.concatenate([units[starts[rows].repeat(n) + within(n)] for rows, n in _slices(lengths)])
        return _arranged(units, lengths, classes, photos, self.n_units)


def arrange(database: TransactionDatabase) -> Layout:
    """Sort a database for mining.

    Args:
        database: P transactions of at most N units.

    Returns:
        The layout, of the same P transactions.

    Raises:
        InputError: where a unit is not in 0..K-1 or comes twice in a transaction.
    """
    n_units = int(database.n_units)
    units = np.array(database.units, np.int32, ndmin=2, copy=None)
    if units.size and units.max() >= n_units:
        raise InputError(f"The transactions name unit {units.max()}, but the layer has units 0 to {n_units - 1} only.")
    order, classes, photos = _order(database.class_ids.astype(np.int64), database.image_ids.astype(np.int64))
    flat, lengths = _flat(units if len(classes) else units[:0], order, n_units)
    return _arranged(flat, lengths, classes, photos, n_units)


def _order(classes: Ints, photos: Ints) -> tuple[Ints | None, Ints, Ints]:
    """The order of rows by class, then photo, None where they are in it; and their classes and photos in that order."""
    same = classes[1:] == classes[:-1]
    if ((classes[1:] > classes[:-1]) | (same & (photos[1:] >= photos[:-1]))).all():
        return None, classes, photos
    order = np.lexsort((photos, classes))
    return order, classes[order], photos[order]


def _flat(units: npt.NDArray[np.int32], order: Ints | None, n_units: int) -> tuple[npt.NDArray[np.int32], Ints]:
    """The units of rows, padded with negative numbers, one row after the other, ascending within each; and how many."""
    flat: list[npt.NDArray[np.int32]] = [np.zeros(0, np.int32)]
    lengths = [np.zeros(0, np.int64)]
    step = max(1, _CELLS // max(1, units.shape[1]))
    for lo in range(0, len(units), step):
        rows = units[lo : lo + step] if order is None else units[order[lo : lo + step]]
        held = rows >= 0
        n = np.count_nonzero(held, axis=1)
        some = rows[held] if n.min() < rows.shape[1] else rows.ravel()
        row_of_next = np.cumsum(n)[:-1]
        row_of_next = row_of_next[(row_of_next > 0) & (row_of_next < len(some))]
        if not _ascending(some, row_of_next):
            base = (np.arange(len(n)) * n_units).repeat(n)
            keys = base + some
            keys.sort()
            some = (keys - base).astype(np.int32)
            if not _ascending(some, row_of_next):
                raise InputError("A transaction names a unit twice; write each unit once.")
        flat.append(some)
        lengths.append(n)
    return np.concatenate(flat), np.concatenate(lengths)


def _ascending(units: npt.NDArray[np.int32], starts: Ints) -> bool:
    """Whether units ascend within rows; ``starts`` are where all rows but the first begin."""
    rises = units[1:] > units[:-1]
    rises[starts - 1] = True
    return bool(rises.all())


def _slices(lengths: Ints) -> Iterator[tuple[slice, Ints]]:
    """Runs of rows of about ``_CELLS`` units in all, with their lengths; at least one, be it empty."""
    ends = np.cumsum(lengths)
    at = 0
    while at < len(lengths) or not at:
        done = int(ends[at - 1]) if at else 0
        until = max(at + 1, int(np.searchsorted(ends, done + _CELLS, side="right")))
        yield slice(at, until), lengths[at:until]
        at = until


def within(lengths: Ints) -> Ints:
    """0, 1, ... within each of consecutive groups of so many members."""
    return np.arange(int(lengths.sum())) - (np.cumsum(lengths) - lengths).repeat(lengths)


def _arranged(units: npt.NDArray[np.int32], lengths: Ints, classes: Ints, photos: Ints, n_units: int) -> Layout:
    """The layout of rows that are in order."""
    row_starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    if not len(classes):
        none = np.zeros(0, np.int64)
        return Layout(units, row_starts, none, none, none, none, none, none, 0, n_units, nested=True)
    same = classes[1:] == classes[:-1]
    new_class = np.concatenate([[True], ~same])
    new_photo = np.concatenate([[True], ~same | (photos[1:] != photos[:-1])])
    row_class = np.cumsum(new_class) - 1
    n_photos = _different(photos[new_photo])
    return Layout(
        units=units,
        row_starts=row_starts,
        row_class=row_class,
        row_photo=np.cumsum(new_photo) - 1,
        photo_ids=photos,
        class_ids=classes[new_class],
        class_sizes=np.bincount(row_class),
        class_photos=np.bincount(row_class[new_photo]),
        n_photos=n_photos,
        n_units=n_units,
        nested=n_photos == int(new_photo.sum()),
    )


def _different(values: Ints) -> int:
    """How many different values there are."""
    if not (values[1:] > values[:-1]).all():
        values = np.sort(values)
    return 1 + int((values[1:] != values[:-1]).sum())
