"""Pictures of a study's patches: boxes in its photos, with the photo around them dimmed."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

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


def drawn_patches(
    opened: Study, patches: Sequence[int], side: int = THUMBNAIL, *, table: Table = "patches"
) -> list[Image.Image | None]:
    """Patches with the photo around them dimmed; None if the photo's file is gone."""
    listed = opened.contrast if table == "contrast" else opened.patches
    ids, *edges = integers(listed.iloc[list(patches)], "image_id", "x0", "y0", "x1", "y1")
    return drawn_boxes(opened, list(zip(ids.tolist(), *(edge.tolist() for edge in edges), strict=True)), side)


def drawn_boxes(opened: Study, boxes: Sequence[Box], side: int = THUMBNAIL) -> list[Image.Image | None]:
    """Boxes in photos, with the photo around them dimmed; None if the photo's file is gone."""
    sizes = opened.images[["width", "height"]].to_numpy()

    def picture(placed: Box) -> Image.Image | None:
        image_id, *box = placed
        photo = opened.photo(image_id)
        if photo is None:
            return None
        recorded = (int(sizes[image_id][0]), int(sizes[image_id][1]))
        return patch_pictures.patch_tile(photo, patch_pictures.scaled_box(box, recorded, photo.size), side)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(picture, boxes))
