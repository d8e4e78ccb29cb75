"""The index of transactions by unit, against a search of every transaction; and how long derived values are kept."""

import numpy as np
import pytest

from interpret.findings.unit_index import UnitIndex
from interpret.study.derived import KEPT, Derived


@pytest.mark.parametrize("n_units", [12, 70_000])
def test_patches_of_units_are_those_that_a_search_finds(n_units):
    rng = np.random.default_rng(3)
    units = np.argsort(rng.random((400, 12)), axis=1)[:, :5].astype(np.int32)
    units[:, 3:][rng.random((400, 2)) < 0.5] = -1
    units = np.where(units >= 0, units + n_units - 12, -1).astype(np.int32)
    units[units == n_units - 1] = -1  # a unit that no transaction holds
    scores = np.where(units >= 0, rng.random(units.shape), 0).astype(np.float32)
    index = UnitIndex.of((units, scores), n_units)
    a, b, c, nowhere = n_units - 12, n_units - 11, n_units - 9, n_units - 1
    for asked in ([a], [b, a], [a, b, c], [nowhere], [a, nowhere], []):
        rows, found = index.holding(asked)
        expected = [row for row in range(400) if set(asked) <= set(units[row].tolist())]
        assert rows.tolist() == expected
        assert found.tolist() == [[float(scores[row][units[row] == unit][0]) for unit in asked] for row in expected], (
            asked
        )
    assert len(index.holding([a, b])[0]) > 20


def test_an_index_of_no_transactions_finds_none():
    index = UnitIndex.of((np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32)), 4)
    assert index.holding([2])[0].tolist() == []
    assert index.holding([])[0].tolist() == []


def test_of_each_name_the_values_asked_for_last_are_kept():
    held, made = Derived(), []

    def value(key):
        def make():
            made.append(key)
            return key

        return held.get(key, make)

    for size in range(KEPT):
        value(("a", size))
    value(("b", 0))
    value(("a", 0))  # asked for again, so that 1 is the oldest
    assert len(made) == KEPT + 1
    value(("a", KEPT))
    made.clear()
    for key in (("a", 0), ("b", 0), ("a", KEPT), ("a", 1)):
        assert value(key) == key
    assert made == [("a", 1)]
