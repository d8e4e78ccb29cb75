"""The study's network, loaded once, and photos explained by it."""

import hashlib
import threading

import streamlit as st
from PIL import Image

from interpret.explanation.photo import Explainer, PhotoExplanation, explainer
from interpret.explanation.study_network import network_of
from interpret.study import Study
from pages.shared.backend import places, studies


def ready_model(opened: Study) -> tuple[Explainer, threading.Lock]:
    """The study's model, loaded again, and the lock to hold while anything runs on it.

    Raises:
        InputError: it cannot be loaded here, or has other weights than the study was made with.
    """
    return _ready_model(str(opened.folder), places.stamp(opened.folder))


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _ready_model(folder: str, stamp: int) -> tuple[Explainer, threading.Lock]:
    opened = studies.cached(folder, stamp)
    return explainer(network_of(opened), opened.extract_config), threading.Lock()


def explained(opened: Study, photo: Image.Image, name: str, target: int | None) -> PhotoExplanation:
    """A photo explained for a class, worked out once for each photo and class.

    Args:
        opened: the study whose model and options are used.
        photo: RGB.
        name: what the photo is known by: its number in the study, or :func:`digest_of` an upload.
        target: the class; the predicted one if None.
    """
    return _explained(str(opened.folder), places.stamp(opened.folder), name, target, photo)


@st.cache_resource(max_entries=48, show_spinner="Explaining the photo …")
def _explained(folder: str, stamp: int, name: str, target: int | None, _photo: Image.Image) -> PhotoExplanation:
    ready, lock = _ready_model(folder, stamp)
    with lock:
        return ready.explain(_photo, target)


def digest_of(content: bytes) -> str:
    """A name for an uploaded photo: the same bytes, the same name."""
    return "upload-" + hashlib.sha256(content).hexdigest()[:24]
