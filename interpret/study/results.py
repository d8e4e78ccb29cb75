"""Results that are kept in a study's folder and can be made again: where they are, and what they were made from."""

from pathlib import Path

from interpret.study.study import Study

RESULTS_IN = (
    "mined", "quantiles", "evaluation/results", "dissection", "errors", "effects", "concepts/patches", "concepts/words",
)  # fmt: skip
"""Folders of a study that hold a folder for each result."""


def made_from(study: Study, folder: Path) -> dict[str, str]:
    """What a result in ``folder`` must have been made from: the study, and the options that the folder is named by."""
    return {"study": study.identity, "options": folder.name}
