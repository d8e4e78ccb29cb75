"""Pictures of photos and patches, with Pillow: a patch with the photo around it dimmed, a photo with map or boxes."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from interpret.data.preprocessing import Preprocessing
from interpret.figures.colours import heat_colours, rgb

Box = Sequence[float]
"""x0, y0, x1, y1, half-open, in pixels."""

DIMMED = 0.38
"""Brightness that is left of the photo outside the patch."""

HEAT_OPACITY = 0.6
"""Opacity of a map on a patch where it is at its maximum (fraction)."""

CONTEXT = 0.35
"""How much of the photo is shown around a patch on each side, as a fraction of the patch's longer side."""


def scaled_box(box: Box, recorded: tuple[int, int], actual: tuple[int, int]) -> tuple[float, float, float, float]:
    """A box in pixels of a photo as it was recorded, in pixels of a copy that may have another size.

    Args:
        box: in pixels of the recorded photo.
        recorded: width and height when the study was made.
        actual: width and height of the copy.
    """
    across, down = actual[0] / max(recorded[0], 1), actual[1] / max(recorded[1], 1)
    return box[0] * across, box[1] * down, box[2] * across, box[3] * down


def window(box: Box, size: tuple[int, int], context: float = CONTEXT) -> tuple[int, int, int, int]:
    """The square of a photo that shows a patch and what is around it.

    The square is centred on the patch, moved so that it lies in the photo, and at most as large as the photo's shorter
    side unless the patch itself is longer than that (the part that then lies outside is filled by :func:`patch_tile`).

    Returns:
        x0, y0, x1, y1 in whole pixels, as wide as high.
    """
    longer = max(box[2] - box[0], box[3] - box[1], 1.0)
    side = max(longer, min(longer * (1 + 2 * context), float(min(size))))
    corner = []
    for axis in (0, 1):
        start = (box[axis] + box[axis + 2] - side) / 2
        start = min(max(start, 0.0), size[axis] - side) if side <= size[axis] else (size[axis] - side) / 2
        corner.append(round(start))
    whole = max(1, round(side))
    return corner[0], corner[1], corner[0] + whole, corner[1] + whole


@dataclass(frozen=True, eq=False)
class Heat:
    """A map to lay over a photo.

    Attributes:
        values: (h, w), 0..1.
        box: the part of the photo that the map covers, in its pixels.
    """

    values: npt.NDArray[np.floating]
    box: Box


def patch_tile(photo: Image.Image, box: Box, side: int = 256, heat: Heat | None = None) -> Image.Image:
    """A square picture of a patch: the patch as it is, the photo around it dimmed, a fine line between the two.

    Args:
        photo: RGB.
        box: the patch, in pixels of ``photo``.
        side: of the result, pixels.
        heat: a map over the photo; none if None.
    """
    x0, y0, x1, y1 = window(box, photo.size)
    inner = (max(x0, 0), max(y0, 0), min(x1, photo.width), min(y1, photo.height))
    scale = side / (x1 - x0)
    target = Image.new("RGB", (side, side), (24, 24, 27))
    where = [round((inner[0] - x0) * scale), round((inner[1] - y0) * scale)]
    where += [max(where[0] + 1, round((inner[2] - x0) * scale)), max(where[1] + 1, round((inner[3] - y0) * scale))]
    shown = photo.resize((where[2] - where[0], where[3] - where[1]), Image.Resampling.LANCZOS, box=inner)
    target.paste(shown, (where[0], where[1]))
    if heat is not None:
        _lay_over(target, heat, (x0, y0), scale)
    lit = [
        int(np.clip(round((value - corner) * scale), 0, side))
        for value, corner in zip(box, (x0, y0, x0, y0), strict=True)
    ]
    lit[2], lit[3] = max(lit[2], lit[0] + 1), max(lit[3], lit[1] + 1)
    tile = target.point(lambda value: value * DIMMED)
    tile.paste(target.crop((lit[0], lit[1], lit[2], lit[3])), (lit[0], lit[1]))
    if (lit[2] - lit[0]) * (lit[3] - lit[1]) < side * side:
        line = max(1, side // 160)
        ImageDraw.Draw(tile).rectangle((lit[0], lit[1], lit[2] - 1, lit[3] - 1), outline=(255, 255, 255), width=line)
    return tile


def _lay_over(tile: Image.Image, heat: Heat, corner: tuple[int, int], scale: float) -> None:
    """Draw a map on a picture of a part of the photo.

    Args:
        tile: the picture.
        heat: the map.
        corner: left and top edge of the part, pixels of the photo.
        scale: pixels of the picture for one of the photo.
    """
    edges = [(value - corner[axis % 2]) * scale for axis, value in enumerate(heat.box)]  # of the map, in the picture
    left, top = max(0, round(edges[0])), max(0, round(edges[1]))
    right, bottom = min(tile.width, round(edges[2])), min(tile.height, round(edges[3]))
    if right <= left or bottom <= top:
        return
    height, width = heat.values.shape
    across, down = width / (edges[2] - edges[0]), height / (edges[3] - edges[1])
    part = (
        max(0.0, (left - edges[0]) * across),
        max(0.0, (top - edges[1]) * down),
        min(float(width), (right - edges[0]) * across),
        min(float(height), (bottom - edges[1]) * down),
    )
    layer = heat_layer(heat.values, (right - left, bottom - top), part)
    mask = layer.getchannel("A").point(lambda value: value * HEAT_OPACITY)
    tile.paste(layer.convert("RGB"), (left, top), mask)


def view(photo: Image.Image, preprocessing: Preprocessing, side: int = 640) -> Image.Image:
    """The part of a photo that the network sees, in more pixels than the network sees it in.

    Args:
        photo: RGB, the source photo or a smaller copy of it.
        preprocessing: of the model.
        side: longer side of the result, pixels.
    """
    height, width = preprocessing.size
    scale = side / max(height, width)
    box = preprocessing.view_box(photo.size)
    return photo.resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS, box=box)


