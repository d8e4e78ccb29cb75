"""Which units do classes have in common? Rules, a map, a graph, and one row of patches for each class."""

import html

import numpy as np
import pandas as pd
import streamlit as st

from interpret import frames
from interpret.findings import Findings
from interpret.findings.rows import SharedRow, Units
from pages.shared import router, wording
from pages.shared.backend import pictures
from pages.shared.controls import address, in_vain, menus, paging, stand, thresholds
from pages.shared.view import (
    class_unit_figures,
    contrast,
    effects,
    empty,
    folded_rows,
    known_parts,
    naming,
    patch_chain,
    patch_gallery,
    saved_tables,
    screen,
    shared_gallery,
    tables,
    widgets,
)

PER_PAGE = 20
"""Rules on a page of the list (count); the saved table holds all rules."""

VIEWS = ("Rules", "Map", "Graph")


def page() -> None:
    title, findings = thresholds.title_and_findings()
    study = findings.study
    with title:
        wording.header("Which units do classes have in common?")
    if not findings.classes:
        empty.nothing_found(findings, empty.EXPLAIN, empty.STUDY)
        return
    in_vain.warn_of_choice("view", "View", VIEWS)
    thresholds.warn_of_display()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        view = st.segmented_control("View", VIEWS, default=VIEWS[0], key="view", bind="query-params", required=True)
        display = thresholds.display()
        only = menus.choose_several(
            "Shared by",
            findings.classes,
            "by",
            lambda class_id: wording.class_text(study, class_id),
            placeholder="any classes",
            max_selections=8,
            width=screen.pixels(320),
        )
        everything, lean, chance, fold = thresholds.reliability_switches(findings)
    if refused := menus.several_not_offered("by", only):
        st.warning(
            f"The address asks for rules of {wording.count(refused, 'class', 'classes')} that cannot be chosen: not "
            "of this study, without a frequent itemset, or more than eight. The others are kept."
        )
    contrast.notice(study)
    found = _shared_by(findings.shared(display, hide_redundant=lean), only)
    hidden = len(_shared_by(findings.shared(display), only)) - len(found) if lean else 0
    # Sets of several units say more than single ones, whose support is always higher: they come first.
    found = found.iloc[np.argsort(found["size"].to_numpy() == 1, kind="stable")].reset_index(drop=True)
    found = effects.best_first(findings, found)
    rows = contrast.listed(findings, found, everything)
    if rows.empty:
        _nothing_shared(findings, bool(only))
        return
    units = _chosen(rows)
    if said := contrast.counts(findings, found["supported"].tolist(), everything, "shared set"):
        wording.paragraph(said)
    effects.notice(findings)
    if verdict := known_parts.score(findings):
        wording.paragraph(html.escape(verdict))
    if view == "Rules":
        # At a stand pictures come first: on an upright tablet the one stands above the other.
        left, right = st.columns([9, 11], gap="large") if not stand.is_on() else reversed(st.columns([11, 9]))
        with left:
            _rules(findings, rows, units, hidden, chance, fold=fold)
        with right:
            shared_gallery.show(findings, units, chance)
    else:
        draw = class_unit_figures.show_map if view == "Map" else class_unit_figures.show_graph
        draw(findings, rows, units)
        every = {"t": "link", "text": "All units on one map: which fire together", **address.link("unit", units="Map")}
        widgets.show([widgets.line(every)], "every_unit")
        shared_gallery.show(findings, units, chance)
    patch_chain.show_if_asked(findings)


def _nothing_shared(findings: Findings, chosen: bool) -> None:
    """Say why no set is shared; ``chosen``: whether only rules of some classes are asked for."""
    mined = [class_id for class_id, n in findings.patch_counts.items() if n >= findings.config.min_class_patches]
    if len(mined) > 1:
        classes = "all of these classes" if chosen else "two classes at once"
        empty.say(f"No set of units is frequent in {classes}; a smaller support or a larger N would fill this page.")
        return
    name = wording.class_text(findings.study, mined[0])
    empty.say(
        f"Only {name} has the {findings.config.min_class_patches} patches that mining needs, and a shared set is one "
        "of two classes or more. A study with more photos of other classes would fill this page.",
        empty.STUDY,
    )


def _shared_by(rows: pd.DataFrame, classes: list[int]) -> pd.DataFrame:
    """The rules that name all of these classes."""
    return rows[np.array([set(classes).issubset(ids) for ids in rows["class_ids"]], dtype=bool)]


def _chosen(rows: pd.DataFrame) -> Units:
    asked = address.itemset_from(st.query_params.get("itemset"))
    if asked:
        return asked
    if st.query_params.get("itemset"):
        st.warning("The itemset in the address is no set of units; another one is shown.")
    pairs = rows[rows["size"] > 1]
    first: Units = (pairs if len(pairs) else rows)["units"].iloc[0]
    return first


def _choose(act: dict[str, object]) -> None:
    if folded_rows.acted(act):
        return
    address.change({"itemset": act["itemset"]}, (patch_gallery.PAGE_PARAM,))


def _rules(
    findings: Findings, rows: pd.DataFrame, units: Units, hidden: int, chance: pd.Series | None, *, fold: bool
) -> None:
    study, colours = findings.study, pictures.colours(findings.study)
    entries = folded_rows.entries(findings, rows["itemset_id"].tolist(), units, fold=fold)
    pages = -(-min(len(entries), 400) // PER_PAGE)
    page = paging.page_of("rules", pages, "rules")
    lines, called = [], naming.called(findings)
    shown = entries[(page - 1) * PER_PAGE : page * PER_PAGE]
    listed = rows.iloc[[entry.position for entry in shown]]
    for entry, row in zip(shown, frames.rows(listed, SharedRow), strict=True):
        tags = [
            contrast.tag(value, other, colours.get(class_id, "#888888"), wording.class_text(study, class_id))
            for class_id, value, other in zip(row.class_ids, row.supports, row.contrast_supports, strict=True)
        ]
        lines.append(
            widgets.line(
                widgets.units(row.units),
                naming.in_list(called, row.units),
                widgets.text("→"),
                tags,
                contrast.mark(findings, row.supported),
                effects.in_list(findings, row.itemset_id),
                act={"itemset": address.itemset_param(row.units)},
                on=row.units == units,
                title="show the patches behind this rule",
                **({} if entry.stands_for else {"size": "small"}),
            )
        )
        lines += folded_rows.more(entry)
    wording.paragraph(
        f"{wording.count(len(rows), 'set')} of {wording.term('unit', 'units')} frequent in two or more classes"
        f"{folded_rows.counted(entries)}, "
        f"with their {wording.term('support')} in each: the share of the class’s patches"
        + (
            f", and their {wording.term('contrast support')}: the share where photos of classes that do not share "
            "them are explained as this class."
            if study.has_contrast
            else "."
        )
        + (f" {wording.count(hidden, 'redundant one')} hidden." if hidden else "")
    )
    with screen.scroll_box(len(lines)):
        widgets.show(lines, "rules", _choose)
    paging.buttons("rules", pages)
    file = wording.file_name(study.name, "class-shared", "csv")
    saved_tables.buttons("All rules", lambda: tables.plain_shared(findings, rows, chance), file)


router.enter(page)
