"""Car, Truck, Bicycle and Plane, each in a space of about 100 x 100 units about the origin, y down."""

from collections.abc import Sequence

import numpy as np

from interpret.demo.animals import wing
from interpret.demo.canvas import Canvas, Colour
from interpret.demo.palette import DARK, GLASS, MAIN, Rng, apart, darker, lighter, pick
from interpret.demo.parts import number
from interpret.demo.shapes import Points, box, ellipse, line, moved, points, rounded, smooth, stroke, turned


def wheels(canvas: Canvas, rng: Rng, places: Sequence[tuple[float, float]], r: float, rim: float) -> None:
    """The wheels that Car, Truck and Bicycle share: tyre, rim of ``rim`` times the radius ``r``, spokes and hub."""
    part, tyre = number("wheel"), pick(rng, DARK)
    disc, count = lighter(pick(rng, MAIN), 0.62), int(rng.integers(5, 9))
    for x, y in places:
        canvas.shape(ellipse(x, y, r), tyre, part, shading=0.3)
        canvas.shape(ellipse(x, y, r * rim), disc, part, decal=True, shading=-0.2)
        turn = rng.uniform(0, 90)
        spoke = box(0, -r * 0.08, r * rim, r * 0.08)
        spokes = [moved(turned(spoke, turn + 360 * i / count), x, y) for i in range(count)]
        canvas.shape(spokes, darker(disc, 0.28), part, decal=True)
        canvas.shape(ellipse(x, y, r * 0.2), tyre, part, decal=True)
        canvas.shape(ellipse(x, y, r * 0.09), lighter(disc), part, decal=True)


def window(canvas: Canvas, outline: Points, frame: Colour, glass: Colour, bars: bool = False) -> None:
    """The window that Car, Truck, Plane and House share: frame, glass and a gleam from corner to corner."""
    part, centre = number("window"), outline.mean(0)
    span = (outline.max(0) - outline.min(0)) / 2
    canvas.shape(rounded((outline - centre) * (1 + 1.7 / span) + centre, 0.12), frame, part)
    canvas.shape(rounded(outline, 0.1), glass, part, decal=True, shading=0.3)
    for near, far in ((-0.55, -0.1), (0.05, 0.2)):
        gleam = points((near, 0.72), (far, 0.72), (far + 0.5, -0.72), (near + 0.5, -0.72)) * span * (0.9, 1) + centre
        canvas.shape(gleam, lighter(glass, 0.6), part, decal=True, shading=0)
    if bars:
        cross = [box(centre[0] - 0.8, centre[1] - span[1], centre[0] + 0.8, centre[1] + span[1]),
                 box(centre[0] - span[0], centre[1] - 0.8, centre[0] + span[0], centre[1] + 0.8)]  # fmt: skip
        canvas.shape(cross, frame, part, decal=True)


def _headlight(canvas: Canvas, rng: Rng, x: float, y: float) -> None:
    part = number("headlight")
    canvas.shape(ellipse(x, y, 3.6, 4.6), darker(pick(rng, MAIN), 0.4), part)
    canvas.shape(ellipse(x + 0.5, y, 2.6, 3.5), (255, 240, 178), part, decal=True)


