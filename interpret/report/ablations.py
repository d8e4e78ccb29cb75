"""What ablating a finding's units does in photos that were not mined, beside as many random units."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from interpret.errors import InputError
from interpret.evaluation import heads, heldout
from interpret.evaluation.ablation import AblationSet, Ints, make_ablation_set
from interpret.evaluation.cross_class import class_falls, thinned
from interpret.evaluation.effect import random_units
from interpret.evaluation.heldout import Best
from interpret.findings.rows import Units
from interpret.report.shown import Effect
from interpret.study import Study

DRAWS = 20
"""Random sets of units that stand beside a finding (count)."""

MOST_RUNS = 20_000
"""Photos times sets of units (count) that a head which is not linear is run on: it takes a while."""


@dataclass(frozen=True, eq=False)
class Ablations:
    """The photos that a report measures on.

    Attributes:
        mined: the study's own photos, which choose the first finding; None where the network is not at hand.
        measured: photos that were not mined; None where there are none, or the network is not at hand.
        held_out: where those came from; None where there are none.
        refused: why something is not there, a sentence each.
        lock: held while units are ablated, where others use the head too.
    """

    mined: AblationSet | None = None
    measured: AblationSet | None = None
    held_out: Best | None = None
    refused: tuple[str, ...] = ()
    lock: AbstractContextManager[Any] = field(default_factory=nullcontext)


def load(study: Study, device: str = "auto") -> Ablations:
    """The photos of a study and those kept inside it, ready for ablation. The network is loaded.

    Args:
        study: the study.
        device: of the head; ``auto`` as :func:`interpret.evaluation.heads.live_device` says.
    """
    refused: list[str] = []
    try:
        sets = heldout.kept(study)
        refused += sets.damaged.values()
        held_out = heldout.best(study, sets)
        photos = len((held_out.study if held_out else study).images)
        head = heads.load_head(study, device=heads.live_device(study, photos) if device == "auto" else device)
        mined = make_ablation_set(study, head)
        measured = None
        if held_out is not None and not held_out.mined:
            measured = make_ablation_set(held_out.study, head)
        return Ablations(mined, measured, held_out, tuple(refused))
    except InputError as error:
        return Ablations(refused=(*refused, f"No effect was measured: {error}"))


@dataclass(frozen=True, eq=False)
class Effects:
    """Falls of accuracy with findings' units ablated.

    Attributes:
        classes: (c,) class ids, ascending.
        photos: (c,) photos of each that were measured (count).
        falls: (c,) fall of each class (fraction), for each set of units.
        random: (c,) mean fall of each class with random units ablated, for each number of units.
    """

    classes: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    photos: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    falls: dict[Units, npt.NDArray[np.float64]] = field(default_factory=dict)
    random: dict[int, npt.NDArray[np.float64]] = field(default_factory=dict)

    def of(self, units: Units, class_id: int) -> Effect | None:
        """The effect on one class; None where it was not measured."""
        place = np.flatnonzero(self.classes == class_id)
        if units not in self.falls or not len(place):
            return None
        at = int(place[0])
        return Effect(float(self.falls[units][at]), float(self.random[len(units)][at]), int(self.photos[at]))

    def largest_other(self, units: Units, class_ids: Sequence[int]) -> tuple[float, int] | None:
        """The largest fall of another class (0 or more) and that class; None where there is none."""
        others = np.flatnonzero(~np.isin(self.classes, class_ids))
        if units not in self.falls or not len(others):
            return None
        falls = self.falls[units][others]
        at = int(falls.argmax())
        return max(0.0, float(falls[at])), int(self.classes[others[at]])


def measure(photos: AblationSet, unit_sets: Sequence[Units]) -> Effects:
    """Ablate sets of units, and :data:`DRAWS` random sets of each size, in all photos.

    Args:
        photos: that were not mined.
        unit_sets: those first that matter most: for a head that is not linear the later ones may be left out.
    """
    sets = list(dict.fromkeys(unit_sets))
    if not photos.head.linear:
        sets = sets[: max(1, MOST_RUNS // max(1, len(photos)) - DRAWS)]
    if not sets:
        return Effects()
    sizes = sorted({len(units) for units in sets})
    drawn = [random_units(photos.n_units, size, DRAWS, seed=0) for size in sizes]
    classes = photos.classes
    settings = [np.array(units, np.int64) for units in sets] + [units for draws in drawn for units in draws]
    falls = class_falls(photos, classes, settings)
    used = photos.labels[thinned(photos, classes, settings=len(settings))]
    by_size = falls[len(sets) :].reshape(len(sizes), DRAWS, len(classes)).mean(axis=1)
    return Effects(
        classes=classes,
        photos=np.array([(used == class_id).sum() for class_id in classes], np.int64),
        falls=dict(zip(sets, falls, strict=False)),
        random=dict(zip(sizes, by_size, strict=True)),
    )
