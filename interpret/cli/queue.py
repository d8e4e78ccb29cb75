"""The commands `submit`, `shard` and `finish`: a run computed by the tasks of a cluster's queue."""

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import Any

from interpret.cli.console import OUT, announce
from interpret.cli.options import IMAGES_HELP, add_options, add_study, configured_run, positive
from interpret.cli.progress_bar import progress_bar
from interpret.cli.study_report import print_study
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.errors import InputError

TASK_VARIABLE = "SLURM_ARRAY_TASK_ID"


def add(commands: Any) -> None:
    """Add the commands to a parser's subcommands."""
    submit = commands.add_parser("submit", help="prepare a run for the tasks of a queue, and submit them to SLURM")
    submit.set_defaults(command=_submit)
    submit.add_argument("--images", required=True, metavar="DIR", help=IMAGES_HELP)
    submit.add_argument("--study", required=True, metavar="OUT", type=Path, help="folder to make, seen by all tasks")
    submit.add_argument("--tasks", required=True, type=positive, help="how many tasks share the photos (count)")
    submit.add_argument("--slurm", action="store_true", help="submit them as an array job, through submitit")
    submit.add_argument("--dry-run", action="store_true", help="print what would be done, and do nothing")
    submit.add_argument("--partition", help="SLURM's partition; the cluster's default if not set")
    submit.add_argument("--gpus", type=int, default=0, help="GPUs of each task (default 0)")
    submit.add_argument("--cpus", type=positive, default=4, help="processors of each task (default 4)")
    submit.add_argument("--minutes", type=positive, default=240, help="time limit of each task (default 240)")
    add_options(submit, RunConfig, only=("hold_out", "limit", "batch_size", "workers"))
    for config in (ModelConfig, ExtractConfig, MineConfig):
        add_options(submit, config)
    shard = commands.add_parser("shard", help="compute one task's share of a run that `submit` prepared")
    shard.set_defaults(command=_shard)
    add_study(shard)
    shard.add_argument("--index", type=int, help=f"the task's number, from 0 (default: {TASK_VARIABLE})")
    shard.add_argument("--of", required=True, type=positive, help="tasks in all (count)")
    finish = commands.add_parser("finish", help="put the shards of all tasks together, and mine")
    finish.set_defaults(command=_finish)
    add_study(finish)
    finish.add_argument("--missing", action="store_true", help="compute the shards of tasks that were lost")


def _submit(arguments: argparse.Namespace) -> None:
    config = configured_run(arguments)
    study, tasks = arguments.study.expanduser().absolute(), arguments.tasks
    if arguments.dry_run:
        _print_script(arguments, study)
        return
    from interpret.explanation.array_tasks import ask

    ask(config, study)
    if not arguments.slurm:
        OUT.print(f"Prepared. Give, on machines that see {study}:", highlight=False)
        last = tasks - 1
        OUT.print(
            f"  {shlex.join(_shard_command(study, tasks))} --index 0{f'   ... to --index {last}' if last else ''}",
            highlight=False,
            soft_wrap=True,
        )
        OUT.print(f"  {shlex.join(_finish_command(study))}   when all are done", highlight=False, soft_wrap=True)
        return
    try:
        import submitit
    except ImportError:
        raise InputError("--slurm needs submitit, which is not installed; run `pip install submitit`.") from None
    logs = study.with_name(study.name + ".logs")
    executor = submitit.AutoExecutor(folder=logs, cluster="slurm")
    executor.update_parameters(**_parameters(arguments))
    commands = [
        submitit.helpers.CommandFunction([*_shard_command(study, tasks), "--index", str(index)])
        for index in range(tasks)
    ]
    jobs = executor.map_array(lambda command: command(), commands)
    array = jobs[0].job_id.partition("_")[0]
    executor.update_parameters(slurm_additional_parameters={"dependency": f"afterok:{array}"})
    last = executor.submit(submitit.helpers.CommandFunction(_finish_command(study)))
    OUT.print(f"Submitted array job {array} of {tasks} tasks, and job {last.job_id} that completes the study.")
    OUT.print(f"What they print is in {logs}.", highlight=False, soft_wrap=True)


def _parameters(arguments: argparse.Namespace) -> dict[str, Any]:
    """What submitit asks SLURM for."""
    asked = {
        "name": arguments.study.name[:40] or "unitscope",
        "timeout_min": arguments.minutes,
        "cpus_per_task": arguments.cpus,
        "gpus_per_node": arguments.gpus,
        "slurm_partition": arguments.partition,
    }
    return {name: value for name, value in asked.items() if value}


def _print_script(arguments: argparse.Namespace, study: Path) -> None:
    """The array job as a script of SLURM: what --slurm submits through submitit."""
    asked = _parameters(arguments)
    lines = [
        "#!/bin/bash",
        f"#SBATCH --job-name={asked['name']}",
        f"#SBATCH --array=0-{arguments.tasks - 1}",
        f"#SBATCH --time={arguments.minutes}",
        f"#SBATCH --cpus-per-task={arguments.cpus}",
    ]
    lines += [f"#SBATCH --gpus-per-node={arguments.gpus}"] if arguments.gpus else []
    lines += [f"#SBATCH --partition={arguments.partition}"] if arguments.partition else []
    lines += [
        shlex.join(_shard_command(study, arguments.tasks)),
        "# and, when the whole array has ended (--dependency=afterok:ID):",
        "# " + shlex.join(_finish_command(study)),
    ]
    OUT.print("\n".join(lines), highlight=False, soft_wrap=True, markup=False)


def _shard_command(study: Path, tasks: int) -> list[str]:
    return [sys.executable, "-m", "interpret", "shard", str(study), "--of", str(tasks)]


def _finish_command(study: Path) -> list[str]:
    return [sys.executable, "-m", "interpret", "finish", str(study)]


def _shard(arguments: argparse.Namespace) -> None:
    index = arguments.index
    if index is None:
        given = os.environ.get(TASK_VARIABLE, "")
        if not given.isdecimal():
            raise InputError(
                f"Which task this is was not said; give --index, or run it as an array job ({TASK_VARIABLE})."
            )
        index = int(given)
    from interpret.explanation.array_tasks import explain_share

    with progress_bar() as progress:
        computed, own = explain_share(arguments.study, index, arguments.of, progress, announce)
    OUT.print(
        f"Task {index} of {arguments.of}: {computed} of its {own} shards computed, the others were there.",
        highlight=False,
    )


def _finish(arguments: argparse.Namespace) -> None:
    from interpret import pipeline
    from interpret.explanation.array_tasks import asked, missing

    study = arguments.study.expanduser().absolute()
    if (study / "manifest.json").exists():
        raise InputError(f"The study {study} is complete already.")
    config = asked(study)
    with progress_bar() as progress:
        said = missing(study, progress, announce)
        if said is not None and not arguments.missing:
            raise InputError(said)
        made = pipeline.run(config, study, progress, announce=announce)
    print_study(made, config.mine)
