"""What killed processes left in and beside a study, and nobody can use: found and removed when a study is opened."""

import contextlib
from pathlib import Path

from interpret.files import clear_unfinished, remove_folder
from interpret.study.results import RESULTS_IN
from interpret.study.schema import PACKED
from interpret.study.workspace import partial_folder, remove_unused

WRITTEN_IN = ("", *RESULTS_IN, "evaluation", PACKED)
"""Folders of a study, its own first, in which files and folders are written in one step."""

AGAIN = "with-contrast"
"""Folder inside a study in which its photos are explained again for its contrast."""


def clear_litter(study: Path, *, has_contrast: bool) -> None:
    """Remove what is left of processes that are dead; what a living one works on is locked, and stays.

    That is: unfinished files and folders; the workspace of a run whose study is complete, beside the study and beside
    each of its held-out sets; and what the command ``contrast`` left of a study that has its contrast by now. Nothing
    happens where the folder cannot be written to.

    Args:
        study: the folder of a complete study.
        has_contrast: whether it has a contrast.
    """
    with contextlib.suppress(OSError):
        clear_unfinished(study.parent)
        for name in WRITTEN_IN:
            clear_unfinished(study / name)
        again = study / AGAIN
        for complete in (study, *(file.parent for file in (study / "evaluation").glob("*/manifest.json")), again):
            workspace = partial_folder(complete)
            if (complete != again or has_contrast) and workspace.is_dir():
                remove_unused(workspace)
        if has_contrast:
            remove_folder(again)
