"""Page settings, style and navigation around the requested page."""

import contextlib
from collections.abc import Callable

import streamlit as st
from streamlit.runtime.secrets import secrets_singleton

from interpret.errors import InputError
from pages.shared import page_list, wording
from pages.shared.backend import first_study, gate, messages, preparation, studies
from pages.shared.controls import address, current_study
from pages.shared.controls import stand as stand_steps
from pages.shared.view import run_progress, screen, search_field, stand, style

_ROUTED = "routed"


def run() -> None:
    """Draw the navigation and run the page in the address."""
    preparation.wait()
    preparation.spare_modules()
    st.set_page_config(page_title="Unitscope", page_icon=style.icon(), layout="wide")
    st.html(style.STYLE)
    if not gate.is_open():
        st.error("This dashboard asks for a password before it opens; start it with `unitscope serve`.")
        st.stop()
    if _asks_for_login() and not st.user.is_logged_in:
        wording.header("Unitscope", "Log in to open this dashboard.")
        st.button("Log in", key="log_in", on_click=st.login, type="primary")
        st.stop()
    with contextlib.suppress(InputError):  # the first page says so; here the run only starts early
        first_study.begin_default(studies.names())
    pages = [
        st.Page(entry.file, title=entry.title, url_path=entry.path or None, default=not entry.path)
        for entry in page_list.ENTRIES
    ]
    chosen = st.navigation(pages, position="hidden" if stand_steps.is_on() else "top")
    if stand_steps.is_on():
        stand.show(chosen.url_path)
    else:
        search_field.show()
    stand_steps.warn_of_value()
    st.session_state[_ROUTED] = True
    try:
        run_progress.first_start(page_list.question_of(chosen.url_path))
        preparation.wait_for_pages()
        chosen.run()
    except InputError as error:  # as for a damaged study: the page ends here, and the others can still be opened
        wording.header("This page cannot be shown")
        st.error(wording.markdown(messages.of(error)))
        current_study.offer_others(None)
    else:
        current_study.show_replaced()
        screen.watch()
    finally:
        st.session_state[_ROUTED] = False
        address.keep_settings()
        with contextlib.suppress(InputError):  # not sooner: the page needs the cores first
            first_study.complete_demo()


def _asks_for_login() -> bool:
    """Whether Streamlit's own login is set up, in the section `auth` of its secrets."""
    return secrets_singleton.load_if_toml_exists() and "auth" in secrets_singleton


def enter(page: Callable[[], None]) -> None:
    """Run a page from its own file.

    After a start, until the navigation is called for the first time, Streamlit serves each file in `pages/` as a page
    of its own. Such a page calls the navigation, which then runs it.
    """
    if st.session_state.get(_ROUTED):
        page()
    else:
        run()
