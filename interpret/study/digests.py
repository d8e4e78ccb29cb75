"""Digests of files: what tells that a file is still, byte for byte, what was written.

A study's own files have theirs in its manifest; what is kept inside a study and can be made again (mined itemsets,
evaluations, dissections) has them in a file beside it, with what it was made from.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from interpret.errors import InputError
from interpret.files import write_json

NAME = "digests.json"
"""The file beside a kept result that holds the digests of its other files."""

LENGTH = 32
"""Hexadecimal digits of a digest: the first half of SHA-256."""


@dataclass(frozen=True)
class FileDigest:
    """What a file must be.

    Attributes:
        bytes: its size.
        digest: the first :data:`LENGTH` hexadecimal digits of its SHA-256.
    """

    bytes: int
    digest: str

    @classmethod
    def of(cls, path: Path) -> "FileDigest":
        """Of a file as it is now; it is read whole.

        Raises:
            OSError: it cannot be read.
        """
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:LENGTH]
        return cls(path.stat().st_size, digest)

    @classmethod
    def read(cls, value: Any) -> "FileDigest":
        """From what a JSON file says.

        Raises:
            ValueError: it is something else.
        """
        match value:
            case {"bytes": int(size), "digest": str(digest), **rest} if not rest and not isinstance(size, bool):
                if size >= 0 and len(digest) == LENGTH and set(digest) <= set("0123456789abcdef"):
                    return cls(size, digest)
        raise ValueError(f"{str(value)[:80]!r} is not the size and digest of a file")


def file_digests(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Size and digest of some files of a folder, as JSON holds them; absent files are left out."""
    return {name: asdict(FileDigest.of(folder / name)) for name in sorted(names) if (folder / name).is_file()}


def difference(path: Path, expected: FileDigest, *, again: bool = False) -> str | None:
    """How a file differs from what was written, in a few words; None if it does not.

    A process reads a file for this once, unless its size or times change.

    Args:
        path: the file.
        expected: what it must be.
        again: whether to read it in any case.
    """
    if what := size_difference(path, expected):
        return what
    try:
        state = path.stat()
        if again:
            found = FileDigest.of(path).digest
        else:
            found = _digest(path, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None if found == expected.digest else "its bytes are not those that were written"


def size_difference(path: Path, expected: FileDigest) -> str | None:
    """How a file differs in being there and in its size alone, which takes no time; None if it does not."""
    try:
        size = path.stat().st_size
    except OSError as error:
        return "it is missing" if isinstance(error, FileNotFoundError) else f"it cannot be read: {error.strerror}"
    return None if size == expected.bytes else f"it has {size:,} bytes, not {expected.bytes:,}"


@functools.lru_cache(maxsize=4096)
def _digest(path: Path, size: int, mtime_ns: int, ctime_ns: int, inode: int) -> str:
    return FileDigest.of(path).digest


def write_list(folder: Path, made_from: Mapping[str, str]) -> None:
    """Write the digests of all files of a folder into it, and what they were made from.

    Raises:
        OSError: the folder cannot be written to.
    """
    names = (path.name for path in folder.iterdir() if path.is_file() and path.name != NAME)
    write_known(file_digests(folder, names), folder, made_from)


def write_known(files: Mapping[str, Any], folder: Path, made_from: Mapping[str, str] | None = None) -> None:
    """The same with digests that are known: as :func:`file_digests` gives them."""
    write_json({"made_from": dict(made_from or {}), "files": dict(files)}, folder / NAME)


def check_list(
    folder: Path, names: Iterable[str], made_from: Mapping[str, str] | None = None, *, again: bool = False
) -> dict[str, Any]:
    """Check that a folder's files are those that were written, and were made from what they should be.

    Args:
        folder: the folder.
        names: files that must be there; others that the list names are checked too.
        made_from: what the list must say of this, as in :func:`write_list`; anything if None.
        again: see :func:`difference`.

    Returns:
        All that the list says of what they were made from.

    Raises:
        InputError: they are not; the text says how, without a full stop.
    """
    files, found = read_list(folder)
    if any(found.get(name) != text for name, text in (made_from or {}).items()):
        raise InputError(f"{folder} was made from other data or with other options")
    for name in sorted(set(names) | files.keys()):
        if name not in files or Path(name).name != name:
            raise InputError(f"{folder / NAME} is damaged")
        if what := difference(folder / name, files[name], again=again):
            raise InputError(f"{folder / name} is damaged: {what}")
    return found


def read_list(folder: Path) -> tuple[dict[str, FileDigest], dict[str, Any]]:
    """The digests that a folder's list says, and what the files were made from.

    Raises:
        InputError: the list is missing or damaged; the text says which, without a full stop.
    """
    try:
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))
        files = {str(name): FileDigest.read(value) for name, value in content["files"].items()}
        return files, dict(content["made_from"])
    except FileNotFoundError:
        raise InputError(f"{folder / NAME} is missing") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(f"{folder / NAME} is damaged") from None


def has_list(folder: Path) -> bool:
    """Whether a folder has digests; results of version 1.0 and earlier have none."""
    return (folder / NAME).exists()
