"""Joint firing over all classes, by size of the itemsets."""

import numpy as np
import pandas as pd

from interpret.evaluation.itemsets.joint_firing import KINDS, MAX_Q, Group
from interpret.evaluation.itemsets.summary import RESAMPLES, SIZES, Floats, SummaryRow, ends, resampling
from interpret.evaluation.itemsets.supported_sets import Ints, by_photo

BUCKETS = (*SIZES[1:], ("all", 2, 10_000))
"""Groups of itemsets by their number of units: name, smallest, largest."""


def firing_summary(groups: list[Group], firing: pd.DataFrame, top_units: int, seed: int) -> list[SummaryRow]:
    """Figures of :func:`interpret.evaluation.itemsets.joint_firing.joint_firing` by size of the itemsets.

    A ratio is the mean of the supports over the mean of what they are compared with, each of them a mean over a class's
    itemsets and then over the classes: an itemset that is expected in no transaction then counts for little.

    Intervals: photos are resampled within each class, own, contrast and held-out ones apart. What independent picks
    would give is taken to be the same multiple of the product of single supports in each sample.

    Args:
        groups: from :func:`interpret.evaluation.itemsets.joint_firing.find_groups`.
        firing: what ``joint_firing`` returns for these.
        top_units: N.
        seed: of the bootstrap.

    Returns:
        ``ratio`` (to the product of single supports) and ``fixed_ratio`` (to independent picks at these lengths) in the
        own transactions, ``contrast_`` and ``held_`` the same elsewhere; ``beyond_noise``: the share of the itemsets
        with q <= 0.05, without an interval.
    """
    sizes = firing["size"].to_numpy(np.int64)
    means = _resampled_means(groups, firing, sizes, seed)
    rows = []
    for name, least, most in BUCKETS:
        part = firing[(sizes >= least) & (sizes <= most)]
        if part.empty:
            continue

        def add(measure: str, value: float, low: float, high: float, name: str = name, n: int = len(part)) -> None:
            rows.append(SummaryRow("joint firing", measure, top_units, name, value, low, high, n, "itemsets"))

        for kind in KINDS:
            before = "" if kind == "own" else f"{kind}_"
            support, product, expected = means[kind, name]
            for ratio, against in (("ratio", product), ("fixed_ratio", expected)):
                drawn = np.divide(support, against, out=np.full(len(support), np.nan), where=against > 0)
                add(before + ratio, float(drawn[0]), *ends(drawn[1:]))
        add("beyond_noise", float((part["q_value"] <= MAX_Q).mean()), np.nan, np.nan)
    return rows


def _resampled_means(
    groups: list[Group], firing: pd.DataFrame, sizes: Ints, seed: int
) -> dict[tuple[str, str], tuple[Floats, Floats, Floats]]:
    """By kind and bucket of sizes: the mean support, the mean product of single supports, the mean of what is expected.

    Each is (1 + RESAMPLES,), first of all photos, and a mean over the itemsets of a class, then over classes.
    """
    totals = {(kind, name): np.zeros((3, 1 + RESAMPLES)) for kind in KINDS for name, _, _ in BUCKETS}
    class_id = firing["class_id"].to_numpy(np.int64)
    rng = np.random.default_rng(seed)
    for group in groups:
        units = np.flatnonzero(group.marked.any(axis=0))
        marked = group.marked[:, units].astype(np.float32)
        every = np.ones((len(group.photos), 1), np.bool_)
        ids, counts = by_photo(np.concatenate([group.held, group.members[:, units], every], axis=1), group.photos)
        if not len(ids):
            continue
        sums = resampling(rng, len(ids)).astype(np.float32) @ counts.astype(np.float32)
        shares = sums[:, :-1] / sums[:, -1:]
        support, single = shares[:, : len(marked)], shares[:, len(marked) :]
        logs = np.log(np.maximum(single, 1e-30))
        product = np.exp(logs @ marked.T)
        expected = product * _multiple(firing, group)
        for name, least, most in BUCKETS:
            of_size = (sizes[group.rows] >= least) & (sizes[group.rows] <= most)
            # each class counts once, whatever number of itemsets it has
            in_class = ((class_id == group.class_id) & (sizes >= least) & (sizes <= most)).sum()
            for place, values in enumerate((support, product, expected)):
                totals[group.kind, name][place] += values[:, of_size].sum(axis=1, dtype=np.float64) / max(in_class, 1)
    return {key: (support, product, expected) for key, (support, product, expected) in totals.items()}


def _multiple(firing: pd.DataFrame, group: Group) -> Floats:
    """(I,) the support that independent picks give over the product of single supports; 0 where that is 0."""
    before = "" if group.kind == "own" else f"{group.kind}_"
    expected, patches, product = (
        firing[f"{before}{name}"].to_numpy(np.float64)[group.rows] for name in ("expected", "patches", "product")
    )
    return np.divide(expected, patches * product, out=np.zeros(len(expected)), where=product > 0)
