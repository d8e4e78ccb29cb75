"""What people call units, itemsets and findings of a study, and what is proposed; cached, and changed by its owner."""

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from interpret.errors import InputError
from interpret.findings import Findings
from interpret.findings.proposals import Proposal, Proposer
from interpret.findings.rows import Units
from interpret.study import Study
from interpret.study.names import Key, Named, Names
from interpret.study.names_file import FILE, change_names, names_text, parse_names, read_names
from pages.shared.backend import cached_results, concepts, messages, owners, places, studies

Written = tuple[int, ...]


def may_name(study: Study) -> bool:
    """Whether the page that is being drawn may name what is in a study: it is its owner's, who may rename it too."""
    return owners.is_mine(owners.of_study(study.name))


def names(study: Study) -> Names:
    """All names of a study; none where there are none, or they cannot be used."""
    return _read(str(study.folder), places.stamp(study.folder), written(study))[0]


def refused(study: Study) -> str:
    """Why the names of a study are not used; empty if they are."""
    return _read(str(study.folder), places.stamp(study.folder), written(study))[1]


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(folder: str, stamp: int, written: Written) -> tuple[Names, str]:
    try:
        return read_names(studies.cached(folder, stamp)), ""
    except InputError as error:
        return Names(), messages.of(error)


def written(study: Study) -> Written:
    """What changes whenever the file of names does."""
    try:
        about = (study.folder / FILE).stat()
    except OSError:
        return ()
    return about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino


def change(study: Study, changes: dict[Key, Named]) -> None:
    """Replace some entries.

    Raises:
        InputError: the study is not this page's, or as :func:`interpret.study.names_file.change_names` says.
    """
    if not may_name(study):
        raise InputError(
            f"Only the browser that made {study.name} may name what is in it; copy the names into your own."
        )
    change_names(study, changes)


def take_over(study: Study, text: str) -> int:
    """Take over the names of a file that was saved from a study, and return how many it has (count).

    Raises:
        InputError: the study is not this page's, or the file does not fit.
    """
    given = parse_names(text, study)
    change(study, dict(given.entries))
    return len(given)


def saved(study: Study) -> str:
    """The content of a file with all names of a study."""
    return names_text(study, names(study))


def proposer(study: Study) -> Proposer:
    """What proposes names for a study's units."""
    known = cached_results.dissection(study)
    facts = None if known is None else str(known.facts)
    return _proposer(str(study.folder), places.stamp(study.folder), facts, concepts.words_written(study), study)


@st.cache_resource(max_entries=8, show_spinner=False)
def _proposer(folder: str, stamp: int, dissection: str | None, words: concepts.Written, _study: Study) -> Proposer:
    known = cached_results.dissection(_study)
    parts = [] if known is None else [None if pd.isna(part) else str(part) for part in known.units["part"]]
    return Proposer(_study, parts, concepts.fitting_words(_study))


@dataclass(frozen=True, eq=False)
class Called:
    """What is said of the units of some findings, looked up once for a list of them.

    Attributes:
        findings: the study at some thresholds.
        names: what people say.
        proposer: what proposes names.
    """

    findings: Findings
    names: Names
    proposer: Proposer

    def classes_of(self, units: Units) -> tuple[int, ...]:
        """The classes in which units are frequent, those of the largest support first; none if they are in none."""
        return self.findings.classes_of.get(self.findings.id_of.get(units, -1), ())

    def named(self, units: Units) -> Named:
        """What people say of a finding, or else of its units wherever they are frequent."""
        return self.names.of(units, self.classes_of(units))

    def proposed(self, units: Units) -> Proposal | None:
        """What is proposed for units at these thresholds."""
        return self.proposer.propose(units, self.classes_of(units))


def called(findings: Findings) -> Called:
    """What is said of the units of some findings."""
    return Called(findings, names(findings.study), proposer(findings.study))
