"""The study's network, loaded once, and photos explained with it."""

import hashlib
import io
import threading
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st
from PIL import Image

from interpret.data.photos import open_photo
from interpret.errors import InputError
from interpret.evaluation.photo_effect import PhotoEffect, ablate_photo
from interpret.explanation.attributions import attribute
from interpret.explanation.photo import Explainer, PhotoExplanation, make_explainer
from interpret.explanation.study_network import network_of
from interpret.figures import patch_pictures
from interpret.figures.patch_pictures import data_uri
from interpret.figures.study_pictures import THUMBNAIL
from interpret.study import Study
from pages.shared.backend import messages, places, studies


def ready_model(opened: Study) -> tuple[Explainer, threading.Lock]:
    """The study's network, ready to explain photos, and the lock to hold while it runs.

    Raises:
        InputError: it cannot be loaded here, or has other weights than the study was made with.
    """
    return _ready_model(str(opened.folder), places.stamp(opened.folder))


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _ready_model(folder: str, stamp: int) -> tuple[Explainer, threading.Lock]:
    opened = studies.cached(folder, stamp)
    return make_explainer(network_of(opened), opened.extract_config), threading.Lock()


@dataclass(frozen=True, eq=False)
class PickedPhoto:
    """The photo to explain.

    Attributes:
        picture: RGB, upright.
        key: what identifies the photo in the cache.
        image_id: its number in the study; None for a photo from outside.
    """

    picture: Image.Image
    key: str
    image_id: int | None

    @classmethod
    def from_study(cls, picture: Image.Image, image_id: int) -> "PickedPhoto":
        """A photo of the open study."""
        return cls(picture, f"image-{image_id}", image_id)

    @classmethod
    def from_upload(cls, content: bytes) -> "PickedPhoto":
        """An uploaded photo, or one from the camera, given as the bytes of its file.

        Raises:
            InputError: it is not a photo that can be read.
        """
        return cls(open_photo(io.BytesIO(content)), "upload-" + hashlib.sha256(content).hexdigest()[:24], None)


def explained(opened: Study, photo: PickedPhoto, target: int | None) -> PhotoExplanation:
    """A photo explained for a class; cached for all sessions if it is of the study, else for this session only.

    Args:
        opened: the study whose model and options are used.
        photo: the photo.
        target: the class; the predicted one if None.
    """
    cached = _explained_upload if photo.image_id is None else _explained_of_study
    return cached(str(opened.folder), places.stamp(opened.folder), photo.key, target, photo.picture)


@st.cache_resource(max_entries=48, show_spinner="Explaining the photo …")
def _explained_of_study(folder: str, stamp: int, key: str, target: int | None, _photo: Image.Image) -> PhotoExplanation:
    return _explain(folder, stamp, target, _photo)


@st.cache_resource(max_entries=12, show_spinner="Explaining the photo …", scope="session")
def _explained_upload(folder: str, stamp: int, key: str, target: int | None, _photo: Image.Image) -> PhotoExplanation:
    return _explain(folder, stamp, target, _photo)


def attributed(opened: Study, photo: PickedPhoto, shown: PhotoExplanation, method: str) -> PhotoExplanation:
    """A photo by another attribution, for the same class; cached as the explanation is.

    Args:
        opened: the study whose model and options are used.
        photo: the photo.
        shown: its explanation by Grad-CAM.
        method: one of :data:`interpret.explanation.attributions.METHODS`.

    Raises:
        InputError: captum is not installed.
    """
    cached = _attributed_upload if photo.image_id is None else _attributed_of_study
    key = (str(opened.folder), places.stamp(opened.folder), photo.key, shown.target, method)
    with st.spinner(f"Computing {method} …"):
        return cached(*key, photo.picture, shown)


@st.cache_resource(max_entries=24, show_spinner=False)
def _attributed_of_study(
    folder: str, stamp: int, key: str, target: int, method: str, _photo: Image.Image, _shown: PhotoExplanation
) -> PhotoExplanation:
    return _attribute(folder, stamp, method, _photo, _shown)


@st.cache_resource(max_entries=12, show_spinner=False, scope="session")
def _attributed_upload(
    folder: str, stamp: int, key: str, target: int, method: str, _photo: Image.Image, _shown: PhotoExplanation
) -> PhotoExplanation:
    return _attribute(folder, stamp, method, _photo, _shown)


def _attribute(folder: str, stamp: int, method: str, photo: Image.Image, shown: PhotoExplanation) -> PhotoExplanation:
    ready, lock = _ready_model(folder, stamp)
    with lock:
        return attribute(ready, photo, shown, method)


@dataclass(frozen=True)
class UploadAtAGlance:
    """An upload in a strip of several.

    Attributes:
        predicted: the class that the model says.
        probability: of that class.
        thumbnail: the middle of the photo, as a data URI.
        problem: why it cannot be read, as a sentence; empty if it can.
    """

    predicted: int = -1
    probability: float = 0.0
    thumbnail: str = ""
    problem: str = ""


def upload_at_a_glance(opened: Study, file_id: str, content: Callable[[], bytes]) -> UploadAtAGlance:
    """What the model says of an upload; kept for this session, so that its file is read once.

    Args:
        opened: the study whose model and options are used.
        file_id: what tells uploads apart.
        content: gives the bytes of the file.

    Raises:
        InputError: the network cannot be loaded here, or has other weights than the study was made with.
    """
    ready_model(opened)  # what is wrong with it is no upload's fault
    return _upload_at_a_glance(str(opened.folder), places.stamp(opened.folder), file_id, content)


@st.cache_data(max_entries=96, show_spinner=False, scope="session")
def _upload_at_a_glance(folder: str, stamp: int, file_id: str, _content: Callable[[], bytes]) -> UploadAtAGlance:
    try:
        picture = open_photo(io.BytesIO(_content()))
        found = _explain(folder, stamp, None, picture)
    except InputError as error:
        return UploadAtAGlance(problem=messages.of(error))
    thumbnail = data_uri(patch_pictures.thumbnail(picture, THUMBNAIL))
    return UploadAtAGlance(found.predicted, float(found.probabilities[found.predicted]), thumbnail)


def ablated(opened: Study, photo: PickedPhoto, first: PhotoExplanation, units: tuple[int, ...]) -> PhotoEffect:
    """What the model says of a photo with units ablated, beside as many random ones; cached for this session.

    Args:
        opened: the study whose model is used.
        photo: the photo.
        first: its explanation for the predicted class.
        units: units of the layer, ascending.
    """
    return _ablated(str(opened.folder), places.stamp(opened.folder), photo.key, units, first)


@st.cache_resource(max_entries=48, show_spinner="Ablating random units …", scope="session")
def _ablated(folder: str, stamp: int, key: str, units: tuple[int, ...], _first: PhotoExplanation) -> PhotoEffect:
    ready, lock = _ready_model(folder, stamp)
    with lock:
        return ablate_photo(ready, _first, units)


def _explain(folder: str, stamp: int, target: int | None, photo: Image.Image) -> PhotoExplanation:
    ready, lock = _ready_model(folder, stamp)
    with lock:
        return ready.explain_photo(photo, target)
