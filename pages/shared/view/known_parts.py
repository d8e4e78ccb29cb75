"""Which known part a unit detects, and whether itemsets are true: shown for dissected studies, as the demo is."""

import pandas as pd

from interpret import frames
from interpret.dissection.supported import SupportedRow
from interpret.dissection.verdicts import SHARED
from interpret.findings import Findings
from interpret.findings.rows import Units
from pages.shared import wording
from pages.shared.backend import cached_results
from pages.shared.view import widgets


def of_unit(findings: Findings, unit: int) -> list[widgets.Block]:
    """A line on the part that the unit detects; none if the study was not dissected."""
    dissection, refused = cached_results.dissection(findings.study), _refused(findings)
    if dissection is None:
        return refused
    row = dissection.units.iloc[unit]
    if pd.isna(row["best_part"]):
        return [widgets.line(widgets.text("It detects none of the known parts.", "faint")), *refused]
    runner_up = [widgets.text(f"IoU {row['iou']:.2f}", "faint")]
    if pd.notna(row["runner_up"]):
        runner_up.append(widgets.text(f"next {row['runner_up']}, {row['runner_up_iou']:.2f}", "faint"))
    name = str(row["best_part"]) if pd.notna(row["part"]) else f"no known part; closest is {row['best_part']}"
    return [
        widgets.line(
            widgets.text(f"On {wording.count(dissection.facts['images'], 'held-out photo')} it detects:"),
            widgets.text(name, "strong"),
            runner_up,
        ),
        *refused,
    ]


def of_itemset(findings: Findings, units: Units) -> list[widgets.Block]:
    """A line on the parts that an itemset's units detect, and the verdict on the itemset if there is one."""
    dissection, refused = cached_results.dissection(findings.study), _refused(findings)
    if dissection is None:
        return refused
    names = dissection.units["part"]
    detected = [f"{unit}: {names[unit] if pd.notna(names[unit]) else 'no known part'}" for unit in units]
    verdict = ""
    judged = cached_results.judged(findings)
    if judged is not None:
        verdicts = judged[0][judged[0]["itemset_id"] == findings.id_of.get(units, -1)]
        if len(verdicts):
            holds = bool(verdicts["true"].iloc[0])
            verdict = (
                "True: all these classes have these parts."
                if holds
                else "Not true: not all these classes have these parts."
            )
    return [
        widgets.line(
            widgets.text("What the units detect:"),
            widgets.text(", ".join(detected), "strong"),
            widgets.text(verdict, "faint"),
        ),
        *refused,
    ]


def _refused(findings: Findings) -> list[widgets.Block]:
    """A line on a comparison with known parts that is damaged, if there is one."""
    refused = cached_results.dissection_refused(findings.study)
    return [widgets.line(widgets.text(refused, "faint"))] if refused else []


def score(findings: Findings) -> str:
    """A sentence on the share of true class-shared itemsets, those that the contrast supports where there is one.

    Random sets of the same sizes stand beside them. Empty without verdicts.
    """
    judged = cached_results.judged(findings)
    if judged is None:
        return ""
    rows = frames.rows(judged[1], SupportedRow)
    shared = {row.findings: row for row in rows if row.kind == SHARED and row.itemsets}
    if "all" not in shared:
        return ""
    every, believed = shared["all"], shared.get("supported")
    of_supported = ""
    if believed and believed.itemsets == every.itemsets:
        of_supported = " The contrast supports them all."
    elif believed:
        of_supported = (
            f" Of the {believed.itemsets:,} that the contrast supports, {wording.percent(believed.share)} do."
        )
    return (
        f"The parts in these drawings are known: {wording.percent(every.share)} of "
        f"{wording.count(every.itemsets, 'class-shared set')} detect parts that all their classes have; of "
        f"random sets of the same sizes, {wording.percent(every.random)}.{of_supported}"
    )
