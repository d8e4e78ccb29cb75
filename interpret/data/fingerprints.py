"""Fingerprints of photo files: all bytes of a small file; size, time and samples of a large one."""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from interpret.data.photo_files import Stretch

WHOLE_BYTES = 8 << 20
"""Files up to this size are hashed whole."""

_SAMPLE_BYTES = 16 << 10
_SAMPLES = 64  # of a larger file, evenly spread; the first and the last are its ends
_DIGEST_BYTES = 16
_INODE = (1 << 63) - 1  # some file systems number files with more bits than a table's column has


class FileState(NamedTuple):
    """One version of a file, as the file system tells it: a file in the same state is not read again.

    Of a photo inside a larger file, times and number are those of the larger one.

    Attributes:
        name: path relative to the root of the set of photos, with forward slashes.
        size: bytes.
        mtime_ns: time of the last change of the content, nanoseconds.
        ctime_ns: time of the last change of the file's record, nanoseconds; programs that keep ``mtime_ns`` change it.
        inode: the file's number on its disk, its lower 63 bits.
    """

    name: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


class FilePrint(NamedTuple):
    """Digests of one file.

    Attributes:
        content: 16 bytes; of the whole file up to :data:`WHOLE_BYTES`, else of ``mtime_ns`` and of samples.
        ends: 16 bytes; of the first and the last 16 KiB, as version 0.9 recorded it.
    """

    content: bytes
    ends: bytes


def state_of(name: str, status: os.stat_result, size: int | None = None) -> FileState:
    """The state of the file called ``name`` in its set of photos.

    Args:
        name: the photo's.
        status: of the file.
        size: of the photo (bytes), where it is inside that file; the file's own if None.
    """
    size = status.st_size if size is None else size
    return FileState(name, size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & _INODE)


def read_print(name: str, path: Path | Stretch) -> tuple[FileState, FilePrint]:
    """Read a file once and return the state in which it was found, and its digests.

    Raises:
        OSError: the file cannot be read.
    """
    whole, start, size = (path.path, path.offset, path.size) if isinstance(path, Stretch) else (path, 0, None)
    with whole.open("rb") as file:
        state = state_of(name, os.fstat(file.fileno()), size)

        def piece(at: int, size: int) -> bytes:
            file.seek(start + at)
            return file.read(size)

        if state.size <= WHOLE_BYTES:
            content = piece(0, state.size)
            ends = content[:_SAMPLE_BYTES] + content[max(_SAMPLE_BYTES, state.size - _SAMPLE_BYTES) :]
            return state, FilePrint(_digest(content), _digest(ends))
        samples = [
            piece(index * (state.size - _SAMPLE_BYTES) // (_SAMPLES - 1), _SAMPLE_BYTES) for index in range(_SAMPLES)
        ]
    stamp = state.mtime_ns.to_bytes(16, "little", signed=True)
    return state, FilePrint(_digest(stamp, *samples), _digest(samples[0], samples[-1]))


def combined(digests: list[tuple[str, int, bytes]]) -> str:
    """One fingerprint (16 hexadecimal digits) of a set of files, each given by name, size and digest, in order."""
    sha = hashlib.blake2b(digest_size=8)
    for name, size, content in digests:
        sha.update(name.encode() + b"\0" + size.to_bytes(8, "little") + content)
    return sha.hexdigest()


def _digest(*pieces: bytes) -> bytes:
    sha = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for piece in pieces:
        sha.update(piece)
    return sha.digest()
