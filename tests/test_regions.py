"""Many maps cut at once, against the same maps cut one by one and against SciPy's labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from interpret.config import ExtractConfig
from interpret.explanation.patches import cut, cut_maps
from interpret.explanation.regions import cut_runs, find_runs


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(1, 1), (1, 9), (9, 1), (7, 7), (20, 13)]),
    st.sampled_from([0.2, 0.5, 0.8]),
    st.sampled_from([0.05, 0.5, 0.95]),
    st.integers(1, 5),
)
@settings(max_examples=150, deadline=None)
def test_equals_the_maps_cut_one_by_one(seed, shape, density, tau, most):
    rng = np.random.default_rng(seed)
    heat = (rng.random((6, *shape)) * (rng.random((6, *shape)) < density)).astype(np.float32)
    heat[2] = 0.0
    config = ExtractConfig(tau=tau, max_patches=most, min_area=0.02)
    found = cut_maps([(heat[:4], None), (heat[4:], None)], config)
    each = [cut(field, config) for field in heat]
    assert found.owners.tolist() == np.repeat(np.arange(6), [len(one.boxes) for one in each]).tolist()
    np.testing.assert_array_equal(found.boxes, np.concatenate([one.boxes for one in each]))
    np.testing.assert_allclose(found.masses, np.concatenate([one.masses for one in each]), rtol=1e-6)


def test_components_touch_at_corners_and_never_across_rows_or_maps():
    heat = np.zeros((2, 3, 4), np.float32)
    heat[0, 0, 3] = heat[0, 1, 0] = 1.0  # neighbours in memory, not in the picture
    heat[0, 2, 1] = 1.0  # touches (1, 0) at a corner
    heat[1, 0, 1] = 1.0  # below it in memory, but of the next map
    found = cut_runs([find_runs(heat, 0.5)], 3, 4, min_area=0.0, max_patches=9)
    assert found.owners.tolist() == [0, 0, 1]
    assert found.boxes.tolist() == [[0, 1, 2, 3], [3, 0, 4, 1], [1, 0, 2, 1]]
    np.testing.assert_allclose(found.masses, [2 / 3, 1 / 3, 1.0])


@pytest.mark.parametrize("tau", [0.2, 0.7])
def test_as_many_components_as_scipy_finds(tau):
    rng = np.random.default_rng(1)
    heat = ndimage.gaussian_filter(rng.random((5, 60, 80)), (0, 3, 3)).astype(np.float32)
    heat -= heat.min(axis=(1, 2), keepdims=True)
    found = cut_runs([find_runs(heat, tau)], 60, 80, min_area=0.0, max_patches=10_000)
    for index, field in enumerate(heat):
        _, count = ndimage.label(field >= np.float32(tau * field.max()), np.ones((3, 3)))
        assert (found.owners == index).sum() == count
