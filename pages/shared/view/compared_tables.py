"""Tables of two studies side by side: classes, units matched, Table 1."""

import html
from pathlib import Path

import pandas as pd
import streamlit as st

from interpret.comparison import same_photos_measured, table_1_side_by_side
from interpret.comparison.compare import LEAST_CORRELATION
from interpret.evaluation.evaluate import Evaluation
from interpret.figures import comparison_charts
from pages.shared import wording
from pages.shared.backend import cached_results
from pages.shared.backend.comparisons import Pair, Side
from pages.shared.controls import address
from pages.shared.view import compared_findings, data_table, figures, saved_tables, widgets

_PERCENT = st.column_config.NumberColumn(format="%.1f %%")


def classes(pair: Pair) -> None:
    """Each class's photos, recall and findings in both studies."""
    table = pair.found.classes
    both = int(((table["photos_a"] > 0) & (table["photos_b"] > 0)).sum())
    names = pair.a.study.class_names, pair.b.study.class_names
    numbered = bool((pair.found.class_b >= 0).any()) and not set(names[0]) & set(names[1])
    by = "number, as one study’s have no names" if numbered else "name"
    wording.paragraph(
        f"{wording.count(len(table), 'class', 'classes')}, matched by {by}; in both studies photos are predicted as "
        f"{both:,} of them. Recall is the share of the photos labelled so that are predicted so."
    )
    shown = table.rename(columns={name: _heading(name) for name in table.columns})
    percents = ["recall A", "recall B"]
    shown[percents] = 100 * shown[percents]
    for name in [name for name in percents if shown[name].isna().all()]:  # no photo has a label
        shown = shown.drop(columns=name)
        percents.remove(name)
    data_table.show(
        shown,
        key="compared_classes",
        column_config=dict.fromkeys(percents, _PERCENT),
        alt="photos, recall and itemsets of each class in both studies",
    )
    _buttons(pair, "All classes", table, "classes")


def _heading(column: str) -> str:
    """`recall_a` as `recall A`."""
    name, _, side = column.partition("_")
    return f"{name} {side.upper()}".strip()


def units(pair: Pair) -> None:
    """The counterpart of each unit, how well both correlate, and the patches of the chosen pair."""
    matches = pair.found.matches
    if matches is None:
        wording.paragraph(
            "Units have the same numbers in both studies; with too few photos in common their activations are not "
            "compared."
            if pair.found.same_network
            else "Units were not matched: the studies have too few photos in common."
        )
        return
    table = matches.table().rename(columns={"unit": "unit_a", "counterpart": "unit_b", "best": "best_b"})
    table = table.sort_values(["correlation", "unit_a"], ascending=[False, True], ignore_index=True)
    wording.paragraph(
        f"Units of A and B, matched one with one over {wording.count(matches.photos, 'photo')} so that the sum of the "
        "correlations of their mean activations is largest. Beside it the unit of B that correlates best, whatever "
        "others are matched with it. A click on a row shows the patches of both."
    )
    left, right = st.columns([9, 11], gap="large")
    with left:
        chosen = _chosen_unit(table)
        _unit_table(table, chosen)
        _buttons(pair, "All units", table, "units")
        figures.show(
            comparison_charts.correlations(matches.correlation, matches.best_correlation, LEAST_CORRELATION),
            key="correlations",
            name=f"{pair.a.study.name}-{pair.b.study.name}-correlations",
            alt="histogram of the correlations of units with their counterparts",
        )
    with right:
        row = table[table["unit_a"] == chosen].iloc[0]
        _strips(pair.a, int(row["unit_a"]))
        if pd.isna(row["unit_b"]):
            wording.paragraph("This unit is left over, or its activation is the same in all photos of both studies.")
        else:
            _strips(pair.b, int(row["unit_b"]))


def _chosen_unit(table: pd.DataFrame) -> int:
    """The unit of A in the address, else the one that is matched best."""
    asked = st.query_params.get("unit")
    unit = address.whole_number(asked)
    if unit is not None and unit < len(table):
        return unit
    if asked:
        st.warning(f"There is no unit {wording.markdown(asked[:20])} in A; the best matched one is shown.")
    return int(table["unit_a"].iloc[0])


