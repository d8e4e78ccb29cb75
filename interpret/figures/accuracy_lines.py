"""The accuracy curves of an evaluation as coordinates, for a drawing that needs no library where it is shown."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from interpret.figures.method_styles import style_of
from interpret.stats import wilson

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 12, 42
"""Margins of the plot in the drawing, which is WIDTH by HEIGHT units."""

DASHES = {"-": "none", "--": "7 4", ":": "2 3"}


@dataclass(frozen=True)
class Line:
    """The curve of one ranking.

    Attributes:
        method: its name.
        colour: `#rrggbb`.
        dash: lengths of dashes and gaps, or `none`.
        width: of the line.
        points: x,y of each budget.
        band: the outline of its interval: the 5th to 95th percentile of random draws, else Wilson's 95 % over photos.
    """

    method: str
    colour: str
    dash: str
    width: float
    points: tuple[tuple[float, float], ...]
    band: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Curves:
    """Accuracy against units ablated, or kept.

    Attributes:
        lines: of the rankings.
        across: place and text of each mark of the axis of budgets.
        down: place and text of each mark of the axis of accuracies.
        baseline: place of the accuracy with all units active.
    """

    lines: tuple[Line, ...]
    across: tuple[tuple[float, str], ...]
    down: tuple[tuple[float, str], ...]
    baseline: float


def accuracy_lines(table: pd.DataFrame, baseline: float) -> Curves | None:
    """Lay out accuracy (0 to 100 %) against the logarithm of the number of units; None where there is no budget.

    Args:
        table: ``Evaluation.table``, or ``Evaluation.keep``.
        baseline: accuracy with all units active (fraction).
    """
    rows = table[table["budget"].fillna(0) > 0]
    if rows.empty:
        return None
    budgets = sorted(int(budget) for budget in rows["budget"].unique())
    low, high = np.log(budgets[0]), np.log(budgets[-1])
    reach = float(high - low) or 1.0

    def x(budget: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * float(np.log(budget) - low) / reach, 1)

    def y(accuracy: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - accuracy), 1)

    lines = []
    for method, unsorted in rows.groupby("method", sort=False):
        part = unsorted.sort_values("budget")
        colour, dash, width = style_of(str(method))
        own = wilson(part["accuracy"] * part["photos"], part["photos"])
        lower, upper = (part["low"], part["high"]) if part["low"].notna().all() else own
        places = [x(budget) for budget in part["budget"].astype(float)]
        top, bottom = ([y(float(value)) for value in values] for values in (upper, lower))
        band = [*zip(places, top, strict=True), *reversed(list(zip(places, bottom, strict=True)))]
        points = zip(places, [y(float(value)) for value in part["accuracy"]], strict=True)
        lines.append(Line(str(method), colour, DASHES[dash], width, tuple(points), tuple(band)))
    return Curves(
        lines=tuple(lines),
        across=tuple((x(budget), str(budget)) for budget in budgets),
        down=tuple((y(share / 100), f"{share}") for share in range(0, 101, 25)),
        baseline=y(baseline),
    )
