"""Another attribution beside Grad-CAM: both maps over the photo, and how many of the strongest units agree."""

import html

import streamlit as st

from interpret.explanation import attributions
from interpret.explanation.photo import PhotoExplanation
from interpret.findings import Findings
from pages.shared import wording
from pages.shared.backend import model, pictures
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import in_vain
from pages.shared.view import explained_stage, widgets

PARAM = "method"
"""The parameter in the address for the attribution beside Grad-CAM."""

OPACITY = 0.6
"""Of the maps (fraction)."""

MEANINGS = {
    attributions.ABLATION_CAM: "Ablation-CAM weighs each unit’s activation by how far the class’s logit falls when the "
    "unit is ablated (Desai and Ramaswamy, 2020).",
    attributions.OCCLUSION: "Occlusion shows how far the class’s logit falls where a plain square covers the photo "
    "(Zeiler and Fergus, 2014).",
    attributions.INTEGRATED_GRADIENTS: "Integrated gradients add up the gradient at each pixel on the way from a plain "
    "picture to the photo (Sundararajan et al., 2017).",
}
"""What each attribution is, in a sentence."""


def show(findings: Findings, photo: PickedPhoto, shown: PhotoExplanation) -> None:
    """Show a choice of attributions, and the chosen one's map beside Grad-CAM's.

    Args:
        findings: of the open study.
        photo: the photo that is explained.
        shown: its explanation by Grad-CAM, with a patch at least.

    Raises:
        InputError: the network cannot be loaded here, or has other weights than the study was made with.
    """
    if not attributions.is_available():
        wording.paragraph(f"{html.escape(attributions.HOW_TO_GET)}.", "small")
        return
    in_vain.warn_of_choice(PARAM, "Beside Grad-CAM", attributions.METHODS)
    method = st.segmented_control(
        "Beside Grad-CAM",
        attributions.METHODS,
        default=attributions.METHODS[0],
        key=PARAM,
        bind="query-params",
        required=True,
    )
    other = model.attributed(findings.study, photo, shown, method)
    n = findings.config.top_units
    mine, others = (attributions.strongest_units(each, n) for each in (shown, other))
    agree = set(mine) & set(others)
    wording.paragraph(f"{MEANINGS[method]} {_agreement(method, len(agree), len(mine), len(others))}")
    left, right = st.columns(2, gap="large")
    with left:
        _map(findings, photo, shown, "Grad-CAM", mine, agree)
    with right:
        _map(findings, photo, other, method, others, agree)
    wording.paragraph(
        "Both maps are cut into patches by the same rule, and the units of a patch are ranked by the same score: only "
        "where the methods look differs. Units in colour are among the strongest of both.",
        "small",
    )


def _agreement(method: str, agree: int, mine: int, others: int) -> str:
    """How many units the largest patches of both maps have in common, as a sentence."""
    if not others:
        return f"For this photo {html.escape(method)} gives no patch with a unit."
    verb = "is" if agree == 1 else "are"
    return (
        f"Of the {wording.count(mine, 'strongest unit')} of Grad-CAM’s largest patch, {agree} {verb} among the "
        f"{others} of {html.escape(method)}."
    )


def _map(
    findings: Findings, photo: PickedPhoto, shown: PhotoExplanation, method: str, units: list[int], agree: set[int]
) -> None:
    """One method's map over the photo, with its patches, and the strongest units of the largest."""
    study = findings.study
    seen, heat = pictures.map_pictures(study, photo, shown, method)
    name = wording.class_text(study, shown.target)
    boxes = [{**box, "act": None, "on": place == 0} for place, box in enumerate(explained_stage.boxes(study, shown, 0))]
    stage = widgets.stage(
        seen,
        f"the photo, with what supports {name} by {method} in bright colours",
        heat=heat,
        opacity=OPACITY,
        boxes=boxes,
    )
    title = method[:1].upper() + method[1:]
    line = widgets.line(
        widgets.text(title, "strong"),
        widgets.text(
            f"{wording.count(len(shown.boxes), 'patch', 'patches')}; the strongest units of the largest:", "faint"
        ),
        [widgets.unit(unit, on=unit in agree) for unit in units],
    )
    widgets.show([stage, line], f"map_of_{method.replace(' ', '_').replace('-', '_')}")
