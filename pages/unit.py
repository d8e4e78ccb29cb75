"""What does a unit respond to? One stable address for each unit of the layer."""

import numpy as np
import streamlit as st

from interpret import frames
from interpret.figures import unit_charts
from interpret.findings import Findings, supporting
from interpret.findings.rows import ClassSupport, CoOccurringUnit, RuleRow
from pages.shared import router, wording
from pages.shared.backend import pictures
from pages.shared.controls import address, gallery_choices, in_vain, menus, thresholds
from pages.shared.controls.gallery_choices import Choices
from pages.shared.view import (
    ablation_panel,
    active_gallery,
    contrast,
    contrast_gallery,
    figures,
    folded_rows,
    known_parts,
    naming,
    patch_chain,
    patch_gallery,
    phrase_search,
    saved_tables,
    screen,
    tables,
    unit_map,
    widgets,
)

VIEWS = ("One unit", "Map", "Words")

TITLES = {"Map": "Which units fire together?", "Words": "Which patches match these words?"}
"""Titles of the views that are of no single unit."""


def page() -> None:
    title, findings = thresholds.title_and_findings()
    study = findings.study
    in_vain.warn_of_choice("units", "View", VIEWS)
    unit = _unit(findings)
    view = st.query_params.get("units")
    with title:
        wording.header(TITLES.get(str(view)) or f"What does unit {unit} respond to?")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        menus.pick("View", VIEWS, "units", forget=("colour", "of", unit_map.LIST_PARAM, "say"))
        if view == "Map":
            colour, of = unit_map.controls(findings)
        elif view != "Words":
            _picker(findings, unit)
            everything = thresholds.show_unsupported(findings)
    if view == "Words":
        phrase_search.show(findings)
        patch_chain.show_if_asked(findings)
        return
    if view == "Map":
        unit_map.show(findings, colour, of, unit if st.query_params.get("unit") == str(unit) else None)
        return
    contrast.notice(study)
    _classes(findings, unit)
    patches = supporting.supporting_patches(study, [unit], findings.config)
    if len(patches) == 0:
        st.info(
            f"Unit {unit} is among the {findings.config.top_units} strongest units of no patch, or does not exceed the "
            "contrast there. A larger N may show it; the photos in which it is most active are below."
            if len(study.patches)
            else "No photo of this study has a patch; the photos in which the unit is most active are below."
        )
    left, right = st.columns([12, 8], gap="large")
    with left:
        choices = gallery_choices.choose(study, (unit,), forget=("patch", patch_gallery.PAGE_PARAM))
        if choices.active or not len(patches):
            active_gallery.show(findings, (unit,), f"unit-{unit}-active", choices)
        else:
            patch_gallery.show(findings, patches.tolist(), (unit,), f"unit-{unit}", choices)
    with right:
        _histogram(findings, unit)
        _co_occurring(findings, unit)
    if len(patches):
        _per_class(findings, unit, choices)
        _elsewhere(findings, unit, choices)
        _without(findings, unit)
        _itemsets(findings, unit, everything)
    patch_chain.show_if_asked(findings)


def _unit(findings: Findings) -> int:
    """The unit in the address; without one, the unit that is frequent in most classes."""
    asked = st.query_params.get("unit", "")
    unit = address.whole_number(asked)
    if unit is not None and unit < findings.study.n_units:
        return unit
    if asked:
        st.warning(
            f"There is no unit {wording.markdown(asked[:20])}: "
            f"the layer has {findings.study.n_units:,}, counted from 0."
        )
    singles = findings.table[findings.table["size"] == 1]
    if singles.empty:
        return 0
    best = singles.groupby("itemset_id")["support"].agg(["size", "sum"]).sort_values(["size", "sum"], ascending=False)
    return findings.units_of[int(best.index[0])][0]


def _picker(findings: Findings, unit: int) -> None:
    def changed() -> None:
        number = st.session_state.get("unit_number")
        if number is not None:  # not where the page is being left
            address.change({"unit": int(number)}, ("patch", patch_gallery.PAGE_PARAM))

    st.session_state["unit_number"] = unit
    kind = "channels" if findings.study.recorded.codes is None else "latents of sparse codes"
    st.number_input(
        "Unit",
        0,
        findings.study.n_units - 1,
        step=1,
        key="unit_number",
        on_change=changed,
        width=screen.pixels(160),
        help=f"one of the {findings.study.n_units:,} {kind} of the layer {findings.study.layer}, counted from 0",
    )


def _classes(findings: Findings, unit: int) -> None:
    study, colours = findings.study, pictures.colours(findings.study)
    rows = findings.table[
        (findings.table["size"] == 1) & (findings.table["itemset_id"] == findings.id_of.get((unit,), -1))
    ]
    rows = rows.sort_values("support", ascending=False)
    if rows.empty:
        blocks = [widgets.line(widgets.text("It is frequent in no class at this support."))]
    else:
        kind = (
            "class-specific: frequent in one class"
            if len(rows) == 1
            else f"class-shared: frequent in {len(rows)} classes"
        )
        tags = [
            contrast.tag(
                row.support,
                row.contrast_support,
                colours.get(row.class_id, "#888888"),
                wording.class_text(study, row.class_id),
                **address.link("class_specific", **{"class": row.class_id, "itemset": unit}),
            )
            for row in frames.rows(rows, RuleRow)
        ]
        blocks = [
            widgets.line(widgets.unit(unit, on=True), widgets.text("→"), tags, size="big"),
            widgets.line(widgets.text(kind, "faint")),
            *contrast.verdict(findings, (unit,)),
        ]
    naming.show(findings, (unit,))
    widgets.show(blocks + known_parts.of_unit(findings, unit), "serves")


