"""Runs found on the device that the maps are on are those found on the processor."""

import numpy as np
import pytest
import torch

from interpret.explanation import device_runs
from interpret.explanation.regions import cut_runs, find_runs
from interpret.explanation.upsampling import upsampled

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
    ),
]


def maps(seed, n=40, side=7):
    """Maps of ReLUs of noise, sparse to dense, with some of zeros, a constant one and a symmetric one."""
    rng = np.random.default_rng(seed)
    drawn = np.maximum(rng.normal(rng.uniform(-2, 1, (n, 1, 1)), 1, (n, side, side)), 0).astype(np.float32)
    drawn[3] = drawn[-1] = 0.0
    drawn[5] = 2.5
    drawn[8] = 0.0
    drawn[8, :2, :2] = drawn[8, -2:, -2:] = 0.3  # two regions of equal mass, in order of their place
    return torch.from_numpy(drawn)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (60, 91), (7, 7)])
@pytest.mark.parametrize("tau", [0.15, 0.5, 1.0])
def test_runs_masses_and_patches_are_those_of_the_processor(height, width, tau, device):
    large = upsampled(maps(height + width).to(device), height, width)
    expected, found = find_runs(large.cpu().numpy(), tau), device_runs.find_runs(large, tau)
    for name in ("row", "start", "stop"):
        assert getattr(found, name).dtype == np.int64
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    np.testing.assert_allclose(found.mass, expected.mass, rtol=1e-9)
    np.testing.assert_allclose(found.totals, expected.totals, rtol=1e-6)  # the processor sums rows in float32
    options = {"min_area": 0.01, "max_patches": 3}
    right, regions = (cut_runs([runs], height, width, **options) for runs in (expected, found))
    assert np.array_equal(regions.owners, right.owners)
    assert np.array_equal(regions.boxes, right.boxes)
    np.testing.assert_allclose(regions.masses, right.masses, rtol=1e-6)
    assert len(found.totals) == 40
    assert not np.isin([3, 39], regions.owners).any()


def test_several_groups_are_cut_as_one():
    large = upsampled(maps(1), 40, 40)
    whole = cut_runs([device_runs.find_runs(large, 0.3)], 40, 40, min_area=0.0, max_patches=9)
    parts = cut_runs([device_runs.find_runs(part, 0.3) for part in large.split(7)], 40, 40, min_area=0.0, max_patches=9)
    for name in ("owners", "boxes", "masses"):
        assert np.array_equal(getattr(whole, name), getattr(parts, name)), name


def test_maps_of_zeros_alone_have_no_runs():
    found = device_runs.find_runs(torch.zeros(2, 5, 5), 0.2)
    assert len(found.row) == len(found.mass) == 0
    assert found.totals.tolist() == [0.0, 0.0]
