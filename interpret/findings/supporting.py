"""The patches that support an itemset or a unit, and its support in every class: the numbers under the galleries."""

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import MineConfig
from interpret.findings.unit_index import contrast_index, unit_index
from interpret.frames import integers
from interpret.mining.ranked_units import kept_units
from interpret.study import Study

Ints = npt.NDArray[np.int64]


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
    rows, scores = unit_index(study, config).holding(units)
    if class_id is None:
        return _by_score(rows, scores)
    own = study.patches["predicted"].to_numpy()[rows] == class_id
    return _by_score(rows[own], scores[own])


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
    rows, scores = contrast_index(study, config).holding(units)
    target, predicted = (study.contrast[name].to_numpy()[rows] for name in ("target", "predicted"))
    asked = (target == class_id) & ~np.isin(predicted, list(outside))
    return _by_score(rows[asked], scores[asked])


def _by_score(rows: Ints, scores: npt.NDArray[np.float32]) -> Ints:
    """Ascending positions by the falling sum of their scores (n, units), equal ones as they are."""
    return rows[np.argsort(-scores.sum(axis=1, dtype=np.float64), kind="stable")]


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
    index = unit_index(study, config)
    rows = index.holding([unit])[0]
    members, scores = study.ranked
    predicted, image = integers(study.patches, "predicted", "image_id")
    ranked, _ = kept_units(study, config, (members[rows], scores[rows]), predicted[rows], image[rows])
    total = np.diff(index.starts)
    together = np.bincount(ranked[ranked >= 0], minlength=study.n_units)
    together[unit] = 0
    order = np.lexsort((np.arange(study.n_units), -together))[:limit]
    order = order[together[order] > 0]
    share = together[order] / max(len(rows), 1)
    lift = share / (total[order] / max(index.n, 1))
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
    predicted, image = integers(study.patches, "predicted", "image_id")
    ids, patches, images = study.derived(("patches by class",), lambda: _by_class(predicted, image))
    rows, _ = unit_index(study, config).holding(units)
    found_ids, found_patches, found_images = _by_class(predicted[rows], image[rows])
    place = np.searchsorted(ids, found_ids)
    held, held_images = np.zeros((2, len(ids)), np.int64)
    held[place], held_images[place] = found_patches, found_images
    target, other = integers(study.contrast, "target", "predicted")
    most = int(max(ids.max(initial=0), target.max(initial=0))) + 1
    also, _ = contrast_index(study, config).holding(units)
    also = also[~np.isin(other[also], list(outside))]

    def counted() -> Ints:
        return np.bincount(target[~np.isin(other, list(outside))], minlength=most)

    totals = study.derived(("contrast by class", tuple(sorted(outside))), counted)
    found = np.bincount(target[also], minlength=most)
    with np.errstate(divide="ignore", invalid="ignore"):
        contrast_support = np.where(totals[ids] > 0, found[ids] / totals[ids], np.nan)
    table = pd.DataFrame(
        {
            "class_id": ids,
            "support_count": held,
            "patches": patches,
            "support": held / patches,
            "image_count": held_images,
            "images": images,
            "image_support": held_images / images,
            "contrast_count": found[ids],
            "contrast_patches": totals[ids],
            "contrast_support": contrast_support,
        }
    )
    return table.sort_values(["support", "class_id"], ascending=[False, True], ignore_index=True)


def _by_class(predicted: Ints, image: Ints) -> tuple[Ints, Ints, Ints]:
    """The classes of (n,) patches, ascending, and how many patches and photos each has.

    Args:
        predicted: the class of each patch's photo.
        image: its photo.
    """
    ids, patches = np.unique(predicted, return_counts=True)
    _, first = np.unique(image, return_index=True)
    images = np.bincount(np.searchsorted(ids, predicted[first]), minlength=len(ids))
    return ids, patches, images


def class_order(study: Study, ids: Collection[int] | None = None) -> list[int]:
    """Classes by falling number of photos predicted as them, then id; colours are given in this order."""
    counts = study.images["predicted"].value_counts()
    order = sorted(counts.index, key=lambda class_id: (-int(counts[class_id]), int(class_id)))
    return [int(class_id) for class_id in order if ids is None or class_id in ids]
