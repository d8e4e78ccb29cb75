"""The command `compare`: two studies side by side, before and after fine-tuning, say."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table
from rich.text import Text

from interpret.cli.console import OUT, announce
from interpret.cli.options import positive
from interpret.cli.output import check_output, write_output
from interpret.words import count, itemset_text, percent

if TYPE_CHECKING:
    from interpret.comparison import Comparison
    from interpret.study import Study


def add(commands: Any) -> None:
    """Add the command to a parser's subcommands."""
    command = commands.add_parser(
        "compare", help="two studies side by side: classes, units matched by their photos, what appeared and vanished"
    )
    command.set_defaults(command=_compare)
    for name in ("study", "other"):
        command.add_argument(name, type=Path, metavar=name.upper(), help="folder of a study")
    command.add_argument("--rows", type=positive, default=10, help="rows of each table (default: 10)")
    command.add_argument("--out", type=Path, metavar="FILE", help="write every finding, kept or not, to FILE.csv")
    command.add_argument("--units", type=Path, metavar="FILE", help="write each unit's counterpart to FILE.csv")


def _compare(arguments: argparse.Namespace) -> None:
    from interpret.comparison import compare
    from interpret.findings import Findings
    from interpret.study import open_study

    check_output(arguments.out, "--out")
    check_output(arguments.units, "--units")
    first, second = (open_study(folder, announce) for folder in (arguments.study, arguments.other))
    found = compare(Findings.of(first), Findings.of(second))
    OUT.print(Text(_photos(found)))
    OUT.print(Text(_units(found)))
    OUT.print(_classes(found, arguments.rows))
    states = found.findings["state"].value_counts()
    said = ", ".join(f"{states.get(state, 0):,} {state}" for state in ("kept", "vanished", "appeared"))
    OUT.print(Text(f"\nfindings of A in B, each at its own thresholds: {said}"))
    for state in ("vanished", "appeared"):
        if state in states:
            OUT.print(_findings(found, state, arguments.rows))
    _print_table_1(first, second)
    if arguments.out is not None:
        write_output(arguments.out, found.plain_findings().to_csv(index=False), "--out")
        OUT.print(Text(f"written: {arguments.out}"))
    if arguments.units is not None:
        write_output(arguments.units, _unit_table(found), "--units")
        OUT.print(Text(f"written: {arguments.units}"))


def _print_table_1(first: "Study", second: "Study") -> None:
    """Table 1 of both, each on the photos that it was measured on best; a line where one was not evaluated."""
    from interpret.comparison import same_photos_measured, table_1_side_by_side
    from interpret.report.measured import evaluations

    measured = []
    for study in (first, second):
        results, refused = evaluations(study)
        for sentence in refused:
            announce(sentence)
        measured += results[:1]
    if len(measured) < 2:
        OUT.print(Text("\nTable 1: not of both; `unitscope evaluate` measures a study"))
        return
    table = Table(box=None, pad_edge=False, title="Table 1: accuracy with units ablated", title_justify="left")
    table.add_column("method")
    for heading in ("accuracy A", "B", "units A", "B"):
        table.add_column(heading, justify="right")
    for method, *values in table_1_side_by_side(*measured).itertuples(index=False):
        accuracies = [percent(value, 2) for value in values[:2]]
        table.add_row(
            Text(str(method)), *accuracies, *("–" if value != value else f"{value:.2f}" for value in values[2:])
        )
    if not same_photos_measured(*measured):
        table.caption = "measured on different photos: compare how far accuracy falls within each"
    OUT.print(table)


def _photos(found: "Comparison") -> str:
    if found.photos.empty:
        return "photos: none in common"
    return f"photos: {len(found.photos):,} in common, {percent(found.agreement)} of them predicted alike"


def _units(found: "Comparison") -> str:
    from interpret.comparison.compare import LEAST_CORRELATION

    same = "the same network and layer, so units have the same numbers" if found.same_network else ""
    matches = found.matches
    if matches is None:
        return f"units: {same or 'not matched, which takes 100 photos in common; no finding has a counterpart'}"
    held = matches.correlation[matches.unit >= 0]
    median = f"{np.median(held):.2f}" if len(held) else "–"
    words = f"{count(len(held), 'unit')} matched one with one, with a median correlation of {median}"
    strong = f"{int((held >= LEAST_CORRELATION).sum()):,} of 0.5 or more, which count as counterparts"
    return f"units: {same}; {words}" if same else f"units: {words}; {strong}"


def _classes(found: "Comparison", rows: int) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("class", overflow="fold")
    for heading in ("photos A", "B", "recall A", "B", "itemsets A", "B", "supported A", "B"):
        table.add_column(heading, justify="right")
    order = found.classes.iloc[found.classes[["photos_a", "photos_b"]].sum(axis=1).argsort(kind="stable")[::-1]]
    for row in order.head(rows).itertuples(index=False):
        name, *values = row
        shown = [percent(value) if place in (2, 3) else f"{value:,}" for place, value in enumerate(values)]
        table.add_row(Text(str(name)), *shown)
    if len(order) > rows:
        table.caption = f"{count(len(order) - rows, 'more class', 'more classes')} (--rows)"
    return table


def _findings(found: "Comparison", state: str, rows: int) -> Table:
    of_state = found.findings[found.findings["state"] == state]
    table = Table(box=None, pad_edge=False, title=f"{state}: {len(of_state):,}", title_justify="left")
    for heading in ("units in A", "in B", "classes"):
        table.add_column(heading, overflow="fold")
    table.add_column("support A", justify="right")
    table.add_column("B", justify="right")
    shown = of_state.head(rows)
    columns = (shown[name].tolist() for name in ("units_a", "units_b", "classes", "support_a", "support_b"))
    for units_a, units_b, classes, support_a, support_b in zip(*columns, strict=True):
        texts = (itemset_text(units_a) or "–", itemset_text(units_b) or "–", ", ".join(classes))
        table.add_row(*(Text(text) for text in texts), percent(support_a), percent(support_b))
    return table


def _unit_table(found: "Comparison") -> str:
    if found.matches is None:
        return "unit,counterpart,correlation,best,best_correlation\n"
    return found.matches.table().to_csv(index=False)
