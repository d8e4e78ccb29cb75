"""Effects beyond Table 1: what one class's units do to other classes, and what a set of units does beyond its parts."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.evaluation.ablation import AblationSet, Ints, classify
from interpret.evaluation.unit_rankings import Ranking
from interpret.mining import Mined
from interpret.mining.condensed import by_class, over_classes
from interpret.mining.relevance import classes_of
from interpret.stats import mean_interval

MAX_PREDICTIONS = 5_000_000
"""Predictions (count) of one matrix above which fewer photos of each class are used."""

MIN_PHOTOS = 5
"""Photos of each class (count) that are used in any case, where there are as many."""

Units = tuple[int, ...]


def matrix(test_set: AblationSet, classes: Ints, ranking: Ranking, budget: int | None = None) -> pd.DataFrame:
    """Fall of each class's accuracy with each class's units ablated, in the same photos.

    Args:
        test_set: the photos and the head.
        classes: (c,) int64, ascending.
        ranking: whose units.
        budget: units of each class (count); the natural size if None.

    Returns:
        c x c, index A and columns B (class ids): accuracy of B with no unit ablated, less that with A's units ablated
        (fraction); below 0 where B gains.
    """
    falls = class_falls(test_set, classes, [ranking.best(c, budget) for c in classes.tolist()])
    return pd.DataFrame(falls, index=pd.Index(classes, name="off"), columns=classes)


def class_falls(test_set: AblationSet, classes: Ints, unit_sets: Sequence[Ints]) -> npt.NDArray[np.float64]:
    """(S, c) fall of each class's accuracy with each set of units ablated, in the same photos (fraction).

    Args:
        test_set: the photos and the head.
        classes: (c,) int64, ascending, each with photos.
        unit_sets: the S sets.
    """
    photos = thinned(test_set, classes, settings=max(1, len(unit_sets)))
    settings = [[np.zeros(0, np.int64)], *([units] for units in unit_sets)]
    labels = test_set.labels[photos]
    correct = classify(test_set, settings, np.zeros(len(photos), np.int64), photos) == labels
    accuracy = np.stack([part.mean(axis=1, dtype=np.float64) for part in _by_class(correct, labels, classes)], axis=1)
    return np.asarray(accuracy[0] - accuracy[1:])


def dominance(falls: pd.DataFrame) -> float:
    """Diagonal dominance of :func:`matrix`: how much of the fall stays with the class whose units are ablated.

    1 - (mean fall of the other classes) / (mean fall of the class itself): 1 where no other class loses anything, 0
    where all lose alike, above 1 where the others gain. NaN where the classes' own units do not lower their accuracy,
    on average.
    """
    values = falls.to_numpy(np.float64)
    on_diagonal = float(np.diag(values).mean())
    if len(values) < 2 or on_diagonal <= 0:
        return float("nan")
    off_diagonal = float(values[~np.eye(len(values), dtype=bool)].mean())
    return 1.0 - off_diagonal / on_diagonal


def own_share(falls: pd.DataFrame) -> float:
    """The share of all falls in :func:`matrix` that is on its diagonal, with the class whose units are ablated.

    A gain counts as no fall: a class that gains makes up for no other one's loss.

    Returns:
        Sum of the falls on the diagonal / sum of all falls (fraction); NaN where no class falls.
    """
    lost = np.clip(falls.to_numpy(np.float64), 0, None)
    total = float(lost.sum())
    return float(np.trace(lost)) / total if total > 0 else float("nan")


def strongest(falls: pd.DataFrame, limit: int) -> pd.DataFrame:
    """The pairs of different classes with the largest falls of :func:`matrix`.

    Returns:
        off, measured (class ids), fall (fraction): at most ``limit`` rows with a fall above 0, the largest first, equal
        ones by class.
    """
    values = falls.to_numpy(np.float64).copy()
    np.fill_diagonal(values, 0.0)
    order = np.argsort(-values, axis=None, kind="stable")[:limit]
    order = order[values.ravel()[order] > 0]
    off, measured = np.divmod(order, max(1, len(values)))
    ids = falls.index.to_numpy(np.int64)
    return pd.DataFrame({"off": ids[off], "measured": ids[measured], "fall": values[off, measured]})


def clustered(falls: pd.DataFrame) -> Ints:
    """(c,) an order of the classes of :func:`matrix` in which those that affect each other stand together.

    It is that of the leaves of average linkage; two classes are the nearer the more they fall with each other's units
    ablated, gains counting as nothing.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage  # takes a while to import
    from scipy.spatial.distance import squareform

    if len(falls) < 3:
        return np.arange(len(falls))
    values = np.nan_to_num(np.clip(falls.to_numpy(np.float64), 0, None))
    together = (values + values.T) / 2
    np.fill_diagonal(together, 0.0)
    apart = together.max() - together
    np.fill_diagonal(apart, 0.0)
    return leaves_list(linkage(squareform(apart, checks=False), "average")).astype(np.int64)


