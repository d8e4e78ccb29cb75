"""A photo that two studies have, explained by both networks."""

import pandas as pd
import streamlit as st

from interpret.errors import InputError
from interpret.explanation.photo import PhotoExplanation
from interpret.findings import photo_transactions
from pages.shared import wording
from pages.shared.backend import messages, model, pictures
from pages.shared.backend.comparisons import Pair, Side
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import address, in_vain, paging
from pages.shared.view import explained_stage, widgets

PER_PAGE = 12
"""Photos to pick from at once (count)."""

PAGE_PARAM = "photos"
"""The parameter in the address for the page of photos."""

WHICH = ("predicted differently", "all")

OPACITY = 0.6
"""Of the map over a photo."""

PATCHES = 3
"""Patches whose units are listed (count)."""


def show(pair: Pair) -> None:
    """Show photos of both studies to pick from, and the chosen one with both explanations."""
    every = pair.found.photos
    if every.empty:
        wording.paragraph("The studies have no photo in common; make both from the same folder.")
        return
    differing = every[~every["alike"]]
    in_vain.warn_of_choice("which", "Photos", WHICH)
    which = st.segmented_control(
        "Photos",
        WHICH,
        default=WHICH[0],
        key="which",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    listed = every if which == "all" or differing.empty else differing
    wording.paragraph(
        f"{wording.count(len(differing), 'photo')} of {len(every):,} in common "
        f"{'is' if len(differing) == 1 else 'are'} predicted differently"
        + ("; all are listed." if differing.empty and which != "all" else ".")
    )
    chosen = _chosen(every, listed)
    _strip(pair, listed, int(chosen["image_a"]))
    columns = st.columns(2, gap="large")
    for column, side, image in zip(columns, (pair.a, pair.b), (chosen["image_a"], chosen["image_b"]), strict=True):
        with column:
            _explained(pair, side, int(image))


def _chosen(every: pd.DataFrame, listed: pd.DataFrame) -> pd.Series:
    """The photo in the address, by its number in A, else the first that is listed."""
    asked = st.query_params.get("image")
    if asked is None:
        return listed.iloc[0]
    found = every[every["image_a"] == address.whole_number(asked)]
    if len(found):
        return found.iloc[0]
    st.warning(f"Photo {wording.markdown(asked[:20])} of A is not in both studies; another one is shown.")
    return listed.iloc[0]


def _pick(act: dict[str, object]) -> None:
    if "image" in act:
        address.change({"image": act["image"]})


def _strip(pair: Pair, listed: pd.DataFrame, chosen: int) -> None:
    """Photos to pick from, each with what both networks call it."""
    pages = -(-len(listed) // PER_PAGE)
    page = paging.page_of(PAGE_PARAM, pages, "photos")
    rows = listed.iloc[(page - 1) * PER_PAGE : page * PER_PAGE]
    a, b = (
        [pair.shown(side, int(side.study.images["predicted"].iloc[image])) for image in rows[column]]
        for side, column in ((pair.a, "image_a"), (pair.b, "image_b"))
    )
    sources = pictures.thumbnails(pair.a.study, rows["image_a"].tolist(), 160)
    tiles = [
        widgets.tile(
            source,
            f"photo {image}: {first}" + ("" if first == second else f", in B {second}"),
            name=first,
            note="" if first == second else f"B: {second}",
            colour=colour,
            act={"image": int(image)},
            on=image == chosen,
        )
        for image, source, (first, colour), (second, _) in zip(rows["image_a"], sources, a, b, strict=True)
        if source
    ]
    widgets.show([widgets.tiles(tiles, "s", strip=PER_PAGE)], "compared_photos", _pick)
    paging.buttons(PAGE_PARAM, pages)


def _explained(pair: Pair, side: Side, image: int) -> None:
    """The photo as one of the networks sees it, with its map, its patches and their units."""
    study = side.study
    st.header(side.name, anchor=False)
    picture = study.photo(image)
    if picture is None:
        name = wording.markdown(str(study.images["path"].iloc[image]))
        st.info(
            f"The file {name} of {wording.markdown(study.name)} is not on this machine, or outside of the folders that "
            "this dashboard may read."
        )
        return
    photo = PickedPhoto.from_study(picture, image)
    try:
        shown = model.explained(study, photo, None)
    except InputError as error:
        st.error(wording.markdown(messages.of(error)))
        return
    name, colour = pair.shown(side, shown.predicted)
    label = study.images["label"].iloc[image]
    said = [
        widgets.text("The model says"),
        widgets.class_tag(name, colour, wording.percent(float(shown.probabilities[shown.predicted]), 1)),
    ]
    if pd.notna(label):
        right = int(label) == shown.predicted
        answer = "and is right." if right else f"and is wrong: it is {pair.shown(side, int(label))[0]}."
        said.append(widgets.text(answer))
    seen, heat = pictures.stage_pictures(study, photo, shown)
    words = f"the photo, with what supports {name} in bright colours"
    link = {"t": "link", "text": f"Explain it in {study.name}", **address.link_in(study.name, "explain", image=image)}
    widgets.show(
        [
            widgets.line(said),
            widgets.stage(seen, words, heat=heat, opacity=OPACITY, boxes=explained_stage.boxes(study, shown)),
            *_transactions(side, shown, image),
            widgets.line(link),
        ],
        f"explained_{side.letter}",
    )


def _transactions(side: Side, shown: PhotoExplanation, image: int) -> list[widgets.Block]:
    """The units of the largest patches."""
    study = side.study
    if not len(shown.boxes):
        return [widgets.line(widgets.text("The map is zero everywhere and gives no patch.", "faint"))]
    lines = []
    for place, units in enumerate(photo_transactions.transactions(side.findings, shown, image)[:PATCHES]):
        chips = [
            widgets.unit(unit, **address.link_in(study.name, "unit", unit=unit), title=f"unit {unit} in {study.name}")
            for unit in units
        ]
        none = widgets.text("no unit exceeds the contrast", "faint")
        lines.append(widgets.line(widgets.text(f"Patch {place + 1}", "faint"), chips or [none]))
    return lines
