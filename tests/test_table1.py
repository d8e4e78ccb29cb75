"""Table 1, worked out by hand."""

import numpy as np
import pytest

from interpret.config import EvaluateConfig
from interpret.evaluation import cross_class
from interpret.evaluation.effect import ablate_class
from interpret.evaluation.table1 import BASELINE, keep_only, table_1
from interpret.evaluation.unit_rankings import Ranking
from interpret.figures import ablation_charts, evaluation_charts, influence_charts
from tests.ablation_example import CLASSES, hand_made, ours, row


def test_table_1_worked_out_by_hand():
    rival = Ranking("Rival", {0: np.array([2]), 1: np.array([2]), 2: np.array([2])})
    small = EvaluateConfig(budgets=(1, 2), draws=3, resamples=400)
    table, differences = table_1(hand_made(), CLASSES, [ours(), rival], [ours()], small)
    # all on: 5 of 6 right; unit 0, 1, 0 of classes 0, 1, 2 off: photos 4 and 5 are right, see test_ablation
    assert row(table, BASELINE, 0)[["accuracy", "units", "photos"]].tolist() == [pytest.approx(5 / 6), 0, 6]
    assert row(table, BASELINE, 0)["error"] == pytest.approx(np.sqrt(5 / 6 / 6 / 6))
    single = row(table, "Ours-2", 1)
    assert (single["accuracy"], single["units"]) == (pytest.approx(2 / 6), 1)
    assert np.isnan(single["low"])
    assert row(table, "Ours-2", None)["accuracy"] == pytest.approx(2 / 6)
    # two units: class 0 without 0 and 1: 0, 0, .5 -> 2, 2; class 1: 2, 2 again or 0, 0, .5 + 1 from unit 2 ->
    # photo 3 keeps unit 2: 1, 1, .5 -> 0; class 2 has only one unit to give: still right
    two = row(table, "Ours-2", 2)
    assert (two["accuracy"], two["units"]) == (pytest.approx(2 / 6), pytest.approx(5 / 3))
    # the rival's unit 2 changes no answer: photo 3 goes from 1, 7, 2.5 to 0, 6, 2.5
    assert row(table, "Rival", 1)["accuracy"] == pytest.approx(5 / 6)
    assert not ((table["method"] == "Rival") & table["budget"].isna()).any()
    drawn = row(table, "Random", 1)
    assert drawn["low"] <= drawn["accuracy"] <= drawn["high"]
    pair = differences[(differences["rival"] == "Rival") & (differences["budget"] == 1)].iloc[0]
    assert pair["difference"] == pytest.approx(-3 / 6)  # photos 0-3 lost, photo 4 won
    assert pair["low"] <= -3 / 6 <= pair["high"] <= 0.35
    assert differences["budget"].isna().sum() == 1  # at natural sizes only against as many random units
    assert set(differences["method"]) == {"Ours-2"}


def test_keeping_units_only_worked_out_by_hand():
    small = EvaluateConfig(draws=2, keep_budgets=(1, 3))
    table = keep_only(hand_made(), CLASSES, [ours()], small)
    # unit 0 alone: photos 0 and 1: 4, 0, 1.5 -> right; unit 1 alone: photos 2, 3: 0, 3, 1.5 and 0, 6, 2.5 -> right;
    # class 2, unit 0 alone: photo 4: 2, 0, 1 -> wrong; photo 5 right
    assert row(table, "Ours-2", 1)["accuracy"] == pytest.approx(5 / 6)
    assert not ((table["method"] == "Ours-2") & (table["budget"] == 3)).any()  # it has no three units
    assert row(table, "Random", 3)["accuracy"] == pytest.approx(5 / 6)  # all there are


def test_figures_say_what_the_tables_say():
    small = EvaluateConfig(budgets=(1, 2), draws=3, resamples=50)
    table, _ = table_1(hand_made(), CLASSES, [ours()], [ours()], small)
    figure = evaluation_charts.accuracy_curves(table, 5 / 6, methods=["Ours-2", "Random"])
    lines = {trace.name: trace for trace in figure.data if trace.name}
    assert set(lines) == {"Ours-2", "Random"}
    assert list(lines["Ours-2"].x) == [1, 2]
    assert list(lines["Ours-2"].y) == pytest.approx([2 / 6, 2 / 6])
    falls = cross_class.matrix(hand_made(), CLASSES, ours())
    heat, squares = influence_charts.influence_matrix(falls, ["a", "b", "c"]).data
    assert heat.z.tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    assert squares.text[2] == "units of a ablated: c gains 50.0 points"
    assert list(squares.customdata[5]) == [1, 2]
    bars = ablation_charts.class_effect(ablate_class(hand_made(), 0, [0]), "#0072B2").data[0]
    assert list(bars.x[:2]) == [1.0, 0.0]
