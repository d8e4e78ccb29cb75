"""Where the project's own files and the cache are, and how a file is written so that no reader sees half of it."""

import contextlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]

_LIBRARY = Path(__file__).resolve().parent


def dashboard_folder() -> Path:
    """The folder that holds the dashboard's ``app.py``, ``pages/`` and ``assets/``.

    In a checkout that is the repository; an installed wheel keeps them in ``unitscope_dashboard`` beside the library.
    """
    installed = _LIBRARY.parent / "unitscope_dashboard"
    return installed if (installed / "app.py").is_file() else _LIBRARY.parent


def assets() -> Path:
    """The folder of the demo's weights and of WordNet's words above ImageNet's classes."""
    return dashboard_folder() / "assets"


def cache_dir() -> Path:
    """The folder for files that can be made again: ``UNITSCOPE_CACHE``, else ``~/.cache/unitscope``."""
    return Path(os.environ.get("UNITSCOPE_CACHE") or Path.home() / ".cache" / "unitscope").expanduser().absolute()


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a JSON object in one step: a reader sees the old content or the new one."""
    text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False).encode("utf-8")
    with new_file(path) as file:
        file.write(text)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file in one step: the one yielded takes its name when the block ends without an error.

    Its bytes are on the disk by then. What is unfinished is locked, so that :func:`clear_unfinished` of another process
    leaves it alone, and finds it once this process is dead.
    """
    made, descriptor = _claimed(path, _open_new)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            flush(file)
            if fcntl is None:  # Windows renames no open file
                file.close()
            made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Write a folder in one step: the one yielded takes its place, and its name, when the block ends without an error.

    Parents are made, and a folder of that name is replaced. What is unfinished is locked, as in :func:`new_file`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    work, descriptor = _claimed(folder, _make_new)
    try:
        made = work / "new"
        made.mkdir()
        yield made
        if folder.exists():
            folder.rename(work / "old")
        made.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if descriptor >= 0:
            os.close(descriptor)


def remove_folder(folder: Path) -> None:
    """Remove a folder in one step, as seen by others: it loses its name before the first file in it is deleted.

    A process that is killed on the way leaves what :func:`clear_unfinished` finds, never a folder that lacks files.
    Of a link the link itself is removed. Nothing happens where the folder is absent or cannot be removed.
    """
    with contextlib.suppress(OSError):
        if folder.is_symlink():
            folder.unlink()
            return
        hidden = _unfinished(folder.with_name("removed"))
        folder.rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def clear_unfinished(folder: Path) -> None:
    """Remove what killed processes left unfinished in a folder; what a living process is writing stays.

    Nothing happens where the folder is absent or cannot be written to, or where locks are not known.
    """
    for path in folder.glob(f".*{_ENDING}"):
        if not _NAMED.search(path.name) or path.is_symlink():
            continue
        descriptor = _locked(path)
        if descriptor is None:
            continue
        try:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
        finally:
            os.close(descriptor)


def hold(lock: Path, *, shared: bool = False) -> int | None:
    """Take a lock for as long as the descriptor returned stays open; None if another process holds it.

    The file is made where it is absent. Where locks are not known, everyone gets it.

    Args:
        lock: the file.
        shared: whether others may hold it at the same time, if they share it too.

    Raises:
        OSError: the file cannot be opened.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:  # a file system without locks
            return descriptor
    if _is(lock, descriptor):
        return descriptor
    os.close(descriptor)
    return None


@contextlib.contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Wait for a folder's own lock, and hold it: who changes a file of it by reading and writing it does so alone.

    Where locks are not known, nobody waits.

    Raises:
        OSError: the folder cannot be opened.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


_ENDING = ".unfinished"
_NAMED = re.compile(r"-[0-9a-f]{8}" + re.escape(_ENDING) + "$")


def _unfinished(path: Path) -> Path:
    """A name beside a path that nothing has yet; :func:`clear_unfinished` knows it."""
    return path.with_name(f".{path.name[:80]}-{secrets.token_hex(4)}{_ENDING}")


def _open_new(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)


def _make_new(path: Path) -> int:
    path.mkdir()
    return -1 if fcntl is None else os.open(path, os.O_RDONLY)


def _claimed(target: Path, make: Callable[[Path], int]) -> tuple[Path, int]:
    """Make an unfinished file or folder beside a path, and lock it.

    Between the two another process may find it unlocked and remove it; then it is made again under another name.

    Returns:
        Its path, and the descriptor that holds the lock; below 0 where a folder has none.
    """
    while True:
        path = _unfinished(target)
        try:
            descriptor = make(path)
        except FileNotFoundError:
            if not target.parent.is_dir():
                raise
            continue
        if fcntl is None:
            return path, descriptor
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # it is being removed at this moment
            os.close(descriptor)
            continue
        except OSError:  # a file system without locks: there nothing is ever cleared
            return path, descriptor
        if _is(path, descriptor):
            return path, descriptor
        os.close(descriptor)


def _locked(path: Path) -> int | None:
    """A descriptor that locks a file or folder which no living process holds; None if one does, or nobody can tell."""
    if fcntl is None:
        return None
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is(path, descriptor):
            return descriptor
    except OSError:
        pass
    os.close(descriptor)
    return None


def _is(path: Path, descriptor: int) -> bool:
    """Whether the path still names what the descriptor has open."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


def flush(file: Any) -> None:
    """Write the buffered part of an open file, and wait until it is on the disk."""
    file.flush()
    os.fsync(file.fileno())
