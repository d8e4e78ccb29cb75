"""Why a run that has ended cannot go on, where it is certain: its card then does not offer to resume it."""

from pathlib import Path

from interpret.errors import InputError
from interpret.study.workspace import FORMAT, check_record
from pages.shared.backend import messages, places
from pages.shared.backend.jobs import Job

_NAMED = {"--images": "folder of photos", "--weights": "checkpoint", "--class-names": "file of class names"}
"""Options that name a folder or a file, and what it is."""


def of(job: Job) -> str:
    """One sentence on why the run would fail again, and what to do; empty where it may succeed."""
    study = places.studies_root() / job.study
    if job.kind != "run" and not (study / "manifest.json").is_file():
        return "The study is not there any more; dismiss this entry."
    for option, what in _NAMED.items():
        if path := _missing(job, option, folder=option == "--images"):
            shown = messages.without_upload_paths(str(path))
            again = "dismiss this and upload it again" if shown != str(path) else "put it back, or dismiss this entry"
            return f"The {what} is not there any more ({shown}); {again}."
    if job.kind != "run":
        return ""
    try:
        found = check_record(study)
    except InputError:
        return "What it left is damaged; dismiss it and start a new run."
    if found is not None and found[1] != FORMAT:
        return (
            "Another version of Unitscope left it unfinished; complete it with that version, or dismiss it and start a "
            "new run."
        )
    return ""


def _missing(job: Job, option: str, *, folder: bool) -> Path | None:
    """The path that an option of a run names, if nothing is there."""
    words = list(job.arguments)
    for at in range(len(words) - 1):
        path = Path(words[at + 1])
        if words[at] == option and path.is_absolute() and not (path.is_dir() if folder else path.is_file()):
            return path
    return None
