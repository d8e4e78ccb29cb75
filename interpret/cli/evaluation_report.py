"""Table 1 and what else an evaluation measured, printed."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from interpret.cli.console import OUT

if TYPE_CHECKING:
    from interpret.evaluation.evaluate import Evaluation


def print_evaluation(result: "Evaluation") -> None:
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


def _natural(result: "Evaluation") -> Table:
    from interpret.evaluation import published
    from interpret.evaluation.table1 import BASELINE

    theirs = published.poster_rows(result.about["model"])
    table = Table(title="Each method's own number of units", box=None, title_justify="left", title_style="bold")
    for name in ("method", "units ablated", "accuracy", *(("the poster: accuracy", "units") if theirs else ())):
        table.add_column(name, justify="left" if name == "method" else "right")
    rows = result.table[result.table["budget"].isna() | (result.table["method"] == BASELINE)]
    for row in rows.to_dict("records"):
        cells = [row["method"], f"{row['units']:.2f}", _accuracy(row)]
        if theirs:
            known = theirs.get("Random" if row["method"] == "Random, as Ours-10" else row["method"])
            cells += [f"{known.accuracy:.2f} ± {known.error:.2f}", f"{known.units:.2f}"] if known else ["", ""]
        table.add_row(*cells)
    return table


def _equal(result: "Evaluation") -> Table:
    rows = result.table[result.table["budget"].fillna(0) > 0]
    budgets = sorted(rows["budget"].unique())
    # Names and numbers in 80 columns; with errors, every cell would take two lines and names would be cut.
    table = Table(
        title="The same number of units ablated: accuracy in percent (errors with --out)",
        box=None, title_justify="left", title_style="bold",
    )  # fmt: skip
    table.add_column("method", no_wrap=True)
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
            cells.append(f"{100 * row['accuracy']:.1f}" + ("*" if fewer else ""))
        table.add_row(str(method), *cells)
    if short:
        table.caption = "* the method has fewer units than that for some classes"
    return table


def _differences(result: "Evaluation") -> Table:
    rows = result.differences[result.differences["budget"].notna()]
    budgets = sorted(rows["budget"].unique())
    table = Table(
        title="Accuracy with the mined units ablated less that with the rival's: points; * the 95 % interval over "
        "photos leaves out 0 (intervals with --out)",
        box=None, title_justify="left", title_style="bold", padding=(0, 1, 0, 0),
    )  # fmt: skip
    table.add_column("method", no_wrap=True)
    table.add_column("against", no_wrap=True)
    for budget in budgets:
        table.add_column(str(budget), justify="right")
    for (method, rival), part in rows.groupby(["method", "rival"], sort=False):
        cells = {row["budget"]: row for row in part.to_dict("records")}
        table.add_row(str(method), str(rival), *(_difference(cells.get(budget)) for budget in budgets))
    return table


def _accuracy(row: Mapping[Hashable, Any]) -> str:
    error = row["spread"] if row["spread"] == row["spread"] else row["error"]
    return f"{100 * row['accuracy']:.2f} ± {100 * error:.2f}"


def _difference(row: Mapping[Hashable, Any] | None) -> str:
    if row is None:
        return ""
    if row["low"] != row["low"]:  # a single photo has no interval
        return f"{100 * row['difference']:+.1f}"
    return f"{100 * row['difference']:+.1f}" + ("*" if row["low"] > 0 or row["high"] < 0 else "")


def _beyond(result: "Evaluation") -> str:
    lines = []
    if result.dominance == result.dominance:
        lines.append(
            f"Diagonal dominance {result.dominance:.2f}: 1 where only the class whose units are ablated "
            "falls, 0 where all fall alike."
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
