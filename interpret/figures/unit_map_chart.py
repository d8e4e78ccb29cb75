"""The map of the units: a mark for each unit, by kind and class, and pictures of patches in place of some marks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from interpret.figures.plotly_style import LIGHT, Paper, plain

SVG_MARKS = 500
"""Marks that are drawn as SVG (count): sharp at every size, and saved as lines. More are drawn with WebGL."""

SYMBOLS = {"specific": "circle", "shared": "diamond", "none": "circle-open"}
"""The mark of each kind of unit, so that a kind is told without colours too."""

FAINT = 0.14
"""Opacity of a mark that is not asked for (fraction)."""

_REACH = 1.08
"""Half the length of the longer axis: the map's is 1, and marks at its edge need room."""


@dataclass(frozen=True, eq=False)
class UnitMarks:
    """What is drawn of m units.

    Attributes:
        units: (m,) their numbers; a click returns them.
        places: (m, 2), -1..1.
        kinds: (m,) keys of :data:`SYMBOLS`.
        colours: (m,).
        weights: (m,) 0..1, how large each mark is.
        texts: (m,) what a tooltip says, safe as markup.
        asked: (m,) whether the mark is drawn in full.
    """

    units: npt.NDArray[np.integer]
    places: npt.NDArray[np.floating]
    kinds: Sequence[str]
    colours: Sequence[str]
    weights: npt.NDArray[np.floating]
    texts: Sequence[str]
    asked: npt.NDArray[np.bool_]


def unit_map(
    marks: UnitMarks,
    pictures: dict[int, str],
    paper: Paper = LIGHT,
    *,
    chosen: int | None = None,
    narrow: bool = False,
) -> go.Figure:
    """The map; a click on a mark or picture returns the unit as customdata.

    Args:
        marks: the units.
        pictures: positions of units to the data URI of a square picture that stands in place of the mark.
        paper: colours of text and background.
        chosen: the position of the unit that has a ring around it.
        narrow: whether it is drawn for a phone.
    """
    kind, drawn_as = np.array(marks.kinds, dtype=object), go.Scatter
    if len(marks.units) > SVG_MARKS:
        drawn_as = go.Scattergl
    figure = go.Figure()
    fewer = min(1.0, max(0.5, (SVG_MARKS / max(len(marks.units), 1)) ** 0.5))
    size = fewer * ((5 if narrow else 6) + (7 if narrow else 10) * np.sqrt(marks.weights))
    for name, symbol in SYMBOLS.items():
        held = np.flatnonzero(kind == name)
        if not len(held):
            continue
        opacity = np.where(marks.asked[held], 0.5 if name == "none" else 0.9, FAINT).tolist()
        figure.add_trace(
            drawn_as(
                x=marks.places[held, 0],
                y=marks.places[held, 1],
                mode="markers",
                name=name,
                marker={
                    "symbol": symbol,
                    "size": (size[held] * (0.6 if name == "none" else 1.0)).tolist(),
                    "color": [marks.colours[place] for place in held.tolist()],
                    "opacity": opacity,
                    "line": {"width": 1, "color": paper.ground} if name != "none" else {"width": 1.4},
                },
                customdata=[[int(unit)] for unit in marks.units[held]],
                text=[marks.texts[place] for place in held.tolist()],
                hovertemplate="%{text}<extra></extra>",
                unselected={"marker": {"opacity": 0.9}},
            )
        )
    _add_pictures(figure, marks, pictures, side_of(narrow), paper, narrow)
    if chosen is not None:
        figure.add_scatter(
            x=marks.places[[chosen], 0],
            y=marks.places[[chosen], 1],
            mode="markers+text",
            marker={"symbol": "circle-open", "size": 30, "color": paper.ink, "line": {"width": 2.5}},
            text=[f"<b>{int(marks.units[chosen])}</b>"],
            textposition="top center",
            textfont={"color": paper.ink, "size": 14},
            hoverinfo="skip",
        )
    # A drag draws a box to zoom into; on a phone it must scroll the page.
    plain(figure, 380 if narrow else 660, clickmode="event+select", hovermode="closest")
    figure.update_layout(dragmode=False if narrow else "zoom")
    low = float(marks.places[:, 1].min(initial=0.0)) - (_REACH - 1)
    high = float(marks.places[:, 1].max(initial=0.0)) + (_REACH - 1)
    figure.update_xaxes(visible=False, range=[-_REACH, _REACH])
    figure.update_yaxes(visible=False, range=[low, high], scaleanchor="x")
    return figure


def side_of(narrow: bool) -> float:
    """The side of a picture on the map, in the map's units."""
    return 0.21 if narrow else 0.115


def without_overlap(places: npt.NDArray[np.floating], order: Sequence[int], side: float, most: int) -> list[int]:
    """The first ``most`` of some points at which squares can be drawn that do not overlap each other.

    Args:
        places: (m, 2).
        order: positions in ``places``; each is taken if its square leaves all taken before free.
        side: of a square, in the units of ``places``.
        most: squares (count).
    """
    taken: list[int] = []
    for place in order:
        if len(taken) == most:
            break
        apart = np.abs(places[taken] - places[place]).max(axis=1, initial=0.0) if taken else np.zeros(0)
        if (apart >= side).all():
            taken.append(int(place))
    return taken


def _add_pictures(
    figure: go.Figure, marks: UnitMarks, pictures: dict[int, str], side: float, paper: Paper, narrow: bool
) -> None:
    """Draw pictures over their marks, with a frame in the unit's colour and its number below.

    They belong to the axes: who zooms in sees them larger.
    """
    if not pictures:
        return
    held = np.array(list(pictures), np.int64)
    figure.update_layout(
        images=[
            {
                "source": source,
                "xref": "x",
                "yref": "y",
                "x": float(marks.places[place, 0]),
                "y": float(marks.places[place, 1]),
                "sizex": side,
                "sizey": side,
                "xanchor": "center",
                "yanchor": "middle",
                "layer": "above",
            }
            for place, source in pictures.items()
        ],
        shapes=[
            {
                "type": "rect",
                "xref": "x",
                "yref": "y",
                "x0": float(marks.places[place, 0]) - side / 2,
                "x1": float(marks.places[place, 0]) + side / 2,
                "y0": float(marks.places[place, 1]) - side / 2,
                "y1": float(marks.places[place, 1]) + side / 2,
                "line": {"color": marks.colours[place], "width": 3},
                "layer": "above",
            }
            for place in pictures
        ],
    )
    figure.add_scatter(
        x=marks.places[held, 0],
        y=marks.places[held, 1] - 0.56 * side,
        mode="text",
        text=[f"{int(unit)}" for unit in marks.units[held]],
        textposition="bottom center",
        textfont={"family": "monospace", "size": 11 if narrow else 12, "color": paper.ink},
        hoverinfo="skip",
    )
