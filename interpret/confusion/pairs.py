"""Confusion pairs: photos with the label A that the model predicts as B, counted, and the photos of one pair."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.errors import InputError
from interpret.study import Study

Ints = npt.NDArray[np.int64]


class PairRow(NamedTuple):
    """A row of :func:`confusion_pairs`: counts of photos."""

    label: int
    predicted: int
    errors: int
    photos: int


@dataclass(frozen=True, eq=False)
class Pair:
    """A class A, the class B that some of its photos are taken for, and a study's photos of both.

    Attributes:
        label: A.
        predicted: B.
        errors: (n,) int64, photos with the label A that are predicted as B, ascending.
        right: (m,) int64, photos with the label A that are predicted as A.
        right_predicted: (k,) int64, photos with the label B that are predicted as B.
    """

    label: int
    predicted: int
    errors: Ints
    right: Ints
    right_predicted: Ints

    def __post_init__(self) -> None:
        for array in (self.errors, self.right, self.right_predicted):
            array.setflags(write=False)


def check_labels(study: Study) -> None:
    """Raise :class:`InputError` where no photo of the study has a label."""
    if study.images["label"].isna().all():
        raise InputError(
            f"No photo of the study {study.name} has a label, so nothing says which predictions are wrong; make a "
            "study of class folders named by wnid, ImageNet index or class name."
        )


def confusion_pairs(study: Study) -> pd.DataFrame:
    """Which classes the labelled photos of a study are taken for.

    Returns:
        label (A), predicted (B), errors (photos of A taken for B, count), photos (with the label A, count); by falling
        errors, then label, then predicted class.

    Raises:
        InputError: no photo has a label.
    """
    check_labels(study)
    known = study.images[study.images["label"].notna()]
    frame = pd.DataFrame(
        {"label": known["label"].to_numpy(np.int64), "predicted": known["predicted"].to_numpy(np.int64)}
    )
    photos = frame["label"].value_counts()
    wrong = frame[frame["label"] != frame["predicted"]]
    table = wrong.groupby(["label", "predicted"]).size().reset_index(name="errors")
    table["photos"] = table["label"].map(photos).astype(np.int64)
    table = table.astype(np.int64)
    return table.sort_values(["errors", "label", "predicted"], ascending=[False, True, True], ignore_index=True)


def photos_of_pair(study: Study, label: int, predicted: int) -> Pair:
    """The photos of a pair.

    Raises:
        InputError: no photo has a label, there is no such class, or the two are the same.
    """
    check_labels(study)
    for class_id in (label, predicted):
        if not 0 <= class_id < len(study.class_names):
            raise InputError(f"There is no class {class_id}; the model has {len(study.class_names):,}, counted from 0.")
    if label == predicted:
        raise InputError(
            f"Photos of {study.class_names[label]} that are predicted as such are right; give two classes."
        )
    labels = study.images["label"].to_numpy(np.int64, na_value=-1)
    said = study.images["predicted"].to_numpy(np.int64)
    return Pair(
        label,
        predicted,
        np.flatnonzero((labels == label) & (said == predicted)).astype(np.int64),
        np.flatnonzero((labels == label) & (said == label)).astype(np.int64),
        np.flatnonzero((labels == predicted) & (said == predicted)).astype(np.int64),
    )
