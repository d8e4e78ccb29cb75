"""The photo that is explained, as the network sees it, with a map over it and its patches as boxes."""

import html

import numpy as np
import streamlit as st

from interpret.explanation.photo import PhotoExplanation
from interpret.figures import patch_pictures
from interpret.findings import Findings
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import ablated_units, address, in_vain
from pages.shared.view import widgets


def show(findings: Findings, photo: PickedPhoto, shown: PhotoExplanation) -> int:
    """Show the photo as the network sees it, the map over it and the patches as boxes; returns the chosen patch."""
    study = findings.study
    asked = address.whole_number(st.query_params.get("box")) or 0
    chosen = asked - 1 if 0 < asked <= len(shown.boxes) else 0
    height, width = study.preprocessing.size
    scale = np.array([width, height, width, height]) / 100
    boxes = []
    for place, box in enumerate(shown.input_boxes):
        x0, y0, x1, y1 = (float(value) for value in box / scale)
        words = f"patch {place + 1}, {wording.percent(float(shown.masses[place]))} of the map"
        boxes.append(
            {
                "left": x0,
                "top": y0,
                "width": x1 - x0,
                "height": y1 - y0,
                "number": str(place + 1),
                "title": words,
                "act": {"box": place + 1},
                "on": place == chosen,
            }
        )
    seen, heat = pictures.stage_pictures(study, photo, shown)
    name = wording.class_text(study, shown.target)
    words = f"the photo, with what supports {name} in bright colours"
    above = st.container()  # the slider is below, but only it knows what the address says
    in_vain.warn_of_number("opacity", "an opacity of the map", 0, 100, sign="\u00a0%")
    opacity = st.slider("Map over the photo", 0, 100, 60, key="opacity", bind="query-params", format="%d %%") / 100
    with above:
        widgets.show(
            [widgets.stage(seen, words, heat=heat, opacity=opacity, boxes=boxes)], "stage", ablated_units.switch
        )
    if not len(shown.boxes):
        wording.paragraph(
            f"No unit supports {html.escape(name)} in this photo: the map is zero everywhere and gives no patch."
        )

    def picture() -> bytes:
        view = patch_pictures.view(photo.picture, study.preprocessing, 720)
        inner = [(box * (view.size[0] / width)).tolist() for box in shown.input_boxes]
        return patch_pictures.png(patch_pictures.boxed(patch_pictures.heat_overlay(view, shown.heat, opacity), inner))

    st.download_button(
        "This picture as PNG",
        picture,
        "explained.png",
        "image/png",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
    return chosen
