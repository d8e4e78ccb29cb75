"""The form for a new study: model, layer, photos, options. It starts the run; the progress bar takes over."""

import html
import itertools
from typing import Any

import streamlit as st

from interpret import models
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.data import torchvision_sets
from interpret.data.datasets import count
from interpret.errors import InputError
from interpret.models import own_network
from interpret.options import options
from interpret.progress import remaining
from pages.shared import wording
from pages.shared.backend import allowed_paths, durations, jobs, messages, owners, places, studies, study_names, uploads
from pages.shared.controls import current_study, folder_input, option_input

SOURCES = {
    "demo": "the embedded demo’s drawings",
    "skimage": "scikit-image’s photos",
    "folder": "a folder or data set on this machine",
    "imagenette": "Imagenette (340 MB download)",
    "torchvision": "a data set of torchvision",
}

SKIPPED = {"model", "weights", "class_names", "layer", "codes", "images", "limit", "shard_size"}
"""Options with a control of their own, and one that the command line does not offer either."""

LIMIT = next(option for option in options(RunConfig) if option.name == "limit")

LISTED = 20
"""Skipped files of an upload that are named (count)."""

UPLOADED_TYPES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff", "zip")


def form() -> None:
    """Show the form, folded until photos are dropped above it; on Start, start the run and rerun the page."""
    st.header("Look at your own", anchor=False)
    uploaded = st.file_uploader(
        "Drop photos here, or a zip of class folders", UPLOADED_TYPES, accept_multiple_files=True, key="new_files"
    )
    photos, skipped = studies.inspect_uploaded(uploaded)
    _say_skipped(photos, skipped)
    # Of another key: one that is drawn already would stay folded.
    key = "new_study_of_uploads" if uploaded else "new_study"
    with st.expander(
        "New study: a model, photos, a minute or two", icon=":material/add:", expanded=bool(uploaded), key=key
    ):
        try:
            _form(uploaded, photos)
        except InputError as error:
            st.error(wording.markdown(messages.of(error)))


def _say_skipped(photos: int, skipped: list[str]) -> None:
    """List the uploaded files that will be skipped, before anything starts."""
    if not skipped:
        return
    more = f"; and {len(skipped) - LISTED:,} more" if len(skipped) > LISTED else ""
    what = "will be skipped" if photos else "can be used as a photo"
    said = f"{wording.count(len(skipped), 'file')} {what}" if photos else f"None of {len(skipped):,} {what}"
    st.warning(wording.markdown(f"{said}: {'; '.join(skipped[:LISTED])}{more}."))


def _form(uploaded: list[Any], photos: int) -> None:
    names = [name for name, _ in models.available() if name != "demo" or places.demo_exists()]
    start = names.index("efficientnet_lite0") if "efficientnet_lite0" in names else 0
    model = st.selectbox(
        "Model", names, start, key="new_model", format_func=lambda name: f"{name} · {dict(models.available())[name]}"
    )
    with st.popover("Own weights, another layer", icon=":material/memory:"):
        timm = st.text_input(
            "Architecture of timm",
            key="new_timm",
            placeholder="not set: the model in the menu",
            help="a name that timm knows, with a tag for certain weights, as convnext_tiny.in12k_ft_in1k; they are "
            "downloaded once, unless a checkpoint of yours stands below",
        )
        path = st.text_input("Checkpoint on this machine", key="new_weights", placeholder="weights.safetensors")
        file = st.file_uploader("or upload one", ["safetensors", "pt", "pth", "bin"], key="new_weights_file")
        class_names = st.text_input(
            "File of class names", key="new_class_names", placeholder="one a line, or a JSON list"
        )
        layer = st.text_input(
            "Layer",
            key="new_layer",
            placeholder="not set: the last one with spatial extent",
            help="a module’s name, such as layer3 or features.22; `unitscope models --layers NAME` lists them",
        )
        codes = st.text_input(
            "Sparse codes of the layer",
            key="new_codes",
            placeholder="not set: channels are the units",
            help="a folder that SAELens or sparsify wrote, whose latents are the units then",
        )
        own = ""
        if allowed_paths.code_is_allowed():
            own = st.text_input(
                "A network in code",
                key="new_own",
                placeholder="nets.py:build",
                help="a file and its function, which returns a module or what `interpret.wrap` returns; or an archive "
                "that `torch.export.save` wrote (.pt2)",
            )
    if timm:
        model = f"timm/{timm.strip().removeprefix('timm/')}"
    if own:
        model = own_network.short_name(own.strip())
    source, folder = "upload", ""
    if uploaded:
        wording.paragraph(f"{wording.count(photos, 'photo')} dropped above.", "small")
    else:
        kinds = [kind for kind in SOURCES if kind != "demo" or places.demo_exists()]
        source = str(st.radio("Photos", kinds, format_func=SOURCES.get, key="new_source", horizontal=True))
    if source == "folder":
        folder = folder_input.folder_input(
            "new_folder",
            "photos",
            "class folders named by class, ImageNet index or wnid, photos side by side, WebDataset’s tar shards, or a "
            "data set of Hugging Face’s; of these also hf:FOLDER:SPLIT and wds:FOLDER/train-{000..009}.tar",
        )
    if source == "torchvision":
        source = _set_of_torchvision()
    limit = option_input.option_input(LIMIT, key="new_limit", label="At most this many photos", unset="all of them")
    arguments = _options()
    name = st.text_input(
        "Name of the study", key="new_name", placeholder=f"{source}-{model}"[:60], max_chars=60
    ) or _free_name(f"{source}-{model}")
    _estimate(model, source, folder, photos, limit)
    if st.button("Start", type="primary", key="new_start", icon=":material/play_arrow:"):
        typed, name = name, study_names.checked(name)
        arguments += ["--model", allowed_paths.resolve_code(own) if own else model]
        try:
            if path:
                arguments += ["--weights", str(allowed_paths.resolve(path, folder=False))]
            elif file is not None:
                arguments += ["--weights", str(uploads.keep_checkpoint(file.name, file))]
            if class_names:
                arguments += ["--class-names", str(allowed_paths.resolve(class_names, folder=False))]
            if layer:
                arguments += ["--layer", layer]
            if codes:
                arguments += ["--codes", allowed_paths.resolve_codes(codes)]
            arguments += LIMIT.words(limit)
            images, skipped = _images(source, folder, uploaded)
            arguments += ["--images", images]
            current_study.follow(jobs.start(name, arguments, owner=owners.current()).id)
        except InputError:  # what was uploaded for it has no other use
            uploads.tidy(arguments)
            raise
        more = [f"and {len(skipped) - LISTED:,} more"] if len(skipped) > LISTED else []
        st.session_state["new_said"] = [study_names.said_of_change(typed, name), *skipped[:LISTED], *more]
        st.rerun()
    for line in filter(None, st.session_state.get("new_said", [])):
        st.caption(wording.markdown(line))


