"""Rows of a data frame as named tuples: a reader in another module knows the columns and their types."""

from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

Row = TypeVar("Row", bound=NamedTuple)


def rows(frame: "pd.DataFrame", kind: type[Row]) -> list[Row]:
    """The rows of a frame in their order, as named tuples of one kind.

    Args:
        frame: with a column for each field of ``kind``; its other columns are ignored.
        kind: a named tuple whose fields are called as the columns are, with the types of their values.

    Raises:
        KeyError: a column is missing.
    """
    columns = [frame[name].tolist() for name in kind._fields]
    return [kind._make(values) for values in zip(*columns, strict=True)]


def integers(frame: "pd.DataFrame", *names: str) -> "tuple[npt.NDArray[np.int64], ...]":
    """Some columns of a frame as int64 arrays, in the order asked for.

    Raises:
        KeyError: a column is missing.
    """
    return tuple(frame[name].to_numpy("int64") for name in names)
