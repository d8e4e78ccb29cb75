"""Where files go that can be made again, and how a file is written so that a reader never sees half of it."""

import json
import os
from pathlib import Path
from typing import Any


def cache_dir() -> Path:
    """The folder for what can be made again: ``UNITSCOPE_CACHE``, else ``~/.cache/unitscope``."""
    return Path(os.environ.get("UNITSCOPE_CACHE") or Path.home() / ".cache" / "unitscope").expanduser().absolute()


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a JSON object in one step: whoever reads sees the old content or the new one."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, sort_keys=True, ensure_ascii=False)
        flush(file)
    temporary.replace(path)


def flush(file: Any) -> None:
    """Write what is buffered of an open file, and wait until it is on the disk."""
    file.flush()
    os.fsync(file.fileno())
