"""Transactions in the order that the engines walk them: by class, then by photo, units ascending."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.errors import InputError
from interpret.mining.transactions import TransactionDatabase

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Layout:
    """A database sorted by class, then by photo, with the units of each row ascending.

    Attributes:
        units: (P, N) int32, ascending within a row; short rows are padded with ``n_units``.
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
    def one_patch_each(self) -> bool:
        """Whether no photo has two transactions of one class, so that photos and transactions count alike."""
        return len(self) == int(self.class_photos.sum())

    def merged(self) -> "Layout":
        """The same transactions as one class of index 0."""
        return _arranged(self.units, np.zeros(len(self), np.int64), self.photo_ids, self.n_units)


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
    units = np.array(database.units, np.int32, ndmin=2)
    if units.size and units.max() >= n_units:
        raise InputError(f"The transactions name unit {units.max()}, but the layer has units 0 to {n_units - 1} only.")
    units[units < 0] = n_units
    units.sort(axis=1)
    if ((units[:, 1:] == units[:, :-1]) & (units[:, 1:] < n_units)).any():
        raise InputError("A transaction names a unit twice; write each unit once.")
    return _arranged(units, database.class_ids, database.image_ids, n_units)


def _arranged(units: npt.NDArray[np.int32], classes: npt.NDArray, photos: npt.NDArray, n_units: int) -> Layout:
    """Order rows whose units are ascending already."""
    classes, photos = classes.astype(np.int64), photos.astype(np.int64)
    same = classes[1:] == classes[:-1]
    if not ((classes[1:] > classes[:-1]) | (same & (photos[1:] >= photos[:-1]))).all():
        order = np.lexsort((photos, classes))
        units, classes, photos = units[order], classes[order], photos[order]
        same = classes[1:] == classes[:-1]
    if not len(classes):
        none = np.zeros(0, np.int64)
        return Layout(units, none, none, none, none, none, none, 0, n_units, nested=True)
    new_class = np.concatenate([[True], ~same])
    new_photo = np.concatenate([[True], ~same | (photos[1:] != photos[:-1])])
    row_class = np.cumsum(new_class) - 1
    n_photos = _different(photos[new_photo])
    return Layout(
        units=units,
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
