"""Bird, Dog, Cat and Fish, each in a space of about 100 x 100 units about the origin, y down."""

import numpy as np

from interpret.demo.canvas import Canvas, Colour
from interpret.demo.palette import DARK, MAIN, Rng, apart, darker, lighter, mix, pick
from interpret.demo.parts import number
from interpret.demo.shapes import Points, curve, ellipse, line, moved, points, rounded, smooth, stroke, turned


def eye(canvas: Canvas, rng: Rng, x: float, y: float, r: float) -> None:
    """The eye that all animals share."""
    part, look = number("eye"), rng.uniform(-0.25, 0.25)
    canvas.shape(ellipse(x, y, r), (252, 250, 244), part, shading=0.08)
    canvas.shape(ellipse(x + look * r, y, r * 0.64), (38, 36, 48), part, decal=True, shading=0.1)
    canvas.shape(ellipse(x + (look - 0.24) * r, y - 0.26 * r, r * 0.24), (255, 255, 255), part, decal=True, shading=0)


def wing(
    canvas: Canvas, rng: Rng, x: float, y: float, length: float, chord: float, degrees: float, colour: Colour
) -> None:
    """The wing that Bird and Plane share: swept back from (x, y), with a dark trailing edge and a light panel."""
    part = number("wing")
    outline = points((-0.55, 0), (0.5, 0), (0.42, 0.25), (-0.2, 0.92), (-0.52, 1.0), (-0.72, 0.94), (-0.66, 0.45))
    size = (chord, length)

    def put(piece: Points) -> Points:
        return moved(turned(piece * size, degrees), x, y)

    canvas.shape(put(rounded(outline, 0.2)), colour, part, shading=0.3)
    band = points((-0.5, 0.1), (-0.34, 0.1), (-0.46, 0.6), (-0.5, 0.88), (-0.62, 0.84), (-0.58, 0.4))
    canvas.shape(put(smooth(band, 2)), darker(colour, 0.35), part, decal=True)
    panel = points((-0.2, 0.2), (0.3, 0.16), (0.0, 0.74), (-0.26, 0.8))
    canvas.shape(put(smooth(panel, 2)), lighter(colour, 0.4), part, decal=True)


def bird(canvas: Canvas, rng: Rng) -> None:
    """A bird, perched or in flight."""
    coat = pick(rng, MAIN)
    second = apart(rng, MAIN, [coat])
    beak = apart(rng, MAIN, [coat, second], 90)
    flying = rng.random() < 0.45
    lean = rng.uniform(-14, 8) if not flying else rng.uniform(-6, 14)

    def put(piece: Points) -> Points:
        return turned(piece, lean)

    spread = 30 if flying else 16
    if flying:
        wing(canvas, rng, 2, -2, rng.uniform(30, 38), 24, rng.uniform(150, 185), darker(second, 0.2))
    tail = number("tail feathers")
    for turn in (-9, 0, 9):
        feather = turned(points((0, -3.4), (27, -5.4), (31, 0), (27, 5.4), (0, 3.4)), 180 + turn + rng.uniform(-3, 3))
        canvas.shape(put(smooth(moved(feather, -22, 5), 2)), darker(second, 0.12 + 0.01 * turn), tail)
    if not flying:
        foot = number("foot")
        for at in (-4, 7):
            toes = [*line(at, 20, at + 1, 37, 1.4), *line(at - 4, 38, at + 7, 38, 1.5)]
            canvas.shape([put(piece) for piece in toes], beak, foot)
    body = smooth(points((-28, 4), (-14, -15), (8, -20), (25, -12), (27, 8), (12, 24), (-10, 22)), 3)
    canvas.shape(put(body), coat, number("plumage"), shading=0.34)
    belly = smooth(points((-10, 18), (6, 4), (24, -2), (25, 10), (12, 22)), 3)
    canvas.shape(put(belly), lighter(coat, 0.5), number("plumage"), decal=True, shading=0.1)
    x, y = put(np.array([[25.0, -20.0 + rng.uniform(-4, 3)]]))[0]
    canvas.shape(smooth(points((x + 9, y - 6), (x + 30, y + 2), (x + 9, y + 8))), beak, number("beak"), shading=0.4)
    canvas.shape(
        points((x + 10, y + 1), (x + 24, y + 1.6), (x + 10, y + 2.6)), darker(beak), number("beak"), decal=True
    )
    canvas.shape(ellipse(x, y, 14.5), coat, number("head"), shading=0.3)
    if rng.random() < 0.5:
        canvas.shape(smooth(points((x - 14, y - 2), (x - 6, y - 16), (x + 8, y - 14), (x + 1, y - 8)), 2), second,
                     number("head"), decal=True)  # fmt: skip
    eye(canvas, rng, x + 4, y - 2.5, rng.uniform(4.6, 5.6))
    sweep = rng.uniform(130, 175) if flying else rng.uniform(-72, -52)
    root = put(np.array([[-2.0, -6.0] if flying else [4.0, -4.0]]))[0]
    wing(canvas, rng, root[0], root[1], rng.uniform(32, 40), spread if flying else 22, sweep, second)


