"""Class-specific and class-shared itemsets and units, against hand-worked numbers and a plain recount."""

import pandas as pd
from hypothesis import given, settings

from interpret.mining import mine, relevance
from interpret.mining.transactions import TransactionDatabase
from interpret.study.schema import PAD
from tests.mining_cases import brute_force, config, database, databases, supports

NAMES = ["Bird", "Dog", "Car"]

POSTER = database(
    [[34, 193, 7], [34, 193], [193, 34], [34, 193, 5], [193, 512], [512, 193, 34], [512]],
    [0, 0, 1, 1, 2, 2, 2],
)


def test_notation_is_the_posters() -> None:
    assert relevance.notation((193, 34), [1, 0], NAMES) == "34,193 -> Bird, Dog"
    assert relevance.notation((193, 512), [2], NAMES) == "193,512 -> Car"


def test_poster_example_by_hand() -> None:
    found = mine(POSTER, config(0.6))
    table = relevance.summary(found, NAMES)
    assert table.notation.tolist() == [
        "34 -> Bird, Dog",
        "193 -> Bird, Dog, Car",
        "512 -> Car",
        "34,193 -> Bird, Dog",
        "193,512 -> Car",
    ]
    assert table.kind.tolist() == ["shared", "shared", "specific", "shared", "specific"]
    assert table.classes.tolist() == [(0, 1), (0, 1, 2), (2,), (0, 1), (2,)]
    assert table.lowest.tolist() == [1, 2 / 3, 1, 1, 2 / 3]
    assert table.highest.tolist() == [1, 1, 1, 1, 2 / 3]
    assert table.support_count.tolist() == [5, 6, 3, 5, 2]


def test_relevant_units_by_hand() -> None:
    table = mine(POSTER, config(0.6)).units
    assert table.values.tolist() == [
        [0, 34, 1, 1.0, "shared"],
        [0, 193, 2, 1.0, "shared"],
        [1, 34, 1, 1.0, "shared"],
        [1, 193, 2, 1.0, "shared"],
        [2, 512, 1, 1.0, "specific"],
        [2, 193, 2, 2 / 3, "shared"],
    ]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(databases(), supports)
def test_equals_the_definition(data: TransactionDatabase, support: float) -> None:
    """The union of the units of a class's itemsets, ranked by the best itemset that holds them, read literally."""
    found = mine(data, config(support))
    every = brute_force(data, support)
    n = pd.Series(data.class_ids).value_counts()
    frequent = {
        (x, c): k[0] / n[c] for x, _, _, by_class in every for c, k in by_class.items() if _reaches(k[0], n[c], support)
    }
    assert relevance.classes_of(found) == [tuple(c for c in sorted(n.index) if (x, c) in frequent) for x, *_ in every]
    expected = []
    for c in sorted(n.index):
        best: dict[int, float] = {}
        for (x, k), share in frequent.items():
            for unit in x if k == c else ():
                best[unit] = max(best.get(unit, 0), share)
        ranked = sorted(best, key=lambda unit: (-best[unit], unit))
        for rank, unit in enumerate(ranked, 1):
            classes = {k for x, k in frequent if x == (unit,)}
            expected.append([c, unit, rank, best[unit], "specific" if classes == {c} else "shared"])
    assert found.units.values.tolist() == expected


def _reaches(k: int, n: int, support: float) -> bool:
    from fractions import Fraction

    return Fraction(int(k), int(n)) >= Fraction(repr(float(support)))


def test_padding_is_no_unit() -> None:
    data = database([[2], [2, 5]], [0, 0])
    assert (data.units == PAD).any()
    assert mine(data, config(0.5)).units.unit.tolist() == [2, 5]
