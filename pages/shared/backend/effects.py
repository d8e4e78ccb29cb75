"""What ablating each itemset costs its classes: as kept in the study, or measured now; cached."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.evaluation import kept_effects
from interpret.evaluation.itemset_effects import itemset_effects, n_classes, nothing
from interpret.evaluation.kept_effects import FILES, Effects, effects_folder
from interpret.findings import Findings
from interpret.mining import Mined
from interpret.study import Study
from pages.shared.backend import cached_results, places, studies

LIVE_LOGITS = 1_000_000_000
"""Logits (count) that a page measures while somebody waits: one to two seconds."""

SETTING = 100
"""What running one itemset costs besides the logits of a photo (in logits)."""


@dataclass(frozen=True, eq=False)
class Shown:
    """The effects that pages show.

    Attributes:
        table: as :func:`interpret.evaluation.itemset_effects.itemset_effects`, by (itemset_id, class_id); empty where
            nothing can be measured while somebody waits.
        ranked: as :func:`interpret.evaluation.kept_effects.ranked`.
        mined: whether they were measured on the photos that were mined.
        damaged: a sentence where effects are kept that cannot be used; else empty.
    """

    table: pd.DataFrame
    ranked: pd.Series
    mined: bool
    damaged: str


def kept(findings: Findings) -> Effects | None:
    """The effects kept in the study for these thresholds; None where there are none, or they cannot be used."""
    return _newest(findings)[0]


def shown(findings: Findings) -> Shown:
    """The effects of the itemsets at these thresholds, kept or measured now on so many photos as take no time."""
    effects, damaged = _newest(findings)
    study, held_out = findings.study, cached_results.heldout_photos(findings.study)
    if effects is not None:
        table, mined = effects.table, effects.mined
    else:
        table, mined = _live(findings), held_out is None or held_out.mined
    return _shown(str(study.folder), places.stamp(study.folder), findings.config, len(table), mined, damaged, table)


@st.cache_resource(max_entries=24, show_spinner=False)
def _shown(
    folder: str, stamp: int, config: MineConfig, rows: int, mined: bool, damaged: str, _table: pd.DataFrame
) -> Shown:
    return Shown(_table.set_index(["itemset_id", "class_id"]), kept_effects.ranked(_table), mined, damaged)


def _newest(findings: Findings) -> tuple[Effects | None, str]:
    study = findings.study
    folder = effects_folder(study, findings.config, cached_results.heldout_photos(study))
    if not folder.is_dir():
        return None, ""
    written = tuple(places.written(folder / name) for name in FILES)
    return _read(str(study.folder), places.stamp(study.folder), folder.name, written)


@st.cache_resource(max_entries=24, show_spinner=False)
def _read(folder: str, stamp: int, name: str, written: tuple[int, ...]) -> tuple[Effects | None, str]:
    study = studies.cached(folder, stamp)
    try:
        return Effects.read(study.folder / kept_effects.FOLDER / name, study), ""
    except InputError as error:
        return None, str(error)


def _live(findings: Findings) -> pd.DataFrame:
    study = findings.study
    try:
        measured_on = str(cached_results.measured_folder(study))
        return _measured(
            str(study.folder), places.stamp(study.folder), measured_on, findings.config, findings.mined, study
        )
    except InputError:  # the network is not here, and the panel beside an itemset says so
        return nothing()


@st.cache_resource(max_entries=24, show_spinner="Measuring what each itemset costs …")
def _measured(
    folder: str, stamp: int, measured_on: str, config: MineConfig, _mined: Mined, _study: Study
) -> pd.DataFrame:
    photos, lock = cached_results.ablation_set(_study)
    if not photos.head.linear:  # running it takes milliseconds for every photo and itemset
        return nothing()
    with lock:
        return itemset_effects(photos, _mined, budget=LIVE_LOGITS // (n_classes(photos) + SETTING))
