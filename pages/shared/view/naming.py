"""What units and itemsets are called, by people or by proposal: in lists, above a finding, in a table."""

from collections.abc import Iterable

import streamlit as st

from interpret.findings import Findings
from interpret.findings.proposals import Proposal
from interpret.findings.rows import Units
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend.given_names import Called, names
from pages.shared.backend.given_names import called as called
from pages.shared.controls import name_editor
from pages.shared.view import widgets


def in_list(known: Called, units: Units) -> list[widgets.Part]:
    """For a list: the name that people gave, else a proposal that says more than the classes, which stand there.

    Args:
        known: from :func:`called`, for all lines of the list.
        units: of the line.
    """
    named = known.named(units)
    if named.name:
        return [{"t": "strong", "text": named.name, "title": ", ".join(named.tags)}]
    proposal = known.proposed(units)
    shown = [] if proposal is None or proposal.is_classes else [_proposed(proposal, f"{proposal.name}?")]
    return shown + _tags(named.tags)


def given(study: Study, units: Units) -> list[widgets.Part]:
    """For a list of sets that are no findings at some thresholds: the name that people gave the units, if they did."""
    named = names(study).of(units)
    return [{"t": "strong", "text": named.name, "title": ", ".join(named.tags)}] if named.name else []


def title(known: Called, unit: int) -> str:
    """For the tooltip of a chip: `wheel: ` where people named the unit, else nothing."""
    name = known.named((unit,)).name
    return f"{name}: " if name else ""


def show(findings: Findings, units: Units) -> None:
    """A row above a finding: its name and tags, a proposal where nobody named it, and the note; the button that names.

    Nothing is shown where there is none of these.
    """
    known = called(findings)
    named = known.named(units)
    proposal = None if named.name else known.proposed(units)
    parts: list[widgets.Part] = []
    if named.name:
        parts.append(widgets.text(named.name, "strong"))
    elif proposal is not None and not proposal.is_classes:  # which stand there
        parts = [widgets.text("Proposed name:", "faint"), _proposed(proposal, proposal.name)]
        if proposal.score is not None:
            parts.append(widgets.measure("AUROC", f"{proposal.score:.2f}", wording.TERMS["auroc"]))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if parts or named.tags:
            with st.container(width="content"):
                widgets.show([widgets.line(parts, _tags(named.tags))], "called")
        name_editor.offer(findings, units)
    if named.note:
        widgets.show([widgets.line(widgets.text(named.note, "remark"), size="small")], "note")


def in_table(findings: Findings, itemsets: Iterable[Units]) -> list[str] | None:
    """For a column of a table: names, and proposals with a question mark; None where there would be none at all."""
    known = called(findings)
    texts = ["".join(part["text"] for part in in_list(known, units) if part["t"] != "tag") for units in itemsets]
    return texts if any(texts) else None


def saved(findings: Findings, itemsets: Iterable[Units]) -> dict[str, list[str]]:
    """Columns of a saved table: names and tags that people gave; none where nothing is named in the study."""
    known = called(findings)
    if not len(known.names):
        return {}
    named = [known.named(units) for units in itemsets]
    return {"name": [each.name for each in named], "tags": [", ".join(each.tags) for each in named]}


def _proposed(proposal: Proposal, text: str) -> widgets.Part:
    return {"t": "proposed", "text": text, "title": proposal.why}


def _tags(tags: Iterable[str]) -> list[widgets.Part]:
    return [{"t": "tag", "text": tag} for tag in tags]
