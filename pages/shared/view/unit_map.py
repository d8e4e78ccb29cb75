"""The map of the units on a page: the figure, what nearness means, and the same units as a list."""

import numpy as np
import pandas as pd
import streamlit as st

from interpret import frames
from interpret.figures import unit_map_chart
from interpret.figures.colours import OKABE_ITO, OTHER, on_dark
from interpret.figures.plotly_style import safe
from interpret.figures.unit_map_chart import UnitMarks
from interpret.findings import Findings
from interpret.findings.rows import MappedUnit
from interpret.findings.unit_map import LEAST
from pages.shared import wording
from pages.shared.backend import pictures, placed_units
from pages.shared.backend.given_names import Called
from pages.shared.backend.placed_units import Drawn
from pages.shared.controls import address, in_vain, menus, paging
from pages.shared.view import figures, naming, saved_tables, screen, style, widgets

COLOURS = ("class", "kind")

PER_PAGE = 18
"""Units on a page of the list (count)."""

LIST_PARAM = "list"
"""The parameter in the address for the page of the list."""

PICTURES, PHONE_PICTURES = 28, 9
"""Most pictures on the map (count)."""

SIDE = 96
"""Side of a picture on the map (pixels); on a poster's screen twice as long."""

KINDS = {
    "specific": ("class-specific", "frequent in one class", OKABE_ITO[0]),
    "shared": ("class-shared", "frequent in two classes or more", OKABE_ITO[1]),
    "none": ("in no class", "frequent in no class at this support", OTHER),
}
"""What each kind is called, what it means, and its colour."""


def controls(findings: Findings) -> tuple[str, list[int]]:
    """What the marks are coloured by, and the classes whose units are asked for; all if none."""
    in_vain.warn_of_choice("colour", "Colour", COLOURS)
    colour = menus.pick("Colour", COLOURS, "colour")
    of = menus.choose_several(
        "Units of",
        findings.classes,
        "of",
        lambda class_id: wording.class_text(findings.study, class_id),
        forget=(LIST_PARAM,),
        placeholder="all classes",
        max_selections=8,
        width=screen.pixels(320),
    )
    if refused := menus.several_not_offered("of", of):
        st.warning(
            f"The address asks for units of {wording.count(refused, 'class', 'classes')} that cannot be chosen: not "
            "of this study, without a frequent itemset, or more than eight. The others are kept."
        )
    return colour, of


def show(findings: Findings, colour: str, of: list[int], chosen: int | None) -> None:
    """Show the map, with the units as a list beside it; a click on a unit opens it.

    Args:
        findings: of the study.
        colour: one of :data:`COLOURS`.
        of: classes; marks of units that are frequent in none of them are faint, and they are not listed. All if empty.
        chosen: the unit that is marked, and whose nearest units are listed first; None for none.
    """
    drawn = placed_units.of(findings)
    if drawn.table.empty:
        st.info(f"No unit is in {LEAST} patches; a larger N, or a study with more photos, would fill this map.")
        return
    asked = np.array([not of or not set(of).isdisjoint(ids) for ids in drawn.table["class_ids"]], np.bool_)
    wording.paragraph(
        f"Each mark is a {wording.term('unit')}. Two units are near each other where they are found with the same "
        f"units in the {wording.term('transaction', 'transactions')} of the patches. Only nearness counts: axes mean "
        "nothing, and of two units far apart the map does not say how far. A click opens a unit."
    )
    left, right = st.columns([11, 8], gap="large")
    with left:
        _figure(findings, drawn, colour, asked, chosen)
    with right:
        if chosen is not None:
            _nearest(findings, drawn, chosen)
        _list(findings, drawn, [place for place in drawn.order if asked[place]])


def _say_how_far_it_can_be_trusted(drawn: Drawn) -> None:
    made, m = drawn.units, len(drawn.table)
    said = (
        f"{wording.count(m, 'unit')} in {LEAST} patches or more"
        + (f"; {made.left_out:,} in fewer {'is' if made.left_out == 1 else 'are'} left out" if made.left_out else "")
        + "."
    )
    if made.k:
        said += (
            f" How far the map can be trusted: of a unit’s {wording.count(made.k, 'nearest unit')} on average "
            f"{wording.percent(made.kept)} are among its {made.k} nearest here ({wording.percent(made.k / (m - 1), 1)} "
            f"with places drawn at random); {wording.term('trustworthiness')} {made.trustworthiness:.3f}, n = {m:,}."
        )
    if m > unit_map_chart.SVG_MARKS:
        said += " Drawn with WebGL; where a browser has none, the list has the same units."
    wording.paragraph(said, "small")