def _coat(canvas: Canvas, rng: Rng, torso: Points, colour: Colour, second: Colour) -> None:
    """Stripes, spots or a plain coat, for Dog and Cat alike, kept well inside the torso."""
    style, part, centre = rng.random(), number("torso"), torso.mean(0)
    span = (torso.max(0) - torso.min(0)) / 2
    if style < 0.35:
        bars = [smooth(points((t, -0.78), (t + 0.15, -0.8), (t + 0.08, 0.05)), 1) * span + centre
                for t in (-0.5, -0.2, 0.1, 0.4)]  # fmt: skip
        canvas.shape(bars, second, part, decal=True)
    elif style < 0.7:
        spots = [ellipse(*(rng.uniform(-0.5, 0.5, 2) * span + centre), *rng.uniform(3.0, 6.5, 2)) for _ in range(3)]
        canvas.shape(spots, second, part, decal=True)


def _leg(canvas: Canvas, rng: Rng, x: float, top: float, foot: float, colour: Colour, paw: Colour) -> None:
    """A leg with its paw, for Dog and Cat alike."""
    part, swing = number("leg"), rng.uniform(-5, 5)
    canvas.shape(line(x, top, x + swing, foot - 3, 5.6, 4.4), colour, part, shading=0.2)
    canvas.shape(ellipse(x + swing + 1.5, foot - 2.6, 6.2, 4.0), paw, part)


def _four_legged(canvas: Canvas, rng: Rng, coat: Colour, second: Colour) -> tuple[float, float]:
    """Tail, legs and torso of Dog and Cat, standing or sitting; returns where the head goes."""
    paw = lighter(coat, 0.5) if rng.random() < 0.5 else coat
    tail, torso = number("tail"), number("torso")
    lift = rng.uniform(-22, 10)
    if rng.random() < 0.6:
        path = curve((-26, 0), (-42, 4 + lift * 0.3), (-48, -14 + lift), (-40, -24 + lift))
        canvas.shape(stroke(path, 4.6, 3.4), darker(coat, 0.1), tail)
        canvas.shape(stroke(path[10:], 3.6, 3.4), second, tail, decal=True)
        for x in (-17, 19):
            _leg(canvas, rng, x + 5, 8, 36, darker(coat, 0.25), darker(paw, 0.25))
        body = smooth(points((-32, 2), (-26, -15), (0, -14), (22, -17), (30, 0), (22, 17), (0, 14), (-24, 17)), 3)
        canvas.shape(body, coat, torso, shading=0.34)
        _coat(canvas, rng, body, coat, second)
        for x in (-22, 16):
            _leg(canvas, rng, x, 9, 38, coat, paw)
        return 25 + rng.uniform(-3, 3), -20 + rng.uniform(-5, 6)
    path = curve((-14, 30), (-36, 38), (-46, 22 + lift * 0.5), (-36, 8 + lift))
    canvas.shape(stroke(path, 4.6, 3.4), darker(coat, 0.1), tail)
    canvas.shape(stroke(path[10:], 3.6, 3.4), second, tail, decal=True)
    _leg(canvas, rng, 14, 8, 37, darker(coat, 0.25), darker(paw, 0.25))
    body = smooth(points((-24, 36), (-26, 16), (-8, -14), (10, -18), (20, -4), (18, 24), (12, 38)), 3)
    canvas.shape(body, coat, torso, shading=0.34)
    _coat(canvas, rng, body, coat, second)
    canvas.shape(ellipse(-12, 26, 13, 11.5), coat, number("leg"), shading=0.2)
    canvas.shape(ellipse(-3, 36, 8, 4.2), paw, number("leg"))
    _leg(canvas, rng, 8, 6, 39, coat, paw)
    return 8 + rng.uniform(-3, 4), -22 + rng.uniform(-4, 4)


def dog(canvas: Canvas, rng: Rng) -> None:
    """A dog: floppy ears and a muzzle."""
    coat = pick(rng, MAIN)
    second = apart(rng, (*MAIN, *DARK), [coat])
    x, y = _four_legged(canvas, rng, coat, second)
    tilt = rng.uniform(-10, 10)

    def put(piece: Points) -> Points:
        return moved(turned(piece, tilt), x, y)

    canvas.shape(put(ellipse(0, 0, 16.5, 15.5)), coat, number("head"), shading=0.3)
    ears = second if rng.random() < 0.6 else darker(coat, 0.3)
    for side in (-1, 1):
        flop = smooth(points((6, -15), (15, -17), (24, -4), (24, 12), (17, 15), (12, 2)) * (side, 1), 3)
        canvas.shape(put(flop), ears, number("floppy ear"), shading=0.3)
    for side in (-1, 1):
        ex, ey = put(np.array([[6.6 * side, -4.0]]))[0]
        eye(canvas, rng, ex, ey, 4.4)
    canvas.shape(put(ellipse(0, 7, 9.4, 7.4)), lighter(mix(coat, second, 0.15), 0.5), number("muzzle"), shading=0.16)
    canvas.shape(put(ellipse(0, 3.6, 5.4, 3.6)), darker(coat, 0.55), number("muzzle"), decal=True, shading=0.4)
    if rng.random() < 0.5:
        canvas.shape(put(rounded(points((-2.6, 11), (2.6, 11), (2.4, 18), (-2.4, 18)), 0.3)), (232, 112, 122),
                     number("muzzle"), decal=True)  # fmt: skip


