"""Commands that are killed at any moment, or find the disk full, and are given again: the bytes are the same."""

import contextlib
import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.attack.processes import JOBS, counts, dies_at, difference, prepared, process, sentence, snapshot
from tests.attack.subjects import Subjects
from tests.attack.tried import Tried


@dataclass(frozen=True)
class Undisturbed:
    """What a command gives when nothing happens.

    Attributes:
        files: digest of each file by name.
        seconds: how long it takes.
        events: how often it opens, renames or removes a file that it writes (count).
        kilobytes: of the files that it leaves.
    """

    files: dict[str, str]
    seconds: float
    events: int
    kilobytes: int


class Interruptions:
    """The attack on a set of studies by kills and by full disks; what a command gives undisturbed is kept."""

    def __init__(self, made: Subjects, work: Path) -> None:
        self.made, self.work = made, work
        self.root = work / "place"
        self.root.mkdir(parents=True, exist_ok=True)
        self._expected: dict[str, Undisturbed] = {}

    def _undisturbed(self, job: str) -> "Undisturbed":
        """What a command gives when nothing happens, and how long it takes."""
        if job not in self._expected:
            command = prepared(job, self.made, self.root)
            before = snapshot(self.root)
            events = self.work / "events"
            ended = process(command, self.work / "log", self.root / "temporary", first=counts(events))
            assert ended.status == 0, ended
            after = snapshot(self.root)
            written = [self.root / name for name in after if after[name] != before.get(name)]
            kilobytes = 4 * sum(path.stat().st_size // 4096 + 1 for path in written)
            self._expected[job] = Undisturbed(after, ended.seconds, events.stat().st_size, kilobytes)
        return self._expected[job]

    def kill(self, number: int) -> Tried:
        """Kill a command once to three times, give it again, and compare."""
        rng = np.random.default_rng([11, number])
        job = str(rng.choice(list(JOBS), p=list(JOBS.values())))
        expected = self._undisturbed(job)
        command = prepared(job, self.made, self.root)
        moments = []
        sums = [job]
        for _ in range(int(rng.integers(1, 4))):
            if rng.random() < 0.4:
                moment = float(rng.uniform(0, 1.1 * expected.seconds))
                ended = process(command, self.work / "log", self.root / "temporary", kill=moment)
                moments.append(f"after {moment:.2f} s")
            else:
                event = int(rng.integers(1, expected.events + 1))
                ended = process(command, self.work / "log", self.root / "temporary", first=dies_at(event))
                moments.append(f"at file {event}")
            if ended.status not in (0, 2, -9):
                return Tried(f"{job}, {', '.join(moments)}", [f"status {ended.status}: {ended.err[-800:]}"], [job])
            sums += [f"{job}: killed"] * (ended.status == -9) + ["all jobs: killed"] * (ended.status == -9)
        return Tried(f"{job}, killed {', '.join(moments)}", self._again(job, command, expected.files), sums)

    def _again(self, job: str, command: list[str], expected: dict[str, str]) -> list[str]:
        """Give the command again; then the place must be as if nothing had happened."""
        ended = process(command, self.work / "log", self.root / "temporary")
        whole = difference(snapshot(self.root), expected)
        # A contrast that is there already is refused in a sentence: then it was complete before the kill.
        if ended.status != 0 and not (job == "contrast" and sentence(ended) and "already" in ended.err):
            return [f"given again: status {ended.status}: {ended.err[-800:]}"]
        return [f"given again: {whole}"] if whole else []

    def full(self, number: int) -> Tried:
        """Run a command on a disk with little room, then with enough; every other disk is ext4."""
        rng = np.random.default_rng([13, number])
        job = str(rng.choice(list(JOBS)))
        expected = self._undisturbed(job)
        kilobytes = int(rng.integers(0, 1.5 * expected.kilobytes + 8))  # a workspace holds files twice
        with _small_disk(self.root, self.work / "disk", "ext4" if number % 2 else "tmpfs") as limited:
            command = prepared(job, self.made, self.root)
            with limited(kilobytes) as (first, way):
                ended = process(command, self.work / "log", self.root / "temporary", first=first)
            said = f"{job}, {kilobytes} kB of {way}"
            sums = [job, f"{way}: {'it was enough' if ended.status == 0 else 'full'}"]
            if not sentence(ended):
                return Tried(said, [f"status {ended.status}: {ended.err[-800:]}"], sums)
            return Tried(said, self._again(job, command, expected.files), sums)


Limit = Callable[[int], contextlib.AbstractContextManager[tuple[Callable[[], None] | None, str]]]


@contextlib.contextmanager
def _small_disk(place: Path, image: Path, kind: str) -> Iterator[Limit]:
    """A file system of its own in a folder, whose room can be limited; where none can be mounted, the size of files.

    Args:
        place: the folder, emptied.
        image: file for the content of an ext4.
        kind: ext4 or tmpfs; the other, if this one cannot be mounted here.
    """
    shutil.rmtree(place)
    place.mkdir()
    mounted = next((each for each in dict.fromkeys((kind, "tmpfs", "ext4")) if _mount(each, place, image)), None)
    try:
        yield _largest_file if mounted is None else _ballast(place, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(place)], check=False)


def _mount(kind: str, place: Path, image: Path) -> bool:
    """Whether a file system of 64 MB could be made and mounted."""
    if kind == "tmpfs":
        return _runs("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place))
    image.unlink(missing_ok=True)
    with image.open("wb") as file:
        file.truncate(64 << 20)
    made = _runs("mkfs.ext4", "-q", "-m", "0", str(image)) and _runs("mount", "-o", "loop", str(image), str(place))
    if made:
        (place / "lost+found").rmdir()
    return made


def _runs(*command: str) -> bool:
    found = shutil.which(command[0])
    return found is not None and subprocess.run(command, capture_output=True, check=False).returncode == 0


def _ballast(place: Path, kind: str) -> Limit:
    @contextlib.contextmanager
    def limited(kilobytes: int) -> Iterator[tuple[None, str]]:
        ballast = place / ".ballast"
        with ballast.open("wb") as file:
            os.sync()  # ext4 counts what it has not written yet as free
            state = os.statvfs(place)
            os.posix_fallocate(file.fileno(), 0, max(1, state.f_bavail * state.f_frsize - 1024 * kilobytes))
        try:
            yield None, kind
        finally:
            ballast.unlink()

    return limited


@contextlib.contextmanager
def _largest_file(kilobytes: int) -> Iterator[tuple[Callable[[], None], str]]:
    size = 64 * kilobytes
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)), "1/16 as the largest file"
