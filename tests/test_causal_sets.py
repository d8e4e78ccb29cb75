"""Minimal causal sets and halving sets, worked out by hand and against trying every set."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.itemsets.causal_sets import Candidates, find_candidates, photo_sets
from interpret.evaluation.itemsets.causal_summary import causal_summary, halving_summary
from interpret.evaluation.itemsets.halving_sets import halving_set, halving_table
from interpret.evaluation.itemsets.prediction_changes import LinearChanges
from interpret.evaluation.itemsets.supported_sets import ClassSets
from interpret.models.head import Head
from interpret.stats import wilson


def class_sets(*itemsets: tuple[int, ...]) -> ClassSets:
    units = np.unique(np.concatenate(itemsets)).astype(np.int64)
    return ClassSets(0, itemsets, np.arange(len(itemsets)), ((0,),) * len(itemsets), units)


def of_class_0(features: list[list[float]], rival: float = 0.0) -> AblationSet:
    """Photos whose logits are the sum of their features for class 0, and ``rival`` for class 1."""
    width = len(features[0])
    weight = torch.stack([torch.ones(width), torch.zeros(width)])
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), weight, torch.tensor([0.0, rival]))
    n = len(features)
    return AblationSet(head, np.zeros(n, np.int64), np.array(features, np.float32), None, np.arange(n))


# Class 0 is left where the sum of the features falls below 4. Units 0 to 3 are in itemsets, unit 4 has most evidence.
PHOTOS = of_class_0(
    [
        [3, 1, 1, 1, 0],  # 6: without unit 0 it is 3; no other single unit is enough
        [2, 2, 2, 0, 1],  # 7: two of the units 0, 1, 2 have to go
        [1, 1, 1, 1, 2],  # 6: three of the four
        [0, 0, 0, 0, 9],  # 9: the candidates change nothing
    ],
    rival=4.0,
)
SETS = class_sets((0,), (1,), (2,), (3,), (0, 1), (1, 2), (0, 1, 3))
EVIDENCE = np.array([4.0, 3.0, 2.0, 1.0, 5.0])
SUPPORT = np.array([0.9, 0.6, 0.6, 0.3, 0.5])


def hand_made(limit: int = 24) -> tuple[LinearChanges, Candidates]:
    candidates = find_candidates(SETS, EVIDENCE, SUPPORT, limit)
    return LinearChanges(PHOTOS, np.arange(4), 0, candidates.pool), candidates


def test_candidates_are_the_units_of_itemsets_by_evidence():
    _, candidates = hand_made()
    assert candidates.pool.tolist() == [0, 1, 2, 3, 4]
    assert candidates.chosen.tolist() == [True, True, True, True, False]
    assert candidates.left_out == 0
    assert candidates.pool[candidates.ranked].tolist() == [4, 0, 1, 2]  # as many as there are candidates
    _, fewer = hand_made(limit=2)
    assert fewer.pool[fewer.chosen].tolist() == [0, 1]
    assert fewer.left_out == 2
    assert fewer.pool.tolist() == [0, 1, 4]
    # {0, 1, 3} has a unit that is no candidate: {0, 1} is inside it, and it is none of the sets to ablate
    assert fewer.whole.tolist() == [True, True, False, False, True, False, False]


def test_the_minimal_sets_of_photos_worked_out_by_hand():
    changes, candidates = hand_made()
    table = photo_sets(changes, candidates, draws=50, seed=0)
    assert table["size"].tolist() == [1, 2, 3, pd.NA]
    # photo 1: {0,1}, {0,2}, {1,2}; two of them are itemsets. Photo 2: the four triples, of which {0,1,3} is an itemset
    assert table["sets"].tolist()[:3] == [1, 3, 4]
    assert table["is_itemset"].tolist()[:3] == [1, pytest.approx(2 / 3), 0.25]
    assert table["inside"].tolist()[:3] == [1, pytest.approx(2 / 3), 0.25]
    assert table["units"].tolist()[0] == (0,)
    assert table["units"].tolist()[3] == ()
    # photo 1: mean support of its sets (0.75 + 0.75 + 0.6) / 3; photo 2: (1.8 * 3 + 2.4 ...) by hand below
    assert table["support"].tolist()[1] == pytest.approx(0.7)
    triples = [(0.9 + 0.6 + 0.6), (0.9 + 0.6 + 0.3), (0.9 + 0.6 + 0.3), (0.6 + 0.6 + 0.3)]
    assert table["support"].tolist()[2] == pytest.approx(sum(triples) / 12)
    # one unit: the itemset of most evidence, {0}, changes photo 0, the others don't; unit 4 does not
    assert table["changed_itemset"].tolist()[:3] == [1, 1, 1]
    assert table["changed_itemsets"].tolist()[:3] == [0.25, 1, 1]
    # two units: {4, 0} leave 2, 2 of photo 1 which then loses; three: {4, 0, 1} leave photo 2 with 2
    assert table["changed_evidence"].tolist()[:3] == [0, 0, 1]
    assert table.iloc[3].drop("units").isna().all()


def test_a_unit_beyond_the_bound_is_not_used():
    changes, candidates = hand_made(limit=2)
    table = photo_sets(changes, candidates, draws=5, seed=0)
    assert table["size"].tolist() == [1, 2, pd.NA, pd.NA]  # photo 2 needs three units
    assert table["inside"].tolist()[1] == 1


def test_random_sets_are_seeded_and_as_frequent_as_asked():
    rng = np.random.default_rng(5)
    units = np.arange(12)
    sets = class_sets(*((unit,) for unit in units.tolist()))
    support = np.linspace(0.2, 0.9, 12)
    candidates = find_candidates(sets, -units.astype(float), support, 24)
    for like in (0.4, 0.55, 0.7):
        made = candidates.random(3, 400, np.random.default_rng(1), like)
        assert (made.sum(axis=1) == 3).all()
        assert support[np.nonzero(made)[1]].mean() == pytest.approx(like, abs=0.01)
        assert len(np.unique(made, axis=0)) > 50
        again = candidates.random(3, 400, np.random.default_rng(1), like)
        assert (made == again).all()
        assert (made != candidates.random(3, 400, rng, like)).any()
    # none is as frequent as this: the most frequent units are taken
    assert candidates.random(2, 5, rng, 1.0)[:, -2:].all()
    changes, by_hand = hand_made()
    one, other = (photo_sets(changes, by_hand, draws=40, seed=seed) for seed in (0, 0))
    pd.testing.assert_frame_equal(one, other)
    assert not one.equals(photo_sets(changes, by_hand, draws=40, seed=1))


def test_what_is_said_of_random_sets_is_their_share():
    changes, candidates = hand_made()
    table = photo_sets(changes, candidates, draws=4000, seed=0)
    # photo 1: pairs as frequent as 0.7 each; the share inside an itemset follows from the draws of that power
    rng = np.random.default_rng([0, 0, 2])
    made = candidates.random(2, 4000, rng, 0.7)
    pairs = {(0, 1), (1, 2), (0, 3), (1, 3)}  # pairs within {0,1}, {1,2}, {0,1,3}
    inside = np.mean([tuple(np.flatnonzero(row)) in pairs for row in made])
    assert table["inside_random"].tolist()[1] == pytest.approx(inside)
    one = np.mean([tuple(np.flatnonzero(row)) in {(0, 1), (1, 2)} for row in made])
    assert table["is_itemset_random"].tolist()[1] == pytest.approx(one)
    assert 0 < one < inside
    assert table["support_random"].tolist()[1] == pytest.approx(0.7, abs=0.01)


def test_the_summary_is_the_mean_over_photos():
    changes, candidates = hand_made()
    table = photo_sets(changes, candidates, draws=20, seed=0)
    rows = {(row.measure, row.size): row for row in causal_summary(table, 1, 10, 200, 0)}
    assert rows["without", "all"][4:8] == (0.2, *(float(end) for end in wilson(1, 5)), 5)
    for size in ("1", "2", "3", "none"):
        assert rows["size", size].value == 0.25
    assert rows["size", "4+"].value == 0
    assert rows["inside", "2+"].value == pytest.approx((2 / 3 + 0.25) / 2)
    assert rows["any_evidence", "2+"].value == 0.5  # of photos 1 and 2, see above
    whole = rows["is_itemset_gain", "2+"].value
    assert whole == pytest.approx((2 / 3 + 0.25) / 2 - table["is_itemset_random"][1:3].mean())
    gain = rows["inside_gain", "2+"]
    assert gain.value == pytest.approx(rows["inside", "2+"].value - rows["inside_random", "2+"].value)
    assert gain.low <= gain.value <= gain.high
    assert rows["itemset_gain", "2+"].value == pytest.approx(1 - 0.5)
    assert rows["itemset_gain", "2+"].n == 2
    assert [row.measure for row in causal_summary(table.iloc[:0], 3, 10, 200, 0)] == ["without"]


def test_the_halving_set_worked_out_by_hand():
    changes, candidates = hand_made()
    row = halving_set(changes, candidates, draws=20, seed=0)
    # no unit loses two of the four photos; of the pairs {0, 1} and {0, 2} lose photos 0 and 1, and the first is taken
    assert (row["photos"], row["candidates"], row["size"], row["units"]) == (4, 4, 2, (0, 1))
    assert (row["lost"], row["exact"], row["is_itemset"], row["inside"]) == (0.5, True, True, True)
    assert (row["low"], row["high"]) == pytest.approx(tuple(float(end) for end in wilson(2, 4)))
    assert row["itemset_size"] == 2
    # {4, 0} lose photos 0, 2 and 3 and leave 4 of photo 1, a tie; one unit of most evidence loses photo 3 only
    assert (row["evidence_size"], row["lost_evidence"]) == (2, 0.75)
    assert row["lost_all"] == 0.75
    rows = {(each.measure, each.size): each.value for each in halving_summary(halving_table([row]), 10)}
    assert (rows["size", "2"], rows["size", "none"], rows["itemset", "all"]) == (1, 0, 1)


@pytest.mark.parametrize("seed", range(10))
def test_the_halving_set_is_the_smallest_that_trying_all_sets_finds(seed):
    rng = np.random.default_rng(seed)
    photos = of_class_0(rng.integers(0, 4, (15, 6)).tolist(), rival=3.0)
    members = np.flatnonzero(photos.features.sum(axis=1) >= 3)
    sets = class_sets(*((unit,) for unit in range(6)), (0, 1, 2))
    candidates = find_candidates(sets, rng.random(6), rng.random(6), 24)
    changes = LinearChanges(photos, members, 0, candidates.pool)
    every = np.array(list(itertools.product([False, True], repeat=6)))
    lost = np.stack([(photos.features[members] * ~chosen).sum(axis=1) < 3 for chosen in every])
    enough = 2 * lost.sum(axis=1) >= len(members)
    smallest = every[enough].sum(axis=1).min()
    exact = halving_set(changes, candidates, draws=5, seed=0, exact_sizes=6)
    assert exact["size"] == smallest
    for sizes in (0, 1, 2, 3):
        grown = halving_set(changes, candidates, draws=5, seed=0, exact_sizes=sizes)
        assert grown["size"] >= smallest
        assert lost[(every == np.isin(np.arange(6), grown["units"])).all(axis=1).argmax()].mean() == grown["lost"]
        if grown["exact"]:
            assert grown["size"] == smallest


def test_a_class_that_keeps_its_answers_has_no_halving_set():
    photos = of_class_0([[1, 9.0], [1, 9.0]], rival=2.0)
    candidates = find_candidates(class_sets((0,)), np.array([1.0, 2.0]), np.array([0.5, 0.5]), 24)
    row = halving_set(LinearChanges(photos, np.arange(2), 0, candidates.pool), candidates, draws=3, seed=0)
    assert row["size"] is None
    assert row["itemset_size"] is None
    assert row["lost_all"] == 0
    assert row["evidence_size"] == 1  # unit 1 alone
    table = halving_table([row])
    assert table["size"].isna().all()
    assert table["exact"].isna().all()
