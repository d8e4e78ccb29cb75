"""Opened studies, shared by all sessions, and what their manifests say of their size and duration."""

import contextlib
import json
from collections.abc import Sequence
from typing import BinaryIO

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from interpret.data import datasets
from interpret.errors import InputError
from interpret.files import remove_folder
from interpret.study import Study, open_study
from pages.shared.backend import allowed_paths, jobs, owners, places, study_names, uploads


def names() -> list[str]:
    """The studies that the page that is being drawn may open, the newest first."""
    return [name for name in places.study_names() if owners.may_see(owners.of_study(name))]


def deletable() -> list[str]:
    """Those of :func:`names` that the page may delete, and that no run works on."""
    busy = {job.study for job in jobs.jobs() if job.under_way}
    return [name for name in names() if owners.is_mine(owners.of_study(name)) and name not in busy]


def delete(name: str) -> None:
    """Delete a study for good, with the uploads that it was made from.

    Raises:
        InputError: it is not the page's to delete, a run works on it, or it cannot be deleted.
    """
    if name not in deletable():
        raise InputError(f"The study {name!r} cannot be deleted here; only the browser that made it may, and no run.")
    folder = places.studies_root() / name
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        made_from = [str(manifest["images_root"]), str(manifest["config"]["model"]["weights"])]
    except (OSError, ValueError, KeyError, TypeError):  # damaged: its uploads go after a day
        made_from = []
    remove_folder(folder)
    if folder.exists():
        raise InputError(f"The study {name!r} cannot be deleted; the server may not write to {folder.parent}.")
    with contextlib.suppress(OSError):  # the next run of that name forgets whose it was
        owners.record(name, owners.SHARED)
    for job in jobs.jobs():
        if job.study == name:
            jobs.dismiss(job)
    uploads.tidy(made_from)


def rename(name: str, to: str) -> str:
    """Give a study another name, in one step, and return it as the folder is called.

    Pages whose address has the old name find no study there. Entries of runs that have ended are dismissed.

    Args:
        name: of the study.
        to: what a person typed; see :func:`study_names.plain`.

    Raises:
        InputError: it is not the page's to rename, a run works on it, or the new name is none, or taken.
    """
    if name not in deletable():
        raise InputError(f"The study {name!r} cannot be renamed here; only the browser that made it may, and no run.")
    if study_names.plain(to) == name:
        raise InputError(f"The study is called {name} already; type another name.")
    new, root, owner = study_names.checked(to), places.studies_root(), owners.of_study(name)
    with jobs.names_held():
        if study_names.is_unfinished(new) or any(job.study == new and job.kind == "run" for job in jobs.jobs()):
            raise InputError(f"A run has left something under the name {new}, or makes it; type another name.")
        try:
            owners.record(new, owner)  # first: at no moment is it everybody's
            (root / name).rename(root / new)
        except OSError as error:
            with contextlib.suppress(OSError):
                owners.record(new, owners.SHARED)
            raise InputError(f"The study {name!r} cannot be renamed in {root} ({error.strerror}).") from error
        with contextlib.suppress(OSError):
            owners.record(name, owners.SHARED)
    for job in jobs.jobs():
        if job.study == name:
            jobs.dismiss(job)
    return new


def opened(name: str) -> Study:
    """The study of this name, opened once for all sessions.

    Raises:
        InputError: there is none of that name, or its manifest is damaged.
    """
    if name not in names():
        raise InputError(f"There is no study called {name!r} here; choose one of those on the page Study.")
    folder = places.studies_root() / name
    return cached(str(folder), places.stamp(folder))


@st.cache_resource(max_entries=8, show_spinner=False)
def cached(folder: str, stamp: int) -> Study:
    """The study in a folder; ``stamp`` is when its manifest was written, in nanoseconds."""
    heard = _replaced(folder, stamp)

    def hear(text: str) -> None:
        if text not in heard and len(heard) < 20:
            heard.append(text)

    return open_study(folder, hear, allowed_paths.for_studies())


def replaced(study: Study) -> list[str]:
    """What was kept in a study's folder, was damaged and was made again since it was opened: a sentence each."""
    return list(_replaced(str(study.folder), places.stamp(study.folder)))


@st.cache_resource(max_entries=16, show_spinner=False)
def _replaced(folder: str, stamp: int) -> list[str]:
    return []


def summary(name: str) -> str | None:
    """A study in a few words: its model, how many photos and patches, as far as it says; None if it is damaged."""
    try:
        study = opened(name)
    except InputError:
        return None
    counts = study.recorded.counts
    return study.model + (f", {counts.images:,} photos, {counts.patches:,} patches" if counts else "")


@st.cache_data(max_entries=32, ttl=60, show_spinner="Counting photos …")
def count_photos(folder: str) -> int:
    """The number of photos in a folder, going by file names.

    Raises:
        InputError: there is none.
    """
    return datasets.count(folder, roots=allowed_paths.for_studies())


def inspect_uploaded(files: Sequence[UploadedFile]) -> tuple[int, list[str]]:
    """The number of photos in uploads, and a line for each file that will be skipped, as :func:`uploads.inspect` says.

    Each is looked into once, however often it is asked.
    """
    found = [_inspect_uploaded(file.file_id, file.name, file) for file in files]
    return sum(photos for photos, _ in found), [line for _, lines in found for line in lines]


@st.cache_data(max_entries=4096, show_spinner=False, scope="session")
def _inspect_uploaded(file_id: str, name: str, _file: BinaryIO) -> tuple[int, tuple[str, ...]]:
    return uploads.inspect(name, _file)
