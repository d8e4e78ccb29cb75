"""The gallery of contrast patches: the same units in photos that the model calls something else."""

from collections.abc import Sequence

import streamlit as st

from interpret.findings import Findings, supporting
from interpret.findings.rows import Units
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import address
from pages.shared.controls.gallery_choices import Choices
from pages.shared.view import patch_gallery, widgets


def show(
    findings: Findings,
    units: Units,
    class_ids: Sequence[int],
    choices: Choices,
    *,
    across: int = 6,
    most: int = 12,
) -> None:
    """Show contrast patches that hold an itemset, one for each photo, the strongest first.

    Photos of the classes that share the itemset are left out, as they are where it is tested. Nothing is shown where
    the study has no contrast.

    Args:
        findings: where the patches are from.
        units: the itemset.
        class_ids: the classes that the photos were explained for; one strip of pictures each.
        choices: which of the photos are shown, and how.
        across: pictures side by side (count).
        most: pictures of a class (count).
    """
    study, colours = findings.study, pictures.colours(findings.study)
    if not study.has_contrast:
        return
    one = len(units) == 1
    st.header(f"The same {'unit' if one else 'units'} in photos that the model calls something else", anchor=False)
    sharing = findings.table["class_id"][findings.table["itemset_id"] == findings.id_of.get(units, -1)].tolist()
    owners = study.contrast["image_id"]
    blocks: list[widgets.Block] = []
    saved: list[list[int]] = []
    for class_id in class_ids:
        name = wording.class_text(study, class_id)
        held = supporting.contrast_patches(study, units, findings.config, class_id, outside=sharing)
        positions = held[~owners.iloc[held].duplicated().to_numpy()]
        among = "is among the strongest units" if one else "are among the strongest units"
        words = (
            f"Explained as {name} all the same, {wording.count(len(positions), 'photo')} "
            f"{'has' if len(positions) == 1 else 'have'} a patch in which {'it' if one else 'they'} {among}."
            if len(positions)
            else f"In no other photo that is explained as {name} {'is it' if one else 'are they'} among the strongest "
            "units of a patch."
        )
        tag = [widgets.class_tag(name, colours.get(class_id, "#888888"))] if len(class_ids) > 1 else []
        blocks.append(widgets.line(tag, widgets.text(words, "faint")))
        chosen = patch_gallery.passing(study, positions, choices, "contrast")
        if choices.photos.narrows and len(positions):
            said = patch_gallery.how_many(study, len(chosen), len(positions), choices)
            blocks.append(widgets.line(widgets.text(said, "faint"), size="small"))
        parts = tiles(findings, chosen[:most].tolist(), class_id, choices)
        if parts:
            saved.append(chosen[:most].tolist())
            blocks.append(widgets.tiles(parts, choices.strip_size, strip=choices.across(across)))
    widgets.show(blocks, "contrast_gallery")
    if saved:
        name = f"contrast-{'-'.join(str(class_id) for class_id in class_ids)}-{address.itemset_param(units)}"
        patch_gallery.save(findings, saved, name, table="contrast")


def tiles(findings: Findings, positions: Sequence[int], class_id: int, choices: Choices) -> list[widgets.Part]:
    """A tile for each contrast patch whose photo is here, with the class that the model predicts.

    A click explains the photo for the class that it was explained for.
    """
    study = findings.study
    name = wording.class_text(study, class_id)
    rows = study.contrast.iloc[list(positions)]
    parts = []
    sources = pictures.patch_tiles(study, positions, patch_gallery.side_of(choices), table="contrast")
    for image, source in zip(rows["image_id"].tolist(), sources, strict=True):
        if not source:
            continue
        shown = patch_gallery.photo_of_tile(study, image)
        link = address.link("explain", image=image, target=class_id)
        parts.append(
            widgets.tile(
                source,
                f"patch of photo {image}, predicted as {shown.said}; explained as {name}",
                name=shown.name,
                colour=shown.colour,
                mark=shown.mark,
                title=f"predicted as {shown.said}; why it could be {name}",
                **link,
            )
        )
    return parts
