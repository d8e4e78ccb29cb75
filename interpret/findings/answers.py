"""Right and wrong answers of the model, and the photos that a gallery is narrowed down to."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.study import Study

RIGHT, WRONG, UNKNOWN = 1, 0, -1
"""What :func:`answers` says of a photo; of one without a label nothing is known."""

WANTED = {"all": None, "right": RIGHT, "wrong": WRONG, "without label": UNKNOWN}
"""The answers that a gallery can be narrowed down to, by name."""


def answers(study: Study) -> npt.NDArray[np.int8]:
    """(n,) for each photo of a study, in their order: :data:`RIGHT`, :data:`WRONG` or :data:`UNKNOWN`.

    An answer is right where the predicted class is the photo's label.
    """

    def compared() -> npt.NDArray[np.int8]:
        labels = study.images["label"]
        right = (labels.fillna(-1).to_numpy(np.int64) == study.images["predicted"].to_numpy(np.int64)).astype(np.int8)
        return np.where(labels.isna().to_numpy(), np.int8(UNKNOWN), right)

    return study.derived(("answers",), compared)


@dataclass(frozen=True)
class PhotoFilter:
    """Which photos a gallery shows; all if nothing is given.

    Attributes:
        answer: one of :data:`WANTED`.
        label: the class that photos are labelled as; any if None.
        low: the smallest probability of the predicted class (whole percent).
        high: the largest (whole percent).
    """

    answer: str = "all"
    label: int | None = None
    low: int = 0
    high: int = 100

    @property
    def narrows(self) -> bool:
        """Whether photos may be left out."""
        return self != PhotoFilter()

    def passes(self, study: Study) -> npt.NDArray[np.bool_]:
        """(n,) which photos of a study are shown.

        A probability is compared as it is, and not as it is rounded for a caption: 0.499 is below 50 %.
        """
        shown = np.ones(len(study.images), np.bool_)
        if (wanted := WANTED[self.answer]) is not None:
            shown &= answers(study) == wanted
        if self.label is not None:
            shown &= study.images["label"].eq(self.label).fillna(False).to_numpy(np.bool_)
        probability = study.images["confidence"].to_numpy(np.float64)
        return shown & (probability >= self.low / 100) & ((self.high == 100) | (probability <= self.high / 100))
