"""Pictures of photos, patches and maps, and the colours of classes; cached."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image

from interpret.explanation import unit_maps
from interpret.explanation.photo import PhotoExplanation
from interpret.figures import patch_pictures
from interpret.figures.colours import class_colours, on_dark
from interpret.figures.patch_pictures import data_uri as data_uri
from interpret.figures.study_pictures import THUMBNAIL as THUMBNAIL
from interpret.figures.study_pictures import Box as Box
from interpret.figures.study_pictures import HeatOf, patch_boxes
from interpret.figures.study_pictures import Table as Table
from interpret.figures.study_pictures import drawn_boxes as drawn_boxes
from interpret.figures.study_pictures import drawn_patches as drawn_patches
from interpret.figures.study_pictures import view_boxes as view_boxes
from interpret.findings import supporting
from interpret.study import Study
from pages.shared.backend import places, studies
from pages.shared.backend.model import PickedPhoto
from pages.shared.backend.unit_heat import NONE as NO_UNIT_HEAT
from pages.shared.backend.unit_heat import UnitHeat


def colours(opened: Study) -> dict[int, str]:
    """One colour a class, the same on every page: classes predicted most often get those that differ most.

    In the dark theme, dark colours are lightened.
    """
    dark = st.context.theme.type == "dark"
    return _colours(str(opened.folder), places.stamp(opened.folder), dark)


@st.cache_resource(max_entries=8, show_spinner=False)
def _colours(folder: str, stamp: int, dark: bool) -> dict[int, str]:
    plain = class_colours(supporting.class_order(studies.cached(folder, stamp)))
    return {class_id: on_dark(colour) for class_id, colour in plain.items()} if dark else plain


def patch_tiles(
    opened: Study,
    patches: Sequence[int],
    side: int = THUMBNAIL,
    *,
    table: Table = "patches",
    heat: UnitHeat = NO_UNIT_HEAT,
) -> list[str]:
    """Pictures of patches, as data URIs; empty text if the photo's file is gone."""
    return box_tiles(opened, patch_boxes(opened, patches, table), side, heat=heat)


def box_tiles(
    opened: Study, boxes: Sequence[Box], side: int = THUMBNAIL, *, heat: UnitHeat = NO_UNIT_HEAT
) -> list[str]:
    """Pictures of boxes in photos, as data URIs; empty text if the photo's file is gone."""
    shown = tuple(boxes)
    return _box_tiles(str(opened.folder), places.stamp(opened.folder), shown, side, heat.key, heat.maps)


@st.cache_data(max_entries=300, show_spinner=False)
def _box_tiles(
    folder: str, stamp: int, boxes: tuple[Box, ...], side: int, heat_key: tuple[tuple[int, ...], ...], _maps: HeatOf
) -> list[str]:
    tiles = drawn_boxes(studies.cached(folder, stamp), boxes, side, heat=_maps)
    return ["" if picture is None else data_uri(picture) for picture in tiles]


def thumbnails(opened: Study, images: Sequence[int], side: int = THUMBNAIL) -> list[str]:
    """The central squares of photos, as data URIs; empty text if a photo's file is gone."""
    return _thumbnails(
        str(opened.folder), places.stamp(opened.folder), tuple(int(image_id) for image_id in images), side
    )


@st.cache_data(max_entries=200, show_spinner=False)
def _thumbnails(folder: str, stamp: int, images: tuple[int, ...], side: int) -> list[str]:
    opened = studies.cached(folder, stamp)

    def picture(image_id: int) -> str:
        photo = opened.photo(image_id)
        return "" if photo is None else data_uri(patch_pictures.thumbnail(photo, side))

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(picture, images))


def stage_pictures(
    opened: Study, photo: PickedPhoto, shown: PhotoExplanation, unit: int | None = None
) -> tuple[str, str]:
    """The photo as the network sees it and a map to lay over it, as data URIs.

    Cached as the explanation is: see :func:`pages.shared.backend.model.explained`.

    Args:
        opened: the study.
        photo: the photo.
        shown: its explanation.
        unit: whose own map it is; the explanation's if None.
    """
    cached = _upload_pictures if photo.image_id is None else _study_pictures
    return cached(str(opened.folder), places.stamp(opened.folder), photo.key, shown.target, unit, photo.picture, shown)


def map_pictures(opened: Study, photo: PickedPhoto, shown: PhotoExplanation, method: str) -> tuple[str, str]:
    """The photo and the map of one attribution of it, as :func:`stage_pictures` gives those of Grad-CAM.

    Args:
        opened: the study.
        photo: the photo.
        shown: its explanation by that method.
        method: the attribution's name.
    """
    cached = _upload_pictures if photo.image_id is None else _study_pictures
    where = str(opened.folder), places.stamp(opened.folder)
    return cached(*where, f"{method} of {photo.key}", shown.target, None, photo.picture, shown)


def stage_heat(shown: PhotoExplanation, unit: int | None) -> npt.NDArray[np.float32]:
    """(H, W) in 0..1, the map of :func:`stage_pictures`."""
    return shown.heat if unit is None else unit_maps.heat_of(shown, unit)


@st.cache_data(max_entries=48, show_spinner=False)
def _study_pictures(
    folder: str, stamp: int, key: str, target: int, unit: int | None, _photo: Image.Image, _shown: PhotoExplanation
) -> tuple[str, str]:
    return _photo_and_map(studies.cached(folder, stamp), _photo, stage_heat(_shown, unit))


@st.cache_data(max_entries=12, show_spinner=False, scope="session")
def _upload_pictures(
    folder: str, stamp: int, key: str, target: int, unit: int | None, _photo: Image.Image, _shown: PhotoExplanation
) -> tuple[str, str]:
    return _photo_and_map(studies.cached(folder, stamp), _photo, stage_heat(_shown, unit))


def _photo_and_map(study: Study, photo: Image.Image, heat: npt.NDArray[np.float32]) -> tuple[str, str]:
    height, width = study.preprocessing.size
    layer = patch_pictures.heat_layer(heat, (288, max(1, 288 * height // width)))
    return data_uri(patch_pictures.view(photo, study.preprocessing, 720)), data_uri(layer, transparent=True)
