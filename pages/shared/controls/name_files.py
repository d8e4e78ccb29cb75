"""Buttons that save the names of the open study as a file, and take over those of one."""

import streamlit as st

from interpret.errors import InputError
from interpret.study import Study
from interpret.study.names_file import MOST_BYTES
from pages.shared import wording
from pages.shared.backend import given_names, messages

_SAID = "names_taken_over"


def offer(study: Study) -> None:
    """The button that saves names, where there are some; the one that takes them over, for who may change the study."""
    if said := st.session_state.pop(_SAID, ""):
        st.info(wording.markdown(said))
    if len(given_names.names(study)):
        st.download_button(
            "Save names",
            lambda: given_names.saved(study),
            wording.file_name(study.name, "names", "json"),
            "application/json",
            key="save_names",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help="what units and itemsets are called here, as a file for another study of the same network and layer",
        )
    if given_names.may_name(study):
        turn = st.session_state.setdefault("names_turn", 0)
        with st.popover("Take over names", icon=":material/upload:", type="tertiary", key=f"take_names_{turn}"):
            _upload(study, turn)


def _upload(study: Study, turn: int) -> None:
    """The form that takes over a file's names. A taken file closes it: the next form is another."""
    file = st.file_uploader(
        "A file of names saved from a study of the same network and layer", type="json", key=f"names_file_{turn}"
    )
    if file is None or not st.button("Take them over", key=f"take_over_{turn}", type="primary"):
        return
    try:
        if file.size > MOST_BYTES:
            raise InputError(f"{file.name} has {file.size:,} bytes, and {MOST_BYTES:,} are read; split it.")
        taken = given_names.take_over(study, file.getvalue().decode("utf-8", errors="replace"))
    except InputError as error:
        st.error(wording.markdown(messages.of(error)))
        return
    st.session_state[_SAID] = (
        f"{wording.count(taken, 'name')} taken over from {file.name}; what had another name here has the file’s."
    )
    st.session_state["names_turn"] = turn + 1
    st.rerun()
