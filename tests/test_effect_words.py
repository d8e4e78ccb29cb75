"""What a list says of the accuracy that an itemset costs its classes."""

from types import SimpleNamespace

import pytest

from pages.shared.view import effects, widgets


@pytest.mark.parametrize(
    ("falls", "words"),
    [
        ([0.6], f"costs {effects.points(0.6)}"),
        ([0.6, 0.2], f"costs at least {effects.points(0.2)}"),
        ([0.54, -0.02], f"costs up to {effects.points(0.54)}, but not every class"),
        ([0.0, -0.02], "costs nothing"),
        ([], None),
    ],
)
def test_an_itemset_that_costs_one_of_its_classes_much_does_not_cost_nothing(monkeypatch, falls, words):
    rows = {class_id: SimpleNamespace(fall=fall) for class_id, fall in enumerate(falls)}
    monkeypatch.setattr(effects, "of_itemset", lambda findings, itemset_id: rows)
    assert effects.in_list(None, 0) == ([] if words is None else [widgets.text(words, "faint")])
