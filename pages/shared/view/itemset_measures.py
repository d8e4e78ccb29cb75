"""What itemsets say beyond single units: minimal causal sets, joint firing and transfer, on the page Evaluation."""

import html
import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from interpret.evaluation.evaluate import Evaluation
from interpret.evaluation.itemsets import sentences
from interpret.evaluation.itemsets.sentences import Figures
from interpret.evaluation.itemsets.summary import SummaryRow
from interpret.figures import itemset_charts
from interpret.figures.itemset_charts import EVIDENCE, ITEMSETS, MINED, RANDOM, WRONG, Series
from interpret.study import Study
from pages.shared import wording
from pages.shared.view import data_table, figures, saved_tables, style

UNITS = {"1": "1 unit", "2": "2 units", "3": "3 units", "4+": "4 or more units", "none": "no set"}
"""Names of the sizes of sets."""


def show(study: Study, result: Evaluation) -> None:
    """Show the comparison; where an earlier version evaluated, say how to get it."""
    st.header("What do itemsets add to single units?", anchor=False)
    measured = sentences.top_units_of(result.itemsets.beyond)
    if not measured:
        wording.paragraph("This evaluation was made without these measures; measure again below to see them.")
        return
    n = measured[0]
    if len(measured) > 1:
        n = st.segmented_control(
            "Units per patch", measured, default=n, format_func=lambda size: f"N = {size}", key="beyond_n"
        ) or n  # fmt: skip
    told = sentences.figures_of(result.itemsets.beyond, n)
    causal, firing, transfer = st.tabs(["Minimal causal sets", "Joint firing", "Transfer to other photos"])
    with causal:
        _causal(study, result, told, n)
    with firing:
        _firing(study, result, told, n)
    with transfer:
        _transfer(study, result, told, n)


def _causal(study: Study, result: Evaluation, told: Figures, n: int) -> None:
    sizes = [size for size in UNITS if ("causal sets", "size", size) in told]
    if not sizes:
        _say(sentences.causal_sentences(told))
        return
    left, right = st.columns(2, gap="large")
    with left:
        _say([*sentences.size_sentences(told), *sentences.halving_sentences(told)])
        _chart(
            study,
            f"minimal-sets-{n}",
            [UNITS[size] for size in sizes],
            [_series("minimal sets", ITEMSETS, told, [("causal sets", "size", size) for size in sizes])],
            "share of photos",
            "share of the photos by the size of their minimal causal sets",
        )
    with right:
        _say(sentences.set_sentences(told))
        kinds = {
            "itemsets": (ITEMSETS, "circle", ["inside", "changed_itemset", "changed_itemsets"]),
            "units of most evidence": (EVIDENCE, "diamond", ["", "changed_evidence", ""]),
            "random, as frequent": (RANDOM, "square", ["inside_random", "", "changed_random"]),
        }
        _chart(
            study,
            f"causal-sets-{n}",
            ["minimal set inside\nan itemset", "best set\nchanges prediction", "any set\nchanges prediction"],
            [
                _series(name, colour, told, [("causal sets", measure, "2+") for measure in measures], symbol)
                for name, (colour, symbol, measures) in kinds.items()
            ],
            "share of photos",
            "shares of photos for itemsets, for single units of most evidence and for random sets",
        )
    halving = result.itemsets.halving
    halving = halving[halving["top_units"] == n]
    with st.expander("Each class: the fewest units that cost it half of its correct predictions"):
        data_table.show(
            _halving(study, halving),
            key="halving",
            alt="the halving set of each class",
        )
    _download(study, result.itemsets.causal, n, "causal-sets", "The photos’ minimal sets")
    st.caption(
        "A minimal causal set is the smallest set of a class’s itemset units whose ablation changes the prediction of "
        "a held-out photo. On the right are photos with sets of two or more units. Best: the set of that size with "
        "most evidence; any: the mean over all of that size. Lines are 95 % intervals over photos."
    )