def _served(findings: Findings, unit: int) -> list[int]:
    """The classes in which the unit is frequent, those with the largest support first."""
    rows = findings.table[findings.table["itemset_id"] == findings.id_of.get((unit,), -1)]
    return [int(class_id) for class_id in rows.sort_values("support", ascending=False)["class_id"]]


def _elsewhere(findings: Findings, unit: int, choices: Choices) -> None:
    """Show photos of other classes with the unit among a patch's strongest, explained for the classes it serves."""
    if serves := _served(findings, unit)[:3]:
        contrast_gallery.show(findings, (unit,), serves, choices, across=8, most=8)


def _without(findings: Findings, unit: int) -> None:
    """Show the accuracy of the class in which the unit is most frequent, with the unit ablated."""
    rows = findings.table[
        (findings.table["size"] == 1) & (findings.table["itemset_id"] == findings.id_of.get((unit,), -1))
    ]
    if len(rows):
        best = rows.sort_values(["support", "class_id"], ascending=[False, True]).iloc[0]
        ablation_panel.render(findings, int(best["class_id"]), (unit,))


def _histogram(findings: Findings, unit: int) -> None:
    study, colours = findings.study, pictures.colours(findings.study)
    values = np.asarray(study.features[:, unit], dtype=np.float32)
    predicted = study.images["predicted"].to_numpy()
    served = supporting.support_by_class(study, [unit], findings.config)
    served = served[(served["support_count"] > 0) & served["class_id"].isin(findings.classes)].head(3)
    groups = {
        wording.class_text(study, int(class_id)): (colours.get(int(class_id), "#888888"), values[predicted == class_id])
        for class_id in served["class_id"]
    }
    st.header("Activation, photo by photo", anchor=False)
    figures.show(
        unit_charts.activation_histogram(values, groups),
        key="histogram",
        name=f"unit-{unit}-activation",
        alt=f"histogram of unit {unit}'s mean activation over {len(values)} photos",
    )
    wording.paragraph(
        f"Over {wording.count(len(values), 'photo')}, the mean over the layer’s grid; outlines: all photos.", "small"
    )


def _co_occurring(findings: Findings, unit: int) -> None:
    near = supporting.co_occurring_units(findings.study, unit, findings.config)
    if near.empty:
        return
    st.header("Units found with it", anchor=False)
    called = naming.called(findings)
    blocks = [
        widgets.line(
            widgets.unit(row.unit),
            naming.in_list(called, (row.unit,)),
            widgets.text(
                f"in {wording.percent(row.share)} of its patches ({row.together:,}), {row.lift:.1f} times chance",
                "faint",
            ),
            size="small",
        )
        for row in frames.rows(near.head(8), CoOccurringUnit)
    ]
    on_map = {"t": "link", "text": "On the map of all units", **address.link("unit", unit=unit, units="Map")}
    widgets.show([*blocks, widgets.line(on_map, size="small")], "company")


def _per_class(findings: Findings, unit: int, choices: Choices) -> None:
    study, colours = findings.study, pictures.colours(findings.study)
    serves = _served(findings, unit)
    table = supporting.support_by_class(study, [unit], findings.config, outside=serves)
    table = table[(table["support_count"] > 0) & table["class_id"].isin(findings.classes)].head(10)
    if table.empty:
        return
    st.header("Class by class", anchor=False)
    blocks: list[widgets.Block] = []
    saved: list[list[int]] = []
    for row in frames.rows(table, ClassSupport):
        patches = supporting.one_per_photo(
            study, supporting.supporting_patches(study, [unit], findings.config, row.class_id)
        )
        name, colour = wording.class_text(study, row.class_id), colours.get(row.class_id, "#888888")
        blocks.append(
            widgets.line(
                widgets.class_tag(name, colour, **address.link("class_specific", **{"class": row.class_id})),
                contrast.bars(row.support, row.contrast_support, colour, name),
                contrast.beside(wording.share(row.support_count, row.patches, "patch"), row.contrast_support, name),
            )
        )
        if shown := patch_gallery.first_of(study, patches, choices, 8):
            saved.append(shown)
        blocks += patch_gallery.strip(findings, patches, choices, 8)
    widgets.show(blocks, "by_class", patch_gallery.open_chain)
    if saved:
        patch_gallery.save(findings, saved, f"unit-{unit}-by-class")


def _itemsets(findings: Findings, unit: int, everything: bool) -> None:
    rows = findings.itemsets_with_unit(unit)
    rows = rows[rows["size"] > 1].sort_values("support", ascending=False)
    if rows.empty:
        return
    keys = tables.supported_first(contrast.listed(findings, rows, everything))
    supported = rows.groupby("itemset_id")["supported"].first().tolist()
    st.header("Itemsets with this unit", anchor=False)
    wording.paragraph(
        f"{wording.count(rows['itemset_id'].nunique(), 'set')} of units that are frequent together, with this one. "
        + contrast.counts(findings, supported, everything, "set"),
        "small",
    )
    blocks: list[widgets.Block] = []
    for entry in folded_rows.entries(findings, keys, None, fold=True)[:14]:
        blocks += [*tables.itemset_lines(findings, [keys[entry.position]]), *folded_rows.more(entry)]
    widgets.show(blocks, "holding", folded_rows.open_or_fold)
    file = wording.file_name(findings.study.name, f"unit-{unit}-itemsets", "csv")
    saved_tables.buttons("All of them", lambda: tables.plain(findings, rows), file)


router.enter(page)
