"""The smallest set of a class's units whose ablation loses half of its correct predictions.

A photo counts as lost if the model predicts it rightly, and no longer does with the set ablated; photos that were wrong
and become right do not count. Sets are made of the candidates of :mod:`interpret.evaluation.itemsets.causal_sets`: all
of up to three units are tried, and the one that loses most photos then grows by the unit that loses most further ones.
So the set is found on the photos that it is measured on: it says how few units suffice, not what would be lost on
others.
"""

from typing import Any

import numpy as np
import pandas as pd

from interpret.evaluation.itemsets.causal_sets import Candidates
from interpret.evaluation.itemsets.prediction_changes import EXACT_SIZES, Bools, PredictionChanges, subsets
from interpret.stats import wilson

MAX_SIZE = 10
"""Largest set (units) that the search grows to."""

MANY = 10
"""Itemsets of each size that may lose half, as a multiple of the random sets (count)."""


def halving_set(
    changes: PredictionChanges, candidates: Candidates, *, draws: int, seed: int, exact_sizes: int = EXACT_SIZES
) -> dict[str, Any]:
    """The smallest set that loses half of the correct predictions of one class, as a row of a table.

    Args:
        changes: the photos of the class that are predicted correctly, over ``candidates.pool``.
        candidates: of the class.
        draws: random sets (count).
        seed: of the draws.
        exact_sizes: largest size of which all sets are tried (count).

    Returns:
        photos (predicted correctly, count), candidates, left_out (counts), size (units; None where no set of up to
        ``MAX_SIZE`` was found), exact (whether no smaller set can do it), units, lost, low, high (share of the right
        answers that it loses, with Wilson's 95 % interval), is_itemset, inside (of that set, in the supported
        itemsets), lost_random (mean over random sets of that size whose
        units are as frequent), lost_evidence (the units of most evidence),
        itemset_size (units of the smallest supported itemset that loses half), evidence_size (how many units of most
        evidence lose half; both None where none does), lost_all (all candidates ablated).
    """
    n = changes.n_photos
    rng = np.random.default_rng([seed, candidates.sets.class_id, 0])
    found = _grown(changes, candidates.chosen, exact_sizes)
    row: dict[str, Any] = {
        "photos": n,
        "candidates": int(candidates.chosen.sum()),
        "left_out": candidates.left_out,
        "size": None,
        "exact": None,
        "units": (),
        "itemset_size": _smallest_itemset(changes, candidates, draws, rng),
        "evidence_size": _fewest_evident(changes, candidates),
        "lost_all": _lost(changes, candidates.chosen[None]),
    }
    row |= dict.fromkeys(("lost", "low", "high", "is_itemset", "inside", "lost_random", "lost_evidence"))
    if found is not None:
        size = int(found.sum())
        lost = _lost(changes, found[None])
        low, high = wilson(lost * n, n)
        row |= {
            "size": size,
            "exact": size <= exact_sizes + 1,  # one more than what all were tried of, and none of those did
            "units": tuple(candidates.pool[found].tolist()),
            "lost": lost,
            "low": float(low),
            "high": float(high),
            "is_itemset": bool(candidates.is_itemset(found[None])[0]),
            "inside": bool(candidates.inside(found[None])[0]),
            "lost_random": _lost(changes, candidates.random(size, draws, rng, candidates.support[found].mean())),
            "lost_evidence": _lost(changes, candidates.evident(size)),
        }
    return row


def halving_table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows of :func:`halving_set` as a table whose types do not depend on what was found."""
    whole = ("size", "itemset_size", "evidence_size")
    shares = ("lost", "low", "high", "lost_random", "lost_evidence", "lost_all")
    kinds = dict.fromkeys(whole, "Int64") | dict.fromkeys(shares, "float64")
    if not rows:
        return pd.DataFrame()
    return pd.DataFrame(rows).astype(kinds | dict.fromkeys(("exact", "is_itemset", "inside"), "boolean"))


def _grown(changes: PredictionChanges, candidates: Bools, exact_sizes: int) -> Bools | None:
    """(m,) the smallest set that loses half of the photos; None where none was found."""
    most = min(MAX_SIZE, int(candidates.sum()))
    best = np.zeros(len(candidates), np.bool_)
    for size in range(1, most + 1):
        if size <= exact_sizes:
            sets = subsets(candidates, size)
        else:
            others = np.flatnonzero(candidates & ~best)
            sets = np.repeat(best[None], len(others), axis=0)
            sets[np.arange(len(others)), others] = True
        lost = changes.changed(sets).sum(axis=1)
        best = sets[lost.argmax()]
        if 2 * lost.max() >= changes.n_photos:
            return best
    return None


def _lost(changes: PredictionChanges, sets: Bools) -> float:
    """Share of the photos lost, mean over the sets."""
    return float(changes.changed(sets).mean())


def _halves(changes: PredictionChanges, sets: Bools) -> Bools:
    """(S,) whether each set loses half of the photos."""
    return 2 * changes.changed(sets).sum(axis=1) >= changes.n_photos


def _smallest_itemset(
    changes: PredictionChanges, candidates: Candidates, draws: int, rng: np.random.Generator
) -> int | None:
    for size in np.unique(candidates.sets.sizes).tolist():
        itemsets = candidates.itemsets(size, MANY * draws, rng)
        if len(itemsets) and _halves(changes, itemsets).any():
            return int(size)
    return None


def _fewest_evident(changes: PredictionChanges, candidates: Candidates) -> int | None:
    sets = np.concatenate([candidates.evident(size) for size in range(1, len(candidates.ranked) + 1)])
    halves = _halves(changes, sets)
    return int(halves.argmax()) + 1 if halves.any() else None
