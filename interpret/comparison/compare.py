"""What two studies have in common, and what only one of them has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.comparison.matching import LEAST_PHOTOS, Matches, match_units, shared_photos
from interpret.comparison.shared_classes import counterpart_classes
from interpret.findings import Findings
from interpret.findings.rows import Units
from interpret.findings.unit_index import unit_index
from interpret.study import Study
from interpret.words import itemset_text

Ints = npt.NDArray[np.int64]

LEAST_CORRELATION = 0.5
"""Correlation from which on a unit counts as another one's counterpart, where networks differ."""


class FindingRow(NamedTuple):
    """A row of :attr:`Comparison.findings`."""

    state: str
    units_a: Units
    units_b: Units
    classes: tuple[str, ...]
    class_ids: tuple[int, ...]
    support_a: float
    support_b: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two studies side by side.

    Attributes:
        same_network: whether both have the same weights and layer, so that units have the same numbers.
        photos: one row for each photo that both studies have: image_a, image_b (its numbers), alike (whether both
            networks predict the same class).
        classes: one row for each class of either study: class (its name), photos_a, photos_b (predicted as it, count),
            recall_a, recall_b (share of the photos labelled so that are predicted so, NaN without labels), itemsets_a,
            itemsets_b (closed ones, count), supported_a, supported_b (those that the contrast supports); 0 or NaN where
            a study lacks the class.
        matches: the units' counterparts; None where the studies share too few photos and differ in their networks.
        findings: one row for each closed itemset of A that the contrast supports, and for each of B that A does not
            have: state (``kept``, ``vanished``, ``appeared``), units_a, units_b (() where a unit has no counterpart),
            classes (names, A's where it has the class), class_ids (of the study that has the finding: B where it
            appeared, else A), support_a, support_b (the smallest of these classes' supports, fraction). Of each state
            those come first whose supports differ most.
        class_b: (C,) int64, B's class for each class of A; -1 where there is none, see
            :func:`~interpret.comparison.shared_classes.counterpart_classes`.
        class_a: the same the other way round.
    """

    same_network: bool
    photos: pd.DataFrame
    classes: pd.DataFrame
    matches: Matches | None
    findings: pd.DataFrame
    class_b: Ints
    class_a: Ints

    @property
    def agreement(self) -> float:
        """Share of the photos of both that both networks predict as the same class; NaN where there are none."""
        return float(self.photos["alike"].mean()) if len(self.photos) else float("nan")

    def plain_findings(self) -> pd.DataFrame:
        """The findings for a file: itemsets as `34,193`, classes by name."""
        rows = self.findings.drop(columns="class_ids")
        texts = {name: rows[name].map(itemset_text) for name in ("units_a", "units_b")}
        return rows.assign(**texts, classes=rows["classes"].map(", ".join))


def compare(a: Findings, b: Findings) -> Comparison:
    """Compare two studies, each with its own thresholds.

    A finding of A is kept where its units' counterparts are as frequent in every one of its classes in B as B's
    thresholds ask for; otherwise it vanished. One of B appeared where the same, the other way round, does not hold.

    Args:
        a: the first study, mined; a network before its fine-tuning, say.
        b: the second.

    Raises:
        InputError: what is needed of one of them is damaged.
    """
    same = a.study.weights_digest == b.study.weights_digest and a.study.layer == b.study.layer
    same = same and a.study.recorded.codes == b.study.recorded.codes
    own, others = shared_photos(a.study, b.study)
    matches = match_units(a.study, b.study) if len(own) >= LEAST_PHOTOS else None
    to_b, to_a = counterpart_classes(a.study, b.study), counterpart_classes(b.study, a.study)
    there, back = _counterparts(a, b, matches, same)
    names = a.study.class_names
    names_b = [names[own] if own >= 0 else b.study.class_names[class_id] for class_id, own in enumerate(to_a)]
    states = [*_states(a, b, there, to_b, names, "vanished"), *_states(b, a, back, to_a, names_b, "appeared")]
    table = pd.DataFrame(states, columns=list(FindingRow._fields))
    rank = table["state"].map({"kept": 0, "vanished": 1, "appeared": 2})
    order = np.lexsort([-(table["support_a"] - table["support_b"]).abs().to_numpy(float), rank.to_numpy(float)])
    return Comparison(
        same_network=same,
        photos=_photos(a.study, b.study, own, others, to_b),
        classes=_classes(a, b, to_b),
        matches=matches,
        findings=table.iloc[order].reset_index(drop=True),
        class_b=to_b,
        class_a=to_a,
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


def _states(
    a: Findings, b: Findings, there: dict[int, int], to_b: Ints, names: Sequence[str], missing: str
) -> list[FindingRow]:
    """Rows of :attr:`Comparison.findings` for the findings of one study; of B only those that appeared.

    Args:
        a: the study that has them.
        b: the other one.
        there: the counterparts of the first one's units.
        to_b: the counterparts of its classes.
        names: of its classes.
        missing: the state of one that the other study lacks.
    """
    rows: list[FindingRow] = []
    listed = a.candidates
    listed = listed[listed["supported"]] if a.study.has_contrast else listed
    supports = a.table.set_index(["units", "class_id"])["support"].to_dict()
    for units, class_ids in zip(listed["units"], listed["class_ids"], strict=True):
        own = min(supports[units, class_id] for class_id in class_ids)
        counterpart: Units = (
            tuple(sorted(there[unit] for unit in units)) if all(unit in there for unit in units) else ()
        )
        other = _support(b, counterpart, to_b[list(class_ids)].tolist())
        kept = other >= b.config.min_support
        called = tuple(names[class_id] for class_id in class_ids)
        if missing == "vanished":
            rows.append(FindingRow("kept" if kept else missing, units, counterpart, called, class_ids, own, other))
        elif not kept:
            rows.append(FindingRow(missing, counterpart, units, called, class_ids, other, own))
    return rows


def _support(findings: Findings, units: Units, class_ids: Sequence[int]) -> float:
    """The smallest share of a class's patches that hold the units, frequent or not; 0 where a class is missing (-1)."""
    if not units or min(class_ids) < 0:
        return 0.0
    predicted = findings.study.patches["predicted"].to_numpy()
    holding = predicted[unit_index(findings.study, findings.config).holding(units)[0]]
    return min(
        float((holding == class_id).sum()) / max(findings.patch_counts.get(class_id, 0), 1) for class_id in class_ids
    )


def _photos(a: Study, b: Study, own: Ints, others: Ints, to_b: Ints) -> pd.DataFrame:
    """See :attr:`Comparison.photos`."""
    first, second = (study.images["predicted"].to_numpy(np.int64) for study in (a, b))
    return pd.DataFrame({"image_a": own, "image_b": others, "alike": to_b[first[own]] == second[others]})


def _classes(a: Findings, b: Findings, to_b: Ints) -> pd.DataFrame:
    """See :attr:`Comparison.classes`; in the order of A's classes, then B's own, without those that nothing is in."""
    sides = [_of_study(findings).add_suffix(suffix) for findings, suffix in ((a, "_a"), (b, "_b"))]
    only_b = np.setdiff1d(np.arange(len(b.study.class_names)), to_b)
    places = [np.arange(len(to_b)).tolist() + [-1] * len(only_b), [*to_b.tolist(), *only_b.tolist()]]
    joined = pd.concat(
        [side.reindex(place).reset_index(drop=True) for side, place in zip(sides, places, strict=True)], axis=1
    )
    joined.insert(0, "class", [*a.study.class_names, *(b.study.class_names[class_id] for class_id in only_b)])
    counts = [f"{name}_{side}" for name in ("photos", "itemsets", "supported") for side in "ab"]
    joined[counts] = joined[counts].fillna(0).astype(int)
    seen = (joined[["photos_a", "photos_b"]].sum(axis=1) > 0) | joined[["recall_a", "recall_b"]].notna().any(axis=1)
    pairs = [f"{name}_{side}" for name in ("photos", "recall", "itemsets", "supported") for side in "ab"]
    return joined.loc[seen, ["class", *pairs]].reset_index(drop=True)


def _of_study(findings: Findings) -> pd.DataFrame:
    """photos, recall, itemsets and supported of each class, by its id."""
    study = findings.study
    every = range(len(study.class_names))
    predicted = study.images["predicted"]
    labelled = study.images["label"].notna()
    right = (predicted[labelled] == study.images["label"][labelled]).groupby(study.images["label"][labelled]).mean()
    closed = findings.shown("closed").groupby("class_id")["supported"].agg(["size", "sum"])
    return pd.DataFrame(
        {
            "photos": predicted.value_counts().reindex(every, fill_value=0),
            "recall": right.astype(float).reindex(every),
            "itemsets": closed["size"].reindex(every, fill_value=0),
            "supported": closed["sum"].astype(int).reindex(every, fill_value=0),
        }
    )
