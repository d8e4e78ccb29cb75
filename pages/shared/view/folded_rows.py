"""Lists of itemsets with near-duplicates folded into one row, which opens on demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from interpret.findings import Findings
from interpret.findings.near_duplicates import core
from interpret.findings.rows import Units
from pages.shared import wording
from pages.shared.backend import folding
from pages.shared.controls import address
from pages.shared.view import widgets

PARAM = "open"
"""The parameter in the address for the itemset whose near-duplicates are listed."""


@dataclass(frozen=True)
class Entry:
    """A row of a folded list.

    Attributes:
        position: of its itemset in the whole list.
        units: of the itemset.
        stands_for: itemsets that are folded into the row, its own included (count); 0 for one that was unfolded.
        around: the units that they have in common, see :func:`interpret.findings.near_duplicates.core`.
        is_open: whether they are listed below it.
    """

    position: int
    units: Units
    stands_for: int = 1
    around: Units = ()
    is_open: bool = False


def entries(
    findings: Findings, itemset_ids: Sequence[int], chosen: Units | None, *, fold: bool, class_id: int | None = None
) -> list[Entry]:
    """The rows of a list, in its order, those unfolded right below the one that stands for them.

    Args:
        findings: where the itemsets are from.
        itemset_ids: the list, the best first.
        chosen: an itemset that is listed by itself in any case: what it is folded into is open.
        fold: whether near-duplicates are folded; else each itemset has a row.
        class_id: the class whose patches decide, as :func:`interpret.findings.near_duplicates.fold` says.
    """
    units = [findings.units_of[key] for key in itemset_ids]
    if not fold:
        return [Entry(position, each) for position, each in enumerate(units)]
    folded = folding.folded(findings, tuple(itemset_ids), class_id)
    asked = address.itemset_from(st.query_params.get(PARAM))
    if PARAM in st.query_params and asked not in units:
        st.warning("The address opens the near-duplicates of an itemset that is not listed; all are folded.")
    opened = {int(folded.into[units.index(asked)])} if asked in units else set()
    if chosen in units and folded.into[place := units.index(chosen)] != place:
        opened.add(int(folded.into[place]))
    listed = []
    for position in folded.representatives:
        members = folded.members(position)
        around = core([units[member] for member in members])
        listed.append(Entry(position, units[position], len(members), around, position in opened and len(members) > 1))
        if position in opened:
            listed += [Entry(member, units[member], 0) for member in members[1:]]
    return listed


def more(entry: Entry) -> list[widgets.Block]:
    """`202 itemsets around unit 915: show all` below a row, a click on which opens or folds them; none for one only."""
    if entry.stands_for < 2:
        return []
    act = {PARAM: "" if entry.is_open else address.itemset_param(entry.units)}
    said = widgets.text(f"↳ {in_words(entry)}:", "faint")
    link = {"t": "link", "text": "fold" if entry.is_open else "show all", "act": act}
    return [widgets.line(said, {**link, "title": wording.TERMS["near-duplicates"]}, size="small")]


def in_words(entry: Entry) -> str:
    """`202 itemsets around unit 915`."""
    named = ", ".join(str(unit) for unit in entry.around[:4])
    rest = f" and {len(entry.around) - 4} more" if len(entry.around) > 4 else ""
    return f"{entry.stands_for:,} itemsets around unit{'s' if len(entry.around) > 1 else ''} {named}{rest}"


def open_or_fold(act: dict[str, Any]) -> None:
    """:func:`acted`, where no other click is offered."""
    acted(act)


def acted(act: dict[str, Any]) -> bool:
    """Write into the address what a click of :func:`more` asks for; whether the click was one."""
    if PARAM not in act:
        return False
    if act[PARAM]:
        address.change({PARAM: act[PARAM]})
    else:
        address.change({}, (PARAM,))
    return True


def counted(listed: Sequence[Entry]) -> str:
    """` in 34 rows, near-duplicates folded`, as HTML; empty where there are none."""
    rows = sum(entry.stands_for > 0 for entry in listed)
    if rows == sum(entry.stands_for for entry in listed):
        return ""
    return f" in {wording.count(rows, 'row')}, {wording.term('near-duplicates')} folded"
