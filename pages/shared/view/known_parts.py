"""Units beside parts that are known: shown where a study was dissected, as the embedded demo is."""

import pandas as pd

from interpret.findings import Findings
from interpret.findings.tables import Units
from pages.shared import wording
from pages.shared.backend import numbers
from pages.shared.view import widgets


def of_unit(found: Findings, unit: int) -> list[widgets.Block]:
    """A line on the part that the unit detects; nothing where no parts are known."""
    known = numbers.dissection(found.study)
    if known is None:
        return []
    row = known.units.iloc[unit]
    if pd.isna(row["best_part"]):
        return [widgets.line(widgets.text("Of the parts that are known it detects none.", "faint"))]
    words = [widgets.text(f"IoU {row['iou']:.2f}", "faint")]
    if pd.notna(row["runner_up"]):
        words.append(widgets.text(f"next {row['runner_up']}, {row['runner_up_iou']:.2f}", "faint"))
    name = str(row["best_part"]) if pd.notna(row["part"]) else f"hardly anything known; most of all {row['best_part']}"
    return [
        widgets.line(
            widgets.text(f"On {wording.count(known.facts['images'], 'held-out image')} it detects:"),
            widgets.text(name, "strong"),
            words,
        )
    ]


def of_itemset(found: Findings, units: Units) -> list[widgets.Block]:
    """A line on the parts of an itemset, and whether they are parts of its classes, where that was judged."""
    known = numbers.dissection(found.study)
    if known is None:
        return []
    names = known.units["part"]
    said = [f"{unit}: {names[unit] if pd.notna(names[unit]) else 'no known part'}" for unit in units]
    verdict = ""
    if found.config == found.study.mine_config:
        judged = known.itemsets[known.itemsets["itemset_id"] == found.id_of.get(units, -1)]
        if len(judged):
            true = bool(judged["true"].iloc[0])
            verdict = "Parts of all these classes." if true else "Not parts of all these classes."
    return [
        widgets.line(
            widgets.text("What the units detect:"),
            widgets.text(", ".join(said), "strong"),
            widgets.text(verdict, "faint"),
        )
    ]


def score(found: Findings) -> str:
    """One sentence on how many class-shared itemsets are true, beside random ones; empty where nothing was judged."""
    known = numbers.dissection(found.study)
    if known is None or found.config != found.study.mine_config:
        return ""
    row = known.shares[(known.shares["kind"] == "shared") & (known.shares["size"] == 0)]
    if row.empty or not int(row["itemsets"].iloc[0]):
        return ""
    first = row.iloc[0]
    return (
        f"The drawings' true parts are known: {wording.percent(first['share'])} of "
        f"{wording.count(int(first['itemsets']), 'class-shared set')} detect parts that all their classes have; of "
        f"random sets of the same sizes, {wording.percent(first['random'])}."
    )
