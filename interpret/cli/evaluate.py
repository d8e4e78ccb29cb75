"""The command `evaluate`: Table 1 for a study, printed, written and drawn."""

import argparse
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from interpret.cli.console import OUT, announce
from interpret.cli.evaluation_report import print_evaluation
from interpret.cli.options import IMAGES_HELP, add_progress_file, add_study, positive
from interpret.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from interpret.evaluation.evaluate import Evaluation


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser(
        "evaluate", help="switch each class's units off and classify other photos again (the poster's Table 1)"
    )
    command.set_defaults(command=_evaluate)
    add_study(command)
    command.add_argument("--images", required=True, metavar="DIR", help=f"photos to measure on: {IMAGES_HELP}")
    command.add_argument(
        "--out", type=Path, metavar="CSV", help="write the table here, and what else was measured beside it"
    )
    command.add_argument("--plot", type=Path, metavar="PNG", help="draw accuracy against units switched off")
    command.add_argument("--budgets", type=_budgets, default=(1, 2, 5, 7, 10, 20, 50), metavar="N,N,...",
                         help="units off per class, for the equal comparison (default 1,2,5,7,10,20,50)")  # fmt: skip
    command.add_argument("--replacement", choices=("zero", "mean"), default="zero",
                         help="what a unit that is off becomes (default zero)")  # fmt: skip
    command.add_argument("--rule", choices=("evidence", "score", "support"), default="evidence",
                         help="how the mined units of a class are ordered (default evidence)")  # fmt: skip
    command.add_argument("--draws", type=positive, default=20, help="random sets of units (default 20)")
    command.add_argument("--seed", type=int, default=0, help="of the random draws (default 0)")
    command.add_argument("--no-lasso", action="store_true", help="leave out the mu-lasso")
    command.add_argument("--no-greedy", action="store_true", help="leave out the greedy ranking")
    command.add_argument("--limit", type=positive, help="use at most this many photos, evenly over the classes")
    command.add_argument("--batch-size", type=positive, default=32, help="photos per forward pass (default 32)")
    command.add_argument("--workers", type=positive, default=2, help="threads that decode photos (default 2)")
    command.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto",
                         help="where to compute; auto: a GPU if there is one")  # fmt: skip
    add_progress_file(command)


def _budgets(text: str) -> tuple[int, ...]:
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no comma-separated list of counts") from None
    if not found or found[0] < 1:
        raise argparse.ArgumentTypeError("each must be 1 or more")
    return tuple(found)


def _evaluate(arguments: argparse.Namespace) -> None:
    from interpret import models
    from interpret.evaluation import ablation, evaluate, heldout
    from interpret.progress import Progress
    from interpret.study import open_study

    study = open_study(arguments.study)
    stored = study.extract_config.stored_units
    config = evaluate.EvaluateConfig(
        budgets=arguments.budgets,
        top_units=tuple(n for n in (5, 10) if n <= stored) or (stored,),
        rule=arguments.rule,
        replacement=arguments.replacement,
        draws=arguments.draws,
        seed=arguments.seed,
        lasso=not arguments.no_lasso,
        greedy=not arguments.no_greedy,
    )
    with progress_bar(arguments.progress_file) as progress:
        classifier = models.load(ablation.model_of(study), announce=announce)
        on = heldout.heldout(
            study,
            arguments.images,
            limit=arguments.limit,
            batch_size=arguments.batch_size,
            workers=arguments.workers,
            device=arguments.device,
            progress=progress,
            classifier=classifier,
        )
        head = ablation.load_head(study, device=arguments.device, classifier=classifier)
        result = evaluate.evaluate(study, on, head, study.mine_config, config, progress)
        with contextlib.suppress(OSError):  # a study on a read-only disk is evaluated all the same
            result.write(evaluate.results_folder(study, on, study.mine_config, config))
        progress(Progress("Done", 1, 1))
    if heldout.same_photos(study, on):
        OUT.print(Text("These are the photos that were mined: measure on others to learn what the units are worth."))
    print_evaluation(result)
    if arguments.out:
        for path in write_csv(result, arguments.out):
            OUT.print(Text(f"written: {path}"))
    if arguments.plot:
        from interpret.figures.static import draw

        draw(result, arguments.plot)
        OUT.print(Text(f"drawn: {arguments.plot}"))


def write_csv(result: "Evaluation", path: Path) -> list[Path]:
    """Write the table to ``path`` and the other frames beside it, named after it."""
    from interpret.errors import InputError

    frames = {"": result.table}
    frames |= {f"-{name}": getattr(result, name) for name in ("differences", "keep", "matrix", "shared", "synergy")}
    written = []
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for suffix, frame in frames.items():
            target = path.with_name(path.stem + suffix + (path.suffix or ".csv"))
            frame.to_csv(target, index=suffix == "-matrix", float_format="%.6g")
            written.append(target)
    except OSError as error:
        raise InputError(f"The table cannot be written to {path}: {error.strerror}.") from error
    return written
