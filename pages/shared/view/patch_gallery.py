"""Galleries of patches: tiles, pages of tiles, and the button that saves a gallery."""

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from interpret.errors import InputError
from interpret.figures import patch_pictures
from interpret.findings import Findings, supporting
from interpret.findings.answers import RIGHT, UNKNOWN, answers
from interpret.findings.rows import Units
from interpret.findings.supporting import Ints
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import messages, pictures, unit_heat
from pages.shared.backend.pictures import Table
from pages.shared.backend.unit_heat import NONE as NO_UNIT_HEAT
from pages.shared.backend.unit_heat import UnitHeat
from pages.shared.controls import gallery_choices, paging
from pages.shared.controls.gallery_choices import Choices
from pages.shared.view import widgets

PAGE_PARAM = "page"
"""The parameter in the address for the page of a gallery."""

USUAL = Choices()
"""All photos, in the usual size."""


def patch_tiles(
    findings: Findings,
    patches: Sequence[int],
    *,
    caption: bool = True,
    choices: Choices = USUAL,
    heat: UnitHeat = NO_UNIT_HEAT,
) -> list[widgets.Part]:
    """A tile for each patch whose photo is here, with class and probability; a click shows how the patch came about."""
    study = findings.study
    images = study.patches["image_id"].to_numpy()
    tiles = []
    sources = pictures.patch_tiles(study, patches, side_of(choices), heat=heat)
    for patch, source in zip(patches, sources, strict=True):
        if not source:
            continue
        shown = photo_of_tile(study, int(images[patch]))
        tiles.append(
            widgets.tile(
                source,
                f"patch of photo {images[patch]}, predicted as {shown.said}",
                **({"name": shown.name, "note": shown.note} if caption else {}),
                colour=shown.colour,
                mark=shown.mark,
                title=f"{shown.said}: how this patch came about",
                act={"patch": int(patch)},
            )
        )
    return tiles


def side_of(choices: Choices) -> int:
    """The side of a picture in a gallery (pixels)."""
    return 2 * pictures.THUMBNAIL if choices.large else pictures.THUMBNAIL


@dataclass(frozen=True)
class TilePhoto:
    """What stands beside a photo wherever it is shown.

    Attributes:
        name: of the predicted class.
        colour: the class's.
        note: its probability, and the label where the answer is wrong.
        mark: right or wrong; empty where the photo has no label.
    """

    name: str
    colour: str
    note: str
    mark: str

    @property
    def said(self) -> str:
        """All of it in words, for those who do not see the mark."""
        return f"{self.name}, {self.note}" + (", right" if self.mark == "right" else "")


def photo_of_tile(study: Study, image: int) -> TilePhoto:
    """What is to be said of a photo of a study."""
    row = study.images.iloc[image]
    class_id, answer = int(row["predicted"]), int(answers(study)[image])
    note, mark = wording.probability(float(row["confidence"])), ""
    if answer != UNKNOWN:
        mark = "right" if answer == RIGHT else "wrong"
    if mark == "wrong":
        note += f", wrong: it is {wording.class_text(study, int(row['label']))}"
    colour = pictures.colours(study).get(class_id, "#888888")
    return TilePhoto(wording.class_text(study, class_id), colour, note, mark)


