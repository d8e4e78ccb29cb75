"""Paths that users type: only those below an allowed folder are read, and nothing that somebody else made."""

import os
from collections.abc import Sequence
from pathlib import Path

from interpret.data import containers
from interpret.data.roots import is_within
from interpret.errors import InputError
from interpret.files import cache_dir
from interpret.study import Study
from interpret.study.schema import PACKED
from pages.shared.backend import owners
from pages.shared.backend.places import studies_root


def roots() -> list[Path]:
    """Folders below which files may be read: ``UNITSCOPE_ROOTS``, else the one where the server was started."""
    named = os.environ.get("UNITSCOPE_ROOTS", "")
    return [Path(part).expanduser().resolve() for part in named.split(os.pathsep) if part] or [Path.cwd().resolve()]


def for_studies() -> tuple[Path, ...]:
    """Folders that studies, their photos and their networks' files may be read from: the allowed and one's own."""
    return (*roots(), studies_root().resolve(), cache_dir().resolve())


def elsewhere(study: Study) -> str | None:
    """Where the photos of a study are if they may not be read there, and it holds no copies; else None."""
    root = study.images_root
    place = root if isinstance(root, Path) else root.folder
    if (study.folder / PACKED).is_dir() or is_within(place, study.roots) or not place.is_dir():
        return None
    return str(place)


def resolve(text: str, *, folder: bool) -> Path:
    """A path that a user typed, if it exists and lies below an allowed root, links followed.

    Raises:
        InputError: it does not, or it is an upload or a study of somebody else, or holds such.
    """
    allowed = roots()
    try:
        path = Path(text).expanduser()
        path = (path if path.is_absolute() else allowed[0] / path).resolve()
        inside = any(path.is_relative_to(root) for root in allowed)
        there = inside and (path.is_dir() if folder else path.is_file()) and not _is_private(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{text!r} is not a path; type one below {_named(allowed)}.") from error
    if not inside:
        raise InputError(
            f"{text!r} lies outside of {_named(allowed)}; move it there, or start the server with UNITSCOPE_ROOTS set "
            "to its folder."
        )
    if not there:
        raise InputError(f"There is no {'folder' if folder else 'file'} {text!r} below {_named(allowed)}.")
    if folder and studies_root().resolve().is_relative_to(path):
        raise InputError(f"{text!r} holds the studies; type a folder of photos beside or below them.")
    return path


def resolve_photos(text: str) -> str:
    """A folder of photos that a user typed, or photos inside larger files (``wds:``, ``hf:``), as a run takes it.

    Raises:
        InputError: as :func:`resolve` says.
    """
    text = text.strip()
    if containers.is_named(text):
        return containers.with_folder(text, lambda folder: resolve(folder, folder=True))
    return str(resolve(text, folder=True))


def code_is_allowed() -> bool:
    """Whether a network may be built by code in the allowed folders: ``UNITSCOPE_ALLOW_CODE``."""
    from interpret.models.own_network import ALLOWED  # with PyTorch, which the server's start should not wait for

    return os.environ.get(ALLOWED) == "1"


def resolve_code(text: str) -> str:
    """What ``--model`` takes for a network in code that a user typed, its file below an allowed root.

    Raises:
        InputError: it names no function of a file and no archive, or there is no such file.
    """
    from interpret.models import own_network  # likewise

    text = text.strip()
    if not own_network.is_own(text):
        raise InputError(f"{text!r} names no network in code; type FILE.py:FUNCTION, or an archive (.pt2).")
    place, colon, function = text.rpartition(":")
    if not colon:
        return str(resolve(text, folder=False))
    return f"{resolve(place, folder=False)}:{function}" if place.endswith(".py") else text


def resolve_codes(text: str) -> str:
    """What ``--codes`` takes for sparse codes that a user typed, below an allowed root; the demo's own by their word.

    Raises:
        InputError: there is no such folder or file.
    """
    from interpret.models.code_files import DEMO  # likewise

    text = text.strip()
    return text if text == DEMO else str(resolve(text, folder=not text.lower().endswith(".safetensors")))


def folders_in(text: str, limit: int = 300) -> tuple[Path | None, list[Path], int]:
    """The folders in one that a user typed, to go on to; those that may not be read are left out.

    Args:
        text: the folder; the allowed roots if empty.
        limit: folders listed at most (count).

    Returns:
        The folder above it if that may be read, else None; the folders in it by name; how many more there are (count).
        None of these where the text names no folder that may be read.
    """
    allowed = roots()
    if not text.strip() and len(allowed) > 1:
        return None, allowed, 0
    try:
        path = (allowed[0] / Path(text.strip()).expanduser()).resolve()
        if not path.is_dir() or not _may_be_read(path, allowed):
            return None, [], 0
        inside = [Path(entry.path) for entry in os.scandir(path) if entry.is_dir() and not entry.name.startswith(".")]
        found = sorted((folder for folder in inside if _may_be_read(folder.resolve(), allowed)), key=lambda f: f.name)
    except (OSError, RuntimeError, ValueError):
        return None, [], 0
    above = path.parent if _may_be_read(path.parent, allowed) else None
    return above, found[:limit], len(found) - len(found[:limit])


def _may_be_read(path: Path, allowed: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root) for root in allowed) and not _is_private(path)


def _is_private(path: Path) -> bool:
    """Whether a path lies where the dashboard keeps what it is given, or in a study that this page may not see."""
    home = studies_root().resolve()
    if not path.is_relative_to(home) or path == home:
        return False
    name = path.relative_to(home).parts[0]
    return name.startswith(".") or not owners.may_see(owners.of_study(name.removesuffix(".partial")))


def _named(folders: Sequence[Path]) -> str:
    return " or ".join(str(folder) for folder in folders)
