"""The open study: named in the address, else the one of this session, else the newest."""

import streamlit as st

from interpret.errors import InputError
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import places, studies
from pages.shared.controls import address

STUDY = "study"
"""Key, in the address and in the session, of the open study's name."""


def opened() -> Study:
    """The study in the address, else the one open in this session, else the newest; stops the page without one."""
    names = places.study_names()
    asked = st.query_params.get(STUDY) or st.session_state.get(STUDY)
    if asked and asked not in names:
        st.warning(f"There is no study called “{wording.markdown(asked)}” here; another one is shown.")
        asked = None
    if not names:
        wording.header("No study yet")
        wording.paragraph(
            "A study is a model, photos, and what was found in them. The page Study makes one in a minute or two."
        )
        st.page_link("pages/study.py", label="Make a study", icon=":material/add:")
        st.stop()
    name = asked or (places.default_name() if places.default_name() in names else names[0])
    st.session_state[STUDY] = name
    if st.query_params.get(STUDY) != name:
        st.query_params[STUDY] = name
    try:
        return studies.opened(name)
    except InputError as error:
        st.error(wording.markdown(str(error)))
        st.stop()


def switch_to(name: str) -> None:
    """Make a study the open one; a patch, a class, a photo or an itemset in the address is of the one before it."""
    if st.query_params.get(STUDY) != name:
        for other in list(st.query_params):
            if other not in address.SETTINGS:
                del st.query_params[other]
    st.session_state[STUDY] = name
    st.query_params[STUDY] = name
