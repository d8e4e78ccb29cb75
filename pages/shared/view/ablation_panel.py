"""The panel beside an itemset: its class's accuracy with the units ablated, beside as many random ones."""

import html

import streamlit as st

from interpret import frames
from interpret.errors import InputError
from interpret.evaluation.ablation import reference_labels
from interpret.evaluation.effect import GainedRow
from interpret.evaluation.heldout import Best
from interpret.figures import ablation_charts
from interpret.findings import Findings
from interpret.findings.rows import Units
from pages.shared import wording
from pages.shared.backend import cached_results, messages, pictures
from pages.shared.controls import address
from pages.shared.view import figures, widgets


def render(findings: Findings, class_id: int, units: Units) -> None:
    """Show what ablating ``units`` does to a class; nothing if there is no labelled photo of it."""
    study = findings.study
    held_out = cached_results.heldout_photos(study)
    if not (reference_labels(held_out.study if held_out else study) == class_id).any():
        return
    st.header("Without these units" if len(units) > 1 else f"Without unit {units[0]}", anchor=False)
    try:
        effect = cached_results.class_effect(study, class_id, units)
    except InputError as error:
        wording.paragraph(html.escape(messages.of(error)))
        return
    name, colour = wording.class_text(study, class_id), pictures.colours(study).get(class_id, "#888888")
    low, high = effect.band
    figures.show(
        ablation_charts.class_effect(effect, colour),
        name=f"{study.name}-{name}-{address.itemset_param(units)}",
        key="class_effect",
        alt=f"accuracy of {name}: {wording.percent(effect.before)} with all units active, "
        f"{wording.percent(effect.after)} without these, "
        f"{wording.percent(low)} to {wording.percent(high)} without as many random ones",
    )
    gained = [
        widgets.class_tag(
            wording.class_text(study, row.class_id),
            pictures.colours(study).get(row.class_id, "#888888"),
            f"+{row.gained}",
        )
        for row in frames.rows(effect.gained.head(5), GainedRow)
    ]
    sentences = [_measured_on(held_out, effect.n, name), *cached_results.heldout_damages(study)]
    if not cached_results.has_labels(study):
        sentences.append("They have no labels, so what the model says with all units active counts as right.")
    blocks = [widgets.line(widgets.text(sentence, "faint")) for sentence in sentences]
    if gained:
        blocks.insert(0, widgets.line(widgets.text("Taken for instead:"), gained))
    widgets.show(blocks, "class_effect_gained")


def _measured_on(held_out: Best | None, photos: int, class_name: str) -> str:
    """Which photos the accuracy is of, in a sentence.

    Args:
        held_out: the set that was chosen; None for the study's own photos.
        photos: those of the class (count).
        class_name: of the class.
    """
    measured = f"Measured on {wording.count(photos, 'photo')} of {class_name}"
    if held_out is None:
        return f"{measured} that were mined as well, which flatters the units: none were held out yet."
    if held_out.mined:
        sentence = f"{measured} that were mined as well, which flatters the units"
    else:
        sentence = f"{measured} in {wording.photos_of(held_out.source)}, none of which was mined"
    if held_out.others:
        sentence += f"; of {held_out.others + 1} held-out sets this is the largest"
    return f"{sentence}."
