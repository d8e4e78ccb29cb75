"""A run computed by the tasks of a queue on a disk that all of them see: each computes its share of the shards.

The options are written down once (:func:`ask`), each task computes the shards index, index + of, index + 2 of and so
on (:func:`explain_share`), and a run in one process completes the study from them. A shard is claimed by a lock, which
goes with the process that holds it: no two tasks compute the same, and a task that died can be given again.
"""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from interpret import models
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.data import datasets
from interpret.errors import InputError
from interpret.explanation.extractor import make_extractor
from interpret.explanation.identity import refuse_foreign
from interpret.explanation.part_explainer import PartExplainer
from interpret.explanation.plan import Plan, make_plan
from interpret.files import held_folder, write_json
from interpret.models.classifier import located
from interpret.progress import Callback, Progress, silent
from interpret.study.fields import Fields
from interpret.study.prints import write_prints
from interpret.study.workspace import Workspace, partial_folder, recorded_arithmetic
from interpret.threads import one_thread

ASKED = "asked.json"
"""The file of a workspace with the options of the run that tasks compute."""


def ask(config: RunConfig, folder: Path) -> None:
    """Write down the options of a run in the workspace of the study to be; no photo is looked at.

    Paths become absolute, since tasks begin in another folder.

    Raises:
        InputError: the folder holds something else, or another run was asked for there.
    """
    refuse_foreign(folder)
    config = replace(config, images=datasets.absolute(config.images), model=located(config.model))
    workspace = partial_folder(folder)
    if (workspace / ASKED).exists() and asked(folder) != config:
        raise InputError(
            f"{workspace} holds an unfinished run with other options; choose another --study, or delete that folder to "
            "start anew."
        )
    workspace.mkdir(parents=True, exist_ok=True)
    write_json(asdict(config), workspace / ASKED)


def asked(folder: Path) -> RunConfig:
    """The options that :func:`ask` wrote down.

    Raises:
        InputError: nothing was asked for there, or the file is damaged.
    """
    file = partial_folder(folder) / ASKED
    if not file.exists():
        raise InputError(f"No run was prepared for {folder}; begin with `unitscope submit --study {folder} ...`.")
    try:
        fields = Fields(json.loads(file.read_text(encoding="utf-8")))
        config: RunConfig = fields.options(
            "",
            RunConfig,
            model=fields.options("model", ModelConfig),
            extract=fields.options("extract", ExtractConfig),
            mine=fields.options("mine", MineConfig),
        )
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"The file {file} is damaged ({error}); give `unitscope submit` again.") from None
    return config


def explain_share(
    folder: Path,
    index: int,
    of: int,
    progress: Callback = silent,
    announce: Callable[[str], None] | None = None,
) -> tuple[int, int]:
    """Compute the shards of one task, those that are there already left out.

    Args:
        folder: the study to be.
        index: the task's number, from 0.
        of: tasks in all (count).
        progress: called after every batch of photos.
        announce: called with one sentence before anything is downloaded.

    Returns:
        How many shards were computed now, and how many belong to this task; none of either in a complete study.

    Raises:
        InputError: the numbers do not fit, or a run in one process is making the study.
    """
    if not 0 <= index < of:
        raise InputError(f"There is no task {index} of {of}; they are counted from 0.")
    folder = Path(folder).absolute()
    if (folder / "manifest.json").is_file():
        return 0, 0
    plan = _planned(folder, progress, announce)
    own = [part for part in plan.parts if part[0] % of == index]
    arithmetic = plan.arithmetic(announce)
    with Workspace(plan.folder, plan.keys, arithmetic, shared=True) as workspace:
        (workspace.folder / _task_name(index, of)).touch()
        arithmetic = recorded_arithmetic(plan.folder) or arithmetic
        with one_thread("cpu"):
            extractor, _ = make_extractor(plan.classifier, plan.config.extract, plan.device, arithmetic)
        total, done, computed = sum(len(positions) for _, positions in own), 0, 0
        with PartExplainer(plan, extractor) as explainer:
            for number, positions in own:
                claim = workspace.claim(number)
                if claim is not None:
                    try:
                        if not workspace.has(number):

                            def on_batch(explained: int, skipped: int, start: int = done) -> None:
                                progress(Progress("Explaining photos", start + explained, total, skipped))

                            workspace.put(number, explainer.explain(number, positions, on_batch).result())
                            computed += 1
                    finally:
                        os.close(claim)
                done += len(positions)
    return computed, len(own)


def missing(folder: Path, progress: Callback = silent, announce: Callable[[str], None] | None = None) -> str | None:
    """What is missing before a study can be completed, in one sentence; None where no shard is.

    Raises:
        InputError: tasks are still at work.
    """
    folder = Path(folder).absolute()
    plan = _planned(folder, progress, announce)
    with Workspace(plan.folder, plan.keys, plan.arithmetic(announce)) as workspace:
        lacking = [number for number, _ in plan.parts if not workspace.has(number)]
        of = max((int(path.name.rpartition("-")[2]) for path in workspace.folder.glob("task-*-of-*")), default=0)
    if not lacking:
        return None
    said = f"{len(lacking):,} of {len(plan.parts):,} shards are missing"
    if not of:
        return f"{said}; no task of {folder} has begun."
    tasks = sorted({number % of for number in lacking})
    named = ", ".join(map(str, tasks[:20])) + (f" and {len(tasks) - 20} more" if len(tasks) > 20 else "")
    return (
        f"{said}, those of task{'s' if len(tasks) > 1 else ''} {named} of {of}; give each again with `unitscope shard "
        f"{folder} --index {tasks[0]} --of {of}`, or compute them here with --missing."
    )


def _planned(folder: Path, progress: Callback, announce: Callable[[str], None] | None) -> Plan:
    """The run that was asked for. The first task reads all photos for their digests; the others wait and take those."""
    config = asked(folder)
    classifier = models.load(config.model, announce=announce)
    with held_folder(partial_folder(folder)):
        plan = make_plan(config, folder, progress, announce, classifier)
        write_prints(plan.photos.prints, partial_folder(plan.folder))
    return plan


def _task_name(index: int, of: int) -> str:
    return f"task-{index}-of-{of}"
