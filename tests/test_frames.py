"""Rows of frames as named tuples: by the columns' names, whatever else the frame holds and in whatever order."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from interpret import frames


class Row(NamedTuple):
    name: str
    count: int
    units: tuple[int, ...]


def test_rows_take_columns_by_name_and_keep_the_order_of_the_rows():
    frame = pd.DataFrame(
        {
            "count": np.array([3, 1], np.int32),
            "more": [None, 0.5],
            "units": [(1, 2), ()],
            "name": ["Bird", "Dog"],
        },
        index=[7, 7],
    )
    found = frames.rows(frame, Row)
    assert found == [Row("Bird", 3, (1, 2)), Row("Dog", 1, ())]
    assert type(found[0][1]) is int
    assert frames.rows(frame.iloc[:0], Row) == []
    with pytest.raises(KeyError, match="units"):
        frames.rows(frame.drop(columns="units"), Row)
