"""What each unit does on average in the photos of each class: all that rankings ask for, in one pass over the features.

At a million photos the features fill 8 GB. They are read class by class, each photo once for the class that it is of
and once for the one that it is predicted as where that is another, and what was read is let go again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from interpret.evaluation.ablation import AblationSet, Ints
from interpret.evaluation.contributions import CONTRIBUTION_ROWS, contributions_of
from interpret.evaluation.heads import on_any_device
from interpret.evaluation.stretches import HEAD_ROWS
from interpret.frames import integers
from interpret.study import Study
from interpret.study.mapped import let_go
from interpret.threads import each_alone

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ClassMeans:
    """Averages by class id, (K,) float64 each.

    Attributes:
        activation: mean activation over the photos of the class.
        contribution: mean contribution to the class's logit over them.
        evidence: mean contribution to the class's log-odds over them.
        called_evidence: the same over the photos that are predicted as the class.
        patch_evidence: sum of the contributions to the class's log-odds over its patches, each given by its photo.
    """

    activation: Mapping[int, Floats]
    contribution: Mapping[int, Floats]
    evidence: Mapping[int, Floats]
    called_evidence: Mapping[int, Floats] = field(default_factory=dict)
    patch_evidence: Mapping[int, Floats] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Photos:
    """The photos of one class: those that are of it, those predicted as it, or both.

    Attributes:
        class_id: the class.
        rows: (m,) int64, rows of the study, ascending.
        weights: (3, m) float64: whether each is of the class, whether it is predicted as it, and its patches (count).
    """

    class_id: int
    rows: Ints
    weights: Floats


@on_any_device
def class_means(mined_set: AblationSet, classes: Ints, study: Study | None = None) -> ClassMeans:
    """The averages of each class. Of a class without photos of a kind, there is no mean, and the sum is 0.

    Sums are in float64, so that the order of photos changes them by about 1e-15 of their size. With a linear head the
    mean contribution to the logit is the weight times the mean activation.

    Args:
        mined_set: the mined photos and the head.
        classes: (c,) int64, the classes asked for.
        study: the study of these photos; without it, what refers to predictions stays empty.
    """
    everything = mined_set.every_photo()
    photos = list(_photos(mined_set, classes, study))
    work = partial(_sums, everything)
    # Any other head is run by hooks, of which a network holds one at a time.
    alone = each_alone(work, photos, mined_set.device.type) if mined_set.head.linear else map(work, photos)
    activation, contribution, evidence, called, patches = ({} for _ in range(5))
    for each, (active, logit, log_odds) in zip(photos, alone, strict=True):
        c, (of_class, as_class, _) = each.class_id, each.weights.sum(axis=1)
        if of_class:
            activation[c], contribution[c] = active / of_class, logit / of_class
            evidence[c] = log_odds[0] / of_class
        if as_class:
            called[c] = log_odds[1] / as_class
        patches[c] = log_odds[2]
    return ClassMeans(activation, contribution, evidence, called, patches if study is not None else {})


def _photos(mined_set: AblationSet, classes: Ints, study: Study | None) -> Iterator[_Photos]:
    labelled = rows_by_class(mined_set.labels, mined_set.rows)
    n_patches, predicted = np.zeros(len(mined_set.features)), None
    if study is not None:
        predicted = rows_by_class(study.images["predicted"].to_numpy(np.int64))
        (image,) = integers(study.patches, "image_id")
        n_patches = np.bincount(image, minlength=len(n_patches)).astype(np.float64)
    for c in classes.tolist():
        called = np.zeros(0, np.int64) if predicted is None else predicted(c)
        rows = np.union1d(labelled(c), called)
        of_class, as_class = (np.isin(rows, some, assume_unique=True) for some in (labelled(c), called))
        yield _Photos(c, rows, np.stack([of_class, as_class, as_class * n_patches[rows]]).astype(np.float64))


def rows_by_class(values: Ints, rows: Ints | None = None) -> Callable[[int], Ints]:
    """A function from a class to the places where ``values`` is that class, ascending: one sort for all classes.

    Args:
        values: (n,) the class of each place.
        rows: (n,) ascending, what is given in place of the places.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    places = order if rows is None else rows[order]

    def of(class_id: int) -> Ints:
        first, last = np.searchsorted(ordered, [class_id, class_id + 1])
        return places[first:last]

    return of


def _sums(everything: AblationSet, photos: _Photos) -> tuple[Floats, Floats, Floats]:
    """Sums of activations and of contributions to the logit over the photos of the class, and to the log-odds.

    Returns:
        (K,), (K,) and (3, K), the last weighted by each row of the weights.
    """
    head, c = everything.head, photos.class_id
    activation, logit, log_odds = (np.zeros((*shape, everything.n_units)) for shape in ((), (), (3,)))
    for start in range(0, len(photos.rows), step := CONTRIBUTION_ROWS if head.linear else HEAD_ROWS):
        rows, weights = photos.rows[start : start + step], photos.weights[:, start : start + step]
        inputs = everything.head_inputs(rows)
        features = inputs.cpu().numpy() if head.linear else np.asarray(everything.features[rows])
        activation += weights[0] @ features.astype(np.float64)
        log_odds += weights @ contributions_of(everything, rows, inputs, c, against=True).astype(np.float64)
        if not head.linear and weights[0].any():
            logit += weights[0] @ contributions_of(everything, rows, inputs, c, against=False).astype(np.float64)
    if head.weight is not None and len(photos.rows):
        logit = activation * head.weight[c].cpu().numpy()
    let_go(everything.features, everything.activations)
    return activation, logit, log_odds
