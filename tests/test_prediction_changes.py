"""The smallest sets of units whose ablation changes a prediction, against trying every set."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch

from interpret.evaluation.ablation import AblationSet, classify
from interpret.evaluation.itemsets.prediction_changes import (
    HeadChanges,
    LinearChanges,
    prediction_changes,
    search,
    subsets,
)
from interpret.models.head import Head, find_head
from tests.ablation_example import hand_made
from tests.conftest import TinyNet

UNITS = 7


def drawn(seed: int, fill: bool = False) -> AblationSet:
    """Photos of a random linear head. Weights and features are small whole numbers, so that logits often tie."""
    rng = np.random.default_rng(seed)
    weight = torch.from_numpy(rng.integers(-2, 4, (5, UNITS)).astype(np.float32))
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), weight, torch.from_numpy(rng.integers(-1, 2, 5)).float())
    features = rng.integers(0, 4, (40, UNITS)).astype(np.float32)
    instead = rng.integers(0, 2, UNITS).astype(np.float32) if fill else None
    labels = rng.integers(0, 5, 40)
    return AblationSet(head, labels, features, None, np.arange(40), instead)


def predictions(photos: AblationSet, sets: np.ndarray, pool: np.ndarray) -> np.ndarray:
    """(S, n) the class of every photo with each set ablated, by the function that all ablations go through."""
    return classify(photos, [[pool[units]] for units in sets], np.zeros(len(photos), np.int64))


def every_set(n_units: int) -> np.ndarray:
    return np.array(list(itertools.product([False, True], repeat=n_units)))


@pytest.mark.parametrize("near", [1, 2, 8])
@pytest.mark.parametrize("seed", range(12))
def test_the_smallest_sets_are_those_that_trying_all_sets_finds(seed, near, monkeypatch):
    monkeypatch.setattr("interpret.evaluation.itemsets.prediction_changes.NEAR", near)
    photos = drawn(seed, fill=seed % 3 == 0)
    pool = np.arange(1, UNITS)  # a unit outside the pool is never ablated
    candidates = np.array([True, True, False, True, True, True])
    sets = every_set(len(pool))
    before = predictions(photos, np.zeros((1, len(pool)), bool), pool)[0]
    after = predictions(photos, sets, pool)
    seen = set()
    for class_id in range(5):
        members = np.flatnonzero(before == class_id)
        changes = LinearChanges(photos, members, class_id, pool)
        changed = after[:, members] != class_id
        assert (changes.changed(sets) == changed).all()
        found = changes.smallest(candidates, int(candidates.sum()))
        allowed = ~(sets & ~candidates).any(axis=1)
        for at in range(len(members)):
            sizes = sets[allowed & changed[:, at]].sum(axis=1)
            assert found.size[at] == (sizes.min() if len(sizes) else 0)
            assert found.chosen[at].sum() == found.size[at]
            if found.size[at]:
                assert changed[(sets == found.chosen[at]).all(axis=1).argmax(), at]
                assert not (found.chosen[at] & ~candidates).any()
        seen |= set(found.size.tolist())
        at_most = changes.smallest(candidates, 2).size
        assert at_most.tolist() == np.where(found.size <= 2, found.size, 0).tolist()
        half = np.arange(len(members)) % 2 == 0
        assert (changes.only(half).changed(sets) == changed[:, half]).all()
    assert len(seen) > 2


def test_a_tie_is_won_by_the_class_of_the_lower_index():
    # photo 0 of the hand-made network: logits 4, 0, 1.5; without unit 0 they are 0, 0, 0.5 and class 2 is predicted
    changes = LinearChanges(hand_made(), np.array([0, 1]), 0, np.array([0, 1]))
    # photo 1: 4, 3, 2.5; without unit 0: 0, 3, 1.5 -> class 1; without unit 1: 4, 0, 1.5
    assert changes.changed(np.array([[True, False], [False, True]])).tolist() == [[True, True], [False, False]]
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), torch.tensor([[1.0, 0.0], [0.0, 1.0]]), None)
    photos = AblationSet(head, np.array([0, 1]), np.array([[2, 0], [0, 2]], np.float32), None, np.arange(2))
    # with its unit ablated each photo has logits 0, 0, and class 0 is predicted
    assert not LinearChanges(photos, np.array([0]), 0, np.array([0])).changed(np.array([[True]])).any()
    assert LinearChanges(photos, np.array([1]), 1, np.array([1])).changed(np.array([[True]])).all()


def heads() -> tuple[AblationSet, AblationSet]:
    """The same photos before the same layers, once as pooled features and once as maps."""
    torch.manual_seed(3)
    network = TinyNet(units=6).eval()
    pixels = torch.randn(24, 3, 32, 32)
    linear = find_head(network, "act", pixels[:2])
    assert linear.linear
    kept = {}
    handle = network.act.register_forward_hook(lambda module, inputs, output: kept.update(maps=output.clone()))
    with torch.no_grad():
        predicted = network(pixels).argmax(dim=1).numpy()
    handle.remove()
    maps = kept["maps"].numpy()
    general = Head(network, "act", torch.zeros(1, 3, 32, 32))
    rows = np.arange(24)
    features = maps.mean(axis=(2, 3))
    return (
        AblationSet(linear, predicted.copy(), features, None, rows),
        AblationSet(general, predicted.copy(), features, maps, rows),
    )


def test_any_other_head_gives_the_same_as_the_linear_one():
    linear, general = heads()
    assert isinstance(prediction_changes(linear, np.arange(2), 0, np.arange(6)), LinearChanges)
    assert isinstance(prediction_changes(general, np.arange(2), 0, np.arange(6)), HeadChanges)
    candidates, sets = np.ones(6, bool), every_set(6)
    for class_id in np.unique(linear.labels).tolist():
        members = np.flatnonzero(linear.labels == class_id)
        one = LinearChanges(linear, members, class_id, np.arange(6))
        other = HeadChanges(general, members, class_id, np.arange(6))
        assert (one.changed(sets) == other.changed(sets)).all()
        exact, found = one.smallest(candidates, 6), other.smallest(candidates, 6)
        small = (exact.size <= 3) & (exact.size > 0)
        assert found.size[small].tolist() == exact.size[small].tolist()
        assert (found.size[exact.size == 0] == 0).all()
        assert found.size.tolist() == other.only(np.ones(len(members), bool)).smallest(candidates, 6).size.tolist()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("exact_sizes", [0, 1, 2, 3])
def test_a_greedy_set_is_never_smaller_than_the_smallest_and_as_small_where_all_were_tried(seed, exact_sizes):
    photos = dataclasses.replace(drawn(seed), labels=np.zeros(40, np.int64))
    pool, candidates = np.arange(UNITS), np.ones(UNITS, bool)
    weight, bias = photos.head.weight.numpy().astype(float), photos.head.bias.numpy().astype(float)
    before = predictions(photos, np.zeros((1, UNITS), bool), pool)[0]
    members = np.flatnonzero(before == 0)

    def lead(sets: np.ndarray, some: np.ndarray) -> np.ndarray:
        kept = photos.features[members[some]] * ~sets[:, None, :]
        values = kept @ weight.T + bias
        return values[:, :, 0] - values[:, :, 1:].max(axis=2)  # class 0 wins ties

    exact = LinearChanges(photos, members, 0, pool).smallest(candidates, UNITS)
    found = search(lead, len(members), candidates, UNITS, exact_sizes)
    tried = (exact.size > 0) & (exact.size <= exact_sizes)
    assert found.size[tried].tolist() == exact.size[tried].tolist()
    assert (found.size[exact.size == 0] == 0).all()
    reached = found.size > 0
    assert (found.size[reached] >= exact.size[reached]).all()
    for at in np.flatnonzero(reached).tolist():
        assert lead(found.chosen[at][None], np.array([at]))[0, 0] < 0
    assert (search(lead, len(members), candidates, 2, exact_sizes).size <= 2).all()


def test_all_sets_of_a_size_come_in_order():
    made = subsets(np.array([True, False, True, True]), 2)
    assert made.astype(int).tolist() == [[1, 0, 1, 0], [1, 0, 0, 1], [0, 0, 1, 1]]
    assert subsets(np.array([True, False]), 2).shape == (0, 2)
