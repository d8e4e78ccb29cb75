"""Which units carry this class? Its itemsets, their supporting patches, and its accuracy without their units."""

import pandas as pd
import streamlit as st

from interpret import frames
from interpret.findings import Findings, supporting
from interpret.findings.rows import RelevantUnit, RuleRow, Units
from pages.shared import router, wording
from pages.shared.backend import pictures
from pages.shared.controls import address, gallery_choices, in_vain, menus, stand, thresholds
from pages.shared.view import (
    ablation_panel,
    active_gallery,
    contrast,
    contrast_gallery,
    effects,
    empty,
    folded_rows,
    naming,
    patch_chain,
    patch_gallery,
    screen,
    tables,
    widgets,
)


def page() -> None:
    title, findings = thresholds.title_and_findings()
    study = findings.study
    heading = title.empty()
    if not findings.classes:
        with heading.container():
            wording.header("Which units carry this class?")
        empty.nothing_found(findings, empty.EXPLAIN, empty.STUDY)
        return
    thresholds.warn_of_display()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        class_id = menus.choose(
            "Class",
            findings.classes,
            "class",
            lambda class_id: wording.class_text(study, class_id),
            forget=("itemset", "patch", patch_gallery.PAGE_PARAM, folded_rows.PARAM),
            default=_class_of_itemset(findings),
            width=screen.pixels(320),
        )
        display = thresholds.display()
        everything, lean, chance, fold = thresholds.reliability_switches(findings)
    with heading.container():
        wording.header(f"Which units carry {wording.class_text(study, class_id)}?")
    _say_what_is_not_here(findings, class_id)
    _summary(findings, class_id)
    contrast.notice(study)
    found = tables.with_chance(findings.itemsets_of_class(class_id, display, hide_redundant=lean), chance)
    found = effects.with_effects(findings, effects.best_first(findings, found))
    rows = contrast.listed(findings, found, everything)
    hidden = len(findings.itemsets_of_class(class_id, display)) - len(found) if lean else 0
    units = _chosen(findings, class_id, rows)
    left, right = st.columns(2, gap="large")
    with left:
        if said := contrast.counts(findings, found["supported"].tolist(), everything, "itemset"):
            wording.paragraph(said)
        effects.notice(findings, held_out=units is None)
        if not stand.is_on():
            _table(findings, class_id, rows, units, hidden, fold=fold)
        if units is not None:
            ablation_panel.render(findings, class_id, units)
    with right:
        _supporting(findings, class_id, units, chance)
    patch_chain.show_if_asked(findings)


def _class_of_itemset(findings: Findings) -> int | None:
    """The first class in which the itemset in the address is frequent, for an address without a class of the study."""
    asked = address.itemset_from(st.query_params.get("itemset"))
    holding = set(findings.table["class_id"][findings.table["itemset_id"] == findings.id_of.get(asked or (), -1)])
    return next((class_id for class_id in findings.classes if class_id in holding), None)


def _say_what_is_not_here(findings: Findings, class_id: int) -> None:
    """A sentence for a class, or an itemset of the class shown, that the address asks for in vain."""
    study = findings.study
    name = wording.markdown(wording.class_text(study, class_id))
    if asked := menus.not_offered("class", class_id):
        number = address.whole_number(asked)
        if number is not None and number < len(study.class_names):
            said = (
                f"No itemset is frequent in {wording.markdown(wording.class_text(study, number))} at these thresholds"
            )
        else:
            said = "The address names no class of this study"
        st.warning(f"{said}; {name} is shown.")
    if (units := st.query_params.get("itemset")) and not _is_of_class(findings, class_id, address.itemset_from(units)):
        st.warning(
            "The itemset in the address "
            + (
                "is no set of units"
                if address.itemset_from(units) is None
                else f"is not frequent in {name} at these thresholds"
            )
            + "; another one is shown."
        )


def _is_of_class(findings: Findings, class_id: int, units: Units | None) -> bool:
    table = findings.table
    return units is not None and units in set(table["units"][table["class_id"] == class_id])


def _summary(findings: Findings, class_id: int) -> None:
    study = findings.study
    name = wording.class_text(study, class_id)
    photos = int((study.images["predicted"] == class_id).sum())
    known = study.images[study.images["label"] == class_id]
    relevant = findings.relevant_units(class_id)
    specific = relevant[relevant["kind"] == "specific"]
    called = naming.called(findings)
    right = (
        f". Of {wording.count(len(known), 'mined photo')} labelled {name}, "
        f"{wording.percent(float((known['predicted'] == class_id).mean()))} are right"
        if len(known)
        else ""
    )
    blocks = [
        widgets.line(
            widgets.text(f"The model predicts {wording.count(photos, 'photo')} as"),
            widgets.class_tag(name, pictures.colours(study).get(class_id, "#888888")),
            widgets.text(
                f"({wording.count(findings.patch_counts[class_id], 'patch', 'patches')}){right}. "
                f"{wording.count(len(relevant), 'unit')}"
            ),
            {
                "t": "text",
                "word": "carries" if len(relevant) == 1 else "carry",
                "title": wording.TERMS["carry"],
                "text": f" it, {len(specific)} of them only this class:",
            },
        ),
        widgets.line(
            [
                widgets.unit(
                    row.unit,
                    title=naming.title(called, row.unit)
                    + f"in {wording.percent(row.support)} of its patches, {row.kind}",
                )
                for row in frames.rows(relevant.head(24), RelevantUnit)
            ],
            widgets.text(f"and {len(relevant) - 24} more", "faint") if len(relevant) > 24 else [],
        ),
    ]
    widgets.show(blocks, "summary")


