"""The command `dissect`: which part each unit detects, and how much of what was mined is true of the classes."""

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from interpret.cli.console import OUT, announce
from interpret.cli.options import add_progress_file, add_study, positive
from interpret.cli.progress_bar import progress_bar

if TYPE_CHECKING:
    from interpret.dissection.dissect import Dissection


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("dissect", help="compare units with parts that are known (the demo brings its own)")
    command.set_defaults(command=_dissect)
    add_study(command)
    command.add_argument("--images", metavar="DIR", help="held-out images; the demo's own if not given")
    command.add_argument("--masks", metavar="DIR", help="masks of their parts; the demo's own if not given")
    command.add_argument("--limit", type=positive, help="use at most this many images, evenly over the classes")
    command.add_argument(
        "--quantile", type=float, default=0.005, help="share of activations above a unit's threshold (default 0.005)"
    )
    command.add_argument(
        "--level", type=float, default=0.04, help="IoU from which a unit detects a part (default 0.04)"
    )
    command.add_argument("--top-units", type=positive, help="judge what is mined with this N, not the study's")
    command.add_argument("--min-support", type=float, help="judge what is mined with this s, not the study's")
    add_progress_file(command)


def _dissect(arguments: argparse.Namespace) -> None:
    from interpret.dissection.dissect import dissect
    from interpret.errors import InputError
    from interpret.progress import Progress
    from interpret.study import open_study

    for name in ("quantile", "level"):
        if not 0 < getattr(arguments, name) < 1:
            raise InputError(f"--{name} is {getattr(arguments, name)}; give a fraction between 0 and 1.")
    study = open_study(arguments.study)
    given = {name: getattr(arguments, name) for name in ("top_units", "min_support") if getattr(arguments, name)}
    with progress_bar(arguments.progress_file) as progress:
        result = dissect(
            study,
            mine=dataclasses.replace(study.mine_config, **given),
            images=arguments.images,
            masks=arguments.masks,
            limit=arguments.limit,
            quantile=arguments.quantile,
            level=arguments.level,
            progress=progress,
            announce=announce,
        )
        progress(Progress("Done", 1, 1))
    print_dissection(result)


def print_dissection(result: "Dissection") -> None:
    """Print how many units detect a part, how many itemsets are true, and the best detectors."""
    facts = result.facts
    OUT.print(
        Text(
            f"{facts['images']:,} held-out images; of {facts['units']} units {facts['units_at_0.04']} detect a part at "
            f"IoU 0.04, {facts['units_at_0.1']} at 0.1."
        )
    )
    table = Table(title="Itemsets whose parts are parts of their classes", box=None, title_justify="left")
    heads = ("kind", "units", "itemsets", "true", "of decided", "random units", "any part (random)", "each (random)")
    for name in heads:
        table.add_column(name, justify="left" if name == "kind" else "right")
    for row in result.shares.itertuples():
        table.add_row(
            row.kind, "any" if row.size == 0 else str(row.size), str(row.itemsets), f"{row.share:.1%}",
            f"{row.share_decided:.1%}", f"{row.random:.1%} ± {row.random_sd:.1%}",
            f"{row.share_any:.1%} ({row.random_any:.1%})", f"{row.share_each:.1%} ({row.random_each:.1%})",
        )  # fmt: skip
    OUT.print(table)
    best = result.units.sort_values("iou", ascending=False).head(12)
    OUT.print(Text("\nBest detectors: " + ", ".join(f"{u} {p} ({i:.2f})" for u, p, i in zip(
        best["unit"], best["best_part"], best["iou"], strict=True))))  # fmt: skip
