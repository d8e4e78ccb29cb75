"""Itemsets against parts that are known: is what the mining calls shared in fact shared?

An itemset X of classes S is *true* where every unit of X detects a part and that part belongs to every class of S.
It is *decided* where every unit of X detects a part at all; an undecided itemset counts as not true.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Bits = NDArray[np.bool_]

LEVEL = 0.04
"""IoU from which a unit counts as the detector of a part, as in Network Dissection."""

DRAWS = 200
"""Random unit sets drawn for each itemset (count)."""

SPECIFIC, SHARED = "specific", "shared"


def unit_table(iou: NDArray[np.float64], parts: Sequence[str], level: float = LEVEL) -> pd.DataFrame:
    """The part that each unit detects best.

    Args:
        iou: (K, P) as :attr:`interpret.overlap.Overlaps.iou`.
        parts: the P names; of equal scores the first part counts.
        level: IoU from which the unit is a detector.

    Returns:
        One row a unit: unit, part (null where the score is below ``level``), best_part (null where no pixel is
        shared), iou, runner_up, runner_up_iou.
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
        own = seen[known == label]
        if len(own):
            found[label] = own.mean(0) >= presence
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
        class ids), parts (tuple of the units' parts, None for a unit without one), decided, true.
    """
    allowed = _allowed(units, parts, has)
    named = units["part"].tolist()
    rows = []
    for itemset, members in itemsets.items():
        held = tuple(sorted(classes.get(itemset, ())))
        if not held:
            continue
        own = tuple(named[unit] for unit in members)
        decided = all(part is not None for part in own)
        true = bool(allowed[np.ix_(held, list(members))].all())
        kind = SPECIFIC if len(held) == 1 else SHARED
        rows.append((itemset, kind, len(members), held, own, decided, true))
    return pd.DataFrame(rows, columns=["itemset_id", "kind", "size", "classes", "parts", "decided", "true"])


def _allowed(units: pd.DataFrame, parts: Sequence[str], has: Bits) -> Bits:
    """(C, K): whether the unit detects a part and the class has it."""
    place = {part: index for index, part in enumerate(parts)}
    known = np.array([place.get(part, -1) for part in units["part"]])
    return has[:, known] & (known >= 0)


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
        the draws of the share of all), random_decided (mean, of the share of decided). Shares of nothing are NaN.
    """
    rng = np.random.default_rng(seed)
    allowed, whole = _allowed(units, parts, has), len(units)
    detectors = int(units["part"].notna().sum())
    fits = np.array([int(allowed[list(held)].all(0).sum()) for held in judged["classes"]], dtype=np.int64)
    sizes = judged["size"].to_numpy(np.int64)
    # Of a set of k units drawn without replacement all fit where the hypergeometric count of fitting ones is k.
    drawn = rng.hypergeometric(fits, whole - fits, sizes, (draws, len(judged))) == sizes
    possible = sizes <= detectors
    capped = np.minimum(sizes, detectors)
    among = (rng.hypergeometric(fits, detectors - fits, capped, (draws, len(judged))) == sizes) & possible
    decided, true = judged["decided"].to_numpy(bool), judged["true"].to_numpy(bool)
    rows = []
    for kind in (SPECIFIC, SHARED):
        of_kind = (judged["kind"] == kind).to_numpy(bool)
        for size in (0, *sorted(set(sizes[of_kind].tolist()))):
            chosen = of_kind & ((sizes == size) | (size == 0))
            per_draw = drawn[:, chosen].mean(1) if chosen.any() else np.full(1, np.nan)
            known = chosen & decided
            rows.append(
                {
                    "kind": kind,
                    "size": size,
                    "itemsets": int(chosen.sum()),
                    "decided": int(known.sum()),
                    "true": int((chosen & true).sum()),
                    "share": float(true[chosen].mean()) if chosen.any() else np.nan,
                    "share_decided": float(true[known].mean()) if known.any() else np.nan,
                    "random": float(per_draw.mean()),
                    "random_sd": float(per_draw.std()),
                    "random_decided": float(among[:, known].mean()) if known.any() else np.nan,
                }
            )
    return pd.DataFrame(rows)
