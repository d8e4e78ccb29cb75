"""Itemsets against parts that are known: is what the mining calls shared in fact shared?

An itemset X of classes S is *true* where every unit of X detects a part and that part, the one that the unit detects
best, belongs to every class of S. It is *decided* where every unit of X detects a part at all; an undecided itemset
counts as not true. Two weaker statements say how a wrong one goes wrong:

- *true of any*: every unit detects some part, perhaps not its best one, that belongs to every class of S (a unit that
  sees eyes and the heads around them);
- *true of each*: every unit detects, for each class of S, some part of that class, perhaps another one for each (two
  parts that look alike in one unit).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from interpret.config import DissectConfig

Bits = NDArray[np.bool_]

LEVEL = DissectConfig.level
"""IoU from which a unit counts as the detector of a part, as in Network Dissection."""

DRAWS = 200
"""Random unit sets drawn for each itemset (count)."""

SPECIFIC, SHARED = "specific", "shared"

VERDICTS = ("true", "true_any", "true_each")
"""Columns of :func:`itemset_table`, the strictest first."""


def unit_table(iou: NDArray[np.float64], parts: Sequence[str], level: float = LEVEL) -> pd.DataFrame:
    """The part that each unit detects best.

    Args:
        iou: (K, P) as :attr:`interpret.dissection.overlap.Overlaps.iou`.
        parts: the P names; of equal scores the first part counts.
        level: IoU from which the unit is a detector.

    Returns:
        One row a unit: unit, part (null where the score is below ``level``), best_part (null where no pixel is
        shared), iou, runner_up, runner_up_iou, detects (tuple of all parts from ``level`` on, best first).
    """
    order = np.argsort(-iou, axis=1, kind="stable")
    rows = np.arange(len(iou))
    best = order[:, 0]
    score = iou[rows, best]
    second = order[:, 1] if len(parts) > 1 else best
    next_score = iou[rows, second] if len(parts) > 1 else np.zeros(len(iou))
    return pd.DataFrame(
        {
            "unit": rows,
            "part": _named(best, (score >= level) & (score > 0), parts),
            "best_part": _named(best, score > 0, parts),
            "iou": score,
            "runner_up": _named(second, next_score > 0, parts),
            "runner_up_iou": next_score,
            "detects": [
                tuple(parts[place] for place in ranked if iou[unit, place] >= level and iou[unit, place] > 0)
                for unit, ranked in enumerate(order)
            ],
        }
    )


def _named(places: NDArray[np.int64], held: Bits, parts: Sequence[str]) -> pd.Series:
    """Names of parts, null where not held."""
    return pd.Series([parts[place] if keep else None for place, keep in zip(places, held, strict=True)], dtype=object)


def parts_of_classes(seen: Bits, labels: Sequence[int | None], classes: int, presence: float = 0.1) -> Bits:
    """Which part belongs to which class, from the images alone: (C, P) bool.

    Args:
        seen: (n, P), whether image i shows part p.
        labels: the n classes; None where unknown.
        classes: C.
        presence: share of a class's images that must show the part.
    """
    found = np.zeros((classes, seen.shape[1]), dtype=np.bool_)
    known = np.array([-1 if label is None else label for label in labels])
    for label in range(classes):
        of_class = seen[known == label]
        if len(of_class):
            found[label] = of_class.mean(0) >= presence
    return found


def has_part(class_names: Sequence[str], class_parts: Mapping[str, Sequence[str]], parts: Sequence[str]) -> Bits:
    """Which part belongs to which class, from a table of names: (C, P) bool; classes not in the table have none."""
    return np.array([[part in class_parts.get(name, ()) for part in parts] for name in class_names], dtype=np.bool_)


def itemset_table(
    itemsets: Mapping[int, Sequence[int]],
    classes: Mapping[int, Sequence[int]],
    units: pd.DataFrame,
    parts: Sequence[str],
    has: Bits,
) -> pd.DataFrame:
    """Judge itemsets.

    Args:
        itemsets: itemset_id -> its units.
        classes: itemset_id -> the classes S in which its support reaches the threshold; itemsets without any are
            left out.
        units: as :func:`unit_table`.
        parts: the P names.
        has: (C, P), which class has which part.

    Returns:
        One row an itemset: itemset_id, kind (specific: one class; shared: more), size (units), classes (tuple of
        class ids), parts (tuple of the units' parts, None for a unit without one), decided, true, true_any,
        true_each.
    """
    best, detected = _best(units, parts), _detected(units, parts)
    named = units["part"].tolist()
    rows = []
    for itemset, members in itemsets.items():
        held = tuple(sorted(classes.get(itemset, ())))
        if not held:
            continue
        detected_parts = tuple(named[unit] for unit in members)
        decided = all(part is not None for part in detected_parts)
        chosen = list(members)
        verdicts = (bool(fitting(held, has, found)[chosen].all()) for fitting, found in
                    ((_one_for_all, best), (_one_for_all, detected), (_one_for_each, detected)))  # fmt: skip
        kind = SPECIFIC if len(held) == 1 else SHARED
        rows.append((itemset, kind, len(members), held, detected_parts, decided, *verdicts))
    columns = ["itemset_id", "kind", "size", "classes", "parts", "decided", *VERDICTS]
    return pd.DataFrame(rows, columns=columns)


def _best(units: pd.DataFrame, parts: Sequence[str]) -> Bits:
    """(K, P): the part that each unit detects best, if any."""
    return np.array([[part == name for name in parts] for part in units["part"]], dtype=np.bool_)


def _detected(units: pd.DataFrame, parts: Sequence[str]) -> Bits:
    """(K, P): all parts that each unit detects."""
    return np.array([[name in found for name in parts] for found in units["detects"]], dtype=np.bool_)


def _one_for_all(classes: Sequence[int], has: Bits, found: Bits) -> Bits:
    """(K,): whether one of the unit's parts belongs to all of these classes."""
    return np.asarray((found & np.asarray(has[list(classes)].all(0))).any(1))


def _one_for_each(classes: Sequence[int], has: Bits, found: Bits) -> Bits:
    """(K,): whether each of these classes has one of the unit's parts."""
    counts = found.astype(np.int64) @ has[list(classes)].T.astype(np.int64)  # (K, classes)
    return np.asarray((counts > 0).all(1))


class ShareRow(NamedTuple):
    """What a reader takes from one row of :func:`share_table`."""

    kind: str
    size: int
    itemsets: int
    share: float
    share_decided: float
    random: float
    random_sd: float
    share_any: float
    random_any: float
    share_each: float
    random_each: float


def share_table(
    judged: pd.DataFrame,
    units: pd.DataFrame,
    parts: Sequence[str],
    has: Bits,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> pd.DataFrame:
    """Shares of true itemsets by kind and size, beside those of random units.

    Each random set takes an itemset's classes and size and draws its units without replacement: once from all units,
    and once from those that detect a part (beside the share among decided itemsets).

    Args:
        judged: as :func:`itemset_table`.
        units: as :func:`unit_table`.
        parts: the P names.
        has: (C, P), which class has which part.
        draws: random sets per itemset (count).
        seed: of the draws.

    Returns:
        One row for each kind and size, size 0 for all: kind, size, itemsets (count), decided (count), true (count),
        share (true of all), share_decided (true of decided), random and random_sd (mean and standard deviation over
        the draws of the share of all), random_decided (mean, of the share of decided), share_any and random_any,
        share_each and random_each (of the weaker statements). Shares of nothing are NaN.
    """
    rng = np.random.default_rng(seed)
    best, detected, whole = _best(units, parts), _detected(units, parts), len(units)
    detectors = int(best.any(1).sum())

    def fitting(test: Callable[[Sequence[int], Bits, Bits], Bits], found: Bits) -> NDArray[np.int64]:
        each = {held: int(test(held, has, found).sum()) for held in set(judged["classes"])}
        return np.array([each[held] for held in judged["classes"]], dtype=np.int64)

    fits = fitting(_one_for_all, best)
    sizes = judged["size"].to_numpy(np.int64)
    # Of a set of k units drawn without replacement all fit where the hypergeometric count of fitting ones is k.
    shape = (draws, len(judged))
    drawn = rng.hypergeometric(fits, whole - fits, sizes, shape) == sizes
    possible = sizes <= detectors
    capped = np.minimum(sizes, detectors)
    among = (rng.hypergeometric(fits, detectors - fits, capped, shape) == sizes) & possible
    any_fits, each_fits = fitting(_one_for_all, detected), fitting(_one_for_each, detected)
    drawn_any = rng.hypergeometric(any_fits, whole - any_fits, sizes, shape) == sizes
    drawn_each = rng.hypergeometric(each_fits, whole - each_fits, sizes, shape) == sizes
    decided, true, true_any, true_each = (judged[name].to_numpy(bool) for name in ("decided", *VERDICTS))
    rows = []
    for kind in (SPECIFIC, SHARED):
        of_kind = (judged["kind"] == kind).to_numpy(bool)
        for size in (0, *sorted(set(sizes[of_kind].tolist()))):
            chosen = of_kind & ((sizes == size) | (size == 0))
            known = chosen & decided
            rows.append(
                {
                    "kind": kind,
                    "size": size,
                    "itemsets": int(chosen.sum()),
                    "decided": int(known.sum()),
                    "true": int((chosen & true).sum()),
                    "share": _mean(true[chosen]),
                    "share_decided": _mean(true[known]),
                    "random": _mean(drawn[:, chosen]),
                    "random_sd": float(drawn[:, chosen].mean(1).std()) if chosen.any() else np.nan,
                    "random_decided": _mean(among[:, known]),
                    "share_any": _mean(true_any[chosen]),
                    "random_any": _mean(drawn_any[:, chosen]),
                    "share_each": _mean(true_each[chosen]),
                    "random_each": _mean(drawn_each[:, chosen]),
                }
            )
    return pd.DataFrame(rows)


def by_chance(judged: pd.DataFrame, units: pd.DataFrame, parts: Sequence[str], has: Bits) -> NDArray[np.float64]:
    """The probability that random units, as many as an itemset has and for its classes, make a true itemset: (n,).

    It is hypergeometric: all k units drawn without replacement are among those that fit.

    Args:
        judged: as :func:`itemset_table`.
        units: as :func:`unit_table`.
        parts: the P names.
        has: (C, P), which class has which part.
    """
    best, whole = _best(units, parts), len(units)
    fits = {held: int(_one_for_all(held, has, best).sum()) for held in set(judged["classes"])}
    return np.array(
        [
            math.comb(fits[held], size) / math.comb(whole, size)
            for held, size in zip(judged["classes"], judged["size"].tolist(), strict=True)
        ]
    )


def _mean(values: Bits) -> float:
    """The share of True; NaN of nothing."""
    return float(values.mean()) if values.size else float("nan")
