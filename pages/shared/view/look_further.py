"""What Explain shows only if asked for, below the explanation: one thing at a time, chosen in the address."""

import streamlit as st

from interpret.explanation.photo import PhotoExplanation
from interpret.findings import Findings
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import in_vain
from pages.shared.view import other_maps, similar_photos

PARAM = "further"
"""The parameter in the address for what is shown."""

SIMILAR, MAPS = "similar photos", "other attributions"

CHOICES = (SIMILAR, MAPS)
"""What may be asked for."""


def show(findings: Findings, photo: PickedPhoto, shown: PhotoExplanation) -> None:
    """Show the choice, and what is chosen; nothing of it at first.

    Args:
        findings: of the open study.
        photo: the photo that is explained.
        shown: its explanation.
    """
    if not len(shown.boxes):
        return
    in_vain.warn_of_choice(PARAM, "Look further", CHOICES)
    chosen = st.segmented_control("Look further", CHOICES, key=PARAM, bind="query-params")
    if chosen == SIMILAR:
        st.header("Photos of the study that are like this one in their units", anchor=False)
        similar_photos.show(findings, photo, shown)
    elif chosen == MAPS:
        st.header("Another attribution beside Grad-CAM", anchor=False)
        other_maps.show(findings, photo, shown)
