"""Runs of the dashboard in any state, without a process of their own."""

import json
import os
from pathlib import Path

from pages.shared.backend import jobs


def placed(root: Path, study: str, state: str, kind: str = "run", name: str = "") -> jobs.Job:
    """A run in a state, without a process of its own: one that is running is this very test."""
    folder = root / ".runs" / (name or f"0-{kind}-{study}-{state}")
    folder.mkdir(parents=True)
    pid = os.getpid()
    born = jobs.processes.born(pid) if state == "running" else "0"
    about = {"study": study, "kind": kind, "arguments": [], "pid": pid, "born": born}
    (folder / "job.json").write_text(json.dumps(about))
    if state == "stopped":
        (folder / "cancelled").touch()
    if state == "done":
        (folder / "progress.json").write_text('{"stage": "Done"}')
        (root / study).mkdir(exist_ok=True)
        (root / study / "manifest.json").write_text("{}")
    job = next(job for job in jobs.jobs() if job.id == folder.name)
    assert job.state == state
    return job
