"""Why this class for this photo? The map, its patches, their units, what those argue for, and what if not."""

import html

import numpy as np
import pandas as pd
import streamlit as st

from interpret.errors import InputError
from interpret.explanation.photo import PhotoExplanation, softmax
from interpret.figures import charts, gallery
from interpret.findings import Findings
from interpret.study import Study
from pages.shared import router, wording
from pages.shared.backend import model, pictures
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import address, menus, thresholds
from pages.shared.view import figures, patch_chain, photo_picker, tables, widgets


def page() -> None:
    title, found = thresholds.title_and_findings()
    study = found.study
    heading = title.empty()
    with heading.container():
        wording.header("Why this class for this photo?")
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    try:
        photo = photo_picker.pick(study, row)
        if photo is None:
            return
        ready, lock = model.ready_model(study)
        first = model.explained(study, photo, None)
        with row:
            target = _target(study, first)
        shown = first if target == first.predicted else model.explained(study, photo, target)
    except InputError as error:
        st.error(wording.markdown(str(error)))
        return
    with heading.container():
        wording.header(f"Why {wording.class_text(study, shown.target)}?")
    off = _switched_off(study)
    picture, words = st.columns([10, 11], gap="large")
    with picture:
        patch = _stage(found, photo, shown)
    with words:
        with lock:
            logits = ready.without(first, tuple(sorted(off)))
        _verdict(study, first, logits, off, photo.image_id)
        _patch(found, shown, patch, off)
    patch_chain.show_if_asked(found)


def _target(study: Study, first: PhotoExplanation) -> int:
    """The class to explain: the predicted one, unless another is asked for."""
    order = [int(one) for one in np.argsort(-first.logits, kind="stable")]
    chances = first.probabilities
    return menus.choose(
        "Explain",
        order,
        "target",
        lambda one: f"{wording.class_text(study, one)} · {wording.percent(float(chances[one]), 1)}",
        forget=("box",),
        width=360,
        default=order[0],
    )


def _switched_off(study: Study) -> set[int]:
    return {unit for unit in address.whole_numbers(st.query_params.get("off")) if unit < study.n_units}


def _switch(act: dict[str, object]) -> None:
    """Turn one unit off or on again, or all on."""
    if "box" in act:
        st.query_params["box"] = str(act["box"])
        return
    off = set(address.whole_numbers(st.query_params.get("off")))
    wanted = {int(one) for one in act.get("units", ())}  # type: ignore[attr-defined]
    off = off - wanted if act.get("on") else off | wanted
    if off:
        st.query_params["off"] = "-".join(str(one) for one in sorted(off))
    else:
        st.query_params.pop("off", None)


def _stage(found: Findings, photo: PickedPhoto, shown: PhotoExplanation) -> int:
    """The photo as the network sees it, the map over it, the patches as boxes; returns the chosen patch."""
    study = found.study
    asked = address.whole_number(st.query_params.get("box")) or 0
    chosen = asked - 1 if 0 < asked <= len(shown.boxes) else 0
    height, width = study.preprocessing.size
    scale = np.array([width, height, width, height]) / 100
    boxes = []
    for place, box in enumerate(shown.inner_boxes):
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
    words = f"the photo, with what speaks for {name} in bright colours"
    above = st.container()  # the slider stands below, but only it knows what the address says
    opacity = st.slider("Map over the photo", 0, 100, 60, key="opacity", bind="query-params", format="%d %%") / 100
    with above:
        widgets.show([widgets.stage(seen, words, heat=heat, opacity=opacity, boxes=boxes)], "stage", _switch)
    if not len(shown.boxes):
        wording.paragraph(
            f"Nothing in this photo speaks for {html.escape(name)}: the map is empty, and gives no patch."
        )

    def picture() -> bytes:
        view = gallery.view(photo.picture, study.preprocessing, 720)
        inner = [(box * (view.size[0] / width)).tolist() for box in shown.inner_boxes]
        return gallery.png(gallery.boxed(gallery.heat_overlay(view, shown.heat, opacity), inner))

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


