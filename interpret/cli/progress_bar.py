"""The progress bar on standard error, and the same progress as a file for the dashboard."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bars
from rich.text import Text

from interpret.cli.console import ERR
from interpret.progress import Callback, Progress, ProgressFile, remaining

LOG_SECONDS = 10.0
"""Where standard error is no terminal, the time between two lines of the log (seconds)."""


class _Rate(ProgressColumn):
    """Photos per second and the time that is left."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed or not task.total:
            return Text("")
        left = "" if task.time_remaining is None else f", {remaining(task.time_remaining)} left"
        return Text(f"{speed:.1f}/s{left}")


@contextlib.contextmanager
def progress_bar(file: Path | None = None) -> Iterator[Callback]:
    """A callback that draws one bar a stage on standard error.

    Args:
        file: also write the progress into this file; no file if None.
    """
    progress_file = ProgressFile(file) if file else None
    bars = Bars(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _Rate(),
        console=ERR,
        speed_estimate_period=30.0,
    )
    tasks: dict[str, TaskID] = {}
    logged = time.monotonic()

    def report(progress: Progress) -> None:
        nonlocal logged
        if progress_file:
            progress_file.report(progress)
        if progress.stage not in tasks:
            for earlier in tasks.values():  # a stage that could not be counted is over when the next begins
                if bars.tasks[earlier].total is None:
                    bars.update(earlier, total=1, completed=1)
            tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total or None)
        note = f", {progress.skipped} skipped" if progress.skipped else ""
        bars.update(
            tasks[progress.stage],
            completed=progress.done,
            total=progress.total or None,
            description=progress.stage + note,
        )
        if not ERR.is_terminal and time.monotonic() - logged > LOG_SECONDS:
            logged = time.monotonic()
            ERR.print(f"{progress.stage}: {progress.done} of {progress.total}{note}", highlight=False)

    with bars:
        yield report
