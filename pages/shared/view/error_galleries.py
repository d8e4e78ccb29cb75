"""Galleries of a confusion pair side by side: errors and right photos, explained for both classes."""

from dataclasses import dataclass

import streamlit as st

from interpret.confusion.examples import Examples, examples
from interpret.evaluation.error_sets import ErrorSets
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import address
from pages.shared.view import patch_gallery, widgets

MOST = 6
"""Pictures in a gallery (count)."""


@dataclass(frozen=True, eq=False)
class _Gallery:
    """A group of photos explained for a class.

    Attributes:
        title: of the group.
        target: the class that the photos are explained for.
        chosen: a patch of each photo.
    """

    title: str
    target: int
    chosen: Examples


def show(study: Study, sets: ErrorSets, units: tuple[int, ...], target: int, top_units: int) -> None:
    """Show the photos of a pair, those that hold a set first.

    Args:
        study: the study.
        sets: the pair, its photos and their patches.
        units: the set; empty if there is none.
        target: the class that the set was found for: photos explained for it come first.
        top_units: N (count).
    """
    pair = sets.pair
    a, b = (wording.class_text(study, class_id) for class_id in (pair.label, pair.predicted))
    groups = {
        pair.predicted: (
            (f"{a} taken for {b}", pair.errors),
            (f"{a}, right", pair.right),
            (f"{b}, right", pair.right_predicted),
        ),
        pair.label: ((f"{a} taken for {b}", pair.errors), (f"{a}, right", pair.right)),
    }
    saved: list[_Gallery] = []
    for explained_as in sorted(groups, key=lambda class_id: class_id != target):
        st.header(f"Explained as {wording.markdown(a if explained_as == pair.label else b)}", anchor=False)
        columns = st.columns(3, gap="medium")
        for place, (title, photos) in enumerate(groups[explained_as]):
            chosen = examples(sets.explained, photos, explained_as, units, top_units)
            gallery = _Gallery(title, explained_as, chosen)
            with columns[place]:
                blocks = _blocks(study, gallery, units)
                widgets.show(blocks, f"errors_{'label' if explained_as == pair.label else 'predicted'}_{place}")
                if any(block["kind"] == "tiles" for block in blocks):
                    saved.append(gallery)
    if saved:
        patch_gallery.save_pictures(
            study,
            lambda: [pictures.drawn_boxes(study, _boxes(gallery.chosen)) for gallery in saved],
            f"errors-{pair.label}-{pair.predicted}-{address.itemset_param(units)}",
        )
    else:
        patch_gallery.missing(study)


def _blocks(study: Study, gallery: _Gallery, units: tuple[int, ...]) -> list[widgets.Block]:
    """A line that says how many photos hold the set, and their pictures."""
    chosen, colours = gallery.chosen, pictures.colours(study)
    what = "unit" if len(units) == 1 else "set"
    count = f"{int(chosen.holds.sum()):,} of {wording.count(len(chosen), 'photo')} hold the {what}"
    if not len(chosen):
        count = "none in this study"
    elif not units:
        count = wording.count(len(chosen), "photo")
    lines = [widgets.line(widgets.text(gallery.title, "strong")), widgets.line(widgets.text(count, "faint"))]
    predicted = study.images["predicted"].to_numpy()
    confidence = study.images["confidence"].to_numpy()
    name = wording.class_text(study, gallery.target)
    parts = []
    for place, source in enumerate(pictures.box_tiles(study, _boxes(chosen))):
        if not source:
            continue
        image = int(chosen.image_ids[place])
        said = wording.class_text(study, int(predicted[image]))
        held = bool(chosen.holds[place])
        parts.append(
            widgets.tile(
                source,
                f"patch of photo {image}, predicted as {said} with {wording.percent(float(confidence[image]))}, "
                f"explained as {name}" + ("" if held or not units else f", without the {what}"),
                **({} if held or not units else {"note": f"without the {what}"}),
                colour=colours.get(int(predicted[image]), "#888888"),
                title=f"predicted as {said}; why it could be {name}",
                **address.link("explain", image=image, target=gallery.target),
            )
        )
    return [*lines, widgets.tiles(parts, "s")] if parts else lines


def _boxes(chosen: Examples) -> list[pictures.Box]:
    images, boxes = chosen.image_ids[:MOST].tolist(), chosen.boxes[:MOST].tolist()
    return [(image, *box) for image, box in zip(images, boxes, strict=True)]
