"""Itemsets as tables that can be sorted, filtered, clicked and saved, and as lines of chips."""

import hashlib
import re
from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from interpret import frames
from interpret.findings import Findings
from interpret.findings.rows import RuleRow, SharedRow, Units
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import address
from pages.shared.view import contrast, data_table, naming, saved_tables, screen, widgets


def itemset_lines(findings: Findings, keys: Sequence[int]) -> list[widgets.Block]:
    """`34,193 -> Bird 61 %, contrast 12 %` for each itemset: units and classes can be clicked."""
    study, colours = findings.study, pictures.colours(findings.study)
    lines, called = [], naming.called(findings)
    for key in keys:
        units = findings.units_of[key]
        rows = findings.table[findings.table["itemset_id"] == key].sort_values("support", ascending=False)
        tags: list[widgets.Part] = []
        for row in frames.rows(rows, RuleRow):
            tags.append(
                contrast.tag(
                    row.support,
                    row.contrast_support,
                    colours.get(row.class_id, "#888888"),
                    wording.class_text(study, row.class_id),
                    **address.link(
                        "class_specific", **{"class": row.class_id, "itemset": address.itemset_param(units)}
                    ),
                )
            )
        mark = contrast.mark(findings, bool(rows["supported"].all()))
        lines.append(widgets.line(widgets.units(units), naming.in_list(called, units), widgets.text("→"), tags, mark))
    return lines


def supported_first(rows: pd.DataFrame) -> list[int]:
    """The ids of the itemsets of some rows in their order, the supported ones before the others."""
    ordered = rows.iloc[(~rows["supported"].to_numpy(bool)).argsort(kind="stable")]
    return list(dict.fromkeys(int(key) for key in ordered["itemset_id"]))


# Widths in pixels, so that half of a page 1,440 pixels wide shows what decides; the rest scrolls.
SHOWN = {
    "itemset": st.column_config.TextColumn("units", help=wording.TERMS["itemset"], width=100),
    "named": st.column_config.TextColumn(
        "name",
        help="what people call it; with a question mark a proposal: the known parts that its units detect, or the "
        "nearest word in WordNet above its classes",
        width=110,
    ),
    "alike": st.column_config.TextColumn(
        "alike", help=f"how many the row stands for of {wording.TERMS['near-duplicates']}; ↳: unfolded", width=50
    ),
    "support": st.column_config.ProgressColumn(
        "of patches", help=wording.TERMS["support"], format="%.0f %%", min_value=0, max_value=100, width=92
    ),
    "contrast_support": st.column_config.ProgressColumn(
        "contrast",
        help=wording.TERMS["contrast support"],
        format="%.0f %%",
        min_value=0,
        max_value=100,
        width=92,
        color="gray",
    ),
    "fall": st.column_config.NumberColumn("costs", help=wording.TERMS["costs"], format="%.1f", width=60),
    "random": st.column_config.NumberColumn("random", help=wording.TERMS["random units"], format="%.1f", width=70),
    "worst": st.column_config.NumberColumn("others", help=wording.TERMS["others"], format="%.1f", width=64),
    "contrast_lift": st.column_config.NumberColumn(
        "× contrast", help=wording.TERMS["contrast lift"], format="%.1f", width=94
    ),
    "image_q_value": st.column_config.NumberColumn("q", help=wording.TERMS["q-value"], format="%.0e", width=66),
    "supported": st.column_config.CheckboxColumn("supported", help=wording.TERMS["supported"], width=86),
    "chance": st.column_config.NumberColumn("p", help=wording.TERMS["chance"], format="%.3f", width=56),
    "kind": st.column_config.TextColumn(
        "kind", help="specific: frequent in this class only; shared: in other classes too", width=72
    ),
    "image_support": st.column_config.NumberColumn(
        "of photos", help="share of the class's photos with at least one such patch", format="%.0f %%", width=76
    ),
    "confidence": st.column_config.NumberColumn(
        "confidence", help=wording.TERMS["confidence"], format="%.0f %%", width=88
    ),
    "lift": st.column_config.NumberColumn("lift", help=wording.TERMS["lift"], format="%.1f", width=48),
    "stable": st.column_config.NumberColumn("stable", help=wording.TERMS["stable"], format="%.0f %%", width=62),
}

