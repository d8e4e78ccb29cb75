"""Charts of ablation: a prediction and a class's accuracy, with and without units."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from interpret.evaluation.effect import ClassEffect
from interpret.figures.colours import OTHER
from interpret.figures.plotly_style import CLEAR, FAINT, percent, plain, safe
from interpret.stats import wilson


def shift_bars(
    names: Sequence[str],
    before: Sequence[float],
    after: Sequence[float],
    colours: Sequence[str],
    random: Sequence[tuple[float, float, float]] = (),
) -> go.Figure:
    """Probabilities of a few classes: a hollow bar with all units active, a full bar within it with units ablated.

    Args:
        names: of the classes.
        before: with all units active.
        after: with units ablated.
        colours: of the classes.
        random: the smallest, the median and the largest with as many random units ablated, drawn as a diamond on a
            line; nothing if empty.
    """
    figure = go.Figure()
    rows = list(range(len(names)))
    figure.add_bar(
        x=list(before),
        y=rows,
        orientation="h",
        width=0.72,
        name="all units active",
        marker={"color": CLEAR, "line": {"color": list(colours), "width": 1.5}},
        hovertemplate="all units active: %{x:.1%}<extra></extra>",
    )
    figure.add_bar(
        x=list(after),
        y=rows,
        orientation="h",
        width=0.5,
        name="now",
        marker={"color": list(colours)},
        text=[percent(value) for value in after],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="now: %{x:.1%}<extra></extra>",
    )
    if random:
        low, middle, high = (list(values) for values in zip(*random, strict=True))
        figure.add_scatter(
            x=middle,
            y=[row + 0.44 for row in rows],  # below the bar, whose end may be in the same place
            mode="markers",
            name="as many random units ablated",
            marker={"symbol": "diamond", "size": 9, "color": OTHER, "line": {"color": "#ffffff", "width": 1.2}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [top - value for top, value in zip(high, middle, strict=True)],
                "arrayminus": [value - end for end, value in zip(low, middle, strict=True)],
                "thickness": 1.6,
                "color": OTHER,
            },
            customdata=list(zip(low, high, strict=True)),
            hovertemplate="as many random units ablated: median %{x:.1%}, %{customdata[0]:.1%} to %{customdata[1]:.1%}"
            "<extra></extra>",
        )
    plain(figure, 44 + 40 * len(names), barmode="overlay")
    figure.update_xaxes(range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.5, 1], gridcolor=FAINT, zeroline=False)
    figure.update_yaxes(tickvals=rows, ticktext=[safe(name) for name in names], autorange="reversed", showgrid=False)
    return figure


def class_effect(effect: ClassEffect, colour: str) -> go.Figure:
    """A class's accuracy with all units active, with the chosen ones ablated, and with as many random ones ablated.

    Args:
        effect: from :func:`interpret.evaluation.effect.ablate_class`.
        colour: the class's.

    The lines are Wilson's 95 % intervals over the photos, and the 5th to 95th percentile of the random draws.
    """
    n = len(effect.units)
    labels = ["all units active", f"{n} unit{'s' * (n != 1)} ablated", "as many random ones ablated"]
    low, high = effect.band
    lows, highs = wilson(np.array([effect.before, effect.after]) * effect.n, effect.n)
    shares = [effect.before, effect.after, float(effect.random.mean()) if len(effect.random) else effect.before]
    figure = go.Figure(
        go.Bar(
            x=shares,
            y=[0, 1, 2],
            orientation="h",
            width=0.62,
            marker={"color": [CLEAR, colour, OTHER], "line": {"color": [colour, colour, OTHER], "width": 1.5}},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [*(highs - shares[:2]), max(0.0, high - shares[2])],
                "arrayminus": [*(shares[:2] - lows), max(0.0, shares[2] - low)],
                "thickness": 1.4,
                "color": OTHER,
            },
            customdata=[[lows[0], highs[0]], [lows[1], highs[1]], [low, high]],
            hovertemplate=f"%{{x:.1%}} of {effect.n:,} photos<br>%{{customdata[0]:.1%}} to %{{customdata[1]:.1%}}"
            "<extra></extra>",
        )
    )
    figure.update_layout(
        height=170,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        showlegend=False,
        dragmode=False,
    )
    ends = [*highs.tolist(), max(high, shares[2])]
    for row, (share, end) in enumerate(zip(shares, ends, strict=True)):  # beyond the error bar
        figure.add_annotation(x=end + 0.01, y=row, text=percent(share), showarrow=False, xanchor="left")
    figure.update_xaxes(range=[0, 1.3], tickformat=".0%", tickvals=[0, 0.5, 1], gridcolor=FAINT, zeroline=False)
    figure.update_yaxes(tickvals=[0, 1, 2], ticktext=labels, autorange="reversed", showgrid=False)
    return figure
