"""Joint firing over all classes, by size of the itemsets."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.evaluation.itemsets.joint_firing import KINDS, MAX_Q, Group
from interpret.evaluation.itemsets.summary import RESAMPLES, SIZES, Floats, SummaryRow, ends, resampling
from interpret.evaluation.itemsets.supported_sets import by_photo


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
    resampled = _resampled(groups, firing, seed)
    sizes, class_id = firing["size"].to_numpy(np.int64), firing["class_id"].to_numpy(np.int64)
    rows = []
    for name, least, most in (*SIZES[1:], ("all", 2, 10_000)):
        members = np.flatnonzero((sizes >= least) & (sizes <= most))
        if not len(members):
            continue
        _, place, count = np.unique(class_id[members], return_inverse=True, return_counts=True)
        weights = 1 / count[place]  # each class counts once

        def add(measure: str, value: float, low: float, high: float, name: str = name, n: int = len(members)) -> None:
            rows.append(SummaryRow("joint firing", measure, top_units, name, value, low, high, n, "itemsets"))

        for kind in KINDS:
            before = "" if kind == "own" else f"{kind}_"
            for ratio in ("ratio", "fixed_ratio"):
                support, expected = resampled[kind, ratio]
                drawn = _ratios(support[:, members], expected[:, members], weights)
                add(before + ratio, float(drawn[0]), *ends(drawn[1:]))
        part = firing.iloc[members]
        add("beyond_noise", float((part["q_value"] <= MAX_Q).mean()), np.nan, np.nan)
    return rows


def _ratios(support: npt.NDArray[np.float32], expected: npt.NDArray[np.float32], weights: Floats) -> Floats:
    """(1 + samples,) weighted mean of the supports over that of the expected ones; both known, or left out."""
    known = np.isfinite(support) & np.isfinite(expected)
    totals = [np.where(known, values, 0) @ weights for values in (support, expected)]
    return np.divide(totals[0], totals[1], out=np.full(len(support), np.nan), where=totals[1] > 0)


def _resampled(
    groups: list[Group], firing: pd.DataFrame, seed: int
) -> dict[tuple[str, str], tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    """By kind and ratio: supports, and what they are compared with, (1 + RESAMPLES, I) each; first of all photos."""
    shape = (1 + RESAMPLES, len(firing))
    made = {(kind, name): np.full(shape, np.nan, np.float32) for kind in KINDS for name in ("support", "product")}
    rng = np.random.default_rng(seed)
    for group in groups:
        ids, held = by_photo(group.held, group.photos)
        if not len(ids):
            continue
        _, single = by_photo(group.members, group.photos)
        _, patches = by_photo(np.ones((len(group.photos), 1), np.bool_), group.photos)
        weights = resampling(rng, len(ids))
        total = weights @ patches
        logs = np.log(np.maximum(weights @ single / total, 1e-30)) @ group.marked.T
        made[group.kind, "support"][:, group.rows] = weights @ held / total
        made[group.kind, "product"][:, group.rows] = np.exp(logs)
    pairs = {}
    for kind in KINDS:
        before = "" if kind == "own" else f"{kind}_"
        support, product = made[kind, "support"], made[kind, "product"]
        expected, patches, alone = (
            firing[f"{before}{name}"].to_numpy(np.float64) for name in ("expected", "patches", "product")
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            multiple = expected / patches / alone
        pairs[kind, "ratio"] = (support, product)
        pairs[kind, "fixed_ratio"] = (support, product * multiple.astype(np.float32))
    return pairs