def _chosen(findings: Findings, class_id: int, rows: pd.DataFrame) -> Units | None:
    """The itemset in the address if the class has it, listed or not, else the best listed one of two units or more."""
    asked = address.itemset_from(st.query_params.get("itemset"))
    if _is_of_class(findings, class_id, asked):
        return asked
    pairs = rows[rows["size"] > 1]
    first = pairs if len(pairs) else rows
    return first["units"].iloc[0] if len(first) else None


def _table(
    findings: Findings, class_id: int, rows: pd.DataFrame, units: Units | None, hidden: int, *, fold: bool
) -> None:
    kinds = {"any": "all", "specific": "only this class", "shared": "shared with others"}
    in_vain.warn_of_choice("kind", "Kind", kinds.values())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Kind",
            list(kinds),
            default="any",
            key="kind",
            bind="query-params",
            required=True,
            format_func=lambda kind: kinds[kind],
        )
        wanted = st.text_input(
            "With units", key="with", bind="query-params", placeholder="193, 34", width=screen.pixels(200)
        )
    listed = rows if kind in (None, "any") else rows[rows["kind"] == kind]
    listed = tables.with_units(listed, wanted)
    if listed.empty:
        wording.paragraph("No itemset of this class matches; choose another kind or fewer units.")
        return
    listed = listed.reset_index(drop=True)
    entries = folded_rows.entries(findings, listed["itemset_id"].tolist(), units, fold=fold, class_id=class_id)
    shown = listed.iloc[[entry.position for entry in entries]].reset_index(drop=True)
    if any(entry.stands_for > 1 for entry in entries):
        shown["alike"] = [f"{entry.stands_for:,}" if entry.stands_for else "↳" for entry in entries]
    tables.itemsets(
        findings,
        shown,
        units,
        key=f"table_{class_id}",
        every=listed,
        remark=folded_rows.counted(entries) + (f", {wording.count(hidden, 'redundant one')} hidden" if hidden else ""),
        name=f"{wording.class_text(findings.study, class_id)}-itemsets",
    )
    for entry in entries:
        if entry.stands_for > 1 and (entry.units == units or entry.is_open):
            widgets.show(folded_rows.more(entry), f"alike_{entry.position}", folded_rows.open_or_fold)


def _supporting(findings: Findings, class_id: int, units: Units | None, chance: pd.Series | None) -> None:
    """Show the measures of the chosen itemset and its supporting patches."""
    study = findings.study
    if units is None:
        return
    table = findings.table
    rows = table[(table["itemset_id"] == findings.id_of[units]) & (table["class_id"] == class_id)]
    row = tables.with_chance(rows, chance).iloc[0]
    name, colour = wording.class_text(study, class_id), pictures.colours(study).get(class_id, "#888888")
    share = wording.share(int(row["support_count"]), findings.patch_counts[class_id], "patch")
    others = table[(table["itemset_id"] == row["itemset_id"]) & (table["class_id"] != class_id)]
    shared = [
        contrast.tag(
            other.support,
            other.contrast_support,
            pictures.colours(study).get(other.class_id, "#888888"),
            wording.class_text(study, other.class_id),
        )
        for other in frames.rows(others, RuleRow)
    ]
    blocks = [
        widgets.line(widgets.units(units), widgets.text("→"), widgets.class_tag(name, colour), shared, size="big"),
        widgets.line(
            contrast.bars(row["support"], row["contrast_support"], colour, name),
            contrast.beside(share, row["contrast_support"], name, "text"),
        ),
        widgets.line(
            widgets.text(f"In {wording.share(int(row['image_count']), int(row['images']), 'photo')},", "faint"),
            tables.measures(row),
            size="small",
        ),
        *contrast.verdict(findings, units, measured=True),
    ]
    naming.show(findings, units)
    widgets.show(blocks, "supporting")
    patches = supporting.supporting_patches(study, units, findings.config, class_id)
    itemset = address.itemset_param(units)
    choices = gallery_choices.choose(study, units, forget=("patch", patch_gallery.PAGE_PARAM))
    if choices.active:
        active_gallery.show(findings, units, f"active-{itemset}", choices)
    else:
        key = f"class-{class_id}-{itemset}"
        patch_gallery.show(findings, patches.tolist(), units, key, choices, file=f"{name}-{itemset}")
    contrast_gallery.show(findings, units, [class_id], choices, across=5)


router.enter(page)
