"""The open study: the one in the address, else the session's, else the default or the newest."""

import contextlib
import html

import streamlit as st

from interpret.errors import InputError
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import allowed_paths, places, studies
from pages.shared.controls import address

LISTED = 20
"""Studies listed at most (count)."""

STUDY = "study"
"""Where the open study's name is kept: the parameter in the address and the key in the session."""


def opened() -> Study:
    """The study in the address, else the one open in this session, else one that can be opened, the default first.

    Stops the page where there is no study at all.

    Raises:
        InputError: the study that was asked for is damaged, or all of them are.
    """
    names = studies.names()
    asked = st.query_params.get(STUDY) or st.session_state.get(STUDY)
    if asked and asked not in names:
        st.warning(f"There is no study called “{wording.markdown(asked)}” here; another one is shown.")
        asked = None
    if not names:
        wording.header("No study yet")
        wording.paragraph(
            "A study is a model, a set of photos, and what was mined from them. "
            "The page Study creates one in a minute or two."
        )
        st.page_link("pages/study.py", label="Create a study", icon=":material/add:")
        st.stop()
    study = studies.opened(asked) if asked else _first_that_opens(names)
    st.session_state[STUDY] = study.name
    if st.query_params.get(STUDY) != study.name:
        st.query_params[STUDY] = study.name
    if place := allowed_paths.elsewhere(study):
        st.warning(
            f"The photos of this study are in {wording.markdown(place)}, which is outside of the folders that this "
            "dashboard may read; it shows none of them. Start it with UNITSCOPE_ROOTS set to that folder, if the study "
            "is to be trusted."
        )
    return study


def _first_that_opens(names: list[str]) -> Study:
    damage: InputError | None = None
    for name in sorted(names, key=lambda name: name != places.default_name()):  # the others stay in their order
        try:
            return studies.opened(name)
        except InputError as error:
            damage = damage or error
    assert damage is not None, "there is at least one study"
    raise damage


def show_replaced() -> None:
    """A line for everything kept in the open study's folder that was damaged, and was made again or is not used."""
    from pages.shared.backend import given_names  # with all that makes findings, which the navigation does without

    name = st.session_state.get(STUDY)
    with contextlib.suppress(InputError):  # it was deleted while its page was drawn
        if name in places.study_names():
            study = studies.opened(name)
            for sentence in filter(None, [*studies.replaced(study), given_names.refused(study)]):
                wording.paragraph(html.escape(sentence), "small")


def offer_others(current: str | None) -> None:
    """A button for each study; one that is damaged is named, and hides none of the others.

    Args:
        current: the name of the study that is open; None if none is.
    """
    damaged = []
    for name in studies.names()[:LISTED]:
        about = studies.summary(name)
        if about is None:
            damaged.append(name)
        elif st.button(
            f"**{wording.markdown(name)}** · {wording.markdown(about)}",
            key=f"open_{name}",
            type="tertiary",
            disabled=name == current,
            icon=":material/check:" if name == current else ":material/folder_open:",
        ):
            switch_to(name)
            st.rerun()
    if damaged:
        named = ", ".join(html.escape(name) for name in damaged)
        wording.paragraph(f"Damaged, or of another version: {named}.", "small")


def follow(run: str) -> None:
    """Open the study of this run when it is done: this session began it."""
    st.session_state.setdefault("runs_followed", set()).add(run)


def is_followed(run: str) -> bool:
    """Whether this session began the run."""
    return run in st.session_state.get("runs_followed", set())


def switch_to(name: str) -> None:
    """Open a study. What the address says of another one, such as a patch or a class, is dropped."""
    of_another = [] if st.query_params.get(STUDY) == name else list(st.query_params)
    st.session_state[STUDY] = name
    address.change({STUDY: name}, [other for other in of_another if other not in address.SETTINGS])
