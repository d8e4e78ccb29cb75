"""The search field in the head of every page: what it finds opens by its address."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from interpret.errors import InputError
from interpret.words import itemset_text
from pages.shared import page_list, wording
from pages.shared.backend import preparation
from pages.shared.controls import address

if TYPE_CHECKING:
    from interpret.findings import Findings
    from interpret.findings.search import Hit, Kind

_HERE = Path(__file__).parent

_render = st.components.v2.component(
    "unitscope_search",
    html='<div class="search"></div>',
    css=(_HERE / "search_field.css").read_text(encoding="utf-8"),
    js=(_HERE / "search_field.js").read_text(encoding="utf-8"),
)

_QUERY = "search_query"

_NOT_FREQUENT = "no frequent itemset at these thresholds"

HEADINGS: "dict[Kind, str]" = {"class": "Classes", "unit": "Units", "itemset": "Itemsets"}


@st.fragment
def show() -> None:
    """Draw the field; a query runs this function alone, not the page."""

    def typed() -> None:
        query = (st.session_state.get("search") or {}).get("query")
        if query is not None:
            st.session_state[_QUERY] = str(query)

    # Kept, so that a run of the whole page that follows at once does not take back what was found.
    query = str(st.session_state.get(_QUERY, ""))
    with st.container(key="search_field"):
        result = _render(
            key="search",
            data={"query": query, "groups": _found(query) if query.strip() else []},
            on_query_change=typed,
            on_act_change=lambda: None,
        )
        act = dict(result.get("act") or {})
        if act.get("page") in {entry.path for entry in page_list.ENTRIES}:
            st.session_state.pop(_QUERY, None)
            asked = {str(name): str(value) for name, value in dict(act.get("query") or {}).items()}
            address.go(str(act["page"]), asked)


def _found(query: str) -> list[dict[str, Any]]:
    """What a query finds in the open study, a group for each kind; nothing where no study is open."""
    preparation.wait_for_pages()
    from pages.shared.backend import finding_index  # with all that makes findings, which the field is drawn without

    try:
        findings, index = finding_index.of_session()
    except InputError:  # the page says so
        return []
    return [
        {"heading": HEADINGS[kind], "hits": [_hit(findings, hit) for hit in hits]}
        for kind, hits in index.search(query).items()
    ]


def _hit(findings: "Findings", hit: "Hit") -> dict[str, Any]:
    return {"parts": _parts(findings, hit), **_link(hit)}


def _parts(findings: "Findings", hit: "Hit") -> list[tuple[str, str]]:
    """What a line says: pairs of a style and a text."""
    classes = [wording.class_text(findings.study, class_id) for class_id in hit.classes]
    if hit.kind == "class":
        return [("name", classes[0])] + ([] if hit.classes[0] in findings.classes else [("note", _NOT_FREQUENT)])
    parts = [("units", itemset_text(hit.units))]
    if hit.named.name:
        parts.append(("name", hit.named.name))
    elif hit.proposed:
        parts.append(("proposed", f"{hit.proposed}?"))
    parts += [("tag", tag) for tag in hit.named.tags]
    listed = ", ".join(classes[:4]) + (f" and {len(classes) - 4} more" if len(classes) > 4 else "")
    parts.append(("note", f"→ {listed}" if classes else "frequent in no class at these thresholds"))
    return parts


def _link(hit: "Hit") -> dict[str, Any]:
    """The page that a hit opens."""
    if hit.kind == "class":
        return address.link("class_specific", **{"class": hit.classes[0]})
    if hit.kind == "unit":
        return address.link("unit", unit=hit.units[0])
    itemset = address.itemset_param(hit.units)
    if len(hit.classes) == 1:
        return address.link("class_specific", **{"class": hit.classes[0], "itemset": itemset})
    return address.link("class_shared", itemset=itemset)
