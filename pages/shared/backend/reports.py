"""The open study as one HTML file, made when it is asked for and kept for the next who asks."""

import streamlit as st

from interpret.config import MineConfig, ReportConfig
from interpret.errors import InputError
from interpret.report import make_report
from interpret.study import Study
from pages.shared.backend import cached_results, places, studies


def report(opened: Study) -> bytes:
    """The report of a study, see :func:`interpret.report.make_report`; it takes seconds the first time."""
    written = places.results(opened.folder / "evaluation" / "results", "evaluation.json")
    kept = tuple((folder.name, time) for folder, time in written)
    return _report(str(opened.folder), places.stamp(opened.folder), kept, opened.mine_config)


@st.cache_data(max_entries=3, show_spinner=False)
def _report(folder: str, stamp: int, evaluations: tuple[tuple[str, int], ...], config: MineConfig) -> bytes:
    opened = studies.cached(folder, stamp)
    try:
        findings = cached_results.findings(opened, config)
    except InputError:
        findings = None
    return make_report(opened, ReportConfig(), findings=findings).html
