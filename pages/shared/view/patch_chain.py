"""How a patch came about: photo, map, box, transaction, itemsets."""

import numpy as np
import streamlit as st

from interpret.figures import gallery
from interpret.findings import Findings
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import address
from pages.shared.view import tables, widgets


def close_chain() -> None:
    """Forget it again."""
    st.query_params.pop("patch", None)


def show_if_asked(found: Findings) -> None:
    """Open the chain of the patch in the address, where there is one. To be called once, at the end of a page."""
    asked = address.whole_number(st.query_params.get("patch"))
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
    name, colour = wording.class_text(study, class_id), pictures.colours(study).get(class_id, "#888888")
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
            (
                gallery.boxed(warm, [inner.tolist()]),
                "3 · the patch",
                f"{wording.percent(float(row['mass']))} of the map",
            ),
            (gallery.patch_tile(photo, box, 360), "4 · its content", "what its units are read from"),
        ]
        blocks.append(
            widgets.tiles([widgets.tile(pictures.data_uri(p), f"{n}: {t}", name=n, note=t) for p, n, t in steps], "l")
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
            widgets.class_tag(name, colour, wording.percent(float(about["confidence"]))),
        )
    )
    held = found.itemsets_within(kept)
    blocks.append(
        widgets.line(
            widgets.text("6 · Itemsets that it supports", "strong"),
            widgets.text(
                f"{held['itemset_id'].nunique():,} found" if len(held) else "none is frequent enough", "faint"
            ),
        )
    )
    blocks += tables.itemset_lines(found, list(dict.fromkeys(int(key) for key in held["itemset_id"]))[:8])
    blocks.append(
        widgets.line(
            {"t": "link", "text": "Explain this photo", **address.link("explain", image=image)},
            widgets.text(str(about["path"]), "faint"),
        )
    )
    widgets.show(blocks, "chain")
