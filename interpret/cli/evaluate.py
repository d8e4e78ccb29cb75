"""The command `evaluate`: Table 1 for a study, printed, written and drawn."""

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

OUT = Console(markup=False)


def add(commands: Any, images_help: str, positive: Callable[[str], int], report: Callable[..., Any]) -> None:
    """Add the command to a parser's subcommands.

    Args:
        commands: what ``add_subparsers`` returned.
        images_help: help for ``--images``.
        positive: argument type of a count.
        report: a context that gives a progress callback, from a file to write it into, or None.
    """
    command = commands.add_parser(
        "evaluate", help="switch each class's units off and classify other photos again (the poster's Table 1)"
    )
    command.set_defaults(command=lambda arguments: _evaluate(arguments, report))
    command.add_argument("study", type=Path, metavar="STUDY")
    command.add_argument("--images", required=True, metavar="DIR", help=f"photos to measure on: {images_help}")
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
    command.add_argument("--progress-file", type=Path, help=argparse.SUPPRESS)


def _budgets(text: str) -> tuple[int, ...]:
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no comma-separated list of counts") from None
    if not found or found[0] < 1:
        raise argparse.ArgumentTypeError("each must be 1 or more")
    return tuple(found)


def _evaluate(arguments: argparse.Namespace, report: Callable[..., Any]) -> None:
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
    console = Console(stderr=True, markup=False)
    with contextlib.ExitStack() as stack:
        progress = stack.enter_context(report(arguments.progress_file))
        classifier = models.load(ablation.model_of(study), announce=lambda text: console.print(text, highlight=False))
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
    show(result)
    if arguments.out:
        for path in write_csv(result, arguments.out):
            OUT.print(Text(f"written: {path}"))
    if arguments.plot:
        from interpret.figures.static import draw

        draw(result, arguments.plot)
        OUT.print(Text(f"drawn: {arguments.plot}"))


def show(result: Any) -> None:
    """Print Table 1 and what else was measured."""
    about = result.about
    found_on = "the same photos" if about.get("same_photos") else f"{about['mined_photos']:,} other photos"
    OUT.print(
        Text(
            f"{about['model']}, layer {about['layer']}: accuracy over all outputs on {about['photos']:,} photos of "
            f"{len(about['classes'])} classes; units found on {found_on}. "
            "Percent ± standard error; random ± standard deviation over draws."
        )
    )
    OUT.print(_natural(result), _equal(result))
    if len(result.differences):
        OUT.print(_differences(result))
    OUT.print(Text(_beyond(result)))


def _natural(result: Any) -> Table:
    from interpret.evaluation import published

    theirs = published.of(result.about["model"])
    table = Table(title="Each method's own number of units", box=None, title_justify="left", title_style="bold")
    for name in ("method", "units off", "accuracy", *(("the poster: accuracy", "units") if theirs else ())):
        table.add_column(name, justify="left" if name == "method" else "right")
    rows = result.table[result.table["budget"].isna() | (result.table["method"] == "No unit off")]
    for row in rows.to_dict("records"):
        cells = [row["method"], f"{row['units']:.2f}", _accuracy(row)]
        if theirs:
            known = theirs.get("Random" if row["method"] == "Random, as Ours-10" else row["method"])
            cells += [f"{known.accuracy:.2f} ± {known.error:.2f}", f"{known.units:.2f}"] if known else ["", ""]
        table.add_row(*cells)
    return table


def _equal(result: Any) -> Table:
    rows = result.table[result.table["budget"].fillna(0) > 0]
    budgets = sorted(rows["budget"].unique())
    table = Table(title="The same number of units off", box=None, title_justify="left", title_style="bold")
    table.add_column("method")
    for budget in budgets:
        table.add_column(str(budget), justify="right")
    short = False
    for method, part in rows.groupby("method", sort=False):
        by_budget = {row["budget"]: row for row in part.to_dict("records")}
        cells = []
        for budget in budgets:
            row = by_budget[budget]
            fewer = row["units"] < budget - 0.5
            short |= fewer
            cells.append(_accuracy(row) + ("*" if fewer else ""))
        table.add_row(str(method), *cells)
    if short:
        table.caption = "* the method has fewer units than that for some classes"
    return table


def _differences(result: Any) -> Table:
    rows = result.differences[result.differences["budget"].notna()]
    budgets = sorted(rows["budget"].unique())
    table = Table(
        title="Accuracy with the mined units off less that with the rival's off: points [95 % interval over photos]",
        box=None, title_justify="left", title_style="bold",
    )  # fmt: skip
    table.add_column("method")
    table.add_column("against")
    for budget in budgets:
        table.add_column(str(budget), justify="right")
    for (method, rival), part in rows.groupby(["method", "rival"], sort=False):
        cells = {row["budget"]: row for row in part.to_dict("records")}
        table.add_row(method, rival, *(_difference(cells.get(budget)) for budget in budgets))
    return table


def _accuracy(row: dict[str, Any]) -> str:
    error = row["spread"] if row["spread"] == row["spread"] else row["error"]
    return f"{100 * row['accuracy']:.2f} ± {100 * error:.2f}"


def _difference(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    return f"{100 * row['difference']:+.1f} [{100 * row['low']:+.1f}, {100 * row['high']:+.1f}]"


def _beyond(result: Any) -> str:
    lines = []
    if result.dominance == result.dominance:
        lines.append(
            f"Diagonal dominance {result.dominance:.2f}: 1 where only the class whose units are off falls, 0 where all "
            "fall alike."
        )
    shared = result.shared
    if len(shared):
        lines.append(
            f"Class-shared itemsets: in {int((shared['difference'] > 0).sum())} of {len(shared)} the classes of S fall "
            f"more than the others, in {int((shared['low'] > 0).sum())} by more than noise."
        )
    for kind, part in result.synergy.groupby("kind", sort=False):
        lines.append(
            f"Synergy of {kind}: together they cost {100 * part['fall'].mean():.1f} points, one by one "
            f"{100 * part['parts'].mean():.1f} (mean over {len(part)})."
        )
    return "\n".join(lines)


def write_csv(result: Any, path: Path) -> list[Path]:
    """Write the table to ``path`` and the other frames beside it, named after it."""
    from interpret.errors import InputError

    frames: dict[str, pd.DataFrame] = {"": result.table}
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
