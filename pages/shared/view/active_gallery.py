"""The gallery of the photos in which units are most active, whatever the explanation highlights there."""

import numpy as np
from PIL import Image

from interpret.findings import Findings, most_active, supporting
from interpret.findings.rows import Units
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import address, paging
from pages.shared.controls.gallery_choices import Choices
from pages.shared.view import patch_gallery, widgets

LIMIT = 12
"""Photos on a page (count)."""


def show(findings: Findings, units: Units, key: str, choices: Choices) -> None:
    """Show what the network sees of the photos in which units are most active, in pages; a click explains a photo.

    Args:
        findings: of the study.
        units: one unit or more.
        key: of the widget; it names the saved picture too.
        choices: which photos are shown, and how.
    """
    study, one = findings.study, len(units) == 1
    every, activity = most_active.most_active_photos(study, units)
    _introduce(len(study.images), one)
    asked = choices.photos.passes(study)[every]
    photos, activity = every[asked], activity[asked]
    if choices.photos.narrows or not len(every):
        said = (
            patch_gallery.how_many(study, len(photos), len(every), choices) if len(every) else "It fires in no photo."
        )
        wording.paragraph(said, "small")
    if not len(photos):
        return
    pages = min(200, -(-len(photos) // LIMIT))
    page = paging.page_of(patch_gallery.PAGE_PARAM, pages, "photos")
    part = slice((page - 1) * LIMIT, page * LIMIT)
    shown = photos[part].tolist()
    heat = patch_gallery.heat_over(study, shown, units, choices)
    boxes = pictures.view_boxes(study, shown)
    parts = []
    for image, value, source in zip(
        shown,
        activity[part].tolist(),
        pictures.box_tiles(study, boxes, patch_gallery.side_of(choices), heat=heat),
        strict=True,
    ):
        if not source:
            continue
        photo = patch_gallery.photo_of_tile(study, image)
        note = f"activation {value:.2f}" if one else f"activation {wording.percent(value)} or more"
        parts.append(
            widgets.tile(
                source,
                f"photo {image}, {note}, predicted as {photo.said}",
                name=photo.name,
                note=note,
                colour=photo.colour,
                mark=photo.mark,
                title=f"predicted as {photo.said}; why",
                **address.link("explain", image=image),
            )
        )
    if not parts:
        patch_gallery.missing(study)
        return
    widgets.show([widgets.tiles(parts, choices.size)], key)
    patch_gallery.say_heat(heat)
    _say_patches(findings, units, shown)

    def drawn() -> list[list[Image.Image | None]]:
        return [pictures.drawn_boxes(study, boxes, heat=heat.maps)]

    paging.buttons(patch_gallery.PAGE_PARAM, pages)
    patch_gallery.save_pictures(study, drawn, f"{key}-{page}" if pages > 1 else key)


def _introduce(photos: int, one: bool) -> None:
    how = (
        "the unit’s activation: its mean over the layer’s grid"
        if one
        else "the activation of the unit that is least active: its mean over the layer’s grid, as a share of the "
        "unit’s largest in any photo"
    )
    wording.paragraph(f"All {wording.count(photos, 'photo')}, whatever the model predicts, ordered by {how}.", "small")


def _say_patches(findings: Findings, units: Units, shown: list[int]) -> None:
    """Say in how many of the photos shown a patch holds the units: activation alone does not make a unit count."""
    holding = supporting.supporting_patches(findings.study, units, findings.config)
    images = findings.study.patches["image_id"].to_numpy()[holding]
    held = int(np.isin(shown, images).sum())
    what = "the unit is" if len(units) == 1 else "the units are all"
    wording.paragraph(
        f"In {held} of these {wording.count(len(shown), 'photo')} {what} among the strongest of a patch.", "small"
    )
