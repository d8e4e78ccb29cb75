"""Findings of two studies: which vanished, appeared or were kept, with the patches of both."""

import html
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from interpret import frames
from interpret.comparison.compare import LEAST_CORRELATION, FindingRow
from interpret.findings import supporting
from interpret.findings.rows import ClassSupport, Units
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.backend.comparisons import Pair, Side
from pages.shared.controls import address, in_vain, paging
from pages.shared.view import contrast, naming, saved_tables, screen, widgets

PER_PAGE = 12
"""Findings on a page of the list (count)."""

PAGE_PARAM = "rows"
"""The parameter in the address for the page of the list."""

STATES = ("all", "vanished", "appeared", "kept")

MEANING = {
    "vanished": "supported in A; its units’ counterparts are not frequent in these classes in B",
    "appeared": "supported in B; its units’ counterparts are not frequent in these classes in A",
    "kept": "supported in A, and its units’ counterparts are frequent in all of these classes in B",
}

ACROSS = 6
"""Patches side by side in a gallery (count)."""


def show(pair: Pair) -> None:
    """Show the list, those that differ most first, and the patches of the chosen finding in both studies."""
    every = pair.found.findings
    counts = every["state"].value_counts()
    told = ", ".join(
        f'<abbr title="{html.escape(MEANING[state])}">{counts.get(state, 0):,} {state}</abbr>' for state in STATES[1:]
    )
    wording.paragraph(
        f"Findings, each study at its own thresholds: {told}. A finding at 20\u00a0% that fell to 18\u00a0% vanished "
        "too; those that differ most come first."
    )
    in_vain.warn_of_choice("state", "Findings", STATES)
    left, right = st.columns([9, 11], gap="large")
    with left:
        wanted = st.segmented_control(
            "Findings",
            STATES,
            default=STATES[0],
            key="state",
            bind="query-params",
            required=True,
            label_visibility="collapsed",
        )
        listed = every if wanted == "all" else every[every["state"] == wanted]
        rows = frames.rows(_most_different_first(listed), FindingRow)
        if not rows:
            wording.paragraph("Neither study has a supported finding." if wanted == "all" else f"None {wanted}.")
            return
        chosen = _chosen(rows)
        _list(pair, rows, chosen)
    with right:
        _chosen_finding(pair, chosen)


def _most_different_first(rows: pd.DataFrame) -> pd.DataFrame:
    """What vanished or appeared by the difference of its supports, then what was kept."""
    order = (rows["support_a"] - rows["support_b"]).abs().where(rows["state"] != "kept", -1.0)
    return rows.loc[order.sort_values(ascending=False, kind="stable").index]


def _name(row: FindingRow) -> str:
    """A finding in the address: the study that has it, and its units there."""
    own = row.units_b if row.state == "appeared" else row.units_a
    return ("b" if row.state == "appeared" else "a") + address.itemset_param(own)


def _chosen(rows: list[FindingRow]) -> FindingRow:
    """The finding in the address, else the first, with a sentence where the address asks for another."""
    asked = st.query_params.get("itemset")
    if asked is None:
        return rows[0]
    for row in rows:
        if _name(row) == asked:
            return row
    st.warning("The finding in the address is not among those listed; the first one is shown.")
    return rows[0]


def _open(act: dict[str, object]) -> None:
    if "itemset" in act:
        address.change({"itemset": act["itemset"]})