def _figure(findings: Findings, drawn: Drawn, colour: str, asked: np.ndarray, chosen: int | None) -> None:
    table, units = drawn.table, drawn.units.units
    colours = _colours(findings, table, colour)
    _legend(findings, table, colour, asked)
    marks = UnitMarks(
        units,
        drawn.units.places,
        table["kind"].tolist(),
        colours,
        drawn.units.patches / drawn.units.patches.max(),
        _texts(findings, table, naming.called(findings)),
        asked,
    )
    narrow = screen.is_phone()
    most = PHONE_PICTURES if narrow else PICTURES
    order = [place for place in drawn.order if asked[place]]
    places = unit_map_chart.without_overlap(drawn.units.places, order, unit_map_chart.side_of(narrow) * 1.2, most)
    sources = placed_units.strongest_pictures(findings, units[places].tolist(), round(SIDE * screen.scale()))
    ring = np.flatnonzero(units == chosen) if chosen is not None else np.zeros(0, np.int64)
    figure = unit_map_chart.unit_map(
        marks,
        {place: source for place, source in zip(places, sources, strict=True) if source},
        style.paper(),
        chosen=int(ring[0]) if len(ring) else None,
        narrow=narrow,
    )

    def clicked() -> None:
        points = (st.session_state.get("unit_map") or {}).get("selection", {}).get("points", [])
        if opened := [int(point["customdata"][0]) for point in points if point.get("customdata")]:
            address.change({"unit": opened[0]}, ("units", "colour", "of", LIST_PARAM))

    figures.show(
        figure,
        key="unit_map",
        on_select=clicked,
        selection_mode="points",
        name="unit-map",
        alt=f"map of {len(units)} units, those near each other that are found with the same units; the list beside "
        "it holds them all",
    )
    _say_how_far_it_can_be_trusted(drawn)
    file = wording.file_name(findings.study.name, "unit-map", "csv")
    saved_tables.buttons("Coordinates", lambda: _saved(findings, table), file)


def _colours(findings: Findings, table: pd.DataFrame, colour: str) -> list[str]:
    if colour == "kind":
        return [_of_kind(kind) for kind in table["kind"]]
    of_class = pictures.colours(findings.study)
    return [of_class.get(class_id, OTHER) for class_id in table["class_id"].tolist()]


def _of_kind(kind: str) -> str:
    return on_dark(KINDS[kind][2]) if style.is_dark() else KINDS[kind][2]


def _legend(findings: Findings, table: pd.DataFrame, colour: str, asked: np.ndarray) -> None:
    """What colours and marks mean, with the number of units of each class or kind that are asked for."""
    kinds = table["kind"][asked].value_counts()
    shapes = {"specific": "●", "shared": "◆", "none": "○"}
    parts: list[widgets.Part] = []
    if colour == "kind":
        for kind, (name, meaning, _) in KINDS.items():
            parts.append(
                widgets.class_tag(name, _of_kind(kind), f"{shapes[kind]} {kinds.get(kind, 0):,}", title=meaning)
            )
        widgets.show([widgets.line(parts, size="small")], "map_legend")
        return
    counts = table["class_id"][asked].value_counts()
    of_class = pictures.colours(findings.study)
    told = [class_id for class_id in findings.classes if class_id in counts.index]
    shown = [class_id for class_id in told if of_class.get(class_id, OTHER) not in (OTHER, on_dark(OTHER))][:16]
    for class_id in shown:
        parts.append(
            widgets.class_tag(
                wording.class_text(findings.study, class_id),
                of_class[class_id],
                f"{counts[class_id]:,}",
                **address.link("class_specific", **{"class": class_id}),
            )
        )
    rest = len(told) - len(shown)
    note = [f"{wording.count(rest, 'further class', 'further classes')} in grey"] if rest else []
    marks = [f"{shapes[kind]} {name} ({kinds.get(kind, 0):,})" for kind, (name, _, _) in KINDS.items()]
    text = widgets.text(
        "; ".join([*note, ", ".join(marks)]) + ". A unit has the colour of its largest support.", "faint"
    )
    widgets.show([widgets.line(parts, size="small"), widgets.line(text, size="small")], "map_legend")


