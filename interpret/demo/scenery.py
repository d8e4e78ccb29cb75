"""What surrounds the objects: backgrounds, clutter behind them, and things in front that occlude a part of them.

Nothing here depends on the class, so that neither the background nor the things around an object predict it.
Coordinates are pixels of the image.
"""

from collections.abc import Callable

import numpy as np

from interpret.demo.canvas import SIZE, Canvas, Colour
from interpret.demo.palette import DARK, MAIN, PALE, Rng, darker, lighter, mix, pick
from interpret.demo.shapes import Points, box, curve, ellipse, line, moved, points, smooth, stroke, turned

_BEYOND = 12.0  # drawn past the image's edge, so that no edge shows


def _band(rng: Rng, level: float, swing: float) -> Points:
    """Everything below a wavy line at ``level``."""
    x = np.linspace(-_BEYOND, SIZE + _BEYOND, 28)
    phase, waves = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 2.4)
    y = level + swing * np.sin(x / SIZE * 2 * np.pi * waves + phase) + 0.3 * swing * np.sin(x / 9 + phase)
    top = np.column_stack([x, y])
    return np.concatenate([top, points((SIZE + _BEYOND, SIZE + _BEYOND), (-_BEYOND, SIZE + _BEYOND))])


def _hills(canvas: Canvas, rng: Rng, base: Colour, second: Colour) -> None:
    for _ in range(int(rng.integers(0, 3))):
        x, y = rng.uniform(0, SIZE), rng.uniform(6, 44)
        cloud = [ellipse(x + dx, y + dy, r, r * 0.72) for dx, dy, r in ((-9, 2, 8), (0, -2, 11), (10, 2, 8))]
        canvas.shape(cloud, lighter(base, 0.45), decal=True, shading=0.06)
    level = rng.uniform(50, 74)
    for step in range(int(rng.integers(2, 4))):
        tint = mix(second, base, 0.55 - 0.25 * step)
        canvas.shape(_band(rng, level, rng.uniform(3, 9)), tint, shading=0.16)
        level += rng.uniform(12, 20)


def _waves(canvas: Canvas, rng: Rng, base: Colour, second: Colour) -> None:
    level, count = rng.uniform(-6, 12), int(rng.integers(5, 8))
    for step in range(count):
        tint = mix(base, second, (step + 1) / count * 0.8)
        canvas.shape(_band(rng, level, rng.uniform(2, 5)), tint, shading=0.10)
        level += (SIZE + 8) / count


def _dots(canvas: Canvas, rng: Rng, base: Colour, second: Colour) -> None:
    pitch, radius = rng.uniform(13, 22), rng.uniform(0.14, 0.27)
    grid = []
    for row in range(int(SIZE / pitch) + 3):
        for column in range(int(SIZE / pitch) + 3):
            x = (column - 0.5 + 0.5 * (row % 2)) * pitch
            grid.append(ellipse(x, (row - 0.5) * pitch, radius * pitch))
    canvas.shape(grid, mix(base, second, 0.55), decal=True, shading=0.1)
    _floor(canvas, rng, second)


def _stripes(canvas: Canvas, rng: Rng, base: Colour, second: Colour) -> None:
    pitch, slant = rng.uniform(9, 20), rng.uniform(-70, 70)
    bars = [box(x, -SIZE, x + pitch * 0.5, 2 * SIZE) for x in np.arange(-SIZE, 2 * SIZE, pitch)]
    centre = (SIZE / 2, SIZE / 2)
    canvas.shape([turned(bar, slant, centre) for bar in bars], mix(base, second, 0.5), decal=True, shading=0.1)
    _floor(canvas, rng, second)


def _checks(canvas: Canvas, rng: Rng, base: Colour, second: Colour) -> None:
    pitch = rng.uniform(12, 24)
    count = int(SIZE / pitch) + 2
    for odd, share in ((0, 0.35), (1, 0.6)):
        tiles = [
            box(column * pitch - 6, row * pitch - 6, (column + 1) * pitch - 6, (row + 1) * pitch - 6)
            for row in range(count)
            for column in range(count)
            if row % 2 == odd and (column + odd) % 2 == 0
        ]
        canvas.shape(tiles, mix(base, second, share), decal=True, shading=0.1)
    _floor(canvas, rng, second)


def _bokeh(canvas: Canvas, rng: Rng, base: Colour, second: Colour) -> None:
    for _ in range(int(rng.integers(9, 17))):
        x, y = rng.uniform(0, SIZE, 2)
        tint = mix(lighter(base, 0.3), second, rng.uniform(0.1, 0.75))
        canvas.shape(ellipse(x, y, rng.uniform(4, 17)), tint, decal=True, shading=0.12)


