"""Charts of one unit: the histogram of its activation."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from interpret.figures.colours import OTHER
from interpret.figures.plotly_style import CLEAR, FAINT, plain, safe


def activation_histogram(
    everywhere: npt.NDArray[np.floating], groups: Mapping[str, tuple[str, npt.NDArray[np.floating]]], bins: int = 40
) -> go.Figure:
    """Histogram of a unit's activation over photos: all photos as outlines, a few classes filled, grey ones among them.

    Args:
        everywhere: (n,) activation of the unit in each photo, pooled over the grid.
        groups: class name to its colour and the values of its photos.
        bins: number of bars (count).
    """
    top = float(everywhere.max(initial=0.0)) or 1.0
    low = min(0.0, float(everywhere.min(initial=0.0)))
    edges = np.linspace(low, top, bins + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    figure = go.Figure()

    def bars(values: npt.NDArray[np.floating], name: str, marker: dict[str, object], opacity: float) -> None:
        share = np.histogram(values, edges)[0] / max(len(values), 1)
        figure.add_bar(
            x=middle,
            y=share,
            name=safe(name),
            marker=marker,
            opacity=opacity,
            hovertemplate=f"{safe(name)}: %{{y:.1%}} of {len(values):,} photos<br>activation %{{x:.3g}}<extra></extra>",
        )

    bars(everywhere, "all photos", {"color": CLEAR, "line": {"width": 1.2, "color": OTHER}}, 1.0)
    for name, (colour, values) in groups.items():
        bars(values, name, {"color": colour, "line": {"width": 0}}, 0.6)
    plain(figure, 260, barmode="overlay", bargap=0.06)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 13}},
        margin={"t": 36},
    )
    figure.update_xaxes(title="mean activation in a photo", showgrid=False)
    figure.update_yaxes(title="share of photos", tickformat=".0%", gridcolor=FAINT, zeroline=False)
    return figure
