"""Files that a person gives: photos, a zip of photos, a checkpoint. Nothing in them is trusted."""

import contextlib
import lzma
import os
import re
import secrets
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from interpret.data.photos import EXTENSIONS
from interpret.errors import InputError
from pages.shared.backend.places import studies_root

_TOKEN = re.compile(r"[0-9a-f]{16}")
"""Names of the folders that uploads are kept in."""

MAX_FILES = 20_000

MAX_FILE_BYTES = 64 << 20

MAX_TOTAL_BYTES = 2 << 30

MAX_RATIO = 100
"""A member that grows by more than this while it is unpacked is no photo: photos are compressed already."""

_DAMAGED = (zlib.error, lzma.LZMAError)
"""What unpacking raises, beyond the errors of zipfile itself, where the packed bytes are not as they were written."""

ORPHANED = 24 * 3600.0
"""Seconds after which an upload that nothing names is given up; before that its run may still be about to start."""


def allowed_roots() -> list[Path]:
    """Folders below which files may be read: ``UNITSCOPE_ROOTS``, else the one where the server was started."""
    given = os.environ.get("UNITSCOPE_ROOTS", "")
    return [Path(part).expanduser().resolve() for part in given.split(os.pathsep) if part] or [Path.cwd().resolve()]


def allowed(text: str, *, folder: bool) -> Path:
    """A path that a person typed, if it exists and lies below an allowed root, links followed.

    Raises:
        InputError: it does not.
    """
    roots = allowed_roots()
    try:
        path = Path(text).expanduser()
        path = (path if path.is_absolute() else roots[0] / path).resolve()
        inside = any(path.is_relative_to(root) for root in roots)
        there = inside and (path.is_dir() if folder else path.is_file())
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{text!r} is not a path; type one below {_named(roots)}.") from error
    if not inside:
        raise InputError(
            f"{text!r} lies outside of {_named(roots)}; move it there, or start the server with UNITSCOPE_ROOTS set "
            "to its folder."
        )
    if not there:
        raise InputError(f"There is no {'folder' if folder else 'file'} {text!r} below {_named(roots)}.")
    return path


def _named(roots: Sequence[Path]) -> str:
    return " or ".join(str(root) for root in roots)


def keep(files: Sequence[tuple[str, BinaryIO]]) -> tuple[Path, int, list[str]]:
    """Write uploaded photos, and the photos in uploaded zips, into a folder of their own.

    Args:
        files: name and open binary file of each upload.

    Returns:
        The folder, how many photos it holds, and what was left out and why, a line each.

    Raises:
        InputError: there is no photo in them, or more than is taken, or they cannot be written.
    """
    kept, left_out = 0, []
    budget = MAX_TOTAL_BYTES
    with _new_folder() as folder:
        for name, file in files:
            if name.lower().endswith(".zip"):
                count, spent, reasons = _unzip(file, folder, kept, budget)
                kept += count
                left_out += reasons
            else:
                target = _target(folder, PurePosixPath(Path(name).name))
                if target is None:
                    left_out.append(f"{name}: not a photo")
                    continue
                spent = _copy(file, target, min(MAX_FILE_BYTES, budget))
                if spent < 0:
                    left_out.append(
                        f"{name}: larger than {MAX_FILE_BYTES >> 20} MB"
                        if budget >= MAX_FILE_BYTES
                        else f"{name}: more than the {MAX_TOTAL_BYTES >> 30} GB that are taken at once"
                    )
                    continue
                kept += 1
            budget -= spent
        if kept == 0:
            raise InputError(
                "There is no photo in what was uploaded; give JPEG, PNG, WEBP, BMP, GIF or TIFF files, or a zip of "
                "them."
            )
    return folder, kept, left_out


@contextlib.contextmanager
def _new_folder() -> Iterator[Path]:
    """A folder for one upload, removed with all that is in it where writing into it goes wrong.

    Raises:
        InputError: it cannot be written to, or the disk is full.
    """
    folder = studies_root() / ".uploads" / secrets.token_hex(8)
    try:
        folder.mkdir(parents=True)
        yield folder
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise InputError(
                f"What was uploaded cannot be kept in {studies_root()} ({error.strerror}); make room there, or set "
                "UNITSCOPE_STUDIES to another folder."
            ) from error
        raise


def tidy(arguments: Sequence[str] = ()) -> None:
    """Remove uploads that no study and no run names: those in ``arguments`` at once, others a day after they came.

    Only folders that :func:`keep` and :func:`keep_checkpoint` made are ever touched, whatever the arguments say.

    Args:
        arguments: of a command line that has been given up.
    """
    home = studies_root() / ".uploads"
    if not home.is_dir():
        return
    folders = [one for one in home.iterdir() if _TOKEN.fullmatch(one.name) and one.is_dir() and not one.is_symlink()]
    given_up = {one.name for one in folders if any(_lies_in(text, one) for text in arguments)}
    old = {one.name for one in folders if _age(one) > ORPHANED}
    candidates = given_up | old
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


