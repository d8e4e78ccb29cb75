"""The class's accuracy with units off, beside as many random ones: the answer to a click on an itemset."""

import html

import streamlit as st

from interpret.errors import InputError
from interpret.evaluation.ablation import reference_labels
from interpret.evaluation.heldout import same_photos
from interpret.figures import evaluation_charts
from interpret.findings import Findings
from interpret.findings.tables import Units
from pages.shared import wording
from pages.shared.backend import numbers, pictures
from pages.shared.controls import address
from pages.shared.view import figures, widgets


def render(found: Findings, class_id: int, units: Units) -> None:
    """Show what switching ``units`` off does to the class; nothing where no photo of it can be measured on."""
    study = found.study
    on = numbers.heldout_photos(study)
    if not (reference_labels(on or study) == class_id).any():
        return
    st.subheader("Without these units" if len(units) > 1 else f"Without unit {units[0]}", anchor=False)
    try:
        effect = numbers.class_effect(study, class_id, units)
    except InputError as error:
        wording.paragraph(html.escape(str(error)))
        return
    name, colour = wording.class_text(study, class_id), pictures.colours(study).get(class_id, "#888888")
    low, high = effect.band
    figures.show(
        evaluation_charts.class_effect(effect, colour),
        name=f"{study.name}-{name}-{address.itemset_param(units)}",
        key="class_effect",
        alt=f"accuracy of {name}: {wording.percent(effect.before)} with all units on, {wording.percent(effect.after)} "
        f"without these, {wording.percent(low)} to {wording.percent(high)} without as many random ones",
    )
    gained = [
        widgets.class_tag(
            wording.class_text(study, int(row.class_id)),
            pictures.colours(study).get(int(row.class_id), "#888888"),
            f"+{int(row.gained)}",
        )
        for row in effect.gained.head(5).itertuples()
    ]
    others = ", none of which was mined" if on and not same_photos(study, on) else ""
    said = f"of {wording.count(effect.n, 'photo')} of {name}{others}."
    blocks = [widgets.line(widgets.text(said, "faint"), widgets.text("Taken for instead:") if gained else [], gained)]
    widgets.show(blocks, "class_effect_gained")
