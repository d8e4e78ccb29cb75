"""Effects on other classes, of shared itemsets and of sets beyond their parts, worked out by hand."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from interpret import mining
from interpret.config import MineConfig
from interpret.evaluation import cross_class
from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.unit_rankings import Ranking
from interpret.mining.transactions import TransactionDatabase
from interpret.models.head import Head
from tests.ablation_example import CLASSES, hand_made, ours


def test_the_matrix_and_its_dominance_worked_out_by_hand():
    falls = cross_class.matrix(hand_made(), CLASSES, ours())
    # unit 0 off: both photos of class 0 wrong, class 1 unharmed, class 2 from one right to two
    assert falls.to_numpy().tolist() == [[1.0, 0.0, -0.5], [0.0, 1.0, 0.0], [1.0, 0.0, -0.5]]
    assert cross_class.dominance(falls) == pytest.approx(1 - (0.5 / 6) / (1.5 / 3))
    assert np.isnan(cross_class.dominance(-falls))
    only = pd.DataFrame(np.diag([0.5, 0.2]))
    assert cross_class.dominance(only) == 1.0
    assert cross_class.dominance(pd.DataFrame(np.full((3, 3), 0.5))) == 0.0


def mined_by_hand():
    # classes 0 and 1 share unit 1, class 0 has {0, 1} for itself, class 2 has {0, 2}
    rows = [[0, 1]] * 4 + [[1, -1]] * 4 + [[0, 2]] * 4
    database = TransactionDatabase(np.array(rows, np.int32), np.repeat([0, 1, 2], 4).astype(np.int32), np.arange(12), 3)
    return mining.mine(database, MineConfig(top_units=2, min_support=0.5, min_class_patches=1))


def test_shared_itemsets_and_synergy_worked_out_by_hand():
    ablation_set = hand_made()
    shared = cross_class.shared_falls(ablation_set, CLASSES, mined_by_hand())
    found = dict(zip(shared["units"], shared.to_dict("records"), strict=True))
    assert {units: line["classes"] for units, line in found.items()} == {(0,): (0, 2), (1,): (0, 1)}
    # unit 1 off: class 0 keeps both, class 1 loses both, class 2 keeps one of one: in S 0.5, outside 0
    line = found[(1,)]
    assert (line["fall_in"], line["fall_out"], line["difference"]) == (0.5, 0.0, 0.5)
    # two photos that agree leave doubt: falls of 0, 0 give +-0.693; of 1, 1 -0.349 to 1.349, 1.349 below the mean
    # and 0.349 above. Halved for the two classes in S: sqrt(0.693 ** 2 / 4 + 1.349 ** 2 / 4 + 0.693 ** 2) = 1.027
    assert (line["low"], line["high"]) == (pytest.approx(-0.527, abs=1e-3), pytest.approx(1.294, abs=1e-3))
    # unit 0 off: class 0 falls by 1, class 2 by -0.5; class 1 by 0. Class 2's photos differ: -1 and 0
    line = found[(0,)]
    assert (line["fall_in"], line["fall_out"]) == (0.25, 0.0)
    # -1, 0: the interval is -1.063 to 0.563; sqrt(0.349 ** 2 / 4 + 1.063 ** 2 / 4 + 0.693 ** 2) = 0.890
    assert line["high"] - line["difference"] == pytest.approx(0.890, abs=1e-3)

    ranking = Ranking("Ours-2", {0: np.array([0, 1]), 1: np.array([1]), 2: np.array([0])}, {0: 2, 1: 1, 2: 1})
    synergy = cross_class.synergies(ablation_set, CLASSES, mined_by_hand(), ranking)
    line = synergy[(synergy["class_id"] == 0) & (synergy["kind"] == "all relevant units")].iloc[0]
    # class 0 without 0 and 1: both wrong; without 0 alone: both wrong; without 1 alone: none
    assert (line["units"], line["fall"], line["parts"], line["synergy"]) == ((0, 1), 1.0, 1.0, 0.0)
    line = synergy[synergy["class_id"] == 2].iloc[0]  # {0, 2}: -0.5 together, -0.5 and 0 one by one
    assert (line["kind"], line["fall"], line["parts"]) == ("itemsets", -0.5, -0.5)


def photos_that_agree(weight, bias, features, counts) -> AblationSet:
    """So many photos of each class, all of them with the same features."""
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), torch.tensor(weight), torch.tensor(bias))
    labels = np.repeat(np.arange(len(counts)), counts)
    return AblationSet(head, labels, np.array(features, np.float32)[labels], None, np.arange(len(labels)))


@pytest.mark.parametrize(
    ("counts", "claim"),
    [((20, 20, 20), True), ((20, 20, 1), False), ((1, 20, 20), None), ((1, 1, 1), None), ((2, 2, 2), False)],
)
def test_a_shared_itemset_is_claimed_to_hurt_its_classes_only_from_enough_photos(counts, claim):
    # without unit 1 the photos of classes 0 and 1 fall from 4 to 1, below the 2 of class 2; those of class 2 stay
    weight, bias = [[1.0, 3.0, 0.0], [0.0, 3.0, 1.0], [0.0, 0.0, 0.0]], [0.0, 0.0, 2.0]
    photos = photos_that_agree(weight, bias, [[1, 1, 0], [0, 1, 1], [0, 0, 0]], counts)
    shared = cross_class.shared_falls(photos, CLASSES, mined_by_hand()).set_index("units")
    line = shared.loc[[(1,)]].iloc[0]
    assert (line["classes"], line["fall_in"], line["fall_out"], line["difference"]) == ((0, 1), 1.0, 0.0, 1.0)
    if claim is None:  # one photo of a class says nothing of how its photos differ
        assert np.isnan(line["low"])
        assert np.isnan(line["high"])
    else:
        assert bool(line["low"] > 0) is claim
        assert line["low"] < line["difference"] < line["high"]


@pytest.mark.parametrize(("count", "claim"), [(1, None), (2, False), (3, False), (4, True), (40, True)])
def test_a_synergy_is_claimed_only_from_enough_photos(count, claim):
    # class 0: 4 against 1; without either unit 2, still right; without both 0, wrong: each photo has a synergy of 1
    photos = photos_that_agree([[2.0, 2.0, 0.0], [0.0] * 3, [0.0] * 3], [0.0, 1.0, 0.0], [[1, 1, 0]], [count])
    ranking = Ranking("Ours-2", {0: np.array([0, 1])}, {0: 2})
    line = cross_class.synergies(photos, CLASSES[:1], mined_by_hand(), ranking).iloc[0]
    assert (line["units"], line["fall"], line["parts"], line["synergy"]) == ((0, 1), 1.0, 0.0, 1.0)
    if claim is None:
        assert np.isnan(line["low"])
    else:
        assert bool(line["low"] > 0) is claim
        assert line["low"] < 1.0 < line["high"]


def test_only_the_largest_of_the_itemsets_that_the_same_classes_share_is_measured():
    rows = [[0, 1, 2]] * 4 + [[0, 1, 2]] * 4 + [[0, 1, 2]] * 2 + [[0, 1, -1]] * 2
    database = TransactionDatabase(np.array(rows, np.int32), np.repeat([0, 1, 2], 4).astype(np.int32), np.arange(12), 3)
    mined = mining.mine(database, MineConfig(top_units=3, min_support=0.75, min_class_patches=1))
    shared = cross_class.shared_falls(hand_made(), CLASSES, mined)
    # class 2 has {0, 1}, and classes 0 and 1 have {0, 1, 2} besides; nothing smaller adds to these two
    assert set(zip(shared["units"], shared["classes"], strict=True)) == {((0, 1), (0, 1, 2)), ((0, 1, 2), (0, 1))}
    two = cross_class.shared_falls(hand_made(), CLASSES[:2], mined)
    assert set(zip(two["units"], two["classes"], strict=True)) == {((0, 1, 2), (0, 1))}


def test_many_classes_are_measured_on_fewer_photos(monkeypatch):
    ablation_set = hand_made()
    assert len(cross_class.thinned(ablation_set, CLASSES, settings=3)) == 6
    monkeypatch.setattr(cross_class, "MAX_PREDICTIONS", 0)
    many = dataclasses.replace(ablation_set, labels=np.zeros(6, np.int64))
    assert cross_class.thinned(many, np.array([0]), settings=3).tolist() == [0, 1, 2, 3, 4]


def test_the_largest_effects_on_other_classes_come_first():
    falls = pd.DataFrame([[0.9, 0.2, 0.0], [0.5, 0.8, -0.1], [0.2, 0.0, 1.0]], index=[3, 5, 8], columns=[3, 5, 8])
    pairs = cross_class.strongest(falls, 10)
    assert pairs.to_numpy().tolist() == [[5, 3, 0.5], [3, 5, 0.2], [8, 3, 0.2]]  # no gain, and no class itself
    assert cross_class.strongest(falls, 1).to_numpy().tolist() == [[5, 3, 0.5]]
    assert cross_class.strongest(falls.iloc[:0, :0], 5).empty


def test_classes_that_affect_each_other_stand_side_by_side():
    rng = np.random.default_rng(4)
    groups = rng.permutation(np.repeat(np.arange(6), 5))
    falls = (groups[:, None] == groups) * 0.4 + rng.random((30, 30)) * 0.1 + np.eye(30)
    order = cross_class.clustered(pd.DataFrame(falls))
    assert sorted(order.tolist()) == list(range(30))
    assert (np.diff(groups[order]) != 0).sum() == 5
    assert (cross_class.clustered(pd.DataFrame(falls)) == order).all()
    assert cross_class.clustered(pd.DataFrame(np.eye(2))).tolist() == [0, 1]
    assert sorted(cross_class.clustered(pd.DataFrame(np.zeros((4, 4)))).tolist()) == [0, 1, 2, 3]


def test_the_share_on_the_diagonal_is_that_of_all_falls_and_gains_make_up_for_none():
    # 0.6 on the diagonal and 0.6 beside it: half, though a cell of the diagonal is twice one beside it on average.
    falls = pd.DataFrame([[0.30, 0.10, 0.05], [0.20, 0.30, 0.0], [0.0, 0.25, 0.0]])
    assert cross_class.own_share(falls) == pytest.approx(0.5)
    falls.iloc[2, 0] = -0.6
    assert cross_class.own_share(falls) == pytest.approx(0.5), "a gain hides no fall"
    assert np.isnan(cross_class.own_share(-falls.clip(lower=0)))
