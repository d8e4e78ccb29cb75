"""Minimal causal sets: the fewest units of a class's itemsets whose ablation changes predictions.

For a photo that the model predicts correctly as class c, the candidates are the units of c's supported itemsets. A set
of them is causal if ablating it changes the predicted class, and minimal if no causal set of candidates is smaller. Of
up to three units there may be several; all of them are found, and what is said of a photo is the mean over them.
Beyond, one set is taken (:meth:`interpret.evaluation.itemsets.prediction_changes.PredictionChanges.smallest`).

Beside them stand, of the same number of units: the supported itemsets; random sets of the same candidates, whose units
are as frequent in c; and the units of most evidence, whether or not they are in an itemset. Evidence is the mean
contribution to the class's log-odds over the mined photos predicted as c, so that no measured photo decides what stands
for the method.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.itemsets.prediction_changes import (
    EXACT_SIZES,
    Bools,
    Floats,
    Ints,
    PredictionChanges,
    subsets,
)
from interpret.evaluation.itemsets.supported_sets import ClassSets, indicator

CANDIDATES = 24
"""Units of a class (count) that sets are made of: those of most evidence."""

HEAD_CANDIDATES = 8
"""The same where the head is not linear and has to be run for every set."""

HEAD_PHOTOS = 5
"""Photos of each class (count) that are looked at where the head is not linear."""

DRAWS = 200
"""Random sets of each size in each class, and the largest number of its itemsets of that size (count)."""

HEAD_DRAWS = 20
"""The same where the head is not linear."""

MAX_POWER = 1000.0
"""Largest power of the support that random units are drawn by."""

STEPS = 24
"""Steps of the bisection that finds the power (count)."""

COLUMNS = (
    "size", "sets", "is_itemset", "is_itemset_random", "inside", "inside_random", "support", "support_random",
    "changed_itemset", "changed_itemsets", "changed_random", "changed_evidence",
)  # fmt: skip
"""Columns of :func:`photo_sets` but for the units."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """The units that sets of one class are made of, and what is known of them from the mined photos.

    Attributes:
        sets: the supported itemsets of the class.
        pool: (m,) int64, ascending: the candidates, and as many units of most evidence.
        chosen: (m,) bool, which of the pool are candidates.
        left_out: units of supported itemsets that are no candidates, because there are too many (count).
        evidence: (m,) of each unit of the pool.
        support: (m,) share of the class's transactions that hold it.
        ranked: (k,) places in the pool of the units of most evidence, best first; as many as there are candidates.
        marked: (I, m) bool, the supported itemsets over the pool.
        whole: (I,) bool, whether all units of the itemset are candidates.
        maximal: (M, m) bool, those of ``marked`` that are in no other: a set inside an itemset is inside one of them.
    """

    sets: ClassSets
    pool: Ints
    chosen: Bools
    left_out: int
    evidence: Floats
    support: Floats
    ranked: Ints
    marked: Bools
    whole: Bools
    maximal: Bools

    def inside(self, sets: Bools) -> Bools:
        """(S,) whether all units of a set, (S, m), are in one supported itemset."""
        return _within(sets, self.maximal)

    def is_itemset(self, sets: Bools) -> Bools:
        """(S,) whether a set is a supported itemset."""
        known = {row.tobytes() for row in np.packbits(self.marked[self.whole], axis=1)}
        return np.array([row.tobytes() in known for row in np.packbits(sets, axis=1)], np.bool_)

    def itemsets(self, size: int, limit: int, rng: np.random.Generator) -> Bools:
        """(S, m) the supported itemsets of a size, the one of most evidence first, then up to ``limit`` at random."""
        found = self.marked[self.whole & (self.marked.sum(axis=1) == size)]
        if not len(found):
            return found
        total = found @ self.evidence
        first = int(total.argmax())
        others = np.delete(np.arange(len(found)), first)
        return found[np.concatenate([[first], rng.permutation(others)[: limit - 1]])]

    def random(self, size: int, draws: int, rng: np.random.Generator, like: float) -> Bools:
        """(draws, m) sets of ``size`` candidates, drawn one by one with probability proportional to a power of support.

        The power is chosen so that the units drawn are as frequent as those that they are compared with. The ``size``
        smallest of exponential variables with these rates are such a sample (Efraimidis and Spirakis, Information
        Processing Letters 2006).

        Args:
            size: units in a set (count).
            draws: sets (count).
            rng: where they are drawn from.
            like: the mean support that the units drawn shall have.
        """
        columns = np.flatnonzero(self.chosen)
        logs = np.log(np.maximum(self.support[columns], 1e-12))
        waits = np.log(rng.exponential(size=(draws, len(columns))))

        def drawn(power: float) -> Ints:
            rates = waits - power * logs
            if size >= len(columns):
                return np.broadcast_to(columns, rates.shape)
            return columns[np.argpartition(rates, size, axis=1)[:, :size]]

        low, high = -MAX_POWER, MAX_POWER
        for _ in range(STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.support[drawn(middle)].mean() < like else (low, middle)
        made = np.zeros((draws, len(self.pool)), np.bool_)
        np.put_along_axis(made, drawn((low + high) / 2), True, axis=1)
        return made

    def evident(self, size: int) -> Bools:
        """(1, m) the ``size`` units of most evidence."""
        made = np.zeros((1, len(self.pool)), np.bool_)
        made[0, self.ranked[:size]] = True
        return made


def find_candidates(sets: ClassSets, evidence: Floats, support: Floats, limit: int) -> Candidates:
    """The candidates of a class.

    Args:
        sets: its supported itemsets.
        evidence: (K,) of each unit for the class.
        support: (K,) share of the class's transactions that hold each unit.
        limit: candidates at most (count).
    """
    order = np.argsort(-evidence, kind="stable")
    chosen = order[np.isin(order, sets.units)][:limit]
    pool = np.union1d(chosen, order[: len(chosen)]).astype(np.int64)
    whole = indicator(sets.itemsets, np.sort(chosen)).sum(axis=1) == sets.sizes
    marked = indicator(sets.itemsets, pool)
    return Candidates(
        sets,
        pool,
        np.isin(pool, chosen),
        len(sets.units) - len(chosen),
        evidence[pool],
        support[pool],
        np.searchsorted(pool, order[: len(chosen)]),
        marked,
        whole,
        _maximal(marked),
    )


def _within(sets: Bools, others: Bools) -> Bools:
    """(S,) whether each set is a subset of one of the others."""
    return (sets.astype(np.float32) @ (~others).T.astype(np.float32) == 0).any(axis=1)


def _maximal(marked: Bools) -> Bools:
    """The rows that are no subset of another row, each once."""
    rows = np.unique(marked, axis=0)
    size = rows.sum(axis=1)
    kept = np.zeros((0, rows.shape[1]), np.bool_)
    for of_size in np.unique(size)[::-1].tolist():
        same = rows[size == of_size]
        kept = np.concatenate([kept, same[~_within(same, kept)]])
    return kept


def right_photos(test_set: AblationSet, predicted: npt.NDArray[np.int32], class_id: int) -> Ints:
    """Photos of a class that are predicted as it; the first few where the head is not linear."""
    photos = np.flatnonzero((test_set.labels == class_id) & (predicted == class_id)).astype(np.int64)
    return photos if test_set.head.linear else photos[:HEAD_PHOTOS]


def photo_sets(changes: PredictionChanges, candidates: Candidates, *, draws: int, seed: int) -> pd.DataFrame:
    """The minimal causal sets of the photos of one class, one row a photo, in the order of ``changes``.

    Args:
        changes: the photos, over ``candidates.pool``.
        candidates: of their class.
        draws: random sets of each size, and the largest number of itemsets (count).
        seed: of the draws; another stream for each class and size.

    Returns:
        size (units; null where no set of candidates changes the prediction), sets (minimal sets, count; null beyond
        three units, where one is taken), units (of the one after which another class leads by most), is_itemset,
        inside (share of the minimal sets that are, or are inside, a supported itemset), is_itemset_random,
        inside_random (the same of random sets of that size), support and support_random (mean single support of their
        units: how equally frequent the two are); and whether ablating others of that size changes the prediction:
        changed_itemset (the itemset of most evidence), changed_itemsets (share of the itemsets), changed_random (share
        of random sets as frequent as these; all three null where there is no itemset of that size), changed_evidence
        (the units of most evidence).
    """
    smallest = changes.smallest(candidates.chosen, int(candidates.chosen.sum()))
    n = changes.n_photos
    table = {name: np.full(n, np.nan) for name in COLUMNS}
    for size in np.unique(smallest.size[smallest.size > 0]).tolist():
        rng = np.random.default_rng([seed, candidates.sets.class_id, size])
        photos = smallest.size == size
        some = changes.only(photos)
        table["size"][photos] = size
        if size <= EXACT_SIZES:
            sets = subsets(candidates.chosen, size)
            changed = some.changed(sets)
            table["sets"][photos] = count = changed.sum(axis=0)
            table["is_itemset"][photos] = changed[candidates.is_itemset(sets)].sum(axis=0) / count
            table["inside"][photos] = changed[candidates.inside(sets)].sum(axis=0) / count
            table["support"][photos] = sets @ candidates.support @ changed / (size * count)
        else:
            table["is_itemset"][photos] = candidates.is_itemset(smallest.chosen[photos])
            table["inside"][photos] = candidates.inside(smallest.chosen[photos])
            table["support"][photos] = smallest.chosen[photos] @ candidates.support / size
        drawn = candidates.random(size, draws, rng, float(table["support"][photos].mean()))
        table["is_itemset_random"][photos] = candidates.is_itemset(drawn).mean()
        table["inside_random"][photos] = candidates.inside(drawn).mean()
        table["support_random"][photos] = (drawn @ candidates.support).mean() / size
        table["changed_evidence"][photos] = some.changed(candidates.evident(size))[0]
        itemsets = candidates.itemsets(size, draws, rng)
        if len(itemsets):
            changed = some.changed(itemsets)
            table["changed_itemset"][photos] = changed[0]
            table["changed_itemsets"][photos] = changed.mean(axis=0)
            drawn = candidates.random(size, draws, rng, float((itemsets @ candidates.support).mean() / size))
            table["changed_random"][photos] = some.changed(drawn).mean(axis=0)
    frame = pd.DataFrame(table).astype({"size": "Int64", "sets": "Int64"})
    units = [tuple(candidates.pool[row].tolist()) for row in smallest.chosen]
    frame.insert(2, "units", pd.Series(units, dtype=object))
    return frame
