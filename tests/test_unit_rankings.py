"""Rankings of units: orders worked out by hand, optimality conditions, and a search without shortcuts."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import lars_path

from interpret.config import ExtractConfig, MineConfig
from interpret.errors import InputError
from interpret.evaluation import unit_rankings
from interpret.evaluation.ablation import AblationSet, classify
from interpret.evaluation.class_means import class_means
from interpret.evaluation.greedy import NEAR, greedy, largest_after
from interpret.evaluation.mulasso import lasso_paths
from interpret.models.head import Head
from interpret.study import Study
from tests.ablation_example import hand_made


def linear_ablation_set(photos: int, units: int, classes: int, seed: int = 0) -> AblationSet:
    rng = np.random.default_rng(seed)
    weight = torch.from_numpy(rng.normal(size=(classes, units)).astype(np.float32))
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), weight, torch.zeros(classes))
    features = rng.random((photos, units)).astype(np.float32)
    labels = (features @ weight.numpy().T).argmax(axis=1)
    labels[::5] = rng.integers(0, classes, len(labels[::5]))
    return AblationSet(head, labels.astype(np.int64), features, None, np.arange(photos))


def study_of(folder: Path, transactions, classes, features, units: int) -> Study:
    """A study held in memory: transaction p is photo p's only patch, its units with falling scores N, N - 1, ..."""
    width = max(len(units) for units in transactions)
    ranked = np.full((len(transactions), width), -1, np.int32)
    scores = np.zeros(ranked.shape, np.float32)
    for row, transaction in enumerate(transactions):
        ranked[row, : len(transaction)] = transaction
        scores[row, : len(transaction)] = np.arange(width, width - len(transaction), -1)
    extract = ExtractConfig(contrast=0, stored_units=width)
    study = Study(folder, {})
    ids = np.arange(len(transactions))
    study.__dict__.update(
        images=pd.DataFrame({"image_id": ids, "label": pd.array(classes, "Int32"), "predicted": classes}),
        patches=pd.DataFrame({"image_id": ids, "predicted": np.array(classes, np.int32)}),
        ranked=(ranked, scores),
        features=features,
        recorded=SimpleNamespace(
            key="k", n_units=units, class_names=tuple("abcdefgh"), config=SimpleNamespace(extract=extract)
        ),
        identity="what is in memory",
    )
    return study


def test_orders_of_mined_units_worked_out_by_hand(tmp_path):
    # class 0: {2, 0}, {2, 1}, {0}, {0, 1}: counts 3, 2, 2 of 4 for units 0, 1, 2; at s = 0.5 all three are relevant
    # class 1: {3, 0}, {3}, {3}, {3}, {3, 4}: unit 3 relevant at s = 0.5, units 0 and 4 seen once
    transactions = [[2, 0], [2, 1], [0], [0, 1], [3, 0], [3], [3], [3], [3, 4]]
    classes = [0, 0, 0, 0, 1, 1, 1, 1, 1]
    features = np.tile(np.array([1.0, 1.0, 1.0, 1.0, 0.5], np.float32), (9, 1))
    # to the two classes' difference, unit 1 gives 3, unit 2 gives 2, unit 0 gives 1 - 1 = 0; unit 4 gives class 1 less
    weight = torch.tensor([[1.0, 3.0, 2.0, 0.0, 0.0], [1.0, 0.0, 0.0, 2.0, -1.0]])
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), weight, torch.zeros(2))
    data = AblationSet(head, np.array(classes), features, None, np.arange(9))
    study = study_of(tmp_path, transactions, classes, features, 5)
    config = MineConfig(top_units=2, min_support=0.5, min_class_patches=1, contrast_quantile=0.0)

    def order(rule, **options):
        ranking = unit_rankings.mined(study, data, np.array([0, 1, 7]), config, rule=rule, **options)
        assert ranking.name == f"Ours-{options.get('top_units', 2)}"
        return [ranking.best(c, 9).tolist() for c in (0, 1, 7)], ranking

    found, ranking = order("support")
    assert found == [[0, 1, 2], [3, 0, 4], []]
    assert ranking.natural == {0: 3, 1: 1, 7: 0}
    assert ranking.best(1, None).tolist() == [3]
    # scores are 2 for the best unit of a patch and 1 for the next: unit 0: 1 + 2 + 2, unit 2: 2 + 2, unit 1: 1 + 1
    assert order("score")[0] == [[0, 2, 1], [3, 0, 4], []]
    # evidence: unit 1: 3, unit 2: 2, unit 0: 0; class 1: relevant unit 3, then unit 0 (0) before unit 4 (-0.5)
    assert order("evidence")[0] == [[1, 2, 0], [3, 0, 4], []]
    # with N = 1: class 0 holds 2, 2, 0, 0 and unit 1 was never among the best
    assert order("support", top_units=1)[0] == [[0, 2], [3], []]
    with pytest.raises(InputError, match="--rule"):
        order("beauty")


