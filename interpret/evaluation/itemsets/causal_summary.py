"""Minimal causal sets over all classes, and what is compared with them."""

import numpy as np
import pandas as pd

from interpret.evaluation.itemsets.summary import SIZES, SummaryRow, share
from interpret.stats import paired_intervals

OF_ALL = ("is_itemset", "is_itemset_random", "inside", "inside_random", "support", "support_random", "any_evidence")
"""Figures of all photos with minimal sets of two units or more."""


def causal_summary(causal: pd.DataFrame, without: int, top_units: int, resamples: int, seed: int) -> list[SummaryRow]:
    """Figures of :func:`interpret.evaluation.itemsets.causal_sets.photo_sets` over all classes.

    Args:
        causal: its rows.
        without: photos predicted correctly, of classes without a supported itemset (count).
        top_units: N.
        resamples: bootstrap samples (count).
        seed: of the bootstrap.

    Returns:
        ``size``: the share of the photos by the size of their minimal sets, with Wilson's interval; ``without``: the
        share of all such photos whose class has no supported itemset. Of photos with minimal sets of two units or
        more: ``is_itemset`` and ``inside``, each with ``_random`` (of random sets) and ``_gain`` (less these),
        ``support``, ``support_random`` and ``any_evidence`` (as many units of most evidence change the prediction). Of
        those whose class has an itemset of that size too: ``changed_itemset``,
        ``changed_itemsets``, ``changed_random``, ``changed_evidence``, ``itemset_gain`` (changed_itemset less
        changed_evidence) and ``itemsets_gain`` (changed_itemsets less changed_random).
    """
    n = len(causal)
    rows = [share("causal sets", "without", top_units, "all", without, n + without, "photos")]
    if not n:
        return rows
    size = causal["size"].fillna(0).to_numpy(np.int64)
    for name, least, most in (*SIZES, ("none", 0, 0)):
        count = int(((size >= least) & (size <= most)).sum())
        rows.append(share("causal sets", "size", top_units, name, count, n, "photos"))
    several = causal[size > 1].assign(any_evidence=lambda frame: frame["changed_evidence"])
    compared = several[several["changed_itemsets"].notna()]
    for part, measures, gains in (
        (
            several,
            OF_ALL,
            {"is_itemset_gain": ("is_itemset", "is_itemset_random"), "inside_gain": ("inside", "inside_random")},
        ),
        (
            compared,
            ("changed_itemset", "changed_itemsets", "changed_random", "changed_evidence"),
            {
                "itemset_gain": ("changed_itemset", "changed_evidence"),
                "itemsets_gain": ("changed_itemsets", "changed_random"),
            },
        ),
    ):
        if not len(part):
            continue
        values = np.stack([*(part[name].to_numpy(np.float64) for name in measures), np.zeros(len(part))])
        pairs = {name: (at, len(measures)) for at, name in enumerate(measures)}
        pairs |= {name: (measures.index(a), measures.index(b)) for name, (a, b) in gains.items()}
        intervals = paired_intervals(values, list(pairs.values()), draws=resamples, seed=seed)
        for (name, (a, b)), (low, high) in zip(pairs.items(), intervals.tolist(), strict=True):
            mean = float(values[a].mean() - values[b].mean())
            rows.append(SummaryRow("causal sets", name, top_units, "2+", mean, low, high, len(part), "photos"))
    return rows


def halving_summary(halving: pd.DataFrame, top_units: int) -> list[SummaryRow]:
    """Share of the classes by the size of the smallest set that loses half of their correct predictions.

    Returns:
        ``size``, with ``none`` where no set was found; ``itemset`` and ``evidence``: the share of the classes in which
        an itemset does it, or as many units of most evidence as there are candidates.
    """
    n = len(halving)
    if not n:
        return []
    size = halving["size"].fillna(0).to_numpy(np.int64)
    rows = []
    for name, least, most in (*SIZES, ("none", 0, 0)):
        count = int(((size >= least) & (size <= most)).sum())
        rows.append(share("halving", "size", top_units, name, count, n, "classes"))
    for measure, column in (("itemset", "itemset_size"), ("evidence", "evidence_size")):
        rows.append(share("halving", measure, top_units, "all", int(halving[column].notna().sum()), n, "classes"))
    return rows
