"""The dialog on how a patch came about: photo, map, box, transaction, itemsets."""

import numpy as np
import streamlit as st

from interpret.figures import patch_pictures
from interpret.findings import Findings
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import address
from pages.shared.view import tables, widgets


def close_chain() -> None:
    """Drop the patch from the address."""
    st.query_params.pop("patch", None)


def show_if_asked(findings: Findings) -> None:
    """Open the dialog if the address names a patch. Call it once, at the end of a page."""
    asked = st.query_params.get("patch")
    patch = address.whole_number(asked)
    if patch is not None and patch < len(findings.study.patches):
        _chain(findings, patch)
    elif asked:
        _no_patch(asked, len(findings.study.patches))


@st.dialog("No such patch", on_dismiss=close_chain)
def _no_patch(asked: str, patches: int) -> None:
    """Say that the address names a patch that the study does not have."""
    st.warning(f"There is no patch {wording.markdown(asked[:20])}: the study has {patches:,}, counted from 0.")


@st.dialog("How this patch came about", width="large", on_dismiss=close_chain)
def _chain(findings: Findings, patch: int) -> None:
    """Draw the dialog from what is stored; the network is not run."""
    study = findings.study
    row = study.patches.iloc[patch]
    image = int(row["image_id"])
    about = study.images.iloc[image]
    class_id = int(about["predicted"])
    name, colour = wording.class_text(study, class_id), pictures.colours(study).get(class_id, "#888888")
    photo = study.photo(image)
    blocks: list[widgets.Block] = []
    if photo is not None:
        seen = patch_pictures.view(photo, study.preprocessing, 360)
        heat = np.asarray(study.cams[image], dtype=np.float32)
        box = patch_pictures.scaled_box(
            [row[side] for side in ("x0", "y0", "x1", "y1")], (about["width"], about["height"]), photo.size
        )
        inner = study.preprocessing.to_model([box], photo.size)[0] * (seen.size[0] / study.preprocessing.size[1])
        warm = patch_pictures.heat_overlay(seen, heat, 0.75)
        steps = [
            (seen, "1 · the photo", "as the network sees it"),
            (warm, "2 · the map", f"what supports {name}"),
            (
                patch_pictures.boxed(warm, [inner.tolist()]),
                "3 · the patch",
                f"{wording.percent(float(row['mass']))} of the map",
            ),
            (patch_pictures.patch_tile(photo, box, 360), "4 · its content", "the region its units are pooled over"),
        ]
        blocks.append(
            widgets.tiles([widgets.tile(pictures.data_uri(p), f"{n}: {t}", name=n, note=t) for p, n, t in steps], "l")
        )
    n_units = findings.config.top_units
    kept = findings.transaction(patch)
    blocks.append(
        widgets.line(
            widgets.text("5 · Its transaction", "strong"),
            widgets.text(wording.of_transaction(findings, len(kept)) + ", and the predicted class", "faint"),
        )
    )
    blocks.append(
        widgets.line(
            widgets.units(kept),
            widgets.text("→"),
            widgets.class_tag(name, colour, wording.percent(float(about["confidence"]))),
        )
    )
    if left_out := [int(unit) for unit in row["units"][:n_units] if unit not in kept]:
        said = f"left out, as strong in other photos explained as {name}:"
        blocks.append(widgets.line(widgets.text(said, "faint"), widgets.units(left_out)))
    held = findings.itemsets_within(kept)
    blocks.append(
        widgets.line(
            widgets.text("6 · Itemsets that it supports", "strong"),
            widgets.text(
                f"{held['itemset_id'].nunique():,} found" if len(held) else "none is frequent enough", "faint"
            ),
        )
    )
    blocks += tables.itemset_lines(findings, tables.supported_first(held)[:8])
    blocks.append(
        widgets.line(
            {"t": "link", "text": "Explain this photo", **address.link("explain", image=image)},
            widgets.text(str(about["path"]), "faint"),
        )
    )
    widgets.show(blocks, "chain", opened_by={"patch": patch})
