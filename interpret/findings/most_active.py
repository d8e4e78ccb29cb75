"""The photos in which units are most active, among all photos of a study and not only those with a fitting patch."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from interpret.findings.supporting import Ints
from interpret.study import Study

Values = npt.NDArray[np.float32]


def most_active_photos(study: Study, units: Sequence[int]) -> tuple[Ints, Values]:
    """All photos in which units are active, those first in which they are so most.

    What counts is a unit's activation, the mean over the layer's grid. Of several units it is the smallest, each one
    divided by the largest activation that the unit has in any photo of the study: where that is 0.8, each of them
    reaches at least 80 % of its largest.

    Args:
        study: the study.
        units: one unit or more.

    Returns:
        (m,) photos by falling activity, then rising id; (m,) their activity: the activation of one unit, of several a
        fraction. Photos in which it is not positive are left out.
    """

    def ordered() -> tuple[Ints, Values]:
        pooled = np.asarray(study.features[:, list(units)], np.float32)
        if len(units) > 1:
            largest = pooled.max(axis=0, initial=0)
            pooled = np.divide(pooled, largest, out=np.zeros_like(pooled), where=largest > 0)
        activity = pooled.min(axis=1)
        order = np.argsort(-activity, kind="stable")
        order = order[activity[order] > 0].astype(np.int64)
        return order, activity[order]

    return study.derived(("most active", *units), ordered)
