"""Transfer: are the itemsets of a class found again in held-out photos, and in the photos wrongly called that class?

For every supported itemset X of class c, by photo (a photo holds X if one of its patches does; photos without a patch
are left out, as in mining):

- mined: of the mined photos predicted as c, the share that holds X: its image support;
- contrast: of the mined photos explained for c though predicted as something else (outside S), the same share;
- held: of the held-out photos predicted as c, and of these apart
- right: those whose label is c, and
- wrong: those whose label is another;
- missed: of the held-out photos of c that are predicted as something else, the share that holds X where they are
  explained for what they are predicted as; missed_for_c: where they are explained for c, which only a study of held-out
  photos with a contrast can say.

mined and held are measured alike: their difference is what mining finds in its own photos and not in others.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import MineConfig
from interpret.evaluation.class_means import rows_by_class
from interpret.evaluation.itemsets.supported_sets import Bools, ClassSets, Ints, by_photo, holds, indicator, membership
from interpret.frames import integers
from interpret.mining import Mined
from interpret.mining.ranked_elsewhere import ranked_contrast_elsewhere, ranked_elsewhere
from interpret.mining.ranked_units import ranked_units
from interpret.stats import wilson
from interpret.study import Study

GROUPS = ("mined", "held", "right", "wrong", "missed", "missed_for_c")
"""The groups of photos that shares are given of; ``contrast`` is counted by mining."""


@dataclass(frozen=True, eq=False)
class Held:
    """Which photos of each group hold which itemsets of a class.

    Attributes:
        sets: the class and its itemsets.
        photos: by group, (n, I) bool.
    """

    sets: ClassSets
    photos: dict[str, Bools]


def held_by_group(study: Study, heldout_study: Study, config: MineConfig, sets: dict[int, ClassSets]) -> list[Held]:
    """The photos of each group that hold the itemsets of each class.

    Args:
        study: the study that was mined.
        heldout_study: other photos, with labels.
        config: what a transaction holds.
        sets: from :func:`interpret.evaluation.itemsets.supported_sets.supported_sets`.
    """
    mined_units = ranked_units(study, config)[0]
    mined_class, mined_photo = integers(study.patches, "predicted", "image_id")
    other_units = ranked_elsewhere(study, heldout_study, config)[0]
    predicted, photo = integers(heldout_study.patches, "predicted", "image_id")
    labels = heldout_study.images["label"].to_numpy(np.int64, na_value=-1)
    label = labels[photo]
    if heldout_study.has_contrast:
        contrast_units = ranked_contrast_elsewhere(study, heldout_study, config)[0]
        target, contrast_photo = integers(heldout_study.contrast, "target", "image_id")
    mined_of, called_of, label_of = rows_by_class(mined_class), rows_by_class(predicted), rows_by_class(label)
    target_of = rows_by_class(target) if heldout_study.has_contrast else None
    found = []
    for c, of_class in sets.items():
        mine, called, labelled = mined_of(c), called_of(c), label_of(c)
        called = called[label[called] >= 0]
        groups = {
            "mined": _photos(of_class, mined_units[mine], mined_photo[mine]),
            "missed_for_c": np.zeros((0, len(of_class.itemsets)), np.bool_),
        }
        for group, asked in (
            ("held", called),
            ("right", called[label[called] == c]),
            ("wrong", called[label[called] != c]),
            ("missed", labelled[predicted[labelled] != c]),
        ):
            groups[group] = _photos(of_class, other_units[asked], photo[asked])
        if target_of is not None:
            asked = target_of(c)
            asked = asked[labels[contrast_photo[asked]] == c]
            groups["missed_for_c"] = _photos(of_class, contrast_units[asked], contrast_photo[asked])
        found.append(Held(of_class, groups))
    return found


def transfer(found: list[Held], mined: Mined) -> pd.DataFrame:
    """One row for each supported itemset and class.

    Returns:
        class_id, units, size; for each group its name (share of its photos that hold the itemset; null without
        photos), ``_count`` and ``_photos`` (counts), ``_low`` and ``_high`` (Wilson's 95 % interval); contrast with
        contrast_count and contrast_photos; shrinkage (mined - held).
    """
    rules = mined.rules
    parts = []
    for each in found:
        sets = each.sets
        columns: dict[str, object] = {
            "class_id": sets.class_id,
            "units": pd.Series(sets.itemsets, dtype=object),
            "size": sets.sizes,
        }
        for group in GROUPS:
            held = each.photos[group]
            count, n = held.sum(axis=0), len(held)
            low, high = wilson(count, n) if n else (np.full(len(count), np.nan),) * 2
            columns |= {
                group: count / n if n else np.nan,
                f"{group}_low": low,
                f"{group}_high": high,
                f"{group}_count": count,
                f"{group}_photos": n,
            }
        count, photos = (
            rules[name].to_numpy(np.int64)[sets.rules] for name in ("contrast_image_count", "contrast_images")
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            columns |= {"contrast": count / photos, "contrast_count": count, "contrast_photos": photos}
        parts.append(pd.DataFrame(columns).assign(shrinkage=lambda frame: frame["mined"] - frame["held"]))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["class_id", "units", "size"])


def _photos(sets: ClassSets, ranked: npt.NDArray[np.int32], photos: Ints) -> Bools:
    """(n, I) whether each photo has a patch that holds each itemset; photos without a patch are left out."""
    held = holds(membership(ranked, sets.units), indicator(sets.itemsets, sets.units))
    return by_photo(held, photos)[1] > 0
