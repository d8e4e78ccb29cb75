"""Commands in processes of their own that are killed, or find the disk full; and whether what they leave is whole."""

import hashlib
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interpret.cli.main import main
from tests.attack.subjects import EVALUATE, Subjects

SECONDS = 300.0
"""After which a process hangs."""


@dataclass(frozen=True)
class Ended:
    """How a process ended: its status, below 0 the signal; seconds; and what it wrote on standard error."""

    status: int
    seconds: float
    err: str


def process(command: list[str], log: Path, *, first: Callable[[], None] | None = None, kill: float = SECONDS) -> Ended:
    """Run a command in a fork of this process, which must not have computed anything before.

    Args:
        command: the command line.
        log: file for its standard error.
        first: called in the new process.
        kill: seconds after which it is killed.
    """
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            with log.open("w") as err, Path(os.devnull).open("w") as out:
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                if first is not None:
                    first()
                try:
                    status = main(command)
                except SystemExit as ended:
                    status = int(ended.code or 0)
                except BaseException:
                    traceback.print_exc()
                sys.stderr.flush()
        finally:
            os._exit(status)
    while True:
        done, state = os.waitpid(pid, os.WNOHANG)
        if done:
            status = -os.WTERMSIG(state) if os.WIFSIGNALED(state) else os.WEXITSTATUS(state)
            return Ended(status, time.monotonic() - began, log.read_text(errors="replace") if log.exists() else "")
        if time.monotonic() - began > kill:
            os.kill(pid, signal.SIGKILL)
            kill = float("inf")
        time.sleep(0.002)


def dies_at(event: int) -> Callable[[], None]:
    """What kills its process before it opens, renames or removes a file for the ``event``-th time."""

    def begin() -> None:
        seen = 0

        def hook(name: str, arguments: tuple) -> None:
            nonlocal seen
            writes = name == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            if writes or name in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"):
                seen += 1
                if seen == event:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)

    return begin


JOBS = ("run", "mine", "evaluate", "dissect", "pack", "contrast")


def prepared(job: str, made: Subjects, root: Path) -> tuple[Path, list[str]]:
    """A study as it is before a command, below a folder that is emptied first; and the command."""
    for path in root.iterdir():
        shutil.rmtree(path)
    study = root / "case"
    if job == "run":
        options = [
            "--model",
            "demo",
            "--precision",
            "float32",
            "--device",
            "cpu",
            "--contrast",
            "2",
            "--top-units",
            "6",
        ]
        sizes = ["--batch-size", "8", "--min-class-patches", "4"]
        return study, ["run", "--images", str(made.root / "drawings"), "--study", str(study), *options, *sizes]
    shutil.copytree(made.study("plain" if job == "contrast" else "whole"), study)
    removed = {"evaluate": "evaluation", "dissect": "dissection", "pack": "photos", "mine": "mined"}.get(job)
    if removed is not None:
        shutil.rmtree(study / removed)
    return study, {
        "mine": ["mine", str(study)],
        "evaluate": ["evaluate", str(study), "--images", str(made.held_out), *EVALUATE],
        "dissect": ["dissect", str(study), "--images", str(made.held_out), "--masks", str(made.masks)],
        "pack": ["pack", str(study), "--side", "48"],
        "contrast": ["contrast", str(study), "--contrast", "2"],
    }[job]


def snapshot(root: Path) -> dict[str, str]:
    """Digest of every file below a folder, by name; of a manifest without what differs from run to run."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_dir():
            found[name] = "a folder"
            continue
        content = path.read_bytes()
        if path.name == "manifest.json":
            fields = json.loads(content)
            content = json.dumps(
                {k: v for k, v in fields.items() if k not in ("created", "timings", "digest")}
            ).encode()
        found[name] = hashlib.sha256(content).hexdigest()
    return found


def difference(found: dict[str, str], expected: dict[str, str]) -> str:
    """The first few names that are too much, missing, or other files; empty if there are none."""
    names = [f"{name} is left" for name in found.keys() - expected.keys()]
    names += [f"{name} is missing" for name in expected.keys() - found.keys()]
    names += [f"{name} differs" for name in found.keys() & expected.keys() if found[name] != expected[name]]
    return "; ".join(sorted(names)[:5])


def sentence(ended: Ended) -> bool:
    """Whether a process ended well, or with one sentence."""
    lines = ended.err.rstrip().splitlines()
    return ended.status == 0 or (ended.status == 2 and bool(lines) and lines[-1].startswith("error: "))