def show(
    findings: Findings,
    patches: Sequence[int],
    units: Units,
    key: str,
    choices: Choices,
    *,
    file: str = "",
    limit: int = 12,
) -> None:
    """Show patches that hold ``units``, one for each photo, in pages of ``limit``.

    ``key`` is the widget's and must hold no class name: Streamlit refuses two underscores in a row. ``file`` names the
    saved picture, after the study's name; ``key`` does if it is empty.

    The page number is kept in the address as :data:`PAGE_PARAM`, so each page of the dashboard has one such gallery
    at most, and a choice that changes its patches must drop the parameter.
    """
    study = findings.study
    image_of = study.patches["image_id"].to_numpy(np.int64)
    every = supporting.one_per_photo(study, np.asarray(patches, np.int64))
    chosen = passing(study, every, choices)
    if choices.photos.narrows:
        wording.paragraph(html.escape(how_many(study, len(chosen), len(every), choices)), "small")
    if len(every) and not len(chosen):
        return
    pages = min(200, max(1, -(-len(chosen) // limit)))
    page = paging.page_of(PAGE_PARAM, pages, "patches")
    shown = chosen[(page - 1) * limit : page * limit]
    heat = heat_over(study, image_of[shown].tolist(), units, choices)
    parts = patch_tiles(findings, shown.tolist(), choices=choices, heat=heat)
    if not parts:
        missing(findings.study)
        return
    widgets.show([widgets.tiles(parts, choices.size)], key, open_chain)
    say_heat(heat)
    with st.container(horizontal=True, vertical_alignment="center"):
        paging.buttons(PAGE_PARAM, pages)
        name = file or key
        save(findings, [shown.tolist()], f"{name}-{page}" if pages > 1 else name, beside=pages > 1, heat=heat)


def strip(
    findings: Findings, patches: Ints, choices: Choices, across: int, heat: UnitHeat = NO_UNIT_HEAT
) -> list[widgets.Block]:
    """One row of patches, from :func:`first_of`, or a line that says why it is empty.

    Args:
        findings: where the patches are from.
        patches: all of the row, one for each photo.
        choices: which of them are shown, and how.
        across: pictures side by side in the usual size (count).
        heat: maps to lay over them.
    """
    shown = first_of(findings.study, patches, choices, across)
    if len(patches) and not shown:
        said = widgets.text(how_many(findings.study, 0, len(patches), choices), "faint")
        return [widgets.line(said, size="small")]
    parts = patch_tiles(findings, shown, caption=False, choices=choices, heat=heat)
    return [widgets.tiles(parts, choices.strip_size, strip=choices.across(across))] if parts else []


def first_of(study: Study, patches: Ints, choices: Choices, across: int) -> list[int]:
    """The first ``across`` of some patches whose photos are asked for."""
    shown: list[int] = passing(study, patches, choices)[:across].tolist()
    return shown


def heat_over(study: Study, images: Sequence[int], units: Units, choices: Choices) -> UnitHeat:
    """The units' maps over some photos if they are asked for; none, with a sentence, where they can't be had."""
    if not choices.heat or not images:
        return NO_UNIT_HEAT
    try:
        return unit_heat.of_photos(study, images, units)
    except InputError as error:
        st.info(f"Where the units fire cannot be shown: {wording.markdown(messages.of(error))}")
        return NO_UNIT_HEAT


def say_heat(heat: UnitHeat) -> None:
    """Say what the bright parts of pictures are; nothing where no map lies over them."""
    if not heat.maps:
        return
    said = (
        f"Bright: where unit {heat.units[0]} fires, compared with its largest activation in these photos."
        if len(heat.units) == 1
        else f"Bright: where units {', '.join(str(unit) for unit in heat.units)} fire, each compared with its largest "
        "activation in these photos; the mean of them."
    )
    if heat.missing:
        said += (
            f" {wording.count(heat.missing, 'photo')} without a map: the network runs for {unit_heat.SECONDS:.0f} s "
            "at a time. Loading the page again computes further ones."
        )
    wording.paragraph(said, "small")


def passing(study: Study, patches: Ints, choices: Choices, table: Table = "patches") -> Ints:
    """Those of some patches whose photos are asked for, in their order."""
    listed = study.contrast if table == "contrast" else study.patches
    return patches[choices.photos.passes(study)[listed["image_id"].to_numpy(np.int64)[patches]]]


def how_many(study: Study, shown: int, every: int, choices: Choices) -> str:
    """How many photos of a gallery are asked for, and which, as in `Shown: 3 of 45 photos (wrong, labelled Dog)`."""
    asked = gallery_choices.in_words(study, choices.photos)
    return f"Shown: {f'{shown:,}' if shown else 'none'} of {wording.count(every, 'photo')} ({asked})."


def save(
    findings: Findings,
    rows: Sequence[Sequence[int]],
    name: str,
    *,
    beside: bool = False,
    table: Table = "patches",
    heat: UnitHeat = NO_UNIT_HEAT,
) -> None:
    """A button that saves a gallery of patches as one PNG, drawn on a click.

    Args:
        findings: where the patches are from.
        rows: patches; each list starts a new row.
        name: of the file, after the study's.
        beside: whether the button stands beside something else.
        table: of the study, in which the patches are rows.
        heat: maps that lie over the pictures.
    """
    study = findings.study

    def drawn() -> list[list[Image.Image | None]]:
        return [pictures.drawn_patches(study, row, table=table, heat=heat.maps) for row in rows]

    save_pictures(study, drawn, name, beside=beside)


def save_pictures(
    study: Study, drawn: Callable[[], list[list[Image.Image | None]]], name: str, *, beside: bool = False
) -> None:
    """A button that saves rows of pictures as one PNG; ``drawn`` is called on a click, other arguments as above."""

    def picture() -> bytes:
        rows = drawn()
        across = max(4, *(len(row) for row in rows)) if len(rows) > 1 else 4
        blank = Image.new("RGB", (pictures.THUMBNAIL, pictures.THUMBNAIL), "#FFFFFF")
        tiles: list[Image.Image] = []
        for row in rows:
            tiles += [picture or blank for picture in row]
            tiles += [blank] * (-len(tiles) % across)
        return patch_pictures.png(patch_pictures.sheet(tiles, across))

    with st.container(horizontal=True, horizontal_alignment="right", width="content" if beside else "stretch"):
        st.download_button(
            "Save gallery",
            picture,
            wording.file_name(study.name, name, "png"),
            "image/png",
            key=f"save_{name}",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help="these pictures as one PNG",
        )


def missing(study: Study) -> None:
    """Say why no picture can be shown."""
    st.info(
        "The photos of this study are not on this machine. `unitscope pack`, run where they are, copies "
        "them into the study."
        if len(study.patches)
        else "No photo of this study has a patch."
    )


def open_chain(act: dict[str, Any]) -> None:
    """Write a clicked patch into the address, from which :mod:`~pages.shared.view.patch_chain` opens."""
    if "patch" in act:
        st.query_params["patch"] = str(int(act["patch"]))
