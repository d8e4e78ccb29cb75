"""Commands in processes of their own that are killed, or find the disk full; and whether what they leave is whole."""

import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from interpret.cli.main import main
from interpret.study.workspace import partial_folder
from tests.attack.subjects import EVALUATE, Subjects

SECONDS = 300.0
"""After which a process hangs."""


@dataclass(frozen=True)
class Ended:
    """How a process ended: its status, below 0 the signal; seconds; and what it wrote on standard error."""

    status: int
    seconds: float
    err: str


def process(
    command: list[str],
    log: Path,
    temporary: Path,
    *,
    first: Callable[[], None] | None = None,
    kill: float = SECONDS,
) -> Ended:
    """Run a command in a fork of this process, which must not have computed anything before.

    Args:
        command: the command line.
        log: file for its standard error.
        temporary: folder for its temporary files, made where it is absent.
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
                temporary.mkdir(exist_ok=True)
                tempfile.tempdir = str(temporary)
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


def _events(notice: Callable[[], None]) -> None:
    """Have a function called before this process opens, renames or removes a file that it writes."""

    def hook(name: str, arguments: tuple) -> None:
        writes = name == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or name in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"):
            notice()

    sys.addaudithook(hook)


def dies_at(event: int) -> Callable[[], None]:
    """What kills its process before it opens, renames or removes a file for the ``event``-th time."""
    seen = 0

    def notice() -> None:
        nonlocal seen
        seen += 1
        if seen == event:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: _events(notice)


def counts(events: Path) -> Callable[[], None]:
    """What has its process say in a file how often it opens, renames or removes files."""

    def begin() -> None:
        descriptor = os.open(events, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        _events(lambda: os.write(descriptor, b"."))  # type: ignore[arg-type, return-value]

    return begin


JOBS = {
    "run": 0.3, "mine": 0.08, "evaluate": 0.12, "evaluate again": 0.1, "dissect": 0.07, "errors": 0.12, "pack": 0.07,
    "contrast": 0.07, "clean-up": 0.07,
}  # fmt: skip
"""What is interrupted, and how often (fraction). ``evaluate again`` replaces damaged held-out photos; ``clean-up`` is a
command that opens a study which others left full of litter."""


UNITS = ("--device", "cpu", "--units", "3,7", "--out")
"""Of the command ``errors``: too few photos are wrong for a set of units to be found."""


def prepared(job: str, made: Subjects, root: Path) -> list[str]:
    """Put a study, as it is before a command, into a folder that is emptied first; and say the command."""
    for path in root.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    study = root / "case"
    if job == "run":
        options = [
            "--model", "demo", "--precision", "float32", "--device", "cpu", "--contrast", "2", "--top-units", "6",
            "--batch-size", "8", "--min-class-patches", "4",
        ]  # fmt: skip
        return ["run", "--images", str(made.root / "drawings"), "--study", str(study), *options]
    shutil.copytree(made.study("plain" if job in ("contrast", "errors") else "whole"), study)
    removed = {
        "evaluate": ["evaluation"], "dissect": ["dissection"], "pack": ["photos"], "mine": ["mined"],
        "errors": ["errors", "evaluation"],
    }  # fmt: skip
    for name in removed.get(job, []):
        shutil.rmtree(study / name)
    if job == "evaluate again":
        (features,) = study.glob("evaluation/*/features.npy")
        features.write_bytes(features.read_bytes()[::-1])
    if job == "clean-up":
        _litter(study)
    photos = ["--images", str(made.held_out)]
    evaluate = ["evaluate", str(study), *photos, *EVALUATE, "--out", str(root / "out" / "table.csv")]
    return {
        "mine": ["mine", str(study)],
        "evaluate": evaluate,
        "evaluate again": evaluate,
        "dissect": ["dissect", str(study), *photos, "--masks", str(made.masks)],
        "errors": ["errors", str(study), *photos, *UNITS, str(root / "out" / "units.json")],
        "pack": ["pack", str(study), "--side", "48"],
        "contrast": ["contrast", str(study), "--contrast", "2"],
        "clean-up": ["info", str(study)],
    }[job]


def _litter(study: Path) -> None:
    """What killed processes can leave in and beside a complete study."""
    (held_out,) = (path.parent for path in study.glob("evaluation/*/manifest.json"))
    for complete in (study, held_out, study / "with-contrast"):
        shard = partial_folder(complete) / "000000"
        shutil.copytree(held_out, shard)
        (shard / "digests.json").write_text("{}")
        (shard.parent / "run.json").write_text("{}")
        (shard.parent / "lock").touch()
    shutil.copytree(held_out, study / "with-contrast")
    for place in ("", "mined", "evaluation", "evaluation/results", "dissection", "errors", "photos", ".."):
        folder = study / place
        folder.mkdir(exist_ok=True)
        shutil.copytree(held_out, folder / ".removed-0123abcd.unfinished" / "new")
        (folder / ".file-4567cdef.unfinished").write_bytes(b"half of a fi")


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
