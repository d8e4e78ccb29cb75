"""Transactions: each patch as a set of its N most relevant units and the predicted class of its photo."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class TransactionDatabase:
    """Transactions in a flat form that every mining engine reads.

    Attributes:
        units: (P, N) int32, unit indices, best first, distinct within a row; ``PAD`` fills the end of short rows.
        class_ids: (P,) int32, predicted class of each patch's photo.
        image_ids: (P,) int64, the photo that each patch was cut from.
        n_units: K, the number of units of the layer (count).
    """

    units: npt.NDArray[np.int32]
    class_ids: npt.NDArray[np.int32]
    image_ids: npt.NDArray[np.int64]
    n_units: int

    def __post_init__(self) -> None:
        for array in (self.units, self.class_ids, self.image_ids):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.class_ids)

    def top(self, n: int) -> "TransactionDatabase":
        """The same patches with at most their ``n`` best units."""
        return TransactionDatabase(self.units[:, :n], self.class_ids, self.image_ids, self.n_units)


@dataclass(frozen=True, eq=False)
class ContrastDatabase:
    """Contrast transactions: patches of photos explained for a class that they are not predicted as.

    Attributes:
        units: (Q, N) int32, as in :class:`TransactionDatabase`.
        targets: (Q,) int32, the class that each patch was explained for.
        predicted: (Q,) int32, the class that the patch's photo is predicted as.
        image_ids: (Q,) int64, the patch's photo.
        n_units: K (count).
    """

    units: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]
    predicted: npt.NDArray[np.int32]
    image_ids: npt.NDArray[np.int64]
    n_units: int

    def __post_init__(self) -> None:
        for array in (self.units, self.targets, self.predicted, self.image_ids):
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.targets)

    def top(self, n: int) -> "ContrastDatabase":
        """The same patches with at most their ``n`` best units."""
        return ContrastDatabase(self.units[:, :n], self.targets, self.predicted, self.image_ids, self.n_units)
