"""Support beside contrast support, in words and bars; whether a finding is supported, and how many are."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from interpret.findings import Findings
from interpret.findings.rows import Units
from interpret.study import Study
from interpret.words import lift_text as lift_text
from pages.shared import wording
from pages.shared.view import widgets

NOT_SUPPORTED = "not supported"
"""What marks a finding that the contrast does not support."""


def notice(study: Study) -> None:
    """Say that nothing was tested, and what would test it; nothing if the study has a contrast."""
    if not study.has_contrast:
        wording.paragraph(
            "Nothing was tested: this study has no contrast. Add it with <code>unitscope contrast STUDY</code>.",
            "untested",
        )


def elsewhere(share: float, class_name: str) -> str:
    """`; 28 % where other photos are explained as tench`; empty if no contrast was counted."""
    return "" if pd.isna(share) else f"; {wording.percent(share)} where other photos are explained as {class_name}"


def beside(words: str, share: float, class_name: str, kind: str = "faint") -> list[widgets.Part]:
    """`84 % of 186 patches; 28 % where other photos are explained as tench`, the latter with its meaning on hover."""
    if pd.isna(share):
        return [widgets.text(words, kind)]
    return [
        widgets.term(
            f"where other photos are explained as {class_name}",
            wording.TERMS["contrast support"],
            kind=kind,
            before=f"{words}; {wording.percent(share)} ",
        )
    ]


def note(support: float, contrast: float) -> str:
    """`84 %, contrast 28 %` for a list; `84 %` if no contrast was counted."""
    return wording.percent(support) + ("" if pd.isna(contrast) else f", contrast {wording.percent(contrast)}")


def bars(support: float, contrast: float, colour: str, class_name: str) -> list[widgets.Part]:
    """The pair of bars of a support and its contrast support; none if no contrast was counted."""
    if pd.isna(contrast):
        return []
    words = f"{wording.percent(support)} of {class_name}'s patches{elsewhere(contrast, class_name)}"
    return [widgets.pair(support, contrast, colour, words)]


def tag(support: float, contrast: float, colour: str, class_name: str, **more: Any) -> widgets.Part:
    """A class's name with a support in it, its contrast support and their bars, for a list."""
    pair = bars(support, contrast, colour, class_name)
    return widgets.class_tag(class_name, colour, note(support, contrast), pair=pair[0] if pair else None, **more)


def mark(findings: Findings, supported: bool) -> list[widgets.Part]:
    """`not supported`, for a finding that is not; nothing where nothing was tested."""
    return [widgets.text(NOT_SUPPORTED, "warn")] if findings.study.has_contrast and not supported else []


def verdict(findings: Findings, units: Units, *, measured: bool = False) -> list[widgets.Block]:
    """A line on whether an itemset is supported, with the values that decide; none where nothing was tested.

    With ``measured``, the values of an itemset of one class are left out: they stand beside the line already.
    """
    rows = findings.table[findings.table["itemset_id"] == findings.id_of.get(units, -1)]
    if rows.empty or not findings.study.has_contrast:
        return []
    if bool((rows["contrast_images"] == 0).any()):
        said = "Not tested: the model calls no photo of this study anything else, so nothing stands against it."
        return [widgets.line(widgets.text(said, "faint"), size="small")]
    supported = bool(rows["supported"].all())
    label = widgets.text("Supported" if supported else "Not supported", "strong" if supported else "warn")
    lift, largest_q = rows["contrast_lift"].min(skipna=False), rows["image_q_value"].max(skipna=False)
    several = len(rows) > 1
    values = [
        widgets.measure(
            "smallest contrast lift" if several else "contrast lift",
            f"{lift_text(lift)},",
            wording.TERMS["contrast lift"],
        ),
        widgets.measure("largest q" if several else "q", wording.small_number(largest_q), wording.TERMS["q-value"]),
    ]
    return [widgets.line(label, [] if measured and not several else values, size="small")]


def listed(findings: Findings, rows: pd.DataFrame, everything: bool) -> pd.DataFrame:
    """The supported rows; all, supported ones first, if ``everything`` is asked for or none is supported."""
    if not findings.study.has_contrast:
        return rows
    supported = rows["supported"].to_numpy(bool)
    if everything or not supported.any():
        return rows.iloc[(~supported).argsort(kind="stable")].reset_index(drop=True)
    return rows[supported].reset_index(drop=True)


def counts(findings: Findings, supported: Sequence[bool], everything: bool | None, noun: str) -> str:
    """How many of a list's findings are supported and how many not, and where the others are; empty if untested.

    ``everything`` is whether the others are listed, None where there is no list.
    """
    if not findings.study.has_contrast or not len(supported):
        return ""
    kept, term = sum(supported), wording.term("supported")
    rest = len(supported) - kept
    if not kept:
        listing = "" if everything is None else "; all are listed"
        return f"None of {wording.count(rest, noun)} is {term} by the contrast{listing}."
    if not rest:
        return f"{wording.count(kept, noun)} {'is' if kept == 1 else 'are'} {term} by the contrast; there is no other."
    others = f"{rest:,} {'is' if rest == 1 else 'are'} not"
    shown = "" if everything is None else " (marked below)" if everything else " (not shown)"
    return f"{wording.count(kept, noun)} {'is' if kept == 1 else 'are'} {term} by the contrast; {others}{shown}."
