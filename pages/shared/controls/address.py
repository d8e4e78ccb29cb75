"""The address (URL): what it says of the view, and links that say it."""

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages.shared import page_list

SETTINGS = ("n", "support", "size", "show", "lean", "chance")
"""Names in the address of what holds on every page: the thresholds, which itemsets are listed, and how checked."""


def settings() -> dict[str, str]:
    """What goes along in every address: the study, and the thresholds where they are not the study's own."""
    kept = {name: st.query_params[name] for name in ("study", *SETTINGS) if name in st.query_params}
    if "study" not in kept and st.session_state.get("study"):
        kept["study"] = st.session_state["study"]
    return kept


def link(page: str, **params: Any) -> dict[str, Any]:
    """Where a click leads, as the widget of blocks takes it: an address for a new tab, an act for this one."""
    query = {**settings(), **{name: str(value) for name, value in params.items() if value is not None}}
    return {"href": f"./{page}?{urlencode(query)}", "act": {"page": page, "query": query}}


def unit_link(unit: int) -> dict[str, Any]:
    """To a unit's page."""
    return {**link("unit", unit=unit), "title": f"what unit {unit} responds to"}


def itemset_param(units: tuple[int, ...]) -> str:
    """An itemset in an address: `34-193`."""
    return "-".join(str(unit) for unit in units)


def whole_number(text: str | None) -> int | None:
    """A whole number in an address, of seven digits at most; None for anything else that may stand there."""
    return int(text) if text and text.isdecimal() and len(text) < 8 else None


def whole_numbers(text: str | None) -> list[int]:
    """The whole numbers in `1-5-7`, in their order; what is none is passed over."""
    return [number for part in (text or "").split("-") if (number := whole_number(part)) is not None]


def itemset_from(text: str | None) -> tuple[int, ...] | None:
    """The itemset in an address; None where there is none or it is not one."""
    parts = [whole_number(part) for part in (text or "").split("-")]
    return None if None in parts else tuple(sorted({part for part in parts if part is not None}))


def go(page: str, query: dict[str, str]) -> None:
    """Open another page in this session."""
    st.switch_page(page_list.file_of(page), query_params=query)
