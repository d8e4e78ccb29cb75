"""Where the studies are, and which of them is opened first. Light to import: it is needed before anything else."""

import os
from pathlib import Path

from interpret.files import assets


def studies_root() -> Path:
    """The folder that holds the studies: ``UNITSCOPE_STUDIES``, else ``studies`` where the server was started."""
    return Path(os.environ.get("UNITSCOPE_STUDIES") or "studies").expanduser().absolute()


def study_names() -> list[str]:
    """The studies that can be opened, the newest first."""
    root = studies_root()
    if not root.is_dir():
        return []
    found = [path for path in root.iterdir() if not path.name.startswith(".") and (path / "manifest.json").is_file()]
    return [path.name for path in sorted(found, key=lambda path: (-stamp(path), path.name))]


def stamp(folder: Path) -> int:
    """When a study's manifest was written, in nanoseconds; 0 where there is none."""
    return written(folder / "manifest.json")


def written(file: Path) -> int:
    """When a file was written, in nanoseconds; 0 where there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


EVALUATIONS = "evaluation/results/*/evaluation.json"
"""Where the results of evaluations lie in a study's folder, as a pattern."""


def demo_exists() -> bool:
    """Whether the embedded demo is part of this installation."""
    return (assets() / "demo.safetensors").is_file()


def default_name() -> str:
    """The study that is opened, and made where it is missing, when nothing else is asked for."""
    return "demo" if demo_exists() else "first-photos"


def default_arguments() -> list[str]:
    """What `python -m interpret run` is given to make it."""
    own = ["--model", "demo", "--images", "demo", "--top-units", "5"]  # of 64 units ten would be a sixth
    return own if demo_exists() else ["--images", "skimage"]
