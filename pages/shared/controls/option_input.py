"""The control of one option of the pipeline, made from its description."""

from typing import Any

import streamlit as st

from interpret.options import Option


def option_input(option: Option, *, key: str) -> Any:
    """Draw the control of an option; returns its value, None if it is not set."""
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
            placeholder="not set",
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
            placeholder="not set",
        )
    return st.text_input(label, option.default or "", key=key, help=option.help, placeholder="not set") or None


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)
