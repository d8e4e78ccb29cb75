"""Galleries of patches, and the chain behind one: photo, map, box, transaction, itemsets."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from interpret.figures import gallery
from interpret.findings import Findings, supporting
from pages.shared import backend, controls, look, widgets

TURNED = "page"
"""Name in the address of the page of a gallery."""


def patch_parts(found: Findings, patches: Sequence[int], *, caption: bool = True) -> list[widgets.Part]:
    """Tiles of patches, each with its class and confidence; a click opens the chain."""
    study = found.study
    images = study.patches["image_id"].to_numpy()
    predicted = study.images["predicted"].to_numpy()
    confidence = study.images["confidence"].to_numpy()
    labels = study.images["label"]
    colours = backend.colours(study)
    parts = []
    for patch, source in zip(patches, backend.patch_tiles(study, patches), strict=True):
        if not source:
            continue
        image = int(images[patch])
        class_id = int(predicted[image])
        name = look.class_text(study, class_id)
        sure = look.percent(float(confidence[image]))
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


def gallery_of(
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
    page = controls.page_of(TURNED, pages)
    shown = chosen[(page - 1) * limit : page * limit]
    parts = patch_parts(found, shown.tolist(), caption=caption)
    if not parts:
        missing(found)
        return
    widgets.evidence([widgets.tiles(parts, size)], key, open_chain)
    with st.container(horizontal=True, vertical_alignment="center"):
        controls.turn(TURNED, pages)
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
        blank = Image.new("RGB", (backend.THUMBNAIL, backend.THUMBNAIL), "#FFFFFF")
        tiles: list[Image.Image] = []
        for row in rows:
            tiles += [one or blank for one in backend.patch_pictures(study, row)]
            tiles += [blank] * (-len(tiles) % across)
        return gallery.png(gallery.sheet(tiles, across))

    with st.container(horizontal=True, horizontal_alignment="right", width="content" if beside else "stretch"):
        st.download_button(
            "Save gallery",
            picture,
            look.file_name(study.name, name, "png"),
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


def close_chain() -> None:
    """Forget it again."""
    st.query_params.pop("patch", None)


def chain_if_asked(found: Findings) -> None:
    """Open the chain of the patch in the address, where there is one. To be called once, at the end of a page."""
    asked = look.whole(st.query_params.get("patch"))
    if asked is not None and asked < len(found.study.patches):
        _chain(found, asked)


@st.dialog("How this patch came about", width="large", on_dismiss=close_chain)
def _chain(found: Findings, patch: int) -> None:
    """Photo, map, box, transaction, itemsets: all from what is stored, the network is not run."""
    study = found.study
    row = study.patches.iloc[patch]
    image = int(row["image_id"])
    about = study.images.iloc[image]
    class_id = int(about["predicted"])
    name, colour = look.class_text(study, class_id), backend.colours(study).get(class_id, "#888888")
    photo = study.photo(image)
    blocks: list[widgets.Block] = []
    if photo is not None:
        seen = gallery.view(photo, study.preprocessing, 360)
        heat = np.asarray(study.cams[image], dtype=np.float32)
        box = gallery.scaled_box(
            [row[side] for side in ("x0", "y0", "x1", "y1")], (about["width"], about["height"]), photo.size
        )
        inner = study.preprocessing.to_model([box], photo.size)[0] * (seen.size[0] / study.preprocessing.size[1])
        warm = gallery.heat_overlay(seen, heat, 0.75)
        steps = [
            (seen, "1 · the photo", "as the network sees it"),
            (warm, "2 · the map", f"what speaks for {name}"),
            (gallery.boxed(warm, [inner.tolist()]), "3 · the patch", f"{look.percent(float(row['mass']))} of the map"),
            (gallery.patch_tile(photo, box, 360), "4 · its content", "what its units are read from"),
        ]
        blocks.append(
            widgets.tiles([widgets.tile(backend.data_uri(p), f"{n}: {t}", name=n, note=t) for p, n, t in steps], "l")
        )
    n_units = found.config.top_units
    kept = [int(unit) for unit in row["units"][:n_units]]
    blocks.append(
        widgets.line(
            widgets.text("5 · Its transaction", "strong"),
            widgets.text(f"the {len(kept)} units that count most, best first, and the predicted class", "faint"),
        )
    )
    blocks.append(
        widgets.line(
            widgets.units(kept),
            widgets.text("→"),
            widgets.class_tag(name, colour, look.percent(float(about["confidence"]))),
        )
    )
    held = found.held_by(kept)
    blocks.append(
        widgets.line(
            widgets.text("6 · Itemsets that it supports", "strong"),
            widgets.text(
                f"{held['itemset_id'].nunique():,} found" if len(held) else "none is frequent enough", "faint"
            ),
        )
    )
    blocks += itemset_lines(found, list(dict.fromkeys(int(key) for key in held["itemset_id"]))[:8])
    blocks.append(
        widgets.line(
            {"t": "link", "text": "Explain this photo", **look.link("explain", image=image)},
            widgets.text(str(about["path"]), "faint"),
        )
    )
    widgets.evidence(blocks, "chain")


def itemset_lines(found: Findings, keys: Sequence[int]) -> list[widgets.Block]:
    """`34,193 -> Bird 61 %, Dog 44 %` for each itemset: units and classes can be clicked."""
    study, colours = found.study, backend.colours(found.study)
    lines = []
    for key in keys:
        rows = found.table[found.table["itemset_id"] == key].sort_values("support", ascending=False)
        tags = [
            widgets.class_tag(
                look.class_text(study, int(class_id)),
                colours.get(int(class_id), "#888888"),
                look.percent(float(support)),
                **look.link(
                    "class_specific", **{"class": int(class_id), "itemset": look.itemset_param(found.units_of[key])}
                ),
            )
            for class_id, support in zip(rows["class_id"], rows["support"], strict=True)
        ]
        lines.append(widgets.line(widgets.units(found.units_of[key]), widgets.text("→"), tags))
    return lines
