"""Classes of two studies that are the same."""

import numpy as np
import numpy.typing as npt

from interpret.models.classifier import numbered_classes
from interpret.study import Study


def counterpart_classes(study: Study, other: Study) -> npt.NDArray[np.int64]:
    """The other study's class for each class of a study: (C,) int64, -1 where it has none of that name.

    Where both list the same names, or one has none of its own and both have as many classes, each class is its own
    counterpart, also where two share a name (ImageNet has two cranes); otherwise the first of that name is.
    """
    alike = study.class_names == other.class_names
    numbered = len(study.class_names) == len(other.class_names) and (_has_no_names(study) or _has_no_names(other))
    if alike or numbered:
        return np.arange(len(study.class_names), dtype=np.int64)
    place: dict[str, int] = {}
    for class_id, name in enumerate(other.class_names):
        place.setdefault(name, class_id)
    return np.array([place.get(name, -1) for name in study.class_names], np.int64)


def _has_no_names(study: Study) -> bool:
    """Whether classes are called by their numbers, as those of a checkpoint are that was given without names."""
    return study.class_names == list(numbered_classes(len(study.class_names)))