def test_rankings_without_mining_worked_out_by_hand():
    data = hand_made()
    classes = np.array([0, 1, 2])
    # mean features: class 0: 1, 0.5, 0; class 1: 0, 1.5, 0.5; class 2: 0.25, 0, 0
    by_activation = unit_rankings.activation(data, classes)
    assert [by_activation.best(c, 3).tolist() for c in range(3)] == [[0, 1, 2], [1, 2, 0], [0, 1, 2]]
    # weights: 4 0 1 / 0 3 1 / 1 1 0; contributions 4, 0, 0 / 0, 4.5, 0.5 / 0.25, 0, 0; ties go to the lower index
    assert [unit_rankings.contribution(data, classes).best(c, 3).tolist() for c in range(3)] == [
        [0, 1, 2], [1, 2, 0], [0, 1, 2],
    ]  # fmt: skip
    assert [unit_rankings.weight(data, classes).best(c, 3).tolist() for c in range(3)] == [
        [0, 2, 1],
        [1, 2, 0],
        [0, 1, 2],
    ]
    assert by_activation.best(1, 1).tolist() == [1]
    assert by_activation.best(5, 2).tolist() == []
    assert unit_rankings.trained_classes(data, [2, 9, 0]).tolist() == [0, 2]


def test_evidence_is_discounted_by_what_rivals_get():
    weight = torch.tensor([[5.0, 4.0], [5.0, 0.0], [0.0, 0.0]])
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), weight, torch.tensor([0.0, 0.0, -50.0]))
    data = AblationSet(head, np.zeros(2, np.int64), np.ones((2, 2), np.float32), None, np.arange(2))
    classes = np.array([0])
    assert unit_rankings.contribution(data, classes).best(0, 2).tolist() == [0, 1]
    assert unit_rankings.evidence(data, classes).best(0, 2).tolist() == [
        1,
        0,
    ]  # unit 0 helps the only rival as much


def test_random_rankings():
    classes = np.array([3, 8])
    first = unit_rankings.random(100, classes, {3: 4, 8: 0}, seed=1)
    again = unit_rankings.random(100, classes, {3: 4, 8: 0}, seed=1)
    other = unit_rankings.random(100, classes, {3: 4, 8: 0}, seed=2)
    assert sorted(first.best(3, 100)) == list(range(100))
    assert (first.best(3, 100) == again.best(3, 100)).all()
    assert (first.best(3, 100) != other.best(3, 100)).any()
    assert (first.best(3, 100) != first.best(8, 100)).any()
    assert len(first.best(3, None)) == 4
    assert len(first.best(8, None)) == 0


def test_the_lasso_with_uncorrelated_units_takes_them_by_their_correlation():
    # columns are orthogonal and of mean 0, so the solution is soft thresholding, with weights |correlation| - lambda
    patterns = np.array([[1, 1, 1, 1, -1, -1, -1, -1], [1, 1, -1, -1, 1, 1, -1, -1], [1, -1, 1, -1, 1, -1, 1, -1]])
    labels = np.array([1, 1, 1, 0, 1, 0, 0, 0])  # correlates with all three patterns alike ...
    features = patterns.T.astype(np.float32)
    features[:, 1] *= -1  # ... so the second is turned round and must not be chosen
    features[:, 2] *= 40  # and scale must not matter
    path = lasso_paths(features, labels, np.array([1]), budget=3)[1]
    assert sorted(path.at(2).tolist()) == [0, 2]
    assert sorted(path.natural.tolist()) == [0, 2]
    assert path.at(0).tolist() == []


def test_lasso_paths_meet_the_conditions_of_an_optimum():
    data = linear_ablation_set(120, 20, 3)
    features = np.asarray(data.features)
    path = lasso_paths(features, data.labels, np.array([0, 1]), budget=8, mu=2.0)[1]
    scaled = features / np.linalg.norm(features, axis=0)
    scaled = scaled - scaled.mean(axis=0)
    target = (data.labels == 1) - (data.labels == 1).mean()
    for step in range(1, path.weights.shape[1] - 1):
        weights = np.zeros(20)
        weights[path.units] = path.weights[:, step]
        assert (weights >= 0).all()
        gradient = scaled.T @ (target - scaled @ weights)
        active = weights > 1e-9
        assert np.ptp(gradient[active]) < 1e-6  # all active units correlate alike with what is left ...
        assert (gradient[~active] <= gradient[active].max() + 1e-6).all()  # ... and no other unit more
    sums = path.weights.sum(axis=0)
    within = np.flatnonzero(sums <= 2.0)[-1]
    assert len(path.natural) == (path.weights[:, within] > 0).sum()
    for budget in (1, 3, 6):
        assert len(path.at(budget)) <= budget
    ranking = unit_rankings.lasso(data, np.array([1]), budget=8, mu=2.0)
    assert ranking.best(1, 3).tolist() == path.at(3).tolist()
    assert ranking.best(1, None).tolist() == path.natural.tolist()


