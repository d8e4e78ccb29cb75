"""What was measured on a study: its accuracy, the evaluations kept in it, and Table 1 in rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from interpret import frames
from interpret.errors import InputError
from interpret.evaluation import heldout
from interpret.evaluation.evaluate import Evaluation
from interpret.evaluation.table1 import BASELINE, MethodRow
from interpret.stats import wilson
from interpret.study import Study
from interpret.study.results import made_from


@dataclass(frozen=True)
class Share:
    """A share of photos with its 95 % interval (fractions; Wilson's), and the number of photos (count)."""

    value: float
    low: float
    high: float
    photos: int

    @classmethod
    def of(cls, value: float, photos: int) -> "Share":
        """The share with its interval."""
        low, high = wilson(value * photos, photos)
        return cls(value, float(low), float(high), photos)


@dataclass(frozen=True)
class TableRow:
    """A row of Table 1 at a method's own number of units.

    Attributes:
        method: its name.
        accuracy: with its 95 % interval; for random units their 5th to 95th percentile.
        units: ablated per class, mean (count).
    """

    method: str
    accuracy: Share
    units: float


def accuracy(study: Study) -> Share | None:
    """The share of labelled photos that the model classifies as labelled; None without labels."""
    known = study.accuracy()
    return None if known is None else Share.of(*known)


def evaluations(study: Study) -> tuple[list[Evaluation], list[str]]:
    """The evaluations kept in a study, and a sentence for each that cannot be used.

    Those on photos that were not mined come first, then those on most photos.
    """
    usable: list[tuple[bool, int, str, Evaluation]] = []
    refused = []
    inside = study.folder / heldout.FOLDER / heldout.RESULTS
    for folder in sorted(path for path in inside.glob("[!.]*") if path.is_dir()):
        try:
            found = Evaluation.read(folder, made_from(study, folder))
        except InputError as error:
            refused.append(str(error))
            continue
        usable.append((bool(found.about.get("same_photos")), -int(found.about["photos"]), folder.name, found))
    usable.sort(key=lambda each: each[:3])
    return [each[3] for each in usable], refused


def held_out(study: Study) -> tuple[Study, ...]:
    """The sets of photos kept in a study to measure on, in a lasting order."""
    return tuple(sorted(heldout.kept(study).studies, key=lambda each: each.key))


def source_of(evaluation: Evaluation, sets: Sequence[Study]) -> str:
    """Where the photos of an evaluation came from: what was given for the set of that folder, else the folder.

    Args:
        evaluation: the evaluation.
        sets: those kept in the study.
    """
    folder = str(evaluation.about["measured_on"])
    return next((each.images_source for each in sets if str(each.images_root) == folder), folder)


def table_rows(evaluation: Evaluation) -> list[TableRow]:
    """Table 1 with each method's own number of units."""
    table = evaluation.table
    natural = table[table["budget"].isna() | (table["method"] == BASELINE)]
    shown = []
    for row in frames.rows(natural, MethodRow):
        share = Share.of(row.accuracy, row.photos)
        if not pd.isna(row.low):
            share = Share(row.accuracy, float(row.low), float(row.high), row.photos)
        shown.append(TableRow(row.method, share, row.units))
    return shown


def equal_rows(evaluation: Evaluation) -> tuple[list[int], list[tuple[str, list[float]]]]:
    """Numbers of units, and each method's accuracy with as many of its units ablated (fractions; NaN where none)."""
    rows = evaluation.table[evaluation.table["budget"].fillna(0) > 0]
    budgets = sorted(int(budget) for budget in rows["budget"].unique())
    by_budget = {
        (str(m), int(b)): float(a) for m, b, a in zip(rows["method"], rows["budget"], rows["accuracy"], strict=True)
    }
    methods = list(dict.fromkeys(str(method) for method in rows["method"]))
    return budgets, [(method, [by_budget.get((method, each), np.nan) for each in budgets]) for method in methods]
