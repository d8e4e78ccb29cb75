"""Zips of photos that somebody sent: everything is bounded before the first byte is unpacked."""

import contextlib
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from interpret.data.photos import EXTENSIONS
from interpret.errors import InputError

MAX_PHOTOS = 20_000
"""Photos in one upload (count)."""

MAX_ENTRIES = 4 * MAX_PHOTOS
"""Entries of a zip, photos or not (count)."""

MAX_LIST_BYTES = 8 << 20
"""Size of a zip's list of entries, read whole before anything else (bytes)."""

MAX_NAME = 1_000
"""Length of an entry's name with its folders (characters)."""

MAX_FILE_BYTES = 64 << 20
"""Size of one unpacked photo (bytes)."""

MAX_TOTAL_BYTES = 2 << 30
"""Size of all unpacked photos of one upload (bytes)."""

MAX_RATIO = 100
"""Largest ratio of unpacked to packed size: photos are compressed already."""

# bz2 and LZMA unpack a few kilobytes to gigabytes in one step, whatever number of bytes is asked for.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_DAMAGED = (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError, OSError, zlib.error)
"""What reading a damaged zip raises."""

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = 20  # bytes


@dataclass(frozen=True)
class Listing:
    """What a zip holds, by its list of entries.

    Attributes:
        photos: entries to unpack, with the path of each.
        skipped: a line for each entry that is not, with the reason; hidden files and folders have none.
    """

    photos: tuple[tuple[zipfile.ZipInfo, PurePosixPath], ...]
    skipped: tuple[str, ...]


def listed(archive: zipfile.ZipFile, packed: int, budget: int = MAX_TOTAL_BYTES, already: int = 0) -> Listing:
    """Decide what of a zip is unpacked, by what it says of itself; nothing is unpacked.

    Python unpacks no more of an entry than the size that the zip states for it, so that what is bounded here stays
    bounded.

    Args:
        archive: the zip.
        packed: size of its file (bytes).
        budget: bytes that its photos may have in all.
        already: photos that the same upload holds besides (count).

    Raises:
        InputError: it has too many entries or photos, its photos are too large in all, or it is damaged.
    """
    members = archive.infolist()
    if len(members) > MAX_ENTRIES:
        raise _too_many(len(members))
    photos: list[tuple[zipfile.ZipInfo, PurePosixPath]] = []
    skipped: list[str] = []
    unpacked = compressed = 0
    for member in members:
        path = _path(member)
        if path is None:
            continue
        reason = _refusal(member, path)
        if reason is not None:
            skipped.append(f"{member.filename[:100]}: {reason}")
            continue
        photos.append((member, path))
        unpacked, compressed = unpacked + member.file_size, compressed + member.compress_size
    if already + len(photos) > MAX_PHOTOS:
        raise InputError(f"The zip holds more than {MAX_PHOTOS:,} photos; give fewer, or a folder.")
    if unpacked > budget:
        raise InputError(
            f"The photos are beyond the {MAX_TOTAL_BYTES >> 30} GB that one upload may hold; give a folder instead."
        )
    if compressed > packed:  # entries that share their bytes
        raise _damaged()
    return Listing(tuple(photos), tuple(skipped))


def _path(member: zipfile.ZipInfo) -> PurePosixPath | None:
    """The path of an entry in its zip; None for folders and hidden files."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    hidden = member.is_dir() or path.name.startswith(".") or "__MACOSX" in path.parts
    return None if hidden else path


def _refusal(member: zipfile.ZipInfo, path: PurePosixPath) -> str | None:
    """Why an entry is not unpacked; None if it is."""
    if len(member.filename) > MAX_NAME:
        return f"its name is longer than {MAX_NAME:,} characters"
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", member.filename):
        return "its name leads out of the zip"
    if stat.S_ISLNK(member.external_attr >> 16) or member.flag_bits & 1:
        return "a link, or encrypted"
    if path.suffix.lower() not in EXTENSIONS:
        return "not a photo"
    if member.file_size == 0:
        return "the file is empty"
    if member.file_size > MAX_FILE_BYTES:
        return f"larger than {MAX_FILE_BYTES >> 20} MB"
    if member.file_size > MAX_RATIO * max(member.compress_size, 1 << 10):
        return "unpacks to more than a photo would"
    if member.compress_type not in _METHODS:
        raise _damaged()
    return None


@contextlib.contextmanager
def opened(file: BinaryIO) -> Iterator[tuple[zipfile.ZipFile, int]]:
    """A zip and the size of its file (bytes), once its list of entries is known to be short enough to read.

    Raises:
        InputError: the list is too long, or the zip is damaged, here or within the block.
    """
    with _reading():
        size = file.seek(0, 2)
        for entries, length in _stated_lists(file, size):
            if entries > MAX_ENTRIES or length > MAX_LIST_BYTES:
                raise _too_many(entries)
        with zipfile.ZipFile(file) as archive:
            yield archive, size


def _stated_lists(file: BinaryIO, size: int) -> Iterator[tuple[int, int]]:
    """Number of entries and length of the list (bytes), as each end record says it that Python may go by."""
    start = max(0, size - (1 << 16) - _END.size)
    file.seek(start)
    tail = file.read()
    for at in {len(tail) - _END.size, tail.rfind(b"PK\5\6")}:
        if at < 0 or tail[at : at + 4] != b"PK\5\6" or at + _END.size > len(tail):
            continue
        _, _, _, _, entries, length, _, _ = _END.unpack_from(tail, at)
        if length < 0xFFFFFFFF:  # else it stands in the record of zip64, which lies just before
            yield (0 if entries == 0xFFFF else entries), length
        before = start + at - _LOCATOR_64 - _END_64.size
        if before >= 0:
            file.seek(before)
            fields = _END_64.unpack(file.read(_END_64.size))
            if fields[0] == b"PK\6\6":
                yield fields[7], fields[8]


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """Raise :class:`InputError` for what reading a damaged zip raises."""
    try:
        yield
    except InputError:
        raise
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:  # the disk's
            raise
        raise _damaged() from error


def _damaged() -> InputError:
    return InputError("The zip is damaged or packed in an unknown way; pack it again.")


def _too_many(entries: int) -> InputError:
    counted = f"lists {entries:,} files" if entries > MAX_ENTRIES else "has too long a list of files"
    return InputError(f"The zip {counted}; at most {MAX_PHOTOS:,} photos can be uploaded at once.")
