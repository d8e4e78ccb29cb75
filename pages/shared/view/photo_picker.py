"""The photo to explain: one of the study, picked from a strip, or an upload or one from the camera."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from interpret import frames
from interpret.errors import InputError
from interpret.findings import Findings
from interpret.study import Study
from interpret.study.schema import ImageRow
from pages.shared import wording
from pages.shared.backend import headline, pictures
from pages.shared.backend.model import PickedPhoto
from pages.shared.controls import address, in_vain, menus, paging, stand
from pages.shared.view import screen, uploaded_photos, widgets

PER_PAGE = 24
"""Photos of the study offered at once (count)."""

PAGE_PARAM = "photos"
"""The parameter in the address for the page of photos to pick from."""

SOURCES = ("of the study", "upload", "camera")
"""Where the photo comes from."""

AT_A_STAND = ("camera", "of the study")
"""The same at a stand, where nobody has files."""

UPLOADED_TYPES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff")

MAX_MEGABYTES = 32
"""Largest photo that may be uploaded."""


def pick(findings: Findings, row: DeltaGenerator) -> PickedPhoto | None:
    """The chosen photo; None until one is uploaded or comes from the camera. Several may be uploaded at once.

    Args:
        findings: those of the open study.
        row: where the controls go.

    Raises:
        InputError: the photo is not on this machine, or cannot be read; or the network cannot be loaded here.
    """
    sources = AT_A_STAND if stand.is_on() else SOURCES
    in_vain.warn_of_choice("from", "Photo", sources)
    # The only controls that a stand has.
    row = row.container(
        key="stand_keeps_photo", width="content", horizontal=True, vertical_alignment="bottom", gap="medium"
    )
    source = row.segmented_control(
        "Photo",
        sources,
        default=sources[0],
        key="from",
        bind="query-params",
        required=True,
    )
    if source == SOURCES[0]:
        return _of_study(findings, row)
    if source == "camera":
        taken = st.camera_input("Take a photo", key="camera", width=screen.pixels(480))
        files = [] if taken is None else [taken]
    else:
        files = st.file_uploader(
            "Photos", UPLOADED_TYPES, key="photo", max_upload_size=MAX_MEGABYTES, accept_multiple_files=True
        )
    if not files:
        wording.paragraph(
            "A photo is explained on this machine. It stays in memory for this session only and is not written to "
            "disk.",
            "small",
        )
        return None
    return uploaded_photos.pick(findings.study, files)


def asked_for(study: Study) -> int | None:
    """The photo that the address names; None, with a sentence if it names one that the study does not have."""
    asked = st.query_params.get("image")
    image_id = address.whole_number(asked)
    if image_id is not None and image_id < len(study.images):
        return image_id
    if asked:
        st.warning(
            f"There is no photo {wording.markdown(asked[:20])}: the study has {len(study.images):,}, counted from 0. "
            "Another one is shown."
        )
    return None


def _of_study(findings: Findings, row: DeltaGenerator) -> PickedPhoto:
    """The photo in the address, else that of the finding shown first, else the most confident correct prediction."""
    study, images = findings.study, findings.study.images
    image_id = asked_for(study)
    if image_id is None:
        image_id = headline.photo_to_show(findings)
    if image_id is None:
        correct = images[images["label"].isna() | (images["label"] == images["predicted"])]
        offered = correct if len(correct) else images
        image_id = offered["image_id"].tolist()[int(offered["confidence"].argmax())]
    with row.popover("Pick another photo", icon=":material/photo_library:"):
        _strip(study, image_id)
    picture = study.photo(image_id)
    if picture is None:
        others = any(study.photo_file(other) for other in images["image_id"].tolist()[:PER_PAGE])
        raise InputError(
            f"The file {images['path'].iloc[image_id]!r} is not on this machine; pick another photo, or upload one."
            if others
            else "The photos of this study are not on this machine, or may not be read; upload one, or run unitscope "
            "pack where they are, which copies them into the study."
        )
    return PickedPhoto.from_study(picture, image_id)


def _strip(study: Study, chosen: int) -> None:
    """Photos of the study to pick from, those of one predicted class if one is asked for."""
    classes = ["all", *(str(class_id) for class_id in pictures.colours(study))]
    wanted = menus.choose(
        "Predicted as",
        classes,
        "of",
        lambda choice: "any class" if choice == "all" else wording.class_text(study, int(choice)),
        forget=(PAGE_PARAM,),
        width=screen.pixels(320),
    )
    listed = study.images if wanted == "all" else study.images[study.images["predicted"] == int(wanted)]
    pages = max(1, -(-len(listed) // PER_PAGE))
    page = paging.page_of(PAGE_PARAM, pages, "photos")
    rows = listed.iloc[(page - 1) * PER_PAGE : page * PER_PAGE]
    sources = pictures.thumbnails(study, rows["image_id"].tolist(), 160)
    tiles = [
        widgets.tile(
            source,
            f"photo {row.path}",
            name=wording.class_text(study, row.predicted),
            note=wording.probability(row.confidence),
            colour=pictures.colours(study).get(row.predicted, "#888888"),
            act={"image": row.image_id},
            on=row.image_id == chosen,
        )
        for row, source in zip(frames.rows(rows, ImageRow), sources, strict=True)
        if source
    ]
    widgets.show([widgets.tiles(tiles, "s")], "photos", picked)
    paging.buttons(PAGE_PARAM, pages)


def picked(act: dict[str, object]) -> None:
    """Explain the photo of the study that was clicked, wherever the one before came from."""
    st.session_state["from"] = SOURCES[0]
    address.change({"image": act["image"]}, ("target", "box", "off", uploaded_photos.PARAM))
