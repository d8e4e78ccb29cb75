"""Confusion pairs of a study, the sets behind one of them, and what ablating a set mends and breaks; cached."""

import threading

import pandas as pd
import streamlit as st

from interpret.config import MineConfig
from interpret.confusion.explained import Explained, explain_pair, is_at_hand
from interpret.confusion.pairs import Pair, confusion_pairs, photos_of_pair
from interpret.errors import DamagedError, InputError
from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.error_sets import ErrorSets, error_sets
from interpret.evaluation.mending import Mending, mend
from interpret.progress import Progress
from interpret.study import Study
from pages.shared.backend import cached_results, places, studies

SECONDS = 20.0
"""Longest time that a page waits for mining (seconds)."""


def pairs(opened: Study) -> pd.DataFrame:
    """The confusion pairs of a study's own photos, the most frequent first.

    Raises:
        InputError: no photo has a label.
    """
    return _pairs(str(opened.folder), places.stamp(opened.folder))


@st.cache_resource(max_entries=16, show_spinner=False)
def _pairs(folder: str, stamp: int) -> pd.DataFrame:
    return confusion_pairs(studies.cached(folder, stamp))


def photos(opened: Study, label: int, predicted: int) -> Pair:
    """The photos of a pair."""
    return _photos(str(opened.folder), places.stamp(opened.folder), label, predicted)


@st.cache_resource(max_entries=64, show_spinner=False)
def _photos(folder: str, stamp: int, label: int, predicted: int) -> Pair:
    return photos_of_pair(studies.cached(folder, stamp), label, predicted)


def explained(opened: Study, label: int, predicted: int) -> Explained:
    """The photos of a pair explained for both classes; with a bar where they have to be explained now.

    Raises:
        InputError: they have to be explained, and a photo or the network is not here.
    """
    pair = photos(opened, label, predicted)
    if not is_at_hand(opened, pair):
        bar = st.empty()

        def report(progress: Progress) -> None:
            share = progress.done / progress.total if progress.total else 0.0
            bar.progress(share, f"Explaining {progress.total} photos of this pair for both classes, once …")

        # Outside the cache, where nothing may be drawn; what it keeps in the study's folder is read below.
        with _explaining:
            explain_pair(opened, pair, progress=report)
        bar.empty()
    return _explained(str(opened.folder), places.stamp(opened.folder), label, predicted)


_explaining = threading.Lock()
"""Held while photos are explained: two sessions that ask for the same pair would do it twice."""


@st.cache_resource(max_entries=24, show_spinner=False)
def _explained(folder: str, stamp: int, label: int, predicted: int) -> Explained:
    return explain_pair(studies.cached(folder, stamp), _photos(folder, stamp, label, predicted))


def sets(opened: Study, label: int, predicted: int, config: MineConfig) -> ErrorSets:
    """The sets that tell the errors of a pair from right photos, ranked on the mined photos.

    Raises:
        InputError: as :func:`explained` says, or mining would take too long or give too many itemsets.
    """
    patches = explained(opened, label, predicted)
    return _sets(str(opened.folder), places.stamp(opened.folder), label, predicted, config, patches)


@st.cache_resource(max_entries=48, show_spinner="Comparing errors with right photos …")
def _sets(folder: str, stamp: int, label: int, predicted: int, config: MineConfig, _patches: Explained) -> ErrorSets:
    opened = studies.cached(folder, stamp)
    try:
        mined_set, lock = cached_results.mined_set(opened)
    except DamagedError:
        raise
    except InputError:  # the network is not here: the page says so where it shows an effect
        mined_set, lock = None, threading.Lock()
    with lock:
        return error_sets(
            opened, _photos(folder, stamp, label, predicted), _patches, config, mined_set, seconds=SECONDS
        )


def effect(opened: Study, label: int, predicted: int, units: tuple[int, ...]) -> Mending:
    """What ablating some units mends and breaks: on held-out photos if the study was evaluated on some, else its own.

    Raises:
        InputError: as :func:`pages.shared.backend.cached_results.ablation_set` says.
    """
    measured, lock = cached_results.ablation_set(opened)
    on = str(cached_results.measured_folder(opened))
    return _effect(str(opened.folder), places.stamp(opened.folder), on, label, predicted, units, measured, lock)


@st.cache_data(max_entries=500, show_spinner="Ablating the units …")
def _effect(
    folder: str,
    stamp: int,
    measured_on: str,
    label: int,
    predicted: int,
    units: tuple[int, ...],
    _measured: AblationSet,
    _lock: threading.Lock,
) -> Mending:
    with _lock:
        return mend(_measured, label, predicted, [units])[0]
