"""Two folded tables of the page Evaluation: what class-shared sets cost which classes, and sets beside their units."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from interpret.evaluation.evaluate import Evaluation
from interpret.study import Study
from pages.shared import wording
from pages.shared.view import data_table

_POINTS = st.column_config.NumberColumn(format="%.1f")


def show(study: Study, result: Evaluation) -> None:
    """Show the tables, as far as the result has them."""
    if len(result.shared):
        with st.expander("Do class-shared units affect the classes that share them, and no others?"):
            wording.paragraph(
                "By how many points the accuracy of classes falls with a class-shared set of units ablated: the mean "
                "over the classes that share it, and over all others. The interval is that of the difference; the "
                "largest comes first.",
                "small",
            )
            _table(_shared(study, result.shared), "shared_falls", "fall of accuracy inside and outside the classes")
    if len(result.synergy):
        with st.expander("Does a set of units do more than its units one by one?"):
            wording.paragraph(
                "By how many points a class’s accuracy falls with a set of units ablated at once, and the sum of its "
                "falls with each of them ablated alone. Where the whole interval of the difference is above zero, the "
                "units do more together; the largest difference comes first.",
                "small",
            )
            _table(_synergy(study, result.synergy), "synergies", "fall of the set, and the sum of its parts")


def _shared(study: Study, falls: pd.DataFrame) -> pd.DataFrame:
    rows = falls.sort_values("difference", ascending=False, kind="stable")
    return pd.DataFrame(
        {
            "units": [_units(units) for units in rows["units"]],
            "shared by": [", ".join(wording.class_text(study, int(c)) for c in ids) for ids in rows["classes"]],
            "they fall (points)": 100 * rows["fall_in"],
            "others fall (points)": 100 * rows["fall_out"],
            "difference (points)": 100 * rows["difference"],
            "95 % interval": _intervals(rows),
        }
    )


def _synergy(study: Study, falls: pd.DataFrame) -> pd.DataFrame:
    rows = falls.sort_values("synergy", ascending=False, kind="stable")
    table = pd.DataFrame(
        {
            "class": [wording.class_text(study, int(class_id)) for class_id in rows["class_id"]],
            "units": [_units(units) for units in rows["units"]],
            "the set is": rows["kind"].replace({"itemsets": "an itemset"}),
            "fall at once (points)": 100 * rows["fall"],
            "sum one by one (points)": 100 * rows["parts"],
            "difference (points)": 100 * rows["synergy"],
            "95 % interval": _intervals(rows),
            "photos": rows["photos"],
        }
    )
    return table.drop_duplicates()  # an itemset may be all relevant units of its class


def _units(units: Sequence[int]) -> str:
    return ", ".join(str(unit) for unit in units)


def _intervals(rows: pd.DataFrame) -> list[str]:
    return [
        "–" if pd.isna(low) else f"{100 * low:.1f} to {100 * high:.1f}".replace("-", "\u2212")
        for low, high in zip(rows["low"], rows["high"], strict=True)
    ]


def _table(table: pd.DataFrame, key: str, alt: str) -> None:
    points = {name: _POINTS for name in map(str, table) if name.endswith("(points)")}
    data_table.show(table, key=key, column_config=points, alt=alt)
