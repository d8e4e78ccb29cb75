"""Charts of classes and units: the class x unit map, and the graph that joins classes with their units."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from interpret.figures.colours import OTHER, VIRIDIS, plotly_scale
from interpret.figures.graph_layout import graph_layout
from interpret.figures.plotly_style import LIGHT, Paper, percent, plain, safe


def class_unit_map(
    support: npt.NDArray[np.floating],
    class_names: Sequence[str],
    units: Sequence[int],
    *,
    counts: npt.NDArray[np.integer] | None = None,
    called: Sequence[str] | None = None,
) -> go.Figure:
    """The class x unit map: the share of a class's patches that hold a unit.

    Args:
        support: (classes, units), 0..1.
        class_names: the rows, top first.
        units: the columns.
        counts: (classes, units), patches that hold the unit, for the tooltips.
        called: what tooltips call each unit; `unit 39` if not given.

    Plotly's heatmaps return no clicks: nearly transparent squares lie over the cells, with customdata (row, unit).
    """
    rows, columns = support.shape
    labels = [str(unit) for unit in units]
    told = _told(units, called)
    text = [
        [
            f"{told[column]} in {safe(class_names[row])}: {percent(support[row, column])} of patches"
            + ("" if counts is None else f" ({int(counts[row, column]):,})")
            for column in range(columns)
        ]
        for row in range(rows)
    ]
    heat = go.Heatmap(
        z=support,
        x=labels,
        y=list(range(rows)),
        colorscale=plotly_scale(VIRIDIS),
        zmin=0,
        zmax=float(max(support.max(initial=0.0), 1e-9)),
        xgap=1,
        ygap=1,
        hoverinfo="skip",
        colorbar={"title": {"text": "share of patches", "side": "right"}, "tickformat": ".0%", "thickness": 12},
    )
    across, down = np.meshgrid(np.arange(columns), np.arange(rows))
    squares = go.Scatter(
        x=[labels[column] for column in across.ravel().tolist()],
        y=down.ravel(),
        mode="markers",
        marker={"symbol": "square", "size": 16, "color": "rgba(255,255,255,0.01)", "line": {"width": 0}},
        customdata=[
            [row, int(units[column])]
            for row, column in zip(down.ravel().tolist(), across.ravel().tolist(), strict=True)
        ],
        text=[cell for line in text for cell in line],
        hovertemplate="%{text}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )
    figure = plain(go.Figure([heat, squares]), 96 + 30 * max(rows, 3), clickmode="event+select")
    figure.update_xaxes(type="category", title="unit", tickangle=-90, showgrid=False, tickfont={"family": "monospace"})
    figure.update_xaxes(range=[-0.5, columns - 0.5], ticks="")
    figure.update_yaxes(tickvals=list(range(rows)), ticktext=[safe(name) for name in class_names], ticks="")
    figure.update_yaxes(range=[rows - 0.5, -0.5], showgrid=False, zeroline=False)
    return figure


def _told(units: Sequence[int], called: Sequence[str] | None) -> list[str]:
    """What tooltips call units, safe as markup."""
    return [safe(name) for name in called] if called is not None else [f"unit {unit}" for unit in units]


def class_unit_graph(
    weights: npt.NDArray[np.floating],
    class_names: Sequence[str],
    colours: Sequence[str],
    units: Sequence[int],
    paper: Paper = LIGHT,
    *,
    narrow: bool = False,
    called: Sequence[str] | None = None,
) -> go.Figure:
    """The graph of classes and units: classes on an oval, shared units in the middle, units of one class outside.

    Args:
        weights: (classes, units), the support of a unit in a class, 0 where it is below the threshold.
        class_names: names of the classes.
        colours: one for each class.
        units: the units.
        paper: colours of text and background.
        narrow: for a phone's width: names above and below their classes, a word a line, and smaller marks.
        called: what tooltips call each unit; `unit 39` if not given.

    Each unit's customdata is (-1, unit), each class's (row, -1).
    """
    lines = [name.split(" ") if narrow else [name] for name in class_names]
    layout = graph_layout(weights, lines, narrow=narrow)
    ring, place = layout.ring, layout.place
    figure = go.Figure()
    for row in range(len(class_names)):
        ends = np.flatnonzero(weights[row] > 0)
        x = [value for column in ends for value in (ring[row, 0], place[column, 0], None)]
        y = [value for column in ends for value in (ring[row, 1], place[column, 1], None)]
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": colours[row], "width": 1.4}, opacity=0.55, hoverinfo="skip"
        )
    serves = [
        ", ".join(
            class_names[row] for row in np.argsort(-weights[:, column], kind="stable") if weights[row, column] > 0
        )
        for column in range(len(units))
    ]
    shared = (weights > 0).sum(axis=0)
    owner = weights.argmax(axis=0) if len(class_names) else np.zeros(len(units), int)
    figure.add_scatter(
        x=place[:, 0],
        y=place[:, 1],
        mode="markers+text",
        text=[str(unit) for unit in units],
        textfont={"family": "monospace", "size": 10 if narrow else 12, "color": paper.ink},
        textposition="middle center",
        marker={
            "size": 24 if narrow else 32,
            "symbol": "square",
            "color": paper.ground,
            "line": {
                "width": 1.6,
                "color": [OTHER if n > 1 else colours[c] for n, c in zip(shared, owner, strict=True)],
            },
        },
        customdata=[[-1, int(unit)] for unit in units],
        hovertext=[f"{unit}: {safe(names)}" for unit, names in zip(_told(units, called), serves, strict=True)],
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )
    figure.add_scatter(
        x=ring[:, 0],
        y=ring[:, 1],
        mode="markers+text",
        text=[f"<b>{'<br>'.join(map(safe, name))}</b>" for name in lines],
        textfont={"size": 13 if narrow else 14, "color": paper.ink},
        textposition=layout.positions,
        marker={"size": 14 if narrow else 20, "color": list(colours), "line": {"width": 2, "color": paper.ground}},
        customdata=[[row, -1] for row in range(len(class_names))],
        hovertemplate="%{text}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
        cliponaxis=False,
    )
    plain(figure, layout.height, clickmode="event+select", hovermode="closest")
    figure.update_layout(margin=dict.fromkeys("lrtb", 0))
    figure.update_xaxes(visible=False, range=[-1, 1])
    figure.update_yaxes(visible=False, range=[-1, 1])
    return figure