def _set_of_torchvision() -> str:
    """The set and the split that are chosen, as the command line takes them."""
    left, right = st.columns(2)

    def with_size(name: str) -> str:
        size = torchvision_sets.SIZES.get(name.lower())
        return f"{name} ({size} download)" if size else f"{name}, which must lie on the server"

    name = left.selectbox("Data set", torchvision_sets.USUAL, key="new_set", format_func=with_size)
    split = right.selectbox("Split", torchvision_sets.USUAL[name], key="new_split")
    return f"{torchvision_sets.PREFIX}{name}:{split}"


def _options() -> list[str]:
    """The arguments for all other options, as far as they differ from their defaults."""
    arguments: list[str] = []
    with st.popover("All options", icon=":material/tune:", width="stretch"):
        for config, title in (
            (MineConfig, "Mining"),
            (ExtractConfig, "Explanations and patches"),
            (ModelConfig, "Model"),
            (RunConfig, "Run"),
        ):
            st.markdown(f"**{title}**")
            names = {option.name for option in options(config)} - SKIPPED
            arguments += option_input.option_inputs(config, key="new", only=names)
    return arguments


def _images(source: str, folder: str, uploaded: list[Any]) -> tuple[str, list[str]]:
    if source == "folder":
        if not folder:
            raise InputError("Type the folder that the photos are in.")
        return allowed_paths.resolve_photos(folder), []
    if source == "upload":
        kept, _, skipped = uploads.keep([(file.name, file) for file in uploaded])
        return str(kept), skipped
    return source, []


def _free_name(name: str) -> str:
    """A name that no study has, finished or not: the given one, else one with a number."""
    plain = study_names.plain(name)[:50]
    names = (f"{plain}-{number}" if number > 1 else plain for number in itertools.count(1))
    root = places.studies_root()
    return next(
        name
        for name in names
        if not any(path.exists() for path in (root / name, root / f"{name}.partial", root / ".owners" / name))
    )


def _estimate(model: str, source: str, folder: str, photos: int, limit: int | None) -> None:
    """Say how long the run may take, and what the estimate is based on; ``photos`` were uploaded (count)."""
    if source == "folder" and folder:
        try:
            photos = studies.count_photos(allowed_paths.resolve_photos(folder))
        except InputError as error:
            st.warning(wording.markdown(messages.of(error)))
            return
    elif source == "skimage":
        photos = count("skimage")
    photos = min(photos, limit) if limit and photos else photos
    measured = durations.measured(model)
    if photos and measured:
        wording.paragraph(
            f"{wording.count(photos, 'photo')}: about {remaining(measured.of(photos))}. With this model the last run "
            f"here took {remaining(measured.before)} to load the model and to mine, and {measured.each:.2g} s a photo.",
            "small",
        )
    elif photos and (recorded := durations.recorded(model, studies.names())):
        name, each = recorded
        wording.paragraph(
            f"{wording.count(photos, 'photo')}: about {remaining(each * photos)} if each takes as long as in the study "
            f"“{html.escape(name)}”, and the time to load the model and to mine. This model has not been run here yet.",
            "small",
        )
    elif photos:
        wording.paragraph(
            f"{wording.count(photos, 'photo')}. This model has not been run here yet; the progress bar shows the "
            "remaining time after the first photos.",
            "small",
        )
