"""How far a run has come: what its callback receives, and a small file from which another process shows it."""

import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interpret.files import write_json

DRAWING = "Drawing the demo's photos"
"""The stage before all others of a run whose photos are drawn."""


MINING, MEASURING, DONE = "Mining itemsets", "Measuring what each itemset costs", "Done"
LAST = (MINING, MEASURING, DONE)
"""The last stages of a run."""


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        stage: what is being done, in plain words.
        done: units of work done (count).
        total: units of work in all (count); 0 if the stage cannot be counted.
        skipped: photos that could not be used so far (count).
    """

    stage: str
    done: int
    total: int
    skipped: int = 0


Callback = Callable[[Progress], None]


def silent(_progress: Progress) -> None:
    """The callback that ignores every report."""


def unheard(_sentence: str) -> None:
    """The same for a sentence that nobody asked for."""


def remaining(seconds: float) -> str:
    """A duration in words: `40 s`, `3 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min"


class ProgressFile:
    """A file with the latest report of a run, written at most three times a second and at the end of every stage.

    The file is JSON: stage, done, total, skipped, rate (units of work per second), remaining (seconds, null if
    unknown), pid, updated (seconds since the epoch), stages (for each stage that has ended, seconds and units of
    work from its first report to its last).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stage = ""
        self._began = (0.0, 0)  # when the stage began (seconds), and how much of it was done then
        self._last = (0.0, 0)  # when it was reported last (seconds), and how much of it was done then
        self._stages: dict[str, tuple[float, int]] = {}
        self._written = 0.0

    def report(self, progress: Progress) -> None:
        """Write a report of the pipeline; a file that cannot be written is no reason to stop the run."""
        now = time.monotonic()
        if progress.stage != self._stage:
            if self._stage:
                seconds, units = self._stages.get(self._stage, (0.0, 0))
                took, done = (last - first for last, first in zip(self._last, self._began, strict=True))
                self._stages[self._stage] = (seconds + took, units + int(done))
            self._stage, self._began, self._written = progress.stage, (now, progress.done), 0.0
        self._last = (now, progress.done)
        if now - self._written < 0.3 and progress.done < progress.total:
            return
        self._written = now
        began, done_before = self._began
        rate = (progress.done - done_before) / (now - began) if now - began > 0.5 else 0.0
        seconds_left = (progress.total - progress.done) / rate if rate > 0 else None
        with contextlib.suppress(OSError):
            write_json(
                {
                    "stage": progress.stage,
                    "done": progress.done,
                    "total": progress.total,
                    "skipped": progress.skipped,
                    "rate": rate,
                    "remaining": seconds_left,
                    "pid": os.getpid(),
                    "updated": time.time(),
                    "stages": self._stages,
                },
                self.path,
            )


def read(path: Path) -> dict[str, Any] | None:
    """What a progress file holds; None if there is none yet, or it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
