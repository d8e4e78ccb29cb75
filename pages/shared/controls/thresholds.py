"""The mining thresholds and how rules are checked, kept in the address; the findings that follow from them."""

import math
from dataclasses import replace

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from interpret.config import MineConfig
from interpret.errors import ExplosionError
from interpret.findings import Findings
from interpret.findings.tables import DISPLAYS
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import numbers
from pages.shared.controls import address, current_study


def title_and_findings() -> tuple[DeltaGenerator, Findings]:
    """The head of a page: room for its title, and what is found at the thresholds beside it.

    Where that is too much the page stops, says so, and offers thresholds that pass.
    """
    study = current_study.opened()
    title, tools = st.columns([5, 1], vertical_alignment="bottom")
    with tools:
        config = _thresholds(study)
    try:
        return title, numbers.findings(study, config)
    except ExplosionError as error:
        with title:
            wording.header("Nothing to show at these thresholds")
        st.error(wording.markdown(str(error)))
        _ways_out(study, error)
        st.stop()


def _ways_out(study: Study, error: ExplosionError) -> None:
    """A button for each setting that is known to give something."""

    def set_to(**values: int) -> None:
        st.session_state.update(values)

    own = study.mine_config
    with st.container(horizontal=True):
        if error.support is not None:
            support = math.ceil(100 * error.support)
            label = f"Support {support}\u00a0%"
            st.button(label, type="primary", on_click=set_to, kwargs={"support": support}, icon=":material/tune:")
        if error.max_size is not None:
            label = f"Itemsets of at most {wording.count(error.max_size, 'unit')}"
            st.button(label, type="primary", on_click=set_to, kwargs={"size": error.max_size}, icon=":material/tune:")
        n = min(own.top_units, study.extract_config.stored_units)
        back = {"n": n, "support": _own_percent(own), "size": own.max_size or 0}
        st.button("The study’s own thresholds", on_click=set_to, kwargs=back, type="tertiary", icon=":material/undo:")


def _thresholds(study: Study) -> MineConfig:
    """The sliders of mining, folded away."""
    own, stored = study.mine_config, study.extract_config.stored_units
    usual = _own_percent(own)
    n = _address_number("n", min(own.top_units, stored), 1, stored)
    support = _address_number("support", usual, 1, 100)
    largest = max(10, stored)
    with st.popover(f"N {n} · support {support}\u00a0%", icon=":material/tune:", help="What counts as frequent"):
        if stored > 1:  # a slider needs two ends
            n = st.slider(
                "Units per patch (N)",
                1,
                stored,
                min(own.top_units, stored),
                key="n",
                bind="query-params",
                help="each patch is written as its N strongest units",
            )
        support = st.slider(
            "Smallest support",
            1,
            100,
            usual,
            key="support",
            bind="query-params",
            format="%d %%",
            help="share of a class's patches that must hold an itemset",
        )
        size = st.slider(
            "Largest itemset",
            0,
            largest,
            min(own.max_size or 0, largest),
            key="size",
            bind="query-params",
            help="units in an itemset; 0: any number",
        )
    # A study may have been mined at 12.5 %, which the slider cannot say: where it was not moved, that is what counts.
    share = own.min_support if support == usual else support / 100
    return replace(own, top_units=n, min_support=share, max_size=size or None)


def _own_percent(own: MineConfig) -> int:
    """A study's own support on the slider, in whole percent."""
    return min(100, max(1, round(100 * own.min_support)))


def display() -> str:
    """Which itemsets are listed: closed, maximal or all."""
    labels = {"closed": "without repeats", "maximal": "largest only", "all": "all"}
    chosen = st.segmented_control(
        "Itemsets",
        DISPLAYS,
        default="closed",
        key="show",
        bind="query-params",
        required=True,
        format_func=lambda one: labels[one],
        help="without repeats: an itemset is left out where a larger one is found in exactly as many patches (closed); "
        "largest only: where a larger one is frequent too (maximal)",
    )
    return str(chosen or "closed")


def reliability_switches(found: Findings) -> tuple[bool, pd.Series | None]:
    """Two switches: whether redundant rules are left out, and the p-values from shuffling where they are asked for."""
    with st.container(width="content", gap="xsmall"):
        return _hide_redundant(), _against_chance(found)


def _hide_redundant() -> bool:
    return st.toggle(
        "Hide redundant",
        key="lean",
        bind="query-params",
        help="leaves out a rule where some of its units alone, in a smaller listed rule, say the same at no lower "
        "confidence: the further units add nothing. Where single units are sure already, little else is left",
    )


def _against_chance(found: Findings) -> pd.Series | None:
    asked = st.toggle(
        "Check against chance",
        key="chance",
        bind="query-params",
        help="adds to each rule a p-value that is measured, not calculated: the classes are shuffled among the photos "
        "200 times, and the rule is compared with the strongest one of each shuffling. Takes a second or two",
    )
    return numbers.by_chance(found) if asked else None


def _address_number(name: str, otherwise: int, low: int, high: int) -> int:
    """What the session or else the address says of a slider, as the slider itself reads it: nothing out of bounds."""
    value = address.whole_number(str(st.session_state.get(name, st.query_params.get(name))))
    return value if value is not None and low <= value <= high else otherwise
