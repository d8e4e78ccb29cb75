"""Where the bytes of a photo are: in a file of their own, in a stretch of a larger file, or sent along."""

import io
import json
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


@dataclass(frozen=True, slots=True)
class Stretch:
    """A photo inside a larger file, such as a tar archive or an Arrow table.

    Attributes:
        path: the larger file, absolute.
        offset: of the photo's first byte in it (bytes).
        size: of the photo (bytes).
    """

    path: Path
    offset: int
    size: int

    def __str__(self) -> str:
        return f"at byte {self.offset:,} of {self.path}"


@dataclass(frozen=True, slots=True)
class Sent:
    """A photo whose bytes were read elsewhere and sent here.

    Attributes:
        content: all of its bytes; empty where it could not be read.
        reason: why not, in plain words; empty if it could.
    """

    content: bytes
    reason: str = ""


PhotoFile = Path | Stretch | Sent
"""Where a photo's bytes are."""


class NoFileError(Exception):
    """What is there is no file; the argument is its ``st_mode``."""


class EndsError(Exception):
    """A file ends within the stretch that is asked for."""


def opened(path: str | Path) -> BinaryIO:
    """A regular file, opened for reading.

    Raises:
        OSError: it cannot be opened.
        ValueError: it is no path.
        NoFileError: it is a folder, a pipe or a device.
    """
    # without O_NONBLOCK, opening a named pipe would wait until somebody writes to it
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise NoFileError(mode)
    return os.fdopen(descriptor, "rb")


def stretch_opened(stretch: Stretch) -> BinaryIO:
    """The bytes of a stretch as a file.

    Raises:
        OSError, ValueError, NoFileError: as :func:`opened` says.
        EndsError: the larger file ends within it.
    """
    with opened(stretch.path) as file:
        file.seek(stretch.offset)
        content = file.read(stretch.size)
    if len(content) < stretch.size:
        raise EndsError
    return io.BytesIO(content)


def packed(files: Sequence[PhotoFile]) -> bytes:
    """Photos as another process on this machine takes them: a line of JSON, and behind it the bytes that were sent."""
    line: list[object] = []
    for file in files:
        if isinstance(file, Sent):
            line.append({"size": len(file.content), "reason": file.reason})
        else:
            line.append([str(file.path), file.offset, file.size] if isinstance(file, Stretch) else str(file))
    sent = [file.content for file in files if isinstance(file, Sent)]
    return b"".join([json.dumps(line).encode("ascii"), b"\n", *sent])


def unpacked(stream: BinaryIO) -> list[PhotoFile] | None:
    """The photos that the next line of a stream holds, see :func:`packed`; None at its end."""
    line = stream.readline()
    if not line:
        return None
    files: list[PhotoFile] = []
    for entry in json.loads(line):
        if isinstance(entry, dict):
            files.append(Sent(stream.read(entry["size"]), entry["reason"]))
        else:
            files.append(Path(entry) if isinstance(entry, str) else Stretch(Path(entry[0]), *entry[1:]))
    return files


def folder_name(text: str) -> str:
    """A class's name as the folder in a photo's name: on one line, without slashes; empty if nothing is left."""
    return " ".join(re.sub(r"[/\\\0]", "-", text).split()).strip(" .")[:100]
