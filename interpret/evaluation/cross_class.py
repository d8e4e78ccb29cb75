"""What the poster's table leaves unasked: whom else a class's units hurt, and what a set does beyond its parts."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.evaluation.ablation import AblationSet, Ints, classify
from interpret.evaluation.unit_rankings import Ranking
from interpret.mining import Mined
from interpret.mining.condensed import by_class, over_classes
from interpret.mining.relevance import classes_of

MOST_PREDICTIONS = 5_000_000
"""Photos are left out, evenly over the classes, where a matrix over all classes would need more predictions."""

Z95 = 1.959963984540054
"""How many standard errors to either side hold 95 % of a normal distribution."""


def matrix(tested: AblationSet, classes: Ints, ranking: Ranking, budget: int | None = None) -> pd.DataFrame:
    """Switch off A's units in all photos and measure every class B.

    Args:
        tested: the photos and the head.
        classes: (c,) int64, ascending.
        ranking: whose units.
        budget: units of each class (count); the natural size if None.

    Returns:
        c x c, index A and columns B (class ids): accuracy of B with all units on, less that with A's units off; below
        0 where B gains.
    """
    photos = thinned(tested, classes, settings=len(classes))
    settings = [[np.zeros(0, np.int64)]] + [[ranking.best(c, budget)] for c in classes.tolist()]
    predicted = classify(tested, settings, np.zeros(len(photos), np.int64), photos)
    shares = _per_class(predicted == tested.labels[photos], tested.labels[photos], classes)
    return pd.DataFrame(shares[0] - shares[1:], index=pd.Index(classes, name="off"), columns=classes)


def dominance(falls: pd.DataFrame) -> float:
    """How much of the fall stays with the class whose units are off, as one number.

    1 - (mean fall of the other classes) / (mean fall of the class itself): 1 where no other class loses anything, 0
    where all lose alike, above 1 where the others gain. NaN where a class's own units do not lower it, on average.
    """
    values = falls.to_numpy(np.float64)
    own = float(np.diag(values).mean())
    if len(values) < 2 or own <= 0:
        return float("nan")
    others = float(values[~np.eye(len(values), dtype=bool)].mean())
    return 1.0 - others / own


def shared_falls(tested: AblationSet, classes: Ints, mined: Mined, limit: int = 40) -> pd.DataFrame:
    """For class-shared itemsets X -> S: do the classes in S fall when X is off, and others not?

    The itemsets taken are maximal: no larger one has the same classes, of those measured. Two units or more come first,
    then those whose weakest class supports them best.

    Returns:
        units, classes (those of S that have photos), fall_in, fall_out (mean fall of accuracy over the classes in S and
        over the others, fractions), difference, low, high (95 % interval of the difference, from the spread of photos
        within classes).
    """
    chosen = _shared_itemsets(classes, mined, limit)
    photos = thinned(tested, classes, settings=max(1, len(chosen)))
    labels = tested.labels[photos]
    settings = [[np.zeros(0, np.int64)]] + [[np.array(units, np.int64)] for units, _ in chosen]
    right = classify(tested, settings, np.zeros(len(photos), np.int64), photos) == labels
    falls = right[:1].astype(np.int8) - right[1:].astype(np.int8)
    means = _per_class(falls, labels, classes)
    errors = _error_per_class(falls, labels, classes)
    lines = []
    for (units, members), mean, error in zip(chosen, means, errors, strict=True):
        inside = np.isin(classes, members)
        difference = float(mean[inside].mean() - mean[~inside].mean()) if (~inside).any() else float("nan")
        weights = np.where(inside, 1 / inside.sum(), 1 / max(1, (~inside).sum()))
        reach = Z95 * float(np.sqrt(((weights * error) ** 2).sum()))
        lines.append(
            {
                "units": units,
                "classes": members,
                "fall_in": float(mean[inside].mean()),
                "fall_out": float(mean[~inside].mean()) if (~inside).any() else float("nan"),
                "difference": difference,
                "low": difference - reach,
                "high": difference + reach,
            }
        )
    return pd.DataFrame(lines, columns=["units", "classes", "fall_in", "fall_out", "difference", "low", "high"])


def synergies(tested: AblationSet, classes: Ints, mined: Mined, ranking: Ranking, per_class: int = 5) -> pd.DataFrame:
    """Whether a set of units does more than its units one by one.

    Args:
        tested: the photos and the head.
        classes: (c,) int64.
        mined: what was mined.
        ranking: whose natural sets, all relevant units of a class, are measured too.
        per_class: maximal itemsets of two or more units taken from each class, the best supported first (count).

    Returns:
        class_id, kind ("all relevant units" or "itemsets"), units, fall (of the class's accuracy with the set off),
        parts (sum of the falls with each unit off alone), synergy (fall - parts), low, high (95 % interval of the
        synergy), photos (count).
    """
    lines = []
    maximal = _maximal(mined)
    for class_id in classes.tolist():
        whole = tuple(sorted(ranking.best(class_id, None).tolist()))
        sets = ([whole] if len(whole) > 1 else []) + maximal.get(class_id, [])[:per_class]
        photos = np.flatnonzero(tested.labels == class_id)
        if not sets or not len(photos):
            continue
        singles = sorted({unit for units in sets for unit in units})
        settings = [[np.array(units, np.int64)] for units in [(), *sets, *((unit,) for unit in singles)]]
        right = classify(tested, settings, np.zeros(len(photos), np.int64), photos) == class_id
        falls = right[0].astype(np.int64) - right.astype(np.int64)
        place = {unit: 1 + len(sets) + index for index, unit in enumerate(singles)}
        for index, units in enumerate(sets):
            parts = falls[[place[unit] for unit in units]].sum(axis=0)
            more = falls[1 + index] - parts
            reach = Z95 * float(more.std(ddof=1) / np.sqrt(len(more))) if len(more) > 1 else float("nan")
            line = {"class_id": class_id, "kind": "all relevant units" if units == whole else "itemsets"}
            line |= {"units": units, "fall": float(falls[1 + index].mean()), "parts": float(parts.mean())}
            middle = float(more.mean())
            line |= {"synergy": middle, "low": middle - reach, "high": middle + reach, "photos": len(photos)}
            lines.append(line)
    columns = ["class_id", "kind", "units", "fall", "parts", "synergy", "low", "high", "photos"]
    return pd.DataFrame(lines, columns=columns)


def thinned(tested: AblationSet, classes: Ints, *, settings: int) -> Ints:
    """Positions of the photos to use: all, or the first of each class where ``settings`` of all would be too many."""
    each = max(5, MOST_PREDICTIONS // max(1, settings * len(classes)))
    return np.sort(np.concatenate([np.flatnonzero(tested.labels == c)[:each] for c in classes.tolist()]))


def _per_class(values: npt.NDArray, labels: Ints, classes: Ints) -> npt.NDArray[np.float64]:
    """(S, c) mean of values (S, n) within each class."""
    return np.stack([values[:, labels == c].mean(axis=1, dtype=np.float64) for c in classes.tolist()], axis=1)


def _error_per_class(values: npt.NDArray, labels: Ints, classes: Ints) -> npt.NDArray[np.float64]:
    """(S, c) standard error of those means."""
    parts = [values[:, labels == c].astype(np.float64) for c in classes.tolist()]
    return np.stack([part.std(axis=1) / np.sqrt(part.shape[1]) for part in parts], axis=1)


def _shared_itemsets(classes: Ints, mined: Mined, limit: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """(units, classes of S that are measured), as :func:`shared_falls` takes them."""
    known = set(classes.tolist())
    support: dict[int, float] = {}
    for itemset, label, count in zip(
        mined.itemset[mined.frequent].tolist(), mined.label[mined.frequent].tolist(),
        mined.patches[mined.frequent].tolist(), strict=True,
    ):  # fmt: skip
        share = count / mined.class_sizes[label]
        support[itemset] = min(share, support.get(itemset, 1.0))
    served = classes_of(mined)
    found = {}
    largest = over_classes(mined, classes).maximal  # a smaller itemset of the same classes adds nothing
    for itemset, (units, members) in enumerate(zip(mined.units_of, served, strict=True)):
        measured = tuple(c for c in members if c in known)
        if len(measured) >= 2 and largest[itemset]:
            found[units] = (measured, support[itemset])
    order = sorted(found, key=lambda units: (len(units) < 2, -found[units][1], units))
    return [(units, found[units][0]) for units in order[:limit]]


def _maximal(mined: Mined) -> dict[int, list[tuple[int, ...]]]:
    """Each class's maximal itemsets of two or more units, the best supported first."""
    kept = np.flatnonzero(mined.frequent)[by_class(mined).maximal]
    kept = kept[mined.sizes[mined.itemset[kept]] > 1]
    found: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
    for class_id, itemset, count in zip(
        mined.class_id[kept].tolist(), mined.itemset[kept].tolist(), mined.patches[kept].tolist(), strict=True
    ):
        found.setdefault(class_id, []).append((-count, mined.units_of[itemset]))
    return {class_id: [units for _, units in sorted(own)] for class_id, own in found.items()}