def shared_falls(test_set: AblationSet, classes: Ints, mined: Mined, limit: int = 40) -> pd.DataFrame:
    """For class-shared itemsets X -> S: do the classes in S fall more than the others when X is ablated?

    The itemsets taken are maximal: no larger one has the same classes, of those measured. Two units or more come first,
    then those whose weakest class supports them best.

    The interval combines those of the classes (:func:`interpret.stats.mean_interval`) by their distances to the means
    (the method of variance estimates recovery, Zou and Donner, Statistics in Medicine 2008).

    Returns:
        units, classes (those of S that have photos), fall_in, fall_out (mean fall of accuracy over the classes in S and
        over the others, fractions), difference, low, high (95 % interval of the difference; null where a class in S has
        one photo only, or where there is no other class).
    """
    itemsets = _shared_itemsets(classes, mined, limit)
    photos = thinned(test_set, classes, settings=max(1, len(itemsets)))
    labels = test_set.labels[photos]
    settings = [[np.zeros(0, np.int64)]] + [[np.array(units, np.int64)] for units, _ in itemsets]
    correct = classify(test_set, settings, np.zeros(len(photos), np.int64), photos) == labels
    falls = _by_class(correct[:1].astype(np.int8) - correct[1:].astype(np.int8), labels, classes)
    means = np.stack([part.mean(axis=1, dtype=np.float64) for part in falls], axis=1)
    low, high = (np.stack(ends, axis=1) for ends in zip(*map(mean_interval, falls), strict=True))
    lines = []
    for row, (units, members) in enumerate(itemsets):
        inside = np.isin(classes, members)
        fall_in = float(means[row, inside].mean())
        fall_out = float(means[row, ~inside].mean()) if (~inside).any() else float("nan")
        below, above = means[row] - low[row], high[row] - means[row]
        # A single photo says nothing of its class: another class may then fall or gain by anything up to 1.
        single = np.isnan(below) & ~inside
        below[single], above[single] = 1 + means[row, single], 1 - means[row, single]
        lines.append(
            {
                "units": units,
                "classes": members,
                "fall_in": fall_in,
                "fall_out": fall_out,
                "difference": fall_in - fall_out,
                "low": fall_in - fall_out - _combined(below[inside], above[~inside]),
                "high": fall_in - fall_out + _combined(above[inside], below[~inside]),
            }
        )
    return pd.DataFrame(lines, columns=["units", "classes", "fall_in", "fall_out", "difference", "low", "high"])


