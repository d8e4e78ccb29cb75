"""One drawing of the demo data set and the masks of its parts, from an index."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret.demo.animals import bird, cat, dog, fish
from interpret.demo.canvas import ONE, SIZE, Canvas
from interpret.demo.machines import bicycle, car, plane, truck
from interpret.demo.palette import NIGHT, PALE, Rng, apart, pick
from interpret.demo.parts import CLASS_NAMES, CLASS_PARTS, PARTS
from interpret.demo.scenery import background, clutter, occluder
from interpret.demo.still import flower, house

__all__ = ["CLASS_NAMES", "CLASS_PARTS", "PARTS", "SPLITS", "Sample", "sample"]

# The second word of the seed. No choice was made on the test splits: figures are reported on them.
SPLITS = {"train": 1, "val": 2, "test1": 3, "test2": 4, "test3": 5, "test4": 6, "test5": 7}
_SEED = 20_17
_OBJECT_HEIGHT = 40
_FRONT_HEIGHT = 180
_DRAW: dict[str, Callable[[Canvas, Rng], None]] = {
    "Bird": bird, "Dog": dog, "Cat": cat, "Fish": fish, "Car": car,
    "Truck": truck, "Bicycle": bicycle, "Plane": plane, "House": house, "Flower": flower,
}  # fmt: skip
_TURN = {"Fish": 24.0, "Plane": 22.0, "Bird": 10.0}  # largest rotation in degrees; 8 for the other classes


@dataclass(frozen=True, eq=False)
class Sample:
    """One drawing.

    Attributes:
        image: (SIZE, SIZE, 3) uint8.
        label: the class, an index into ``CLASS_NAMES``.
    """

    image: NDArray[np.uint8]
    label: int
    _canvas: Canvas

    @cached_property
    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Part name -> (SIZE, SIZE) bool, the part's visible pixels; only visible parts."""
        return {PARTS[number - 1]: mask for number, mask in self._canvas.masks().items()}


def sample(index: int, split: str = "train") -> Sample:
    """The ``index``-th drawing of a split; its class is ``index`` modulo the number of classes.

    The same index gives the same image and masks on every machine.

    Raises:
        ValueError: ``split`` is not one of ``SPLITS``, or ``index`` is negative.
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; choose one of {', '.join(SPLITS)}")
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([_SEED, SPLITS[split], index])))
    label = index % len(CLASS_NAMES)
    name = CLASS_NAMES[label]
    canvas = Canvas(light_from_left=bool(rng.random() < 0.5))
    base = pick(rng, PALE if rng.random() < 0.78 else NIGHT)
    second = apart(rng, (*PALE, *NIGHT), [base], 60)
    background(canvas, rng, base, second)
    canvas.layer(20)
    clutter(canvas, rng)

    scale = rng.uniform(0.64, 1.04)
    slack = 10.0 + (1.04 - scale) * 42
    x, y = SIZE / 2 + rng.uniform(-slack, slack), SIZE / 2 + rng.uniform(-slack, slack) * 0.8
    turn = rng.uniform(-1, 1) * _TURN.get(name, 8.0)
    canvas.layer(_OBJECT_HEIGHT)
    canvas.place(x, y, scale, turn, flip=bool(rng.random() < 0.5), stretch=rng.uniform(0.92, 1.08))
    _DRAW[name](canvas, rng)
    canvas.layer(_FRONT_HEIGHT)
    occluder(canvas, rng, x, y, 44 * scale)

    shadow = _ground_shadow(x, y + 38 * scale, 40 * scale) if rng.random() < 0.7 else np.zeros((SIZE, SIZE), np.uint8)
    gain = _light(rng)
    image = canvas.render(shadow, _tone(rng), gain, _OBJECT_HEIGHT)
    return Sample(_grain(image, rng), label, canvas)


def _ground_shadow(x: float, y: float, reach: float) -> NDArray[np.uint8]:
    """(SIZE, SIZE) darkness, 0..44 of 128, of a soft shadow flat on the ground about (x, y)."""
    columns = (np.arange(SIZE) * 16 - int(x * 16)) * 64 // int(reach * 16)
    rows = (np.arange(SIZE) * 16 - int(y * 16)) * 64 // int(reach * 0.26 * 16)
    away = columns[None, :] ** 2 + rows[:, None] ** 2
    return (np.clip(4096 - away, 0, 4096) * 44 // 4096).astype(np.uint8)


def _tone(rng: Rng) -> NDArray[np.uint8]:
    """(SIZE, SIZE) uneven brightness about ``ONE``: a gradient across the image, and soft clouds."""
    across, down = (int(n) for n in rng.integers(-12, 13, 2))
    ramp = np.arange(SIZE) - SIZE // 2
    slant = (ramp[None, :] * across + ramp[:, None] * down) // (SIZE // 2)
    coarse = Image.fromarray(rng.integers(0, 15, (7, 7), dtype=np.uint8))
    cloud = np.asarray(coarse.resize((SIZE, SIZE), Image.Resampling.BICUBIC)).astype(np.int64) - 7
    return np.clip(ONE + slant + cloud, 0, 255).astype(np.uint8)


def _light(rng: Rng) -> tuple[int, int, int]:
    """The colour of the light in 7-bit fixed point: dim to bright, cool to warm."""
    strength, warmth = int(rng.integers(114, 144)), int(rng.integers(-9, 10))
    return strength + warmth, strength, strength - warmth


def _grain(image: NDArray[np.uint8], rng: Rng) -> NDArray[np.uint8]:
    """A fine paper grain of two levels."""
    noise = rng.integers(-2, 3, (SIZE, SIZE, 1), dtype=np.int16)
    return np.clip(image.astype(np.int16) + noise, 0, 255).astype(np.uint8)
