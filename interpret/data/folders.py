"""Everything below a folder: which files may be photos, and why the others are not taken."""

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from interpret.data.photos import EXTENSIONS, kind_of, plain
from interpret.data.roots import is_within
from interpret.errors import InputError

MAX_BYTES = 1 << 30
MAX_DEPTH = 40


def walk(root: Path, roots: Sequence[Path] | None) -> Iterator[tuple[str, Path, str | None]]:
    """Yield name, path and the reason to skip it (None for a photo) of everything below a folder.

    Links to folders are followed after all real folders, and no folder is entered twice: a circle ends, and a folder
    that is also linked to gives its photos once, under its own name.
    """
    entered: set[tuple[int, int]] = set()
    real: list[tuple[Path, str, int]] = [(root, "", 0)]
    linked: list[tuple[Path, str, int]] = []
    while real or linked:
        folder, prefix, depth = real.pop() if real else linked.pop(0)
        try:
            status = folder.stat()
            if prefix and (status.st_dev, status.st_ino) in entered:
                yield prefix.rstrip("/"), folder, "it is a link to a folder that is read already"
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise InputError(f"The folder {root} cannot be read ({plain(error)}).") from None
            yield prefix.rstrip("/"), folder, f"the folder cannot be read ({plain(error)})"
            continue
        if not entries and folder.suffix.lower() in EXTENSIONS:
            yield prefix.rstrip("/"), folder, "it is a folder, not a photo"
        for entry in entries:
            name, path = prefix + _text(entry.name), Path(entry.path)
            reason = _reason(entry)
            if reason is None and entry.is_symlink() and not is_within(path, roots):
                reason = "it is a link to a place that may not be read"
            if reason is None and entry.is_dir():
                if depth >= MAX_DEPTH:
                    yield name, path, f"the folder lies more than {MAX_DEPTH} folders deep"
                else:
                    (linked if entry.is_symlink() else real).append((path, name + "/", depth + 1))
            else:
                yield name, path, reason


def _reason(entry: os.DirEntry[str]) -> str | None:
    """Why a directory entry is skipped; None if it is a folder or may be a photo."""
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        return "its name is not valid UTF-8; rename it"
    if entry.name.startswith(".") or entry.name == "__MACOSX":
        return "it is hidden"
    try:
        status = entry.stat()
    except FileNotFoundError:
        return "it is a link to nothing"
    except OSError as error:
        return f"it cannot be read ({plain(error)})"
    if stat.S_ISDIR(status.st_mode):
        return None
    if not stat.S_ISREG(status.st_mode):
        return kind_of(status.st_mode)
    suffix = Path(entry.name).suffix.lower()
    if suffix not in EXTENSIONS:
        advice = "; save it as JPEG first" if suffix in (".heic", ".heif", ".avif") else ""
        return f"not a photo ({suffix or 'no extension'}){advice}"
    if status.st_size == 0:
        return "the file is empty"
    if status.st_size > MAX_BYTES:
        return f"the file is larger than {MAX_BYTES >> 20:,} MB"
    return None


def _text(name: str) -> str:
    """A file name that can be written anywhere: bytes that are not UTF-8 become hexadecimal escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
