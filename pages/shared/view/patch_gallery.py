"""Galleries of patches: a tile a patch, pages behind them, one file to save."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from interpret.figures import gallery
from interpret.findings import Findings, supporting
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import paging
from pages.shared.view import widgets

PAGE_PARAM = "page"
"""Name in the address of the page of a gallery."""


def patch_tiles(found: Findings, patches: Sequence[int], *, caption: bool = True) -> list[widgets.Part]:
    """Tiles of patches, each with its class and confidence; a click opens the chain."""
    study = found.study
    images = study.patches["image_id"].to_numpy()
    predicted = study.images["predicted"].to_numpy()
    confidence = study.images["confidence"].to_numpy()
    labels = study.images["label"]
    colours = pictures.colours(study)
    parts = []
    for patch, source in zip(patches, pictures.patch_tiles(study, patches), strict=True):
        if not source:
            continue
        image = int(images[patch])
        class_id = int(predicted[image])
        name = wording.class_text(study, class_id)
        sure = wording.percent(float(confidence[image]))
        wrong = not bool(labels.isna().iloc[image]) and int(labels.iloc[image]) != class_id
        note = f"{sure}, wrong" if wrong else sure
        parts.append(
            widgets.tile(
                source,
                f"patch of photo {image}, predicted as {name} with {sure}",
                **({"name": name, "note": note} if caption else {}),
                colour=colours.get(class_id, "#888888"),
                title=f"{name}, {note}: how this patch came about",
                act={"patch": int(patch)},
            )
        )
    return parts


def show(
    found: Findings,
    patches: Sequence[int],
    key: str,
    *,
    file: str = "",
    size: str = "m",
    limit: int = 12,
    caption: bool = True,
) -> None:
    """A gallery of the first patches, one for each photo, with pages behind it where there are more.

    No name may stand in ``key``, the widget's: two underscores in a row are refused there. ``file`` is what the saved
    picture is called after the study, if not ``key``.

    The page is kept in the address, so a page of the dashboard has one such gallery only. A new choice of what it shows
    forgets :data:`TURNED`.
    """
    chosen = supporting.one_per_photo(found.study, np.asarray(patches, np.int64))
    pages = min(200, max(1, -(-len(chosen) // limit)))
    page = paging.page_of(PAGE_PARAM, pages)
    shown = chosen[(page - 1) * limit : page * limit]
    parts = patch_tiles(found, shown.tolist(), caption=caption)
    if not parts:
        missing(found)
        return
    widgets.show([widgets.tiles(parts, size)], key, open_chain)
    with st.container(horizontal=True, vertical_alignment="center"):
        paging.buttons(PAGE_PARAM, pages)
        name = file or key
        save(found, [shown.tolist()], f"{name}-{page}" if pages > 1 else name, beside=pages > 1)


def save(found: Findings, rows: Sequence[Sequence[int]], name: str, *, beside: bool = False) -> None:
    """A button that saves a gallery of patches as one PNG, made when it is pressed.

    Args:
        found: whose patches.
        rows: patches; each list begins a row of its own.
        name: of the file, after the study's.
        beside: whether something else stands left of it in its line.
    """
    study = found.study

    def picture() -> bytes:
        across = max(4, *(len(row) for row in rows)) if len(rows) > 1 else 4
        blank = Image.new("RGB", (pictures.THUMBNAIL, pictures.THUMBNAIL), "#FFFFFF")
        tiles: list[Image.Image] = []
        for row in rows:
            tiles += [one or blank for one in pictures.patch_pictures(study, row)]
            tiles += [blank] * (-len(tiles) % across)
        return gallery.png(gallery.sheet(tiles, across))

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


def missing(found: Findings) -> None:
    """Say that the photos themselves are not on this machine."""
    st.info(
        "The photos of this study are not on this machine, so its pictures cannot be shown; `python -m interpret pack` "
        "copies them into the study before it travels."
        if len(found.study.patches)
        else "No photo of this study has a patch."
    )


def open_chain(act: dict[str, Any]) -> None:
    """Remember which patch was clicked; the page then opens its chain."""
    if "patch" in act:
        st.query_params["patch"] = str(int(act["patch"]))