def _list(pair: Pair, rows: list[FindingRow], chosen: FindingRow) -> None:
    pages = -(-len(rows) // PER_PAGE)
    page = paging.page_of(PAGE_PARAM, pages, "findings")
    lines = []
    for row in rows[(page - 1) * PER_PAGE : page * PER_PAGE]:
        own, other = (row.units_b, row.units_a) if row.state == "appeared" else (row.units_a, row.units_b)
        side = pair.b if row.state == "appeared" else pair.a
        tags = [pair.shown(side, class_id) for class_id in row.class_ids]
        first, colour = tags[0]
        words = f"A {wording.percent(row.support_a)}, B {wording.percent(row.support_b)}" + (
            " in the class where it is rarest" if len(tags) > 1 else f" of {first}’s patches"
        )
        arrow = [] if pair.found.same_network or not other else [widgets.text("↔"), *widgets.units(other)]
        lines.append(
            widgets.line(
                widgets.text(row.state, "faint" if row.state == "kept" else "warn"),
                widgets.units(own),
                naming.given(side.study, own),
                arrow,
                widgets.text("→"),
                [widgets.class_tag(*tag) for tag in tags[:4]],
                widgets.text(f"and {len(tags) - 4} more", "faint") if len(tags) > 4 else [],
                widgets.pair(row.support_a, row.support_b, colour, words),
                widgets.text(f"{wording.percent(row.support_a)} → {wording.percent(row.support_b)}", "faint"),
                act={"itemset": _name(row)},
                on=row == chosen,
                title=f"{row.state}: {words}",
            )
        )
    with screen.scroll_box(len(lines)):
        widgets.show(lines, "compared_list", _open)
    paging.buttons(PAGE_PARAM, pages)
    file = wording.file_name(pair.a.study.name, pair.b.study.name, "findings", "csv")
    saved_tables.buttons("All findings", pair.found.plain_findings, file)


def _chosen_finding(pair: Pair, row: FindingRow) -> None:
    """The patches that hold a finding's units in A, and those that hold their counterparts in B."""
    own = pair.b if row.state == "appeared" else pair.a
    for side, units in ((pair.a, row.units_a), (pair.b, row.units_b)):
        if units:
            gallery(pair, side, units, pair.classes_in(side, own, row.class_ids[:3]))
        else:
            heading = widgets.line(widgets.text(side.name), size="big")
            widgets.show([heading, *_no_counterpart(pair, row, side)], f"compared_{side.letter}")


def _no_counterpart(pair: Pair, row: FindingRow, side: Side) -> list[widgets.Block]:
    """Which of a finding's units have no counterpart in a study, and the nearest that there is."""
    matches = pair.found.matches
    if matches is None:
        return [widgets.line(widgets.text("Too few photos in common to match units.", "faint"))]
    if side.letter == "A":  # matched from A to B: the best of A for a unit of B is not known
        return [widgets.line(widgets.text("No counterpart in A for all of these units:"), widgets.units(row.units_b))]
    lines = []
    for unit in row.units_a:
        best, correlation = int(matches.best[unit]), float(matches.best_correlation[unit])
        if best < 0:
            nearest = "its activation is the same in all photos in common"
        else:
            nearest = f"the nearest unit of B is {best}, with a correlation of {correlation:.2f}"
            if correlation >= LEAST_CORRELATION:  # and still none: one with one
                nearest += f"; that one is matched with {int(np.flatnonzero(matches.unit == best)[0])} of A"
        if not matches.correlation[unit] >= LEAST_CORRELATION:
            lines.append(widgets.line(widgets.text(f"Unit {unit} has no counterpart: {nearest}.")))
    return lines


def gallery(pair: Pair, side: Side, units: Units, class_ids: Sequence[int]) -> None:
    """Show an itemset of one of the studies: its support in some classes, and for each its strongest patches."""
    study = side.study
    table = supporting.support_by_class(study, units, side.findings.config)
    supports = {row.class_id: row for row in frames.rows(table, ClassSupport)}
    chips = [
        widgets.unit(unit, **address.link_in(study.name, "unit", unit=unit), title=f"unit {unit} in {study.name}")
        for unit in units
    ]
    blocks: list[widgets.Block] = [widgets.line(widgets.text(side.name), chips, naming.given(study, units), size="big")]
    for class_id in class_ids:
        name, colour = pair.shown(side, class_id)
        linked = address.link_in(
            study.name, "class_specific", **{"class": class_id, "itemset": address.itemset_param(units)}
        )
        tag = widgets.class_tag(name, colour, **linked)
        if class_id not in supports:
            blocks.append(widgets.line(tag, widgets.text("no photo is predicted as this class here", "faint")))
            continue
        row = supports[class_id]
        share = wording.share(row.support_count, row.patches, "patch")
        blocks.append(
            widgets.line(
                tag,
                contrast.bars(row.support, row.contrast_support, colour, name),
                contrast.beside(f"in {share}", row.contrast_support, name),
            )
        )
        blocks += strip(side, units, class_id)
    widgets.show(blocks, f"compared_{side.letter}")


def strip(side: Side, units: Units, class_id: int | None) -> list[widgets.Block]:
    """A row of the strongest patches that hold an itemset, of one class or of all; each opens its photo on Explain."""
    study = side.study
    patches = supporting.one_per_photo(
        study, supporting.supporting_patches(study, units, side.findings.config, class_id)
    )[:ACROSS].tolist()
    images = study.patches["image_id"].to_numpy()
    tiles = [
        widgets.tile(
            source,
            f"patch of photo {images[patch]} of {study.name}",
            title="explain this photo",
            **address.link_in(study.name, "explain", image=int(images[patch])),
        )
        for patch, source in zip(patches, pictures.patch_tiles(study, patches), strict=True)
        if source
    ]
    if patches and not tiles:
        return [widgets.line(widgets.text("Its photos are not on this machine.", "faint"), size="small")]
    return [widgets.tiles(tiles, "s", strip=ACROSS)] if tiles else []
