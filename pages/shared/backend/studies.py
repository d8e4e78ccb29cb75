"""Studies, opened once for all sessions, and what is known of them without a look inside."""

import streamlit as st

from interpret.data import datasets
from interpret.errors import InputError
from interpret.study import Study, open_study
from pages.shared.backend import places


def opened(name: str) -> Study:
    """Open a study by its name.

    Raises:
        InputError: there is none of that name.
    """
    if name not in places.study_names():
        raise InputError(f"There is no study called {name!r} here; the page Study lists those that there are.")
    folder = places.studies_root() / name
    return cached(str(folder), places.stamp(folder))


@st.cache_resource(max_entries=8, show_spinner=False)
def cached(folder: str, stamp: int) -> Study:
    return open_study(folder)


def summary(name: str) -> str | None:
    """A study in a few words; None where it cannot be read."""
    try:
        study = opened(name)
    except InputError:
        return None
    counts = study.manifest["counts"]
    return f"{study.manifest['model']}, {counts['images']:,} photos, {counts['patches']:,} patches"


def seconds_per_photo(model: str) -> tuple[float, str] | None:
    """How long a photo took with this model in a study made on this machine, and the study's name; None if none was."""
    for name in places.study_names():
        try:
            manifest = opened(name).manifest
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
