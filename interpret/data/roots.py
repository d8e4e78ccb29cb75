"""Folders that may be read from, where not every folder may: a dashboard's allowed roots."""

from collections.abc import Sequence
from pathlib import Path

from interpret.errors import InputError


def is_within(path: Path, roots: Sequence[Path] | None) -> bool:
    """Whether a path lies in one of some folders, links followed; any path does if ``roots`` is None.

    Args:
        path: it need not exist.
        roots: folders, links in their own paths followed.
    """
    if roots is None:
        return True
    try:
        real = path.resolve()
    except (OSError, RuntimeError, ValueError):  # a circle of links, or no path at all
        return False
    return any(real.is_relative_to(root) for root in roots)


def check_within(path: Path, roots: Sequence[Path] | None, what: str) -> None:
    """Raise :class:`InputError` where a path does not lie in one of some folders, links followed.

    Args:
        path: the path.
        roots: the folders; None for all.
        what: the file in words, as the sentence begins.
    """
    if not is_within(path, roots):
        named = " and ".join(str(root) for root in roots or ())
        raise InputError(f"{what} {path} lies outside of the folders that may be read ({named}), so it is not opened.")
