"""The effect of ablating some units on the answer for one photo, beside as many random units."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.evaluation.effect import random_units
from interpret.evaluation.itemset_effects import DRAWS, HEAD_DRAWS
from interpret.explanation.photo import Explainer, PhotoExplanation, softmax


@dataclass(frozen=True, eq=False)
class PhotoEffect:
    """What a classifier says of one photo with and without some units, beside as many random ones.

    Attributes:
        units: the units ablated, ascending.
        predicted: the class that is predicted with no unit ablated.
        before: (C,) float32, the probabilities with no unit ablated.
        after: (C,) float32, the same with ``units`` ablated.
        random: (draws, C) float32, the same with as many random units ablated.
    """

    units: tuple[int, ...]
    predicted: int
    before: npt.NDArray[np.float32]
    after: npt.NDArray[np.float32]
    random: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        for array in (self.before, self.after, self.random):
            array.setflags(write=False)

    @property
    def now(self) -> int:
        """The class that is predicted with ``units`` ablated."""
        return int(self.after.argmax())

    @property
    def still(self) -> int:
        """Draws in which the predicted class is the same as with no unit ablated (count)."""
        return int((self.random.argmax(axis=1) == self.predicted).sum())

    def of_random(self, class_id: int) -> tuple[float, float, float]:
        """The smallest, the median and the largest probability of a class over the draws."""
        values = self.random[:, class_id].astype(np.float64)
        return float(values.min()), float(np.median(values)), float(values.max())


def ablate_photo(
    explainer: Explainer,
    explanation: PhotoExplanation,
    units: Iterable[int],
    *,
    draws: int | None = None,
    seed: int = 0,
) -> PhotoEffect:
    """Ablate units in one photo, and as many random ones; only the head is run, on the stored activations.

    Args:
        explainer: that explained the photo.
        explanation: of the photo, for any class.
        units: the units to ablate; duplicates count once.
        draws: random sets of as many units, drawn from all units (count, at least 1);
            :data:`interpret.evaluation.itemset_effects.DRAWS` if None, or ``HEAD_DRAWS`` where the head is not pooling
            and one linear map, and has to be run for each.
        seed: of those draws.

    Raises:
        InputError: the layer has no such unit.
    """
    chosen = tuple(sorted({int(unit) for unit in units}))
    if draws is None:
        draws = DRAWS if explainer.head.linear else HEAD_DRAWS
    after = explainer.logits_without(explanation, chosen)
    sets = random_units(len(explanation.activations), len(chosen), draws, seed)
    random = [softmax(explainer.logits_without(explanation, tuple(drawn.tolist()))) for drawn in sets]
    return PhotoEffect(chosen, explanation.predicted, explanation.probabilities, softmax(after), np.stack(random))
