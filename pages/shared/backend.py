"""The cached way to everything the pages show: the only place that caches.

Results are kept by the study's folder, the time its manifest was written, and small frozen options, never by an array.
What is kept is shared by all sessions and only read.
"""

import base64
import contextlib
import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import streamlit as st
from PIL import Image

from interpret import models
from interpret.config import MineConfig
from interpret.data import datasets
from interpret.dissection.dissect import FOLDER, Dissection
from interpret.errors import InputError
from interpret.evaluation import ablation, effect, heldout
from interpret.evaluation.ablation import Bench
from interpret.evaluation.effect import ClassEffect
from interpret.evaluation.evaluate import Evaluation
from interpret.explanation.photo import Explainer, PhotoExplanation, explainer
from interpret.figures import gallery
from interpret.figures.colours import class_colours, on_dark
from interpret.findings import Findings, supporting
from interpret.mining.stored import mine_study
from interpret.study import Study, open_study
from pages.shared import places

MINE_SECONDS = 20.0
"""Longest that a page waits for mining."""

THUMBNAIL = 288
"""Side of a picture in a gallery, pixels."""


def study(name: str) -> Study:
    """Open a study by its name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in places.study_names():
        raise InputError(f"There is no study called {name!r} here; the page Study lists those that there are.")
    folder = places.studies_root() / name
    return _study(str(folder), places.stamp(folder))


@st.cache_resource(max_entries=8, show_spinner=False)
def _study(folder: str, stamp: int) -> Study:
    return open_study(folder)


def findings(opened: Study, config: MineConfig) -> Findings:
    """What mining with these options finds; read back, or mined now from the stored patches.

    Raises:
        InputError: it would take too long, or give more than can be looked at.
    """
    return _findings(str(opened.folder), places.stamp(opened.folder), config)


@st.cache_resource(max_entries=24, show_spinner="Mining the stored patches …")
def _findings(folder: str, stamp: int, config: MineConfig) -> Findings:
    opened = _study(folder, stamp)
    found = Findings(opened, config, mine_study(opened, config, seconds=MINE_SECONDS))
    _ = found.table  # worked out once, here, and not by two sessions at a time
    return found


def by_chance(found: Findings) -> pd.Series:
    """What :meth:`~interpret.findings.Findings.by_chance` measures, worked out once for a study and its thresholds."""
    return _by_chance(str(found.study.folder), places.stamp(found.study.folder), found.config, found)


@st.cache_resource(max_entries=24, show_spinner="Shuffling the classes among the photos …")
def _by_chance(folder: str, stamp: int, config: MineConfig, _found: Findings) -> pd.Series:
    return _found.by_chance()


def colours(opened: Study) -> dict[int, str]:
    """One colour a class, the same on every page: classes predicted most often get those that differ most.

    On a dark ground the darkest are shown lighter.
    """
    dark = st.context.theme.type == "dark"
    return _colours(str(opened.folder), places.stamp(opened.folder), dark)


@st.cache_resource(max_entries=8, show_spinner=False)
def _colours(folder: str, stamp: int, dark: bool) -> dict[int, str]:
    plain = class_colours(supporting.class_order(_study(folder, stamp)))
    return {class_id: on_dark(colour) for class_id, colour in plain.items()} if dark else plain


def patch_tiles(opened: Study, patches: Sequence[int], side: int = THUMBNAIL) -> list[str]:
    """Pictures of patches, as addresses that hold the picture itself; empty text where the photo's file is gone."""
    return _patch_tiles(str(opened.folder), places.stamp(opened.folder), tuple(int(one) for one in patches), side)


@st.cache_data(max_entries=300, show_spinner=False)
def _patch_tiles(folder: str, stamp: int, patches: tuple[int, ...], side: int) -> list[str]:
    pictures = patch_pictures(_study(folder, stamp), patches, side)
    return ["" if picture is None else data_uri(picture) for picture in pictures]


def patch_pictures(opened: Study, patches: Sequence[int], side: int = THUMBNAIL) -> list[Image.Image | None]:
    """Patches as pictures; None where the photo's file is gone."""
    rows = opened.patches[["image_id", "x0", "y0", "x1", "y1"]].to_numpy()
    sizes = opened.images[["width", "height"]].to_numpy()

    def one(patch: int) -> Image.Image | None:
        image_id, *box = (int(value) for value in rows[patch])
        photo = opened.photo(image_id)
        if photo is None:
            return None
        recorded = (int(sizes[image_id][0]), int(sizes[image_id][1]))
        return gallery.patch_tile(photo, gallery.scaled_box(box, recorded, photo.size), side)

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, patches))


def thumbnails(opened: Study, images: Sequence[int], side: int = THUMBNAIL) -> list[str]:
    """Whole photos, cut square, as :func:`patch_tiles` gives patches."""
    return _thumbnails(str(opened.folder), places.stamp(opened.folder), tuple(int(one) for one in images), side)


@st.cache_data(max_entries=200, show_spinner=False)
def _thumbnails(folder: str, stamp: int, images: tuple[int, ...], side: int) -> list[str]:
    opened = _study(folder, stamp)

    def one(image_id: int) -> str:
        photo = opened.photo(image_id)
        return "" if photo is None else data_uri(gallery.thumbnail(photo, side))

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, images))


