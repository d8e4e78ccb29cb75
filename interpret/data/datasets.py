"""Sets of photos: which files there are, which class each belongs to, and what was left out and why."""

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from interpret.data import builtin
from interpret.data.class_names import match
from interpret.data.downloads import Announce
from interpret.data.fingerprints import FilePrint, FileState, combined, read_print, state_of
from interpret.data.photos import EXTENSIONS, kind_of, plain
from interpret.data.roots import check_within, is_within
from interpret.errors import InputError

Choice = Callable[[list[str], Mapping[str, int | None]], Sequence[str]]

MAX_BYTES = 1 << 30
MAX_DEPTH = 40
# A file that changed less than this before it was read may change again without a change of its time stamps, which
# some file systems keep in steps of two seconds.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class Photo:
    """One photo of a set.

    Attributes:
        path: the file, absolute.
        name: its path relative to the set's root, with forward slashes.
        label: the index of its class; None if unknown.
    """

    path: Path
    name: str
    label: int | None


@dataclass(frozen=True)
class Skipped:
    """A file or folder that was left out: its name relative to the set's root, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class PhotoSet:
    """The photos of a folder.

    Attributes:
        root: the folder, absolute.
        photos: sorted by name.
        skipped: what was left out, sorted by name.
        fingerprint: 16 hexadecimal digits that change when a photo is added, removed, renamed or edited.
        former_fingerprint: the same from both ends of each file only, as version 0.9 recorded it.
        prints: digests of the files, for a later scan; without those that changed just before they were read.
        unmatched: folders that hold photos and match no class; their photos have no label.
    """

    root: Path
    photos: tuple[Photo, ...]
    skipped: tuple[Skipped, ...]
    fingerprint: str
    former_fingerprint: str
    prints: Mapping[FileState, FilePrint]
    unmatched: tuple[str, ...] = ()


def scan(
    source: str | Path,
    class_names: Sequence[str],
    wnids: Sequence[str],
    *,
    limit: int | None = None,
    choose: Choice | None = None,
    known: Mapping[FileState, FilePrint] | None = None,
    announce: Announce | None = None,
    roots: Sequence[Path] | None = None,
) -> PhotoSet:
    """List the photos of a folder or of a built-in set, with their fingerprint, without decoding them.

    A photo's class is that of the outermost folder above it that :func:`~interpret.data.class_names.match` recognises.
    Photos directly in the root have none. Hidden files, other kinds of file, empty files and links in a circle are
    skipped and listed. A photo whose content is broken is found only by :func:`~interpret.data.photos.open_photo`.

    Args:
        source: a folder, or one of :data:`interpret.data.builtin.BUILT_IN`.
        class_names: the model's classes.
        wnids: their WordNet ids; empty if they have none.
        limit: at most this many photos, evenly over the classes and within each; None for all.
        choose: which of these to take, given their sorted names and the class of each folder; all if None.
        known: ``prints`` of earlier scans: a file that is still in the same state is not read again.
        announce: called with one line before a download or a rendering starts.
        roots: folders, resolved, that links may lead into; None for any.

    Raises:
        InputError: the folder does not exist, cannot be read, lies outside of ``roots`` or holds no photo.
    """
    if limit is not None and limit < 1:
        raise InputError(f"A limit of {limit} photos leaves none; give 1 or more.")
    root = builtin.folder(source, announce)
    check_within(root, roots, "The folder")
    found, skipped = _listed(root, roots)
    folders = {name.rpartition("/")[0] for name in found} - {""}
    label_of = _labels(folders, class_names, wnids)
    known = known or {}
    settled = time.time_ns() - _SETTLED_NS
    photos: list[Photo] = []
    prints: list[tuple[FileState, FilePrint]] = []
    names = evenly(sorted(found), label_of, limit)
    for name in names if choose is None else choose(names, label_of):
        try:
            prints.append(_print(name, found[name], known))
        except OSError as error:
            skipped.append(Skipped(name, f"the file cannot be read ({plain(error)})"))
        else:
            photos.append(Photo(found[name], name, label_of.get(name.rpartition("/")[0])))
    if not photos:
        raise _no_photos(root, skipped)
    return PhotoSet(
        root=root,
        photos=tuple(photos),
        skipped=tuple(sorted(skipped, key=lambda item: (item.name, item.reason))),
        fingerprint=combined([(state.name, state.size, digests.content) for state, digests in prints]),
        former_fingerprint=combined([(state.name, state.size, digests.ends) for state, digests in prints]),
        prints={state: digests for state, digests in prints if state.mtime_ns < settled},
        unmatched=tuple(sorted(folder for folder in folders if label_of[folder] is None)),
    )


def count(source: str | Path, announce: Announce | None = None, roots: Sequence[Path] | None = None) -> int:
    """The number of photos in a folder or a built-in set, without reading any.

    Takes and raises what :func:`scan` does.
    """
    root = builtin.folder(source, announce)
    check_within(root, roots, "The folder")
    found, skipped = _listed(root, roots)
    if not found:
        raise _no_photos(root, skipped)
    return len(found)


def _listed(root: Path, roots: Sequence[Path] | None) -> tuple[dict[str, Path], list[Skipped]]:
    """The photos below a folder, by name, and everything that is skipped."""
    found: dict[str, Path] = {}
    skipped: list[Skipped] = []
    for name, path, reason in _walk(root, roots):
        if reason is None:
            found[name] = path
        else:
            skipped.append(Skipped(name, reason))
    return found, skipped


def _no_photos(root: Path, skipped: Sequence[Skipped]) -> InputError:
    left_out = f" (files left out: {len(skipped):,})" if skipped else ""
    return InputError(f"{root} holds no photos{left_out}; give a folder of JPEG, PNG, WEBP, BMP, GIF or TIFF files.")


def _print(name: str, path: Path, known: Mapping[FileState, FilePrint]) -> tuple[FileState, FilePrint]:
    """State and digests of a file, which is read only if it is not among the known ones."""
    if known:
        state = state_of(name, path.stat())
        if state in known:
            return state, known[state]
    return read_print(name, path)


def _walk(root: Path, roots: Sequence[Path] | None) -> Iterator[tuple[str, Path, str | None]]:
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


def _labels(folders: set[str], class_names: Sequence[str], wnids: Sequence[str]) -> dict[str, int | None]:
    """The class of each folder: that of the outermost part of its path that matches one."""
    parts = {part for folder in folders for part in folder.split("/")}
    matched = match(parts, class_names, wnids)
    return {
        folder: next((matched[part] for part in folder.split("/") if matched[part] is not None), None)
        for folder in folders
    }


def evenly(names: list[str], label_of: Mapping[str, int | None], limit: int | None) -> list[str]:
    """Pick at most ``limit`` names: equally many from each class as far as they go, spread over the class's names."""
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


def _text(name: str) -> str:
    """A file name that can be written anywhere: bytes that are not UTF-8 become hexadecimal escapes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