def count(files: Sequence[tuple[str, BinaryIO]]) -> int:
    """How many photos uploads hold, going by their names; nothing is unpacked, and a zip that is damaged holds none.

    Args:
        files: name and open binary file of each upload.
    """
    found = 0
    for name, file in files:
        if not name.lower().endswith(".zip"):
            found += 1
            continue
        with (
            contextlib.suppress(zipfile.BadZipFile, NotImplementedError, ValueError, OSError),
            zipfile.ZipFile(file) as archive,
        ):
            paths = [_path_in_zip(member) for member in archive.infolist()]
            found += sum(path is not None and path.suffix.lower() in EXTENSIONS for path in paths)
    return found


def _path_in_zip(member: zipfile.ZipInfo) -> PurePosixPath | None:
    """Where a member lies in its zip; None for folders and for what systems hide in a zip."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    hidden = member.is_dir() or path.name.startswith(".") or "__MACOSX" in path.parts
    return None if hidden else path


def _unzip(file: BinaryIO, folder: Path, already: int, budget: int) -> tuple[int, int, list[str]]:
    """Unpack the photos of one zip; names are cleaned, sizes counted as they are read, not as the zip states them."""
    kept = spent = 0
    left_out: list[str] = []
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > 4 * MAX_FILES:
                raise InputError(
                    f"The zip lists {len(members):,} files; {MAX_FILES:,} photos at once are taken at the most."
                )
            for member in members:
                path = _path_in_zip(member)
                if path is None:
                    continue
                if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", member.filename):
                    left_out.append(f"{member.filename}: its name leads out of the zip")
                    continue
                if stat.S_ISLNK(member.external_attr >> 16) or member.flag_bits & 1:
                    left_out.append(f"{member.filename}: a link, or encrypted")
                    continue
                target = _target(folder, path)
                if target is None:
                    left_out.append(f"{member.filename}: not a photo")
                    continue
                if already + kept >= MAX_FILES:
                    raise InputError(f"The zip holds more than {MAX_FILES:,} photos; give fewer, or a folder.")
                limit = min(MAX_FILE_BYTES, MAX_RATIO * max(member.compress_size, 1 << 10))
                with archive.open(member) as source:
                    size = _copy(source, target, min(limit, budget - spent))
                if size < 0:
                    if spent + limit > budget:
                        raise InputError(
                            f"The photos are more than the {MAX_TOTAL_BYTES >> 30} GB that are taken at once; give a "
                            "folder instead."
                        )
                    left_out.append(f"{member.filename}: unpacks to more than a photo would")
                    continue
                kept, spent = kept + 1, spent + size
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError, OSError, *_DAMAGED) as error:
        # An error of the system, with its number, is the disk's; bz2 says by one without that the zip is damaged.
        if isinstance(error, InputError) or (isinstance(error, OSError) and error.errno is not None):
            raise
        raise InputError("The zip is damaged or packed in a way that is not known here; pack it again.") from error
    return kept, spent, left_out


def _target(folder: Path, path: PurePosixPath) -> Path | None:
    """Where an upload goes: its own class folder is kept, other folders above it are not; None for what is no photo."""
    if path.suffix.lower() not in EXTENSIONS:
        return None
    parts = [re.sub(r"[^\w .()-]", "_", part).strip(". ")[:80] or "_" for part in path.parts[-2:]]
    home = folder.joinpath(*parts[:-1])
    home.mkdir(parents=True, exist_ok=True)
    stem, suffix = Path(parts[-1]).stem, path.suffix.lower()
    for number in range(MAX_FILES):
        target = home / (f"{stem}{suffix}" if number == 0 else f"{stem} {number}{suffix}")
        if not target.exists():
            return target
    return None


def _copy(source: IO[bytes], target: Path, limit: int) -> int:
    """Copy at most ``limit`` bytes; -1, and no file, where there are more."""
    size = 0
    with target.open("wb") as file:
        while chunk := source.read(1 << 20):
            size += len(chunk)
            if size > limit:
                break
            file.write(chunk)
    if size > limit:
        target.unlink()
        return -1
    return size


def keep_checkpoint(name: str, file: BinaryIO) -> Path:
    """Write an uploaded checkpoint into the studies' folder; it is read by the run, with weights only.

    Raises:
        InputError: its name is not that of a checkpoint, or it is too large, or cannot be written.
    """
    suffix = Path(name).suffix.lower()
    if suffix not in (".safetensors", ".pt", ".pth", ".bin"):
        raise InputError("A checkpoint ends in .safetensors, .pt, .pth or .bin; save the state dict as one of these.")
    with _new_folder() as folder:
        target = folder / f"weights{suffix}"
        if _copy(file, target, MAX_TOTAL_BYTES) < 0:
            raise InputError(f"The checkpoint is larger than {MAX_TOTAL_BYTES >> 30} GB; type its path instead.")
    return target
