"""Which units carry this class? Its itemsets, the patches behind each, and what the class is without them."""

import pandas as pd
import streamlit as st

from interpret import evidence
from interpret.findings import Findings, Units
from pages.shared import ablation_panel, backend, controls, look, patchwork, router, tables, widgets


def page() -> None:
    study = controls.open_study()
    title, tools = st.columns([5, 1], vertical_alignment="bottom")
    with tools:
        found = controls.thresholds(study)
    heading = title.empty()
    if not found.classes:
        with heading.container():
            look.header("Which units carry this class?")
        tables.nothing_found(found)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        class_id = controls.choose(
            "Class",
            found.classes,
            "class",
            lambda one: look.class_text(study, one),
            forget=("itemset", "patch"),
            width=320,
        )
        display = controls.display()
    with heading.container():
        look.header(f"Which units carry {look.class_text(study, class_id)}?")
    _summary(found, class_id)
    rows = found.of_class(class_id, display)
    units = _chosen(found, rows)
    left, right = st.columns([9, 11], gap="large")
    with left:
        units = _table(found, class_id, rows, units)
        if units is not None:
            ablation_panel.render(found, class_id, units)
    with right:
        _behind(found, class_id, units)
    patchwork.chain_if_asked(found)


def _summary(found: Findings, class_id: int) -> None:
    study = found.study
    name = look.class_text(study, class_id)
    photos = int((study.images["predicted"] == class_id).sum())
    known = study.images[study.images["label"] == class_id]
    relevant = found.relevant_units(class_id)
    specific = relevant[relevant["kind"] == "specific"]
    right = (
        f"; it is right for {look.share(int((known['predicted'] == class_id).sum()), len(known), name + ' photo')}"
        if len(known)
        else ""
    )
    blocks = [
        widgets.line(
            widgets.text(f"The model calls {look.count(photos, 'photo')}"),
            widgets.class_tag(name, backend.colours(study).get(class_id, "#888888")),
            widgets.text(
                f"({look.count(found.patches_of[class_id], 'patch', 'patches')}){right}. "
                f"{look.count(len(relevant), 'unit')} carry it, {len(specific)} of them no other class:"
            ),
        ),
        widgets.line(
            [
                widgets.unit(int(row.unit), title=f"in {look.percent(row.support)} of its patches, {row.kind}")
                for row in relevant.head(24).itertuples()
            ],
            widgets.text(f"and {len(relevant) - 24} more", "faint") if len(relevant) > 24 else [],
        ),
    ]
    widgets.evidence(blocks, "summary")


def _chosen(found: Findings, rows: pd.DataFrame) -> Units | None:
    """The itemset in the address if the class has it, else its best of two units or more."""
    asked = look.itemset_from(st.query_params.get("itemset"))
    listed = set(rows["units"])
    if asked in listed:
        return asked
    pairs = rows[rows["size"] > 1]
    first = pairs if len(pairs) else rows
    return first["units"].iloc[0] if len(first) else None


def _table(found: Findings, class_id: int, rows: pd.DataFrame, units: Units | None) -> Units | None:
    kinds = {"any": "all", "specific": "only this class", "shared": "shared with others"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Kind",
            list(kinds),
            default="any",
            key="kind",
            bind="query-params",
            required=True,
            format_func=lambda one: kinds[one],
        )
        wanted = st.text_input("With units", key="with", bind="query-params", placeholder="193, 34", width=200)
    rows = rows if kind in (None, "any") else rows[rows["kind"] == kind]
    rows = tables.with_units(rows, wanted)
    if rows.empty:
        look.say("No itemset of this class is like that; choose another kind, or fewer units.")
        return units
    return tables.itemsets(found, rows.reset_index(drop=True), units, key=f"table_{class_id}")


def _behind(found: Findings, class_id: int, units: Units | None) -> None:
    """The gallery of the chosen itemset, with its numbers in words."""
    study = found.study
    if units is None:
        return
    table = found.table
    row = table[(table["itemset_id"] == found.id_of[units]) & (table["class_id"] == class_id)].iloc[0]
    name, colour = look.class_text(study, class_id), backend.colours(study).get(class_id, "#888888")
    words = (
        f"{look.share(int(row['support_count']), found.patches_of[class_id], 'patch')}, "
        f"{look.share(int(row['image_count']), int(row['images']), 'photo')}"
    )
    others = table[(table["itemset_id"] == row["itemset_id"]) & (table["class_id"] != class_id)]
    shared = [
        widgets.class_tag(
            look.class_text(study, int(one)), backend.colours(study).get(int(one), "#888888"), look.percent(value)
        )
        for one, value in zip(others["class_id"], others["support"], strict=True)
    ]
    blocks = [
        widgets.line(widgets.units(units), widgets.text("→"), widgets.class_tag(name, colour), shared, size="big"),
        widgets.line(
            widgets.text(words + "; "),
            widgets.text(
                f"confidence {look.percent(row['confidence'])}, lift {row['lift']:.1f}, q "
                f"{look.small_number(row['image_q_value'])}, stable in {look.percent(row['stable'])} of resamples",
                "faint",
            ),
        ),
    ]
    widgets.evidence(blocks, "behind")
    patches = evidence.holders(study, units, found.config.top_units, class_id)
    patchwork.gallery_of(found, patches.tolist(), f"gallery_{class_id}_{look.itemset_param(units)}", limit=12)


router.enter(page)
