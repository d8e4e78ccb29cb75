"""The graph of classes and units: what stands where, and that nothing stands on anything else."""

import itertools

import numpy as np
import pytest

from interpret.figures.class_unit_charts import class_unit_graph
from interpret.figures.graph_layout import NARROW, WIDE, graph_layout


def rectangles(figure, width, *, narrow):
    """Left, top, right and bottom of every box, mark and name in a figure that is so wide (pixels)."""
    boxes, classes = figure.data[-2:]
    height = figure.layout.height
    letter, line, box, dot = (7.8, 16, 24, 14) if narrow else (8.4, 17, 32, 20)

    def at(x, y, wide, high):
        return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2

    def places(trace):
        return [((x + 1) / 2 * width, (1 - y) / 2 * height) for x, y in zip(trace.x, trace.y, strict=True)]

    yield from (("unit", at(*place, box, box)) for place in places(boxes))
    for place, text, side in zip(places(classes), classes.text, classes.textposition, strict=True):
        yield "class", at(*place, dot, dot)
        lines = text.removeprefix("<b>").removesuffix("</b>").split("<br>")
        wide, high = letter * max(map(len, lines)), line * len(lines)
        x, y = place
        shifts = {
            "middle right": (dot / 2 + wide / 2, 0),
            "middle left": (-dot / 2 - wide / 2, 0),
            "top center": (0, -dot / 2 - high / 2),
            "bottom center": (0, dot / 2 + high / 2),
        }
        yield "name", at(x + shifts[side][0], y + shifts[side][1], wide, high)


def overlaps(figure, width, *, narrow=False):
    """What stands on each other, by more than a pixel; of names and marks of classes only on a phone."""
    found = []
    for (kind, a), (other, b) in itertools.combinations(rectangles(figure, width, narrow=narrow), 2):
        meets = a[0] < b[2] - 1 and b[0] < a[2] - 1 and a[1] < b[3] - 1 and b[1] < a[3] - 1
        if meets and (narrow or "unit" in (kind, other)):
            found.append((kind, other, a, b))
    return found


def outside(figure, width, *, narrow=False):
    height = figure.layout.height
    return [
        (kind, a)
        for kind, a in rectangles(figure, width, narrow=narrow)
        if a[0] < 0 or a[1] < 0 or a[2] > width or a[3] > height
    ]


def drawn(classes, units, seed, *, narrow=False, alone=0.8):
    rng = np.random.default_rng(seed)
    weights = np.zeros((classes, units))
    for unit in range(units):
        serves = 1 if rng.random() < alone else rng.integers(2, 4)
        weights[rng.choice(classes, min(classes, serves), replace=False), unit] = rng.uniform(0.2, 0.9)
    names = [
        ["Class 0320", "English springer", "Golf ball", "Welsh springer spaniel", "Car"][c % 5] for c in range(classes)
    ]
    return class_unit_graph(weights, names, ["#111111"] * classes, list(range(1000, 1000 + units)), narrow=narrow)


@pytest.mark.parametrize(("classes", "units"), [(1, 1), (2, 3), (10, 10), (10, 20), (11, 6), (24, 48), (3, 48)])
@pytest.mark.parametrize("alone", [1.0, 0.8, 0.2])
def test_nothing_stands_on_a_unit_nor_out_of_the_figure(classes, units, alone):
    for seed in range(3):
        figure = drawn(classes, units, seed, alone=alone)
        for width in (WIDE, 1340):
            assert not overlaps(figure, width)
            assert not outside(figure, width)


@pytest.mark.parametrize(("classes", "units"), [(2, 3), (10, 8), (11, 6), (12, 16)])
def test_on_a_phone_too(classes, units):
    for seed in range(3):
        figure = drawn(classes, units, seed, narrow=True)
        assert not overlaps(figure, NARROW, narrow=True)
        assert not outside(figure, NARROW, narrow=True)


def test_shared_units_are_inside_and_others_outside_and_the_same_again():
    weights = np.zeros((4, 9))
    weights[:, 0] = 0.5
    for unit in range(1, 9):
        weights[unit % 4, unit] = 0.4
    names = [["Bird"], ["Dog"], ["Car"], ["Cat"]]
    layout = graph_layout(weights, names)
    radius = np.linalg.norm(layout.place / np.abs(layout.ring).max(axis=0), axis=1)
    assert np.allclose(np.linalg.norm(layout.ring / np.abs(layout.ring).max(axis=0), axis=1), 1)
    assert radius[0] < 0.3
    assert (radius[1:] > 1).all()
    nearest = np.linalg.norm(layout.place[1:, None] - layout.ring[None], axis=2).argmin(axis=1)
    assert nearest.tolist() == [unit % 4 for unit in range(1, 9)]
    again = graph_layout(weights, names)
    assert np.array_equal(layout.place, again.place)


def test_a_figure_without_classes_or_units_has_a_layout():
    assert graph_layout(np.zeros((0, 0)), []).place.shape == (0, 2)
    assert graph_layout(np.zeros((2, 0)), [["a"], ["b"]]).ring.shape == (2, 2)
