"""Tables of itemsets that can be sorted, filtered, chosen from and saved."""

import re

import pandas as pd
import streamlit as st

from interpret.findings import Findings, Units
from pages.shared import look

SHOWN = {
    "itemset": st.column_config.TextColumn("units", help=look.TERMS["itemset"], width="small"),
    "support": st.column_config.ProgressColumn(
        "of patches", help=look.TERMS["support"], format="%.0f %%", min_value=0, max_value=100
    ),
    "image_support": st.column_config.NumberColumn(
        "of photos", help="the share of the class's photos with at least one such patch", format="%.0f %%"
    ),
    "confidence": st.column_config.NumberColumn("confidence", help=look.TERMS["confidence"], format="%.0f %%"),
    "lift": st.column_config.NumberColumn("lift", help=look.TERMS["lift"], format="%.1f"),
    "image_q_value": st.column_config.NumberColumn("q", help=look.TERMS["q-value"], format="%.0e"),
    "stable": st.column_config.NumberColumn("stable", help=look.TERMS["stable"], format="%.0f %%"),
    "kind": st.column_config.TextColumn("kind", help="specific: frequent in this class alone; shared: in others too"),
}

PERCENT = ("support", "image_support", "confidence", "stable")


def with_units(rows: pd.DataFrame, wanted: str | None) -> pd.DataFrame:
    """The itemsets that hold all units named in a text; all of them where it names none."""
    asked = {int(number) for number in re.findall(r"\d{1,6}", wanted or "")}
    return rows[[asked.issubset(units) for units in rows["units"]]] if asked and len(rows) else rows


def itemsets(found: Findings, rows: pd.DataFrame, chosen: Units | None, key: str) -> Units | None:
    """Show itemsets of one class with their measures; a click on a row chooses it.

    Returns:
        The chosen itemset, which is also kept in the address.
    """
    shown = pd.DataFrame({"itemset": rows["units"].map(look.itemset_text)})
    for name in list(SHOWN)[1:]:
        shown[name] = 100 * rows[name] if name in PERCENT else rows[name]
    places = rows.index[rows["units"] == chosen].tolist() if chosen else []
    state = st.dataframe(
        shown,
        key=f"{key}_{len(rows)}",
        hide_index=True,
        column_config=SHOWN,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": places[:1]}} if places else None,
        height=min(458, 38 + 35 * len(rows)),
        alt="itemsets of this class with their support, confidence, lift and q-value",
    )
    picked = state["selection"]["rows"]
    if picked and picked[0] < len(rows):
        chosen = rows["units"].iloc[picked[0]]
        if st.query_params.get("itemset") != look.itemset_param(chosen):
            st.query_params["itemset"] = look.itemset_param(chosen)
    look.say(
        f"{look.count(len(rows), 'itemset')}; a click on one shows its patches. The table saves itself as CSV.", "small"
    )
    return chosen


def nothing_found(found: Findings) -> None:
    """Say why there is nothing and what would change that."""
    largest = max(found.patches_of.values(), default=0)
    least = found.config.min_class_patches
    if largest < least:
        text = (
            f"No class has the {least} patches that mining asks for: the largest has {largest}. A study with more "
            "photos "
            "of each class would fill this page."
        )
    else:
        text = "No set of units is that frequent; a smaller support, or more units per patch, would fill this page."
    st.info(text)


def plain(found: Findings, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of :attr:`interpret.findings.Findings.table` as a person saves them: names for numbers."""
    shown = rows.drop(columns=["itemset_id", "classes"]).copy()
    shown.insert(0, "class", [look.class_text(found.study, int(one)) for one in rows["class_id"]])
    shown["units"] = rows["units"].map(look.itemset_text)
    return shown
