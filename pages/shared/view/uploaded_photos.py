"""Uploaded photos, each explained: a strip to choose from where there are several."""

import time
from collections.abc import Sequence
from typing import Protocol

import streamlit as st

from interpret.errors import InputError
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import model, pictures
from pages.shared.backend.model import PickedPhoto, UploadAtAGlance
from pages.shared.controls import address
from pages.shared.view import widgets

PARAM = "upload"
"""The parameter in the address for which of several uploads is looked at, from 1."""

MOST = 24
"""Photos explained of one upload (count)."""

SAID = 5
"""Files that are no photos, of which each is named (count)."""

ACROSS = 8
"""Photos that fit side by side (count)."""

PATIENCE = 0.3
"""Seconds after which the page says how many photos are explained."""


class UploadedFile(Protocol):
    """What Streamlit gives of an uploaded file."""

    name: str
    file_id: str

    def getvalue(self) -> bytes:
        """Its bytes."""
        ...


def pick(study: Study, files: Sequence[UploadedFile]) -> PickedPhoto:
    """The upload to look at; of several a strip is shown, and a click on one of them chooses it.

    Args:
        study: whose network explains.
        files: at least one.

    Raises:
        InputError: no file is a photo that can be read, or the network cannot be loaded here.
    """
    if len(files) == 1:
        return PickedPhoto.from_upload(files[0].getvalue())
    if len(files) > MOST:
        st.warning(f"The first {MOST} of {len(files)} uploads are explained; upload fewer at a time to see the others.")
    seen = _seen(study, files[:MOST])
    refused = [(file, glance) for file, glance in seen if glance.problem]
    usable = [(file, glance) for file, glance in seen if not glance.problem]
    if not usable:
        raise InputError(refused[0][1].problem)
    for file, glance in refused[:SAID]:
        st.warning(f"{wording.markdown(file.name[:100])} is left out. {wording.markdown(glance.problem)}")
    if len(refused) > SAID:
        st.warning(f"{wording.count(len(refused) - SAID, 'further file')} left out: no photos that can be read.")
    chosen = _chosen(len(usable))
    tiles = [
        _tile(study, place, file.name, glance, on=place == chosen)
        for place, (file, glance) in enumerate(usable, start=1)
    ]
    widgets.show([widgets.tiles(tiles, "s", strip=ACROSS)], "uploads", _picked)
    return PickedPhoto.from_upload(usable[chosen - 1][0].getvalue())


def _seen(study: Study, files: Sequence[UploadedFile]) -> list[tuple[UploadedFile, UploadAtAGlance]]:
    """Each upload with what the model says of it; how many are done is said where that takes its time."""
    place, start = st.empty(), time.monotonic()
    seen = []
    for done, file in enumerate(files):
        if time.monotonic() - start > PATIENCE:
            place.progress(done / len(files), f"Explaining photo {done + 1} of {len(files)} …")
        seen.append((file, model.upload_at_a_glance(study, file.file_id, file.getvalue)))
    place.empty()
    return seen


def _chosen(count: int) -> int:
    """The upload that the address names, from 1, else the first, with a sentence that says so."""
    asked = st.query_params.get(PARAM)
    number = address.whole_number(asked)
    if number is not None and 0 < number <= count:
        return number
    if asked:
        st.warning(f"There is no upload {wording.markdown(asked[:20])}: there are {count}. The first is shown.")
    return 1


def _tile(study: Study, place: int, file: str, glance: UploadAtAGlance, *, on: bool) -> widgets.Part:
    """An upload, with what the model says of it."""
    name, sure = wording.class_text(study, glance.predicted), wording.probability(glance.probability)
    return widgets.tile(
        glance.thumbnail,
        f"upload {place}, {file}, predicted as {name}, {sure}",
        name=name,
        note=wording.percent(glance.probability),
        colour=pictures.colours(study).get(glance.predicted, "#888888"),
        title=file,
        act={PARAM: place},
        on=on,
    )


def _picked(act: dict[str, object]) -> None:
    address.change({PARAM: act[PARAM]}, ("target", "box", "off"))
