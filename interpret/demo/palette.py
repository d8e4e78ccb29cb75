"""The demo's colours: one palette for every class, so that no colour belongs to a class."""

from collections.abc import Sequence

import numpy as np

from interpret.demo.canvas import Colour

Rng = np.random.Generator

# Coats, bodies and walls: eighteen colours.
MAIN: tuple[Colour, ...] = (
    (226, 110, 92), (240, 152, 96), (246, 196, 104), (224, 214, 132), (168, 196, 112), (112, 178, 132),
    (92, 176, 172), (104, 170, 212), (104, 134, 206), (146, 122, 204), (196, 128, 192), (236, 144, 168),
    (176, 128, 96), (216, 178, 140), (246, 238, 222), (190, 196, 204), (128, 134, 148), (84, 92, 112),
)  # fmt: skip
# Dark accents: tyres, noses, stripes.
DARK: tuple[Colour, ...] = ((52, 56, 70), (72, 60, 62), (50, 66, 84), (84, 66, 52), (66, 54, 82), (46, 74, 74))
# Glass, by day and lit from within.
GLASS: tuple[Colour, ...] = ((186, 224, 240), (206, 236, 228), (248, 226, 150), (150, 194, 222), (226, 214, 240))
# Backgrounds: paler than the objects, or night.
PALE: tuple[Colour, ...] = (
    (250, 232, 214), (246, 220, 196), (232, 238, 206), (206, 230, 210), (202, 230, 236), (206, 218, 242),
    (226, 214, 240), (246, 214, 222), (240, 240, 234), (222, 206, 186), (190, 212, 196), (178, 204, 222),
)  # fmt: skip
NIGHT: tuple[Colour, ...] = ((58, 66, 98), (72, 62, 92), (52, 80, 92), (88, 74, 84), (64, 84, 78), (92, 100, 120))


def pick(rng: Rng, colours: Sequence[Colour]) -> Colour:
    """One of ``colours``."""
    return colours[int(rng.integers(len(colours)))]


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``share`` of ``b`` in ``a``."""
    return (
        int(a[0] + (b[0] - a[0]) * share),
        int(a[1] + (b[1] - a[1]) * share),
        int(a[2] + (b[2] - a[2]) * share),
    )


def darker(colour: Colour, share: float = 0.22) -> Colour:
    """``colour`` in shade, with a touch of blue as shade has outdoors."""
    return mix(colour, (44, 40, 72), share)


def lighter(colour: Colour, share: float = 0.3) -> Colour:
    """``colour`` in full light."""
    return mix(colour, (255, 252, 240), share)


def contrast(a: Colour, b: Colour) -> int:
    """Distance of two colours: the sum of the absolute channel differences."""
    return sum(abs(p - q) for p, q in zip(a, b, strict=True))


def apart(rng: Rng, colours: Sequence[Colour], others: Sequence[Colour], least: int = 110) -> Colour:
    """One of ``colours`` that is at least ``least`` from each of ``others``; the farthest where none is."""
    order = [colours[int(i)] for i in rng.permutation(len(colours))]
    for colour in order:
        if all(contrast(colour, other) >= least for other in others):
            return colour
    return max(order, key=lambda colour: min(contrast(colour, other) for other in others))
