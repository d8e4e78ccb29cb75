"""Embeddings of a study's patches and words for its units, as kept in the study; the model that reads a phrase."""

import threading
from pathlib import Path

import streamlit as st

from interpret.concepts import embeddings, encoder, unit_words
from interpret.concepts.embeddings import Embeddings
from interpret.concepts.encoder import Encoder
from interpret.concepts.unit_words import UnitWords
from interpret.errors import InputError
from interpret.findings.proposals import FittingWord
from interpret.study import Study
from pages.shared.backend import allowed_paths, places, studies

Written = tuple[tuple[str, int], ...]

MOST = 24
"""Patches that a phrase finds (count)."""


def words_written(opened: Study) -> Written:
    """What changes whenever the words kept in a study do."""
    kept = places.results(opened.folder / unit_words.FOLDER, unit_words.FILES[1])
    return tuple((folder.name, written) for folder, written in kept)


def fitting_words(opened: Study) -> dict[int, FittingWord]:
    """The word of each unit that has one, as the newest list says that can be used; none without one."""
    for folder, _ in places.results(opened.folder / unit_words.FOLDER, unit_words.FILES[1]):
        try:
            found = UnitWords.read(folder, opened)
        except InputError:  # an older one may do
            continue
        rows = found.table[found.table["proposed"]]
        return {
            int(unit): FittingWord(str(word), float(score), found.words, found.source)
            for unit, word, score in zip(rows["unit"], rows["word"], rows["score"], strict=True)
        }
    return {}


def embedded(opened: Study) -> Embeddings | None:
    """The newest embeddings of a study's patches that can be used; None where there are none."""
    for folder, written in places.results(opened.folder / embeddings.FOLDER, embeddings.FILES[1]):
        try:
            return _embedded(str(opened.folder), places.stamp(opened.folder), str(folder), written)
        except InputError:  # older ones may do
            continue
    return None


@st.cache_resource(max_entries=4, show_spinner=False)
def _embedded(folder: str, stamp: int, kept_in: str, written: int) -> Embeddings:
    return Embeddings.read(Path(kept_in), studies.cached(folder, stamp))


def found(kept: Embeddings, phrase: str) -> list[int]:
    """The patches that look most like a phrase, the most similar first.

    Raises:
        InputError: the model that embedded them cannot be loaded here, or is another one.
    """
    reads, lock = _encoder(kept.encoder)
    with lock:
        return embeddings.find(kept, phrase, reads, MOST)[0]


@st.cache_resource(max_entries=1, show_spinner="Loading the model that reads words …")
def _encoder(name: str) -> tuple[Encoder, threading.Lock]:
    return encoder.load(name, device="cpu", roots=allowed_paths.for_studies()), threading.Lock()
