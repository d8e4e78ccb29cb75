"""Mining thresholds and how rules are checked, kept in the address, and the findings at these thresholds."""

import math
from dataclasses import replace

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from interpret.config import DEFAULT_QUANTILE, MineConfig
from interpret.errors import ExplosionError
from interpret.findings import Findings
from interpret.findings.tables import DISPLAYS
from interpret.mining.ranked_units import quantile_of
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import cached_results, finding_index, messages
from pages.shared.controls import address, current_study, in_vain


def title_and_findings() -> tuple[DeltaGenerator, Findings]:
    """The top of a page: a container for its title, and the findings at the thresholds beside it.

    If mining would give too many itemsets, the page stops, says so, and offers thresholds that pass.

    Raises:
        InputError: the study is damaged.
    """
    title, study, config, place = _top()
    try:
        findings = cached_results.findings(study, config)
        finding_index.drawn(study, config)
        if findings.mined.device:
            place.caption(f"mined on {wording.device(findings.mined.device)}")
        return title, findings
    except ExplosionError as error:
        with title:
            wording.header("Nothing to show at these thresholds")
        st.error(wording.markdown(messages.of(error)))
        offer_thresholds_that_pass(study, error)
        st.stop()


def title_and_thresholds() -> tuple[DeltaGenerator, Study, MineConfig]:
    """The top of a page: a container for its title, the open study, and the thresholds beside the title.

    Raises:
        InputError: the study is damaged.
    """
    return _top()[:3]


def _top() -> tuple[DeltaGenerator, Study, MineConfig, DeltaGenerator]:
    """:func:`title_and_thresholds`, and a place below the thresholds for a remark."""
    study = current_study.opened()
    stored = study.extract_config.stored_units
    in_vain.warn_of_number("n", "an N", 1, stored)
    in_vain.warn_of_number("support", "a smallest support", 1, 100, sign="\u00a0%")
    in_vain.warn_of_number("size", "a largest itemset", 0, _largest(stored))
    title, tools = st.columns([5, 1], vertical_alignment="bottom")
    with tools:
        config, place = _thresholds(study)
    return title, study, config, place


def offer_thresholds_that_pass(study: Study, error: ExplosionError) -> None:
    """A button for each setting that is known to pass."""

    def set_to(**values: int) -> None:
        st.session_state.update(values)

    mined = study.mine_config
    with st.container(horizontal=True):
        if error.support is not None:
            support = math.ceil(100 * error.support)
            label = f"Support {support}\u00a0%"
            st.button(label, type="primary", on_click=set_to, kwargs={"support": support}, icon=":material/tune:")
        if error.max_size is not None:
            label = f"Itemsets of at most {wording.count(error.max_size, 'unit')}"
            st.button(label, type="primary", on_click=set_to, kwargs={"size": error.max_size}, icon=":material/tune:")
        n = min(mined.top_units, study.extract_config.stored_units)
        back = {
            "n": n,
            "support": _support_percent(mined),
            "size": mined.max_size or 0,
            "above": quantile_of(study, mined) > 0,
        }
        st.button("The study’s own thresholds", on_click=set_to, kwargs=back, type="tertiary", icon=":material/undo:")


def _thresholds(study: Study) -> tuple[MineConfig, DeltaGenerator]:
    """The sliders of mining, in a popover, and a place below them."""
    mined, stored = study.mine_config, study.extract_config.stored_units
    mined_percent = _support_percent(mined)
    n = _address_number("n", min(mined.top_units, stored), 1, stored)
    support = _address_number("support", mined_percent, 1, 100)
    largest = _largest(stored)
    with st.popover(f"N {n} · support {support}\u00a0%", icon=":material/tune:", help="What counts as frequent"):
        if stored > 1:  # a slider needs two ends
            n = st.slider(
                "Units per patch (N)",
                1,
                stored,
                min(mined.top_units, stored),
                key="n",
                bind="query-params",
                help="each patch is encoded as its N strongest units",
            )
        support = st.slider(
            "Smallest support",
            1,
            100,
            mined_percent,
            key="support",
            bind="query-params",
            format="%d %%",
            help="share of a class's patches that must hold an itemset",
        )
        mined = _transactions(study, mined)
        size = st.slider(
            "Largest itemset",
            0,
            largest,
            min(mined.max_size or 0, largest),
            key="size",
            bind="query-params",
            help="most units in an itemset; 0: no limit",
        )
        place = st.empty()
    # A study may have been mined at 12.5 %, which the slider cannot show: as long as it is not moved, that counts.
    share = mined.min_support if support == mined_percent else support / 100
    return replace(mined, top_units=n, min_support=share, max_size=size or None), place