def heat_layer(heat: npt.NDArray[np.floating], size: tuple[int, int], part: Box | None = None) -> Image.Image:
    """A map as a picture to lay over the photo: magma, and transparent where the map is low.

    Args:
        heat: (h, w), 0..1.
        size: width and height of the result, pixels.
        part: of the map, x0, y0, x1, y1 on its grid; all of it if None.
    """
    box = None if part is None else (part[0], part[1], part[2], part[3])
    grey = Image.fromarray(np.asarray(heat, dtype=np.float32)).resize(size, Image.Resampling.BILINEAR, box=box)
    values = np.clip(np.asarray(grey), 0.0, 1.0)
    # Square root: half of the maximum, where a patch begins by default, is then clearly to be seen.
    alpha = (np.sqrt(values) * 255).round().astype(np.uint8)
    return Image.fromarray(np.dstack([heat_colours(values), alpha]))


def heat_overlay(picture: Image.Image, heat: npt.NDArray[np.floating], opacity: float = 0.6) -> Image.Image:
    """A map over the picture it explains.

    Args:
        picture: RGB.
        heat: (h, w), 0..1, over the whole picture.
        opacity: 0 shows the picture alone, 1 hides it where the map is at its maximum.
    """
    layer = heat_layer(heat, picture.size)
    mask = layer.getchannel("A").point(lambda value: value * opacity)
    result = picture.copy()
    result.paste(layer.convert("RGB"), (0, 0), mask)
    return result


def boxed(picture: Image.Image, boxes: Sequence[Box], colour: str = "#FFFFFF", width: int = 0) -> Image.Image:
    """Boxes drawn on a picture, each with a dark line around the coloured one so that it shows on any ground."""
    result = picture.copy()
    draw = ImageDraw.Draw(result)
    line = width or max(2, max(picture.size) // 200)
    for x0, y0, x1, y1 in boxes:
        edges = (round(x0), round(y0), max(round(x0), round(x1) - 1), max(round(y0), round(y1) - 1))
        draw.rectangle(edges, outline=(0, 0, 0), width=line + 2)
        draw.rectangle(edges, outline=rgb(colour), width=line)
    return result


def thumbnail(photo: Image.Image, side: int = 256) -> Image.Image:
    """The middle of a photo as a square."""
    shorter = min(photo.size)
    left, top = (photo.width - shorter) / 2, (photo.height - shorter) / 2
    return photo.resize((side, side), Image.Resampling.LANCZOS, box=(left, top, left + shorter, top + shorter))


def sheet(tiles: Sequence[Image.Image], columns: int, gap: int = 6, ground: str = "#FFFFFF") -> Image.Image:
    """Pictures of one size on one sheet, row by row, to be saved as a file; one blank pixel where there is none."""
    if not tiles:
        return Image.new("RGB", (1, 1), ground)
    width, height = tiles[0].size
    rows = -(-len(tiles) // columns)
    result = Image.new("RGB", (columns * (width + gap) + gap, rows * (height + gap) + gap), ground)
    for place, tile in enumerate(tiles):
        result.paste(tile, (gap + place % columns * (width + gap), gap + place // columns * (height + gap)))
    return result


def jpeg(picture: Image.Image, quality: int = 84) -> bytes:
    """A picture as a JPEG file."""
    file = io.BytesIO()
    picture.convert("RGB").save(file, format="JPEG", quality=quality)
    return file.getvalue()


def png(picture: Image.Image) -> bytes:
    """A picture as a PNG file, transparency kept."""
    file = io.BytesIO()
    picture.save(file, format="PNG", compress_level=3)
    return file.getvalue()


def data_uri(picture: Image.Image, *, transparent: bool = False, quality: int = 84) -> str:
    """A picture as a data URI: JPEG of a quality, or PNG if it is transparent."""
    kind, content = ("png", png(picture)) if transparent else ("jpeg", jpeg(picture, quality))
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
