"""Sentences about what the address asks a control for in vain; the control then shows what it would without it.

Streamlit drops such a parameter in silence when the control is drawn, so that each of these is called before.
"""

from collections.abc import Iterable

import streamlit as st

from pages.shared import wording
from pages.shared.controls import address


def warn_of_number(param: str, what: str, low: int, high: int, *, sign: str = "") -> None:
    """Say that the address asks for a number that is out of bounds, or none.

    Args:
        param: its name in the address.
        what: the control sets.
        low: the smallest number that it takes.
        high: the largest.
        sign: what follows the numbers.
    """
    asked = st.query_params.get(param)
    number = address.whole_number(asked)
    if asked is None or (number is not None and low <= number <= high):
        return
    st.warning(
        f"The address asks for {what} of {_quoted(asked)}, which is not a whole number from {low} to {high}{sign}; "
        "the usual one is used."
    )


def warn_of_choice(param: str, label: str, offered: Iterable[str]) -> None:
    """Say that the address asks for something that a choice does not offer.

    Args:
        param: its name in the address.
        label: of the choice.
        offered: its options as they stand there.
    """
    asked, listed = st.query_params.get(param), list(offered)
    if asked is not None and asked not in listed:
        first = ", ".join(f"“{option}”" for option in listed[:-1])
        offers = f"{first} and “{listed[-1]}”" if first else f"“{listed[-1]}”"
        st.warning(
            f"The address asks for {_quoted(asked)} under {label}, which offers {offers}; the usual one is shown."
        )


def warn_of_page(param: str, what: str, page: int, pages: int) -> None:
    """Say that the address asks for a page that a list does not have.

    Args:
        param: its name in the address.
        what: is listed.
        page: that is shown, from 1.
        pages: that there are (count).
    """
    asked = st.query_params.get(param)
    if asked is not None and address.whole_number(asked) != page:
        have = "is one page" if pages == 1 else f"are {pages:,}"
        st.warning(f"There is no page {_quoted(asked)} of the {what}: there {have}; page {page} is shown.")


def _quoted(asked: str) -> str:
    return f"“{wording.markdown(asked[:20])}”"
