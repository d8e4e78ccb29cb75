"""Why this class for this photo? The map, its patches, their units and itemsets, and the answer without units."""

import numpy as np
import streamlit as st

from interpret.errors import InputError
from interpret.explanation.photo import PhotoExplanation
from interpret.study import Study
from pages.shared import router, wording
from pages.shared.backend import messages, model
from pages.shared.controls import ablated_units, address, menus, thresholds
from pages.shared.view import (
    explained_answer,
    explained_patch,
    explained_stage,
    look_further,
    patch_chain,
    photo_picker,
    screen,
)


def page() -> None:
    title, findings = thresholds.title_and_findings()
    study = findings.study
    heading = title.empty()
    with heading.container():
        wording.header("Why this class for this photo?")
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    try:
        photo = photo_picker.pick(findings, row)
        if photo is None:
            return
        first = model.explained(study, photo, None)
        with row:
            target = _target(study, first)
        shown = first if target == first.predicted else model.explained(study, photo, target)
    except InputError as error:
        st.error(wording.markdown(messages.of(error)))
        return
    with heading.container():
        wording.header(f"Why {wording.class_text(study, shown.target)}?")
    off = ablated_units.chosen(study)
    _say_what_is_not_here(study, shown)
    picture, words = st.columns([10, 11], gap="large")
    with picture:
        patch = explained_stage.show(findings, photo, shown)
    with words:
        explained_answer.show(study, photo, first, off)
        explained_patch.show(findings, shown, photo.image_id, patch, off)
    look_further.show(findings, photo, shown)
    patch_chain.show_if_asked(findings)


def _target(study: Study, first: PhotoExplanation) -> int:
    """The class to explain: the one in the address, else the predicted one."""
    order = [int(class_id) for class_id in np.argsort(-first.logits, kind="stable")]
    probabilities = first.probabilities
    return menus.choose(
        "Explain",
        order,
        "target",
        lambda class_id: (
            f"{wording.class_text(study, class_id)} · {wording.percent(float(probabilities[class_id]), 1)}"
        ),
        forget=("box",),
        width=screen.pixels(360),
        default=order[0],
    )


def _say_what_is_not_here(study: Study, shown: PhotoExplanation) -> None:
    """A sentence for a class, a patch or units that the address asks for in vain."""
    said = []
    if menus.not_offered("target", shown.target):
        name = wording.markdown(wording.class_text(study, shown.target))
        said.append(f"The address names no class of this study; the photo is explained as {name}.")
    box, patches = st.query_params.get("box"), len(shown.boxes)
    if box and patches and not 0 < (address.whole_number(box) or 0) <= patches:
        there = "it has one only" if patches == 1 else f"it has {patches}"
        said.append(
            f"This photo has no patch {wording.markdown(box[:20])} as explained here: {there}. The first is shown."
        )
    if menus.several_not_offered("off", sorted(ablated_units.chosen(study))):
        units = f"the layer has {study.n_units:,} units, counted from 0"
        said.append(f"The address asks for units that are not there: {units}. The others are ablated.")
    if explained_stage.asks_for_no_unit(study):
        units = f"the layer has {study.n_units:,} units, counted from 0"
        said.append(f"The address asks for the map of a unit that is not there: {units}. The explanation’s is shown.")
    for sentence in said:
        st.warning(sentence)


router.enter(page)
