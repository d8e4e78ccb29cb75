"""The page of a long list, kept in the address."""

import streamlit as st

from pages.shared.controls import address, in_vain


def page_of(param: str, pages: int, what: str) -> int:
    """The page of a list that the address names, from 1, else the nearest one, with a sentence that says so.

    :func:`buttons` draws the control.

    Args:
        param: its name in the address.
        pages: that there are (count).
        what: is listed.
    """
    page = _nearest(param, pages)
    in_vain.warn_of_page(param, what, page, pages)
    return page


def _nearest(param: str, pages: int) -> int:
    return min(max(1, address.whole_number(st.query_params.get(param)) or 1), pages)


def buttons(param: str, pages: int) -> None:
    """Buttons for the pages of a list; none if there is one page only."""
    if pages < 2:
        return
    page, counter = _nearest(param, pages), f"turned_{param}"
    # The buttons keep their own page, and no other can be set: where the address names another one, as after a new
    # choice or the browser's Back, other buttons take their place.
    key = f"turn_{param}_{st.session_state.setdefault(counter, 0)}"
    if st.session_state.get(key, page) != page:
        st.session_state[counter] += 1
        key = f"turn_{param}_{st.session_state[counter]}"

    def turned() -> None:
        if key not in st.session_state:  # the page is being left
            return
        if (chosen := int(st.session_state[key])) > 1:
            st.query_params[param] = str(chosen)
        else:
            st.query_params.pop(param, None)

    # Stretched: it leaves numbers out where it has no room, and beside another control it takes none for itself.
    st.pagination(pages, default=page, key=key, max_visible_pages=5, on_change=turned, width="stretch")
