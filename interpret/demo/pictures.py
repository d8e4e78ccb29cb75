"""Pictures for the documentation of the demo: a sheet of drawings, and where single units respond."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret.demo.canvas import SIZE
from interpret.demo.draw import sample

_GAP = 4


def page(images: Sequence[NDArray[np.uint8]], columns: int) -> Image.Image:
    """A picture of images (SIZE, SIZE, 3) in rows of ``columns``, on white."""
    rows = -(-len(images) // columns)
    picture = Image.new("RGB", (columns * (SIZE + _GAP) + _GAP, rows * (SIZE + _GAP) + _GAP), (255, 255, 255))
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        picture.paste(Image.fromarray(image), (column * (SIZE + _GAP) + _GAP, row * (SIZE + _GAP) + _GAP))
    return picture


def sheet(rows: int, columns: int, split: str = "val", first: int = 0) -> Image.Image:
    """A picture of ``rows`` x ``columns`` drawings of a split, from the index ``first`` on."""
    return page([sample(first + index, split).image for index in range(rows * columns)], columns)


def strongest_responses(
    unit: NDArray[np.floating], labels: NDArray[np.int64], images: Sequence[NDArray[np.uint8]], classes: int, each: int
) -> list[NDArray[np.uint8]]:
    """The images with a unit's largest activation, from the classes with its largest mean activation.

    Args:
        unit: (n, h, w) activations of one unit on n images.
        labels: (n,) the images' classes.
        images: the n images, (SIZE, SIZE, 3) uint8.
        classes: classes to show (count).
        each: images of each class (count).

    Returns:
        The images, in descending order within each class, dimmed where the unit is below half of its maximum there.
    """
    peaks = unit.reshape(len(unit), -1).max(1)
    pooled = np.array([unit[labels == label].mean() for label in range(int(labels.max()) + 1)])
    shown = []
    for label in np.argsort(-pooled, kind="stable")[:classes]:
        members = np.flatnonzero(labels == label)
        for index in members[np.argsort(-peaks[members], kind="stable")][:each]:
            shown.append(_spotlight(unit[index], images[index]))
    return shown


def _spotlight(field: NDArray[np.floating], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """An image dimmed where a map is at most half of its maximum; the rest has a yellow outline."""
    small = Image.fromarray(field.astype(np.float32), "F")
    large = np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
    active = large > large.max() / 2
    inner = active & np.roll(active, 1, 0) & np.roll(active, -1, 0) & np.roll(active, 1, 1) & np.roll(active, -1, 1)
    mixed = np.where(active[..., None], image, image * 0.3 + 30)
    mixed[active & ~inner] = (255, 214, 64)
    return mixed.astype(np.uint8)
