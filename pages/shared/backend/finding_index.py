"""What the search field searches: the open study's findings at the thresholds that a page of this session drew last."""

import streamlit as st

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.findings import Findings
from interpret.findings.search import Index
from interpret.study import Study
from pages.shared.backend import cached_results, given_names, places, studies

_DRAWN = "findings_drawn"


def drawn(study: Study, config: MineConfig) -> None:
    """Remember the thresholds that a page shows a study at."""
    st.session_state[_DRAWN] = study.key, config


def of_session() -> tuple[Findings, Index]:
    """The findings of the session's study, and the index of them.

    Raises:
        InputError: no study is open, it is damaged, or mining would give too many itemsets.
    """
    study = studies.opened(str(st.session_state.get("study")))
    key, config = st.session_state.get(_DRAWN, (None, None))
    try:
        findings = cached_results.findings(study, config if key == study.key else study.mine_config)
    except InputError:  # too many itemsets at these thresholds
        findings = cached_results.findings(study, study.mine_config)
    known = cached_results.dissection(study)
    made_from = (given_names.written(study), None if known is None else str(known.facts))
    return findings, _index(str(study.folder), places.stamp(study.folder), findings.config, made_from, findings)


@st.cache_resource(max_entries=8, show_spinner=False)
def _index(folder: str, stamp: int, config: MineConfig, made_from: tuple[object, ...], _found: Findings) -> Index:
    return Index.of(_found, given_names.names(_found.study), given_names.proposer(_found.study))
