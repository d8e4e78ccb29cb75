"""The original photos of a study: where they were when it was made, and whether they are there now."""

from collections.abc import Sequence
from pathlib import Path

from interpret.data import containers
from interpret.data.containers import Container
from interpret.data.photo_files import Stretch
from interpret.data.roots import is_within

Root = Path | Container
"""The folder that photos are below, or the larger files that they are inside of."""

PhotoPlace = Path | Stretch
"""A file of its own, or a stretch of a larger one."""


def root_of(recorded: str) -> Root:
    """The folder or the larger files that a manifest names as the photos' root."""
    return containers.recorded(recorded) or Path(recorded)


def named(root: Root, name: str) -> str:
    """Where a photo was, as text."""
    return str(root / name) if isinstance(root, Path) else f"{name} in {root}"


def original(root: Root, name: str, roots: Sequence[Path] | None) -> PhotoPlace | None:
    """Where a photo is; None if it is not there, or outside of the folders that may be read.

    Args:
        root: from :func:`root_of`.
        name: of the photo in its set.
        roots: folders, resolved, wherever paths and links lead; None for any.
    """
    if isinstance(root, Path):
        found: PhotoPlace | None = root / name
    else:
        found = root.find(name) if is_within(root.folder, roots) else None
    if found is None:
        return None
    whole = found.path if isinstance(found, Stretch) else found
    return found if whole.is_file() and is_within(whole, roots) else None