SAVED = {
    "chance": "p_by_shuffling",
    "again": "found_again",
    "lifted": "lift_found_again",
    "fall": "accuracy_fall",
    "random": "accuracy_fall_random_units",
    "worst": "largest_accuracy_fall_of_another_class",
}
"""Columns with another name in a saved table."""

TESTED = ("contrast_support", "contrast_lift", "image_q_value", "supported")
"""Columns that a study without a contrast has no values for."""

PERCENT = ("support", "contrast_support", "image_support", "confidence", "stable")

POINTS = ("fall", "random", "worst")
"""Columns of differences between two accuracies."""


def with_units(rows: pd.DataFrame, text: str | None) -> pd.DataFrame:
    """The itemsets that hold all units named in a text; all itemsets if it names none."""
    wanted = {int(number) for number in re.findall(r"\d{1,6}", text or "")}
    return rows[[wanted.issubset(units) for units in rows["units"]]] if wanted and len(rows) else rows


def with_chance(rows: pd.DataFrame, chance: pd.Series | None) -> pd.DataFrame:
    """Rows of :attr:`~interpret.findings.Findings.table` with p-values from shuffling, if given, as `chance`."""
    if chance is None:
        return rows
    return rows.assign(chance=chance.reindex(pd.MultiIndex.from_frame(rows[["itemset_id", "class_id"]])).to_numpy())


def measures(row: pd.Series, stable: str = "stable") -> list[widgets.Part]:
    """The measures of one rule, with tooltips; ``stable`` is `again` for a rule of one class among several."""
    parts = [
        ("confidence", wording.percent(row["confidence"]), "confidence"),
        ("lift", f"{row['lift']:.1f}", "lift"),
    ]
    if pd.notna(row["contrast_lift"]):
        parts.append(("contrast lift", contrast.lift_text(row["contrast_lift"]), "contrast lift"))
    if pd.notna(row["image_q_value"]):
        parts.append(("q", wording.small_number(row["image_q_value"]), "q-value"))
    if "chance" in row.index:
        parts.append(("p by shuffling", wording.small_number(row["chance"]), "chance"))
    if pd.notna(row[stable]):  # else there are too many itemsets to resample while a person waits
        word = "stable" if stable == "stable" else "frequent"
        parts.append((word, f"in {wording.percent(row[stable])} of resamples", stable))
    ends = [*[","] * (len(parts) - 1), ""]
    told = [
        widgets.measure(word, value + end, wording.TERMS[term])
        for (word, value, term), end in zip(parts, ends, strict=True)
    ]
    if pd.notna(row["lifted"]):
        text = f"in {wording.percent(row['lifted'])}"
        told.append(widgets.measure("with a contrast lift of 2 or more", text, wording.TERMS["lifted"]))
    return told