def _serves(findings: Findings, row: MappedUnit) -> str:
    """`Cat 84 %, also Dog and 2 more`; `frequent in no class`."""
    if not row.class_ids:
        return "frequent in no class"
    names = [wording.class_text(findings.study, class_id) for class_id in row.class_ids]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    also = f", also {', '.join(names[1:3])}{more}" if len(names) > 1 else ""
    return f"{names[0]} {wording.percent(row.support)}{also}"


def _texts(findings: Findings, table: pd.DataFrame, called: Called) -> list[str]:
    return [
        f"<b>unit {row.unit}</b> {safe(called.named((row.unit,)).name)}<br>{safe(_serves(findings, row))}<br>"
        f"in {row.patches:,} patches; nearest: {', '.join(str(unit) for unit in row.nearest)}"
        for row in frames.rows(table, MappedUnit)
    ]


def _nearest(findings: Findings, drawn: Drawn, chosen: int) -> None:
    """The units nearest to the one that the address names."""
    near = drawn.units.nearest_units(chosen)[:6]
    if not near:
        wording.paragraph(f"Unit {chosen} is in too few patches for a place on the map.", "small")
        return
    st.header(f"Nearest to unit {chosen}", anchor=False)
    places = [int(np.searchsorted(drawn.units.units, unit)) for unit in near]
    widgets.show(_entries(findings, drawn, places), "map_nearest")


def _list(findings: Findings, drawn: Drawn, order: list[int]) -> None:
    """The units as pictures that lead to them, in pages: what the keyboard and those who do not see the map need."""
    st.header("The units as a list", anchor=False)
    pages = max(1, -(-len(order) // PER_PAGE))
    page = paging.page_of(LIST_PARAM, pages, "units")
    wording.paragraph(
        f"{wording.count(len(order), 'unit')}, those first that the findings name first; each with the patch in which "
        "it scores highest."
        if order
        else "No unit of the map is frequent in these classes.",
        "small",
    )
    widgets.show(_entries(findings, drawn, order[(page - 1) * PER_PAGE : page * PER_PAGE]), "map_list")
    paging.buttons(LIST_PARAM, pages)


def _entries(findings: Findings, drawn: Drawn, places: list[int]) -> list[widgets.Block]:
    """A picture for each unit, or a line where its photo is not here."""
    rows = list(frames.rows(drawn.table.iloc[places], MappedUnit))
    of_class, called = pictures.colours(findings.study), naming.called(findings)
    sources = placed_units.strongest_pictures(findings, [row.unit for row in rows], pictures.THUMBNAIL)
    tiles, lines = [], []
    for row, source in zip(rows, sources, strict=True):
        name = called.named((row.unit,)).name
        serves = _serves(findings, row)
        if source:
            tiles.append(
                widgets.tile(
                    source,
                    f"unit {row.unit}, {serves}",
                    name=f"{row.unit} {name}".strip(),
                    note=serves,
                    colour=of_class.get(row.class_id, OTHER),
                    **address.unit_link(row.unit),
                )
            )
        else:
            lines.append(
                widgets.line(widgets.unit(row.unit), widgets.text(name, "strong"), widgets.text(serves, "faint"))
            )
    return ([widgets.tiles(tiles, "s")] if tiles else []) + lines


def _saved(findings: Findings, table: pd.DataFrame) -> pd.DataFrame:
    """The table of the map with classes and units in words."""
    study = findings.study
    shown = table.drop(columns=["class_id", "class_ids", "nearest"])
    shown["classes"] = [", ".join(wording.class_text(study, each) for each in ids) for ids in table["class_ids"]]
    shown["nearest"] = [", ".join(str(unit) for unit in near) for near in table["nearest"]]
    return shown.assign(**naming.saved(findings, [(unit,) for unit in table["unit"].tolist()]))
