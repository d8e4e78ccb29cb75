"""What ablating some units does to the photos of A that are taken for B, and to answers that were right."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.errors import InputError
from interpret.evaluation.ablation import AblationSet, Ints, classify
from interpret.evaluation.effect import random_units
from interpret.stats import mean_interval, wilson

Units = tuple[int, ...]

GROUPS = ("errors", "right", "right_predicted", "right_others", "other_errors")
"""The photos by what the model says of them: A taken for B; A, right; B, right; other classes, right; other errors."""

DRAWS = 20
"""Random sets of as many units (count)."""

LINEAR_PREDICTIONS = 4_000_000
"""Predictions at most (count) where the head is linear; beyond that photos are drawn by lot from each group."""

HEAD_PREDICTIONS = 10_000
"""The same for any other head, which takes milliseconds a photo."""


@dataclass(frozen=True)
class Changed:
    """Photos of a group whose answer changes from wrong to right, or from right to wrong.

    Attributes:
        photos: in the group (count).
        measured: those that were classified again (count); fewer only where there are too many.
        changed: of those, errors that become right (mended), or right answers that become wrong (broken) (count).
        random: mean of the same over random sets of as many units (count); NaN without draws.
        low: 5th percentile of the random draws (count).
        high: 95th percentile (count).
    """

    photos: int
    measured: int
    changed: int
    random: float
    low: float
    high: float

    @property
    def share(self) -> float:
        """``changed`` over ``measured``; NaN without photos."""
        return self.changed / self.measured if self.measured else float("nan")

    @property
    def estimate(self) -> float:
        """How many of all ``photos`` change, going by those measured (count)."""
        return self.changed * self.photos / self.measured if self.measured else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the share over photos (Wilson 1927); NaN without photos."""
        if not self.measured:
            return float("nan"), float("nan")
        low, high = wilson(self.changed, self.measured)
        return float(low), float(high)


@dataclass(frozen=True)
class Mending:
    """The effect of ablating some units on photos with a label.

    Attributes:
        label: the class A.
        predicted: the class B that photos of A are taken for.
        units: the units ablated, ascending.
        errors: photos of A taken for B; ``changed``: those that become A.
        otherwise: errors of the pair that become another wrong class (count).
        right: photos of A that are right; ``changed``: those that become wrong.
        right_predicted: likewise photos of B.
        right_others: likewise photos of all other classes.
        other_errors: all other wrong answers; ``changed``: those that become right.
        low: 95 % interval of the change of accuracy over all photos, its lower end (fraction; NaN for a single photo).
        high: its upper end.
    """

    label: int
    predicted: int
    units: Units
    errors: Changed
    otherwise: int
    right: Changed
    right_predicted: Changed
    right_others: Changed
    other_errors: Changed
    low: float
    high: float

    @property
    def photos(self) -> int:
        """Photos with a label (count)."""
        return sum(getattr(self, name).photos for name in GROUPS)

    @property
    def broken(self) -> float:
        """Right answers that become wrong, of all classes (count)."""
        return self.right.estimate + self.right_predicted.estimate + self.right_others.estimate

    @property
    def net(self) -> float:
        """Errors of the pair that are mended, less right answers that are broken (count)."""
        return self.errors.estimate - self.broken

    @property
    def accuracy_before(self) -> float:
        """Accuracy with no unit ablated (fraction)."""
        right = self.right.photos + self.right_predicted.photos + self.right_others.photos
        return right / self.photos if self.photos else float("nan")

    @property
    def accuracy_change(self) -> float:
        """Change of accuracy with the units ablated (fraction)."""
        gained = self.errors.estimate + self.other_errors.estimate - self.broken
        return gained / self.photos if self.photos else float("nan")


