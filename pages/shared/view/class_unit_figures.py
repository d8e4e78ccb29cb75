"""The units that classes have in common, as a map and as a graph; a click on a unit chooses it."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from interpret.figures import class_unit_charts
from interpret.findings import Findings
from interpret.findings.rows import Units
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import address
from pages.shared.view import figures, naming, patch_gallery, screen, style

CLASSES, COLUMNS = 24, 48
"""Most classes and units in the map and the graph (count); what is left out is said."""

ON_A_PHONE = 12, 16
"""The same of the graph where it is 350 pixels wide."""


def _matrix(
    findings: Findings, rows: pd.DataFrame, most: tuple[int, int] = (CLASSES, COLUMNS)
) -> tuple[list[int], list[int], str]:
    """Classes and units for the map and the graph: of the listed sets, units with the largest total support first.

    Args:
        findings: what mining found.
        rows: the listed sets.
        most: classes and units that are shown at the most (count).

    Returns:
        The classes, the units, and a sentence that says what is left out; empty where nothing is.
    """
    every_class = [class_id for class_id in findings.classes if any(class_id in ids for ids in rows["class_ids"])]
    classes = every_class[: most[0]]
    singles = findings.table[(findings.table["size"] == 1) & findings.table["class_id"].isin(classes)]
    total = singles.groupby("itemset_id")["support"].sum().sort_values(ascending=False, kind="stable")
    inside = {unit for units in rows["units"] for unit in units}
    every_unit = [unit for key in total.index if (unit := findings.units_of[int(key)][0]) in inside]
    units = every_unit[: most[1]]
    left = ""
    if len(classes) < len(every_class):
        left = f" Shown: the {len(classes)} of {len(every_class):,} classes that are predicted most often"
    if len(units) < len(every_unit):
        left += (
            f"{', and' if left else ' Shown:'} the {len(units)} of {len(every_unit):,} units with the largest support"
        )
    return classes, units, f"{left}." if left else ""


def show_map(findings: Findings, rows: pd.DataFrame, chosen: Units) -> None:
    """Classes down, units across: how much of a class's patches holds a unit; a click chooses a unit."""
    classes, units, left = _matrix(findings, rows)
    support, counts = findings.unit_support(classes, units)
    order = np.lexsort((units, -support.max(axis=0), support.argmax(axis=0)))
    units = [units[place] for place in order]
    names = [wording.class_text(findings.study, class_id) for class_id in classes]
    wording.paragraph(
        f"Each column is a {wording.term('unit')}, each row a class; the brighter a cell, the more of the class’s "
        "patches hold the unit. A column that is bright in several rows is shared. A click shows the patches."
        f"{left}"
    )
    _clickable(
        class_unit_charts.class_unit_map(
            support[:, order], names, units, counts=counts[:, order], called=_called(findings, units)
        ),
        "map",
        chosen,
        alt=f"map of {len(classes)} classes and {len(units)} units, coloured by support",
    )


def show_graph(findings: Findings, rows: pd.DataFrame, chosen: Units) -> None:
    """Classes on an oval and the units near those that they serve; a click chooses a unit."""
    classes, units, left = _matrix(findings, rows, ON_A_PHONE if screen.is_phone() else (CLASSES, COLUMNS))
    support, _ = findings.unit_support(classes, units)
    least = findings.config.min_support
    weights = np.where(support >= least, support, 0.0)
    wording.paragraph(
        "Classes are on the oval; each unit is pulled towards its classes, so that shared units are in the middle. "
        f"A click on a unit shows its patches.{left}"
    )
    colours = pictures.colours(findings.study)
    _clickable(
        class_unit_charts.class_unit_graph(
            weights,
            [wording.class_text(findings.study, class_id) for class_id in classes],
            [colours.get(class_id, "#888888") for class_id in classes],
            units,
            style.paper(),
            narrow=screen.is_phone(),
            called=_called(findings, units),
        ),
        "graph",
        chosen,
        alt=f"graph of {len(classes)} classes and the {len(units)} units that they share",
    )


def _called(findings: Findings, units: list[int]) -> list[str]:
    """What tooltips call units: `unit 39 (whiskers)` where people named it, else `unit 39`."""
    known = naming.called(findings)
    given = [known.named((unit,)).name for unit in units]
    return [f"unit {unit} ({name})" if name else f"unit {unit}" for unit, name in zip(units, given, strict=True)]


def _clickable(figure: go.Figure, view: str, chosen: Units, alt: str) -> None:
    """Show a figure in which a click on a unit writes the unit into the address.

    A figure keeps its selection as long as its key stays. If the address names another itemset, as after the browser's
    Back, a new figure replaces it, in which a click on the old mark counts again.
    """
    counter = f"{view}_made"
    key = f"{view}_{st.session_state.setdefault(counter, 0)}"
    if _picked(st.session_state.get(key)) not in (None, chosen):
        st.session_state[counter] += 1
        key = f"{view}_{st.session_state[counter]}"

    def clicked() -> None:
        if (units := _picked(st.session_state.get(key))) is not None:
            address.change({"itemset": address.itemset_param(units)}, (patch_gallery.PAGE_PARAM,))

    figures.show(figure, key=key, on_select=clicked, selection_mode="points", name=f"class-unit-{view}", alt=alt)


def _picked(state: object) -> Units | None:
    """The unit that is selected in a figure; None if none is."""
    points = state["selection"]["points"] if isinstance(state, dict) else []
    for point in points:
        about = point.get("customdata")
        if about and int(about[1]) >= 0:
            return (int(about[1]),)
    return None
