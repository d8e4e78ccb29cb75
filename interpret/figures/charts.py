"""Plotly figures of a study. They know neither Streamlit nor files; grounds are transparent, for light and dark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from interpret.figures.colours import OTHER

CLEAR = "rgba(0,0,0,0)"
FAINT = "rgba(128,128,128,0.28)"


@dataclass(frozen=True)
class Paper:
    """What a figure stands on.

    Attributes:
        ink: the colour of text.
        ground: the colour of the page.
    """

    ink: str = "#1d1f24"
    ground: str = "#ffffff"


LIGHT = Paper()
"""What a figure stands on unless it is told otherwise."""


def config(name: str, kind: str = "svg") -> dict[str, object]:
    """Options for whoever shows a figure: a small bar that saves it under ``name``, and nothing that calls out."""
    return {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"],
        "toImageButtonOptions": {"format": kind, "filename": name, "scale": 2},
        "displayModeBar": "hover",
        "scrollZoom": False,
    }


def plain(figure: go.Figure, height: int, **layout: object) -> go.Figure:
    """The looks that all figures share: transparent, no legend, margins for a page that has its own."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        showlegend=False,
        dragmode=False,
        hoverlabel={"align": "left"},
        **layout,
    )
    return figure


def page(figure: go.Figure, title: str, paper: Paper = LIGHT) -> str:
    """A figure as a web page that needs nothing from elsewhere: Plotly itself is in it (about 5 MB).

    Args:
        figure: left as it is.
        title: of the page.
        paper: colours of text and ground; figures themselves are transparent.
    """
    alone = go.Figure(figure)
    alone.update_layout(
        paper_bgcolor=paper.ground,
        plot_bgcolor=paper.ground,
        font={"color": paper.ink, "family": "system-ui, sans-serif"},
        margin={"l": 40, "r": 40, "t": 40, "b": 40},
    )
    body = alone.to_html(include_plotlyjs=True, full_html=False, config={**config(title), "responsive": True})
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{safe(title)}</title></head>'
    return f'{head}<body style="margin:0;background:{paper.ground}">{body}</body></html>'


def percent(value: float, digits: int = 0) -> str:
    """A fraction as `61 %`."""
    return f"{100 * value:.{digits}f} %"


def safe(text: str) -> str:
    """Text without what Plotly would read as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def activation_histogram(
    everywhere: npt.NDArray[np.floating], groups: Mapping[str, tuple[str, npt.NDArray[np.floating]]], bins: int = 40
) -> go.Figure:
    """How strongly a unit responds, photo by photo: all photos behind, the classes that it serves in front.

    Args:
        everywhere: (n,) activation of the unit in each photo, pooled over its cells.
        groups: class name to its colour and the values of its photos.
        bins: number of bars (count).
    """
    top = float(everywhere.max(initial=0.0)) or 1.0
    low = min(0.0, float(everywhere.min(initial=0.0)))
    edges = np.linspace(low, top, bins + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()

    def bars(values: npt.NDArray[np.floating], name: str, colour: str, opacity: float) -> None:
        share = np.histogram(values, edges)[0] / max(len(values), 1)
        figure.add_bar(
            x=middle,
            y=share,
            name=safe(name),
            marker={"color": colour, "line": {"width": 0}},
            opacity=opacity,
            hovertemplate=f"{safe(name)}: %{{y:.1%}} of {len(values):,} photos<br>activation %{{x:.3g}}<extra></extra>",
        )

    bars(everywhere, "all photos", OTHER, 0.5)
    for name, (colour, values) in groups.items():
        bars(values, name, colour, 0.6)
    plain(figure, 260, barmode="overlay", bargap=0.06)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 13}},
        margin={"t": 36},
    )
    figure.update_xaxes(title="mean activation in a photo", showgrid=False)
    figure.update_yaxes(title="share of photos", tickformat=".0%", gridcolor=FAINT, zeroline=False)
    return figure


def shift_bars(
    names: Sequence[str], before: Sequence[float], after: Sequence[float], colours: Sequence[str]
) -> go.Figure:
    """Probabilities of a few classes before and after units were switched off: a hollow bar, a full bar within it."""
    figure = go.Figure()
    rows = list(range(len(names)))
    figure.add_bar(
        x=list(before),
        y=rows,
        orientation="h",
        width=0.72,
        name="all units on",
        marker={"color": CLEAR, "line": {"color": list(colours), "width": 1.5}},
        hovertemplate="all units on: %{x:.1%}<extra></extra>",
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
    plain(figure, 44 + 40 * len(names), barmode="overlay")
    figure.update_xaxes(range=[0, 1.12], tickformat=".0%", tickvals=[0, 0.5, 1], gridcolor=FAINT, zeroline=False)
    figure.update_yaxes(tickvals=rows, ticktext=[safe(name) for name in names], autorange="reversed", showgrid=False)
    return figure