def _unit_table(table: pd.DataFrame, chosen: int) -> None:
    def picked() -> None:
        state = st.session_state.get("compared_units")  # none where the page is being left
        if state and (clicked := state["selection"]["rows"]):
            address.change({"unit": int(table["unit_a"].iloc[clicked[0]])})

    place = table.index[table["unit_a"] == chosen].tolist()
    data_table.show(
        table,
        key="compared_units",
        column_config={
            "unit_a": st.column_config.NumberColumn("unit of A", format="%d"),
            "unit_b": st.column_config.NumberColumn("matched in B", format="%d"),
            "correlation": st.column_config.NumberColumn(format="%.2f", help="Pearson’s, over the photos of both"),
            "best_b": st.column_config.NumberColumn("best in B", format="%d"),
            "best_correlation": st.column_config.NumberColumn("its correlation", format="%.2f"),
        },
        on_select=picked,
        selection_mode="single-row",
        selection_default={"selection": {"rows": place}},
        alt="each unit of A with the unit of B that it is matched with",
    )


def _strips(side: Side, unit: int) -> None:
    """A unit of one of the studies with the patches in which it counts most."""
    linked = address.link_in(side.study.name, "unit", unit=unit)
    heading = widgets.line(
        widgets.text(side.name), widgets.unit(unit, **linked, title=f"what unit {unit} responds to"), size="big"
    )
    strips = compared_findings.strip(side, (unit,), None)
    if not strips:
        said = f"among the {side.findings.config.top_units} strongest units of no patch"
        strips = [widgets.line(widgets.text(said, "faint"))]
    widgets.show([heading, *strips], f"compared_unit_{side.letter}")


def table_1(pair: Pair) -> None:
    """Table 1 of both studies, each as it was measured last."""
    measured: list[Evaluation] = []
    for side in (pair.a, pair.b):
        results, refused = cached_results.evaluations(side.study)
        for sentence in refused:
            st.warning(wording.markdown(sentence))
        if results:
            measured.append(results[0])
            continue
        name = html.escape(side.study.name)
        wording.paragraph(
            f"{name} was not evaluated yet: its page Evaluation measures it, or <code>unitscope evaluate {name}</code>."
        )
        link = address.link_in(side.study.name, "evaluation")
        part = {"t": "link", "text": f"Evaluate {side.study.name}", **link}
        widgets.show([widgets.line(part)], f"evaluate_{side.letter}")
    if len(measured) < 2:
        return
    a, b = measured
    told = []
    for side, result in zip((pair.a, pair.b), measured, strict=True):
        mined = ", which were mined: that flatters every method" if result.about.get("same_photos") else ""
        photos = wording.count(int(result.about["photos"]), "photo")
        name = html.escape(Path(str(result.about.get("measured_on", ""))).name)
        told.append(f"{side.letter} on {photos} of {name}{mined}" if name else f"{side.letter} on {photos}{mined}")
    wording.paragraph(
        f"Accuracy with each class’s units ablated, each method with its own number of them; measured: {told[0]}; "
        f"{told[1]}."
    )
    if not same_photos_measured(a, b):
        st.info(
            "The two were measured on different photos: compare how far accuracy falls within each, not one "
            "accuracy with the other."
        )
    table = table_1_side_by_side(a, b)
    shown = table.copy()
    accuracies = ["accuracy_a", "accuracy_b"]
    shown[accuracies] = 100 * shown[accuracies]
    amount = st.column_config.NumberColumn(format="%.2f", help="ablated per class, mean over the classes")
    data_table.show(
        shown.rename(columns={name: _heading(name) for name in shown.columns}),
        key="compared_table_1",
        column_config={
            **{_heading(name): st.column_config.NumberColumn(format="%.2f %%") for name in accuracies},
            "units A": amount,
            "units B": amount,
        },
        alt="accuracy with each method's own number of units ablated, in both studies",
    )
    _buttons(pair, "This table", table, "table1")


def _buttons(pair: Pair, what: str, table: pd.DataFrame, name: str) -> None:
    file = wording.file_name(pair.a.study.name, pair.b.study.name, name, "csv")
    saved_tables.buttons(what, lambda: table, file)