def _terrazzo(canvas: Canvas, rng: Rng, base: Colour, second: Colour) -> None:
    for share in (0.2, 0.38, 0.55):
        chips = []
        for _ in range(int(rng.integers(9, 17))):
            angles = np.sort(rng.uniform(0, 2 * np.pi, 6))
            spread = rng.uniform(2.5, 7.0) * rng.uniform(0.6, 1.0, 6)
            chip = np.column_stack([np.cos(angles), np.sin(angles)]) * spread[:, None]
            chips.append(chip + rng.uniform(0, SIZE, 2))
        canvas.shape(chips, mix(base, second, share), decal=True, shading=0.1)


def _rays(canvas: Canvas, rng: Rng, base: Colour, second: Colour) -> None:
    x, y, count = rng.uniform(20, SIZE - 20), rng.uniform(10, SIZE - 10), int(rng.integers(7, 13))
    angles = np.arange(count) / count * 2 * np.pi + rng.uniform(0, 1)
    half = np.pi / count / 2
    rays = [
        points((x, y), *((x + 200 * np.cos(a + d), y + 200 * np.sin(a + d)) for d in (-half, half))) for a in angles
    ]
    canvas.shape(rays, mix(base, second, 0.4), decal=True, shading=0.1)
    _floor(canvas, rng, second)


def _floor(canvas: Canvas, rng: Rng, colour: Colour) -> None:
    """In half of the drawings, a floor in front of the wall."""
    if rng.random() < 0.5:
        level = rng.uniform(72, 96)
        canvas.shape(box(-_BEYOND, level, SIZE + _BEYOND, SIZE + _BEYOND), mix(colour, pick(rng, PALE), 0.3))


_BACKGROUNDS: tuple[Callable[[Canvas, Rng, Colour, Colour], None], ...] = (
    _hills, _waves, _dots, _stripes, _checks, _bokeh, _terrazzo, _rays,
)  # fmt: skip


def background(canvas: Canvas, rng: Rng, base: Colour, second: Colour) -> None:
    """Fill the image with one of the backgrounds in two colours."""
    canvas.shape(box(-_BEYOND, -_BEYOND, SIZE + _BEYOND, SIZE + _BEYOND), base, shading=0.18)
    _BACKGROUNDS[int(rng.integers(len(_BACKGROUNDS)))](canvas, rng, base, second)


def _stone(canvas: Canvas, rng: Rng, r: float, colour: Colour) -> None:
    angles = np.arange(8) / 8 * 2 * np.pi
    outline = np.column_stack([np.cos(angles), 0.72 * np.sin(angles)]) * (r * rng.uniform(0.8, 1.2, 8))[:, None]
    canvas.shape(smooth(outline, 2), mix(colour, (150, 152, 160), 0.6))
    top = moved(smooth(outline * 0.5, 2), 0, -r * 0.22)
    canvas.shape(top, lighter(mix(colour, (150, 152, 160), 0.6), 0.2), decal=True)


def _bush(canvas: Canvas, rng: Rng, r: float, colour: Colour) -> None:
    for share, scale in ((0.0, 1.0), (0.22, 0.62)):
        knobs = [
            ellipse(dx * r * scale, dy * r * scale - share * r, r * scale * 0.55)
            for dx, dy in ((-0.62, 0.2), (-0.2, -0.3), (0.35, -0.22), (0.66, 0.22), (0.0, 0.25))
        ]
        canvas.shape(knobs, lighter(colour, share), shading=0.3, decal=share > 0)


def _ball(canvas: Canvas, rng: Rng, r: float, colour: Colour) -> None:
    second = pick(rng, MAIN)
    canvas.shape(ellipse(0, 0, r), colour, shading=0.4)
    tilt = rng.uniform(-50, 50)
    stripe = np.concatenate([curve((-r * 0.95, -r * 0.25), (0, r * 0.2), (r * 0.95, -r * 0.25)),
                             curve((r * 0.95, r * 0.25), (0, r * 0.7), (-r * 0.95, r * 0.25))])  # fmt: skip
    canvas.shape(turned(stripe, tilt), second, decal=True, shading=0.3)
    canvas.shape(ellipse(-r * 0.3, -r * 0.5, r * 0.22, r * 0.14), lighter(colour, 0.6), decal=True)


