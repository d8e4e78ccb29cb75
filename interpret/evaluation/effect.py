"""The effect of ablating some units on the photos of one class, beside as many random units."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.errors import InputError
from interpret.evaluation.ablation import AblationSet, Ints, classify
from interpret.stats import standard_error


class GainedRow(NamedTuple):
    """A row of :attr:`ClassEffect.gained`: counts of photos."""

    class_id: int
    before: int
    after: int
    gained: int


@dataclass(frozen=True, eq=False)
class ClassEffect:
    """The accuracy of a class with and without some units, beside as many random ones.

    Attributes:
        class_id: the class.
        units: the units ablated, ascending.
        n: the class's photos (count).
        before: share of them that are classified as the class with no unit ablated.
        after: the same with ``units`` ablated.
        random: (draws,) float64, the same with as many random units ablated.
        gained: classes that more photos are classified as than before: class_id, before, after, gained (counts of
            photos), the largest gain first.
    """

    class_id: int
    units: tuple[int, ...]
    n: int
    before: float
    after: float
    random: npt.NDArray[np.float64]
    gained: pd.DataFrame

    def __post_init__(self) -> None:
        self.random.setflags(write=False)

    @property
    def errors(self) -> tuple[float, float]:
        """Standard errors of ``before`` and ``after``."""
        return standard_error(self.before, self.n), standard_error(self.after, self.n)

    @property
    def band(self) -> tuple[float, float]:
        """5th and 95th percentile of the random draws; ``before`` twice where there are none."""
        if not len(self.random):
            return self.before, self.before
        low, high = np.quantile(self.random, [0.05, 0.95])
        return float(low), float(high)


def ablate_class(
    ablation_set: AblationSet, class_id: int, units: Iterable[int], *, draws: int = 20, seed: int = 0
) -> ClassEffect:
    """Ablate units in all photos of a class.

    Args:
        ablation_set: the photos and the head, from :func:`interpret.evaluation.ablation.make_ablation_set`.
        class_id: the class whose photos are classified again.
        units: the units to ablate; duplicates count once.
        draws: random sets of as many units (count).
        seed: of those draws.

    Raises:
        InputError: there is no photo of the class, or no such unit.
    """
    chosen = np.unique(np.fromiter(units, np.int64))
    wrong = chosen[(chosen < 0) | (chosen >= ablation_set.n_units)]
    if len(wrong):
        raise InputError(f"There is no unit {wrong[0]}; the layer has {ablation_set.n_units}, counted from 0.")
    photos = np.flatnonzero(ablation_set.labels == class_id)
    if not len(photos):
        raise InputError(f"There is no photo of class {class_id} to measure on.")
    settings: list[list[Ints]] = [[np.zeros(0, np.int64)], [chosen]]
    settings += [[drawn] for drawn in random_units(ablation_set.n_units, len(chosen), draws, seed)]
    predicted = classify(ablation_set, settings, np.zeros(len(photos), np.int64), photos)
    shares = (predicted == class_id).mean(axis=1)
    return ClassEffect(
        class_id=class_id,
        units=tuple(chosen.tolist()),
        n=len(photos),
        before=float(shares[0]),
        after=float(shares[1]),
        random=shares[2:].astype(np.float64),
        gained=_gained(predicted[0], predicted[1], class_id),
    )


def random_units(n_units: int, size: int, draws: int, seed: int) -> list[Ints]:
    """``draws`` sets of ``size`` different units each, ascending, drawn from all ``n_units``."""
    rng = np.random.default_rng([seed, n_units, size])
    return [np.sort(rng.choice(n_units, min(size, n_units), replace=False)).astype(np.int64) for _ in range(draws)]


def _gained(before: npt.NDArray[np.int32], after: npt.NDArray[np.int32], class_id: int) -> pd.DataFrame:
    ids = np.unique(np.concatenate([before, after]))
    ids = ids[ids != class_id]
    counts = [np.array([(predicted == class_id).sum() for class_id in ids], np.int64) for predicted in (before, after)]
    table = pd.DataFrame({"class_id": ids.astype(np.int64), "before": counts[0], "after": counts[1]})
    table["gained"] = table["after"] - table["before"]
    table = table[table["gained"] > 0]
    return table.sort_values(["gained", "class_id"], ascending=[False, True], ignore_index=True)
