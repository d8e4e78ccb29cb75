"""Pictures for the page on the demo: a sheet of drawings, and what single units see."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret.demo.canvas import SIZE
from interpret.demo.draw import sample

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
    unit: NDArray[np.floating], labels: NDArray[np.int64], images: Sequence[NDArray[np.uint8]], classes: int, each: int
) -> list[NDArray[np.uint8]]:
    """The images on which a unit is highest, of the classes in which it is highest on average.

    Args:
        unit: (n, h, w) one unit's activations on n images.
        labels: (n,) the images' classes.
        images: the n images, (SIZE, SIZE, 3) uint8.
        classes: number of classes to show.
        each: images of each.

    Returns:
        The images, best class and best image first, dimmed where the unit stays below half of its maximum there.
    """
    peaks = unit.reshape(len(unit), -1).max(1)
    pooled = np.array([unit[labels == label].mean() for label in range(int(labels.max()) + 1)])
    shown = []
    for label in np.argsort(-pooled, kind="stable")[:classes]:
        own = np.flatnonzero(labels == label)
        for place in own[np.argsort(-peaks[own], kind="stable")][:each]:
            shown.append(_spotlight(unit[place], images[place]))
    return shown


def _spotlight(field: NDArray[np.floating], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image with everything dimmed but where a map is above half of its maximum, with a yellow outline."""
    small = Image.fromarray(field.astype(np.float32), "F")
    large = np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    fires = large > large.max() / 2
    inner = fires & np.roll(fires, 1, 0) & np.roll(fires, -1, 0) & np.roll(fires, 1, 1) & np.roll(fires, -1, 1)
    mixed = np.where(fires[..., None], image, image * 0.3 + 30)
    mixed[fires & ~inner] = (255, 214, 64)
    return mixed.astype(np.uint8)
