"""Charts of what each class's units do to every other class: cells to click for a few classes, a map for many."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from interpret.figures.colours import OTHER, VIRIDIS, plotly_scale
from interpret.figures.plotly_style import CLEAR, FAINT, plain, safe

FEW = 30
"""Classes (count) up to which every pair is a cell to click."""

NAME = 22
"""Characters of a class's name beside the map; the rest is cut."""


# Beside a matrix the scale would take a third of a phone's width.
_ABOVE: dict[str, object] = {"orientation": "h", "thickness": 8, "y": 1.01, "yanchor": "bottom"}


def influence_matrix(falls: pd.DataFrame, names: Sequence[str], *, narrow: bool = False) -> go.Figure:
    """How far the accuracy of class B (columns) falls with the units of class A (rows) ablated.

    Args:
        falls: ``Evaluation.matrix``.
        names: of its classes, in its order.
        narrow: for a phone's width: upright names and a scale above the matrix.

    Plotly's heatmaps return no clicks: nearly transparent squares lie over the cells, with the class ids (A, B) as
    customdata.
    """
    values = falls.to_numpy(float)
    names = [safe(name) for name in names]
    n = len(values)
    beside = {"title": {"text": "fall of accuracy", "side": "right"}, "thickness": 12}
    above = {"title": {"text": "fall of accuracy", "side": "top"}, **_ABOVE}
    heat = go.Heatmap(
        z=np.clip(values, 0, None),
        x=list(range(n)),
        y=list(range(n)),
        colorscale=plotly_scale(VIRIDIS),
        zmin=0,
        zmax=max(float(values.max(initial=0.0)), 1e-9),
        xgap=1,
        ygap=1,
        hoverinfo="skip",
        colorbar={"tickformat": ".0%", **(above if narrow else beside)},
    )
    across, down = np.meshgrid(np.arange(n), np.arange(n))
    pairs = list(zip(down.ravel().tolist(), across.ravel().tolist(), strict=True))
    squares = go.Scatter(
        x=across.ravel(),
        y=down.ravel(),
        mode="markers",
        marker={"symbol": "square", "size": 16, "color": "rgba(255,255,255,0.01)", "line": {"width": 0}},
        customdata=[[int(falls.index[a]), int(falls.columns[b])] for a, b in pairs],
        text=[
            f"units of {names[a]} ablated: {names[b]} {'falls' if values[a, b] >= 0 else 'gains'} "
            f"{100 * abs(values[a, b]):.1f} points"
            for a, b in pairs
        ],
        hovertemplate="%{text}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )
    figure = go.Figure([heat, squares])
    figure.update_layout(
        height=140 + 32 * max(n, 3),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        showlegend=False,
        dragmode=False,
        clickmode="event+select",
    )
    figure.update_xaxes(
        title="class measured", tickvals=list(range(n)), ticktext=names, tickangle=-90 if narrow else -45
    )
    figure.update_yaxes(
        title="class whose units are ablated", tickvals=list(range(n)), ticktext=names, autorange="reversed"
    )
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(showgrid=False, zeroline=False)
    return figure


def influence_map(falls: pd.DataFrame, names: Sequence[str], order: npt.NDArray[np.int64]) -> go.Figure:
    """The same for many classes: one picture of all pairs, classes that affect each other side by side.

    It is as large for a thousand classes as for fifty. Dragging enlarges a part, a double click shows all again; names
    stand at the axes where there is room for them. Falls are rounded to whole points, a byte each. Colours end at the
    largest fall of another class, so that the classes' own do not outshine it; gains have the colour of 0.

    Args:
        falls: ``Evaluation.matrix``.
        names: of its classes, in its order.
        order: (c,) places of the classes along both axes, see :func:`interpret.evaluation.cross_class.clustered`.
    """
    values = falls.to_numpy(float)[np.ix_(order, order)]
    points = np.nan_to_num(np.round(100 * values)).astype(np.int8)
    labels = _different([safe(_cut(names[place])) for place in order.tolist()])
    figure = go.Figure(
        go.Heatmap(
            z=points,
            x=labels,
            y=labels,
            colorscale=plotly_scale(VIRIDIS),
            zmin=0,
            zmax=max(int(points[~np.eye(len(points), dtype=bool)].max(initial=0)), 1),
            hovertemplate="units of %{y} ablated:<br>%{x} falls by %{z} points<extra></extra>",
            colorbar={"title": {"text": "fall, points", "side": "top"}, **_ABOVE},
        )
    )
    plain(figure, 560)
    figure.update_layout(dragmode="zoom", hoverlabel={"align": "left"})
    axis = {"showgrid": False, "zeroline": False, "type": "category", "nticks": 8, "tickfont": {"size": 11}}
    figure.update_xaxes(title="class measured", tickangle=-45, **axis)
    figure.update_yaxes(title="class whose units are ablated", autorange="reversed", **axis)
    return figure


def affected_bars(
    falls: npt.NDArray[np.float64], class_ids: Sequence[int], names: Sequence[str], own: int
) -> go.Figure:
    """The classes that fall most with one class's units ablated, a bar each; a click returns the class.

    Args:
        falls: (k,) by how much each falls (fraction), the largest first.
        class_ids: (k,) the classes.
        names: (k,) their names.
        own: the class whose units are ablated, drawn in another colour.
    """
    rows = list(range(len(names)))
    colours = ["#0072B2" if class_id == own else OTHER for class_id in class_ids]
    figure = go.Figure(
        go.Bar(
            x=falls,
            y=rows,
            orientation="h",
            marker={"color": colours},
            text=[f"{100 * fall:.1f}" for fall in falls],
            textposition="outside",
            cliponaxis=False,
            customdata=[[int(class_id)] for class_id in class_ids],
            hovertemplate="%{text} points<extra></extra>",
            unselected={"marker": {"opacity": 1}},
        )
    )
    plain(figure, 60 + 26 * max(len(names), 2), clickmode="event+select")
    low, high = min(0.0, float(falls.min(initial=0.0))), max(0.05, float(falls.max(initial=0.0)))
    figure.update_xaxes(title="fall of accuracy", tickformat=".0%", range=[1.15 * low, 1.15 * high], gridcolor=FAINT)
    figure.update_yaxes(
        tickvals=rows, ticktext=[safe(_cut(name)) for name in names], autorange="reversed", showgrid=False
    )
    return figure


def _cut(name: str) -> str:
    return name if len(name) <= NAME else name[: NAME - 1].rstrip() + "…"


def _different(labels: list[str]) -> list[str]:
    """Labels of which no two are alike: what is alike would share a row of the map."""
    seen: dict[str, int] = {}
    found = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        found.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return found
