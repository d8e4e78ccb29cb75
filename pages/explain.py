"""Why this class for this photo? The map, its patches, their units and itemsets, and the answer without units."""

import html

import numpy as np
import pandas as pd
import streamlit as st

from interpret.errors import InputError
from interpret.explanation.photo import PhotoExplanation, softmax
from interpret.figures import ablation_charts, patch_pictures
from interpret.findings import Findings
from interpret.mining.ranked_units import kept_units
from interpret.study import Study
from pages.shared import router, wording
from pages.shared.backend import messages, model, pictures
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import address, in_vain, menus, thresholds
from pages.shared.view import figures, patch_chain, photo_picker, tables, widgets


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
        ready, lock = model.ready_model(study)
        first = model.explained(study, photo, None)
        with row:
            target = _target(study, first)
        shown = first if target == first.predicted else model.explained(study, photo, target)
    except InputError as error:
        st.error(wording.markdown(messages.of(error)))
        return
    with heading.container():
        wording.header(f"Why {wording.class_text(study, shown.target)}?")
    off = _switched_off(study)
    _say_what_is_not_here(study, shown)
    picture, words = st.columns([10, 11], gap="large")
    with picture:
        patch = _stage(findings, photo, shown)
    with words:
        with lock:
            logits = ready.logits_without(first, tuple(sorted(off)))
        _verdict(study, first, logits, off, photo.image_id)
        _patch(findings, shown, photo.image_id, patch, off)
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
        width=360,
        default=order[0],
    )


def _switched_off(study: Study) -> set[int]:
    return {unit for unit in address.whole_numbers(st.query_params.get("off")) if unit < study.n_units}


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
    if menus.several_not_offered("off", sorted(_switched_off(study))):
        units = f"the layer has {study.n_units:,} units, counted from 0"
        said.append(f"The address asks for units that are not there: {units}. The others are ablated.")
    for sentence in said:
        st.warning(sentence)


def _switch(act: dict[str, object]) -> None:
    """Write a click into the address: a chosen patch, or units ablated or restored."""
    if "box" in act:
        st.query_params["box"] = str(act["box"])
        return
    off = set(address.whole_numbers(st.query_params.get("off")))
    clicked = {int(unit) for unit in act.get("units", ())}  # type: ignore[attr-defined]
    off = off - clicked if act.get("on") else off | clicked
    if off:
        st.query_params["off"] = "-".join(str(unit) for unit in sorted(off))
    else:
        st.query_params.pop("off", None)


def _stage(findings: Findings, photo: PickedPhoto, shown: PhotoExplanation) -> int:
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
        widgets.show([widgets.stage(seen, words, heat=heat, opacity=opacity, boxes=boxes)], "stage", _switch)
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


def _verdict(study: Study, first: PhotoExplanation, logits: np.ndarray, off: set[int], image_id: int | None) -> None:
    """Show what the model says, and what it says with units ablated."""
    colours = pictures.colours(study)
    before, after = first.probabilities, softmax(logits)
    top = [int(class_id) for class_id in np.argsort(-before, kind="stable")[:4]]
    now = int(logits.argmax())
    if now not in top:
        top = [*top[:3], now]
    predicted_name = wording.class_text(study, first.predicted)
    parts: list[widgets.Part] = [
        widgets.text("The model says"),
        widgets.class_tag(
            predicted_name, colours.get(first.predicted, "#888888"), wording.percent(float(before[first.predicted]), 1)
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
                {"t": "link", "text": "restore all", "act": {"units": sorted(off), "on": True}},
            )
        )
    widgets.show(blocks, "verdict", _switch)
    figures.show(
        ablation_charts.shift_bars(
            [wording.class_text(study, class_id) for class_id in top],
            [float(before[class_id]) for class_id in top],
            [float(after[class_id]) for class_id in top],
            [colours.get(class_id, "#888888") for class_id in top],
        ),
        key="verdict_chart",
        name="prediction",
        alt="probabilities of the strongest classes, with all units and with those ablated",
    )


def _chip(unit: int, off: set[int]) -> widgets.Part:
    """A unit that a click ablates or restores."""
    return widgets.unit(
        unit,
        off=unit in off,
        href=None,
        act={"units": [unit], "on": unit in off},
        title=f"unit {unit}: {'restore' if unit in off else 'ablate'} it",
    )


def _patch(findings: Findings, shown: PhotoExplanation, image_id: int | None, patch: int, off: set[int]) -> None:
    """Show the chosen patch as a transaction with a switch for each unit, and the classes that its itemsets support.

    Args:
        findings: of the open study.
        shown: the explanation.
        image_id: the photo, if it is one of the study.
        patch: which of its patches.
        off: units that are ablated.
    """
    if not len(shown.boxes):
        return
    study, colours = findings.study, pictures.colours(findings.study)
    ranked = shown.units[patch : patch + 1], shown.scores[patch : patch + 1]
    mined = None if image_id is None else np.array([image_id])
    units, _ = kept_units(study, findings.config, ranked, np.array([shown.target]), mined)
    kept = [int(unit) for unit in units[0] if unit >= 0]
    strongest = [int(unit) for unit in shown.units[patch][: findings.config.top_units] if unit >= 0]
    title = wording.count(len(kept), "unit") if kept else "no unit exceeds the contrast"
    st.header(f"Patch {patch + 1}: {'its ' if kept else ''}{title}", anchor=False)
    wording.paragraph(
        f"Its {wording.term('transaction')} for {html.escape(wording.class_text(study, shown.target))}: "
        f"{wording.of_transaction(findings)}. A click ablates a unit (sets it to zero), and the model answers again at "
        "once.",
        "small",
    )
    chips = [_chip(unit, off) for unit in kept]
    left = [unit for unit in kept if unit not in off]
    links = [{"t": "link", "text": "ablate all", "act": {"units": left}}] if left else []
    lines = [widgets.line(chips, links)] if chips else []
    if left_out := [unit for unit in strongest if unit not in kept]:
        said = widgets.text("Left out, as strong in photos of other classes:", "faint")
        lines.append(widgets.line(said, [_chip(unit, off) for unit in left_out]))
    widgets.show(lines, "chips", _switch)
    held = findings.itemsets_within(kept)
    if held.empty:
        wording.paragraph("It holds no frequent itemset; a smaller support or a larger N would find more.", "small")
        return
    votes = held.groupby("class_id")["support"].agg(["size", "max"]).sort_values(["size", "max"], ascending=False)
    st.header("Classes that this patch supports", anchor=False)
    tags = [
        widgets.class_tag(
            wording.class_text(study, class_id), colours.get(class_id, "#888888"), wording.count(number, "itemset")
        )
        for class_id, number in zip(votes.index[:6].tolist(), votes["size"].head(6).tolist(), strict=True)
    ]
    widgets.show(
        [
            widgets.line(widgets.text(f"It holds {wording.count(held['itemset_id'].nunique(), 'itemset')}:"), tags),
            *tables.itemset_lines(findings, tables.supported_first(held)[:7]),
        ],
        "classes_supported",
    )


router.enter(page)