def _firing(study: Study, result: Evaluation, told: Figures, n: int) -> None:
    sizes = [size for size in UNITS if ("joint firing", "held_fixed_ratio", size) in told]
    if not sizes:
        _say(sentences.firing_sentences(told))
        return
    kinds = {
        "held-out photos": (ITEMSETS, "circle", "held_fixed_ratio"),
        "mined photos": (MINED, "diamond", "fixed_ratio"),
        "contrast": (RANDOM, "square", "contrast_fixed_ratio"),
    }
    left, right = st.columns([5, 6], gap="large")
    with left:
        _say(sentences.firing_sentences(told))
        _download(study, result.itemsets.firing, n, "joint-firing", "Every itemset")
    with right:
        _chart(
            study,
            f"joint-firing-{n}",
            [UNITS[size] for size in sizes],
            [
                _series(name, colour, told, [("joint firing", measure, size) for size in sizes], symbol)
                for name, (colour, symbol, measure) in kinds.items()
            ],
            "times as often as independent picks",
            "how often the units of itemsets come together, over independent picks, by size of the itemset",
            reference=1.0,
            share=False,
        )
    st.caption(
        "A transaction holds at most N units, so each takes a place from the others: the comparison is with "
        "independent picks of as many units, not with the product of the single supports (which is in the CSV). Lines "
        "are 95 % intervals over photos; beyond noise: q ≤ 0.05 in held-out photos, which did not choose the itemsets."
    )


def _transfer(study: Study, result: Evaluation, told: Figures, n: int) -> None:
    sizes = [size for size in UNITS if ("transfer", "held", size) in told]
    if not sizes:
        _say(sentences.transfer_sentences(told))
        return
    kinds = {
        "mined photos": (MINED, "diamond", "mined"),
        "held-out photos": (ITEMSETS, "circle", "held"),
        "wrong predictions": (WRONG, "x", "wrong"),
        "contrast": (RANDOM, "square", "contrast"),
    }
    left, right = st.columns([5, 6], gap="large")
    with left:
        _say(sentences.transfer_sentences(told))
        _download(study, result.itemsets.transfer, n, "transfer", "Every itemset")
    with right:
        _chart(
            study,
            f"transfer-{n}",
            [UNITS[size] for size in sizes],
            [
                _series(name, colour, told, [("transfer", measure, size) for size in sizes], symbol)
                for name, (colour, symbol, measure) in kinds.items()
            ],
            "share of photos with the itemset",
            "share of mined, held-out and contrast photos that hold an itemset, by its size",
        )
    st.caption(
        "Held-out: other photos predicted as the class; wrong predictions: those of them that are of another class. "
        "Contrast: mined photos predicted as something else and explained for the class. Means over itemsets, then "
        "over classes; lines are 95 % intervals over photos, and fewer than 30 photos have none."
    )


def _say(told: Sequence[str]) -> None:
    for sentence in told:
        wording.paragraph(html.escape(sentence).replace("&lt;=", "≤"))


def _series(
    name: str, colour: str, told: Figures, keys: Sequence[tuple[str, str, str]], symbol: str = "circle"
) -> Series:
    nothing = SummaryRow("", "", 0, "", math.nan, math.nan, math.nan, 0, "")
    rows = [told.get(key, nothing) for key in keys]
    counts = [wording.count(row.n, row.of.removesuffix("es" if row.of == "classes" else "s"), row.of) for row in rows]
    return Series(
        name, colour, [row.value for row in rows], [row.low for row in rows], [row.high for row in rows], counts, symbol
    )


def _chart(
    study: Study,
    name: str,
    categories: Sequence[str],
    series: Sequence[Series],
    title: str,
    alt: str,
    *,
    reference: float | None = None,
    share: bool = True,
) -> None:
    figures.show(
        itemset_charts.intervals(categories, series, title, reference=reference, share=share, paper=style.paper()),
        name=f"{study.name}-{name}",
        key=f"beyond_{name}",
        alt=alt,
    )


def _halving(study: Study, halving: pd.DataFrame) -> pd.DataFrame:
    """The halving sets for reading: names and words in place of ids and fractions."""
    frame = halving.copy()
    return pd.DataFrame(
        {
            "class": [wording.class_text(study, int(class_id)) for class_id in frame["class_id"]],
            "correct photos": frame["photos"],
            "candidates": frame["candidates"],
            "units": [wording.itemset_text(tuple(units)) or "–" for units in frame["units"]],
            "lost": [wording.percent(share) for share in frame["lost"]],
            "as many of most evidence": [wording.percent(share) for share in frame["lost_evidence"]],
            "as many random": [wording.percent(share) for share in frame["lost_random"]],
            "all candidates": [wording.percent(share) for share in frame["lost_all"]],
            "is an itemset": ["–" if pd.isna(held) else "yes" if held else "no" for held in frame["is_itemset"]],
        }
    )


def _download(study: Study, frame: pd.DataFrame, n: int, name: str, what: str) -> None:
    file = wording.file_name(study.name, f"{name}-{n}", "csv")
    saved_tables.buttons(what, lambda: frame[frame["top_units"] == n], file)
