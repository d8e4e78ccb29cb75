"""The controls of the pipeline's options, made from their descriptions."""

from collections.abc import Collection
from typing import Any

import streamlit as st

from interpret.options import Option, options


def option_inputs(config: type, *, key: str, only: Collection[str] | None = None) -> list[str]:
    """Draw the controls of a configuration's options.

    Args:
        config: the configuration's class.
        key: what the keys of the controls begin with; the option's name follows.
        only: names of the options; all if None.

    Returns:
        The words of the command line for those that differ from their default.

    Raises:
        InputError: a value does not fit its option.
    """
    words = []
    for option in options(config):
        if only is None or option.name in only:
            value = option_input(option, key=f"{key}_{option.name}")
            if value is not None and value != option.default:
                option.check(value)
                words += option.words(value)
    return words


def option_input(option: Option, *, key: str, label: str | None = None, unset: str = "not set") -> Any:
    """Draw the control of one option; gives its value, or None where none is set.

    Args:
        option: its description.
        key: of the control.
        label: above the control; the option's name if None.
        unset: shown in place of a value where none is set.

    Raises:
        InputError: text that stands for several values does not fit.
    """
    label = label or option.name.replace("_", " ").capitalize()
    if option.many:
        text = st.text_input(label, ",".join(str(each) for each in option.default), key=key, help=option.help)
        return option.parse(text) if text.strip() else None
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
            placeholder=unset,
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
            placeholder=unset,
        )
    return st.text_input(label, option.default or "", key=key, help=option.help, placeholder=unset) or None


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)
