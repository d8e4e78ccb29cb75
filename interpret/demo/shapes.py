"""Outlines: the curves that every drawing of the demo is made of, as (n, 2) arrays of x, y."""

import numpy as np

from interpret.demo.canvas import Points

_TURN = np.linspace(0.0, 2 * np.pi, 40, endpoint=False)
_CIRCLE = np.column_stack([np.cos(_TURN), np.sin(_TURN)])


def points(*corners: tuple[float, float]) -> Points:
    """A polygon from its corners."""
    return np.array(corners, dtype=np.float64)


def ellipse(x: float, y: float, rx: float, ry: float | None = None, degrees: float = 0.0) -> Points:
    """An ellipse about (x, y); a circle without ``ry``."""
    outline = _CIRCLE * np.array([rx, rx if ry is None else ry])
    return moved(turned(outline, degrees) if degrees else outline, x, y)


def box(x0: float, y0: float, x1: float, y1: float) -> Points:
    """A rectangle from its upper left to its lower right corner."""
    return points((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def turned(outline: Points, degrees: float, about: tuple[float, float] = (0.0, 0.0)) -> Points:
    """``outline`` turned clockwise about a point."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (outline - np.array(about)) @ turn + np.array(about)


def smooth(outline: Points, rounds: int = 3) -> Points:
    """A closed curve inside ``outline``: Chaikin's corner cutting, ``rounds`` times."""
    for _ in range(rounds):
        outline = _cut(outline, 0.25)
    return outline


def rounded(outline: Points, cut: float = 0.12, rounds: int = 3) -> Points:
    """``outline`` with its corners rounded off and its sides kept; ``cut`` is a fraction of each side."""
    return smooth(_cut(outline, cut), rounds - 1)


def _cut(outline: Points, cut: float) -> Points:
    """Two points for each corner: so far along its side, and so far before the side's end."""
    ahead = np.concatenate([outline[1:], outline[:1]])
    sides = np.empty((2 * len(outline), 2))
    sides[0::2] = (1 - cut) * outline + cut * ahead
    sides[1::2] = cut * outline + (1 - cut) * ahead
    return sides


def curve(*corners: tuple[float, float], steps: int = 14) -> Points:
    """The Bezier curve that ``corners`` control, as ``steps`` points along it."""
    path = np.array(corners, dtype=np.float64)[:, None, :].repeat(steps, axis=1)
    t = np.linspace(0.0, 1.0, steps)[None, :, None]
    while len(path) > 1:
        path = path[:-1] * (1 - t) + path[1:] * t
    result: Points = path[0]
    return result


def stroke(path: Points, start: float, end: float | None = None) -> list[Points]:
    """A brush stroke along ``path`` with round ends; ``start`` and ``end`` are its half widths there."""
    end = start if end is None else end
    half = np.linspace(start, end, len(path))[:, None]
    along = np.empty_like(path)  # half the way from the point before to the one after: NumPy's gradient, in less time
    along[1:-1] = (path[2:] - path[:-2]) / 2
    along[0], along[-1] = path[1] - path[0], path[-1] - path[-2]
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    side = np.column_stack([-along[:, 1], along[:, 0]]) * half
    ribbon = np.concatenate([path + side, (path - side)[::-1]])
    (x0, y0), (x1, y1) = path[0], path[-1]
    return [ribbon, ellipse(x0, y0, start), ellipse(x1, y1, end)]


def line(x0: float, y0: float, x1: float, y1: float, start: float, end: float | None = None) -> list[Points]:
    """A straight stroke."""
    return stroke(points((x0, y0), (x1, y1)), start, end)


def moved(outline: Points, x: float, y: float) -> Points:
    """``outline`` shifted by (x, y)."""
    return outline + np.array([x, y])