def mend(
    ablation_set: AblationSet,
    label: int,
    predicted: int,
    unit_sets: Sequence[Units],
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Mending]:
    """Ablate each of some sets of units in all labelled photos, and classify them again.

    Args:
        ablation_set: the photos, each with its label, and the head.
        label: A.
        predicted: B.
        unit_sets: the sets.
        draws: random sets of each size (count), the same for all sets of a size.
        seed: of the random sets, and of photos drawn by lot.

    Raises:
        InputError: there is no such unit.
    """
    chosen = [np.unique(np.array(units, np.int64)) for units in unit_sets]
    for units in chosen:
        check_units(units.tolist(), ablation_set.n_units)
    sizes = sorted({len(units) for units in chosen})
    randoms = {size: random_units(ablation_set.n_units, size, draws, seed) for size in sizes}
    settings = chosen + [units for size in sizes for units in randoms[size]]
    everything = np.arange(len(ablation_set))
    before = _classified(ablation_set, [np.zeros(0, np.int64)], everything)[0]
    group = _groups(ablation_set.labels, before, label, predicted)
    totals = np.bincount(group, minlength=len(GROUPS))
    photos = _thinned(group, len(settings), linear=ablation_set.head.linear, seed=seed)
    group, labels, before = group[photos], ablation_set.labels[photos], before[photos]
    measured = np.bincount(group, minlength=len(GROUPS))
    weight = (totals / np.maximum(measured, 1))[group]
    was_right = before == labels
    after = _classified(ablation_set, settings, photos)
    changed = (after == labels) != was_right  # (S, n)
    counts = np.stack([np.bincount(group[row], minlength=len(GROUPS)) for row in changed]) if len(changed) else changed
    results = []
    start = {size: len(chosen) + draws * place for place, size in enumerate(sizes)}
    for place, units in enumerate(chosen):
        drawn = counts[start[len(units)] : start[len(units)] + draws]
        parts = {
            name: Changed(int(totals[g]), int(measured[g]), int(counts[place, g]), *_spread(drawn[:, g]))
            for g, name in enumerate(GROUPS)
        }
        of_pair = after[place][group == 0]
        change = np.where(changed[place], np.where(was_right, -1.0, 1.0), 0.0) * weight
        # Where photos were drawn by lot a photo stands for several, and the interval widens with it.
        low, high = mean_interval(change * (len(change) / max(1, totals.sum())), largest=1.0)
        otherwise = int(((of_pair != label) & (of_pair != predicted)).sum())
        results.append(
            Mending(
                label,
                predicted,
                tuple(units.tolist()),
                otherwise=otherwise,
                low=float(low),
                high=float(high),
                **parts,
            )
        )
    return results


def check_units(units: Sequence[int], n_units: int) -> None:
    """Raise :class:`InputError` where a layer of ``n_units`` units lacks one of some units."""
    wrong = [unit for unit in units if not 0 <= unit < n_units]
    if wrong:
        raise InputError(f"There is no unit {wrong[0]}; the layer has {n_units}, counted from 0.")


def _classified(ablation_set: AblationSet, settings: Sequence[Ints], photos: Ints) -> npt.NDArray[np.int32]:
    """(S, m) predicted class of photos with the units of each setting ablated."""
    if not len(photos) or not len(settings):
        return np.zeros((len(settings), len(photos)), np.int32)
    return classify(ablation_set, [[units] for units in settings], np.zeros(len(photos), np.int64), photos)


def _groups(labels: Ints, predicted: npt.NDArray[np.int32], a: int, b: int) -> Ints:
    """(n,) the place of each photo's group in :data:`GROUPS`."""
    right = labels == predicted
    conditions = [(labels == a) & (predicted == b), right & (labels == a), right & (labels == b), right]
    return np.select(conditions, [0, 1, 2, 3], 4).astype(np.int64)


def _thinned(group: Ints, settings: int, *, linear: bool, seed: int) -> Ints:
    """Positions of the photos to classify: all, or as many of each group as can be classified in time, by lot."""
    budget = (LINEAR_PREDICTIONS if linear else HEAD_PREDICTIONS) // max(1, settings)
    if len(group) <= budget:
        return np.arange(len(group))
    most = max(1, budget // len(GROUPS))
    order = np.random.default_rng([seed, len(group)]).permutation(len(group))
    kept = [order[group[order] == g][:most] for g in range(len(GROUPS))]
    return np.sort(np.concatenate(kept))


def _spread(counts: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """Mean, 5th and 95th percentile; NaN without counts."""
    if not len(counts):
        return float("nan"), float("nan"), float("nan")
    low, high = np.quantile(counts, [0.05, 0.95])
    return float(counts.mean()), float(low), float(high)
