"""The button beside a unit or a finding that names it: for those who may change the study."""

import streamlit as st

from interpret.errors import InputError
from interpret.findings import Findings
from interpret.findings.rows import Units
from interpret.study.names import LONGEST_NAME, LONGEST_NOTE, NOTHING, named
from pages.shared import wording
from pages.shared.backend import given_names, messages
from pages.shared.controls import address, stand

EVERYWHERE, HERE = "everywhere", "here"
"""Whether the units are named wherever they are frequent, or only this finding."""


def offer(findings: Findings, units: Units) -> None:
    """A button that opens a form: name, tags and note of these units, or of the finding that they are.

    At a stand, and to those who may not change the study, nothing is shown; a sentence where its names cannot be used.
    """
    study = findings.study
    if stand.is_on() or not given_names.may_name(study):
        return
    called = given_names.called(findings)
    classes, known = tuple(sorted(called.classes_of(units))), called.names
    own = known.entries.get((units, classes), NOTHING) if classes else NOTHING
    said = own or known.of(units)
    key = f"name_{address.itemset_param(units)}"
    word = "unit" if len(units) == 1 else "itemset"
    # A saved form closes: the next one is another.
    saved = f"{key}_saved"
    turn = st.session_state.setdefault(saved, 0)
    with st.popover(
        "Rename" if said.name else "Name it",
        icon=":material/edit:",
        type="tertiary",
        key=f"{key}_open_{turn}",
        help=f"give this {word} a name, tags or a note, which are kept in the study",
    ):
        if refused := given_names.refused(study):
            st.error(wording.markdown(refused))
            return
        with st.form(f"{key}_{turn}_{hash(said)}", border=False, enter_to_submit=True):
            proposal = called.proposed(units)
            name = st.text_input(
                "Name", said.name, max_chars=LONGEST_NAME, placeholder=proposal.name if proposal else None
            )
            tags = st.text_input("Tags", ", ".join(said.tags), placeholder="separated by commas")
            note = st.text_area("Note", said.note, max_chars=LONGEST_NOTE, height=80)
            where = EVERYWHERE if len(units) == 1 else _where(findings, classes, bool(own))
            left, right = st.columns(2)
            save = left.form_submit_button("Save", type="primary", width="stretch")
            remove = right.form_submit_button("Remove", width="stretch", disabled=not said)
        if save or remove:
            try:
                entry = NOTHING if remove else named(name, tags.split(","), note)
                given_names.change(study, {(units, classes if where == HERE else ()): entry})
            except InputError as error:
                st.error(wording.markdown(messages.of(error)))
                return
            st.session_state[saved] = turn + 1
            st.rerun()


def _where(findings: Findings, classes: tuple[int, ...], own: bool) -> str:
    """A choice between the units wherever they are frequent and the finding; the former where they are in no class."""
    if not classes:
        return EVERYWHERE
    shown = ", ".join(wording.class_text(findings.study, class_id) for class_id in classes[:3])
    shown = wording.markdown(shown + (" …" if len(classes) > 3 else ""))
    labels = {EVERYWHERE: "these units", HERE: f"these units for {shown}"}
    chosen = st.radio(
        "The name is of",
        [EVERYWHERE, HERE],
        index=int(own),
        format_func=lambda where: labels[where],
        help="these units: wherever they are frequent; or only while they are frequent in these very classes, under "
        "which thresholds decide",
    )
    return str(chosen)
