"""Sets of photos: which files there are, which class each belongs to, and what was left out and why."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from interpret.data import builtin, containers
from interpret.data.class_names import match
from interpret.data.containers import Container
from interpret.data.downloads import Announce
from interpret.data.fingerprints import FilePrint, FileState, combined, read_print, state_of
from interpret.data.folders import walk
from interpret.data.photo_files import PhotoFile, Stretch
from interpret.data.photos import plain
from interpret.data.roots import check_within
from interpret.errors import InputError

Choice = Callable[[list[str], Mapping[str, int | None]], Sequence[str]]

# A file that changed less than this before it was read may change again without a change of its time stamps, which
# some file systems keep in steps of two seconds.
_SETTLED_NS = 2_000_000_000


@dataclass(frozen=True)
class Photo:
    """One photo of a set.

    Attributes:
        file: where its bytes are.
        name: its path relative to the set's root, with forward slashes.
        label: the index of its class; None if unknown.
    """

    file: PhotoFile
    name: str
    label: int | None


@dataclass(frozen=True)
class Skipped:
    """A file or folder that was left out: its name relative to the set's root, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class PhotoSet:
    """The photos of a folder, or inside larger files.

    Attributes:
        root: the folder, absolute; or the set that they are inside of.
        photos: sorted by name.
        skipped: what was left out, sorted by name.
        fingerprint: 16 hexadecimal digits that change when a photo is added, removed, renamed or edited.
        former_fingerprint: the same from both ends of each file only, as version 0.9 recorded it.
        prints: digests of the files, for a later scan; without those that changed just before they were read.
        unmatched: folders that hold photos and match no class; their photos have no label.
    """

    root: Path | Container
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
    """List the photos of a folder or of another set, with their fingerprint, without decoding them.

    A photo's class is that of the outermost folder above it that :func:`~interpret.data.class_names.match` recognises.
    Photos directly in the root have none. Hidden files, other kinds of file, empty files and links in a circle are
    skipped and listed. A photo whose content is broken is found only by :func:`~interpret.data.photos.open_photo`.

    Args:
        source: a folder, one of :data:`interpret.data.builtin.BUILT_IN`, a set of torchvision, or photos inside larger
            files (:mod:`interpret.data.containers`).
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
    root, found, skipped = _listed(source, announce, roots)
    folders = {name.rpartition("/")[0] for name in found} - {""}
    label_of = _labels(folders, class_names, wnids)
    settled = time.time_ns() - _SETTLED_NS
    names = evenly(sorted(found), label_of, limit)
    chosen = {name: found[name] for name in (names if choose is None else choose(names, label_of))}
    read = _prints(chosen, known or {}, skipped)
    photos = [Photo(found[name], name, label_of.get(name.rpartition("/")[0])) for name in chosen if name in read]
    if not photos:
        raise _no_photos(root, skipped)
    prints = [read[photo.name] for photo in photos]
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
    root, found, skipped = _listed(source, announce, roots)
    if not found:
        raise _no_photos(root, skipped)
    return len(found)


def absolute(source: str) -> str:
    """A source as it can be given from any folder.

    Raises:
        InputError: it is written as photos inside larger files, and there are none.
    """
    if builtin.is_builtin(source):
        return source
    container = containers.located(source)
    return str(Path(source).expanduser().absolute() if container is None else container)


def _listed(
    source: str | Path, announce: Announce | None, roots: Sequence[Path] | None
) -> tuple[Path | Container, Mapping[str, Path | Stretch], list[Skipped]]:
    """Where a set is, its photos by name, and everything that is skipped."""
    container = None if builtin.is_builtin(source) else containers.located(source, roots)
    if container is not None:
        within, left_out = container.photos(roots, announce)
        return container, within, [Skipped(name, reason) for name, reason in left_out]
    root = builtin.folder(source, announce)
    check_within(root, roots, "The folder")
    found: dict[str, Path] = {}
    skipped: list[Skipped] = []
    for name, path, reason in walk(root, roots):
        if reason is None:
            found[name] = path
        else:
            skipped.append(Skipped(name, reason))
    return root, found, skipped


def _no_photos(root: Path | Container, skipped: Sequence[Skipped]) -> InputError:
    if isinstance(root, Container):
        first = f" ({skipped[0].name}: {skipped[0].reason})" if skipped else ""
        return InputError(f"No photo was found in {root}{first}.")
    left_out = f" (files left out: {len(skipped):,})" if skipped else ""
    return InputError(f"{root} holds no photos{left_out}; give a folder of JPEG, PNG, WEBP, BMP, GIF or TIFF files.")


def _prints(
    chosen: Mapping[str, Path | Stretch], known: Mapping[FileState, FilePrint], skipped: list[Skipped]
) -> dict[str, tuple[FileState, FilePrint]]:
    """State and digests of each photo; one is read only if it is not among the known ones.

    Larger files are read from their beginning to their end. What cannot be read is added to ``skipped``.
    """
    read = {}
    states: dict[Path, os.stat_result] = {}

    def place(name: str) -> tuple[str, int]:
        file = chosen[name]
        return (str(file.path), file.offset) if isinstance(file, Stretch) else ("", 0)

    for name in sorted(chosen, key=place):
        file = chosen[name]
        try:
            if known:
                whole = file.path if isinstance(file, Stretch) else file
                status = states.get(whole) or whole.stat()
                if isinstance(file, Stretch):
                    states[whole] = status
                state = state_of(name, status, file.size if isinstance(file, Stretch) else None)
                if state in known:
                    read[name] = (state, known[state])
                    continue
            read[name] = read_print(name, file)
        except OSError as error:
            skipped.append(Skipped(name, f"the file cannot be read ({plain(error)})"))
    return read


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
