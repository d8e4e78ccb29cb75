"""Pictures for the page on the demo: a sheet of drawings, and what single units see."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret.demo.canvas import SIZE
from interpret.demo.draw import sample
from interpret.overlap import enlarger

_GAP = 4


def page(images: Sequence[NDArray[np.uint8]], columns: int) -> Image.Image:
    """Images (SIZE, SIZE, 3) row after row on white."""
    rows = -(-len(images) // columns)
    found = Image.new("RGB", (columns * (SIZE + _GAP) + _GAP, rows * (SIZE + _GAP) + _GAP), (255, 255, 255))
    for place, image in enumerate(images):
        row, column = divmod(place, columns)
        found.paste(Image.fromarray(image), (column * (SIZE + _GAP) + _GAP, row * (SIZE + _GAP) + _GAP))
    return found


def sheet(rows: int, columns: int, split: str = "val", first: int = 0) -> Image.Image:
    """The drawings ``first``, ``first + 1``, ... of a split."""
    return page([sample(first + place, split).image for place in range(rows * columns)], columns)


def seen_by(
    unit: NDArray[np.floating], threshold: float, images: Sequence[NDArray[np.uint8]], count: int
) -> list[NDArray[np.uint8]]:
    """The images on which a unit is highest, dimmed where it stays below its threshold.

    Args:
        unit: (n, h, w) one unit's activations on n images.
        threshold: activation above which it fires.
        images: the n images, (SIZE, SIZE, 3) uint8.
        count: images to show.
    """
    order = np.argsort(-unit.reshape(len(unit), -1).max(1), kind="stable")[:count]
    down, across = enlarger(unit.shape[1], SIZE), enlarger(unit.shape[2], SIZE)
    shown = []
    for place in order:
        fires = down @ unit[place].astype(np.float32) @ across.T > threshold
        image = images[place].astype(np.float32)
        dimmed = image * 0.3 + 255 * 0.12
        border = fires ^ (np.roll(fires, 1, 0) & np.roll(fires, -1, 0) & np.roll(fires, 1, 1) & np.roll(fires, -1, 1))
        mixed = np.where(fires[..., None], image, dimmed)
        mixed[border & fires] = (255, 214, 64)
        shown.append(mixed.astype(np.uint8))
    return shown
