"""The command `dissect`: which part each unit detects, and how much of what was mined is true of the classes."""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from interpret import frames
from interpret.cli.console import OUT, announce
from interpret.cli.options import add_options, add_progress_file, add_study, configured, inherited, values_of
from interpret.cli.progress_bar import progress_bar
from interpret.config import DEFAULT_QUANTILE, DissectConfig, MineConfig, RunConfig

if TYPE_CHECKING:
    import pandas as pd

    from interpret.dissection.result import Dissection


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser("dissect", help="compare units with parts that are known (the demo brings its own)")
    command.set_defaults(command=_dissect)
    add_study(command)
    command.add_argument("--images", metavar="DIR", help="held-out images; the demo's own if not given")
    command.add_argument("--masks", metavar="DIR", help="masks of their parts; the demo's own if not given")
    add_progress_file(command)
    add_options(command, DissectConfig)
    add_options(command, RunConfig, only=("limit",))
    add_options(
        command, MineConfig, only=("top_units", "min_support", "contrast_quantile", "contrast_shared"), inherit=True
    )


def _dissect(arguments: argparse.Namespace) -> None:
    from interpret.dissection.dissect import dissect, judged_itemsets
    from interpret.dissection.supported import supported_shares
    from interpret.mining import mine_study
    from interpret.mining.ranked_units import quantile_of
    from interpret.progress import DONE, Progress
    from interpret.study import open_study

    config = configured(arguments, DissectConfig)
    photos = values_of(arguments, RunConfig)
    study = open_study(arguments.study, announce, arguments.roots)
    mine = inherited(arguments, study.mine_config)
    with progress_bar(arguments.progress_file) as progress:
        result = dissect(
            study,
            **photos,
            mine=mine,
            masks=arguments.masks,
            quantile=config.quantile,
            level=config.level,
            progress=progress,
            announce=announce,
        )
        progress(Progress(DONE, 1, 1))
    print_dissection(result)
    own = quantile_of(study, mine)
    for quantile in (own, DEFAULT_QUANTILE if own == 0.0 else 0.0) if study.has_contrast else (own,):
        mined = mine_study(study, replace(mine, contrast_quantile=quantile))
        judged = judged_itemsets(mined, result.units, result.parts, result.has)
        kind = f"contrastive transactions, quantile {quantile:g}" if quantile else "the poster's transactions"
        print_supported(supported_shares(judged, mined, result.units, result.parts, result.has), kind)


def print_dissection(result: "Dissection") -> None:
    """Print how many units detect a part, how many itemsets are true, and the best detectors."""
    from interpret.dissection.verdicts import ShareRow

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
    for row in frames.rows(result.shares, ShareRow):
        table.add_row(
            row.kind, "any" if row.size == 0 else str(row.size), str(row.itemsets), f"{row.share:.1%}",
            f"{row.share_decided:.1%}", f"{row.random:.1%} ± {row.random_sd:.1%}",
            f"{row.share_any:.1%} ({row.random_any:.1%})", f"{row.share_each:.1%} ({row.random_each:.1%})",
        )  # fmt: skip
    OUT.print(table)
    best = result.units.sort_values("iou", ascending=False).head(12)
    OUT.print(Text("\nBest detectors: " + ", ".join(f"{u} {p} ({i:.2f})" for u, p, i in zip(
        best["unit"], best["best_part"], best["iou"], strict=True))))  # fmt: skip


def print_supported(shares: "pd.DataFrame", kind: str) -> None:
    """Print how many supported and how many other itemsets are true; ``kind`` names the transactions."""
    from interpret.dissection.supported import SupportedRow

    table = Table(title=f"By what the contrast says ({kind})", box=None, title_justify="left")
    for name in ("kind", "findings", "itemsets", "true", "random units"):
        table.add_column(name, justify="left" if name in ("kind", "findings") else "right")
    for row in frames.rows(shares, SupportedRow):
        known = (f"{row.share:.1%}", f"{row.random:.1%}") if row.itemsets else ("", "")
        table.add_row(row.kind, row.findings, str(row.itemsets), *known)
    OUT.print(table)
