import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from interpret.config import ExtractConfig
from interpret.explanation.patches import cut
from interpret.explanation.upsampling import upsample

ANY = ExtractConfig(min_area=0.0)


def test_hand_drawn_map():
    heat = np.zeros((8, 10), np.float32)
    heat[1:3, 2:5] = 0.6  # 6 pixels: mass 3.6
    heat[5, 7] = 1.0
    heat[6, 8] = 1.0  # touches by its corner: one component with the one above, mass 2.0
    heat[0, 9] = 0.49  # below half of the maximum
    found = cut(heat, ANY)
    assert found.boxes.tolist() == [[2, 1, 5, 3], [7, 5, 9, 7]]
    total = 3.6 + 2.0 + 0.49
    assert found.masses == pytest.approx([3.6 / total, 2.0 / total])


def test_the_threshold_is_reached_by_equality_and_moves_with_tau():
    heat = np.array([[0.5, 0.0, 1.0, 0.0, 0.25]], np.float32)
    assert len(cut(heat, ANY).boxes) == 2
    assert len(cut(heat, ExtractConfig(min_area=0.0, tau=0.51)).boxes) == 1
    assert len(cut(heat, ExtractConfig(min_area=0.0, tau=0.25)).boxes) == 3


def test_at_most_p_patches_and_none_smaller_than_the_minimum():
    heat = np.zeros((10, 10), np.float32)
    for i, value in enumerate((0.7, 1.0, 0.8, 0.9, 0.6)):
        heat[2 * i, 2 * i] = value
    found = cut(heat, ExtractConfig(min_area=0.0, max_patches=3))
    assert found.boxes[:, 0].tolist() == [2, 6, 4]
    heat[0, 0:2] = 0.95
    kept = cut(heat, ExtractConfig(min_area=0.02))
    assert kept.boxes.tolist() == [[0, 0, 2, 1]]


def test_a_map_of_zeros_has_no_patch():
    assert cut(np.zeros((4, 4), np.float32), ANY).boxes.shape == (0, 4)


def test_otsu_separates_two_levels():
    heat = np.full((20, 20), 0.1, np.float32)
    heat[3:9, 4:12] = 0.9
    found = cut(heat, ExtractConfig(threshold="otsu"))
    assert found.boxes.tolist() == [[4, 3, 12, 9]]
    flat = np.full((4, 6), 0.5, np.float32)  # nothing is above the rest
    assert cut(flat, ExtractConfig(threshold="otsu")).boxes.tolist() == [[0, 0, 6, 4]]


def flood(mask):
    """The 8-connected components of a mask, each a list of (y, x)."""
    todo = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    while todo:
        stack, seen = [todo.pop()], []
        while stack:
            y, x = stack.pop()
            seen.append((y, x))
            for near in [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]:
                if near in todo:
                    todo.remove(near)
                    stack.append(near)
        yield seen


@settings(max_examples=150, deadline=None)
@given(hnp.arrays(np.float32, (7, 9), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])))
def test_equals_a_flood_fill(heat):
    """A second, slow way to the same components, boxes and masses."""
    peak = heat.max()
    expected = []
    for seen in flood((heat >= 0.5 * peak) & (peak > 0)):
        ys, xs = zip(*seen, strict=True)
        mass = sum(float(heat[c]) for c in seen) / float(heat.sum())
        expected.append((min(xs), min(ys), max(xs) + 1, max(ys) + 1, mass))
    found = cut(heat, ExtractConfig(min_area=0.0, max_patches=64))
    rows = [(*box, mass) for box, mass in zip(found.boxes.tolist(), found.masses.tolist(), strict=True)]
    assert sorted(r[:4] for r in rows) == sorted(e[:4] for e in expected)
    assert sorted(r[4] for r in rows) == pytest.approx(sorted(e[4] for e in expected), abs=1e-6)
    assert all(a[4] >= b[4] - 1e-6 for a, b in itertools.pairwise(rows))


PEAKS = ExtractConfig(min_area=0.0, patches="peaks")


def test_a_region_with_two_peaks_is_divided_in_the_valley_between_them():
    row = np.array([0.2, 0.6, 1.0, 0.8, 0.6, 0.7, 0.9, 0.5, 0.1], np.float32)
    heat = np.stack([0.1 * row, row, 0.1 * row])
    assert cut(heat, ANY).boxes.tolist() == [[1, 1, 8, 2]]
    found = cut(heat, PEAKS)
    # the valley itself (0.6, column 4) goes to one of the two and to no other
    assert found.boxes.tolist() in ([[1, 1, 5, 2], [5, 1, 8, 2]], [[1, 1, 4, 2], [4, 1, 8, 2]])
    assert found.masses.sum() == pytest.approx(row[1:8].sum() / heat.sum())


def test_a_flat_top_is_one_peak_and_a_region_without_a_peak_on_the_grid_stays_whole():
    heat = np.zeros((6, 12), np.float32)
    heat[1:3, 1:4] = 1.0
    heat[4, 8:11] = [0.6, 0.7, 0.6]
    assert cut(heat, PEAKS).boxes.tolist() == cut(heat, ANY).boxes.tolist() == [[1, 1, 4, 3], [8, 4, 11, 5]]
    grid_map = np.array([[1.0, 0.2]], np.float32)  # only one peak before the map was enlarged
    assert cut(heat, PEAKS, grid_map).boxes.tolist() == cut(heat, ANY).boxes.tolist()


def test_peaks_are_those_of_the_grid_and_not_of_the_rounding_when_it_is_upsampled():
    grid_map = np.zeros((5, 5), np.float32)
    grid_map[0, 0], grid_map[0, 1], grid_map[0, 2] = 1.0, 0.55, 0.9
    heat = upsample(torch.from_numpy(grid_map)[None], 160, 160)[0]
    assert len(cut(heat, ANY).boxes) == 1
    assert len(cut(heat, PEAKS, grid_map).boxes) == 2


@given(hnp.arrays(np.int8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 6)))
@settings(max_examples=150, deadline=None)
def test_peaks_divide_the_regions_and_lose_nothing(levels):
    heat = levels.astype(np.float32)
    whole, parts = (cut(heat, ExtractConfig(min_area=0.0, max_patches=64, patches=p)) for p in ("regions", "peaks"))
    assert parts.masses.sum() == pytest.approx(whole.masses.sum())
    # as many parts as there are flat tops above the threshold, where a top is as high as no neighbour outside of it
    tops = 0
    for value in np.unique(levels[levels > 0]):
        for component in flood(levels == value):
            around = {(i + a, j + b) for i, j in component for a in (-1, 0, 1) for b in (-1, 0, 1)}
            inside = [(i, j) for i, j in around if 0 <= i < levels.shape[0] and 0 <= j < levels.shape[1]]
            higher = any(levels[i, j] > value for i, j in inside)
            tops += not higher and value >= 0.5 * levels.max()
    assert len(parts.boxes) == tops
