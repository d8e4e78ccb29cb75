"""Charts of itemsets beside single units: shares and ratios with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from interpret.figures.colours import OTHER, on_dark
from interpret.figures.plotly_style import CLEAR, FAINT, LIGHT, Paper, safe

ITEMSETS, EVIDENCE, RANDOM, MINED, WRONG = "#0072B2", "#882255", OTHER, "#56B4E9", "#D55E00"
"""Colours of itemsets, single units of most evidence, random sets and contrast, mined photos, wrong predictions."""

ROW = 54
"""Height of one category (pixels)."""


@dataclass(frozen=True, eq=False)
class Series:
    """Figures of one kind, one for each category.

    Attributes:
        name: what they are, for the legend.
        colour: of the markers.
        values: one a category; NaN where there is none.
        lows: lower ends of the intervals; NaN where there is none.
        highs: upper ends.
        counts: what each is a figure of, in words, for the tooltip.
        symbol: of the markers.
    """

    name: str
    colour: str
    values: Sequence[float]
    lows: Sequence[float]
    highs: Sequence[float]
    counts: Sequence[str]
    symbol: str = "circle"


def intervals(
    categories: Sequence[str],
    series: Sequence[Series],
    title: str,
    *,
    reference: float | None = None,
    share: bool = True,
    paper: Paper = LIGHT,
) -> go.Figure:
    """Figures with their 95 % intervals: categories one below the other, the kinds of figure side by side in each.

    Args:
        categories: their names, top first; a line break is kept.
        series: the kinds.
        title: of the horizontal axis.
        reference: a line is drawn at this value.
        share: the figures are fractions, written in percent; else ratios.
        paper: colours of text and background; on a dark one, dark markers are lightened.
    """
    figure = go.Figure()
    shift = np.linspace(-0.24, 0.24, len(series)) if len(series) > 1 else np.zeros(1)
    written = ".1%" if share else ".2f"
    for place, one in zip(shift, series, strict=True):
        colour = one.colour if paper == LIGHT else on_dark(one.colour, paper.ground)
        values, lows, highs = (np.asarray(each, float) for each in (one.values, one.lows, one.highs))
        ends = [
            f" ({low:{written}} to {high:{written}})" if low == low else ""
            for low, high in zip(lows, highs, strict=True)
        ]
        figure.add_scatter(
            x=values,
            y=np.arange(len(categories)) + place,
            mode="markers",
            name=one.name,
            marker={"color": colour, "size": 10, "symbol": one.symbol},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": np.nan_to_num(highs - values),
                "arrayminus": np.nan_to_num(values - lows),
                "thickness": 1.6,
                "width": 4,
                "color": colour,
            },
            customdata=np.stack([np.array(ends, object), np.array(one.counts, object)], axis=1),
            hovertemplate=f"{safe(one.name)}: %{{x:{written}}}%{{customdata[0]}}<br>%{{customdata[1]}}<extra></extra>",
        )
    if reference is not None:
        figure.add_vline(x=reference, line={"width": 1.2, "dash": "dot", "color": OTHER})
    figure.update_layout(
        height=120 + ROW * len(categories),
        margin={"l": 8, "r": 8, "t": 36, "b": 8},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        dragmode=False,
        hoverlabel={"align": "left"},
        showlegend=len(series) > 1,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(title=title, tickformat=".0%" if share else ".2~f", gridcolor=FAINT, zeroline=False)
    if share:
        largest = max(float(np.nanmax([*one.values, *one.highs, 0.0])) for one in series)
        figure.update_xaxes(range=[-0.02, min(1.04, 1.08 * largest + 0.03)])
    figure.update_yaxes(
        tickvals=list(range(len(categories))),
        ticktext=[safe(name).replace("\n", "<br>") for name in categories],
        range=[len(categories) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    return figure
