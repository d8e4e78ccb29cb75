"""Open one photo of any colour mode as upright RGB, or say in plain words why that fails."""

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from interpret.data import decoding
from interpret.data.decoding import MAX_BYTES, MAX_PIXELS
from interpret.data.photo_files import EndsError, NoFileError, PhotoFile, Sent, Stretch, opened, stretch_opened
from interpret.errors import InputError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF")
_ON_ITS_SIDE = range(5, 9)  # orientations that swap width and height

EXTENSIONS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".webp", ".bmp", ".dib", ".gif", ".tif", ".tiff"}
)


class UnreadablePhoto(InputError):  # noqa: N818 - named after the photo, which is at fault
    """A file that cannot be opened as a photo.

    Attributes:
        reason: why, in plain words, without the file's name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"The photo cannot be read: {reason}.")
        self.reason = reason


def open_photo(source: str | PhotoFile | BinaryIO) -> Image.Image:
    """Open a photo as upright RGB, as :func:`read_photo` does.

    Raises:
        UnreadablePhoto: it cannot be read.
    """
    return read_photo(source)[0]


def read_photo(source: str | PhotoFile | BinaryIO, needed: int | None = None) -> tuple[Image.Image, tuple[int, int]]:
    """Open a photo as upright RGB, and say how large it is.

    EXIF orientation is applied. Of an animation or a file of several pages the first is taken. Transparent pixels are
    composited on white. Grey values of 16 bits are scaled from 0..65535. Those of 32 bits and floats are scaled from
    0..1, 0..255 or 0..65535, the first range that holds them all, else from their minimum to their maximum. CMYK is
    converted without a colour profile.

    Up to :data:`interpret.data.decoding.REDUCED_ABOVE` pixels, all pixels are decoded. A larger photo is decoded at a
    quarter of its width and height, or at half of them where a quarter would leave fewer than 512 pixels on a side:
    JPEG by libjpeg's own scaling, other formats by means over squares of pixels. One photo takes at most
    :data:`interpret.data.decoding.MAX_BYTES` at any moment.

    It may be called from several threads at once. Pillow may warn about odd metadata; the warning filters are left to
    the caller.

    Args:
        source: a path, a stretch of a larger file, bytes that were sent, or a seekable binary file.
        needed: the shorter side that the photo will be scaled to (pixels): a JPEG of far more is decoded at a half, a
            quarter or an eighth of its width and height, see :data:`interpret.data.decoding.MARGIN`. None for all of
            its pixels.

    Returns:
        An RGB image with all its pixels loaded and without metadata; and width and height of the upright photo in its
        file (pixels), which are larger than the image's where it was reduced.

    Raises:
        UnreadablePhoto: the file is not a photo of a format in :data:`FORMATS`, is broken or cut off, has more than
            :data:`~interpret.data.decoding.MAX_PIXELS` pixels, or would take too much memory.
    """
    with _opened(source) if isinstance(source, str | Path | Stretch | Sent) else contextlib.nullcontext(source) as file:
        return _decode(file, needed)


def sent(file: PhotoFile) -> Sent:
    """The bytes of a photo, to be sent elsewhere and read there as they would be here."""
    try:
        with _opened(file) as source:
            return Sent(source.read())
    except UnreadablePhoto as error:
        return Sent(b"", error.reason)
    except OSError as error:
        return Sent(b"", f"the file is broken ({plain(error)})")


def _opened(source: str | PhotoFile) -> BinaryIO:
    if isinstance(source, Sent):
        if source.reason:
            raise UnreadablePhoto(source.reason)
        return io.BytesIO(source.content)
    try:
        return stretch_opened(source) if isinstance(source, Stretch) else opened(source)
    except NoFileError as error:
        raise UnreadablePhoto(kind_of(error.args[0])) from None
    except EndsError:
        raise UnreadablePhoto("the file that holds it ends within it") from None
    except (OSError, ValueError) as error:
        raise UnreadablePhoto(f"the file cannot be opened ({plain(error)})") from None


def identify_photo(file: BinaryIO) -> tuple[int, int]:
    """Width and height of a photo as it is stored (pixels), from its header: its pixels are not decoded.

    Args:
        file: a seekable binary file; it is read from its start, and left where it was.

    Raises:
        UnreadablePhoto: it is not a photo of a format in :data:`FORMATS`, or has too many pixels. A photo that is cut
            off is not known by its header.
    """
    place = file.tell()
    file.seek(0)
    try:
        with _in_plain_words(file), Image.open(file, formats=FORMATS) as image:
            return _bounded(image.size)
    finally:
        file.seek(place)


def _decode(file: BinaryIO, needed: int | None) -> tuple[Image.Image, tuple[int, int]]:
    with _in_plain_words(file):
        photo, size, orientation = _pixels(file, needed)
        exif = photo.getexif()
        exif[ExifTags.Base.Orientation] = orientation
        ImageOps.exif_transpose(photo, in_place=True)
        exif.clear()
        return photo, size[::-1] if orientation in _ON_ITS_SIDE else size


@contextlib.contextmanager
def _in_plain_words(file: BinaryIO) -> Iterator[None]:
    """Raise :class:`UnreadablePhoto` for whatever Pillow raises."""
    try:
        yield
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


def _pixels(file: BinaryIO, needed: int | None) -> tuple[Image.Image, tuple[int, int], int]:
    """A photo as it is stored: RGB, width and height in its file (pixels), and its orientation."""
    with Image.open(file, formats=FORMATS) as image:
        size = _bounded(image.size)
        if image.mode == "LAB":
            raise UnreadablePhoto("its colours are stored as LAB; save it as RGB first")
        factor = decoding.reduction(size, needed if image.format in decoding.DRAFTED else None)
        place = file.tell()
        cost = decoding.cost(image, file.seek(0, os.SEEK_END), factor)
        file.seek(place)
        if cost > MAX_BYTES:
            raise UnreadablePhoto(
                f"its {size[0]:,} x {size[1]:,} pixels would take {cost // 1_000_000:,} MB to decode, more than the "
                f"{MAX_BYTES // 1_000_000} MB that are allowed; save it smaller, or as a plain JPEG"
            )
        photo = decoding.decoded(image, file, factor)
        return photo, size, _orientation(image)  # last: a PNG may state it behind its pixels


def _bounded(size: tuple[int, int]) -> tuple[int, int]:
    if size[0] * size[1] > MAX_PIXELS:
        raise UnreadablePhoto(_too_large(size))
    return size


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
