"""Decode an image within bounds of memory: what it will cost, at which size, and its pixels as RGB."""

import struct
import zlib
from collections.abc import Callable
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

MAX_PIXELS = 80_000_000
"""Largest photo that is decoded (width times height). The header states the size, so a larger one is never decoded."""

MAX_BYTES = 345_000_000
"""Most memory that one photo may take at any moment while it is decoded (bytes), the interpreter's own not counted."""

REDUCED_ABOVE = 40_000_000
"""A photo of more pixels than this is decoded at a quarter, or half, of its width and height."""

MARGIN = 3
"""A JPEG whose pixels are not all needed is decoded at this many times the needed size, or more.

On noisy photos of 3,000 pixels the network's input then differs by a third of a grey value on average, and maps
correlate at 0.998 or more.
"""

DRAFTED = ("JPEG", "MPO")
"""Formats that are reduced while they are decoded, at a part of the cost."""

_SHORTEST = 512  # a reduced photo is at least this wide and high (pixels)
_WEBP = 17  # bytes a pixel, measured: libwebp's animation decoder holds two canvases, and Pillow copies one twice
_STRIP = 500_000  # pixels converted at once
_PIECE = 1 << 20  # bytes


def reduction(size: tuple[int, int], needed: int | None = None) -> int:
    """By how much width and height of a photo of this size (pixels) are divided: 1, 2, 4 or 8.

    Args:
        size: width and height.
        needed: the shorter side to which a photo of a format of :data:`DRAFTED` will be scaled (pixels); it is reduced
            to no less than :data:`MARGIN` times that. None for another format, or where all pixels may be wanted.
    """
    shorter, factor = min(size), 1
    if size[0] * size[1] > REDUCED_ABOVE:
        factor = next((factor for factor in (4, 2) if shorter // factor >= _SHORTEST), 1)
    if needed is not None:
        factor = max(factor, next((by for by in (8, 4, 2) if shorter // by >= MARGIN * needed), 1))
    return factor


def cost(image: Image.Image, file_bytes: int, factor: int) -> int:
    """The most memory (bytes) that :func:`decoded`, and turning the photo upright, take at one moment.

    Args:
        image: opened, not loaded.
        file_bytes: size of its file.
        factor: from :func:`reduction`.
    """
    width, height = image.size
    drafted = factor > 1 and image.format in DRAFTED
    result = _stored(-(-width // factor), -(-height // factor), 4)
    stored = result if drafted else _stored(width, height, _depth(image))
    converted = not drafted and (factor > 1 or not _is_rgb(image))
    return max(stored + _beside(image, file_bytes), stored + result if converted else 0, 2 * result)


def _stored(width: int, height: int, depth: int) -> int:
    """Bytes of an image in Pillow's memory: rows of whole words, and a pointer for each row."""
    return height * (-(-width * depth // 4) * 4 + 8)


def _depth(image: Image.Image) -> int:
    """Bytes a pixel in Pillow's memory."""
    return 1 if image.mode in ("1", "L", "P") else 2 if image.mode.startswith("I;16") else 4


def _beside(image: Image.Image, file_bytes: int) -> int:
    """Bytes that a format's decoder holds besides the image."""
    width, height = image.size
    if image.format == "WEBP":
        return file_bytes + (_WEBP - 4) * width * height
    if image.format in DRAFTED and image.info.get("progressive"):
        # all coefficients, two bytes each, before the first pixel
        parts = [(across, down) for _, across, down, *_ in getattr(image, "layer", [])]
        most = max((across for across, _ in parts), default=1) * max((down for _, down in parts), default=1)
        return int(2 * width * height * sum(across * down for across, down in parts) / most)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        if image.tag_v2.get(ExifTags.Base.Orientation, 1) != 1:  # Pillow turns it while it loads
            return 4 * width * height
        rows = image.tag_v2.get(TiffImagePlugin.ROWSPERSTRIP, height)
        return 4 * width * min(height, rows if isinstance(rows, int) else height)
    return 0


def decoded(image: Image.Image, file: BinaryIO, factor: int) -> Image.Image:
    """The pixels of an opened image as RGB, width and height divided by ``factor``.

    Grey values of more than 8 bits are scaled; see :func:`interpret.data.photos.open_photo`.

    Args:
        image: opened, not loaded.
        file: what it was opened from.
        factor: from :func:`reduction`.

    Raises:
        EOFError: its data end before the last row.
        Exception: nearly any, where the data are damaged.
    """
    full = image.size
    if factor > 1:
        image.draft(None, (full[0] // factor, full[1] // factor))
        factor //= round(full[0] / image.width)
    image.load()
    if image.format == "PNG" and _png_ends_early(image, file):
        raise EOFError("its data end before the last row")
    # an image of its own with the same pixels: that of the file holds metadata besides its `info`
    picture = image._new(image.im) if factor == 1 and _is_rgb(image) else _in_strips(image, factor)
    picture.info = {}  # metadata may be damaged, or say where the photo was taken: none is kept
    return picture


def _is_rgb(image: Image.Image) -> bool:
    return image.mode == "RGB" and "transparency" not in image.info


def _in_strips(image: Image.Image, factor: int) -> Image.Image:
    """Convert an image of any mode strip by strip: a second copy of all of it would take as much again."""
    to_rgb = _conversion(image)
    picture = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    rows = max(1, _STRIP // image.width // factor) * factor
    for top in range(0, image.height, rows):
        strip = to_rgb(image.crop((0, top, image.width, min(top + rows, image.height))))
        picture.paste(strip if factor == 1 else strip.reduce(factor), (0, top // factor))
    return picture


def _conversion(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """How a part of an image becomes RGB."""
    mode = image.mode
    if mode.startswith("I") or mode == "F":
        low, top = (0.0, 65535.0) if mode.startswith("I;16") else _range(image)
        return lambda part: Image.fromarray(_to_bytes(np.asarray(part), low, top), "L").convert("RGB")
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        return _on_white
    return lambda part: part.convert("RGB")


def _on_white(part: Image.Image) -> Image.Image:
    layer = part.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, (255, 255, 255, 255)), layer).convert("RGB")


def _range(image: Image.Image) -> tuple[float, float]:
    """The grey value that becomes 0, and by how much the one that becomes 255 is larger.

    Of the usual ranges it is the first that holds all values, else their own.
    """
    rows = max(1, _STRIP // image.width)
    ends: list[float] = []
    for top in range(0, image.height, rows):
        grey = _finite(np.asarray(image.crop((0, top, image.width, min(top + rows, image.height)))))
        ends += [float(grey.min()), float(grey.max())]
    low, high = min(ends), max(ends)
    for top_value in (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0):
        if low >= 0 and high <= top_value:
            return 0.0, top_value
    return low, high - low or 1.0


def _finite(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)


def _to_bytes(values: np.ndarray, low: float, span: float) -> np.ndarray:
    """Scale grey values of more than 8 bits to 0..255, uint8."""
    if values.dtype in (np.dtype("uint16"), np.dtype(">u2")):
        return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    return np.floor((_finite(values) - low) * (255.0 / span) + 0.5).clip(0, 255).astype(np.uint8)


def _png_ends_early(image: Image.Image, file: BinaryIO) -> bool:
    """Whether a PNG's data are whole by themselves but hold fewer rows than the header states.

    Pillow leaves the rows that are missing black and says nothing. Only where the last row is black, or the rows do not
    come in their order, is the data unpacked a second time to count them.
    """
    interlaced = bool(image.info.get("interlace"))
    if not interlaced and any(image.crop((0, image.height - 1, image.width, image.height)).tobytes()):
        return False
    file.seek(8)
    stated = counted = 0
    unpack = zlib.decompressobj()
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"IHDR":
            stated = _png_bytes(file.read(length))
        elif name == b"IDAT":
            while length > 0 and (piece := file.read(min(length, _PIECE))):
                length -= len(piece)
                while piece and counted < stated:
                    counted += len(unpack.decompress(piece, _PIECE))
                    piece = unpack.unconsumed_tail
        else:
            file.seek(length, 1)
        file.seek(4, 1)
        if counted >= stated > 0 or name == b"IEND":
            break
    return counted < stated


def _png_bytes(header: bytes) -> int:
    """Bytes of a PNG's unpacked data: a filter byte and the pixels of each row, pass by pass if it is interlaced."""
    width, height, bits, colours, _, _, interlaced = struct.unpack(">IIBBBBB", header[:13])
    depth = bits * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colours]
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    total = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + -(-columns * depth // 8))
    return total
