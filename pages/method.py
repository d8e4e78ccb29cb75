"""How does it work? The method in six steps on one photo of the study, a glossary, references, how to cite."""

import html

import numpy as np
import streamlit as st

from interpret.figures import patch_pictures
from interpret.findings import Findings
from interpret.glossary import GLOSSARY, REFERENCES, citation
from pages.shared import router, wording
from pages.shared.backend import headline, pictures
from pages.shared.controls import address, thresholds
from pages.shared.view import empty, patch_chain, patch_gallery, photo_picker, tables, widgets


def page() -> None:
    title, findings = thresholds.title_and_findings()
    with title:
        wording.header("How does it work?", "Six steps, shown on one photo of the open study.")
    image = _image(findings)
    if image is None:
        empty.say(
            "No photo of this study has a patch, so there is no example to show. " + empty.why_no_patch(findings.study),
            empty.STUDY,
        )
    else:
        _steps(findings, image)
    st.divider()
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Glossary", anchor=False)
        inner = "".join(f"<dt><b>{html.escape(word)}</b></dt><dd>{html.escape(text)}</dd>" for word, text in GLOSSARY)
        st.html(f'<dl class="words">{inner}</dl>')
    with right:
        st.header("References", anchor=False)
        st.html(
            "<ol class='words'>" + "".join(f"<li>{html.escape(reference)}</li>" for reference in REFERENCES) + "</ol>"
        )
        st.header("How to cite", anchor=False)
        st.code(citation(), language="bibtex", wrap_lines=True)
    patch_chain.show_if_asked(findings)


def _image(findings: Findings) -> int | None:
    """The photo in the address, else the one with the strongest patch of the study's best finding."""
    study = findings.study
    owners = study.patches["image_id"].to_numpy()
    asked = photo_picker.asked_for(study)
    if asked is not None and asked in set(owners.tolist()):
        return asked
    if asked is not None:
        st.warning(f"Photo {asked} has no patch; another one is shown.")
    shown = headline.photo_to_show(findings)
    return int(owners[0]) if shown is None and len(owners) else shown


def _steps(findings: Findings, image: int) -> None:
    study = findings.study
    about = study.images.iloc[image]
    class_id = int(about["predicted"])
    name, colour = wording.class_text(study, class_id), pictures.colours(study).get(class_id, "#888888")
    rows = study.patches[study.patches["image_id"] == image]
    photo = study.photo(image)
    config = study.extract_config
    kept = [findings.transaction(patch) for patch in rows.index.tolist()]
    shown: list[str] = ["", "", ""]
    if photo is not None:
        seen = patch_pictures.view(photo, study.preprocessing, 480)
        warm = patch_pictures.heat_overlay(seen, np.asarray(study.cams[image], np.float32), 0.75)
        recorded = (int(about["width"]), int(about["height"]))
        boxes = [
            patch_pictures.scaled_box(box, recorded, photo.size)
            for box in rows[["x0", "y0", "x1", "y1"]].to_numpy().tolist()
            for box in rows[["x0", "y0", "x1", "y1"]].to_numpy().tolist()
        ]
        inner = study.preprocessing.to_model(np.array(boxes), photo.size) * (seen.size[0] / study.preprocessing.size[1])
        steps = (seen, warm, patch_pictures.boxed(warm, inner.tolist()))
        shown = [pictures.data_uri(step) for step in steps]
    else:
        patch_gallery.missing(findings.study)
    tag = widgets.class_tag(name, colour, wording.percent(float(about["confidence"])))
    verb = "reaches" if len(rows) == 1 else "reach"
    what = "peak" if config.patches == "peaks" else "region"
    grid = st.grid(3, min_column_width=300, gap="medium")
    with grid.cell():
        _step(
            1,
            "A photo is classified",
            shown[0],
            "as the network sees it",
            [widgets.line(widgets.text("The model says"), tag)],
        )
    with grid.cell():
        _step(
            2,
            "The prediction is explained",
            shown[1],
            "the map over it",
            [
                widgets.line(
                    widgets.text(
                        f"Grad-CAM marks what supports {name}: units weighted by how much each raises its score."
                    )
                )
            ],
        )
    with grid.cell():
        _step(
            3,
            "Patches are cut out",
            shown[2],
            "the patches as boxes",
            [
                widgets.line(
                    widgets.text(
                        f"{wording.count(len(rows), what)} {verb} {config.tau:g} of the map’s maximum; at most "
                        f"{config.max_patches} a photo are kept."
                        if config.threshold == "fraction"
                        else f"{wording.count(len(rows), what)} above Otsu’s threshold."
                    )
                )
            ],
        )
    with grid.cell():
        lines = [
            widgets.line(widgets.units(units), widgets.text("→"), widgets.class_tag(name, colour)) for units in kept
        ]
        _step(
            4,
            "Each patch becomes a transaction",
            "",
            "",
            [
                widgets.line(
                    widgets.text(f"{wording.of_transaction(findings).capitalize()}, and the predicted class.")
                ),
                *lines,
                widgets.line(widgets.text(f"This study has {len(study.patches):,} of them.", "faint")),
            ],
        )
    held = findings.itemsets_within(kept[0])
    with grid.cell():
        keys = tables.supported_first(held)[:5]
        _step(
            5,
            "Units that occur together are mined",
            "",
            "",
            [
                widgets.line(
                    widgets.text(
                        f"Eclat lists every set of units in at least {wording.percent(findings.config.min_support)} "
                        "of a class’s patches: "
                        f"{len(findings.mined.all_patches):,} sets here, {held['itemset_id'].nunique():,} of them in "
                        "the first patch."
                    )
                ),
                *tables.itemset_lines(findings, keys),
            ],
        )
    with grid.cell():
        relevant = findings.relevant_units(class_id)
        kinds = {
            kind: [int(u) for u in relevant[relevant["kind"] == kind]["unit"]][:14] for kind in ("specific", "shared")
        }
        blocks = [
            widgets.line(
                widgets.text("An itemset that is frequent in one class is specific to it; in several, shared.")
            )
        ]
        for kind, words in (("specific", f"only {name}"), ("shared", "shared with others")):
            if kinds[kind]:
                blocks.append(widgets.line(widgets.text(words, "faint"), widgets.units(kinds[kind])))
        more = [
            {"t": "link", "text": f"All of {name}", **address.link("class_specific", **{"class": class_id})},
            {"t": "link", "text": "What classes share", **address.link("class_shared")},
        ]
        _step(6, "Specific or shared", "", "", [*blocks, widgets.line(more)])


def _step(number: int, title: str, source: str, alt: str, blocks: list[widgets.Block]) -> None:
    st.header(f"{number} · {title}", anchor=False)
    pictured = [widgets.stage(source, alt)] if source else []
    widgets.show([*pictured, *blocks], f"step_{number}")


router.enter(page)
