"""Names of studies: each is the name of a folder on any file system."""

import re

from interpret.errors import InputError
from interpret.study.workspace import partial_folder
from pages.shared.backend import places

LONGEST = 60
"""Characters of a name (count)."""


def plain(text: str) -> str:
    """A text as a name: any run of other characters than letters, digits, `_`, `.` and `-` is a hyphen."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-.")[:LONGEST]


def checked(text: str) -> str:
    """A text as the name of a study that is not there yet.

    Raises:
        InputError: no letter or digit is in it, or it is taken, or reserved for unfinished studies.
    """
    name = plain(text)
    if not re.search(r"[^\W_]", name):
        raise InputError("The name needs letters or digits; type another one.")
    if name.lower().endswith(".partial"):  # of an unfinished study; it goes when that one is dismissed
        raise InputError("Names that end in .partial are reserved for unfinished studies; type another one.")
    if (places.studies_root() / name).exists():
        raise InputError(f"There is a study called {name} already; type another name.")
    return name


def is_unfinished(name: str) -> bool:
    """Whether a run of this name was begun and has not ended in a study."""
    return partial_folder(places.studies_root() / name).exists()


def said_of_change(text: str, name: str) -> str:
    """A sentence on what :func:`plain` changed in a text that was typed; empty if it changed nothing."""
    if text == name:
        return ""
    why = f"names have letters, digits, “_”, “.” and “-”, and at most {LONGEST} characters"
    return f"The study is called “{name}”, not “{text[: 2 * LONGEST]}”: {why}."
