"""What a person sets: thresholds of mining, a choice that is kept in the address, forms made from the options."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from interpret.config import MineConfig, Option
from interpret.errors import ExplosionError, InputError
from interpret.findings import Findings
from interpret.findings.tables import DISPLAYS
from interpret.study import Study
from pages.shared import backend, look, places

T = TypeVar("T")

OWN = "study"
"""Key, in the address and in the session, of the open study's name."""


def open_study() -> Study:
    """The study in the address, else the one open in this session, else the newest; stops the page without one."""
    names = places.study_names()
    asked = st.query_params.get(OWN) or st.session_state.get(OWN)
    if asked and asked not in names:
        st.warning(f"There is no study called “{look.markdown(asked)}” here; another one is shown.")
        asked = None
    if not names:
        look.header("No study yet")
        look.say("A study is a model, photos, and what was found in them. The page Study makes one in a minute or two.")
        st.page_link("pages/study.py", label="Make a study", icon=":material/add:")
        st.stop()
    name = asked or (places.default_name() if places.default_name() in names else names[0])
    st.session_state[OWN] = name
    if st.query_params.get(OWN) != name:
        st.query_params[OWN] = name
    try:
        return backend.study(name)
    except InputError as error:
        st.error(look.markdown(str(error)))
        st.stop()


def turn_to(name: str) -> None:
    """Make a study the open one; a patch, a class, a photo or an itemset in the address is of the one before it."""
    if st.query_params.get(OWN) != name:
        for other in list(st.query_params):
            if other not in look.STANDING:
                del st.query_params[other]
    st.session_state[OWN] = name
    st.query_params[OWN] = name


def begin() -> tuple[DeltaGenerator, Findings]:
    """The head of a page: room for its title, and what is found at the thresholds beside it.

    Where that is too much the page stops, says so, and offers thresholds that pass.
    """
    study = open_study()
    title, tools = st.columns([5, 1], vertical_alignment="bottom")
    with tools:
        config = _thresholds(study)
    try:
        return title, backend.findings(study, config)
    except InputError as error:
        with title:
            look.header("Nothing to show at these thresholds")
        st.error(look.markdown(str(error)))
        _ways_out(study, error)
        st.stop()


def _ways_out(study: Study, error: InputError) -> None:
    """A button for each setting that is known to give something."""

    def set_to(**values: int) -> None:
        st.session_state.update(values)

    own = study.mine_config
    with st.container(horizontal=True):
        if isinstance(error, ExplosionError) and error.support is not None:
            support = math.ceil(100 * error.support)
            label = f"Support {support}\u00a0%"
            st.button(label, type="primary", on_click=set_to, kwargs={"support": support}, icon=":material/tune:")
        if isinstance(error, ExplosionError) and error.max_size is not None:
            label = f"Itemsets of at most {look.count(error.max_size, 'unit')}"
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


def believed(found: Findings) -> tuple[bool, pd.Series | None]:
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
    return backend.by_chance(found) if asked else None


def page_of(param: str, pages: int) -> int:
    """The page of a list that the address names, 1 or more; :func:`turn` shows the control below the list."""
    return min(max(1, look.whole(st.query_params.get(param)) or 1), pages)


def turn(param: str, pages: int) -> None:
    """Buttons that turn the pages of a list, kept in the address; nothing where there is one page only."""
    if pages < 2:
        return
    page, made = page_of(param, pages), f"turned_{param}"
    # The buttons keep their own page, and no other can be set: where the address names another one, as after a new
    # choice or the browser's Back, other buttons take their place.
    key = f"turn_{param}_{st.session_state.setdefault(made, 0)}"
    if st.session_state.get(key, page) != page:
        st.session_state[made] += 1
        key = f"turn_{param}_{st.session_state[made]}"

    def turned() -> None:
        if (chosen := int(st.session_state[key])) > 1:
            st.query_params[param] = str(chosen)
        else:
            st.query_params.pop(param, None)

    # Stretched: it leaves numbers out where it has no room, and beside another control it takes none for itself.
    st.pagination(pages, default=page, key=key, max_visible_pages=5, on_change=turned, width="stretch")


def choose_several(
    label: str, options: Sequence[int], param: str, shown: Callable[[int], str], **more: Any
) -> list[int]:
    """A menu of which several may be chosen, kept in the address as `2-5`; as :func:`choose` otherwise."""
    key = f"choose_{param}"
    asked = look.wholes(st.query_params.get(param))
    st.session_state[key] = [one for one in dict.fromkeys(asked) if one in options][: more.get("max_selections")]

    def changed() -> None:
        if chosen := st.session_state[key]:
            st.query_params[param] = "-".join(str(one) for one in chosen)
        else:
            st.query_params.pop(param, None)

    return st.multiselect(label, options, format_func=shown, key=key, on_change=changed, **more)


def _address_number(name: str, otherwise: int, low: int, high: int) -> int:
    """What the session or else the address says of a slider, as the slider itself reads it: nothing out of bounds."""
    value = look.whole(str(st.session_state.get(name, st.query_params.get(name))))
    return value if value is not None and low <= value <= high else otherwise


def choose(
    label: str,
    options: Sequence[T],
    param: str,
    shown: Callable[[T], str],
    *,
    forget: Sequence[str] = (),
    default: T | None = None,
    **more: Any,
) -> T:
    """A menu whose choice is kept in the address as plain text, there for any page to link to.

    Args:
        label: of the menu.
        options: at least one, each with a text of its own by ``str``.
        param: name in the address.
        shown: what the menu calls an option.
        forget: other names in the address that a new choice makes meaningless.
        default: what is chosen where the address says nothing; what was chosen last, or the first option, if None.
        more: passed on to the menu.
    """
    by_text = {str(option): option for option in options}
    asked = st.query_params.get(param, "")
    key = f"choose_{param}"
    if asked in by_text and st.session_state.get(key) != by_text[asked]:
        st.session_state[key] = by_text[asked]
    elif not asked and default is not None:
        st.session_state[key] = default
    elif st.session_state.get(key) not in options:
        st.session_state[key] = options[0]

    def changed() -> None:
        st.query_params[param] = str(st.session_state[key])
        for name in forget:
            st.query_params.pop(name, None)

    return st.selectbox(label, options, format_func=shown, key=key, on_change=changed, **more)


def option_input(option: Option, *, key: str) -> Any:
    """The control of one option of the pipeline, made from its description."""
    label = option.name.replace("_", " ").capitalize()
    if option.choices:
        return st.selectbox(label, option.choices, option.choices.index(option.default), key=key, help=option.help)
    if option.kind is bool:
        return st.checkbox(label, option.default, key=key, help=option.help)
    if option.kind is int:
        return st.number_input(
            label,
            value=option.default,
            min_value=_whole(option.low),
            max_value=_whole(option.high),
            step=1,
            key=key,
            help=option.help,
            placeholder="left open",
        )
    if option.kind is float:
        return st.number_input(
            label,
            value=option.default,
            min_value=option.low,
            max_value=option.high,
            step=0.01,
            format="%g",
            key=key,
            help=option.help,
            placeholder="left open",
        )
    return st.text_input(label, option.default or "", key=key, help=option.help, placeholder="left open") or None


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)