def itemsets(
    findings: Findings,
    rows: pd.DataFrame,
    chosen: Units | None,
    key: str,
    *,
    every: pd.DataFrame,
    remark: str,
    name: str,
) -> None:
    """Show itemsets of one class with their measures; a click on a row writes its itemset into the address.

    Args:
        findings: where the itemsets are from.
        rows: of :attr:`~interpret.findings.Findings.table`, with the columns `chance` and `alike` to show them.
        chosen: the itemset whose row is marked.
        key: of the widget.
        every: all itemsets, folded ones too, which are counted and saved.
        remark: what follows their number, as HTML.
        name: of the saved file, after the study's name.
    """
    shown = pd.DataFrame({"itemset": rows["units"].map(wording.itemset_text)})
    if called := naming.in_table(findings, rows["units"]):
        shown["named"] = called
    for column in list(SHOWN)[2:]:
        if column in rows and (findings.study.has_contrast or column not in TESTED):
            shown[column] = 100 * rows[column] if column in PERCENT else rows[column]
    for column in POINTS:
        if column in rows:
            shown[column] = (100 * shown[column]).round(1) + 0.0  # no minus before a zero
    places = rows.index[rows["units"] == chosen].tolist() if chosen else []
    key = _table_key(key, rows, places[:1])

    def picked() -> None:
        state = st.session_state.get(key)  # none where the page is being left
        if state and (clicked := state["selection"]["rows"]):
            units = rows["units"].iloc[clicked[0]]
            # The gallery of another itemset may have been at a later page.
            address.change({"itemset": address.itemset_param(units)}, ("page",) if units != chosen else ())

    data_table.show(
        shown,
        key=key,
        column_config=_columns(screen.scale(), max(map(len, shown["itemset"]), default=0)),
        on_select=picked,
        selection_mode="single-row",
        selection_default={"selection": {"rows": places[:1]}} if places else None,
        alt="itemsets of this class with their support, contrast support, contrast lift and q-value",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        wording.paragraph(f"{wording.count(len(every), 'itemset')}{remark}; a click on one shows its patches.", "small")
        file = wording.file_name(findings.study.name, name, "csv")
        saved_tables.buttons("All measures", lambda: plain(findings, every), file)


def _columns(scale: float, letters: int) -> dict[str, ColumnConfig]:
    """:data:`SHOWN` as wide as the text on this screen needs them; ``letters``: of the longest itemset (count)."""
    columns = {name: column.copy() for name, column in SHOWN.items()}
    columns["itemset"]["width"] = min(max(100, 24 + 8 * letters), 190)
    for column in columns.values():
        if isinstance(width := column.get("width"), int):
            column["width"] = round(scale * width)
    return columns


def _table_key(name: str, rows: pd.DataFrame, marked: list[int]) -> str:
    """The widget key of the table of these rows; a new key if the table would mark another row than ``marked``.

    A table keeps its selected row as long as its key stays. If the address names another itemset, as after the
    browser's Back or a link, a new table replaces it. After a click the table stays, and with it its scroll position.
    """
    listed = hashlib.sha256(repr(rows["units"].tolist()).encode()).hexdigest()[:12]
    counter = f"{name}_made"
    key = f"{name}_{listed}_{st.session_state.setdefault(counter, 0)}"
    if key in st.session_state and st.session_state[key]["selection"]["rows"] != marked:
        st.session_state[counter] += 1
        key = f"{name}_{listed}_{st.session_state[counter]}"
    return key


def plain(findings: Findings, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of :attr:`~interpret.findings.Findings.table` for saving: names instead of numbers."""
    shown = rows.drop(columns=["itemset_id", "classes", "rule"]).rename(columns=SAVED)
    shown.insert(0, "class", [wording.class_text(findings.study, int(class_id)) for class_id in rows["class_id"]])
    shown["units"] = rows["units"].map(wording.itemset_text)
    return shown.assign(**naming.saved(findings, rows["units"]))


def plain_shared(findings: Findings, rows: pd.DataFrame, chance: pd.Series | None) -> pd.DataFrame:
    """Rows of :attr:`interpret.findings.Findings.all_shared` for saving, a line each.

    Values that differ between the classes are listed in the order of the classes, separated by commas.
    """
    table = with_chance(findings.table[findings.table["itemset_id"].isin(rows["itemset_id"])], chance)
    by_rule = table.set_index(["itemset_id", "class_id"])
    per_rule = [
        by_rule.loc[[(row.itemset_id, class_id) for class_id in row.class_ids]] for row in frames.rows(rows, SharedRow)
    ]
    shown = pd.DataFrame(
        {
            "units": rows["units"].map(wording.itemset_text).to_numpy(),
            "classes": [
                ", ".join(wording.class_text(findings.study, class_id) for class_id in ids) for ids in rows["class_ids"]
            ],
        }
    )
    columns = {
        "support": "support in each",
        "support_count": "patches in each",
        "image_support": "support in photos of each",
        "image_count": "photos in each",
        "confidence": "confidence in each",
        "lift": "lift in each",
        "contrast_support": "contrast support in each",
        "contrast_count": "contrast patches with it in each",
        "contrast_patches": "contrast patches in each",
        "contrast_image_count": "contrast photos with it in each",
        "contrast_images": "contrast photos in each",
        "contrast_lift": "contrast lift in each",
        "image_q_value": "q in each",
        "chance": "p by shuffling in each",
        "again": "resamples in which it is frequent in each",
        "lifted": "resamples with a contrast lift of 2 or more in each",
    }
    for column, name in columns.items():
        if column in by_rule:
            shown[name] = [", ".join(f"{value:.4g}" for value in part[column]) for part in per_rule]
    shown["smallest contrast lift"] = rows["contrast_lift"].to_numpy()
    shown["supported"] = rows["supported"].to_numpy()
    shown["largest q-value"] = rows["q_value"].to_numpy()
    shown["stable"] = rows["stable"].to_numpy()
    return shown.assign(**naming.saved(findings, rows["units"]))
