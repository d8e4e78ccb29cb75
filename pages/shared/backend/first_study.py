"""The default study, created if there is none, and what completes the demo."""

import json
from collections.abc import Sequence

from interpret.progress import DRAWING
from pages.shared.backend import jobs, owners, places


def shared_names() -> list[str]:
    """The studies that everybody may open."""
    return [name for name in places.study_names() if owners.of_study(name) == owners.SHARED]


def begin_default(names: Sequence[str]) -> None:
    """Start a run of the default study if there is no study, and no such run under way, stopped or failed.

    Args:
        names: the studies that may be opened by whoever looks.

    Raises:
        InputError: the folder of studies cannot be written to.
    """
    name = places.default_name()
    earlier = [job for job in jobs.jobs() if job.study == name]
    for job in earlier:  # it is everybody's: no page has to take note of its end
        if job.state == "done" and job.kind == "run" and job.owner == owners.SHARED:
            jobs.dismiss(job)
    if not names and name not in places.study_names() and not any(job.kind == "run" for job in earlier):
        for job in earlier:  # of a study that was there before
            jobs.dismiss(job)
        jobs.start(name, places.default_arguments())


def is_being_drawn() -> bool:
    """Whether there is no study, and the photos of the first one are being drawn, or the run that does so has begun.

    Raises:
        InputError: the folder of studies cannot be read.
    """
    runs = [job for job in jobs.jobs() if job.kind == "run" and job.under_way]
    return not places.study_names() and any(job.progress.get("stage") in (None, DRAWING) for job in runs)


def complete_demo() -> None:
    """Dissect the demo's units, then evaluate them on its held-out drawings, one after the other.

    Both are quick, need no choice, and fill pages that would be empty for a visitor.
    """
    folder = places.studies_root() / "demo"
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    try:
        embedded = manifest["model"] == "demo" and manifest["config"]["images"] == "demo"
    except (KeyError, TypeError):  # damaged: the first page says so
        return
    if not embedded:
        return
    earlier = [job for job in jobs.jobs() if job.study == "demo"]
    for job in earlier:
        if job.kind != "run" and job.state == "done":
            jobs.dismiss(job)
    # An evaluation that was stopped is resumed by a person only, on the page Evaluation.
    if any(job.under_way or (job.kind == "evaluate" and job.state != "done") for job in earlier):
        return
    # No page shows a dissection that was interrupted, as by the end of the server: it is tried twice, counting the
    # entries that are left. A third try would hold up the evaluation, which does not need it.
    interrupted = [job for job in earlier if job.kind == "dissect" and job.state != "done"]
    steps: tuple[tuple[str, str, list[str]], ...] = (
        ("dissect", "dissection/*/digests.json", []),
        ("evaluate", places.EVALUATIONS, ["--images", "demo-val"]),
    )
    for kind, result, arguments in steps:
        if any(folder.glob(result)) or (kind == "dissect" and len(interrupted) > 1):
            continue
        jobs.start("demo", arguments, kind)
        return
