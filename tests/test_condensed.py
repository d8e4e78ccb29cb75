"""Closed and maximal itemsets and redundant rules, against enumeration, pyfim and examples worked by hand."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interpret.mining import Mined, mine
from interpret.mining.condensed import by_class, over_classes, redundant
from interpret.mining.transactions import TransactionDatabase
from interpret.study.schema import PAD
from tests.mining_cases import config, database, databases, skewed, supports


def _rules(found: Mined) -> list[tuple[int, int, int]]:
    """Itemset, class and count of every rule."""
    columns = (found.itemset, found.class_id, found.patches)
    return list(zip(*(column[found.frequent].tolist() for column in columns), strict=True))


def _enumerated(found: Mined) -> tuple[list[bool], list[bool], list[bool]]:
    """Closed, maximal and redundant rules by comparing every pair of itemsets."""
    units = [set(x) for x in found.units_of]
    count = {(i, c): k for i, c, k in _rules(found)}
    closed, maximal, again = [], [], []
    for (i, c), k in count.items():
        above = [j for j in range(len(units)) if units[i] < units[j] and (j, c) in count]
        closed.append(all(count[j, c] != k for j in above))
        maximal.append(not above)
        below = [j for j in range(len(units)) if units[j] < units[i] and (j, c) in count]
        again.append(
            any(count[j, c] * found.all_patches[i] >= k * found.all_patches[j] for j in below)
        )  # fmt: skip
    return closed, maximal, again


def _enumerated_over(found: Mined, classes: set[int]) -> tuple[list[bool], list[bool]]:
    """Closed and maximal over the given classes, by comparing every pair of itemsets."""
    units = [set(x) for x in found.units_of]
    counts: list[dict[int, int]] = [{} for _ in units]
    for i, c, k in _rules(found):
        if c in classes:
            counts[i][c] = k
    above = [
        [j for j in range(len(units)) if units[i] < units[j] and counts[i] and counts[i].keys() == counts[j].keys()]
        for i in range(len(units))
    ]
    return [all(counts[j] != counts[i] for j in found_) for i, found_ in enumerate(above)], [not a for a in above]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(databases(), supports, st.sampled_from([None, (0,), (0, 7), (3, 7), ()]))
def test_condensed_itemsets_equal_enumeration(
    data: TransactionDatabase, support: float, classes: tuple[int, ...] | None
) -> None:
    found = mine(data, config(max(support, 0.2)))
    if len(found) > 60:
        return
    closed, maximal, again = _enumerated(found)
    made = by_class(found)
    assert (made.closed.tolist(), made.maximal.tolist()) == (closed, maximal)
    assert redundant(found).tolist() == again
    over = over_classes(found, classes)
    assert (over.closed.tolist(), over.maximal.tolist()) == _enumerated_over(
        found, set(found.class_ids.tolist() if classes is None else classes)
    )


def test_closed_and_maximal_by_hand() -> None:
    # {1} 5, {2} 6, {3} 4, {9} 3; {1,2} 5, {1,3} 4, {2,3} 4; {1,2,3} 4
    found = mine(database([[1, 2, 3]] * 4 + [[1, 2], [2]] + [[9]] * 3, [0] * 9), config(1 / 3))
    made = by_class(found)
    assert list(itertools.compress(found.units_of, made.closed)) == [(2,), (9,), (1, 2), (1, 2, 3)]
    assert list(itertools.compress(found.units_of, made.maximal)) == [(9,), (1, 2, 3)]


def test_closed_over_the_classes_that_share_an_itemset_by_hand() -> None:
    a, b = 4, 6
    data = database([[1, 2, 3]] * 5 + [[2]] * 2 + [[1, 3]] * 4 + [[1]], [a] * 7 + [b] * 5)
    found = mine(data, config(0.5))
    # in a and b: {1} 5 and 5, {3} 5 and 4, {1,3} 5 and 4; in a alone: {2} 7, {1,2}, {2,3} and {1,2,3} 5
    made = over_classes(found)
    assert list(itertools.compress(found.units_of, made.closed)) == [(1,), (2,), (1, 3), (1, 2, 3)]
    assert list(itertools.compress(found.units_of, made.maximal)) == [(1, 3), (1, 2, 3)]
    made = over_classes(found, [a])
    assert list(itertools.compress(found.units_of, made.closed)) == [(2,), (1, 2, 3)]
    assert list(itertools.compress(found.units_of, made.maximal)) == [(1, 2, 3)]


def test_condensed_itemsets_equal_pyfim() -> None:
    fim = pytest.importorskip("fim")
    data = skewed(1500, 3, seed=14, n_units=40)
    found = mine(data, config(0.08))
    made = by_class(found)
    for kept, target in ((made.closed, "c"), (made.maximal, "m")):
        for c in range(3):
            rows = [[u for u in row if u != PAD] for row in data.units[data.class_ids == c].tolist()]
            least = int(found.least[c])
            theirs = fim.eclat([*rows, []], target=target, supp=-least, zmin=1, report="a")
            ours = [(found.units_of[i], k) for i, label, k in itertools.compress(_rules(found), kept) if label == c]
            assert sorted(ours) == sorted((tuple(sorted(x)), k) for x, k in theirs)
    assert made.closed.sum() > made.maximal.sum() > 0


def test_redundant_rules_by_hand() -> None:
    # 1 -> c with confidence 2/2; 1,2 -> c with 1/1 says nothing more. 3 -> c with 1/2; 3,1 -> c with 1/1 does.
    data = database([[1, 2], [1, 3], [3]], [0, 0, 1])
    found = mine(data, config(0.5))
    rule = zip([found.units_of[i] for i in found.rules.itemset_id], found.rules.class_id, strict=True)
    told = dict(zip(rule, redundant(found).tolist(), strict=True))
    assert told[(1, 2), 0]
    assert told[(1, 3), 0]  # 1 alone has confidence 1
    assert not told[(1,), 0]
    assert not told[(3,), 0]
    assert list(itertools.compress(told, told.values())) == [((1, 2), 0), ((1, 3), 0)]

    # Only what is listed makes another redundant, and what is not listed is not judged.
    def among(*left_out: tuple[int, ...]) -> list[tuple[int, ...]]:
        listed = np.array([units not in left_out for units, _ in told])
        return [units for units, _ in itertools.compress(told, redundant(found, listed))]

    assert among() == [(1, 2), (1, 3)]
    assert among((1,)) == [(1, 2)]  # 2 alone says as much as 1,2, and 3 alone does not as 1,3
    assert among((1,), (2,)) == []
    assert among((1, 2)) == [(1, 3)]
