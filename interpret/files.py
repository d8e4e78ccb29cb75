"""Where the project's own files and the cache are, and how a file is written so that no reader sees half of it."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LIBRARY = Path(__file__).resolve().parent


def dashboard_folder() -> Path:
    """The folder that holds the dashboard's ``app.py``, ``pages/`` and ``assets/``.

    In a checkout that is the repository; an installed wheel keeps them in ``unitscope_dashboard`` beside the library.
    """
    installed = _LIBRARY.parent / "unitscope_dashboard"
    return installed if (installed / "app.py").is_file() else _LIBRARY.parent


def assets() -> Path:
    """The folder of the demo's weights."""
    return dashboard_folder() / "assets"


def cache_dir() -> Path:
    """The folder for files that can be made again: ``UNITSCOPE_CACHE``, else ``~/.cache/unitscope``."""
    return Path(os.environ.get("UNITSCOPE_CACHE") or Path.home() / ".cache" / "unitscope").expanduser().absolute()


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a JSON object in one step: a reader sees the old content or the new one."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True, ensure_ascii=False)
        flush(file)
    temporary.replace(path)


@contextlib.contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Write a folder in one step: the one yielded takes its place, and its name, when the block ends without an error.

    Parents are made, and a folder of that name is replaced.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
        made = Path(name) / "new"
        made.mkdir()
        yield made
        if folder.exists():
            folder.rename(Path(name) / "old")
        made.rename(folder)


def flush(file: Any) -> None:
    """Write the buffered part of an open file, and wait until it is on the disk."""
    file.flush()
    os.fsync(file.fileno())
