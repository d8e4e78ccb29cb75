"""What two studies have in common, and what only one of them has."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.comparison.matching import LEAST_PHOTOS, Matches, match_units, shared_photos
from interpret.findings import Findings
from interpret.findings.rows import Units
from interpret.findings.unit_index import unit_index
from interpret.study import Study

LEAST_CORRELATION = 0.5
"""Correlation from which on a unit counts as another one's counterpart, where networks differ."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two studies side by side.

    Attributes:
        same_network: whether both have the same weights and layer, so that units have the same numbers.
        photos: that both studies have (count).
        agreement: share of these that both networks predict as classes of the same name; NaN where there are none.
        classes: one row for each class of either study, by name: photos_a, photos_b (predicted as it, count),
            recall_a, recall_b (share of the photos labelled so that are predicted so, NaN without labels), itemsets_a,
            itemsets_b (closed ones, count), supported_a, supported_b (those that the contrast supports); 0 or NaN where
            a study lacks the class.
        matches: the units' counterparts; None where the studies share too few photos and differ in their networks.
        findings: one row for each closed itemset of A that the contrast supports, and for each of B that A does not
            have: state (``kept``, ``vanished``, ``appeared``), units_a, units_b (() where a
            unit has no counterpart), classes (names), support_a, support_b (the smallest of these classes' supports,
            fraction). Of each state those come first whose supports differ most.
    """

    same_network: bool
    photos: int
    agreement: float
    classes: pd.DataFrame
    matches: Matches | None
    findings: pd.DataFrame


def compare(a: Findings, b: Findings) -> Comparison:
    """Compare two studies, each with its own thresholds.

    A finding of A is kept where its units' counterparts are as frequent in every one of its classes in B as B's
    thresholds ask for; otherwise it vanished. One of B appeared where the same, the other way round, does not hold.

    Args:
        a: the first study, mined; a network before its fine-tuning, say.
        b: the second.
    """
    same = a.study.weights_digest == b.study.weights_digest and a.study.layer == b.study.layer
    own, others = shared_photos(a.study, b.study)
    matches = match_units(a.study, b.study) if len(own) >= LEAST_PHOTOS else None
    there, back = _counterparts(a, b, matches, same)
    states = [*_states(a, b, there, "vanished"), *_states(b, a, back, "appeared")]
    columns = ["state", "units_a", "units_b", "classes", "support_a", "support_b"]
    table = pd.DataFrame(states, columns=columns)
    rank = table["state"].map({"kept": 0, "vanished": 1, "appeared": 2})
    order = np.lexsort([-(table["support_a"] - table["support_b"]).abs().to_numpy(float), rank.to_numpy(float)])
    return Comparison(
        same_network=same,
        photos=len(own),
        agreement=_agreement(a.study, b.study, own, others),
        classes=_classes(a, b),
        matches=matches,
        findings=table.iloc[order].reset_index(drop=True),
    )


def _counterparts(
    a: Findings, b: Findings, matches: Matches | None, same: bool
) -> tuple[dict[int, int], dict[int, int]]:
    """The counterpart of each unit of A in B, and of each of B in A; without those that have none."""
    if same:
        known = {unit: unit for unit in range(a.study.n_units)}
        return known, known
    if matches is None:
        return {}, {}
    held = np.flatnonzero(matches.correlation >= LEAST_CORRELATION)
    there = dict(zip(held.tolist(), matches.unit[held].tolist(), strict=True))
    return there, {other: unit for unit, other in there.items()}


def _states(a: Findings, b: Findings, there: dict[int, int], missing: str) -> list[tuple[object, ...]]:
    """Rows of :attr:`Comparison.findings` for the findings of one study; of B only those that appeared."""
    ids = {name: class_id for class_id, name in enumerate(b.study.class_names)}
    rows: list[tuple[object, ...]] = []
    listed = a.candidates
    listed = listed[listed["supported"]] if a.study.has_contrast else listed
    supports = a.table.set_index(["units", "class_id"])["support"].to_dict()
    for units, class_ids in zip(listed["units"], listed["class_ids"], strict=True):
        names = tuple(a.study.class_names[class_id] for class_id in class_ids)
        own = min(supports[units, class_id] for class_id in class_ids)
        counterpart: Units = (
            tuple(sorted(there[unit] for unit in units)) if all(unit in there for unit in units) else ()
        )
        other = _support(b, counterpart, [ids[name] for name in names if name in ids], len(names))
        kept = other >= b.config.min_support
        if missing == "vanished":
            rows.append(("kept" if kept else missing, units, counterpart, names, own, other))
        elif not kept:
            rows.append((missing, counterpart, units, names, other, own))
    return rows


def _support(findings: Findings, units: Units, class_ids: Sequence[int], wanted: int) -> float:
    """The smallest share of a class's patches that hold the units, frequent or not; 0 where a class is missing."""
    if not units or len(class_ids) < wanted:
        return 0.0
    predicted = findings.study.patches["predicted"].to_numpy()
    holding = predicted[unit_index(findings.study, findings.config).holding(units)[0]]
    return min(
        float((holding == class_id).sum()) / max(findings.patch_counts.get(class_id, 0), 1) for class_id in class_ids
    )


def _agreement(a: Study, b: Study, own: npt.NDArray[np.int64], others: npt.NDArray[np.int64]) -> float:
    if not len(own):
        return float("nan")
    first, second = (
        np.array(study.class_names, dtype=object)[study.images["predicted"].to_numpy()[rows]]
        for study, rows in ((a, own), (b, others))
    )
    return float((first == second).mean())


def _classes(a: Findings, b: Findings) -> pd.DataFrame:
    """See :attr:`Comparison.classes`; in the order of A's classes, then B's own, without those that nothing is in."""
    sides = [_of_study(findings).add_suffix(suffix) for findings, suffix in ((a, "_a"), (b, "_b"))]
    order = dict.fromkeys([*a.study.class_names, *b.study.class_names])
    joined = sides[0].join(sides[1], how="outer").reindex([*order])
    counts = [f"{name}_{side}" for name in ("photos", "itemsets", "supported") for side in "ab"]
    joined[counts] = joined[counts].fillna(0).astype(int)
    seen = (joined[["photos_a", "photos_b"]].sum(axis=1) > 0) | joined[["recall_a", "recall_b"]].notna().any(axis=1)
    pairs = [f"{name}_{side}" for name in ("photos", "recall", "itemsets", "supported") for side in "ab"]
    return joined.loc[seen, pairs].rename_axis("class").reset_index()


def _of_study(findings: Findings) -> pd.DataFrame:
    """photos, recall, itemsets and supported of each class, by its name; the first of classes of one name counts."""
    study = findings.study
    every = range(len(study.class_names))
    predicted = study.images["predicted"]
    labelled = study.images["label"].notna()
    right = (predicted[labelled] == study.images["label"][labelled]).groupby(study.images["label"][labelled]).mean()
    closed = findings.shown("closed").groupby("class_id")["supported"].agg(["size", "sum"])
    table = pd.DataFrame(
        {
            "photos": predicted.value_counts().reindex(every, fill_value=0),
            "recall": right.astype(float).reindex(every),
            "itemsets": closed["size"].reindex(every, fill_value=0),
            "supported": closed["sum"].astype(int).reindex(every, fill_value=0),
        }
    )
    table.index = pd.Index(study.class_names, name="class")
    return table[~table.index.duplicated()]
