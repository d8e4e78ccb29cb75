"""Whether itemsets are true of their classes, against numbers worked by hand and exact chances."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

from interpret.dissection.dissect import judge
from interpret.dissection.overlap import Overlaps
from interpret.dissection.result import Dissection
from interpret.dissection.supported import supported_shares
from interpret.dissection.verdicts import (
    by_chance,
    has_part,
    itemset_table,
    parts_of_classes,
    share_table,
    unit_table,
)


def test_unit_table_by_hand():
    table = unit_table(np.array([[0.5, 0.5, 0.1], [0.01, 0.03, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.04]]), "abc")
    assert table["part"].tolist() == ["a", None, None, "c"]  # of equal ones the first; 0.04 counts
    assert table["best_part"].tolist() == ["a", "b", None, "c"]
    assert table["iou"].tolist() == [0.5, 0.03, 0.0, 0.04]
    assert table["runner_up"].tolist() == ["b", "a", None, None]
    assert table["runner_up_iou"].tolist() == [0.5, 0.01, 0.0, 0.0]
    assert table["detects"].tolist() == [("a", "b", "c"), (), (), ("c",)]


PARTS = ("eye", "tail", "wheel")
HAS = has_part(("Dog", "Cat", "Car"), {"Dog": ("eye", "tail"), "Cat": ("eye", "tail"), "Car": ("wheel",)}, PARTS)


@pytest.fixture
def units():
    """Units 0 and 1 detect eyes, 2 tails, 3 wheels; 4 and 5 detect nothing."""
    iou = np.zeros((6, 3))
    iou[[0, 1, 2, 3], [0, 0, 1, 2]] = 0.2
    iou[4, 0] = 0.03
    return unit_table(iou, PARTS)


def test_has_part_by_hand():
    assert HAS.tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_itemsets_are_judged_by_hand(units):
    itemsets = {0: (0,), 1: (0, 2), 2: (0, 3), 3: (3,), 4: (0, 4), 5: (2,), 6: (5,)}
    classes = {0: (0, 1), 1: (1,), 2: (0, 1), 3: (1, 2), 4: (0,), 6: (2,)}
    table = itemset_table(itemsets, classes, units, PARTS, HAS).set_index("itemset_id")
    assert table.index.tolist() == [0, 1, 2, 3, 4, 6]  # 5 reaches the support in no class
    assert table["kind"].tolist() == ["shared", "specific", "shared", "shared", "specific", "specific"]
    assert table["true"].tolist() == [True, True, False, False, False, False]
    assert table["decided"].tolist() == [True, True, True, True, False, False]
    assert table["parts"].tolist() == [("eye",), ("eye", "tail"), ("eye", "wheel"), ("wheel",), ("eye", None), (None,)]


def test_how_a_wrong_itemset_goes_wrong(units):
    """Unit 0 sees wheels best and eyes as well; unit 1 eyes; unit 3 nothing but wheels."""
    iou = np.zeros((4, 3))
    iou[0] = 0.1, 0.0, 0.2
    iou[[1, 3], [0, 2]] = 0.2
    units = unit_table(iou, PARTS)
    itemsets = {0: (0,), 1: (0,), 2: (0, 1), 3: (3,), 4: (0, 2)}
    classes = {0: (0, 1), 1: (0, 2), 2: (0, 1), 3: (1, 2), 4: (2,)}
    table = itemset_table(itemsets, classes, units, PARTS, HAS)
    assert table["true"].tolist() == [False, False, False, False, False]
    assert table["true_any"].tolist() == [True, False, True, False, False]  # eyes are of Dog and Cat
    assert table["true_each"].tolist() == [True, True, True, False, False]  # eyes of Dog, wheels of Car
    shares = share_table(table, units, PARTS, HAS, draws=40_000).set_index(["kind", "size"])
    assert shares.loc["shared", 0]["share_any"] == 0.5
    assert shares.loc["shared", 0]["share_each"] == 0.75
    # of the four units, two have eyes for Dog and Cat; one alone for Dog and Car
    assert shares.loc["shared", 2]["random_any"] == pytest.approx(float(hypergeom(4, 2, 2).pmf(2)), abs=0.02)
    assert shares.loc["shared", 1]["random_each"] == pytest.approx((2 + 1 + 1) / 4 / 3, abs=0.02)


def test_shares_by_hand_and_random_sets_against_their_exact_chance(units):
    itemsets = {0: (0,), 1: (0, 2), 2: (0, 3), 3: (4,)}
    classes = {0: (0, 1), 1: (0, 1), 2: (0, 1), 3: (2,)}
    judged = itemset_table(itemsets, classes, units, PARTS, HAS)
    shares = share_table(judged, units, PARTS, HAS, draws=40_000, seed=1).set_index(["kind", "size"])
    shared = shares.loc["shared", 0]
    assert (shared["itemsets"], shared["decided"], shared["true"]) == (3, 3, 2)
    assert shared["share"] == pytest.approx(2 / 3)
    specific = shares.loc["specific", 0]
    assert (specific["itemsets"], specific["decided"], specific["true"]) == (1, 0, 0)
    assert np.isnan(specific["share_decided"])
    # Dog and Cat have the parts of units 0, 1 and 2: 3 of 6 units, 3 of 4 detectors
    one, two = 3 / 6, float(hypergeom(6, 3, 2).pmf(2))
    assert two == pytest.approx(3 / 15)
    assert shares.loc["shared", 1]["random"] == pytest.approx(one, abs=0.02)
    assert shares.loc["shared", 2]["random"] == pytest.approx(two, abs=0.02)
    assert shared["random"] == pytest.approx((one + 2 * two) / 3, abs=0.02)
    assert shares.loc["shared", 2]["random_decided"] == pytest.approx(float(hypergeom(4, 3, 2).pmf(2)), abs=0.02)
    assert shares.loc["specific", 1]["random"] == pytest.approx(1 / 6, abs=0.02)
    again = share_table(judged, units, PARTS, HAS, draws=40_000, seed=1).set_index(["kind", "size"])
    pd.testing.assert_frame_equal(shares, again)


def test_shares_where_no_unit_detects_anything():
    units = unit_table(np.zeros((5, 3)), PARTS)
    judged = itemset_table({0: (1, 2), 1: (0,)}, {0: (0, 1), 1: (2,)}, units, PARTS, HAS)
    shares = share_table(judged, units, PARTS, HAS)
    assert (shares["true"] == 0).all()
    assert (shares["random"] == 0).all()


def test_parts_of_classes_are_what_a_tenth_of_their_images_show():
    seen = np.zeros((22, 2), bool)
    seen[0, 0] = True  # 1 of the 10 images of class 0
    seen[10, 1] = True  # 1 of the 11 images of class 1
    labels = [0] * 10 + [1] * 11 + [None]
    seen[21] = True
    assert parts_of_classes(seen, labels, 3).tolist() == [[True, False], [False, False], [False, False]]


class _Mined:
    """The two columns of a mining result that are read."""

    def __init__(self) -> None:
        self.itemsets = pd.DataFrame(
            {
                "itemset_id": [0, 0, 0, 1, 1],
                "units": [[0]] * 3 + [[0, 1]] * 2,
                "class_id": pd.array([None, 0, 1, None, 2], dtype="Int32"),
            }
        )


def test_judging_reads_the_classes_of_each_itemset_and_survives_the_disk(tmp_path):
    counted = Overlaps(
        ("eye", "tail", "wheel"),
        intersection=np.array([[50, 0, 0], [0, 0, 7]]),
        fired=np.array([100, 100]),
        labelled=np.array([60, 10, 10]),
        thresholds=np.zeros(2, np.float32),
        seen=np.ones((1, 3), bool),
    )
    result = judge(counted, _Mined(), HAS, {"level": 0.04, "draws": 10, "seed": 0})
    assert result.units["part"].tolist() == ["eye", "wheel"]
    assert result.units["iou"].tolist() == [50 / 110, 7 / 103]
    assert result.itemsets["classes"].tolist() == [(0, 1), (2,)]
    assert result.itemsets["true"].tolist() == [True, False]
    assert (result.facts["units_at_0.04"], result.facts["units_at_0.1"]) == (2, 1)
    result.write(tmp_path / "found")
    again = Dissection.read(tmp_path / "found")
    for name in ("units", "itemsets", "shares"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(result, name))
    assert (again.iou == result.iou).all()
    assert (again.has == HAS).all()
    assert (again.parts, again.facts) == (result.parts, result.facts)


def test_shares_by_what_the_contrast_says(units):
    # Of six units two detect eyes and one a tail, parts of Dog (0) and Cat (1); one detects a wheel, a part of Car (2).
    judged = pd.DataFrame(
        {
            "itemset_id": [0, 1, 2, 3],
            "kind": ["specific", "specific", "shared", "shared"],
            "size": [2, 1, 2, 3],
            "classes": [(0,), (2,), (0, 1), (0, 2)],
            "true": [True, False, True, False],
        }
    )
    rules = pd.DataFrame(
        {
            "itemset_id": [0, 1, 2, 2, 3, 3],
            "image_q_value": [0.05, 0.051, 0.01, 0.01, 0.01, 0.01],
            "contrast_lift": [2.0, 9.0, 2.5, np.inf, 4.0, 1.99],
        }
    )
    mined = SimpleNamespace(rules=rules, contrast=object())
    shares = supported_shares(judged, mined, units, PARTS, HAS)
    assert shares[["kind", "findings", "itemsets", "true"]].to_numpy().tolist() == [
        ["specific", "all", 2, 1], ["specific", "supported", 1, 1], ["specific", "not supported", 1, 0],
        ["shared", "all", 2, 1], ["shared", "supported", 1, 1], ["shared", "not supported", 1, 0],
    ]  # fmt: skip
    assert shares["share"].tolist() == [0.5, 1.0, 0.0] * 2
    two_of_three, wheel = 3 / 15, 1 / 6  # 3 of 6 units fit Dog: 3 pairs of 15; 1 of 6 fits Car; none fits Dog and Car
    expected = [(two_of_three + wheel) / 2, two_of_three, wheel, two_of_three / 2, two_of_three, 0.0]
    assert shares["random"].tolist() == pytest.approx(expected)
    mined.contrast = None
    assert supported_shares(judged, mined, units, PARTS, HAS)["findings"].tolist() == ["all", "all"]


def test_chance_is_what_random_draws_give(units):
    judged = itemset_table(
        {0: (0, 1), 1: (2,), 2: (0, 1, 2), 3: (3, 4)}, {0: [0], 1: [0, 1], 2: [1], 3: [2]}, units, PARTS, HAS
    )
    table = share_table(judged, units, PARTS, HAS, draws=4000, seed=1)
    chance = pd.Series(by_chance(judged, units, PARTS, HAS))
    for kind in ("specific", "shared"):
        drawn = table[(table["kind"] == kind) & (table["size"] == 0)]["random"].iloc[0]
        assert chance[(judged["kind"] == kind).to_numpy()].mean() == pytest.approx(drawn, abs=0.01)
