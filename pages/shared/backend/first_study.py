"""The study that is made by itself where there is none, and what completes the demo."""

import json

from pages.shared.backend import jobs, places


def begin_default() -> None:
    """Start making the default study where there is no study at all and it is not being made, or was not yet tried.

    Raises:
        InputError: the folder of studies cannot be written to.
    """
    name = places.default_name()
    own = [job for job in jobs.jobs() if job.study == name]
    if not places.study_names() and not any(job.kind == "run" for job in own):
        for job in own:  # of a study that was there before
            jobs.dismiss(job)
        jobs.start(name, places.default_arguments())


def complete_demo() -> None:
    """Compare the demo's units with its parts, then measure them on its held-out drawings, one after the other.

    Both are quick, need no choice, and fill pages that would otherwise ask a visitor to wait.
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
    own = [job for job in jobs.jobs() if job.study == "demo"]
    for job in own:
        if job.kind != "run" and job.state == "done":
            jobs.dismiss(job)
    # An evaluation that was ended stays so until a person goes on with it: the page Evaluation shows it.
    if any(job.state == "running" or (job.kind == "evaluate" and job.state != "done") for job in own):
        return
    # No page shows a comparison that was cut off, as by the server's own end: it is tried twice. What is left of the
    # tries says how many there were, and a third one would hold up the evaluation, which does not need it.
    cut_off = [job for job in own if job.kind == "dissect" and job.state != "done"]
    wanted: tuple[tuple[str, str, list[str]], ...] = (
        ("dissect", "dissection/*/facts.json", []),
        ("evaluate", places.EVALUATIONS, ["--images", "demo-val"]),
    )
    for kind, result, arguments in wanted:
        if any(folder.glob(result)) or (kind == "dissect" and len(cut_off) > 1):
            continue
        jobs.start("demo", arguments, kind)
        return