def car(canvas: Canvas, rng: Rng) -> None:
    """A car: one body with a cabin."""
    paint = pick(rng, MAIN)
    second = apart(rng, (*MAIN, *DARK), [paint])
    body, glass = number("bodywork"), pick(rng, GLASS)
    high, nose = rng.uniform(-30, -23), rng.uniform(18, 28)
    cabin = points((-30, -4), (-22, high), (6 + nose * 0.2, high), (nose + 2, -4))
    canvas.shape(rounded(cabin, 0.16), darker(paint, 0.08), body)
    middle = rng.uniform(-7, 0)
    frame = darker(paint, 0.45)
    window(canvas, points((-24, -6), (-18.5, high + 5), (middle - 2.5, high + 5), (middle - 2.5, -6)), frame, glass)
    window(canvas, points((middle + 2.5, -6), (middle + 2.5, high + 5), (3 + nose * 0.2, high + 5), (nose - 5, -6)),
           frame, glass)  # fmt: skip
    hull = points((-45, 12), (-44, -4), (-34, -8), (nose, -8), (40, -3), (46, 6), (45, 14), (-43, 14))
    canvas.shape(smooth(rounded(hull, 0.2, 2), 1), paint, body, shading=0.34)
    canvas.shape(points((-42, 5), (44, 5), (44, 8), (-42, 8)), second, body, decal=True)
    seams = [box(middle - 0.5, -6, middle + 0.5, 13), box(middle + 3, -3, middle + 9, -1.2)]
    canvas.shape(seams, darker(paint, 0.4), body, decal=True)
    _headlight(canvas, rng, 42, 2)
    r, rim = rng.uniform(10, 13), rng.uniform(0.58, 0.74)
    canvas.shape([ellipse(x, 14, r + 2) for x in (-26, 27)], darker(paint, 0.5), body, decal=True)
    wheels(canvas, rng, ((-26, 15.5), (27, 15.5)), r, rim)


def truck(canvas: Canvas, rng: Rng) -> None:
    """A truck: a cab and a cargo box."""
    paint = pick(rng, MAIN)
    second = apart(rng, MAIN, [paint])
    body, cargo = number("bodywork"), number("cargo box")
    high, split = rng.uniform(-38, -26), rng.uniform(10, 16)
    canvas.shape(box(-44, 11, 40, 17), pick(rng, DARK), body)
    canvas.shape(rounded(points((-46, high), (split, high), (split, 13), (-46, 13)), 0.05), second, cargo, shading=0.34)
    style = rng.random()
    if style < 0.5:
        ribs = [box(x, high + 4, x + 1.6, 9) for x in np.arange(-40, split - 4, rng.uniform(6.5, 9))]
        canvas.shape(ribs, darker(second, 0.25), cargo, decal=True)
    else:
        canvas.shape(box(-46, high * 0.45 - 4, split, high * 0.45 + 5), lighter(paint, 0.2), cargo, decal=True)
        canvas.shape(box(-46, high + 2, split, high + 4.5), darker(second, 0.25), cargo, decal=True)
    top = rng.uniform(-22, -16)
    cab = points((split + 2, top), (33, top), (41, -2), (45, 3), (45, 15), (split + 2, 15))
    canvas.shape(rounded(cab, 0.14), paint, body, shading=0.34)
    pane = points((split + 7, -2), (split + 7, top + 5), (31, top + 5), (36.5, -2))
    window(canvas, pane, darker(paint, 0.45), pick(rng, GLASS))
    canvas.shape(box(split + 7, 3, split + 13, 4.8), darker(paint, 0.4), body, decal=True)
    _headlight(canvas, rng, 42.5, 7)
    r, rim = rng.uniform(9.5, 12.0), rng.uniform(0.58, 0.74)
    axles = (-33, -10, 30) if rng.random() < 0.5 else (-27, 29)
    wheels(canvas, rng, [(x, 18) for x in axles], r, rim)


