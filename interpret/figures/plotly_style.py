"""What all Plotly figures share: colours of text and background, looks, text without markup, saving as HTML."""

from dataclasses import dataclass

import plotly.graph_objects as go

CLEAR = "rgba(0,0,0,0)"
FAINT = "rgba(128,128,128,0.28)"


@dataclass(frozen=True)
class Paper:
    """The colours that a figure is drawn for.

    Attributes:
        ink: colour of text.
        ground: colour of the background.
    """

    ink: str = "#1d1f24"
    ground: str = "#ffffff"


LIGHT = Paper()
"""The default: dark text on white."""


def config(name: str, kind: str = "svg") -> dict[str, object]:
    """Plotly's options for showing a figure: a small toolbar that saves it as ``name``, no request to the network."""
    return {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"],
        "toImageButtonOptions": {"format": kind, "filename": name, "scale": 2},
        "displayModeBar": "hover",
        "scrollZoom": False,
    }


def plain(figure: go.Figure, height: int, **layout: object) -> go.Figure:
    """Set the looks that all figures share: a transparent background, no legend, small margins; returns the figure."""
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


_PIXELS = frozenset(
    (
        "size",
        "thickness",
        "height",
        "l",
        "r",
        "t",
        "b",
        "pad",
        "xgap",
        "ygap",
        "standoff",
        "xpad",
        "ypad",
        "borderwidth",
    )
)
"""Names of Plotly's properties that are in pixels wherever they stand."""


def scaled(figure: go.Figure, factor: float) -> go.Figure:
    """A figure for a screen on which text is larger: its height, fonts, lines, markers and margins times a factor.

    What the figure leaves to Plotly's template is not touched. The figure itself is returned where the factor is 1.
    """
    if factor == 1:
        return figure
    return go.Figure(_times(figure.to_plotly_json(), factor, ()))


def _times(value: object, factor: float, where: tuple[str, ...]) -> object:
    """A part of a figure with the numbers that are pixels multiplied; ``where`` are the names that lead to it."""
    if isinstance(value, dict):
        return {name: _times(part, factor, (*where, name)) for name, part in value.items()}
    if where and where[-1] not in ("data", "layout", "annotations", "shapes", *_PIXELS):
        line = where[-1] == "width" and where[-2:-1] and where[-2] in ("line", "error_x", "error_y", "layout")
        if not line:
            return value
    if isinstance(value, list | tuple):
        return [_times(part, factor, where) for part in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value * factor
    return value


def page(figure: go.Figure, title: str, paper: Paper = LIGHT) -> str:
    """A figure as a web page that needs no network: Plotly itself is in it (about 5 MB).

    Args:
        figure: it is not changed.
        title: of the page.
        paper: colours of text and background.
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
    """Text with the characters escaped that Plotly reads as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
