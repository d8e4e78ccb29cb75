"""Where a page's numbers come from: what mining found, what ablation measured, what was judged; cached."""

import contextlib
import threading
from pathlib import Path

import pandas as pd
import streamlit as st

from interpret.config import MineConfig
from interpret.dissection.dissect import FOLDER, Dissection
from interpret.errors import InputError
from interpret.evaluation import ablation, effect, heldout
from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.effect import ClassEffect
from interpret.evaluation.evaluate import Evaluation
from interpret.findings import Findings
from interpret.mining.stored import mine_study
from interpret.study import Study, open_study
from pages.shared.backend import places, studies

MINE_SECONDS = 20.0
"""Longest that a page waits for mining."""


def findings(opened: Study, config: MineConfig) -> Findings:
    """What mining with these options finds; read back, or mined now from the stored patches.

    Raises:
        InputError: it would take too long, or give more than can be looked at.
    """
    return _findings(str(opened.folder), places.stamp(opened.folder), config)


@st.cache_resource(max_entries=24, show_spinner="Mining the stored patches …")
def _findings(folder: str, stamp: int, config: MineConfig) -> Findings:
    opened = studies.cached(folder, stamp)
    found = Findings(opened, config, mine_study(opened, config, seconds=MINE_SECONDS))
    _ = found.table  # worked out once, here, and not by two sessions at a time
    return found


def by_chance(found: Findings) -> pd.Series:
    """:meth:`~interpret.findings.Findings.chance_p_values`, worked out once for a study and its thresholds."""
    return _by_chance(str(found.study.folder), places.stamp(found.study.folder), found.config, found)


@st.cache_resource(max_entries=24, show_spinner="Shuffling the classes among the photos …")
def _by_chance(folder: str, stamp: int, config: MineConfig, _found: Findings) -> pd.Series:
    return _found.chance_p_values()


def ablation_bench(opened: Study) -> tuple[AblationSet, threading.Lock]:
    """Photos and the head, ready to have units switched off: held-out photos where the study was evaluated on some.

    Raises:
        InputError: the model cannot be loaded here, or has other weights than the study was made with.
    """
    on = heldout_photos(opened)
    return _ablation_bench(str(opened.folder), places.stamp(opened.folder), str(on.folder if on else opened.folder))


def heldout_photos(opened: Study) -> Study | None:
    """The held-out photos that accuracy is measured on; None where there are none but the study's own."""
    best = heldout.best(opened)
    return best.study if best else None


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _ablation_bench(folder: str, stamp: int, on: str) -> tuple[AblationSet, threading.Lock]:
    opened = studies.cached(folder, stamp)
    bench = ablation.make_ablation_set(open_study(on), ablation.load_head(opened, device="cpu"))
    return bench, threading.Lock()


def class_effect(opened: Study, class_id: int, units: tuple[int, ...]) -> ClassEffect:
    """What a class's accuracy is with units off, beside as many random ones.

    Raises:
        InputError: as :func:`ablation_bench` and :func:`interpret.evaluation.effect.ablate_class` say.
    """
    bench, lock = ablation_bench(opened)
    on = str((heldout_photos(opened) or opened).folder)
    return _class_effect(str(opened.folder), places.stamp(opened.folder), on, class_id, units, bench, lock)


@st.cache_data(max_entries=500, show_spinner=False)
def _class_effect(
    folder: str, stamp: int, on: str, class_id: int, units: tuple[int, ...], _bench: AblationSet, _lock: threading.Lock
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
