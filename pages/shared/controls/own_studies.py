"""Menus that rename and delete studies: those that this page may change."""

import streamlit as st

from interpret.errors import InputError
from pages.shared import wording
from pages.shared.backend import messages, studies, study_names
from pages.shared.controls import current_study

_SAID = "renamed_said"


def offer() -> None:
    """The menus, if there is a study that may be changed here; a second click does it."""
    if said := st.session_state.pop(_SAID, ""):
        st.info(wording.markdown(said))
    if names := studies.deletable():
        with st.container(horizontal=True):
            _offer_renaming(names)
            _offer_deletion(names)


def _offer_renaming(names: list[str]) -> None:
    with st.popover("Rename a study of yours", icon=":material/edit:"):
        name = st.selectbox("Study", names, key="rename_name")
        to = st.text_input("New name", key="rename_to", max_chars=study_names.LONGEST, placeholder=name)
        if st.button("Rename it", key="rename_study", type="primary"):
            try:
                new = studies.rename(name, to)
            except InputError as error:
                st.error(wording.markdown(messages.of(error)))
                return
            st.session_state[_SAID] = study_names.said_of_change(to, new)
            del st.session_state["rename_to"]
            if st.session_state.get(current_study.STUDY) == name:  # the rest of the address is of this study
                st.session_state[current_study.STUDY] = st.query_params[current_study.STUDY] = new
            st.rerun()


def _offer_deletion(names: list[str]) -> None:
    with st.popover("Delete a study of yours", icon=":material/delete:"):
        name = st.selectbox("Study", names, key="delete_name")
        if st.button("Delete it for good", key="delete_study", type="primary"):
            try:
                studies.delete(name)
            except InputError as error:
                st.error(wording.markdown(messages.of(error)))
                return
            if st.session_state.get(current_study.STUDY) == name:
                del st.session_state[current_study.STUDY]
                st.query_params.clear()
            st.rerun()
