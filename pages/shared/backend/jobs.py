"""Background runs: each is the command line in a process of its own, and survives a reload of the page.

A run's folder, `.runs/<id>/` beside the studies, holds its arguments (`job.json`), its progress (`progress.json`,
written by the run) and its log (`stderr.txt`).
"""

import atexit
import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interpret import progress
from interpret.errors import InputError
from interpret.files import write_json
from pages.shared.backend import uploads
from pages.shared.backend.places import studies_root
from pages.shared.page_list import ROOT

GRACE = 5.0
"""Seconds that a run gets to stop by itself before it is killed."""

# Runs of this server: their exit status is needed, and none may outlive the server.
_children: dict[str, subprocess.Popen[bytes]] = {}

_lock = threading.Lock()


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        id: its folder's name.
        study: the name of its study.
        state: running, done, failed or stopped.
        progress: what the run last wrote: stage, done, total, skipped, rate, remaining; empty before that.
        error: the sentence that a failed run ended with; empty in any other state.
        arguments: of the command line, after `python -m interpret`.
        kind: run creates the study; evaluate and dissect work on a finished one.
    """

    id: str
    study: str
    state: str
    progress: dict[str, Any]
    error: str
    arguments: tuple[str, ...]
    kind: str = "run"


def _runs() -> Path:
    return studies_root() / ".runs"


def start(study: str, arguments: Sequence[str], kind: str = "run") -> Job:
    """Start `python -m interpret run ARGUMENTS --study STUDY`, or `KIND STUDY ARGUMENTS`.

    Raises:
        InputError: a run of the study is under way, or the folder cannot be written to.
    """
    with _lock:
        if any(job.study == study and job.state == "running" for job in jobs()):
            raise InputError(f"A run of the study {study} is under way already; its progress is on this page.")
        folder = _runs() / f"{int(time.time()):010d}-{secrets.token_hex(4)}"
        try:
            folder.mkdir(parents=True)
            log = (folder / "stderr.txt").open("wb")
        except OSError as error:
            raise InputError(
                f"The folder {studies_root()} cannot be written to ({error.strerror}); set UNITSCOPE_STUDIES to "
                "another one."
            ) from error
        target = studies_root() / study
        named = ["--study", str(target)] if kind == "run" else [str(target)]
        command = [sys.executable, "-m", "interpret", kind, *named, *arguments]
        command += ["--progress-file", str(folder / "progress.json")]
        environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
        with log:
            child = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                start_new_session=True,
            )
        _children[folder.name] = child
        write_json(
            {"study": study, "kind": kind, "arguments": list(arguments), "pid": child.pid, "born": _born(child.pid)},
            folder / "job.json",
        )
    return _read(folder)


def jobs() -> list[Job]:
    """All runs that were not dismissed, the newest first."""
    if not _runs().is_dir():
        return []
    listed = []
    for folder in sorted(_runs().iterdir(), reverse=True):
        with contextlib.suppress(OSError, ValueError):  # about to start, or dismissed by another page at this moment
            listed.append(_read(folder))
    return listed


def _read(folder: Path) -> Job:
    about = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    study = str(about["study"])
    kind = str(about.get("kind", "run"))
    reported = progress.read(folder / "progress.json") or {}
    error = ""
    if _alive(folder.name, int(about["pid"]), about.get("born")):
        state = "running"
    elif _finished(folder.name, study, kind, reported):
        state = "done"
    elif (folder / "cancelled").exists():
        state = "stopped"
    else:
        state = "failed"
        error = _error_line(folder) or "The run was killed from outside; resume it."
    return Job(folder.name, study, state, reported, error, tuple(about["arguments"]), kind)


def _finished(job_id: str, study: str, kind: str, reported: dict[str, Any]) -> bool:
    """Whether a run that has ended did what it was started for.

    The exit status decides. A run of an earlier server has none: there the last stage that it reported decides, and
    for a run that could report nothing, as on a full disk, whether its study is there. What it logged never does.
    """
    child = _children.get(job_id)
    made = (studies_root() / study / "manifest.json").is_file()
    if child is not None:
        return made and child.poll() == 0
    return made and (reported.get("stage") == "Done" or (kind == "run" and not reported))


def _error_line(folder: Path) -> str:
    """The sentence that a failed run ended with; another one for a traceback, whose text stays in the file."""
    log = folder / "stderr.txt"
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        if line.startswith("error: "):
            return line.removeprefix("error: ")
    if any(line.startswith("Traceback") for line in lines):
        return f"The program failed; its log is {log}."
    return ""


def _born(pid: int) -> str | None:
    """When a process began, to tell it from a later one with the same number; None if unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _alive(name: str, pid: int, born: str | None) -> bool:
    child = _children.get(name)
    if child is not None:
        return child.poll() is None
    try:
        os.kill(pid, 0)
    except (OSError, OverflowError):
        return False
    return born is None or _born(pid) == born


def cancel(job: Job) -> None:
    """Stop a run and everything it started. What it has done so far is kept, to resume from."""
    folder = _runs() / job.id
    if job.state != "running":
        return
    with contextlib.suppress(OSError):
        (folder / "cancelled").touch()
    try:
        pid = int(json.loads((folder / "job.json").read_text(encoding="utf-8"))["pid"])
    except (OSError, ValueError):  # it has ended and was dismissed
        return
    _end(job.id, pid)


def _end(name: str, pid: int) -> None:
    child = _children.get(name)
    for sign in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(pid, sign)
            else:
                os.kill(pid, sign)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            if child is not None:
                if child.poll() is not None:
                    return
            elif not _alive(name, pid, _born(pid)):
                return
            time.sleep(0.05)


def dismiss(job: Job) -> None:
    """Remove the entry of a run that has ended, and what an unfinished one left; uploads that a study uses stay."""
    if job.state == "running":
        return
    with _lock:  # no run of that name may start between the check and the removal
        # A partial study belongs to every run of its name: another one may be under way, or be resumed.
        shared = any(other.study == job.study and other.kind == "run" and other.id != job.id for other in jobs())
        if job.state != "done" and job.kind == "run" and not shared:
            shutil.rmtree(studies_root() / (job.study + ".partial"), ignore_errors=True)
    shutil.rmtree(_runs() / job.id, ignore_errors=True)
    uploads.tidy(job.arguments)


def resume(job: Job) -> Job:
    """Resume a stopped or failed run from where it stopped.

    Raises:
        InputError: it cannot be started; the entry of the old run stays.
    """
    new = start(job.study, job.arguments, job.kind)
    shutil.rmtree(_runs() / job.id, ignore_errors=True)
    return new


@atexit.register
def _end_all() -> None:
    for name, child in list(_children.items()):
        if child.poll() is None:
            _end(name, child.pid)
