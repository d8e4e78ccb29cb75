"""The near-duplicates in lists of itemsets; cached."""

import streamlit as st

from interpret.config import MineConfig
from interpret.findings import Findings, near_duplicates
from interpret.findings.near_duplicates import Folded
from pages.shared.backend import places


def folded(findings: Findings, itemset_ids: tuple[int, ...], class_id: int | None) -> Folded:
    """:func:`interpret.findings.near_duplicates.fold`, computed once for a list."""
    folder = findings.study.folder
    return _folded(str(folder), places.stamp(folder), findings.config, itemset_ids, class_id, findings)


@st.cache_resource(max_entries=64, show_spinner=False)
def _folded(
    folder: str, stamp: int, config: MineConfig, itemset_ids: tuple[int, ...], class_id: int | None, _found: Findings
) -> Folded:
    return near_duplicates.fold(_found, itemset_ids, class_id)
