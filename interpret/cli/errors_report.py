"""Confusion pairs, the sets behind one of them, and what ablating a set does, printed in 80 columns."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from interpret import frames
from interpret.cli.console import OUT
from interpret.words import count

if TYPE_CHECKING:
    import pandas as pd

    from interpret.evaluation.error_sets import ErrorSets
    from interpret.evaluation.mending import Changed, Mending
    from interpret.study import Study

NONE_HELD_OUT = (
    "These are the photos that the sets were found on, which flatters them: give others with --images, or run "
    "`unitscope evaluate STUDY --images DIR` first."
)


def print_pairs(study: "Study", pairs: "pd.DataFrame", held_out: "Study | None", rows: int) -> None:
    """Print which classes are taken for which, and how often."""
    from interpret.confusion.pairs import PairRow, confusion_pairs

    accuracy = study.accuracy()
    assert accuracy is not None
    right = round(accuracy[0] * accuracy[1])
    OUT.print(Text(f"{right:,} of {accuracy[1]:,} labelled photos are right ({accuracy[0]:.1%})."))
    if not len(pairs):
        OUT.print(Text("No photo is wrong, so there is nothing to explain."))
        return
    other: dict[tuple[int, int], int] = {}
    if held_out is not None:
        other = {(row.label, row.predicted): row.errors for row in frames.rows(confusion_pairs(held_out), PairRow)}
    table = Table(title=f"Confusion pairs ({min(rows, len(pairs))} of {len(pairs)})", box=None, title_justify="left")
    table.add_column("photos of")
    table.add_column("taken for")
    table.add_column("errors", justify="right")
    if held_out is not None:
        table.add_column("held out", justify="right")
    for row in frames.rows(pairs.head(rows), PairRow):
        cells = [study.class_names[row.label], study.class_names[row.predicted], f"{row.errors:,} of {row.photos:,}"]
        if held_out is not None:
            cells.append(f"{other.get((row.label, row.predicted), 0):,}")
        table.add_row(*(Text(cell) for cell in cells))
    OUT.print(table)


def print_sets(study: "Study", sets: "ErrorSets", rows: int) -> None:
    """Print the itemsets that set the errors of a pair apart from right photos."""
    from interpret.evaluation.error_sets import ErrorSetRow

    a, b = (study.class_names[class_id] for class_id in (sets.pair.label, sets.pair.predicted))
    OUT.print(
        Text(
            f"\nWhy is {a} taken for {b}? {count(len(sets.pair.errors), 'error')} against "
            f"{count(len(sets.pair.right), 'right photo')} of {a}, both explained as {b} and as {a}."
        )
    )
    significant = int(sets.found.table["significant"].sum())
    if not len(sets.table):
        OUT.print(
            Text("No set of units is in two patches of a group and more frequent there; there is nothing to list.")
        )
        return
    few = "; with few photos only a large difference could" if not significant else ""
    OUT.print(
        Text(
            f"{sets.found.tested:,} itemsets of at most {count(sets.found.largest, 'unit')} compared; "
            f"{significant or 'none'} of the closed ones "
            f"{'differs' if significant in (0, 1) else 'differ'} beyond chance (q at most 0.05{few})."
        )
    )
    table = Table(
        title="Sets; * beyond chance; mends and breaks: on these photos, with the set ablated",
        box=None,
        title_justify="left",
    )
    for name in ("units", "explained as", "errors", "right", "q", "mends", "breaks"):
        table.add_column(name, justify="left" if name in ("units", "explained as") else "right")
    for row in frames.rows(sets.table.head(rows), ErrorSetRow):
        table.add_row(
            Text(",".join(map(str, row.units)) + (" *" if row.significant else "")),
            Text(study.class_names[row.target]),
            f"{row.error_count}/{row.error_photos}",
            f"{row.right_count}/{row.right_photos}",
            f"{row.q_value:.1g}",
            f"{row.mended:.0f}",
            f"{row.broken:.0f}",
        )
    OUT.print(table)


def print_effect(study: "Study", effect: "Mending", measured_on: str, *, mined: bool) -> None:
    """Print what ablating a set mends and breaks."""
    a, b = (study.class_names[class_id] for class_id in (effect.label, effect.predicted))
    units = ",".join(map(str, effect.units))
    which = "photos that were mined" if mined else "held-out photos"
    OUT.print(Text(f"\nAblating {units}, on {effect.photos:,} {which} in {measured_on}:"))
    table = Table(box=None)
    for name in ("", "photos", "change", "95 % interval", "random units"):
        table.add_column(name, justify="left" if not name else "right")
    lines: list[tuple[str, Changed]] = [
        (f"{a} taken for {b}: mended", effect.errors),
        ("other errors: mended", effect.other_errors),
        (f"{a}, right: broken", effect.right),
        (f"{b}, right: broken", effect.right_predicted),
        ("other classes, right: broken", effect.right_others),
    ]
    for name, changed in lines:
        low, high = changed.interval
        part = "" if changed.measured == changed.photos else f" of {changed.measured:,}"
        table.add_row(
            Text(name),
            f"{changed.photos:,}",
            f"{changed.changed:,}{part}",
            f"{100 * low:.1f} to {100 * high:.1f} %" if changed.measured else "",
            f"{changed.random:.1f} ({changed.low:.0f}-{changed.high:.0f})",
        )
    OUT.print(table)
    if effect.errors.photos:
        verb = "becomes" if effect.otherwise == 1 else "become"
        OUT.print(Text(f"{effect.otherwise:,} of the errors {verb} another wrong class."))
    else:
        OUT.print(Text(f"None of these photos of {a} is taken for {b}, so what the set mends cannot be measured here."))
    interval = "" if effect.low != effect.low else f" [{100 * effect.low:+.2f}, {100 * effect.high:+.2f}]"
    OUT.print(
        Text(
            f"Net {effect.net:+.0f}: errors of the pair mended less right answers broken. Accuracy "
            f"{effect.accuracy_before:.1%}, {100 * effect.accuracy_change:+.2f} points{interval}."
        )
    )
