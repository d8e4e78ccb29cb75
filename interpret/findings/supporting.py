"""The patches that support an itemset or a unit, and its support in every class: the numbers under the galleries."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.study import Study

Ints = npt.NDArray[np.int64]


def unit_scores(study: Study, units: Sequence[int], top_units: int) -> npt.NDArray[np.float32]:
    """The score of each unit of an itemset in each patch.

    Returns:
        (P, n) float32 for P patches and n units, 0 where a unit is not among the patch's ``top_units`` best. A patch
        supports the itemset where all n are above 0.
    """
    ranked, scores = study.ranked
    ranked, scores = ranked[:, :top_units], scores[:, :top_units]
    columns = [np.where(ranked == unit, scores, np.float32(0)).sum(axis=1, dtype=np.float32) for unit in units]
    return np.stack(columns, axis=1) if columns else np.ones((len(ranked), 0), np.float32)


def supporting_patches(study: Study, units: Sequence[int], top_units: int, class_id: int | None = None) -> Ints:
    """Patches whose transaction contains all ``units``, by falling sum of the units' scores.

    Ties go to the lower patch id. A photo may have several of them.

    Args:
        study: the study.
        units: the itemset.
        top_units: N, units per transaction.
        class_id: only patches of photos predicted as this class; all if None.

    Returns:
        (n,) int64 positions in ``study.patches``.
    """
    scores = unit_scores(study, units, top_units)
    held = (scores > 0).all(axis=1)
    if class_id is not None:
        held &= study.patches["predicted"].to_numpy() == class_id
    found = np.flatnonzero(held)
    return found[np.argsort(-scores[found].sum(axis=1, dtype=np.float64), kind="stable")].astype(np.int64)


def one_per_photo(study: Study, patches: Ints) -> Ints:
    """The first patch of each photo, in the given order, so that a gallery does not repeat a photo."""
    images = study.patches["image_id"].to_numpy()[patches]
    _, first = np.unique(images, return_index=True)
    return patches[np.sort(first)]


def co_occurring_units(study: Study, unit: int, top_units: int, limit: int = 12) -> pd.DataFrame:
    """The units that occur most often in the transactions of ``unit``.

    Returns:
        unit, together (patches that hold both, count), share (of the patches that hold ``unit``) and lift (that share
        over the unit's share of all patches), by falling count, then unit.
    """
    ranked = study.ranked[0][:, :top_units]
    rows = ranked[(ranked == unit).any(axis=1)]
    total = np.bincount(ranked[ranked >= 0], minlength=study.n_units)
    together = np.bincount(rows[rows >= 0], minlength=study.n_units)
    together[unit] = 0
    order = np.lexsort((np.arange(study.n_units), -together))[:limit]
    order = order[together[order] > 0]
    share = together[order] / max(len(rows), 1)
    lift = share / (total[order] / max(len(ranked), 1))
    return pd.DataFrame({"unit": order, "together": together[order], "share": share, "lift": lift})


def support_by_class(study: Study, units: Sequence[int], top_units: int) -> pd.DataFrame:
    """In how many of each class's patches and photos an itemset is found, whether it reaches the threshold or not.

    Returns:
        class_id, support_count, patches (count), support, image_count, images (count), image_support; one row for each
        class with a patch, by falling support, then rising class id.
    """
    held = (unit_scores(study, units, top_units) > 0).all(axis=1)
    frame = pd.DataFrame(
        {
            "class_id": study.patches["predicted"].to_numpy(np.int64),
            "image_id": study.patches["image_id"].to_numpy(np.int64),
            "held": held,
        }
    )
    patches = frame.groupby("class_id")["held"].agg(["sum", "size"])
    photos = frame.groupby(["class_id", "image_id"])["held"].any().groupby("class_id").agg(["sum", "size"])
    table = pd.DataFrame(
        {
            "class_id": patches.index.to_numpy(np.int64),
            "support_count": patches["sum"].to_numpy(np.int64),
            "patches": patches["size"].to_numpy(np.int64),
            "support": patches["sum"].to_numpy(float) / patches["size"].to_numpy(float),
            "image_count": photos["sum"].to_numpy(np.int64),
            "images": photos["size"].to_numpy(np.int64),
            "image_support": photos["sum"].to_numpy(float) / photos["size"].to_numpy(float),
        }
    )
    return table.sort_values(["support", "class_id"], ascending=[False, True], ignore_index=True)


def class_order(study: Study, ids: Collection[int] | None = None) -> list[int]:
    """Classes by falling number of photos predicted as them, then id; colours are given in this order."""
    counts = study.images["predicted"].value_counts()
    order = sorted(counts.index, key=lambda class_id: (-int(counts[class_id]), int(class_id)))
    return [int(class_id) for class_id in order if ids is None or class_id in ids]
