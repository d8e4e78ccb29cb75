"""The address (URL): reads the parameters that define the view, and builds links that set them."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.state import get_session_state

from pages.shared import page_list

SETTINGS = ("n", "support", "size", "above", "show", "all", "lean", "chance", "fold")
"""Parameters that hold on every page: the thresholds, which itemsets are listed, and how they are checked."""

STAND = "stand"
"""The parameter of the pages at a stand: 1 shows them so."""


def settings() -> dict[str, str]:
    """The parameters that every link carries: the study, whether it is a stand, and those of :data:`SETTINGS` set."""
    kept = {name: st.query_params[name] for name in ("study", STAND, *SETTINGS) if name in st.query_params}
    if "study" not in kept and st.session_state.get("study"):
        kept["study"] = st.session_state["study"]
    return kept


def link(page: str, **params: Any) -> dict[str, Any]:
    """A link for a part of a block: `href` opens the page in a new tab, `act` in this one.

    Args:
        page: its path.
        params: what the address says besides :func:`settings`; None leaves one out.
    """
    query = {**settings(), **{name: str(value) for name, value in params.items() if value is not None}}
    return {"href": f"./{page}?{urlencode(query)}", "act": {"page": page, "query": query}}


def link_in(study: str, page: str, **params: Any) -> dict[str, Any]:
    """As :func:`link`, to a page of a study of this name, which may be another one: at its own thresholds."""
    stand = {STAND: st.query_params[STAND]} if STAND in st.query_params else {}
    query = {"study": study, **stand, **{name: str(value) for name, value in params.items()}}
    return {"href": f"./{page}?{urlencode(query)}", "act": {"page": page, "query": query}}


def unit_link(unit: int) -> dict[str, Any]:
    """A link to a unit's page, with a tooltip."""
    return {**link("unit", unit=unit), "title": f"what unit {unit} responds to"}


def itemset_param(units: tuple[int, ...]) -> str:
    """An itemset as a parameter: `34-193`."""
    return "-".join(str(unit) for unit in units)


def whole_number(text: str | None) -> int | None:
    """A whole number of at most seven digits; None for any other text."""
    return int(text) if text and text.isdecimal() and len(text) < 8 else None


def whole_numbers(text: str | None) -> list[int]:
    """The whole numbers in `1-5-7`, in their order; other parts are ignored."""
    return [number for part in (text or "").split("-") if (number := whole_number(part)) is not None]


def itemset_from(text: str | None) -> tuple[int, ...] | None:
    """The units in `34-193`, ascending; None for any other text."""
    parts = [whole_number(part) for part in (text or "").split("-")]
    return None if None in parts else tuple(sorted({part for part in parts if part is not None}))


def change(set_to: Mapping[str, object], drop: Iterable[str] = ()) -> None:
    """Set some parameters and drop others in one step: each step by itself would be one for the browser's Back.

    A parameter that a widget of the page is bound to is not dropped: it is the widget's.
    """
    with get_session_state().query_params() as held:
        for name in drop:
            if not held.is_bound(name):
                held.discard_param_no_forward_msg(name)
    st.query_params.update({name: str(value) for name, value in set_to.items()})


def go(page: str, query: dict[str, str]) -> None:
    """Open another page in this session, with these parameters."""
    # Streamlit refuses to set a parameter that a widget of the page is bound to, even where the page is being left. The
    # next page's own widgets take their values from the address again.
    _unbind(query)
    st.switch_page(page_list.file_of(page), query_params=query)


def keep_settings() -> None:
    """Keep :data:`SETTINGS` in the address when the browser's Back leads from this page, now drawn, to another one.

    Streamlit takes a parameter that a widget is bound to for its page's own, and drops it from the next page's address,
    even if that page has the same widget. Each run of a page binds its widgets again.
    """
    _unbind(SETTINGS)


def _unbind(names: Iterable[str]) -> None:
    with get_session_state().query_params() as held:
        for name in names:
            if binding := held.get_binding_for_param(name):
                held.unbind_widget(binding.widget_id)