def _ring(canvas: Canvas, rng: Rng, r: float, colour: Colour) -> None:
    canvas.shape(ellipse(0, 0, r), colour, shading=0.35)
    canvas.shape(ellipse(0, 0, r * 0.45), darker(colour, 0.45), decal=True, shading=-0.3)
    turn = rng.uniform(0, 60)
    grains = [turned(box(r * 0.62, -r * 0.05, r * 0.82, r * 0.07), turn + 60 * i) for i in range(6)]
    canvas.shape(grains, lighter(colour, 0.6), decal=True)


def _crate(canvas: Canvas, rng: Rng, r: float, colour: Colour) -> None:
    tilt = rng.uniform(-14, 14)
    canvas.shape(turned(box(-r * 0.85, -r * 0.85, r * 0.85, r * 0.85), tilt), mix(colour, (186, 144, 104), 0.5))
    planks = [turned(box(-r * 0.85, y * r, r * 0.85, (y + 0.09) * r), tilt) for y in (-0.5, 0.0, 0.45)]
    canvas.shape(planks, darker(colour, 0.4), decal=True)


def _cone(canvas: Canvas, rng: Rng, r: float, colour: Colour) -> None:
    canvas.shape(smooth(points((-r * 0.75, r), (-r * 0.1, -r), (r * 0.1, -r), (r * 0.75, r)), 1), colour, shading=0.3)
    canvas.shape(points((-r * 0.36, r * 0.2), (-r * 0.22, -r * 0.25), (r * 0.22, -r * 0.25), (r * 0.36, r * 0.2)),
                 lighter(colour, 0.65), decal=True)  # fmt: skip


def _sprig(canvas: Canvas, rng: Rng, r: float, colour: Colour) -> None:
    lean = rng.uniform(-0.5, 0.5) * r
    canvas.shape(stroke(curve((0, r), (lean, 0), (0, -r)), r * 0.07, r * 0.03), darker(colour, 0.4))
    blades = [
        moved(turned(ellipse(side * r * 0.42, 0, r * 0.4, r * 0.15), side * rng.uniform(15, 45)), lean * 0.4, level * r)
        for side, level in ((-1, 0.45), (1, 0.2), (-1, -0.1), (1, -0.4))
    ]
    canvas.shape(blades, colour, shading=0.3)


def _star(canvas: Canvas, rng: Rng, r: float, colour: Colour) -> None:
    angles = np.arange(10) / 10 * 2 * np.pi + rng.uniform(0, 1)
    spread = np.where(np.arange(10) % 2 == 0, 1.0, 0.5)[:, None] * r
    canvas.shape(smooth(np.column_stack([np.cos(angles), np.sin(angles)]) * spread, 1), colour, shading=0.3)


def _post(canvas: Canvas, rng: Rng, r: float, colour: Colour) -> None:
    wood = mix(colour, (170, 132, 100), 0.6)
    lean = rng.uniform(-0.15, 0.15) * r
    canvas.shape(line(-lean, 1.3 * r, lean, -1.3 * r, r * 0.26), wood, shading=0.3)
    canvas.shape(line(-lean - r * 0.08, 1.2 * r, lean - r * 0.08, -1.2 * r, r * 0.05), darker(wood), decal=True)


_THINGS: tuple[Callable[[Canvas, Rng, float, Colour], None], ...] = (
    _stone, _bush, _ball, _ring, _crate, _cone, _sprig, _star, _post,
)  # fmt: skip


def thing(canvas: Canvas, rng: Rng, x: float, y: float, radius: float) -> None:
    """Draw one thing that belongs to no class, about (x, y)."""
    canvas.place(x, y, 1.0, flip=bool(rng.random() < 0.5))
    colour = pick(rng, MAIN) if rng.random() < 0.85 else pick(rng, DARK)
    _THINGS[int(rng.integers(len(_THINGS)))](canvas, rng, radius, colour)


def clutter(canvas: Canvas, rng: Rng) -> None:
    """One to four things behind the object, anywhere."""
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.uniform(4, SIZE - 4), rng.uniform(10, SIZE - 4)
        thing(canvas, rng, float(x), float(y), rng.uniform(5, 12))


def occluder(canvas: Canvas, rng: Rng, x: float, y: float, reach: float) -> None:
    """In 60 % of the drawings, a thing that occludes some of an object of radius ``reach`` pixels about (x, y)."""
    if rng.random() < 0.6:
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.25, 0.9) * reach
        thing(canvas, rng, float(x + np.cos(angle) * away), float(y + np.sin(angle) * away), rng.uniform(6, 14))
