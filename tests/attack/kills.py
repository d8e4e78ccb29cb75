"""Commands that are killed at any moment, or find the disk full, and are given again: the bytes are the same."""

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.attack.processes import JOBS, dies_at, difference, prepared, process, sentence, snapshot
from tests.attack.subjects import Subjects
from tests.attack.tried import Tried

EVENTS = {"run": 260, "mine": 40, "evaluate": 190, "dissect": 60, "pack": 200, "contrast": 260}
"""About how often each command opens, renames or removes a file that it writes (count)."""


class Interruptions:
    """The attack on a set of studies by kills and by full disks; what a command gives undisturbed is kept."""

    def __init__(self, made: Subjects, work: Path) -> None:
        self.made, self.work = made, work
        self.root = work / "place"
        self.root.mkdir(parents=True, exist_ok=True)
        self._expected: dict[str, tuple[dict[str, str], float]] = {}

    def _undisturbed(self, job: str) -> tuple[dict[str, str], float]:
        """What a command gives when nothing happens, and how long it takes (seconds)."""
        if job not in self._expected:
            _, command = prepared(job, self.made, self.root)
            ended = process(command, self.work / "log")
            assert ended.status == 0, ended
            self._expected[job] = snapshot(self.root), ended.seconds
        return self._expected[job]

    def kill(self, number: int) -> Tried:
        """Kill a command once to three times, give it again, and compare; returns what was done and what failed."""
        rng = np.random.default_rng([11, number])
        job = str(rng.choice(JOBS, p=(0.4, 0.12, 0.16, 0.08, 0.08, 0.16)))
        expected, seconds = self._undisturbed(job)
        _, command = prepared(job, self.made, self.root)
        moments = []
        for _ in range(int(rng.integers(1, 4))):
            if rng.random() < 0.4:
                moment = float(rng.uniform(0, 1.1 * seconds))
                ended = process(command, self.work / "log", kill=moment)
                moments.append(f"after {moment:.2f} s")
            else:
                event = int(rng.integers(1, EVENTS[job]))
                ended = process(command, self.work / "log", first=dies_at(event))
                moments.append(f"at file {event}")
            if ended.status not in (0, 2, -9):
                return Tried(f"{job}, {', '.join(moments)}", [f"status {ended.status}: {ended.err[-800:]}"], [job])
        return Tried(f"{job}, killed {', '.join(moments)}", self._again(job, command, expected), [job])

    def _again(self, job: str, command: list[str], expected: dict[str, str]) -> list[str]:
        """Give the command again; then the place must be as if nothing had happened."""
        ended = process(command, self.work / "log")
        whole = difference(snapshot(self.root), expected)
        # A contrast that is there already is refused in a sentence: then it was complete before the kill.
        if ended.status != 0 and not (job == "contrast" and sentence(ended) and "already" in ended.err):
            return [f"given again: status {ended.status}: {ended.err[-800:]}"]
        return [f"given again: {whole}"] if whole else []

    def full(self, number: int) -> Tried:
        """Run a command on a disk with little room, then with enough; returns what was done and what failed."""
        rng = np.random.default_rng([13, number])
        job = str(rng.choice(JOBS))
        expected, _ = self._undisturbed(job)
        kilobytes = int(rng.integers(0, 1400 if job in ("run", "contrast") else 500))
        with _small_disk(self.root) as limited:
            _, command = prepared(job, self.made, self.root)
            with limited(kilobytes) as (first, way):
                ended = process(command, self.work / "log", first=first)
            said = f"{job}, {kilobytes} kB of {way}"
            if not sentence(ended):
                return Tried(said, [f"status {ended.status}: {ended.err[-800:]}"], [job, way])
            return Tried(said, self._again(job, command, expected), [job, way])


Limit = Callable[[int], contextlib.AbstractContextManager[tuple[Callable[[], None] | None, str]]]


@contextlib.contextmanager
def _small_disk(place: Path) -> Iterator[Limit]:
    """A file system of its own in a folder, whose room can be limited; where none can be mounted, the size of files."""
    shutil.rmtree(place)
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    mounted = shutil.which("mount") and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield _ballast(place) if mounted else _largest_file
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=False)


def _ballast(place: Path) -> Limit:
    @contextlib.contextmanager
    def limited(kilobytes: int) -> Iterator[tuple[None, str]]:
        state = os.statvfs(place)
        ballast = place / ".ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, state.f_bavail * state.f_frsize - 1024 * kilobytes))
        try:
            yield None, "tmpfs"
        finally:
            ballast.unlink()

    return limited


@contextlib.contextmanager
def _largest_file(kilobytes: int) -> Iterator[tuple[Callable[[], None], str]]:
    size = 64 * kilobytes
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)), "1/16 as the largest file"
