"""The list of confusion pairs: which class is taken for which, how often, and the one that is chosen."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from interpret import frames
from interpret.confusion.pairs import PairRow
from interpret.study import Study
from pages.shared import wording
from pages.shared.backend import pictures
from pages.shared.controls import paging
from pages.shared.view import widgets

LISTED = 6
"""Pairs on one page of the list (count)."""

PAGE_PARAM = "pairs"
"""The parameter in the address for the page of the list."""


def show(
    study: Study, pairs: pd.DataFrame, chosen: tuple[int, int], on_select: Callable[[dict[str, Any]], None]
) -> None:
    """Show a page of the pairs, each with its number of errors; a click calls ``on_select`` with `pair`."""
    pages = max(1, -(-len(pairs) // LISTED))
    page = paging.page_of(PAGE_PARAM, pages, "pairs")
    largest = int(pairs["errors"].max())
    colours = pictures.colours(study)
    lines = []
    for row in frames.rows(pairs.iloc[(page - 1) * LISTED : page * LISTED], PairRow):
        a, b = (wording.class_text(study, class_id) for class_id in (row.label, row.predicted))
        grey = "#888888"
        words = f"{row.errors:,} of {wording.count(row.photos, 'photo')} of {a} are taken for {b}"
        lines.append(
            widgets.line(
                widgets.class_tag(a, colours.get(row.label, grey)),
                widgets.text("→"),
                widgets.class_tag(
                    b,
                    colours.get(row.predicted, grey),
                    f"{row.errors:,} of {row.photos:,}",
                    pair=widgets.pair(row.errors / largest, 0.0, colours.get(row.predicted, grey), words),
                ),
                act={"pair": f"{row.label}-{row.predicted}"},
                on=(row.label, row.predicted) == chosen,
                title=words,
            )
        )
    widgets.show(lines, "confusion_pairs", on_select)
    with st.container(horizontal=True):
        paging.buttons(PAGE_PARAM, pages)
