"""Transfer over all classes, by size of the itemsets."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from interpret.evaluation.itemsets.summary import SIZES, Floats, SummaryRow, ends, resampling
from interpret.evaluation.itemsets.supported_sets import Ints
from interpret.evaluation.itemsets.transfer import GROUPS, Held
from interpret.stats import FEW

DIFFERENCES = {"shrinkage": ("mined", "held"), "right_gain": ("right", "wrong")}

FOREIGN = "foreign"


def transfer_summary(
    found: list[Held], table: pd.DataFrame, labelled: Ints, top_units: int, seed: int
) -> list[SummaryRow]:
    """Figures of :func:`interpret.evaluation.itemsets.transfer.transfer` by size of the itemsets.

    Each figure is the mean over a class's itemsets, then over the classes, so that a class with thousands of nested
    itemsets counts as one. Photos are resampled within each class; figures of fewer than 30 photos get no interval.

    Args:
        found: from :func:`interpret.evaluation.itemsets.transfer.held_by_group`.
        table: what ``transfer`` returns for these.
        labelled: the classes that are the label of a held-out photo.
        top_units: N.
        seed: of the bootstrap.

    Returns:
        Over the classes in ``labelled``: ``mined``, ``held``, ``right``, ``wrong``, ``missed``, ``missed_for_c``
        (shares of photos that hold the itemset), ``contrast`` (without an interval), ``shrinkage`` (mined less held)
        and ``right_gain`` (right less wrong); differences over the classes that have photos of both groups. Over the
        other classes, which every photo is wrongly predicted as: ``foreign``, the share of the held-out photos
        predicted as the class that hold the itemset.
    """
    rng = np.random.default_rng(seed)
    weights = [{group: resampling(rng, len(each.photos[group])) for group in GROUPS} for each in found]
    known = [at for at, each in enumerate(found) if each.sets.class_id in labelled]
    rows = []
    for name, least, most in (*SIZES, ("all", 1, 10_000)):
        members = [np.flatnonzero((each.sets.sizes >= least) & (each.sets.sizes <= most)) for each in found]

        def add(measure: str, drawn: dict[int, Floats], photos: int, name: str = name) -> None:
            rows.extend(_row(measure, top_units, name, list(drawn.values()), photos))

        def photos(group: str, classes: Iterable[int]) -> int:
            return sum(len(found[at].photos[group]) for at in classes)

        every = {group: _means(found, weights, members, group) for group in GROUPS}
        means = {group: {at: drawn for at, drawn in every[group].items() if at in known} for group in GROUPS}
        for group in GROUPS:
            add(group, means[group], photos(group, means[group]))
        for measure, (a, b) in DIFFERENCES.items():
            both = {at: means[a][at] - means[b][at] for at in means[a] if at in means[b]}
            add(measure, both, min(photos(a, both), photos(b, both)))
        foreign = {at: drawn for at, drawn in every["held"].items() if at not in known}
        add(FOREIGN, foreign, photos("held", foreign))
        some = table[(table["size"] >= least) & (table["size"] <= most) & table["class_id"].isin(labelled)]
        if len(some):
            contrast = float(some.groupby("class_id")["contrast"].mean().mean())
            rows.append(
                SummaryRow("transfer", "contrast", top_units, name, contrast, np.nan, np.nan, len(some), "itemsets")
            )
    return rows


def _means(found: list[Held], weights: list[dict[str, Floats]], members: list[Ints], group: str) -> dict[int, Floats]:
    """By class with photos of a group and such itemsets: the mean share of photos that hold one, (1 + samples,)."""
    return {
        at: weights[at][group] @ each.photos[group][:, kept].mean(axis=1)
        for at, (each, kept) in enumerate(zip(found, members, strict=True))
        if len(each.photos[group]) and len(kept)
    }


def _row(measure: str, top_units: int, size: str, drawn: Sequence[Floats], photos: int) -> list[SummaryRow]:
    """The mean over classes, the first of each of ``drawn``, with the interval of the others; none without a class."""
    if not drawn:
        return []
    mean = np.mean(drawn, axis=0)
    low, high = ends(mean[1:]) if photos >= FEW else (np.nan, np.nan)
    return [SummaryRow("transfer", measure, top_units, size, float(mean[0]), low, high, photos, "photos")]
