"""Where a page's numbers come from: what mining found, what ablation measured, what was judged; cached."""

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from interpret.config import MineConfig
from interpret.dissection.dissect import judged_itemsets
from interpret.dissection.result import FOLDER, Dissection
from interpret.dissection.supported import supported_shares
from interpret.errors import InputError
from interpret.evaluation import ablation, effect, heads, heldout
from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.effect import ClassEffect
from interpret.evaluation.evaluate import Evaluation
from interpret.evaluation.heldout import Best
from interpret.findings import Findings
from interpret.mining.stored import mine_study
from interpret.study import Study, open_study
from interpret.study.results import made_from
from pages.shared.backend import allowed_paths, messages, places, studies

MINE_SECONDS = 20.0
"""Longest time that a page waits for mining (seconds)."""


def findings(opened: Study, config: MineConfig) -> Findings:
    """What mining with these options finds: read back, or mined now from the stored patches.

    Raises:
        InputError: mining would take too long or give too many itemsets.
    """
    return _findings(str(opened.folder), places.stamp(opened.folder), config)


@st.cache_resource(max_entries=24, show_spinner="Mining the stored patches …")
def _findings(folder: str, stamp: int, config: MineConfig) -> Findings:
    opened = studies.cached(folder, stamp)
    findings = Findings(opened, config, mine_study(opened, config, seconds=MINE_SECONDS))
    _ = findings.table  # computed once, here, and not by two sessions at a time
    return findings


def by_chance(findings: Findings) -> pd.Series:
    """:meth:`~interpret.findings.Findings.chance_p_values`, computed once for a study and its thresholds."""
    return _by_chance(str(findings.study.folder), places.stamp(findings.study.folder), findings.config, findings)


@st.cache_resource(max_entries=24, show_spinner="Permuting own and contrast photos …")
def _by_chance(folder: str, stamp: int, config: MineConfig, _found: Findings) -> pd.Series:
    return _found.chance_p_values()


def heldout_photos(opened: Study) -> Best | None:
    """The held-out photos that accuracy is measured on; None if there are none but the study's own."""
    return _heldout_sets(opened)[0]


def heldout_damages(opened: Study) -> tuple[str, ...]:
    """A sentence for each set of held-out photos in the study that is damaged, and not measured on."""
    return _heldout_sets(opened)[1]


def _heldout_sets(opened: Study) -> tuple[Best | None, tuple[str, ...]]:
    written = tuple((folder.name, places.written(folder / "manifest.json")) for folder in heldout.folders(opened))
    return _cached_sets(str(opened.folder), places.stamp(opened.folder), written)


@st.cache_resource(max_entries=8, show_spinner=False)
def _cached_sets(folder: str, stamp: int, written: tuple[tuple[str, int], ...]) -> tuple[Best | None, tuple[str, ...]]:
    opened = studies.cached(folder, stamp)
    sets = heldout.kept(opened)
    return heldout.best(opened, sets), tuple(sets.damaged.values())


def ablation_set(opened: Study) -> tuple[AblationSet, threading.Lock]:
    """Photos and the head, ready to ablate units: held-out photos if the study was evaluated on some, else its own.

    Raises:
        InputError: the model cannot be loaded here, or has other weights than the study was made with.
    """
    return _ablation_set(str(opened.folder), places.stamp(opened.folder), str(measured_folder(opened)))


@st.cache_resource(max_entries=2, show_spinner="Loading the model …")
def _ablation_set(folder: str, stamp: int, measured_on: str) -> tuple[AblationSet, threading.Lock]:
    opened = studies.cached(folder, stamp)
    measured = open_study(measured_on, roots=allowed_paths.for_studies())
    head = heads.load_head(opened, device=heads.live_device(opened, len(measured.images)))
    return ablation.make_ablation_set(measured, head), threading.Lock()


def measured_folder(opened: Study) -> Path:
    """The folder of the study whose photos accuracy is measured on."""
    held_out = heldout_photos(opened)
    return held_out.study.folder if held_out else opened.folder


def mined_set(opened: Study) -> tuple[AblationSet, threading.Lock]:
    """The study's own photos, with the head that held-out photos are measured with.

    Raises:
        InputError: as :func:`ablation_set` says.
    """
    return _mined_set(str(opened.folder), places.stamp(opened.folder), str(measured_folder(opened)))


