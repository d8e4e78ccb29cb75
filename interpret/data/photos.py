"""Open one photo of any colour mode as upright RGB, or say in plain words why that fails."""

import os
import stat
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from interpret.errors import InputError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF")
EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
)
MAX_PIXELS = 80_000_000
"""Largest photo that is decoded (width times height). The header states the size, so a larger one is never decoded."""


class UnreadablePhoto(InputError):  # noqa: N818 - named after the photo, which is at fault
    """A file that cannot be opened as a photo.

    Attributes:
        reason: why, in plain words, without the file's name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The photo cannot be read: {reason}.")
        self.reason = reason


def open_photo(source: str | Path | BinaryIO) -> Image.Image:
    """Open a photo as upright RGB.

    EXIF orientation is applied. Of an animation or a file of several pages the first is taken. Transparent pixels are
    composited on white. Grey values of 16 bits are scaled from 0..65535. Those of 32 bits and floats are scaled from
    0..1, 0..255 or 0..65535, the first range that holds them all, else from their minimum to their maximum. CMYK is
    converted without a colour profile.

    It may be called from several threads at once. Pillow may warn about odd metadata; the warning filters are left to
    the caller.

    Args:
        source: a path, or a seekable binary file.

    Returns:
        An RGB image with all its pixels loaded and without metadata.

    Raises:
        UnreadablePhoto: the file is not a photo of a format in :data:`FORMATS`, is broken, or has more than
            :data:`MAX_PIXELS` pixels.
    """
    if not isinstance(source, str | Path):
        return _decode(source)
    try:
        # without O_NONBLOCK, opening a named pipe would wait until somebody writes to it
        descriptor = os.open(source, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise UnreadablePhoto(f"the file cannot be opened ({plain(error)})") from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UnreadablePhoto(kind_of(mode))
    with os.fdopen(descriptor, "rb") as file:
        return _decode(file)


def _decode(file: BinaryIO) -> Image.Image:
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadablePhoto(_too_large(image.size))
            image.load()
            photo = to_rgb(image)
            orientation = _orientation(image)
            photo.info = {}  # metadata may be damaged, or say where the photo was taken: none is kept
            exif = photo.getexif()
            exif[ExifTags.Base.Orientation] = orientation
            ImageOps.exif_transpose(photo, in_place=True)
            exif.clear()
            return photo
    except UnreadablePhoto:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # a warning if the caller made it an error
        raise UnreadablePhoto(_too_large(None)) from None
    except UnidentifiedImageError:
        raise UnreadablePhoto(_what_it_is(file)) from None
    except MemoryError:
        raise UnreadablePhoto("there is not enough memory for it") from None
    except Exception as error:
        # Pillow's decoders raise nearly anything on damaged files: SyntaxError, struct.error, KeyError, EOFError ...
        raise UnreadablePhoto(f"the file is broken ({plain(error)})") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert an image of any of Pillow's modes to RGB; see :func:`open_photo` for the rules.

    Raises:
        UnreadablePhoto: the mode has no conversion.
    """
    mode = image.mode
    if mode == "LAB":
        raise UnreadablePhoto("its colours are stored as LAB; save it as RGB first")
    if mode.startswith("I") or mode == "F":
        return Image.fromarray(_to_bytes(np.asarray(image)), "L").convert("RGB")
    if mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _to_bytes(values: np.ndarray) -> np.ndarray:
    """Scale grey values of more than 8 bits to 0..255, uint8."""
    if values.dtype in (np.dtype("uint16"), np.dtype(">u2")):
        return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
    grey = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(grey.min()), float(grey.max())
    tops = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    top = next((top for top in tops if low >= 0 and high <= top), None)
    if top is None:
        grey, top = grey - low, high - low or 1.0
    return np.floor(grey * (255.0 / top) + 0.5).clip(0, 255).astype(np.uint8)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 if there is none; damaged metadata must not lose a photo."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # Pillow's parser raises nearly anything
        return 1
    return value if isinstance(value, int) else 1


def _too_large(size: tuple[int, int] | None) -> str:
    subject = f"its {size[0]:,} x {size[1]:,} pixels are" if size else "it has"
    return f"{subject} more than the {MAX_PIXELS // 1_000_000} million pixels that are allowed"


def _what_it_is(file: BinaryIO) -> str:
    """What a file that no photo decoder recognises is, from its first bytes."""
    try:
        file.seek(0)
        head = file.read(512)
    except (OSError, ValueError):
        return "it is not a photo"
    text = head.lstrip().lower()
    if not head:
        return "the file is empty"
    if text.startswith((b"<!doctype html", b"<html")):
        return "it is a web page, not a photo"
    if b"<svg" in text:
        return "it is an SVG drawing; save it as PNG first"
    if head.startswith(b"%PDF"):
        return "it is a PDF document; save its pages as PNG first"
    if head[4:8] == b"ftyp":
        return "it is a HEIC, AVIF or video file; save it as JPEG first"
    if head.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")) or head[8:12] == b"WEBP":
        return "the file is broken (its header is damaged)"
    return "it is not a photo in a format that can be read (JPEG, PNG, WEBP, BMP, GIF, TIFF)"


def kind_of(mode: int) -> str:
    """What a file system entry that is not a regular file is, from its ``st_mode``."""
    if stat.S_ISDIR(mode):
        return "it is a folder, not a photo"
    if stat.S_ISFIFO(mode):
        return "it is a named pipe, not a photo"
    return "it is a device or socket, not a photo"


def plain(error: BaseException) -> str:
    """An error in a few words on one line, without the path."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split())[:120].rstrip(".").lower() or "unknown error"
