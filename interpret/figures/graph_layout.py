"""Where classes, their names and units stand in the graph of both, so that no unit stands on anything else."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

WIDE, NARROW = 1000, 345
"""Widths of the figure that it is laid out for (pixels); a wider one only has more room."""

_EDGE = 6.0  # kept free along the edges, and between a name and whatever stands beside it
_HOMING_ROUNDS, _PARTING_ROUNDS = 120, 400
_BESIDE_NAME = 0.2  # angle between a class and the units that it alone has: its name stands between them


@dataclass(frozen=True, eq=False)
class GraphLayout:
    """Places as fractions of half the figure, -1 to 1, y upwards.

    Attributes:
        height: of the figure (pixels).
        ring: (classes, 2) of the classes.
        place: (units, 2) of the units.
        positions: of each class's name, as Plotly calls it.
    """

    height: int
    ring: Floats
    place: Floats
    positions: list[str]


def graph_layout(
    weights: npt.NDArray[np.floating], names: Sequence[Sequence[str]], *, narrow: bool = False
) -> GraphLayout:
    """Classes on an oval, shared units near their classes, the units of one class outside of the oval near it.

    Args:
        weights: (classes, units), 0 where a unit is not frequent in a class.
        names: the lines of each class's name.
        narrow: for a phone's width: names above and below their classes.

    Returns:
        The same for the same weights and names.
    """
    classes, units = weights.shape
    box, letter, line, dot = (24.0, 8.2, 17.0, 7.0) if narrow else (32.0, 8.8, 18.0, 10.0)
    size = np.array([NARROW if narrow else WIDE, _height(classes, units, narrow)], np.float64)
    extent = np.array([[letter * max(map(len, name), default=0), line * len(name)] for name in names]).reshape(-1, 2)
    angle = np.pi / 2 - 2 * np.pi * np.arange(classes) / max(classes, 1)
    unit_ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    positions = [_beside(0.0 if narrow else x, y) for x, y in unit_ring]
    across = np.array([position.startswith("middle") for position in positions], np.bool_)
    alone = (weights > 0).sum(axis=0) <= 1
    around = box * 1.6 if alone.any() else 0.0  # for the units that stand outside
    room = np.array(
        [
            max(extent[across, 0].max(initial=0.0), 0.0 if narrow else 40.0, extent[:, 0].max(initial=0.0) / 2 - dot),
            extent[~across, 1].max(initial=line),
        ]
    )
    radii = np.maximum(size / 2 - room - around - dot - 2 * _EDGE, size / 8)
    ring = unit_ring * radii
    name_middle = ring + np.where(
        across[:, None],
        np.sign(unit_ring) * [1, 0] * (dot + _EDGE / 2 + extent / 2),
        np.where(unit_ring[:, 1:] > 0, 1, -1) * np.array([0, 1]) * (dot + extent / 2),
    )
    fixed = np.concatenate([name_middle, ring])
    reach = np.concatenate([extent / 2, np.full_like(ring, dot)]) + box / 2 + _EDGE / 2
    home = _homes(weights, alone, ring, radii, room)
    turn = np.arange(units) * 2.399963  # the golden angle separates units with the same home, reproducibly
    place = home + 4 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    bound = size / 2 - box / 2 - 2
    for step in range(_HOMING_ROUNDS + _PARTING_ROUNDS if units else 0):
        push = _apart(place, fixed, reach, box + 3)
        if step < _HOMING_ROUNDS:
            push += 0.06 * (home - place)
        elif not push.any():
            break
        else:  # what is pushed to and fro, as between two names, is shaken out, harder and harder
            shaken = 0.1 * (step - _HOMING_ROUNDS) * np.stack([np.cos(turn * step), np.sin(turn * step)], axis=1)
            push += np.where((push != 0).any(axis=1)[:, None], shaken, 0.0)
        place = np.clip(place + push, -bound, bound)
    return GraphLayout(round(size[1]), ring / (size / 2), place / (size / 2), positions)


def _height(classes: int, units: int, narrow: bool) -> int:
    """Pixels: more where there are many classes and units."""
    if narrow:
        return 480 + 30 * max(0, classes - 6) + 8 * max(0, units - 8)
    return 640 + 14 * max(0, classes - 12) + 4 * max(0, units - 16)


def _homes(
    weights: npt.NDArray[np.floating], alone: npt.NDArray[np.bool_], ring: Floats, radii: Floats, room: Floats
) -> Floats:
    """(units, 2) where units would stand if they were points: the mean of their classes, or outside of their one."""
    home: Floats = (weights.T @ ring) / np.maximum(weights.sum(axis=0), 1e-12)[:, None]
    if len(ring):
        own = ring[weights[:, alone].argmax(axis=0)] / radii
        side = np.where(np.arange(len(own)) % 2, -_BESIDE_NAME, _BESIDE_NAME)
        turned = [
            own[:, 0] * np.cos(side) - own[:, 1] * np.sin(side),
            own[:, 0] * np.sin(side) + own[:, 1] * np.cos(side),
        ]
        home[alone] = np.stack(turned, axis=1) * (radii + np.maximum(room, 40.0))
    return home


def _apart(place: Floats, fixed: Floats, reach: Floats, between: float) -> Floats:
    """(units, 2) how far each unit moves out of what it stands on: out of fixed things, half the way from each other.

    Args:
        place: (units, 2) the units.
        fixed: (n, 2) what does not move.
        reach: (n, 2) how near a unit may come to each, across and down.
        between: how near two units may come to each other.
    """
    others = place[:, None] - place[None]
    near = _push(others, np.full(2, between)) / 2
    near[np.arange(len(place)), np.arange(len(place))] = 0
    return near.sum(axis=1) + _push(place[:, None] - fixed[None], reach[None]).sum(axis=1)


def _push(difference: Floats, least: Floats) -> Floats:
    """The shorter of the two ways, across or down, to where differences (..., 2) are at least ``least``."""
    lack = least - np.abs(difference)
    inside = np.logical_and(lack[..., 0] > 0, lack[..., 1] > 0)
    down = lack[..., 1] <= lack[..., 0]
    way = np.where(difference < 0, -1.0, 1.0) * lack
    way[..., 0][down] = 0
    way[..., 1][~down] = 0
    return np.where(np.expand_dims(inside, -1), way, 0.0)


def _beside(x: float, y: float) -> str:
    """The position of a class's name: outside the oval."""
    if abs(x) < 0.35:
        return "top center" if y > 0 else "bottom center"
    return "middle right" if x > 0 else "middle left"
