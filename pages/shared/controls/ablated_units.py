"""The units that are ablated on Explain, and the patch that is looked at, as clicks write them into the address."""

import streamlit as st

from interpret.study import Study
from pages.shared.controls import address

PARAM = "off"
"""The parameter in the address for the units that are ablated."""


def chosen(study: Study) -> set[int]:
    """The units of the study's layer that the address asks to ablate."""
    return {unit for unit in address.whole_numbers(st.query_params.get(PARAM)) if unit < study.n_units}


def switch(act: dict[str, object]) -> None:
    """Write a click into the address: a chosen patch, or units ablated or restored."""
    if "box" in act:
        st.query_params["box"] = str(act["box"])
        return
    off = set(address.whole_numbers(st.query_params.get(PARAM)))
    clicked = {int(unit) for unit in act.get("units", ())}  # type: ignore[attr-defined]
    off = off - clicked if act.get("on") else off | clicked
    if off:
        st.query_params[PARAM] = "-".join(str(unit) for unit in sorted(off))
    else:
        st.query_params.pop(PARAM, None)