@pytest.mark.parametrize("piece", [1 << 26, 1700])
def test_the_lasso_read_in_pieces_is_that_of_scikit_learn_on_all_photos(piece, monkeypatch, tmp_path):
    monkeypatch.setattr("interpret.evaluation.mulasso.PIECE", piece)  # 1,700 bytes are ten photos of 20 units
    rng = np.random.default_rng(2)
    every = rng.random((150, 20)).astype(np.float32)
    every[:, 7] = 0.0  # a dead unit
    np.save(tmp_path / "features.npy", every)
    rows = np.sort(rng.permutation(150)[:130])
    labels = rng.integers(0, 4, 130)  # classes 0 and 2 are not asked for
    every[rows, labels] += 0.4
    np.save(tmp_path / "features.npy", every)
    stored = np.load(tmp_path / "features.npy", mmap_mode="r")
    paths = lasso_paths(stored, labels, np.array([1, 3]), rows=rows, budget=8, mu=2.0)
    responses = every[rows].astype(np.float64)
    length = np.linalg.norm(responses, axis=0)
    scaled = responses / np.where(length > 0, length, 1.0)
    scaled -= scaled.mean(axis=0)
    for class_id in (1, 3):
        target = (labels == class_id) - (labels == class_id).mean()
        _, _, weights = lars_path(scaled, target, max_iter=36, method="lasso", positive=True)
        found = np.zeros((20, paths[class_id].weights.shape[1]))
        found[paths[class_id].units] = paths[class_id].weights
        assert found.shape == weights.shape
        assert found == pytest.approx(weights, abs=1e-9)
        for size in (1, 4, 8):
            kept = weights[:, np.flatnonzero((weights != 0).sum(axis=0) <= size)[-1]]
            assert set(paths[class_id].at(size).tolist()) == set(np.flatnonzero(kept > 0).tolist())


def test_greedy_equals_trying_out_every_unit():
    data = linear_ablation_set(60, 12, 4, seed=3)
    found = greedy(data, np.array([0, 2]), budget=5, shortlist=12)
    for class_id in (0, 2):
        photos = np.flatnonzero(data.labels == class_id)
        taken: list[int] = []
        for _ in range(5):
            tried = []
            for unit in range(12):
                if unit in taken:
                    continue
                logits = data.features[photos].copy()
                logits[:, [*taken, unit]] = 0
                logits = logits @ data.head.weight.numpy().T
                own_logit = logits[:, class_id]
                gap = own_logit - np.delete(logits, class_id, axis=1).max(axis=1)
                tried.append(((gap > 0).mean(), float(gap.astype(np.float64).mean()), unit))
            best = min(tried)
            taken.append(best[2])
        assert found.best(class_id, 5).tolist() == taken
        groups = np.zeros(len(photos), np.int64)
        accuracy = (classify(data, [[found.best(class_id, n)] for n in (0, 5)], groups, photos) == class_id).mean(
            axis=1
        )
        assert accuracy[1] < accuracy[0]


@pytest.mark.parametrize("signs", [True, False])
def test_the_largest_logit_after_ablation_is_that_of_trying_every_class_to_the_last_bit(signs):
    rng = np.random.default_rng(8)
    for rivals, spread in ((NEAR - 1, 1.0), (NEAR, 1.0), (40, 0.001), (40, 1.0), (40, 30.0)):
        logits = torch.from_numpy(rng.normal(size=(23, rivals)).astype(np.float32) * spread)
        features = torch.from_numpy(rng.normal(size=(31, 23)).astype(np.float32))
        weights = torch.from_numpy(rng.normal(size=(31, rivals)).astype(np.float32))
        features = features if signs else features.abs()
        every = (logits[None] - features[:, :, None] * weights[:, None]).amax(dim=2)
        assert torch.equal(largest_after(logits, features, weights), every)


def test_greedy_takes_the_evidence_that_is_known():
    data = linear_ablation_set(60, 30, 4, seed=3)
    classes = np.array([0, 1, 2])
    alone = greedy(data, classes, budget=4, shortlist=6)
    known = greedy(data, classes, budget=4, shortlist=6, means=class_means(data, classes))
    assert [known.units[c].tolist() for c in range(3)] == [alone.units[c].tolist() for c in range(3)]
    # a class of more photos than are used has the evidence of those that are used
    few = greedy(data, classes, budget=4, shortlist=6, photos=3, means=class_means(data, classes))
    assert [few.units[c].tolist() for c in range(3)] == [
        greedy(data, classes, budget=4, shortlist=6, photos=3).units[c].tolist() for c in range(3)
    ]


def test_what_needs_a_linear_head_says_so(tiny):
    head = Head(tiny, "first", torch.zeros(1, 3, 32, 32))
    data = AblationSet(
        head, np.array([0]), np.zeros((1, 8), np.float32), np.zeros((1, 8, 4, 4), np.float32), np.arange(1)
    )
    with pytest.raises(InputError, match="not linear"):
        unit_rankings.weight(data, np.array([0]))
    with pytest.raises(InputError, match="pooling and one linear map"):
        greedy(data, np.array([0]))
    with pytest.raises(InputError, match="not stored"):
        AblationSet(head, np.array([0]), np.zeros((1, 8), np.float32), None, np.arange(1))
