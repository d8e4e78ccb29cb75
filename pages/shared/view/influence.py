"""What each class's units do to every other class, on the page Evaluation; for many classes the largest effects."""

import html

import numpy as np
import pandas as pd
import streamlit as st

from interpret.evaluation import cross_class
from interpret.evaluation.evaluate import Evaluation
from interpret.figures import influence_charts
from interpret.study import Study
from pages.shared import wording
from pages.shared.controls import address
from pages.shared.view import data_table, figures, saved_tables, screen

AFFECTED = 12
"""Classes shown for one class's units (count): those that fall most."""

LARGE, LARGE_WORDS = 0.05, "5 points or more"
"""Fall of another class's accuracy (fraction) from which it is named."""

NAMED = 3
"""Such falls that are named (count)."""

PAIRS = 100
"""Pairs of different classes listed (count)."""


def show(study: Study, result: Evaluation) -> None:
    """Show by how much each class falls with each class's units ablated."""
    st.header("Ablate A’s units, measure class B", anchor=False)
    ids = [int(class_id) for class_id in result.matrix.index]
    names = {class_id: wording.class_text(study, class_id) for class_id in ids}
    wording.paragraph(_where_lost(result, names))
    if len(ids) <= influence_charts.FEW:
        _cells(study, result, list(names.values()))
        return
    one, most, every = st.tabs(["One class’s units", "Largest effects on others", "All pairs"])
    with one:
        _one(study, result, names)
    with most:
        _most(study, result, names)
    with every:
        _map(study, result, list(names.values()))


def _where_lost(result: Evaluation, names: dict[int, str]) -> str:
    """The matrix in sentences, as HTML: where accuracy is lost, and which other classes lose most."""
    values = result.matrix.to_numpy(np.float64)
    share = cross_class.own_share(result.matrix)
    if share != share:
        return "No class loses accuracy with any class’s units ablated."
    others = values[~np.eye(len(values), dtype=bool)]
    words = f"A class’s accuracy changes by {_points(-np.diag(values).mean())} on average with its own units ablated"
    if not len(others):
        return f"{words}."
    words += (
        f", by {_points(-others.mean())} with those of another class. {wording.percent(share)} of all the falls in "
        "this matrix are of the class whose units are ablated (on the diagonal)"
    )
    large = cross_class.strongest(result.matrix, others.size)
    large = large[large["fall"] >= LARGE]
    if large.empty:
        return f"{words}; no other class falls by {LARGE_WORDS}."
    named = [
        f"{html.escape(names[b])} by {100 * fall:.1f} points with the units of {html.escape(names[a])}"
        for a, b, fall in large.head(NAMED).itertuples(index=False)
    ]
    count = wording.count(len(large), "pair")
    return f"{words}; in {count} of classes the other one falls by {LARGE_WORDS}, most of all {'; '.join(named)}."


def _points(change: float) -> str:
    return f"{round(100 * change, 1) + 0.0:+.1f} points".replace("-", "\u2212")


def _cells(study: Study, result: Evaluation, names: list[str]) -> None:
    state = figures.show(
        influence_charts.influence_matrix(result.matrix, names, narrow=screen.is_phone()),
        name=f"{study.name}-matrix",
        key="matrix",
        on_select="rerun",
        selection_mode="points",
        alt="for each pair of classes, how far the accuracy of the second falls with the units of the first ablated",
    )
    points = state["selection"]["points"] if state else []
    if points:
        off, measured = (int(class_id) for class_id in points[0]["customdata"])
        _open(off if off == measured else measured)


def _one(study: Study, result: Evaluation, names: dict[int, str]) -> None:
    ids = list(names)
    chosen = st.selectbox(
        "Class whose units are ablated",
        ids,
        format_func=lambda c: names[c],
        key="influence_of",
        width=screen.pixels(420),
    )
    every = result.matrix.to_numpy(float)[ids.index(chosen)]
    most = np.argsort(-every, kind="stable")[:AFFECTED]
    most = most[every[most] > 0]
    if not len(most):
        wording.paragraph("No class falls with these units ablated.")
        return
    shown = [ids[place] for place in most.tolist()]
    state = figures.show(
        influence_charts.affected_bars(every[most], shown, [names[c] for c in shown], int(chosen)),
        name=f"{study.name}-affected",
        key=f"affected_{chosen}",
        on_select="rerun",
        selection_mode="points",
        alt=f"the classes whose accuracy falls most with the units of {names[chosen]} ablated",
    )
    points = state["selection"]["points"] if state else []
    if points:
        _open(int(points[0]["customdata"][0]))


def _most(study: Study, result: Evaluation, names: dict[int, str]) -> None:
    pairs = cross_class.strongest(result.matrix, PAIRS)
    if pairs.empty:
        wording.paragraph("No class’s units cost another class any accuracy.")
        return
    shown = pd.DataFrame(
        {
            "units of": pairs["off"].map(names),
            "measured": pairs["measured"].map(names),
            "points": (100 * pairs["fall"]).round(1),
        }
    )
    wording.paragraph("The falls of other classes’ accuracy with a class’s units ablated, in points, the largest first")
    data_table.show(
        shown,
        key="influence_pairs",
        alt="the pairs of classes with the largest fall, largest first",
    )
    file = wording.file_name(f"{study.name}-matrix", "csv")
    saved_tables.buttons("All pairs", lambda: result.matrix, file, index=True)


def _map(study: Study, result: Evaluation, names: list[str]) -> None:
    figures.show(
        influence_charts.influence_map(result.matrix, names, result.clusters),
        name=f"{study.name}-matrix",
        key="matrix",
        alt="for each pair of classes, how far the accuracy of the second falls with the units of the first ablated; "
        "classes that affect each other stand side by side",
    )
    st.caption(
        "Drag over a part to enlarge it until the classes’ names appear; a double click shows all again. Classes that "
        "affect each other stand side by side. Colours end at the largest fall of another class."
    )


def _open(class_id: int) -> None:
    address.go("class_specific", {**address.settings(), "class": str(class_id)})
