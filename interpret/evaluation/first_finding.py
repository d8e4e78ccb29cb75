"""The finding to show first: the one whose ablation costs its classes most, and no other class, in the mined photos."""

import numpy as np

from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.cross_class import class_falls
from interpret.findings import Findings
from interpret.findings.rows import Units

EACH = 3
"""Findings of each class, or of the classes that share them, that are ablated (count)."""

MOST = 100
"""Findings that are ablated at the most (count)."""


def first_finding(findings: Findings, mined_set: AblationSet) -> tuple[Units, tuple[int, ...]] | None:
    """An itemset and its classes; None where nothing was found.

    Of the supported itemsets of two to five units, the :data:`EACH` with the largest share of the scores of each class
    (or of the classes that share them) are ablated, and the one of the largest difference is taken: the fall of
    accuracy of its own classes, where it is smallest, less that of the other classes, where it is largest and above 0.
    Only mined photos decide, so that its effect in other photos is not chosen. Where there is no such itemset, no class
    of it has photos, or the head is not linear and ablating takes long, it is that of
    :meth:`~interpret.findings.Findings.headline`.

    Args:
        findings: what mining found.
        mined_set: the photos that were mined, and the head.
    """
    findings = findings.without_stability()
    rows = findings.candidates
    rows = rows[rows["supported"] & rows["named"]]
    classes = mined_set.classes
    known = [bool(np.isin(class_ids, classes).all()) for class_ids in rows["class_ids"]]
    rows = rows[np.array(known, np.bool_)].groupby("class_ids", sort=False).head(EACH).head(MOST)
    if rows.empty or not mined_set.head.linear:
        return findings.headline()
    falls = class_falls(mined_set, classes, [np.array(units, np.int64) for units in rows["units"]])
    inside = np.stack([np.isin(classes, class_ids) for class_ids in rows["class_ids"]])
    own = np.where(inside, falls, np.inf).min(axis=1)
    others = np.where(inside, 0.0, falls).max(axis=1, initial=0.0)
    best = rows.iloc[int((own - others).argmax())]
    return best["units"], best["class_ids"]
