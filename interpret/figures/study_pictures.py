"""Pictures of a study's patches: boxes in its photos, with the photo around them dimmed."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from interpret.figures import patch_pictures
from interpret.frames import integers
from interpret.study import Study

Table = Literal["patches", "contrast"]
"""Where patches are rows: the study's own patches, or its contrast patches."""

Box = tuple[int, ...]
"""A photo's number, and x0, y0, x1, y1 in its pixels as the study recorded them."""

THUMBNAIL = 288
"""Side of a picture in a gallery, pixels."""


HeatOf = Mapping[int, npt.NDArray[np.floating]]
"""A map (h, w) in 0..1 over what the network sees of a photo, by the photo's number."""

NO_HEAT: HeatOf = {}


def patch_boxes(opened: Study, patches: Sequence[int], table: Table = "patches") -> list[Box]:
    """Patches as boxes in photos."""
    listed = opened.contrast if table == "contrast" else opened.patches
    ids, *edges = integers(listed.iloc[list(patches)], "image_id", "x0", "y0", "x1", "y1")
    return list(zip(ids.tolist(), *(edge.tolist() for edge in edges), strict=True))


def view_boxes(opened: Study, images: Sequence[int]) -> list[Box]:
    """What the network sees of photos, as boxes in them."""
    sizes = opened.images[["width", "height"]].to_numpy()
    return [
        (image, *(round(edge) for edge in opened.preprocessing.view_box((int(sizes[image][0]), int(sizes[image][1])))))
        for image in images
    ]


def drawn_patches(
    opened: Study,
    patches: Sequence[int],
    side: int = THUMBNAIL,
    *,
    table: Table = "patches",
    heat: HeatOf = NO_HEAT,
) -> list[Image.Image | None]:
    """Patches with the photo around them dimmed; None if the photo's file is gone."""
    return drawn_boxes(opened, patch_boxes(opened, patches, table), side, heat=heat)


def drawn_boxes(
    opened: Study, boxes: Sequence[Box], side: int = THUMBNAIL, *, heat: HeatOf = NO_HEAT
) -> list[Image.Image | None]:
    """Boxes in photos, with the photo around them dimmed; None if the photo's file is gone.

    Args:
        opened: the study.
        boxes: in its photos.
        side: of a picture, pixels.
        heat: maps that are laid over the photos that have one.
    """
    sizes = opened.images[["width", "height"]].to_numpy()

    def picture(placed: Box) -> Image.Image | None:
        image_id, *box = placed
        photo = opened.photo(image_id)
        if photo is None:
            return None
        recorded = (int(sizes[image_id][0]), int(sizes[image_id][1]))
        values = heat.get(image_id)
        layer = None if values is None else patch_pictures.Heat(values, opened.preprocessing.view_box(photo.size))
        return patch_pictures.patch_tile(photo, patch_pictures.scaled_box(box, recorded, photo.size), side, layer)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(picture, boxes))
