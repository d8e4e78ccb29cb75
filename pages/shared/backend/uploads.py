"""Uploaded photos, zips of photos and checkpoints. None of them is trusted."""

import contextlib
import lzma
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
"""Largest ratio of unpacked to packed size: photos are compressed already."""

_DAMAGED = (zlib.error, lzma.LZMAError)
"""What unpacking raises for damaged bytes, beyond the errors of zipfile itself."""

ORPHANED = 24 * 3600.0
"""Seconds after which an upload that nothing names is removed; before that its run may be about to start."""


def keep(files: Sequence[tuple[str, BinaryIO]]) -> tuple[Path, int, list[str]]:
    """Write uploaded photos, and the photos in uploaded zips, into a folder of their own.

    Args:
        files: name and open binary file of each upload.

    Returns:
        The folder, its number of photos, and a line for each file that was skipped, with the reason.

    Raises:
        InputError: there is no photo in them, or they exceed a limit, or they cannot be written.
    """
    kept, skipped = 0, []
    budget = MAX_TOTAL_BYTES
    with _new_folder() as folder:
        for name, file in files:
            if name.lower().endswith(".zip"):
                count, spent, reasons = _unzip(file, folder, kept, budget)
                kept += count
                skipped += reasons
            else:
                target = _target(folder, PurePosixPath(Path(name).name))
                if target is None:
                    skipped.append(f"{name}: not a photo")
                    continue
                spent = _copy(file, target, min(MAX_FILE_BYTES, budget))
                if spent < 0:
                    skipped.append(
                        f"{name}: larger than {MAX_FILE_BYTES >> 20} MB"
                        if budget >= MAX_FILE_BYTES
                        else f"{name}: beyond the {MAX_TOTAL_BYTES >> 30} GB that one upload may hold"
                    )
                    continue
                kept += 1
            budget -= spent
        if kept == 0:
            raise InputError(
                "The upload holds no photo; give JPEG, PNG, WEBP, BMP, GIF or TIFF files, or a zip of them."
            )
    return folder, kept, skipped


@contextlib.contextmanager
def _new_folder() -> Iterator[Path]:
    """A folder for one upload, removed if writing into it fails.

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
    home = studies_root() / ".uploads"
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


def count(files: Sequence[tuple[str, BinaryIO]]) -> int:
    """The number of photos in uploads, going by file names; nothing is unpacked, and a damaged zip counts as none.

    Args:
        files: name and open binary file of each upload.
    """
    photos = 0
    for name, file in files:
        if not name.lower().endswith(".zip"):
            photos += 1
            continue
        with (
            contextlib.suppress(zipfile.BadZipFile, NotImplementedError, ValueError, OSError),
            zipfile.ZipFile(file) as archive,
        ):
            paths = [_path_in_zip(member) for member in archive.infolist()]
            photos += sum(path is not None and path.suffix.lower() in EXTENSIONS for path in paths)
    return photos


def _path_in_zip(member: zipfile.ZipInfo) -> PurePosixPath | None:
    """The path of a member in its zip; None for folders and hidden files."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    hidden = member.is_dir() or path.name.startswith(".") or "__MACOSX" in path.parts
    return None if hidden else path


def _unzip(file: BinaryIO, folder: Path, already: int, budget: int) -> tuple[int, int, list[str]]:
    """Unpack the photos of a zip. Names are cleaned; sizes are counted while reading, not taken from the zip."""
    kept = spent = 0
    skipped: list[str] = []
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > 4 * MAX_FILES:
                raise InputError(
                    f"The zip lists {len(members):,} files; at most {MAX_FILES:,} photos can be uploaded at once."
                )
            for member in members:
                path = _path_in_zip(member)
                if path is None:
                    continue
                if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", member.filename):
                    skipped.append(f"{member.filename}: its name leads out of the zip")
                    continue
                if stat.S_ISLNK(member.external_attr >> 16) or member.flag_bits & 1:
                    skipped.append(f"{member.filename}: a link, or encrypted")
                    continue
                target = _target(folder, path)
                if target is None:
                    skipped.append(f"{member.filename}: not a photo")
                    continue
                if already + kept >= MAX_FILES:
                    raise InputError(f"The zip holds more than {MAX_FILES:,} photos; give fewer, or a folder.")
                limit = min(MAX_FILE_BYTES, MAX_RATIO * max(member.compress_size, 1 << 10))
                with archive.open(member) as source:
                    size = _copy(source, target, min(limit, budget - spent))
                if size < 0:
                    if spent + limit > budget:
                        raise InputError(
                            f"The photos are beyond the {MAX_TOTAL_BYTES >> 30} GB that one upload may hold; give a "
                            "folder instead."
                        )
                    skipped.append(f"{member.filename}: unpacks to more than a photo would")
                    continue
                kept, spent = kept + 1, spent + size
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, ValueError, OSError, *_DAMAGED) as error:
        # An OSError with a number is the disk's; one without a number is bz2's word for damaged bytes.
        if isinstance(error, InputError) or (isinstance(error, OSError) and error.errno is not None):
            raise
        raise InputError("The zip is damaged or packed in an unknown way; pack it again.") from error
    return kept, spent, skipped


def _target(folder: Path, path: PurePosixPath) -> Path | None:
    """Where an upload goes, with only the class folder of its path; None if it is no photo."""
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
    """Copy at most ``limit`` bytes and return their number; -1, and no file, if there are more."""
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
    """Write an uploaded checkpoint into the folder of studies; the run loads it with weights only.

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
