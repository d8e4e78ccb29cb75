"""The form that starts a study: model, layer, photos, options; it starts the command line and hands over to the bar."""

import html
import re
from typing import Any

import streamlit as st

from interpret import models
from interpret.config import ExtractConfig, MineConfig, ModelConfig
from interpret.data.datasets import count
from interpret.errors import InputError
from interpret.options import options
from interpret.progress import remaining
from pages.shared import wording
from pages.shared.backend import jobs, places, studies, uploads
from pages.shared.controls import option_input

SOURCES = {
    "demo": "the embedded demo’s pictures",
    "skimage": "scikit-image’s photos",
    "folder": "a folder on this machine",
    "upload": "photos or a zip from here",
    "imagenette": "Imagenette (340 MB download)",
}

SKIPPED = ("model", "weights", "class_names", "layer")
"""Options that have a control of their own above the others."""

UPLOADED_TYPES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff", "zip")


def form() -> None:
    """Show the form, folded; start the run and draw the page again when it is sent."""
    st.subheader("Look at your own", anchor=False)
    with st.expander("New study: a model, photos, a minute or two", icon=":material/add:"):
        try:
            _form()
        except InputError as error:
            st.error(wording.markdown(str(error)))


def _form() -> None:
    names = [name for name, _ in models.available() if name != "demo" or places.demo_exists()]
    start = names.index("efficientnet_lite0") if "efficientnet_lite0" in names else 0
    model = st.selectbox(
        "Model", names, start, key="new_model", format_func=lambda name: f"{name} · {dict(models.available())[name]}"
    )
    with st.popover("Own weights, another layer", icon=":material/memory:"):
        path = st.text_input("Checkpoint on this machine", key="new_weights", placeholder="weights.safetensors")
        file = st.file_uploader("or upload one", ["safetensors", "pt", "pth", "bin"], key="new_weights_file")
        class_names = st.text_input(
            "File of class names", key="new_class_names", placeholder="one a line, or a JSON list"
        )
        layer = st.text_input(
            "Layer",
            key="new_layer",
            placeholder="the last one with spatial extent",
            help="a module’s name, such as layer3 or features.22; `python -m interpret models --layers NAME` lists "
            "them",
        )
    kinds = [kind for kind in SOURCES if kind != "demo" or places.demo_exists()]
    source = st.radio("Photos", kinds, format_func=SOURCES.get, key="new_source", horizontal=True)
    folder, given = "", []
    if source == "folder":
        folder = st.text_input(
            "Folder",
            key="new_folder",
            placeholder=str(uploads.allowed_roots()[0] / "photos"),
            help="class folders named by class, ImageNet index or wnid, or photos side by side; below "
            + " or ".join(str(root) for root in uploads.allowed_roots()),
        )
    elif source == "upload":
        given = st.file_uploader(
            "Photos or a zip of class folders", UPLOADED_TYPES, accept_multiple_files=True, key="new_files"
        )
    limit = st.number_input(
        "At most this many photos",
        1,
        1_000_000,
        None,
        key="new_limit",
        placeholder="all of them",
        help="taken evenly over the classes",
    )
    arguments = _options()
    name = (
        st.text_input("Name of the study", key="new_name", placeholder=f"{source}-{model}"[:60], max_chars=60)
        or f"{source}-{model}"
    )
    _estimate(model, source, folder, given, limit)
    if st.button("Start", type="primary", key="new_start", icon=":material/play_arrow:"):
        name = _plain_name(name)
        arguments += ["--model", model]
        try:
            if path:
                arguments += ["--weights", str(uploads.allowed(path, folder=False))]
            elif file is not None:
                arguments += ["--weights", str(uploads.keep_checkpoint(file.name, file))]
            if class_names:
                arguments += ["--class-names", str(uploads.allowed(class_names, folder=False))]
            if layer:
                arguments += ["--layer", layer]
            if limit:
                arguments += ["--limit", str(int(limit))]
            images, left_out = _images(source, folder, given)
            arguments += ["--images", images]
            jobs.start(name, arguments)
        except InputError:  # what was uploaded for it has no other use
            uploads.tidy(arguments)
            raise
        st.session_state["new_left_out"] = left_out
        st.rerun()
    for line in st.session_state.get("new_left_out", [])[:20]:
        st.caption(wording.markdown(line))


def _options() -> list[str]:
    """The remaining options, folded away; only those that differ from their default become arguments."""
    arguments: list[str] = []
    with st.popover("All options", icon=":material/tune:", width="stretch"):
        for config, title in (
            (MineConfig, "Mining"),
            (ExtractConfig, "Explanations and patches"),
            (ModelConfig, "Model"),
        ):
            st.markdown(f"**{title}**")
            for option in options(config):
                if option.name in SKIPPED:
                    continue
                value = option_input.option_input(option, key=f"new_{option.name}")
                if value is not None and value != option.default:
                    option.check(value)
                    arguments += [f"--{option.flag}", str(value)]
    return arguments


def _images(source: str, folder: str, given: list[Any]) -> tuple[str, list[str]]:
    if source == "folder":
        if not folder:
            raise InputError("Type the folder that the photos are in.")
        return str(uploads.allowed(folder, folder=True)), []
    if source == "upload":
        if not given:
            raise InputError("Choose the photos, or a zip of them, first.")
        kept, _, left_out = uploads.keep([(file.name, file) for file in given])
        return str(kept), left_out
    return source, []


def _plain_name(name: str) -> str:
    """A name that is a folder's on every system, and no other study's.

    Raises:
        InputError: nothing is left of it, or it is taken, or kept for unfinished studies.
    """
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:60]
    if not plain:
        raise InputError("The name needs letters or digits; type another one.")
    if plain.lower().endswith(".partial"):  # of an unfinished study; it goes when that one is dismissed
        raise InputError("Names that end in .partial are those of unfinished studies; type another one.")
    if (places.studies_root() / plain).exists():
        raise InputError(f"There is a study called {plain} already; type another name.")
    return plain


def _estimate(model: str, source: str, folder: str, given: list[Any], limit: int | None) -> None:
    """What is known about how long it will take, and on what ground."""
    photos = uploads.count([(file.name, file) for file in given])  # none is given where they come from elsewhere
    if source == "folder" and folder:
        try:
            photos = studies.count_photos(str(uploads.allowed(folder, folder=True)))
        except InputError as error:
            st.warning(wording.markdown(str(error)))
            return
    elif source == "skimage":
        photos = count("skimage")
    photos = min(photos, limit) if limit and photos else photos
    known = studies.seconds_per_photo(model)
    if photos and known:
        wording.paragraph(
            f"{wording.count(photos, 'photo')}: about {remaining(known[0] * photos)}, going by the "
            f"{known[0]:.2g} s a photo that “{html.escape(known[1])}” took on this machine.",
            "small",
        )
    elif photos:
        wording.paragraph(
            f"{wording.count(photos, 'photo')}. No study was made with this model here yet, so the time is not known; "
            "the bar "
            "tells it after the first photos.",
            "small",
        )
