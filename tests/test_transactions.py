import numpy as np
import pytest
import torch

from interpret.explanation.encoding import pool_patches, rank_units
from interpret.mining.transactions import TransactionDatabase
from interpret.study.schema import PAD


def test_pooling_by_hand():
    activations = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]], [[[10.0, 20.0], [30.0, 40.0]]]])  # (2, 1, 2, 2)
    boxes = torch.tensor([[0, 0, 8, 8], [0, 0, 4, 4], [2, 0, 6, 8], [5, 5, 6, 6]])
    owners = torch.tensor([0, 1, 0, 1])
    pooled = pool_patches(activations, owners, boxes, 8, 8)[:, 0].tolist()
    assert pooled == pytest.approx([2.5, 10.0, 2.5, 40.0])
    # a box over three quarters of the left column's width and a quarter of the right one's
    uneven = pool_patches(activations, torch.tensor([0]), torch.tensor([[1, 0, 5, 4]]), 8, 8)[0, 0].item()
    assert uneven == pytest.approx((3 * 1.0 + 1 * 2.0) / 4)


def test_pooling_equals_the_mean_over_pixels():
    rng = np.random.default_rng(0)
    activations = torch.from_numpy(rng.random((3, 5, 7, 7), dtype=np.float32))
    pixels = activations.repeat_interleave(32, dim=2).repeat_interleave(32, dim=3).numpy()
    boxes, owners = [], []
    for _ in range(40):
        x0, x1 = sorted(rng.choice(225, 2, replace=False))
        y0, y1 = sorted(rng.choice(225, 2, replace=False))
        boxes.append([x0, y0, x1, y1])
        owners.append(rng.integers(3))
    found = pool_patches(activations, torch.tensor(owners), torch.tensor(np.array(boxes)), 224, 224).numpy()
    expected = [pixels[o][:, y0:y1, x0:x1].mean(axis=(1, 2)) for o, (x0, y0, x1, y1) in zip(owners, boxes, strict=True)]
    assert found == pytest.approx(np.array(expected), abs=1e-5)


def test_ranking_keeps_positive_scores_best_first_and_ties_by_unit():
    scores = torch.tensor([[0.5, -1.0, 2.0, 0.5, 0.0], [-1.0, -2.0, 0.0, -0.1, -3.0]])
    found = rank_units(scores, 4)
    assert found.units.tolist() == [[2, 0, 3, PAD], [PAD] * 4]
    assert found.scores.tolist() == [[2.0, 0.5, 0.5, 0.0], [0.0] * 4]
    assert rank_units(scores, 1).units.tolist() == [[2], [PAD]]
    assert rank_units(scores, 99).units.shape == (2, 5)


def test_a_shorter_database_holds_the_best_units():
    database = TransactionDatabase(
        np.array([[4, 2, 9], [1, PAD, PAD]], np.int32), np.zeros(2, np.int32), np.arange(2, dtype=np.int64), 10
    )
    assert database.top(2).units.tolist() == [[4, 2], [1, PAD]]
    with pytest.raises(ValueError, match="read-only"):
        database.units[0, 0] = 1
