"""The command `evaluate`: Table 1 for a study, printed, written and drawn."""

import argparse
import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from interpret.cli.console import OUT, announce
from interpret.cli.evaluation_report import print_evaluation
from interpret.cli.itemset_report import print_itemsets
from interpret.cli.options import IMAGES_HELP, add_options, add_progress_file, add_ray, add_study, configured, values_of
from interpret.cli.output import check_output, write_output
from interpret.cli.progress_bar import progress_bar
from interpret.config import EvaluateConfig, ModelConfig, RunConfig
from interpret.errors import InputError

if TYPE_CHECKING:
    from interpret.evaluation.evaluate import Evaluation
    from interpret.study import Study


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser(
        "evaluate", help="ablate each class's units and classify other photos again (the poster's Table 1)"
    )
    command.set_defaults(command=_evaluate)
    add_study(command)
    command.add_argument(
        "--images",
        metavar="DIR",
        help=f"photos to measure on, if not those that the study set aside: {IMAGES_HELP}",
    )
    command.add_argument(
        "--out", type=Path, metavar="CSV", help="write the table here, and what else was measured beside it"
    )
    command.add_argument("--plot", type=Path, metavar="PNG", help="draw accuracy against units ablated")
    add_ray(command, "look at the photos, and where the head is not linear classify them with units ablated,")
    add_progress_file(command)
    add_options(command, EvaluateConfig)
    add_options(command, RunConfig, only=("limit", "batch_size", "workers"))
    add_options(command, ModelConfig, only=("device",))


def _evaluate(arguments: argparse.Namespace) -> None:
    from interpret.evaluation import evaluate, heads, heldout, kept_effects
    from interpret.evaluation.dealt_stretches import stretch_workers
    from interpret.explanation.ray_pool import RayOptions
    from interpret.explanation.study_network import network_of
    from interpret.findings import Findings
    from interpret.progress import DONE, MEASURING, Progress
    from interpret.study import open_study
    from interpret.study.results import made_from

    for target in csv_files(arguments.out) if arguments.out else []:
        check_output(target, "--out")
    kind = _format_of(arguments.plot)
    device = values_of(arguments, ModelConfig)["device"]
    study = open_study(arguments.study, announce, arguments.roots, device)
    stored = study.extract_config.stored_units
    given = configured(arguments, EvaluateConfig, top_units=tuple(n for n in (5, 10) if n <= stored) or (stored,))
    config = dataclasses.replace(given, budgets=tuple(sorted(set(given.budgets))))
    photos = values_of(arguments, RunConfig)
    if photos.get("images") is None:
        photos["images"] = _own_photos(study)
    ray = None if arguments.ray is None else RayOptions(arguments.ray, arguments.ray_workers)
    with progress_bar(arguments.progress_file) as progress:
        classifier = network_of(study, announce=announce)
        heldout_study = heldout.heldout(
            study,
            **photos,
            device=device,
            progress=progress,
            classifier=classifier,
            ray=ray,
        )
        head = heads.load_head(study, device=device, classifier=classifier)
        if ray is not None and head.linear:
            announce("The head is linear: ablating units is a small product here, and takes no workers.")
        dealt = contextlib.nullcontext() if ray is None or head.linear else stretch_workers(head, ray)
        with dealt as deal:
            result = heads.with_head(
                head,
                lambda head: evaluate.evaluate(study, heldout_study, head, study.mine_config, config, progress, deal),
                announce,
            )
        with contextlib.suppress(OSError):  # a study on a read-only disk is evaluated all the same
            folder = evaluate.results_folder(study, heldout_study, study.mine_config, config)
            result.write(folder, made_from(study, folder))
        progress(Progress(MEASURING, 0, 0))
        kept_effects.keep(Findings.of(study), device=device, classifier=classifier)
        progress(Progress(DONE, 1, 1))
    if heldout.same_photos(study, heldout_study):
        OUT.print(Text("These are the photos that were mined: measure on others to learn what the units are worth."))
    print_evaluation(result)
    print_itemsets(result)
    if arguments.out:
        for path in write_csv(result, arguments.out):
            OUT.print(Text(f"written: {path}"))
    if arguments.plot:
        from interpret.figures.accuracy_png import draw

        write_output(arguments.plot, draw(result, kind), "--plot")
        OUT.print(Text(f"drawn: {arguments.plot}"))


def _own_photos(study: "Study") -> str:
    """The study's own photos, of which those are measured on that were set aside.

    Raises:
        InputError: none were.
    """
    if not study.hold_out:
        raise InputError(
            f"{study.folder} set no photos aside; name a folder of other photos with --images, or make the study with "
            "--hold-out."
        )
    return study.images_source


def _format_of(plot: Path | None) -> str:
    """The format of the image file to write; checked, as is whether it can be written."""
    if plot is None:
        return ""
    from interpret.figures.accuracy_png import formats

    kind = plot.suffix.lower().removeprefix(".")
    if kind not in formats():
        raise InputError(f"--plot is {plot}; end it in .png, .svg or .pdf, which says how it is written.")
    check_output(plot, "--plot")
    return kind


FRAMES = ("", "differences", "keep", "matrix", "shared", "synergy")
"""Frames of an evaluation that are written, the table first; what itemsets say comes after them."""


def csv_files(path: Path) -> list[Path]:
    """The files that :func:`write_csv` writes in any case, the table first."""
    return [_beside(path, name) for name in FRAMES]


def _beside(path: Path, name: str) -> Path:
    return path.with_name(path.stem + (f"-{name}" if name else "") + (path.suffix or ".csv"))


def write_csv(result: "Evaluation", path: Path) -> list[Path]:
    """Write the table to ``path`` and the other frames beside it, named after it."""
    from interpret.evaluation.itemsets import result as itemsets

    frames = {name: getattr(result, name or "table") for name in FRAMES}
    measured = {name: getattr(result.itemsets, name) for name in itemsets.FRAMES}
    frames |= {name: frame for name, frame in measured.items() if len(frame)}
    for name, frame in frames.items():
        write_output(_beside(path, name), frame.to_csv(index=name == "matrix", float_format="%.6g"), "--out")
    return [_beside(path, name) for name in frames]
