"""House and Flower, each in a space of about 100 x 100 units about the origin, y down."""

import numpy as np

from interpret.demo.canvas import Canvas
from interpret.demo.machines import window
from interpret.demo.palette import DARK, GLASS, MAIN, Rng, apart, darker, lighter, pick
from interpret.demo.parts import number
from interpret.demo.shapes import Points, box, curve, ellipse, moved, points, rounded, stroke, turned


def house(canvas: Canvas, rng: Rng) -> None:
    """A house: wall, roof, door, windows and a chimney."""
    paint = pick(rng, MAIN)
    second = apart(rng, MAIN, [paint])
    wall, roof, door = number("wall"), number("roof"), number("door")
    half, eaves = rng.uniform(26, 38), rng.uniform(-12, -2)
    x = rng.uniform(0.35, 0.62) * half * (1 if rng.random() < 0.5 else -1)
    canvas.shape(box(x - 5, eaves - 34, x + 5, eaves - 4), darker(paint, 0.25), number("chimney"))
    canvas.shape(box(x - 6.5, eaves - 36, x + 6.5, eaves - 31), second, number("chimney"))
    canvas.shape(box(-half, eaves - 2, half, 38), paint, wall, shading=0.3)
    style = rng.random()
    if style < 0.4:
        rows = [box(-half, y, half, y + 1.0) for y in np.arange(eaves + 6, 37, 6.0)]
        canvas.shape(rows, darker(paint, 0.2), wall, decal=True)
    elif style < 0.7:
        bricks = [box(bx - 3, y, bx + 3, y + 2.4) for row, y in enumerate(np.arange(eaves + 6, 35, 5.0))
                  for bx in np.arange(-half + 6 + 5 * (row % 2), half - 3, 15.0)]  # fmt: skip
        canvas.shape(bricks, darker(paint, 0.18), wall, decal=True)
    ridge = rng.uniform(0, 0.55) * half
    slope = points((-half - 6, eaves + 1), (-ridge, eaves - 28), (ridge, eaves - 28), (half + 6, eaves + 1))
    canvas.shape(rounded(slope, 0.03), second, roof, shading=0.36)
    tiles = []
    for t in (0.22, 0.46, 0.7):
        reach = half + 2 - t * (half + 4 - ridge)
        tiles.append(box(-reach, eaves - 29 * t - 0.7, reach, eaves - 29 * t + 0.7))
    canvas.shape(tiles, darker(second, 0.25), roof, decal=True)
    glass, frame = pick(rng, GLASS), lighter(second, 0.55) if rng.random() < 0.5 else darker(paint, 0.4)
    entrance = rng.uniform(-0.55, 0.55) * half
    leaf = apart(rng, (*MAIN, *DARK), [paint])
    top = max(eaves + 12, 38 - rng.uniform(22, 27))
    canvas.shape(rounded(box(entrance - 7.5, top - 1.5, entrance + 7.5, 38), 0.06), lighter(paint, 0.5), door)
    canvas.shape(rounded(box(entrance - 6, top, entrance + 6, 38), 0.05), leaf, door, decal=True)
    canvas.shape(ellipse(entrance + 3.4, (top + 40) / 2, 1.2), (250, 226, 150), door, decal=True)
    size, level = rng.uniform(5.6, 7.2), rng.uniform(eaves + 13, eaves + 18)
    places = [t * half for t in (-0.64, 0.0, 0.64) if abs(t * half - entrance) > 8.5 + size]
    for wx in places:
        window(canvas, box(wx - size, level - size, wx + size, level + size), frame, glass, bars=rng.random() < 0.6)
    if not places or rng.random() < 0.35:
        window(canvas, box(-4.8, eaves - 15, 4.8, eaves - 6), frame, glass)


def flower(canvas: Canvas, rng: Rng) -> None:
    """A flower: petals about a heart, a stem and leaves."""
    paint = pick(rng, MAIN)
    heart = apart(rng, (*MAIN, *DARK), [paint])
    green = apart(rng, MAIN, [paint], 90)
    x, y = rng.uniform(-10, 10), rng.uniform(-20, -12)
    root = rng.uniform(-8, 8)
    path = curve((root, 46), (root + rng.uniform(-14, 14), 20), (x, y))
    canvas.shape(stroke(path, 2.6, 2.0), darker(green, 0.15), number("stem"), shading=0.3)
    part = number("leaf")
    blade = np.concatenate([curve((0, 0), (12, -12), (28, -4)), curve((28, -4), (14, 8), (0, 0))])
    for side, place in ((-1, 4), (1, 6)) if rng.random() < 0.75 else ((1 if rng.random() < 0.5 else -1, 5),):
        origin, turn = path[place], rng.uniform(-15, 30)
        canvas.shape(moved(turned(blade, turn) * (side, 1), *origin), green, part, shading=0.4)
        vein = moved(turned(points((2, -0.6), (25, -3.6), (2, 0.6)), turn) * (side, 1), *origin)
        canvas.shape(vein, lighter(green, 0.4), part, decal=True)
    count, long, wide = int(rng.integers(5, 10)), rng.uniform(19, 25), rng.uniform(0.62, 0.95)
    petal, start = number("petal"), rng.uniform(0, 90)
    tip = rng.uniform(0.75, 1.15)
    half = np.pi * long / count * wide

    def blade_at(turn: float, scale: float) -> Points:
        shape = points((2, 0), (long * 0.45, -half * 0.8), (long * 0.9, -half * tip), (long * 1.12, 0),
                       (long * 0.9, half * tip), (long * 0.45, half * 0.8)) * scale  # fmt: skip
        return moved(turned(rounded(shape, 0.22), turn), x, y)

    if rng.random() < 0.5:
        for i in range(count):
            canvas.shape(blade_at(start + 360 * (i + 0.5) / count, 1.1), darker(paint, 0.22), petal)
    for i in range(count):
        canvas.shape(
            blade_at(start + 360 * i / count, 1.0), paint if i % 2 else lighter(paint, 0.1), petal, shading=0.3
        )
    canvas.shape([blade_at(start + 360 * i / count, 0.5) for i in range(count)], lighter(paint, 0.3), petal, decal=True)
    r = rng.uniform(7, 10)
    canvas.shape(ellipse(x, y, r), darker(heart, 0.35), number("flower heart"), shading=0.2)
    canvas.shape(ellipse(x, y, r * 0.72), heart, number("flower heart"), decal=True, shading=0.5)
