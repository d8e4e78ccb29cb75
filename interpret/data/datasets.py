"""Sets of photos: which files there are, which class each belongs to, and what was left out and why."""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from interpret.data import builtin
from interpret.data.class_names import match
from interpret.data.downloads import Announce
from interpret.data.photos import EXTENSIONS, UnreadablePhoto, kind_of, open_photo, plain
from interpret.errors import InputError
from interpret.files import cache_dir

__all__ = ["Photo", "PhotoSet", "Skipped", "UnreadablePhoto", "cache_dir", "open_photo", "scan"]

MAX_BYTES = 1 << 30
MAX_DEPTH = 40
# Bytes at either end of a file that stand for its content: enough to tell photos apart without reading a data set.
_ENDS = 16 * 1024


@dataclass(frozen=True)
class Photo:
    """One photo of a set.

    Attributes:
        path: the file, absolute.
        name: its path relative to the set's root, with forward slashes.
        label: the index of its class; None where unknown.
    """

    path: Path
    name: str
    label: int | None


@dataclass(frozen=True)
class Skipped:
    """A file or folder that gives no photo, relative to the set's root, and why."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class PhotoSet:
    """The photos of a folder.

    Attributes:
        root: the folder, absolute.
        photos: sorted by name.
        skipped: what was left out, sorted by name.
        fingerprint: 16 hexadecimal digits that change when a photo is added, removed, renamed or replaced.
        unmatched: folders that hold photos and match no class; their photos have no label.
    """

    root: Path
    photos: tuple[Photo, ...]
    skipped: tuple[Skipped, ...]
    fingerprint: str
    unmatched: tuple[str, ...] = ()


def scan(
    source: str | Path,
    class_names: Sequence[str],
    wnids: Sequence[str],
    *,
    limit: int | None = None,
    announce: Announce | None = None,
) -> PhotoSet:
    """List the photos of a folder or of a built-in set, without decoding them.

    A photo's class is that of the outermost folder on its way from the root that
    :func:`~interpret.data.class_names.match` knows. Photos directly in the root have none. Hidden files, other kinds
    of file, empty files and links in a circle are skipped and listed; a photo whose content is broken is only found
    out by :func:`open_photo`.

    Args:
        source: a folder, or one of :data:`interpret.data.builtin.BUILT_IN`.
        class_names: the model's classes.
        wnids: their WordNet ids; empty where they have none.
        limit: at most this many photos, evenly over the classes and within each; None for all.
        announce: called with one line before a download or a rendering starts.

    Raises:
        InputError: the folder does not exist, cannot be read or holds no photo.
    """
    if limit is not None and limit < 1:
        raise InputError(f"A limit of {limit} photos leaves none; give 1 or more.")
    root = builtin.folder(source, announce)
    found: dict[str, Path] = {}
    skipped: list[Skipped] = []
    for name, path, reason in _walk(root):
        if reason is None:
            found[name] = path
        else:
            skipped.append(Skipped(name, reason))
    folders = {name.rpartition("/")[0] for name in found} - {""}
    label_of = _labels(folders, class_names, wnids)
    photos: list[Photo] = []
    prints: dict[str, bytes] = {}
    for name in _evenly(sorted(found), label_of, limit):
        try:
            prints[name] = _print(found[name])
        except OSError as error:
            skipped.append(Skipped(name, f"the file cannot be read ({plain(error)})"))
        else:
            photos.append(Photo(found[name], name, label_of.get(name.rpartition("/")[0])))
    if not photos:
        seen = f" (files left out: {len(skipped):,})" if skipped else ""
        raise InputError(f"{root} holds no photos{seen}; give a folder of JPEG, PNG, WEBP, BMP, GIF or TIFF files.")
    sha = hashlib.blake2b(digest_size=8)
    for photo in photos:
        sha.update(photo.name.encode() + b"\0" + prints[photo.name])
    return PhotoSet(
        root=root,
        photos=tuple(photos),
        skipped=tuple(sorted(skipped, key=lambda item: (item.name, item.reason))),
        fingerprint=sha.hexdigest(),
        unmatched=tuple(sorted(folder for folder in folders if label_of[folder] is None)),
    )


def _walk(root: Path) -> Iterator[tuple[str, Path, str | None]]:
    """Yield name, path and the reason to skip it (None: a photo) of everything below a folder.

    Links to folders are followed after all real folders, and none is entered twice: a circle ends, and a folder that
    is also linked to gives its photos once, under its own name.
    """
    entered: set[tuple[int, int]] = set()
    real: list[tuple[Path, str, int]] = [(root, "", 0)]
    linked: list[tuple[Path, str, int]] = []
    while real or linked:
        folder, prefix, depth = real.pop() if real else linked.pop(0)
        try:
            about = folder.stat()
            if prefix and (about.st_dev, about.st_ino) in entered:
                yield prefix.rstrip("/"), folder, "it is a link to a folder that is read already"
                continue
            entered.add((about.st_dev, about.st_ino))
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
            if reason is None and entry.is_dir():
                if depth >= MAX_DEPTH:
                    yield name, path, f"the folder lies more than {MAX_DEPTH} folders deep"
                else:
                    (linked if entry.is_symlink() else real).append((path, name + "/", depth + 1))
            else:
                yield name, path, reason


def _reason(entry: os.DirEntry[str]) -> str | None:
    """Why a directory entry gives no photo, None where it is a folder or may be one."""
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        return "its name is not valid UTF-8; rename it"
    if entry.name.startswith(".") or entry.name == "__MACOSX":
        return "it is hidden"
    try:
        about = entry.stat()
    except FileNotFoundError:
        return "it is a link to nothing"
    except OSError as error:
        return f"it cannot be read ({plain(error)})"
    if stat.S_ISDIR(about.st_mode):
        return None
    if not stat.S_ISREG(about.st_mode):
        return kind_of(about.st_mode)
    suffix = Path(entry.name).suffix.lower()
    if suffix not in EXTENSIONS:
        more = "; save it as JPEG first" if suffix in (".heic", ".heif", ".avif") else ""
        return f"not a photo ({suffix or 'no extension'}){more}"
    if about.st_size == 0:
        return "the file is empty"
    if about.st_size > MAX_BYTES:
        return f"the file is larger than {MAX_BYTES >> 20:,} MB"
    return None


def _labels(folders: set[str], class_names: Sequence[str], wnids: Sequence[str]) -> dict[str, int | None]:
    """The class of each folder: that of its outermost part which matches one."""
    parts = {part for folder in folders for part in folder.split("/")}
    matched = match(parts, class_names, wnids)
    return {
        folder: next((matched[part] for part in folder.split("/") if matched[part] is not None), None)
        for folder in folders
    }


def _evenly(names: list[str], label_of: dict[str, int | None], limit: int | None) -> list[str]:
    """Pick at most ``limit`` names, as many from each class as from any other, spread over each class's names."""
    if limit is None or limit >= len(names):
        return names
    groups: dict[tuple[int, str], list[str]] = {}
    for name in names:
        folder = name.rpartition("/")[0]
        label = label_of.get(folder)
        groups.setdefault((-1, folder) if label is None else (label, ""), []).append(name)
    order = [groups[key] for key in sorted(groups)]
    quota = [0] * len(order)
    left = limit
    while left:
        for index, group in enumerate(order):
            if left and quota[index] < len(group):
                quota[index] += 1
                left -= 1
    return sorted(
        group[position * len(group) // count]
        for group, count in zip(order, quota, strict=True)
        for position in range(count)
    )


def _print(path: Path) -> bytes:
    """Size and digest of both ends of a file."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        ends = hashlib.blake2b(file.read(_ENDS), digest_size=16)
        if size > _ENDS:
            file.seek(max(_ENDS, size - _ENDS))
            ends.update(file.read(_ENDS))
    return size.to_bytes(8, "little") + ends.digest()


def _text(name: str) -> str:
    """A file name that can be written anywhere: bytes that are not UTF-8 are spelled out in hexadecimal."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
