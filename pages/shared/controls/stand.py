"""The dashboard at a stand, `?stand=1`: five steps that a visitor takes, or that are taken when nobody is there."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from pages.shared import wording
from pages.shared.backend import preparation
from pages.shared.controls import address, current_study

if TYPE_CHECKING:
    from interpret.findings import Findings


@dataclass(frozen=True)
class Step:
    """One step.

    Attributes:
        page: its page's path.
        title: what its button says.
    """

    page: str
    title: str


STEPS = (
    Step("", "A finding"),
    Step("unit", "What a unit sees"),
    Step("class_specific", "Without its units"),
    Step("class_shared", "What classes share"),
    Step("explain", "Explain a photo"),
)


_CHOICES = (*address.SETTINGS, "answer", "from", "gallery", "heat", "kind", "large", "opacity", "view", "with")
"""Controls that are bound to the address. Streamlit carries what was chosen in them to other pages that have them."""


def is_on() -> bool:
    """Whether the pages are shown for a stand."""
    return st.query_params.get(address.STAND) == "1"


def warn_of_value() -> None:
    """Say that the address asks for a stand in a way that there is none."""
    asked = st.query_params.get(address.STAND)
    if asked not in (None, "0", "1"):
        st.warning(
            f"The address asks for stand={wording.markdown(asked[:20])}; stand=1 shows the pages for a stand, and "
            "these are the usual ones."
        )


def take(place: int, *, by_itself: bool) -> None:
    """Open the page of a step, as it is for every visitor: what the one before had chosen is dropped.

    Args:
        place: of the step in :data:`STEPS`.
        by_itself: whether nobody is there: then no camera is started.
    """
    preparation.wait_for_pages()
    from pages.shared.backend import cached_results  # as for headline

    study = current_study.opened()
    for control in _CHOICES:
        st.session_state.pop(control, None)
    query = {address.STAND: "1", "study": study.name}
    if STEPS[place].page:
        query |= _about(cached_results.findings(study, study.mine_config), STEPS[place].page, by_itself)
    address.go(STEPS[place].page, query)


def _about(findings: "Findings", page: str, by_itself: bool) -> dict[str, str]:
    """What the address of a step says: it stays with the finding that is shown first."""
    if page == "explain":
        return {"from": "of the study"} if by_itself else {}
    from pages.shared.backend import headline  # with all that makes findings, which every page's head does without

    best = headline.headline(findings)
    if best is None:
        return {}
    units, classes = best
    if page == "unit":
        return {"unit": str(units[0]), "heat": "true"}
    if page == "class_specific":
        return {"class": str(classes[0]), "itemset": address.itemset_param(units)}
    return {"itemset": address.itemset_param(units)} if len(classes) > 1 else {}