@st.cache_resource(max_entries=2, show_spinner=False)
def _mined_set(folder: str, stamp: int, measured_on: str) -> tuple[AblationSet, threading.Lock]:
    photos, lock = _ablation_set(folder, stamp, measured_on)
    return ablation.make_ablation_set(studies.cached(folder, stamp), photos.head), lock


def has_labels(opened: Study) -> bool:
    """Whether the photos that accuracy is measured on have labels; else a prediction is right as long as it stays."""
    held_out = heldout_photos(opened)
    return bool((held_out.study if held_out else opened).images["label"].notna().any())


def class_effect(opened: Study, class_id: int, units: tuple[int, ...]) -> ClassEffect:
    """A class's accuracy with units ablated, beside as many random ones.

    Raises:
        InputError: as :func:`ablation_set` and :func:`interpret.evaluation.effect.ablate_class` say.
    """
    photos, lock = ablation_set(opened)
    measured_on = str(measured_folder(opened))
    return _class_effect(str(opened.folder), places.stamp(opened.folder), measured_on, class_id, units, photos, lock)


@st.cache_data(max_entries=500, show_spinner=False)
def _class_effect(
    folder: str,
    stamp: int,
    measured_on: str,
    class_id: int,
    units: tuple[int, ...],
    _photos: AblationSet,
    _lock: threading.Lock,
) -> ClassEffect:
    with _lock:
        return effect.ablate_class(_photos, class_id, units)


def evaluations(opened: Study) -> tuple[list[Evaluation], list[str]]:
    """The evaluations of a study, the newest first, and a sentence for each that cannot be used."""
    usable, refused = [], []
    for folder, written in places.results(opened.folder / "evaluation" / "results", "evaluation.json"):
        try:
            usable.append(_evaluation(str(opened.folder), places.stamp(opened.folder), str(folder), written))
        except InputError as error:
            refused.append(messages.of(error))
    return usable, refused


@st.cache_resource(max_entries=16, show_spinner=False)
def _evaluation(folder: str, stamp: int, kept_in: str, written: int) -> Evaluation:
    return Evaluation.read(Path(kept_in), made_from(studies.cached(folder, stamp), Path(kept_in)))


def dissection(opened: Study) -> Dissection | None:
    """The newest comparison of a study's units with known parts that can be used; None where there is none."""
    return _newest_dissection(opened)[0]


def dissection_refused(opened: Study) -> str:
    """Why a newer comparison with known parts that is kept is not used; empty where the newest is, or there is none."""
    return _newest_dissection(opened)[1]


def _newest_dissection(opened: Study) -> tuple[Dissection | None, str]:
    refused = ""
    for folder, written in places.results(opened.folder / FOLDER, "facts.json"):
        try:
            return _dissection(str(opened.folder), places.stamp(opened.folder), str(folder), written), refused
        except InputError as error:
            refused = refused or messages.of(error)
    return None, refused


@st.cache_resource(max_entries=4, show_spinner=False)
def _dissection(folder: str, stamp: int, kept_in: str, written: int) -> Dissection:
    return Dissection.read(Path(kept_in), made_from(studies.cached(folder, stamp), Path(kept_in)))


def judged(found: Findings) -> tuple[pd.DataFrame, pd.DataFrame] | None:
    """The itemsets at these thresholds, each true of its classes or not, and their shares; None without known parts.

    The tables are those of :func:`interpret.dissection.verdicts.itemset_table` and
    :func:`interpret.dissection.supported.supported_shares`.
    """
    known = dissection(found.study)
    if known is None:
        return None
    return _judged(str(found.study.folder), places.stamp(found.study.folder), known.facts, found.config, found, known)


@st.cache_resource(max_entries=16, show_spinner=False)
def _judged(
    folder: str, stamp: int, facts: dict[str, Any], config: MineConfig, _found: Findings, _known: Dissection
) -> tuple[pd.DataFrame, pd.DataFrame]:
    known = (_known.units, _known.parts, _known.has)
    itemsets = judged_itemsets(_found.mined, *known)
    return itemsets, supported_shares(itemsets, _found.mined, *known)
