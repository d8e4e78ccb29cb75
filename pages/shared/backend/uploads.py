"""Uploaded photos, zips of photos and checkpoints. None of them is trusted."""

import contextlib
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from interpret.data.photos import EXTENSIONS, UnreadablePhoto, identify_photo
from interpret.errors import InputError
from pages.shared.backend import archives
from pages.shared.backend.archives import MAX_FILE_BYTES, MAX_TOTAL_BYTES
from pages.shared.backend.places import UPLOADS, studies_root

_TOKEN = re.compile(r"[0-9a-f]{16}")
"""Names of the folders that uploads are kept in."""

ORPHANED = 24 * 3600.0
"""Seconds after which an upload that nothing names is removed; before that its run may be about to start."""


class _Space:
    """The folder of one upload: which names are taken in it, and how many bytes it may still cost.

    Attributes:
        folder: where the photos go.
        left: bytes that may still be unpacked or copied; what is refused afterwards has cost them too.
        kept: number of photos.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.left, self.kept = folder, MAX_TOTAL_BYTES, 0
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def target(self, path: PurePosixPath) -> Path | None:
        """Where a photo goes, with only the class folder of its path; None if it is no photo."""
        if path.suffix.lower() not in EXTENSIONS:
            return None
        *parents, name = path.parts[-2:]
        home = self.folder.joinpath(*(_plain(part) for part in parents))
        stem, suffix = _plain(PurePosixPath(name).stem), path.suffix.lower()
        # Numbers only rise: with each name looked at from the first number on, 6,000 equal names took minutes.
        key = f"{home}/{stem}{suffix}".casefold()
        number = self._numbers.get(key, 0)
        while (target := home / (f"{stem} {number}{suffix}" if number else f"{stem}{suffix}")) in self:
            number += 1
        self._numbers[key] = number + 1
        self._taken.add(str(target).casefold())
        home.mkdir(exist_ok=True)
        return target

    def __contains__(self, target: Path) -> bool:
        return str(target).casefold() in self._taken

    def copy(self, source: IO[bytes], target: Path, limit: int) -> bool:
        """Copy at most ``limit`` bytes; False, and no file, if there are more. All that is read is charged."""
        size = _copy(source, target, min(limit, self.left))
        self.left = max(0, self.left - abs(size))
        self.kept += size >= 0
        return size >= 0


def keep(files: Sequence[tuple[str, BinaryIO]]) -> tuple[Path, int, list[str]]:
    """Write uploaded photos, and the photos in uploaded zips, into a folder of their own.

    Args:
        files: name and open binary file of each upload.

    Returns:
        The folder, its number of photos, and a line for each file that was skipped, with the reason.

    Raises:
        InputError: there is no photo in them, or they exceed a limit, or they cannot be written.
    """
    skipped: list[str] = []
    with _new_folder() as folder:
        space = _Space(folder)
        for name, file in files:
            if name.lower().endswith(".zip"):
                skipped += _unzip(file, space)
                continue
            if reason := _refusal(name, file):
                skipped.append(f"{name}: {reason}")
                continue
            target = space.target(PurePosixPath(Path(name).name))
            whole = space.left >= MAX_FILE_BYTES
            if target is None:
                skipped.append(f"{name}: not a photo")
            elif not space.copy(file, target, MAX_FILE_BYTES):
                skipped.append(
                    f"{name}: larger than {MAX_FILE_BYTES >> 20} MB"
                    if whole
                    else f"{name}: beyond the {MAX_TOTAL_BYTES >> 30} GB that one upload may hold"
                )
        if space.kept == 0:
            first = f" ({skipped[0]})" if skipped else ""
            raise InputError(
                f"The upload holds no photo{first}; give JPEG, PNG, WEBP, BMP, GIF or TIFF files, or a zip of them."
            )
    return folder, space.kept, skipped


def _unzip(file: BinaryIO, space: _Space) -> list[str]:
    """Unpack the photos of a zip; gives a line for each entry that is skipped."""
    with archives.opened(file) as (archive, size):
        listing = archives.listed(archive, size, space.left, space.kept)
        skipped = list(listing.skipped)
        for member, path in listing.photos:
            target = space.target(path)
            if target is None:
                continue
            with archive.open(member) as source:
                if not space.copy(source, target, member.file_size):
                    skipped.append(f"{member.filename[:100]}: larger than the zip says")
    return skipped


def _plain(part: str) -> str:
    """A part of a path as every file system takes it, of 120 bytes at most."""
    clean = re.sub(r"[^\w .()-]", "_", part).strip(". ")
    return clean.encode()[:120].decode(errors="ignore").strip(". ") or "_"


@contextlib.contextmanager
def _new_folder() -> Iterator[Path]:
    """A folder for one upload, removed if writing into it fails.

    Raises:
        InputError: it cannot be written to, or the disk is full.
    """
    folder = studies_root() / UPLOADS / secrets.token_hex(8)
    try:
        folder.mkdir(parents=True)
        yield folder
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise InputError(
                f"The upload cannot be kept in {studies_root()} ({error.strerror}); make room there, or set "
                "UNITSCOPE_STUDIES to another folder."
            ) from error
        raise


def tidy(arguments: Sequence[str] = ()) -> None:
    """Remove uploads that no study and no run names: those in ``arguments`` at once, others after a day.

    Only folders that :func:`keep` and :func:`keep_checkpoint` made are ever touched, whatever the arguments say.

    Args:
        arguments: of a run that was dismissed or not started.
    """
    home = studies_root() / UPLOADS
    if not home.is_dir():
        return
    folders = [
        folder
        for folder in home.iterdir()
        if _TOKEN.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
    ]
    abandoned = {folder.name for folder in folders if any(_lies_in(text, folder) for text in arguments)}
    old = {folder.name for folder in folders if _age(folder) > ORPHANED}
    candidates = abandoned | old
    if not candidates:
        return
    try:
        named = "".join(
            file.read_text(encoding="utf-8", errors="replace")
            for pattern in ("*/manifest.json", "*.partial/*.json", ".runs/*/job.json")
            for file in studies_root().glob(pattern)
        )
    except OSError:  # what cannot be read may name any of them
        return
    for folder in folders:
        if folder.name in candidates and folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)


def _age(folder: Path) -> float:
    """Seconds since a folder was written to; 0 where another page removed it at this moment."""
    try:
        return time.time() - folder.stat().st_mtime
    except OSError:
        return 0.0


def _lies_in(text: str, folder: Path) -> bool:
    path = Path(text)
    return path == folder or folder in path.parents


def inspect(name: str, file: BinaryIO) -> tuple[int, tuple[str, ...]]:
    """Look into one upload before it is used; nothing is unpacked, and no photo is decoded.

    Returns:
        Its number of photos, in a zip going by their names and sizes, and a line for each file that will be skipped.
    """
    if not name.lower().endswith(".zip"):
        reason = _refusal(name, file)
        return (0, (f"{name}: {reason}",)) if reason else (1, ())
    try:
        with archives.opened(file) as (archive, size):
            listing = archives.listed(archive, size)
            return len(listing.photos), listing.skipped
    except InputError as error:
        return 0, (f"{name}: {error}",)
    except OSError:
        return 0, (f"{name}: it cannot be read",)


def _refusal(name: str, file: BinaryIO) -> str:
    """Why a file that was uploaded by itself is no photo; empty if its name and its header say that it is one."""
    if PurePosixPath(name).suffix.lower() not in EXTENSIONS:
        return "not a photo"
    try:
        identify_photo(file)
    except UnreadablePhoto as error:
        return error.reason
    return ""


def _copy(source: IO[bytes], target: Path, limit: int) -> int:
    """Copy at most ``limit`` bytes and return their number; if there are more, leave no file and return minus it."""
    size = 0
    with target.open("wb") as file:
        while size <= limit and (chunk := source.read(min(1 << 20, limit - size + 1))):
            size += len(chunk)
            file.write(chunk)
    if size > limit:
        target.unlink()
        return -size
    return size


def keep_checkpoint(name: str, file: BinaryIO) -> Path:
    """Write an uploaded checkpoint into the folder of studies; the run loads it with weights only.

    Raises:
        InputError: its name is not that of a checkpoint, or it is too large, or cannot be written.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in (".safetensors", ".pt", ".pth", ".bin"):
        raise InputError("A checkpoint ends in .safetensors, .pt, .pth or .bin; save the state dict as one of these.")
    with _new_folder() as folder:
        target = folder / f"{_plain(Path(name).stem)}{suffix}"  # errors call it by this name
        if _copy(file, target, MAX_TOTAL_BYTES) < 0:
            raise InputError(f"The checkpoint is larger than {MAX_TOTAL_BYTES >> 30} GB; type its path instead.")
    return target