def cat(canvas: Canvas, rng: Rng) -> None:
    """A cat: pointed ears and whiskers."""
    coat = pick(rng, MAIN)
    second = apart(rng, (*MAIN, *DARK), [coat])
    x, y = _four_legged(canvas, rng, coat, second)
    tilt = rng.uniform(-10, 10)

    def put(piece: Points) -> Points:
        return moved(turned(piece, tilt), x, y)

    inner = lighter(mix(coat, (240, 140, 150), 0.6), 0.2)
    for side in (-1, 1):
        canvas.shape(
            put(rounded(points((2, -9), (15.5, -27), (18, -3)) * (side, 1), 0.08)), coat, number("pointed ear")
        )
        canvas.shape(put(rounded(points((6, -10), (14, -21), (15.4, -6)) * (side, 1), 0.08)), inner,
                     number("pointed ear"), decal=True)  # fmt: skip
    canvas.shape(put(ellipse(0, 0, 17.5, 14.5)), coat, number("head"), shading=0.3)
    if rng.random() < 0.5:
        marks = [put(points((t - 1.4, -13.5), (t + 1.4, -13.5), (t, -7))) for t in (-4.5, 0, 4.5)]
        canvas.shape(marks, second, number("head"), decal=True)
    for side in (-1, 1):
        ex, ey = put(np.array([[7.2 * side, -1.5]]))[0]
        eye(canvas, rng, ex, ey, 4.6)
    canvas.shape(put(smooth(points((-2.8, 3.4), (2.8, 3.4), (0, 7.0)), 1)), (226, 120, 132), number("head"), decal=True)
    hair = [piece for side in (-1, 1) for t in (-2.5, 0.5, 3.5)
            for piece in line(side * 6, 7 + t * 0.4, side * 24, 6 + t * 1.6, 0.75, 0.5)]  # fmt: skip
    tone = lighter(coat, 0.75) if sum(coat) < 480 else pick(rng, DARK)
    canvas.shape([put(piece) for piece in hair], tone, number("whiskers"), decal=True)


def fish(canvas: Canvas, rng: Rng) -> None:
    """A fish: fins, scales and a forked tail fin."""
    coat = pick(rng, MAIN)
    second = apart(rng, MAIN, [coat])
    deep = rng.uniform(18, 26)
    fork = points((-26, 0), (-48, -19), (-44, -7), (-42, 0), (-44, 7), (-48, 19)) * (1, rng.uniform(0.85, 1.15))
    canvas.shape(rounded(fork, 0.14), second, number("tail fin"), shading=0.3)
    rays = [piece for t in (-0.5, 0, 0.5) for piece in line(-32, t * 6, -43, t * 22, 0.7)]
    canvas.shape(rays, darker(second), number("tail fin"), decal=True)
    fin = number("fin")
    canvas.shape(
        smooth(points((-16, -deep * 0.6), (-12, -deep - 13), (6, -deep - 9), (20, -deep * 0.7)), 2), second, fin
    )
    canvas.shape(smooth(points((-14, deep * 0.6), (-14, deep + 10), (-2, deep + 8), (6, deep * 0.7)), 2), second, fin)
    body = smooth(points((-34, 0), (-22, -deep * 0.62), (2, -deep * 1.18), (28, -deep * 0.85), (44, 0),
                         (28, deep * 0.85), (2, deep * 1.18), (-22, deep * 0.62)), 3)  # fmt: skip
    scales = number("scales")
    canvas.shape(body, coat, scales, shading=0.34)
    rows = [
        stroke(curve((x - 3, y - 4.5), (x + 4.5, y), (x - 3, y + 4.5), steps=6), 0.75)[0]
        for row, y in enumerate((-10.0, -3.5, 3.0, 9.5))
        for x in np.arange(-18 + 4 * (row % 2), 13, 8.0)
        if abs(y) < deep * 0.78 - abs(x + 2) * 0.18
    ]
    canvas.shape(rows, darker(coat, 0.3) if rng.random() < 0.5 else lighter(coat, 0.45), scales, decal=True)
    belly = smooth(points((-18, deep * 0.5), (2, deep * 0.62), (32, deep * 0.3), (26, deep * 0.7), (2, deep)), 2)
    canvas.shape(belly, lighter(coat, 0.5), scales, decal=True)
    flap = points((0, -4), (-16, -9), (-18, 0), (-16, 8), (0, 4))
    flap = moved(turned(flap, rng.uniform(-25, 25)), 12, 6)
    canvas.shape(smooth(flap, 2), second, fin)
    canvas.shape(stroke(curve((37, 6), (33, 8), (31, 5.5)), 0.9), darker(coat, 0.6), scales, decal=True)
    eye(canvas, rng, 27, -5, rng.uniform(4.8, 6.0))