def synergies(test_set: AblationSet, classes: Ints, mined: Mined, ranking: Ranking, per_class: int = 5) -> pd.DataFrame:
    """Whether ablating a set of units does more than ablating its units one by one.

    Args:
        test_set: the photos and the head.
        classes: (c,) int64.
        mined: what was mined.
        ranking: whose natural sets, all relevant units of a class, are measured too.
        per_class: maximal itemsets of two or more units taken from each class, the best supported first (count).

    Returns:
        class_id, kind ("all relevant units" or "itemsets"), units, fall (of the class's accuracy with the set ablated),
        parts (sum of the falls with each unit ablated alone), synergy (fall - parts), low, high (95 % interval of the
        synergy; null for a class of one photo), photos (count).
    """
    lines = []
    maximal = _maximal(mined)
    for class_id in classes.tolist():
        relevant = tuple(sorted(ranking.best(class_id, None).tolist()))
        sets = ([relevant] if len(relevant) > 1 else []) + maximal.get(class_id, [])[:per_class]
        photos = np.flatnonzero(test_set.labels == class_id)
        if not sets or not len(photos):
            continue
        singles = sorted({unit for units in sets for unit in units})
        settings = [[np.array(units, np.int64)] for units in [(), *sets, *((unit,) for unit in singles)]]
        correct = classify(test_set, settings, np.zeros(len(photos), np.int64), photos) == class_id
        falls = correct[0].astype(np.int64) - correct.astype(np.int64)
        row_of = {unit: 1 + len(sets) + index for index, unit in enumerate(singles)}
        for index, units in enumerate(sets):
            parts = falls[[row_of[unit] for unit in units]].sum(axis=0)
            synergy = falls[1 + index] - parts
            low, high = mean_interval(synergy, largest=max(1, int(np.abs(synergy).max())))
            lines.append(
                {
                    "class_id": class_id,
                    "kind": "all relevant units" if units == relevant else "itemsets",
                    "units": units,
                    "fall": float(falls[1 + index].mean()),
                    "parts": float(parts.mean()),
                    "synergy": float(synergy.mean()),
                    "low": float(low),
                    "high": float(high),
                    "photos": len(photos),
                }
            )
    columns = ["class_id", "kind", "units", "fall", "parts", "synergy", "low", "high", "photos"]
    return pd.DataFrame(lines, columns=columns)


def thinned(test_set: AblationSet, classes: Ints, *, settings: int) -> Ints:
    """Positions of the photos to use: all, or the first of each class where ``settings`` of all would be too many."""
    per_class = max(MIN_PHOTOS, MAX_PREDICTIONS // max(1, settings * len(classes)))
    return np.sort(np.concatenate([np.flatnonzero(test_set.labels == c)[:per_class] for c in classes.tolist()]))


def _by_class(values: npt.NDArray, labels: Ints, classes: Ints) -> list[npt.NDArray]:
    """Columns of values (S, n) class by class: (S, photos of the class) each."""
    return [values[:, labels == class_id] for class_id in classes.tolist()]


def _combined(inside: npt.NDArray[np.float64], outside: npt.NDArray[np.float64]) -> float:
    """Distance from a difference of two means over classes to one end of its interval, from those of the classes."""
    if not len(outside):
        return float("nan")
    return float(np.sqrt(np.square(inside).sum() / len(inside) ** 2 + np.square(outside).sum() / len(outside) ** 2))


def _shared_itemsets(classes: Ints, mined: Mined, limit: int) -> list[tuple[Units, tuple[int, ...]]]:
    """(units, classes of S that are measured), as :func:`shared_falls` takes them."""
    known = set(classes.tolist())
    frequent = mined.frequent
    support = np.full(len(mined), 1.0)  # in the class where it is smallest
    np.minimum.at(support, mined.itemset[frequent], mined.patches[frequent] / mined.class_sizes[mined.label[frequent]])
    maximal = over_classes(mined, classes).maximal  # a smaller itemset of the same classes adds nothing
    found = []
    for itemset, (units, members) in enumerate(zip(mined.units_of, classes_of(mined), strict=True)):
        measured = tuple(c for c in members if c in known)
        if len(measured) >= 2 and maximal[itemset]:
            found.append((len(units) < 2, -float(support[itemset]), units, measured))
    return [(units, measured) for _, _, units, measured in sorted(found)[:limit]]


def _maximal(mined: Mined) -> dict[int, list[Units]]:
    """Each class's maximal itemsets of two or more units, the best supported first."""
    kept = np.flatnonzero(mined.frequent)[by_class(mined).maximal]
    kept = kept[mined.sizes[mined.itemset[kept]] > 1]
    found: dict[int, list[tuple[int, Units]]] = {}
    for class_id, itemset, count in zip(
        mined.class_id[kept].tolist(), mined.itemset[kept].tolist(), mined.patches[kept].tolist(), strict=True
    ):
        found.setdefault(class_id, []).append((-count, mined.units_of[itemset]))
    return {class_id: [units for _, units in sorted(ranked)] for class_id, ranked in found.items()}
