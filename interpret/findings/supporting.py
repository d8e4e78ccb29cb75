"""The patches that support an itemset or a unit, and its support in every class: the numbers under the galleries."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import MineConfig
from interpret.mining.ranked_units import Ranked, ranked_contrast_units, ranked_units
from interpret.study import Study

Ints = npt.NDArray[np.int64]


def unit_scores(ranked: Ranked, units: Sequence[int]) -> npt.NDArray[np.float32]:
    """The score of each unit of an itemset in each patch.

    Args:
        ranked: units and scores of the transactions of P patches, see :mod:`interpret.mining.ranked_units`.
        units: n units.

    Returns:
        (P, n) float32, 0 where a unit is not in the patch's transaction. A patch supports the itemset where all n are
        above 0.
    """
    members, scores = ranked
    columns = [np.where(members == unit, scores, np.float32(0)).sum(axis=1, dtype=np.float32) for unit in units]
    return np.stack(columns, axis=1) if columns else np.ones((len(members), 0), np.float32)


def supporting_patches(study: Study, units: Sequence[int], config: MineConfig, class_id: int | None = None) -> Ints:
    """Patches whose transaction contains all ``units``, by falling sum of the units' scores.

    Ties go to the lower patch id. A photo may have several of them.

    Args:
        study: the study.
        units: the itemset.
        config: what a transaction holds.
        class_id: only patches of photos predicted as this class; all if None.

    Returns:
        (n,) int64 positions in ``study.patches``.
    """
    predicted = study.patches["predicted"].to_numpy()
    return _by_score(
        unit_scores(ranked_units(study, config), units), None if class_id is None else predicted == class_id
    )


def contrast_patches(
    study: Study, units: Sequence[int], config: MineConfig, class_id: int, *, outside: Collection[int] = ()
) -> Ints:
    """Contrast patches of a class whose transaction contains all ``units``, by falling sum of the units' scores.

    Args:
        study: the study.
        units: the itemset.
        config: what a transaction holds.
        class_id: the class that the photos were explained for.
        outside: classes whose photos are left out; for a class-shared itemset those that share it.

    Returns:
        (n,) int64 positions in ``study.contrast``; none where the study has no contrast.
    """
    table = study.contrast
    asked = (table["target"].to_numpy() == class_id) & ~table["predicted"].isin(list(outside)).to_numpy()
    return _by_score(unit_scores(ranked_contrast_units(study, config), units), asked)


def _by_score(scores: npt.NDArray[np.float32], asked: npt.NDArray[np.bool_] | None) -> Ints:
    """Rows with all scores above 0, by falling sum, then position."""
    held = (scores > 0).all(axis=1)
    found = np.flatnonzero(held if asked is None else held & asked)
    return found[np.argsort(-scores[found].sum(axis=1, dtype=np.float64), kind="stable")].astype(np.int64)


def one_per_photo(study: Study, patches: Ints) -> Ints:
    """The first patch of each photo, in the given order, so that a gallery does not repeat a photo."""
    images = study.patches["image_id"].to_numpy()[patches]
    _, first = np.unique(images, return_index=True)
    return patches[np.sort(first)]


def co_occurring_units(study: Study, unit: int, config: MineConfig, limit: int = 12) -> pd.DataFrame:
    """The units that occur most often in the transactions of ``unit``.

    Returns:
        unit, together (patches that hold both, count), share (of the patches that hold ``unit``) and lift (that share
        over the unit's share of all patches), by falling count, then unit.
    """
    ranked, _ = ranked_units(study, config)
    rows = ranked[(ranked == unit).any(axis=1)]
    total = np.bincount(ranked[ranked >= 0], minlength=study.n_units)
    together = np.bincount(rows[rows >= 0], minlength=study.n_units)
    together[unit] = 0
    order = np.lexsort((np.arange(study.n_units), -together))[:limit]
    order = order[together[order] > 0]
    share = together[order] / max(len(rows), 1)
    lift = share / (total[order] / max(len(ranked), 1))
    return pd.DataFrame({"unit": order, "together": together[order], "share": share, "lift": lift})


def support_by_class(
    study: Study, units: Sequence[int], config: MineConfig, *, outside: Collection[int] = ()
) -> pd.DataFrame:
    """In how many of each class's patches and photos an itemset is found, and in how many of its contrast's.

    Classes are listed whether the itemset reaches the threshold or not.

    Args:
        study: the study.
        units: the itemset.
        config: what a transaction holds.
        outside: classes whose photos do not count as contrast; for a class-shared itemset those that share it.

    Returns:
        class_id, support_count, patches (count), support, image_count, images (count), image_support, contrast_count,
        contrast_patches (count), contrast_support (NaN without contrast patches); one row for each class with a patch,
        by falling support, then rising class id.
    """
    held = (unit_scores(ranked_units(study, config), units) > 0).all(axis=1)
    frame = pd.DataFrame(
        {
            "class_id": study.patches["predicted"].to_numpy(np.int64),
            "image_id": study.patches["image_id"].to_numpy(np.int64),
            "held": held,
        }
    )
    patches = frame.groupby("class_id")["held"].agg(["sum", "size"])
    photos = frame.groupby(["class_id", "image_id"])["held"].any().groupby("class_id").agg(["sum", "size"])
    contrast = study.contrast
    counted = ~contrast["predicted"].isin(list(outside)).to_numpy()
    also = (unit_scores(ranked_contrast_units(study, config), units) > 0).all(axis=1)
    target = contrast["target"].to_numpy(np.int64)
    most = int(max(patches.index.max() if len(patches) else 0, target.max(initial=0))) + 1
    totals, found = np.bincount(target[counted], minlength=most), np.bincount(target[counted & also], minlength=most)
    ids = patches.index.to_numpy(np.int64)
    with np.errstate(divide="ignore", invalid="ignore"):
        contrast_support = np.where(totals[ids] > 0, found[ids] / totals[ids], np.nan)
    table = pd.DataFrame(
        {
            "class_id": ids,
            "support_count": patches["sum"].to_numpy(np.int64),
            "patches": patches["size"].to_numpy(np.int64),
            "support": patches["sum"].to_numpy(float) / patches["size"].to_numpy(float),
            "image_count": photos["sum"].to_numpy(np.int64),
            "images": photos["size"].to_numpy(np.int64),
            "image_support": photos["sum"].to_numpy(float) / photos["size"].to_numpy(float),
            "contrast_count": found[ids],
            "contrast_patches": totals[ids],
            "contrast_support": contrast_support,
        }
    )
    return table.sort_values(["support", "class_id"], ascending=[False, True], ignore_index=True)


def class_order(study: Study, ids: Collection[int] | None = None) -> list[int]:
    """Classes by falling number of photos predicted as them, then id; colours are given in this order."""
    counts = study.images["predicted"].value_counts()
    order = sorted(counts.index, key=lambda class_id: (-int(counts[class_id]), int(class_id)))
    return [int(class_id) for class_id in order if ids is None or class_id in ids]