def _verdict(study: Study, first: PhotoExplanation, logits: np.ndarray, off: set[int], image_id: int | None) -> None:
    """What the model says, and what it says with units switched off."""
    colours = pictures.colours(study)
    before, after = first.probabilities, softmax(logits)
    top = [int(one) for one in np.argsort(-before, kind="stable")[:4]]
    now = int(logits.argmax())
    if now not in top:
        top = [*top[:3], now]
    said = wording.class_text(study, first.predicted)
    parts: list[widgets.Part] = [
        widgets.text("The model says"),
        widgets.class_tag(
            said, colours.get(first.predicted, "#888888"), wording.percent(float(before[first.predicted]), 1)
        ),
    ]
    label = None if image_id is None else study.images["label"].iloc[image_id]
    if label is not None and pd.notna(label):  # a missing one is pd.NA, which cannot be compared
        right = int(label) == first.predicted
        parts.append(
            widgets.text("and is right." if right else f"and is wrong: it is {wording.class_text(study, int(label))}.")
        )
    blocks = [widgets.line(parts)]
    if off:
        fate = "still" if now == first.predicted else "now"
        blocks.append(
            widgets.line(
                widgets.text(f"Without {wording.count(len(off), 'unit')}"),
                widgets.units(sorted(off), off=True),
                widgets.text(f"it {fate} says"),
                widgets.class_tag(
                    wording.class_text(study, now), colours.get(now, "#888888"), wording.percent(float(after[now]), 1)
                ),
                {"t": "link", "text": "all on again", "act": {"units": sorted(off), "on": True}},
            )
        )
    widgets.show(blocks, "verdict", _switch)
    figures.show(
        charts.shift_bars(
            [wording.class_text(study, one) for one in top],
            [float(before[one]) for one in top],
            [float(after[one]) for one in top],
            [colours.get(one, "#888888") for one in top],
        ),
        key="verdict_chart",
        name="prediction",
        alt="probabilities of the strongest classes, with all units and with those switched off",
    )


def _patch(found: Findings, shown: PhotoExplanation, patch: int, off: set[int]) -> None:
    """The chosen patch as a transaction, with a switch for each unit, and what its itemsets argue for."""
    if not len(shown.boxes):
        return
    study, colours = found.study, pictures.colours(found.study)
    kept = [int(one) for one in shown.units[patch][: found.config.top_units] if one >= 0]
    st.subheader(f"Patch {patch + 1}: its {wording.count(len(kept), 'unit')}", anchor=False)
    wording.paragraph(
        f"Its {wording.term('transaction')}: the units that count most for "
        f"{html.escape(wording.class_text(study, shown.target))}, "
        "best first. A click switches one off; the model then answers again at once.",
        "small",
    )
    chips = [
        widgets.unit(
            one,
            off=one in off,
            href=None,
            act={"units": [one], "on": one in off},
            title=f"unit {one}: switch it {'on again' if one in off else 'off'}",
        )
        for one in kept
    ]
    left = [one for one in kept if one not in off]
    links = [{"t": "link", "text": "all off", "act": {"units": left}}] if left else []
    widgets.show([widgets.line(chips, links)], "chips", _switch)
    held = found.itemsets_within(kept)
    if held.empty:
        wording.paragraph(
            "It holds no itemset that is frequent in a class; a smaller support or a larger N would find more.", "small"
        )
        return
    argued = held.groupby("class_id")["support"].agg(["size", "max"]).sort_values(["size", "max"], ascending=False)
    st.subheader("What that argues for", anchor=False)
    tags = [
        widgets.class_tag(
            wording.class_text(study, int(one)),
            colours.get(int(one), "#888888"),
            wording.count(int(row["size"]), "itemset"),
        )
        for one, row in argued.head(6).iterrows()
    ]
    widgets.show(
        [
            widgets.line(widgets.text(f"It holds {wording.count(held['itemset_id'].nunique(), 'itemset')}:"), tags),
            *tables.itemset_lines(found, list(dict.fromkeys(int(key) for key in held["itemset_id"]))[:7]),
        ],
        "argued",
    )


router.enter(page)
