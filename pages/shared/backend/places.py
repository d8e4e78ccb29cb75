"""Where the studies are, and which one is the default. Light to import: everything else needs it first."""

import os
from pathlib import Path

from interpret.files import assets


def studies_root() -> Path:
    """The folder that holds the studies: ``UNITSCOPE_STUDIES``, else ``studies`` where the server was started."""
    return Path(os.environ.get("UNITSCOPE_STUDIES") or "studies").expanduser().absolute()


UPLOADS = ".uploads"
"""The folder within that of the studies which holds uploads."""


def study_names() -> list[str]:
    """The studies that can be opened, the newest first."""
    root = studies_root()
    if not root.is_dir():
        return []
    folders = [path for path in root.iterdir() if not path.name.startswith(".") and (path / "manifest.json").is_file()]
    return [path.name for path in sorted(folders, key=lambda path: (-stamp(path), path.name))]


def stamp(folder: Path) -> int:
    """When a study's manifest was written (nanoseconds); 0 if there is none."""
    return written(folder / "manifest.json")


def written(file: Path) -> int:
    """When a file was written (nanoseconds); 0 if there is none."""
    try:
        return file.stat().st_mtime_ns
    except OSError:
        return 0


def results(within: Path, file: str) -> list[tuple[Path, int]]:
    """The folders of results in a folder, damaged ones too, and when ``file`` in each was written; the newest first.

    One without that file counts as the newest: what is said of it hides none of the others.
    """
    folders = sorted(path for path in within.glob("[!.]*") if path.is_dir())
    return sorted(((path, written(path / file)) for path in folders), key=lambda each: (each[1] > 0, -each[1]))


EVALUATIONS = "evaluation/results/*/evaluation.json"
"""Pattern of the results of evaluations in a study's folder."""


def demo_exists() -> bool:
    """Whether the embedded demo is part of this installation."""
    return (assets() / "demo.safetensors").is_file()


def default_name() -> str:
    """The study that is opened if none is asked for, and created if there is none."""
    return "demo" if demo_exists() else "first-photos"


def default_arguments() -> list[str]:
    """The arguments of `python -m interpret run` that create it."""
    demo = ["--model", "demo", "--images", "demo", "--top-units", "5"]  # of its 64 units the usual ten would be a sixth
    return demo if demo_exists() else ["--images", "skimage"]
