"""What ablating each itemset costs its classes: as kept in the study, or measured now; cached."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import streamlit as st

from interpret import frames
from interpret.config import MineConfig
from interpret.errors import DamagedError, InputError
from interpret.evaluation import kept_effects
from interpret.evaluation.itemset_effects import EffectRow, itemset_effects, n_classes, nothing
from interpret.evaluation.kept_effects import FILES, Effects, effects_folder
from interpret.findings import Findings
from interpret.mining import Mined
from interpret.study import Study
from pages.shared.backend import cached_results, messages, places, studies

LIVE_LOGITS = 1_000_000_000
"""Logits (count) that a page measures while somebody waits: one to two seconds."""

SETTING = 100
"""What running one itemset costs besides the logits of a photo (in logits)."""

LIVE_ITEMSETS = 5_000
"""Itemsets that a page measures while somebody waits (count)."""


@dataclass(frozen=True, eq=False)
class Shown:
    """The effects that pages show.

    Attributes:
        table: as :func:`interpret.evaluation.itemset_effects.itemset_effects`, by (itemset_id, class_id); empty where
            nothing can be measured while somebody waits.
        ranked: as :func:`interpret.evaluation.kept_effects.ranked`.
        mined: whether they were measured on the photos that were mined.
        damaged: a sentence where a damaged file is in the way; else empty.
    """

    table: pd.DataFrame
    ranked: pd.Series
    mined: bool
    damaged: str = ""

    @cached_property
    def by_itemset(self) -> dict[int, dict[int, EffectRow]]:
        """The rows of the table by itemset and class."""
        found: dict[int, dict[int, EffectRow]] = {}
        for row in frames.rows(self.table.reset_index(), EffectRow):
            found.setdefault(row.itemset_id, {})[row.class_id] = row
        return found

    @classmethod
    def of(cls, table: pd.DataFrame, mined: bool, damaged: str = "") -> "Shown":
        """From a table of effects as it was measured."""
        return cls(table.set_index(["itemset_id", "class_id"]), kept_effects.ranked(table), mined, damaged)


def kept(findings: Findings) -> Effects | None:
    """The effects kept in the study for these thresholds; None where there are none, or they cannot be used."""
    return _kept(findings)[0]


def shown(findings: Findings) -> Shown:
    """The effects of the itemsets at these thresholds, kept or measured now on so many photos as take no time."""
    _, found, damaged = _kept(findings)
    if found is None:
        try:
            found = _live(findings)
        except DamagedError as error:
            found, damaged = Shown.of(nothing(), mined=False), messages.of(error)
    return Shown(found.table, found.ranked, found.mined, damaged) if damaged else found


def _kept(findings: Findings) -> tuple[Effects | None, Shown | None, str]:
    study = findings.study
    folder = effects_folder(study, findings.config, cached_results.heldout_photos(study))
    if not folder.is_dir():
        return None, None, ""
    written = tuple(places.written(folder / name) for name in FILES)
    return _read(str(study.folder), places.stamp(study.folder), folder.name, written)


@st.cache_resource(max_entries=24, show_spinner=False)
def _read(folder: str, stamp: int, name: str, written: tuple[int, ...]) -> tuple[Effects | None, Shown | None, str]:
    study = studies.cached(folder, stamp)
    try:
        effects = Effects.read(study.folder / kept_effects.FOLDER / name, study)
    except InputError as error:
        return None, None, messages.of(error)
    return effects, Shown.of(effects.table, effects.mined), ""


def _live(findings: Findings) -> Shown:
    study = findings.study
    try:
        folder = str(cached_results.measured_folder(study))
        return _measured(str(study.folder), places.stamp(study.folder), folder, findings.config, findings.mined, study)
    except DamagedError:
        raise
    except InputError:  # the network is not here, and the panel beside an itemset says so
        return Shown.of(nothing(), mined=False)


@st.cache_resource(max_entries=24, show_spinner="Measuring what each itemset costs …")
def _measured(folder: str, stamp: int, measured_on: str, config: MineConfig, _mined: Mined, _study: Study) -> Shown:
    photos, lock = cached_results.ablation_set(_study)
    held_out = cached_results.heldout_photos(_study)
    if not photos.head.linear:  # running it takes milliseconds for every photo and itemset
        return Shown.of(nothing(), mined=False)
    with lock:
        table = itemset_effects(photos, _mined, budget=LIVE_LOGITS // (n_classes(photos) + SETTING), most=LIVE_ITEMSETS)
    return Shown.of(table, held_out is None or held_out.mined)
