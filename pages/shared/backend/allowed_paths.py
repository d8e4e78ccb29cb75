"""Paths that users type: only those below an allowed folder are read."""

import os
from collections.abc import Sequence
from pathlib import Path

from interpret.errors import InputError


def roots() -> list[Path]:
    """Folders below which files may be read: ``UNITSCOPE_ROOTS``, else the one where the server was started."""
    named = os.environ.get("UNITSCOPE_ROOTS", "")
    return [Path(part).expanduser().resolve() for part in named.split(os.pathsep) if part] or [Path.cwd().resolve()]


def resolve(text: str, *, folder: bool) -> Path:
    """A path that a user typed, if it exists and lies below an allowed root, links followed.

    Raises:
        InputError: it does not.
    """
    allowed = roots()
    try:
        path = Path(text).expanduser()
        path = (path if path.is_absolute() else allowed[0] / path).resolve()
        inside = any(path.is_relative_to(root) for root in allowed)
        there = inside and (path.is_dir() if folder else path.is_file())
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{text!r} is not a path; type one below {_named(allowed)}.") from error
    if not inside:
        raise InputError(
            f"{text!r} lies outside of {_named(allowed)}; move it there, or start the server with UNITSCOPE_ROOTS set "
            "to its folder."
        )
    if not there:
        raise InputError(f"There is no {'folder' if folder else 'file'} {text!r} below {_named(allowed)}.")
    return path


def _named(folders: Sequence[Path]) -> str:
    return " or ".join(str(folder) for folder in folders)
