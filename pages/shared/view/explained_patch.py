"""A patch of the photo that is explained: its transaction, a switch for each unit, and what its itemsets support."""

import html

import streamlit as st

from interpret.explanation.photo import PhotoExplanation
from interpret.findings import Findings, photo_transactions
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import ablated_units
from pages.shared.view import tables, widgets


def show(findings: Findings, shown: PhotoExplanation, image_id: int | None, patch: int, off: set[int]) -> None:
    """Show the chosen patch as a transaction with a switch for each unit, and the classes that its itemsets support.

    Args:
        findings: of the open study.
        shown: the explanation.
        image_id: the photo, if it is one of the study.
        patch: which of its patches.
        off: units that are ablated.
    """
    if not len(shown.boxes):
        return
    study, colours = findings.study, pictures.colours(findings.study)
    kept = photo_transactions.transactions(findings, shown, image_id)[patch]
    strongest = [int(unit) for unit in shown.units[patch][: findings.config.top_units] if unit >= 0]
    title = wording.count(len(kept), "unit") if kept else "no unit exceeds the contrast"
    st.header(f"Patch {patch + 1}: {'its ' if kept else ''}{title}", anchor=False)
    wording.paragraph(
        f"Its {wording.term('transaction')} for {html.escape(wording.class_text(study, shown.target))}: "
        f"{wording.of_transaction(findings)}. A click ablates a unit (sets it to zero), and the model answers again at "
        "once.",
        "small",
    )
    chips = [_chip(unit, off) for unit in kept]
    left = [unit for unit in kept if unit not in off]
    links = [{"t": "link", "text": "ablate all", "act": {"units": left}}] if left else []
    lines = [widgets.line(chips, links)] if chips else []
    if left_out := [unit for unit in strongest if unit not in kept]:
        said = widgets.text("Left out, as strong in photos of other classes:", "faint")
        lines.append(widgets.line(said, [_chip(unit, off) for unit in left_out]))
    widgets.show(lines, "chips", ablated_units.switch)
    held = findings.itemsets_within(kept)
    if held.empty:
        wording.paragraph("It holds no frequent itemset; a smaller support or a larger N would find more.", "small")
        return
    votes = held.groupby("class_id")["support"].agg(["size", "max"]).sort_values(["size", "max"], ascending=False)
    st.header("Classes that this patch supports", anchor=False)
    tags = [
        widgets.class_tag(
            wording.class_text(study, class_id), colours.get(class_id, "#888888"), wording.count(number, "itemset")
        )
        for class_id, number in zip(votes.index[:6].tolist(), votes["size"].head(6).tolist(), strict=True)
    ]
    widgets.show(
        [
            widgets.line(widgets.text(f"It holds {wording.count(held['itemset_id'].nunique(), 'itemset')}:"), tags),
            *tables.itemset_lines(findings, tables.supported_first(held)[:7]),
        ],
        "classes_supported",
    )


def _chip(unit: int, off: set[int]) -> widgets.Part:
    """A unit that a click ablates or restores."""
    return widgets.unit(
        unit,
        off=unit in off,
        href=None,
        act={"units": [unit], "on": unit in off},
        title=f"unit {unit}: {'restore' if unit in off else 'ablate'} it",
    )
