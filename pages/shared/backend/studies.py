"""Opened studies, shared by all sessions, and what their manifests say of their size and duration."""

from collections.abc import Sequence
from typing import BinaryIO

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from interpret.data import datasets
from interpret.errors import InputError
from interpret.study import Study, open_study
from pages.shared.backend import places, uploads


def opened(name: str) -> Study:
    """The study of this name, opened once for all sessions.

    Raises:
        InputError: there is none of that name, or its manifest is damaged.
    """
    if name not in places.study_names():
        raise InputError(f"There is no study called {name!r} here; choose one of those on the page Study.")
    folder = places.studies_root() / name
    return cached(str(folder), places.stamp(folder))


@st.cache_resource(max_entries=8, show_spinner=False)
def cached(folder: str, stamp: int) -> Study:
    """The study in a folder; ``stamp`` is when its manifest was written, in nanoseconds."""
    return open_study(folder)


def summary(name: str) -> str | None:
    """A study in a few words: its model, how many photos and patches, as far as it says; None if it is damaged."""
    try:
        study = opened(name)
    except InputError:
        return None
    known = [study.model]
    for noun in ("photos", "patches"):
        count = _number(study, "counts", {"photos": "images"}.get(noun, noun))
        if count is not None:
            known.append(f"{count:,.0f} {noun}")
    return ", ".join(known)


def seconds_per_photo(model: str) -> tuple[float, str] | None:
    """How long a photo took with a model, going by a study made here without a break.

    Args:
        model: its name.

    Returns:
        Seconds a photo and the name of the newest study that says so; None if none does.
    """
    for name in places.study_names():
        try:
            study = opened(name)
        except InputError:
            continue
        photos, seconds = _number(study, "counts", "images") or 0, _number(study, "timings", "seconds") or 0
        if study.model == model and photos >= 10 and seconds > 0 and not _number(study, "timings", "shards_resumed"):
            return seconds / photos, name
    return None


def _number(study: Study, section: str, name: str) -> float | None:
    """A number in the manifest that pages can do without; None if it is not there."""
    values = study.manifest.get(section)
    value = values.get(name) if isinstance(values, dict) else None
    return value if isinstance(value, int | float) else None


@st.cache_data(max_entries=32, ttl=60, show_spinner="Counting photos …")
def count_photos(folder: str) -> int:
    """The number of photos in a folder, going by file names.

    Raises:
        InputError: there is none.
    """
    return datasets.count(folder)


def count_uploaded(files: Sequence[UploadedFile]) -> int:
    """The number of photos in uploads, going by file names; a zip is looked into once, however often it is asked."""
    return sum(_count_uploaded(file.file_id, file.name, file) for file in files)


@st.cache_data(max_entries=256, show_spinner=False, scope="session")
def _count_uploaded(file_id: str, name: str, _file: BinaryIO) -> int:
    return uploads.count(name, _file)
