"""Charts of an evaluation: accuracy against units ablated or kept."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from interpret.figures.colours import OTHER, on_dark, rgb
from interpret.figures.method_styles import style_of
from interpret.figures.plotly_style import CLEAR, FAINT, LIGHT, Paper
from interpret.stats import wilson

DASHES = {"-": "solid", "--": "dash", ":": "dot"}


def accuracy_curves(
    table: pd.DataFrame,
    baseline: float,
    *,
    methods: Sequence[str] | None = None,
    kept: bool = False,
    paper: Paper = LIGHT,
) -> go.Figure:
    """Accuracy against the number of units, a line with a band for each ranking.

    Args:
        table: ``Evaluation.table``, or ``Evaluation.keep`` with ``kept``.
        baseline: accuracy with all units active (fraction), drawn as a dotted line.
        methods: which methods; all if None.
        kept: the units on the axis are kept and all others ablated.
        paper: colours of text and background; on a dark one, dark lines are lightened.

    The band of random draws is their 5th to 95th percentile, that of any other method Wilson's 95 % interval.
    """
    figure = go.Figure()
    rows = table[table["budget"].fillna(0) > 0]
    for method, part in rows.groupby("method", sort=False):
        if methods is not None and method not in methods:
            continue
        part = part.sort_values("budget")
        colour, dash, width = style_of(str(method))
        colour = colour if paper == LIGHT else on_dark(colour, paper.ground)
        x = part["budget"].astype(int).tolist()
        drawn = part["low"].notna().all()
        own = wilson(part["accuracy"] * part["photos"], part["photos"])
        low, high = (part["low"], part["high"]) if drawn else own
        figure.add_scatter(
            x=[*x, *x[::-1]],
            y=[*high, *low[::-1]],
            mode="lines",
            fill="toself",
            fillcolor=f"rgba{(*rgb(colour), 0.28 if drawn else 0.12)}",
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
            legendgroup=str(method),
        )
        figure.add_scatter(
            x=x,
            y=part["accuracy"],
            name=str(method),
            legendgroup=str(method),
            mode="lines+markers",
            line={"color": colour, "width": width + 0.4, "dash": DASHES[dash]},
            marker={"size": 6},
            customdata=np.stack([part["units"], low, high, part["photos"]], axis=1),
            hovertemplate=f"{method}: %{{y:.1%}} (%{{customdata[1]:.1%}} to %{{customdata[2]:.1%}})<br>"
            "%{customdata[0]:.1f} units of each class<br>%{customdata[3]:,} photos<extra></extra>",
        )
    figure.add_hline(y=baseline, line={"width": 1.2, "dash": "dot", "color": OTHER})
    figure.update_layout(
        height=460,
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        dragmode=False,
        # Above the plot: on a poster's screen text is twice as large, and the axis needs the space below.
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    ticks = sorted(int(budget) for budget in rows["budget"].unique())
    label = "units kept of each class, all others ablated" if kept else "units ablated of each class"
    figure.update_xaxes(type="log", title=label, tickvals=ticks, ticktext=[str(t) for t in ticks], showgrid=False)
    figure.update_yaxes(title="accuracy", tickformat=".0%", range=[0, 1.03], gridcolor=FAINT, zeroline=False)
    return figure
