"""The command line. It prints; the library that it calls does not."""

import argparse
import contextlib
import dataclasses
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from interpret.cli import dissect, evaluate
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig, options
from interpret.errors import InputError
from interpret.progress import ProgressFile, remaining

OUT = Console(markup=False)  # a folder may be called [old]
ERR = Console(stderr=True, markup=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0, or 2 with one line on standard error where something given does not fit.
    """
    arguments = parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on from here", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `... info STUDY | head` closed its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(f"error: the disk says{where}: {error.strerror or error}", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The argument parser, its options taken from `interpret.config`."""
    top = argparse.ArgumentParser(
        prog="python -m interpret", description="Which internal units of an image classifier carry which classes?"
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="photos to class-specific and class-shared units, all stages")
    run.set_defaults(command=_run)
    run.add_argument("--images", required=True, metavar="DIR", help=IMAGES_HELP)
    run.add_argument("--study", required=True, metavar="OUT", type=Path, help="folder to make, or to go on with")
    run.add_argument("--limit", type=_positive, help="use at most this many photos, evenly over the classes")
    run.add_argument("--batch-size", type=_positive, default=32, help="photos per forward pass (default 32)")
    run.add_argument("--workers", type=_positive, default=2, help="threads that decode photos (default 2)")
    run.add_argument("--progress-file", type=Path, help=argparse.SUPPRESS)
    for config in (ModelConfig, ExtractConfig, MineConfig):
        _add_options(run, config)

    mine = commands.add_parser("mine", help="mine a study again with other options, from what is stored")
    mine.set_defaults(command=_mine)
    mine.add_argument("study", type=Path, metavar="STUDY")
    mine.add_argument("--rows", type=_positive, default=20, help="itemsets to print (default 20)")
    mine.add_argument(
        "--hide-redundant",
        action="store_true",
        help="do not print what a smaller itemset says of the same classes at no lower confidence",
    )
    mine.add_argument(
        "--against-chance",
        action="store_true",
        help="print p-values too, from shuffling the classes among the photos 200 times (a few seconds)",
    )
    _add_options(mine, MineConfig, inherit=True)

    evaluate.add(commands, IMAGES_HELP, _positive, _progress)
    dissect.add(commands, _positive, _progress)

    info = commands.add_parser("info", help="what a study holds, at a glance")
    info.set_defaults(command=_info)
    info.add_argument("study", type=Path, metavar="STUDY")

    pack = commands.add_parser("pack", help="copy the photos into the study, so that it can travel")
    pack.set_defaults(command=_pack)
    pack.add_argument("study", type=Path, metavar="STUDY")
    pack.add_argument("--side", type=_positive, default=512, help="longest side of a copy in pixels (default 512)")

    models = commands.add_parser("models", help="the models by name, or the layers of one")
    models.set_defaults(command=_models)
    models.add_argument("--layers", metavar="NAME", help="list the layers of this model that have spatial extent")
    return top


IMAGES_HELP = (
    "folder of class folders (named by wnid, ImageNet index or class name), or a flat folder; or one of "
    "demo, demo-val, skimage, imagenette, imagenette-val"
)


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number") from None
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _add_options(target: argparse.ArgumentParser, config: type, *, inherit: bool = False) -> None:
    """One argument for each option; with ``inherit`` the defaults are left open, to be taken from the study."""
    group = target.add_argument_group(config.__name__.removesuffix("Config").lower() + " options")
    for option in options(config):
        shown = "the study's own" if inherit else option.default
        text = option.help + ("" if option.default is None and not inherit else f" (default {shown})")
        group.add_argument(
            f"--{option.flag}",
            type=option.kind,
            default=None if inherit else option.default,
            choices=option.choices or None,
            metavar=None if option.choices else option.kind.__name__.upper(),
            help=text.replace("%", "%%"),
        )


def _taken(arguments: argparse.Namespace, config: Any) -> Any:
    """An instance of ``config`` (a class, or an instance whose values hold where an argument was left open)."""
    values = {option.name: getattr(arguments, option.name) for option in options(config)}
    if isinstance(config, type):
        return config(**values)
    return dataclasses.replace(config, **{name: value for name, value in values.items() if value is not None})


def _run(arguments: argparse.Namespace) -> None:
    from interpret import pipeline  # torch takes seconds to import, and --help should not wait for it

    config = RunConfig(
        images=arguments.images,
        model=_taken(arguments, ModelConfig),
        extract=_taken(arguments, ExtractConfig),
        mine=_taken(arguments, MineConfig),
        limit=arguments.limit,
        batch_size=arguments.batch_size,
        workers=arguments.workers,
    )
    with _progress(arguments.progress_file) as report:
        study = pipeline.run(config, arguments.study, report, announce=lambda text: ERR.print(text, highlight=False))
    _show(study, config.mine)


def _mine(arguments: argparse.Namespace) -> None:
    from interpret.findings import Findings
    from interpret.mining import mine_study
    from interpret.study import open_study

    study = open_study(arguments.study)
    config = _taken(arguments, study.mine_config)
    mined = mine_study(study, config)
    found = Findings(study, config, mined)
    listed = set(found.shared("all", hide_redundant=True)["itemset_id"]) if arguments.hide_redundant else None
    # One p-value a rule; of an itemset, the largest of its classes'. NaN where one is too rare to be judged.
    chance = found.by_chance().groupby(level=0).max() if arguments.against_chance else None
    _show_findings(study, mined, arguments.rows, listed, chance)


def _info(arguments: argparse.Namespace) -> None:
    from interpret.study import open_study

    study = open_study(arguments.study)
    _show(study, study.mine_config)


def _pack(arguments: argparse.Namespace) -> None:
    from interpret.study import open_study
    from interpret.study.copies import pack

    with _progress(None) as report:
        copied, missing = pack(open_study(arguments.study), arguments.side, report)
    OUT.print(f"{copied} photos copied into {arguments.study}; {missing} not found.", highlight=False)


def _models(arguments: argparse.Namespace) -> None:
    from interpret import models

    if arguments.layers is None:
        table = Table("name", "weights", box=None)
        for name, note in models.available():
            table.add_row(name, note)
        OUT.print(table)
        return
    table = Table("layer", "kind", "units", "cells", box=None)
    # Random weights tell the layers' shapes as well as trained ones do, and need no download.
    classifier = models.load(ModelConfig(model=arguments.layers, weights="random"))
    for layer in models.layers(classifier.network, classifier.preprocessing.size):
        table.add_row(
            layer.name + (" (default)" if layer.name == classifier.layer else ""),
            layer.kind,
            str(layer.channels),
            f"{layer.height} x {layer.width}",
        )
    OUT.print(table)


class _Rate(ProgressColumn):
    """Photos per second and the time that is left."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed or not task.total:
            return Text("")
        left = "" if task.time_remaining is None else f", {remaining(task.time_remaining)} left"
        return Text(f"{speed:.1f}/s{left}")


@contextlib.contextmanager
def _progress(file: Path | None) -> Iterator[Any]:
    """A callback that draws a bar on standard error and, where a file is given, writes it for the dashboard."""
    written = ProgressFile(file) if file else None
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
    tasks: dict[str, Any] = {}
    printed = time.monotonic()

    def report(progress: Any) -> None:
        nonlocal printed
        if written:
            written.report(progress)
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
        if not ERR.is_terminal and time.monotonic() - printed > 10:  # a log file gets a line now and then, no bar
            printed = time.monotonic()
            ERR.print(f"{progress.stage}: {progress.done} of {progress.total}{note}", highlight=False)

    with bars:
        yield report


def _show(study: Any, config: MineConfig) -> None:
    """The study at a glance: what it is, what was skipped, and what was found."""
    from interpret.mining import mine_study

    counts = study.manifest["counts"]
    lines = Table.grid(padding=(0, 2))
    lines.add_column()
    lines.add_column(overflow="fold")  # a long path is broken, never cut
    lines.add_row("study", str(study.folder))
    lines.add_row("model", f"{study.manifest['model']}, layer {study.layer}, {study.n_units} units")
    lines.add_row("weights", study.manifest["weights"]["source"])
    lines.add_row("photos", f"{counts['images']} from {study.images_root}")
    accuracy = study.accuracy()
    if accuracy:
        lines.add_row(
            "accuracy", f"{accuracy[0]:.1%} of {accuracy[1]} labelled photos, over all {len(study.class_names)} outputs"
        )
    without = f"; {counts['images_without_patch']} photos have none" if counts["images_without_patch"] else ""
    lines.add_row("patches", f"{counts['patches']}{without}")
    skipped = study.skipped
    if len(skipped):
        lines.add_row("skipped", f"{len(skipped)} files (all in {study.folder / 'skipped.parquet'})")
        for path, reason in list(skipped.itertuples(index=False))[:10]:
            lines.add_row("", Text(f"{path!r}: {reason}"))
    lines.add_row("precision", f"{study.manifest['precision']} on {study.manifest['device']}")
    OUT.print(lines, highlight=False)
    _show_findings(study, mine_study(study, config), rows=8)


def _show_findings(study: Any, mined: Any, rows: int, listed: set[int] | None = None, chance: Any = None) -> None:
    """What was found: how much, what classes share, and each class's units.

    Args:
        study: the study.
        mined: its itemsets.
        rows: lines of each list (count).
        listed: ids of the class-shared itemsets to list; all if None.
        chance: p-value of each itemset from shuffling, by id; not shown if None.
    """
    from interpret.mining import relevance

    names = study.class_names
    if not len(mined):
        OUT.print(Text("Nothing is frequent at these options; try a smaller --min-support or --min-class-patches."))
        return
    summary = relevance.summary(mined, names)
    units = mined.units
    shared = summary[summary["kind"] == "shared"]
    per_class = units.groupby("class_id").size()
    OUT.print(
        Text(
            f"\n{len(summary)} itemsets: {len(summary) - len(shared)} class-specific, {len(shared)} class-shared. "
            f"{per_class.mean():.1f} relevant units a class on average, over {len(per_class)} classes."
        )
    )
    best = shared[shared["units"].map(len) > 1].sort_values(["n_classes", "lowest"], ascending=False)
    if listed is not None:
        kept = best[best["itemset_id"].isin(listed)]
        OUT.print(
            Text(f"{len(best) - len(kept)} class-shared itemsets say no more than smaller ones and are left out.")
        )
        best = kept
    if len(best):
        OUT.print(Text("\nClass-shared, by how many classes and then by the support in the weakest of them"))
        for row in best.head(rows).itertuples():
            told = f"{row.lowest:.0%} to {row.highest:.0%} of their patches"
            if chance is not None:
                p = float(chance[row.itemset_id])
                told += f", p by shuffling {p:.3f}" if p == p else ", too rare to be checked against chance"
            OUT.print(Text(f"  {row.notation}   ({told})"))
    OUT.print(Text("\nRelevant units by class, best first"))
    sizes = dict(zip(mined.class_ids.tolist(), mined.class_sizes.tolist(), strict=True))
    for class_id in per_class.index[:rows]:
        own = units[units["class_id"] == class_id].head(8)
        pairs = zip(own["unit"], own["support"], strict=True)
        said = ", ".join(f"{unit} ({support:.0%})" for unit, support in pairs)
        OUT.print(Text(f"  {names[class_id]} ({sizes[class_id]} patches): {said}"))