def bicycle(canvas: Canvas, rng: Rng) -> None:
    """A bicycle: two wheels, a frame, a handlebar and a saddle."""
    paint = pick(rng, MAIN)
    second = apart(rng, (*MAIN, *DARK), [paint])
    r, rim = rng.uniform(17, 20), rng.uniform(0.68, 0.8)
    frame, bar, saddle = number("frame"), number("handlebar"), number("saddle")
    high = rng.uniform(-22, -15)
    rear, front, crank, seat, head = (-26, 14), (27, 14), (-3, 13), (-11, high + 3), (19, high + 2)
    wheels(canvas, rng, (rear, front), r, rim)
    w = rng.uniform(1.9, 2.6)
    top = (seat[0] + 1, seat[1] + 4, head[0] - 1, head[1] + 3)
    fork = (*front, head[0] - 2, head[1] - 6)
    tubes: tuple[tuple[float, float, float, float], ...] = (
        (*rear, *crank),
        (*rear, *seat),
        (*crank, *seat),
        (*crank, *head),
        top,
        fork,
    )
    canvas.shape([piece for tube in tubes for piece in line(*tube, w)], paint, frame, shading=0.3)
    canvas.shape(ellipse(*crank, 5.2), second, frame)
    canvas.shape(ellipse(*crank, 2.4), lighter(paint), frame, decal=True)
    turn = rng.uniform(0, 180)
    arm = moved(turned(points((-9, 0), (9, 0)), turn), *crank)
    pedals = [piece for x, y in arm for piece in line(x - 3, y, x + 3, y, 1.4)]
    canvas.shape([*stroke(arm, 1.1), *pedals], darker(second, 0.3), frame)
    grip = rng.uniform(-5, 1)
    bend = (head[0] + 6, head[1] - 10 + grip * 0.3)
    stem = line(head[0] - 3, head[1] - 8, *bend, 1.9)
    canvas.shape([*stem, *line(*bend, head[0] + 8, head[1] - 3 + grip, 2.2)], second, bar)
    canvas.shape(line(seat[0], seat[1], seat[0] - 2, seat[1] - 6, 1.7), darker(paint, 0.3), saddle)
    cushion = smooth(points((-14, -3.4), (-3, -4.2), (10, -2.6), (11, 1), (-4, 1.6), (-11, 4), (-15, 1)), 2)
    canvas.shape(moved(cushion, seat[0] - 1, seat[1] - 7), second, saddle, shading=0.3)


def plane(canvas: Canvas, rng: Rng) -> None:
    """A plane: fuselage, wings, stabiliser, engine and a row of windows."""
    paint = pick(rng, MAIN)
    second = apart(rng, MAIN, [paint])
    hull, glass = number("fuselage"), pick(rng, GLASS)
    deep = rng.uniform(11, 14)
    wing(canvas, rng, 4, -deep * 0.5, rng.uniform(20, 30), 26, rng.uniform(168, 192), darker(second, 0.2))
    fin = points((-46, -4), (-50, -32), (-40, -33), (-24, -deep * 0.6))
    canvas.shape(rounded(fin, 0.14), second, number("stabiliser"), shading=0.3)
    flash = points((-46.5, -26), (-38, -26.5), (-34, -21), (-45.5, -20))
    canvas.shape(flash, lighter(second, 0.5), number("stabiliser"), decal=True)
    tube = points((-50, -5), (-36, -deep), (20, -deep), (38, -deep * 0.8), (50, 2), (42, deep * 0.8), (18, deep),
                  (-20, deep), (-42, 3))  # fmt: skip
    canvas.shape(smooth(tube, 3), paint, hull, shading=0.4)
    belly = points((-40, 3), (0, deep * 0.4), (46, 4), (40, deep * 0.75), (16, deep * 0.93), (-18, deep * 0.9))
    canvas.shape(smooth(belly, 2), lighter(paint, 0.5), hull, decal=True, shading=0.1)
    count = int(rng.integers(3, 5))
    for x in np.linspace(-20, 16, count):
        window(canvas, box(x - 3.4, -deep * 0.62, x + 3.4, -deep * 0.62 + 8.0), darker(paint, 0.4), glass)
    window(canvas, points((30, -deep * 0.5), (37.5, -deep * 0.5), (43, 1), (30, 1)), darker(paint, 0.4), glass)
    wing(canvas, rng, 2, deep * 0.25, rng.uniform(28, 38), 28, rng.uniform(-14, 12), second)
    engine, x, y = number("engine"), rng.uniform(8, 14), deep + rng.uniform(3, 7)
    canvas.shape(smooth(points((x - 11, y - 5), (x + 10, y - 6), (x + 11, y + 6), (x - 11, y + 5)), 2), paint, engine)
    canvas.shape(ellipse(x + 8, y, 2.6, 4.8), pick(rng, DARK), engine, decal=True)
    canvas.shape(ellipse(-41, -4, 9, 2.8, 8), second, number("stabiliser"))
