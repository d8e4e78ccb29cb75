"""What differs between two studies? Findings, classes, units, photos and Table 1 side by side."""

import html

import numpy as np
import streamlit as st

from interpret.comparison.compare import LEAST_CORRELATION
from interpret.comparison.matching import LEAST_PHOTOS
from interpret.errors import InputError
from interpret.study import Study
from interpret.study.codes import units_in_words
from pages.shared import router, wording
from pages.shared.backend import comparisons, messages, studies
from pages.shared.backend.comparisons import Pair
from pages.shared.controls import current_study, in_vain, menus
from pages.shared.view import compared_findings, compared_photos, compared_tables, screen

VIEWS = {
    "Findings": compared_findings.show,
    "Classes": compared_tables.classes,
    "Units": compared_tables.units,
    "Photos": compared_photos.show,
    "Table 1": compared_tables.table_1,
}

OF_A_VIEW = ("itemset", "state", "rows", "unit", "image", "photos", "which")
"""Parameters in the address that say what is chosen in a view, and that another study leaves without a meaning."""


def page() -> None:
    study = current_study.opened()
    heading = st.empty()
    with heading.container():
        wording.header("What differs between two studies?")
    names, damaged = comparisons.others(study)
    asked = st.query_params.get("other")
    if not names and asked not in (None, study.name):
        st.warning(f"There is no other study called “{wording.markdown(str(asked)[:60])}” here.")
    if not names:
        _no_other(study)
    if damaged:
        wording.paragraph(f"Damaged, or of another version: {html.escape(', '.join(damaged))}.", "small")
    if not names:
        return
    in_vain.warn_of_choice("view", "View", VIEWS)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        name = menus.choose(
            "Compared with",
            names,
            "other",
            lambda name: f"{name} · {studies.summary(name)}",
            forget=OF_A_VIEW,
            default=names[0],
            width=screen.pixels(420),
        )
        view = st.segmented_control(
            "View", list(VIEWS), default="Findings", key="view", bind="query-params", required=True
        )
    if vain := menus.not_offered("other", name):
        st.warning(f"There is no other study called “{wording.markdown(vain[:60])}” here; {_text(name)} is shown.")
    try:
        other = studies.opened(name)
        pair = comparisons.pair_of(study, other)
    except InputError as error:
        st.error(wording.markdown(messages.of(error)))
        return
    with heading.container():
        wording.header(f"What differs between {study.name} and {name}?")
    for sentence in studies.replaced(other):
        wording.paragraph(html.escape(sentence), "small")
    _in_common(pair)
    VIEWS[str(view)](pair)


def _no_other(study: Study) -> None:
    wording.paragraph(
        f"{html.escape(study.name)} is the only study here that can be opened. Make another one: of a checkpoint "
        "before or after fine-tuning, of another layer or another model, best of the same folder of photos, so that "
        "its units can be matched with these."
    )
    st.page_link("pages/study.py", label="Create a study", icon=":material/add:")


def _in_common(pair: Pair) -> None:
    """Two sentences: the photos of both, and whether their units are the same or were matched."""
    found = pair.found
    both = (f"<b>{side.letter}</b> {html.escape(_in_words(side.study))}" for side in (pair.a, pair.b))
    wording.paragraph("<br>".join(both), "small")
    photos = len(found.photos)
    said = (
        f"{wording.count(photos, 'photo')} in common, {wording.percent(found.agreement)} of them predicted alike."
        if photos
        else "No photo in common."
    )
    wording.paragraph(f"{said} {_units(pair)}")


def _in_words(study: Study) -> str:
    return (
        f"{study.name}: {study.model}, layer {study.layer}, {units_in_words(study.n_units, study.recorded.codes)}, "
        f"{wording.count(len(study.images), 'photo')} of {wording.photos_of(study.images_source)}"
    )


def _units(pair: Pair) -> str:
    """What a unit's counterpart in the other study is."""
    found = pair.found
    if found.same_network:
        return "Weights and layer are the same, so units have the same numbers in both."
    if found.matches is None:
        return (
            f"To match units takes {LEAST_PHOTOS} photos in common, so no unit has a counterpart: every finding of A "
            "counts as vanished, every one of B as appeared."
        )
    correlation = found.matches.correlation[found.matches.unit >= 0]
    strong = int((correlation >= LEAST_CORRELATION).sum())
    return (
        f"Units are matched one with one by the photos they respond to: {strong:,} of "
        f"{wording.count(len(found.matches.unit), 'unit')} of A have a "
        f"{wording.term('counterpart')} in B (median correlation of all matched: {np.median(correlation):.2f})."
        if len(correlation)
        else "No unit could be matched: none responds differently to different photos."
    )


def _text(name: str) -> str:
    return f"“{wording.markdown(name)}”"


router.enter(page)