def ready_model(opened: Study) -> tuple[Explainer, threading.Lock]:
    """The study's model, loaded again, and the lock to hold while anything runs on it.

    Raises:
        InputError: it cannot be loaded here, or has other weights than the study was made with.
    """
    return _ready_model(str(opened.folder), places.stamp(opened.folder))


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _ready_model(folder: str, stamp: int) -> tuple[Explainer, threading.Lock]:
    opened = _study(folder, stamp)
    classifier = models.load(opened.model_config)
    if classifier.weights_digest != opened.manifest["weights"]["digest"]:
        raise InputError(
            f"The weights of {opened.manifest['model']} on this machine are not those that the study was made with; "
            "make the study again, or put its weights back."
        )
    return explainer(classifier, opened.extract_config), threading.Lock()


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


def stage_pictures(opened: Study, photo: Image.Image, shown: PhotoExplanation, name: str) -> tuple[str, str]:
    """The photo as the network sees it and the map to lay over it, as addresses that hold the pictures themselves."""
    return _stage_pictures(str(opened.folder), places.stamp(opened.folder), name, shown.target, photo, shown)


@st.cache_data(max_entries=48, show_spinner=False)
def _stage_pictures(
    folder: str, stamp: int, name: str, target: int, _photo: Image.Image, _shown: PhotoExplanation
) -> tuple[str, str]:
    preprocessing = _study(folder, stamp).preprocessing
    height, width = preprocessing.size
    heat = gallery.heat_layer(_shown.heat, (288, max(1, 288 * height // width)))
    return data_uri(gallery.view(_photo, preprocessing, 720)), data_uri(heat, transparent=True)


def digest_of(content: bytes) -> str:
    """A name for an uploaded photo: the same bytes, the same name."""
    return "upload-" + hashlib.sha256(content).hexdigest()[:24]


def data_uri(picture: Image.Image, *, transparent: bool = False) -> str:
    """A picture as an address that holds the picture itself."""
    kind, content = ("png", gallery.png(picture)) if transparent else ("jpeg", gallery.jpeg(picture))
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def summary(name: str) -> str | None:
    """A study in a few words; None where it cannot be read."""
    try:
        opened = study(name)
    except InputError:
        return None
    counts = opened.manifest["counts"]
    return f"{opened.manifest['model']}, {counts['images']:,} photos, {counts['patches']:,} patches"


def seconds_per_photo(model: str) -> tuple[float, str] | None:
    """How long a photo took with this model in a study made on this machine, and the study's name; None if none was."""
    for name in places.study_names():
        try:
            manifest = study(name).manifest
        except InputError:
            continue
        photos, seconds = int(manifest["counts"]["images"]), float(manifest["timings"]["seconds"])
        if (
            manifest["model"] == model
            and photos >= 10
            and seconds > 0
            and not manifest["timings"].get("shards_resumed")
        ):
            return seconds / photos, name
    return None


@st.cache_data(max_entries=32, ttl=60, show_spinner="Counting photos …")
def count_photos(folder: str) -> int:
    """How many files of a folder look like photos.

    Raises:
        InputError: none does.
    """
    return len(datasets.scan(folder, (), ()).photos)


def measured(opened: Study) -> tuple[Bench, threading.Lock]:
    """Photos and the head, ready to have units switched off: held-out photos where the study was evaluated on some.

    Raises:
        InputError: the model cannot be loaded here, or has other weights than the study was made with.
    """
    on = measured_on(opened)
    return _measured(str(opened.folder), places.stamp(opened.folder), str(on.folder if on else opened.folder))


def measured_on(opened: Study) -> Study | None:
    """The held-out photos that accuracy is measured on; None where there are none but the study's own."""
    best = heldout.best(opened)
    return best.study if best else None


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _measured(folder: str, stamp: int, on: str) -> tuple[Bench, threading.Lock]:
    opened = _study(folder, stamp)
    bench = ablation.bench(open_study(on), ablation.load_head(opened, device="cpu"))
    return bench, threading.Lock()


def class_effect(opened: Study, class_id: int, units: tuple[int, ...]) -> ClassEffect:
    """What a class's accuracy is with units off, beside as many random ones.

    Raises:
        InputError: as :func:`measured` and :func:`interpret.evaluation.effect.ablate_class` say.
    """
    bench, lock = measured(opened)
    on = str((measured_on(opened) or opened).folder)
    return _class_effect(str(opened.folder), places.stamp(opened.folder), on, class_id, units, bench, lock)


@st.cache_data(max_entries=500, show_spinner=False)
def _class_effect(
    folder: str, stamp: int, on: str, class_id: int, units: tuple[int, ...], _bench: Bench, _lock: threading.Lock
) -> ClassEffect:
    with _lock:
        return effect.ablate_class(_bench, class_id, units)


def evaluations(opened: Study) -> list[Evaluation]:
    """What was measured for a study, the newest first; results that cannot be read are left out."""
    files = sorted(
        (opened.folder / "evaluation" / "results").glob("*/evaluation.json"), key=places.written, reverse=True
    )
    found = []
    for file in files:
        with contextlib.suppress(InputError):
            found.append(_evaluation(str(file.parent), places.written(file)))
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def _evaluation(folder: str, stamp: int) -> Evaluation:
    return Evaluation.read(Path(folder))


def dissection(opened: Study) -> Dissection | None:
    """The newest comparison of a study's units with known parts; None where there is none."""
    files = sorted((opened.folder / FOLDER).glob("*/facts.json"), key=places.written)
    return _dissection(str(files[-1].parent), places.written(files[-1])) if files else None


@st.cache_resource(max_entries=4, show_spinner=False)
def _dissection(folder: str, stamp: int) -> Dissection | None:
    try:
        return Dissection.read(Path(folder))
    except (OSError, KeyError, ValueError):  # damaged, or of an earlier version: as good as none
        return None