def _transactions(study: Study, mined: MineConfig) -> MineConfig:
    """A switch between contrastive transactions and the poster's; a study without a contrast has the latter only."""
    if not study.has_contrast:
        return mined
    own = quantile_of(study, mined)
    quantile = own or DEFAULT_QUANTILE
    contrastive = st.toggle(
        "Only what exceeds the contrast",
        own > 0,
        key="above",
        bind="query-params",
        help=f"a unit counts in a patch only if it scores above what it scores in {100 * quantile:g}\u00a0% of the "
        "contrast: photos that the model calls something else, explained for the class all the same. Off: all N "
        "units of each patch, as on the poster",
    )
    return mined if contrastive == (own > 0) else replace(mined, contrast_quantile=quantile if contrastive else 0.0)


def _largest(stored: int) -> int:
    """Most units that the largest itemset can be bounded by, where so many of a patch are stored (counts)."""
    return max(10, stored)


def _support_percent(mined: MineConfig) -> int:
    """The support that the study was mined with as the slider shows it, in whole percent."""
    return min(100, max(1, round(100 * mined.min_support)))


_LABELS = {"closed": "closed", "maximal": "maximal", "all": "all"}


def warn_of_display() -> None:
    """Say that the address asks for itemsets to list that :func:`display` does not offer."""
    in_vain.warn_of_choice("show", "Itemsets", _LABELS.values())


def display() -> str:
    """Which itemsets are listed: closed, maximal or all."""
    chosen = st.segmented_control(
        "Itemsets",
        DISPLAYS,
        default="closed",
        key="show",
        bind="query-params",
        required=True,
        format_func=lambda display: _LABELS[display],
        help="closed: hides an itemset if a larger one is in exactly as many patches, so that nothing is said twice; "
        "maximal: hides it if a larger one is frequent too; all: every frequent itemset",
    )
    return str(chosen or "closed")


def reliability_switches(findings: Findings) -> tuple[bool, bool, pd.Series | None, bool]:
    """Switches on which findings are listed and how they are checked.

    Returns:
        Whether unsupported findings are listed too; whether redundant rules are hidden; p-values from shuffling, None
        unless switched on; whether near-duplicates are folded. Where the study has no contrast, all findings are
        listed and none is checked.
    """
    with st.container(width="content", gap="xsmall"):
        if not findings.study.has_contrast:
            return True, _hide_redundant(), None, _fold()
        return show_unsupported(findings), _hide_redundant(), _against_chance(findings), _fold()


def show_unsupported(findings: Findings) -> bool:
    """A switch: whether findings that the contrast does not support are listed too. Without a contrast, all are."""
    if not findings.study.has_contrast:
        return True
    return st.toggle(
        "Show what the contrast does not support",
        key="all",
        bind="query-params",
        help=f"supported: {wording.TERMS['supported']}. The contrast: photos that the model calls something else, "
        "explained for the class all the same",
    )


def _fold() -> bool:
    return st.toggle(
        "Fold near-duplicates",
        True,
        key="fold",
        bind="query-params",
        help=f"one row for {wording.TERMS['near-duplicates']}. The one that comes first stands for the others; its row "
        "opens on demand",
    )


def _hide_redundant() -> bool:
    return st.toggle(
        "Hide redundant",
        key="lean",
        bind="query-params",
        help="hides a rule if a smaller listed rule, of some of its units, has at least its confidence: the other "
        "units add nothing. If single units are decisive already, few larger rules are left",
    )


def _against_chance(findings: Findings) -> pd.Series | None:
    asked = st.toggle(
        "Check against chance",
        key="chance",
        bind="query-params",
        help="adds a permutation p-value to each rule: the own and the contrast photos of each class are "
        "shuffled 200 times, and the rule is compared with the strongest one of each shuffling. Takes a second or two",
    )
    return cached_results.by_chance(findings) if asked else None


def _address_number(name: str, otherwise: int, low: int, high: int) -> int:
    """A slider's value before it is drawn: the session's, else the address's; ``otherwise`` if out of bounds."""
    value = address.whole_number(str(st.session_state.get(name, st.query_params.get(name))))
    return value if value is not None and low <= value <= high else otherwise
