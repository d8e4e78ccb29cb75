"""Files that a command writes besides the study: checked before the work, and written in one step."""

import os
import tempfile
from pathlib import Path

from interpret.errors import InputError
from interpret.files import clear_unfinished, new_file


def check_output(path: Path | None, option: str) -> None:
    """See to it that a file can be written when the work is done; its folder is made.

    Args:
        path: the file; None where it was not asked for.
        option: how it was given, such as ``--out``.

    Raises:
        InputError: it is a folder, or nothing can be written there.
    """
    if path is None:
        return
    try:
        if path.is_dir():
            raise InputError(f"{option} is {path}, which is a folder; name a file in it.")
        path.parent.mkdir(parents=True, exist_ok=True)
        clear_unfinished(path.parent)
        if path.is_file():
            path.open("ab").close()
        elif not path.exists():
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise _refused(path, option, error) from error


def write_output(path: Path, content: str | bytes, option: str) -> None:
    """Write a file so that a reader sees the old content or the new one; a device or a pipe gets it as it is.

    Raises:
        InputError: it cannot be written.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        if not _is_replaceable(path):
            path.write_bytes(data)
            return
        with new_file(path) as file:
            file.write(data)
    except OSError as error:
        raise _refused(path, option, error) from error


def _is_replaceable(path: Path) -> bool:
    """Whether a file can be renamed to a path: there is no link, device or pipe, and the folder can be written to."""
    return not path.is_symlink() and (path.is_file() or not path.exists()) and os.access(path.parent, os.W_OK | os.X_OK)


def _refused(path: Path, option: str, error: OSError) -> InputError:
    return InputError(
        f"{option} is {path}, which cannot be written ({error.strerror}); name a file where there is room and you may "
        "write."
    )
