"""The map of a study's units, and the patch that stands for each; cached."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from interpret.config import MineConfig
from interpret.findings import Findings, supporting, unit_map
from interpret.findings.unit_map import UnitMap
from pages.shared.backend import pictures, places


@dataclass(frozen=True, eq=False)
class Drawn:
    """A map, and what is told of its units.

    Attributes:
        units: the map.
        table: from :func:`interpret.findings.unit_map.table`.
        order: positions in both, those first that the findings name first.
    """

    units: UnitMap
    table: pd.DataFrame
    order: list[int]


def of(findings: Findings) -> Drawn:
    """The map at these thresholds, made once."""
    return _of(str(findings.study.folder), places.stamp(findings.study.folder), findings.config, findings)


@st.cache_resource(max_entries=12, show_spinner="Placing the units …")
def _of(folder: str, stamp: int, config: MineConfig, _findings: Findings) -> Drawn:
    made = unit_map.unit_map(_findings.study, config)
    place_of = {unit: place for place, unit in enumerate(made.units.tolist())}
    order = [place_of[unit] for unit in unit_map.named_first(_findings, made)]
    return Drawn(made, unit_map.table(_findings, made), order)


def strongest_patches(findings: Findings, units: Sequence[int]) -> list[int]:
    """For each unit the patch in which it scores highest; each is in one patch at least."""
    return [int(supporting.supporting_patches(findings.study, [unit], findings.config)[0]) for unit in units]


def strongest_pictures(findings: Findings, units: Sequence[int], side: int) -> list[str]:
    """Pictures of these patches as data URIs; empty text where the photo's file is gone.

    Args:
        findings: of the study.
        units: of the map.
        side: of a picture (pixels).
    """
    return pictures.patch_tiles(findings.study, strongest_patches(findings, units), side)
