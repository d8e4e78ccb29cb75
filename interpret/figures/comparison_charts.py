"""Charts of two studies side by side."""

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from interpret.figures.colours import OTHER
from interpret.figures.plotly_style import FAINT, plain

BAR = 0.05
"""Width of a bar: correlations that it holds."""


def correlations(
    matched: npt.NDArray[np.floating], best: npt.NDArray[np.floating], least: float, accent: str = "#0072B2"
) -> go.Figure:
    """Histogram of how well units correlate with the ones they are matched with, and at best.

    Args:
        matched: (K,) with the unit matched; NaN where there is none.
        best: (K,) with the unit that correlates best; NaN likewise.
        least: from which on a match counts as a counterpart, drawn as a line.
        accent: colour of the matched ones.
    """
    edges = np.linspace(-1, 1, round(2 / BAR) + 1)
    figure = go.Figure()
    for values, name, colour, opacity in ((best, "best of all", OTHER, 0.5), (matched, "matched", accent, 0.7)):
        counts = np.histogram(np.clip(values[~np.isnan(values)], -1, 1), edges)[0]
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=BAR * 0.94,
            name=name,
            marker={"color": colour, "line": {"width": 0}},
            opacity=opacity,
            customdata=np.stack([edges[:-1], edges[1:]], axis=1),
            hovertemplate=f"{name}: %{{y:,}} units<br>correlation %{{customdata[0]:.2f}} to "
            "%{customdata[1]:.2f}<extra></extra>",
        )
    plain(figure, 240, barmode="overlay")
    figure.add_vline(x=least, line={"color": OTHER, "dash": "dot"})
    low = float(np.nanmin(np.concatenate([matched, best]), initial=1.0))
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 13}},
        margin={"t": 36},
    )
    figure.update_xaxes(title="correlation over the photos of both", showgrid=False, range=[min(low - BAR, 0.4), 1.02])
    figure.update_yaxes(title="units", gridcolor=FAINT, zeroline=False)
    return figure
