"""Background runs: each is the command line in a process of its own, and survives a reload of the page.

A run's folder, `.runs/<id>/` beside the studies, holds its arguments and owner (`job.json`), its progress
(`progress.json`, written by the run) and its log (`stderr.txt`). A few runs work at once; others wait for their turn.
"""

import contextlib
import json
import os
import secrets
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from interpret import progress
from interpret.errors import InputError
from interpret.files import remove_folder, write_json
from interpret.study.workspace import partial_folder
from pages.shared.backend import allowed_paths, durations, messages, owners, places, processes, uploads
from pages.shared.backend.places import studies_root

AT_ONCE = 2
"""Runs that work at once (count), unless ``UNITSCOPE_RUNS`` says another number."""

EACH = 5
"""Runs of one owner that may work or wait at a time (count)."""

_lock = threading.RLock()


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        id: its folder's name.
        study: the name of its study.
        state: waiting, running, done, failed or stopped.
        progress: what the run last wrote: stage, done, total, skipped, rate, remaining; empty before that.
        error: the sentence that a failed run ended with; empty in any other state.
        arguments: of the command line, after `python -m interpret`.
        kind: run creates the study; evaluate and dissect work on a finished one.
        owner: whose it is; see :mod:`pages.shared.backend.owners`.
        ahead: runs that have to end before a waiting one begins (count).
    """

    id: str
    study: str
    state: str
    progress: dict[str, Any]
    error: str
    arguments: tuple[str, ...]
    kind: str = "run"
    owner: str = owners.SHARED
    ahead: int = 0

    @property
    def under_way(self) -> bool:
        """Whether it works, or waits for its turn."""
        return self.state in ("running", "waiting")


def _runs() -> Path:
    return studies_root() / ".runs"


def at_once() -> int:
    """Runs that work at once (count): ``UNITSCOPE_RUNS``, else :data:`AT_ONCE`."""
    given = os.environ.get("UNITSCOPE_RUNS", "")
    return max(1, int(given)) if given.isascii() and given.isdecimal() and len(given) < 4 else AT_ONCE


def start(study: str, arguments: Sequence[str], kind: str = "run", owner: str = owners.SHARED) -> Job:
    """Start `python -m interpret run ARGUMENTS --study STUDY`, or `KIND STUDY ARGUMENTS`; or let it wait for its turn.

    Raises:
        InputError: a run of the study is under way, the owner has too many, or the folder cannot be written to.
    """
    with _lock:
        under_way = [job for job in _all() if job.under_way]
        if any(job.study == study for job in under_way):
            raise InputError(f"A run of the study {study} is under way already; wait until it has ended.")
        if owner != owners.SHARED and sum(job.owner == owner for job in under_way) >= EACH:
            raise InputError(f"{EACH} of your runs are under way or waiting already; wait until one has ended.")
        if kind == "run":
            owners.forget_gone({*places.study_names(), *(job.study for job in _all())})
            if owners.of_study(study) not in (owners.SHARED, owner):  # even if it is not finished
                raise InputError(f"There is a study called {study} already; type another name.")
        folder = _runs() / f"{time.time_ns():019d}-{secrets.token_hex(4)}"
        try:
            folder.mkdir(parents=True)
            if kind == "run":
                owners.record(study, owner)
            _write(folder, {"study": study, "kind": kind, "arguments": list(arguments), "owner": owner})
            _advance()
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise InputError(
                f"The folder {studies_root()} cannot be written to ({error.strerror}); set UNITSCOPE_STUDIES to "
                "another one."
            ) from error
        return next(job for job in _all() if job.id == folder.name)


@contextlib.contextmanager
def names_held() -> Iterator[None]:
    """While the block runs, no run takes a name."""
    with _lock:
        yield


def _advance() -> None:
    """Begin the runs that have waited longest, as far as there is room."""
    with _lock:
        listed = _all()
        room = at_once() - sum(job.state == "running" for job in listed)
        for job in [job for job in reversed(listed) if job.state == "waiting"][: max(0, room)]:
            folder, target = _runs() / job.id, studies_root() / job.study
            named = ["--study", str(target)] if job.kind == "run" else [str(target)]
            command = [job.kind, *named, *job.arguments, "--progress-file", str(folder / "progress.json")]
            command += ["--roots", os.pathsep.join(str(root) for root in allowed_paths.for_studies())]
            ended = partial(_run_ended, job, time.monotonic())
            waited_for = job.kind == "run" and not places.study_names()  # no page has anything else to show
            pid = processes.start(job.id, command, folder / "stderr.txt", ended, yields=not waited_for)
            about = json.loads((folder / "job.json").read_text(encoding="utf-8"))
            _write(folder, {**about, "pid": pid, "born": processes.born(pid)})


def _run_ended(job: Job, began: float) -> None:
    """Keep how long a run took that created a study, and begin the next one; ``began`` is of the monotonic clock."""
    child = processes.children.get(job.id)
    if job.kind == "run" and child is not None and child.poll() == 0:
        reported = progress.read(_runs() / job.id / "progress.json") or {}
        durations.keep(studies_root() / job.study, time.monotonic() - began, reported)
    _ended()


def _ended() -> None:
    with contextlib.suppress(OSError, ValueError):  # the next look at the runs tries again
        _advance()


def _write(folder: Path, about: dict[str, Any]) -> None:
    write_json(about, folder / "job.json")


def jobs() -> list[Job]:
    """All runs that were not dismissed, the newest first."""
    listed = _all()
    if any(job.state == "waiting" for job in listed):
        _ended()  # as after a restart of the server, which ends the runs that others wait for
        listed = _all()
    waiting = [job.id for job in reversed(listed) if job.state == "waiting"]
    over = sum(job.state == "running" for job in listed) - at_once() + 1
    return [
        replace(job, ahead=max(1, over + waiting.index(job.id))) if job.state == "waiting" else job for job in listed
    ]


def _all() -> list[Job]:
    if not _runs().is_dir():
        return []
    listed = []
    for folder in sorted(_runs().iterdir(), reverse=True):
        with contextlib.suppress(OSError, ValueError, KeyError):  # about to start, or dismissed at this moment
            listed.append(_read(folder))
    return listed


def _read(folder: Path) -> Job:
    about = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    study = str(about["study"])
    kind = str(about.get("kind", "run"))
    reported = progress.read(folder / "progress.json") or {}
    error = ""
    owner = str(about.get("owner", owners.SHARED))
    if "pid" not in about:
        state = "stopped" if (folder / "cancelled").exists() else "waiting"
    elif processes.alive(folder.name, int(about["pid"]), about.get("born")):
        state = "running"
    elif _finished(folder.name, study, kind, reported):
        state = "done"
    elif (folder / "cancelled").exists():
        state = "stopped"
    else:
        state = "failed"
        error = _error_line(folder) or "The run was killed from outside; resume it."
    return Job(folder.name, study, state, reported, error, tuple(about["arguments"]), kind, owner)


def _finished(job_id: str, study: str, kind: str, reported: dict[str, Any]) -> bool:
    """Whether a run that has ended did what it was started for.

    The exit status decides. A run of an earlier server has none: there the last stage that it reported decides, and
    for a run that could report nothing, as on a full disk, whether its study is there. What it logged never does.
    """
    child = processes.children.get(job_id)
    made = (studies_root() / study / "manifest.json").is_file()
    if child is not None:
        return made and child.poll() == 0
    return made and (reported.get("stage") == progress.DONE or (kind == "run" and not reported))


def _error_line(folder: Path) -> str:
    """The sentence that a failed run ended with; another one for a traceback, whose text stays in the file."""
    log = folder / "stderr.txt"
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        if line.startswith("error: "):
            return messages.without_upload_paths(line.removeprefix("error: "))
    if any(line.startswith("Traceback") for line in lines):
        return f"The program failed; its log is {log}."
    return ""


def cancel(job: Job) -> None:
    """Stop a run and everything it started. What it has done so far is kept, to resume from."""
    folder = _runs() / job.id
    with _lock:  # a waiting one must not begin at this moment
        if not job.under_way:
            return
        with contextlib.suppress(OSError):
            (folder / "cancelled").touch()
        try:
            pid = int(json.loads((folder / "job.json").read_text(encoding="utf-8"))["pid"])
        except (OSError, ValueError, KeyError):  # it has ended and was dismissed, or has not begun
            return
    processes.end(job.id, pid)


def dismiss(job: Job) -> None:
    """Remove the entry of a run that has ended, and what an unfinished one left; uploads that a study uses stay."""
    if job.under_way:
        return
    with _lock:  # no run of that name may start between the check and the removal
        # A partial study belongs to every run of its name: another one may be under way, or be resumed.
        shared = any(other.study == job.study and other.kind == "run" and other.id != job.id for other in _all())
        if job.state != "done" and job.kind == "run" and not shared:
            remove_folder(partial_folder(studies_root() / job.study))
    shutil.rmtree(_runs() / job.id, ignore_errors=True)
    uploads.tidy(job.arguments)


def resume(job: Job) -> Job:
    """Resume a stopped or failed run from where it stopped.

    Raises:
        InputError: it cannot be started; the entry of the old run stays.
    """
    new = start(job.study, job.arguments, job.kind, job.owner)
    shutil.rmtree(_runs() / job.id, ignore_errors=True)
    return new
