"""Menus whose choice is kept in the address."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from pages.shared.controls import address

T = TypeVar("T")


def pick(label: str, options: Sequence[str], param: str, *, forget: Sequence[str] = ()) -> str:
    """A choice of a few words side by side, kept in the address unless it is the first, which the address need not say.

    The address alone decides: a link to the page without the parameter shows the first. Arguments as for
    :func:`choose`.
    """
    key, asked = f"pick_{param}", st.query_params.get(param)
    st.session_state[key] = asked if asked in options else options[0]

    def changed() -> None:
        if not (chosen := st.session_state.get(key)):  # the page is being left
            return
        if chosen == options[0]:
            address.change({}, (param, *forget))
        else:
            address.change({param: chosen}, forget)

    return str(st.segmented_control(label, options, key=key, on_change=changed, required=True))


def choose_several(
    label: str,
    options: Sequence[int],
    param: str,
    shown: Callable[[int], str],
    *,
    forget: Sequence[str] = (),
    **more: Any,
) -> list[int]:
    """A multiple choice, kept in the address as `2-5`; arguments as for :func:`choose`."""
    key = f"choose_{param}"
    asked = address.whole_numbers(st.query_params.get(param))
    st.session_state[key] = [option for option in dict.fromkeys(asked) if option in options][
        : more.get("max_selections")
    ]

    def changed() -> None:
        chosen = st.session_state.get(key)
        if chosen is None:  # the page is being left, and its menus are forgotten
            return
        if chosen:
            address.change({param: "-".join(str(option) for option in chosen)}, forget)
        else:
            address.change({}, (param, *forget))

    return st.multiselect(label, options, format_func=shown, key=key, on_change=changed, **more)


def several_not_offered(param: str, chosen: Sequence[int]) -> int:
    """How many of the options that the address asks for are not among those of :func:`choose_several` (count)."""
    return len(
        {part for part in st.query_params.get(param, "").split("-") if part} - {str(option) for option in chosen}
    )


def not_offered(param: str, chosen: object) -> str | None:
    """What the address asks for in a menu of :func:`choose` that does not offer it; None if ``chosen`` is asked for."""
    asked = st.query_params.get(param)
    return None if asked in (None, "", str(chosen)) else asked


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
    """A menu whose choice is kept in the address, so that any page can link to it.

    Args:
        label: of the menu.
        options: at least one, each with a different ``str``.
        param: its name in the address.
        shown: what the menu calls an option.
        forget: parameters that a new choice removes from the address.
        default: what is chosen if the address is silent, or asks for something that is not offered, of which the page
            tells (:func:`not_offered`); the last choice, else the first option, if None.
        more: passed on to the menu.
    """
    by_text = {str(option): option for option in options}
    asked = st.query_params.get(param, "")
    key = f"choose_{param}"
    if asked in by_text and st.session_state.get(key) != by_text[asked]:
        st.session_state[key] = by_text[asked]
    elif asked not in by_text and default is not None:
        st.session_state[key] = default
    elif st.session_state.get(key) not in options:
        st.session_state[key] = options[0]

    def changed() -> None:
        if key in st.session_state:  # not where the page is being left
            address.change({param: st.session_state[key]}, forget)

    return st.selectbox(label, options, format_func=shown, key=key, on_change=changed, **more)
