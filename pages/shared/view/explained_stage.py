"""The photo that is explained, as the network sees it, with a map over it and its patches as boxes."""

import html

import numpy as np
import streamlit as st

from interpret.explanation.photo import PhotoExplanation
from interpret.figures import patch_pictures
from interpret.findings import Findings
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import ablated_units, address, in_vain, menus
from pages.shared.view import widgets

EXPLANATION = "explanation"
"""What the map shows where the address names no unit."""

MAP_PARAM = "map"
"""The parameter in the address for what the map shows: a unit, or the explanation."""


def show(findings: Findings, photo: PickedPhoto, shown: PhotoExplanation) -> int:
    """Show the photo as the network sees it, a map over it and the patches as boxes; returns the chosen patch."""
    study = findings.study
    asked = address.whole_number(st.query_params.get("box")) or 0
    chosen = asked - 1 if 0 < asked <= len(shown.boxes) else 0
    above = st.container()  # the controls are below, but only they know what the address says
    in_vain.warn_of_number("opacity", "an opacity of the map", 0, 100, sign="\u00a0%")
    what, how = st.columns(2, gap="medium", vertical_alignment="bottom")
    with what:
        unit = _mapped_unit(findings, shown, chosen)
    opacity = how.slider("Map over the photo", 0, 100, 60, key="opacity", bind="query-params", format="%d %%") / 100
    seen, heat = pictures.stage_pictures(study, photo, shown, unit)
    name = wording.class_text(study, shown.target)
    supports = f"what supports {name}" if unit is None else f"where unit {unit} fires"
    with above:
        stage = widgets.stage(
            seen,
            f"the photo, with {supports} in bright colours",
            heat=heat,
            opacity=opacity,
            boxes=boxes(study, shown, chosen),
        )
        widgets.show([stage], "stage", ablated_units.switch)
    if unit is not None:
        _say_unit(shown, unit)
    if not len(shown.boxes):
        wording.paragraph(
            f"Every patch of this photo covers less than {wording.percent(study.extract_config.min_area, 1)} of it "
            "(the study’s option --min-area), so none is kept."
            if shown.heat.any()
            else f"No unit supports {html.escape(name)} in this photo: the map is zero everywhere and gives no patch."
        )
    _save(study, photo, shown, unit, opacity)
    return chosen


def _mapped_unit(findings: Findings, shown: PhotoExplanation, patch: int) -> int | None:
    """The unit whose map is asked for, a strong one of the patch or any in the address; None for the explanation's."""
    units = [int(unit) for row in shown.units[patch : patch + 1] for unit in row[: findings.config.top_units]]
    units = [unit for unit in units if unit >= 0]
    asked = mapped(findings.study)
    if asked is not None and asked not in units:
        units.append(asked)
    choice = menus.choose(
        "Show",
        [EXPLANATION, *(str(unit) for unit in units)],
        MAP_PARAM,
        lambda choice: "the explanation" if choice == EXPLANATION else f"where unit {choice} fires",
        default=EXPLANATION,
    )
    return None if choice == EXPLANATION else int(choice)


def mapped(study: Study) -> int | None:
    """The unit of the layer whose map the address asks for; None if it asks for none."""
    unit = address.whole_number(st.query_params.get(MAP_PARAM))
    return unit if unit is not None and unit < study.n_units else None


def asks_for_no_unit(study: Study) -> bool:
    """Whether the address asks for a map that is neither the explanation's nor that of a unit of the layer."""
    return st.query_params.get(MAP_PARAM) not in (None, "", EXPLANATION) and mapped(study) is None


def boxes(study: Study, shown: PhotoExplanation, chosen: int | None = None) -> list[widgets.Part]:
    """The patches, in percent of the picture; a click chooses one, unless none is to be chosen (None)."""
    height, width = study.preprocessing.size
    scale = np.array([width, height, width, height]) / 100
    parts: list[widgets.Part] = []
    for place, box in enumerate(shown.input_boxes):
        x0, y0, x1, y1 = (float(value) for value in box / scale)
        parts.append(
            {
                "left": x0,
                "top": y0,
                "width": x1 - x0,
                "height": y1 - y0,
                "number": str(place + 1),
                "title": f"patch {place + 1}, {wording.percent(float(shown.masses[place]))} of the map",
                **({} if chosen is None else {"act": {"box": place + 1}, "on": place == chosen}),
            }
        )
    return parts


def _say_unit(shown: PhotoExplanation, unit: int) -> None:
    """Say what a unit's map is relative to."""
    largest = float(shown.activations[unit].max())
    said = (
        f"fires most in this photo (activation {largest:.2f}) where the map is brightest. The boxes are the "
        "explanation’s patches."
        if largest > 0
        else "does not fire in this photo."
    )
    widgets.show([widgets.line(widgets.unit(unit), widgets.text(said, "faint"), size="small")], "mapped_unit")


def _save(study: Study, photo: PickedPhoto, shown: PhotoExplanation, unit: int | None, opacity: float) -> None:
    """A button that saves the picture as it is shown."""

    def picture() -> bytes:
        view = patch_pictures.view(photo.picture, study.preprocessing, 720)
        inner = [(box * (view.size[0] / study.preprocessing.size[1])).tolist() for box in shown.input_boxes]
        heat = pictures.stage_heat(shown, unit)
        return patch_pictures.png(patch_pictures.boxed(patch_pictures.heat_overlay(view, heat, opacity), inner))

    st.download_button(
        "This picture as PNG",
        picture,
        "explained.png" if unit is None else f"unit-{unit}.png",
        "image/png",
        icon=":material/download:",
        type="tertiary",
        on_click="ignore",
    )
