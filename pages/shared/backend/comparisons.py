"""Two studies of this server side by side, each at its own thresholds; cached."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from interpret.comparison import Comparison, compare
from interpret.config import MineConfig
from interpret.findings import Findings
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import cached_results, pictures, places, studies


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two studies.

    Attributes:
        letter: A or B, as columns and lists call it.
        findings: at its own thresholds.
    """

    letter: str
    findings: Findings

    @property
    def study(self) -> Study:
        """The study."""
        return self.findings.study

    @property
    def name(self) -> str:
        """How headings call it: `A · before`."""
        return f"{self.letter} · {self.study.name}"


@dataclass(frozen=True, eq=False)
class Pair:
    """Two studies and what they have in common."""

    a: Side
    b: Side
    found: Comparison

    def shown(self, side: Side, class_id: int) -> tuple[str, str]:
        """The name and the colour of a class of one of the studies: those of the open study where it has the class."""
        if side is self.b and (own := int(self.found.class_a[class_id])) >= 0:
            side, class_id = self.a, own
        colour = pictures.colours(side.study).get(class_id, "#888888")
        return wording.class_text(side.study, class_id), colour

    def classes_in(self, side: Side, own: Side, class_ids: Sequence[int]) -> list[int]:
        """Classes of one side as the other one numbers them, without those that it lacks."""
        if side is own:
            return list(class_ids)
        counterparts = self.found.class_b if own is self.a else self.found.class_a
        return [int(counterparts[class_id]) for class_id in class_ids if counterparts[class_id] >= 0]


def others(study: Study) -> tuple[list[str], list[str]]:
    """Names of the studies that one can be compared with, those of the same photos first, and of damaged ones."""
    names = [name for name in studies.names() if name != study.name]
    usable = [name for name in names if studies.summary(name) is not None]
    usable.sort(key=lambda name: studies.opened(name).images_source != study.images_source)
    return usable, [name for name in names if name not in usable]


def pair_of(study: Study, other: Study) -> Pair:
    """Two studies compared.

    Raises:
        InputError: one is damaged, or mining one of them would take too long.
    """
    a, b = (cached_results.findings(each, each.mine_config) for each in (study, other))
    found = _compared(
        str(study.folder), places.stamp(study.folder), a.config, str(other.folder), places.stamp(other.folder), b.config
    )
    return Pair(Side("A", a), Side("B", b), found)


@st.cache_resource(max_entries=4, show_spinner="Comparing the studies …")
def _compared(
    folder: str, stamp: int, config: MineConfig, other: str, other_stamp: int, other_config: MineConfig
) -> Comparison:
    first, second = (
        cached_results.findings(studies.cached(*each), its)
        for each, its in (((folder, stamp), config), ((other, other_stamp), other_config))
    )
    return compare(first, second)
