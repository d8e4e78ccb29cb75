"""The class's accuracy with units off, beside as many random ones: the answer to a click on an itemset."""

import html

import streamlit as st

from interpret.errors import InputError
from interpret.evaluation.ablation import truth
from interpret.evaluation.heldout import same_photos
from interpret.figures import evaluation_charts
from interpret.findings import Findings
from interpret.findings.tables import Units
from pages.shared import backend, figures, look, widgets


def render(found: Findings, class_id: int, units: Units) -> None:
    """Show what switching ``units`` off does to the class; nothing where no photo of it can be measured on."""
    study = found.study
    on = backend.measured_on(study)
    if not (truth(on or study) == class_id).any():
        return
    st.subheader("Without these units" if len(units) > 1 else f"Without unit {units[0]}", anchor=False)
    try:
        effect = backend.class_effect(study, class_id, units)
    except InputError as error:
        look.say(html.escape(str(error)))
        return
    name, colour = look.class_text(study, class_id), backend.colours(study).get(class_id, "#888888")
    low, high = effect.band
    figures.show(
        evaluation_charts.class_effect(effect, colour),
        name=f"{study.name}-{name}-{look.itemset_param(units)}",
        key="class_effect",
        alt=f"accuracy of {name}: {look.percent(effect.before)} with all units on, {look.percent(effect.after)} "
        f"without these, {look.percent(low)} to {look.percent(high)} without as many random ones",
    )
    gained = [
        widgets.class_tag(
            look.class_text(study, int(row.class_id)),
            backend.colours(study).get(int(row.class_id), "#888888"),
            f"+{int(row.gained)}",
        )
        for row in effect.gained.head(5).itertuples()
    ]
    others = ", none of which was mined" if on and not same_photos(study, on) else ""
    said = f"of {look.count(effect.n, 'photo')} of {name}{others}."
    blocks = [widgets.line(widgets.text(said, "faint"), widgets.text("Taken for instead:") if gained else [], gained)]
    widgets.evidence(blocks, "class_effect_gained")
