import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from interpret.config import ExtractConfig
from interpret.patches import extract

ANY = ExtractConfig(min_area=0.0)


def test_hand_drawn_map():
    heat = np.zeros((8, 10), np.float32)
    heat[1:3, 2:5] = 0.6  # 6 cells: mass 3.6
    heat[5, 7] = 1.0
    heat[6, 8] = 1.0  # touches by its corner: one component with the one above, mass 2.0
    heat[0, 9] = 0.49  # below half of the maximum
    found = extract(heat, ANY)
    assert found.boxes.tolist() == [[2, 1, 5, 3], [7, 5, 9, 7]]
    total = 3.6 + 2.0 + 0.49
    assert found.masses == pytest.approx([3.6 / total, 2.0 / total])


def test_the_threshold_is_reached_by_equality_and_moves_with_tau():
    heat = np.array([[0.5, 0.0, 1.0, 0.0, 0.25]], np.float32)
    assert len(extract(heat, ANY).boxes) == 2
    assert len(extract(heat, ExtractConfig(min_area=0.0, tau=0.51)).boxes) == 1
    assert len(extract(heat, ExtractConfig(min_area=0.0, tau=0.25)).boxes) == 3


def test_at_most_p_patches_and_none_smaller_than_the_minimum():
    heat = np.zeros((10, 10), np.float32)
    for i, value in enumerate((0.7, 1.0, 0.8, 0.9, 0.6)):
        heat[2 * i, 2 * i] = value
    found = extract(heat, ExtractConfig(min_area=0.0, max_patches=3))
    assert found.boxes[:, 0].tolist() == [2, 6, 4]
    heat[0, 0:2] = 0.95
    kept = extract(heat, ExtractConfig(min_area=0.02))
    assert kept.boxes.tolist() == [[0, 0, 2, 1]]


def test_a_map_of_zeros_has_no_patch():
    assert extract(np.zeros((4, 4), np.float32), ANY).boxes.shape == (0, 4)


def test_otsu_separates_two_levels():
    heat = np.full((20, 20), 0.1, np.float32)
    heat[3:9, 4:12] = 0.9
    found = extract(heat, ExtractConfig(threshold="otsu"))
    assert found.boxes.tolist() == [[4, 3, 12, 9]]


@settings(max_examples=150, deadline=None)
@given(hnp.arrays(np.float32, (7, 9), elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])))
def test_equals_a_flood_fill(heat):
    """A second, slow way to the same components, boxes and masses."""
    peak = heat.max()
    todo = {(int(y), int(x)) for y, x in np.argwhere(heat >= 0.5 * peak)} if peak > 0 else set()
    expected = []
    while todo:
        stack, seen = [todo.pop()], []
        while stack:
            y, x = stack.pop()
            seen.append((y, x))
            for near in [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]:
                if near in todo:
                    todo.remove(near)
                    stack.append(near)
        ys, xs = zip(*seen, strict=True)
        mass = sum(float(heat[c]) for c in seen) / float(heat.sum())
        expected.append((min(xs), min(ys), max(xs) + 1, max(ys) + 1, mass))
    found = extract(heat, ExtractConfig(min_area=0.0, max_patches=64))
    rows = [(*box, mass) for box, mass in zip(found.boxes.tolist(), found.masses.tolist(), strict=True)]
    assert sorted(r[:4] for r in rows) == sorted(e[:4] for e in expected)
    assert sorted(r[4] for r in rows) == pytest.approx(sorted(e[4] for e in expected), abs=1e-6)
    assert all(a[4] >= b[4] - 1e-6 for a, b in itertools.pairwise(rows))
