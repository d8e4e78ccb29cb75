"""Class-specific and class-shared: from itemsets to the units that matter for each class.

S(X) is the set of classes in which itemset X is frequent. X is class-specific for c where S(X) = {c}, class-shared
where S(X) holds two or more classes, written ``34,193 -> Bird, Dog``.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from interpret.mining.itemsets import Mined

Kind = Literal["specific", "shared"]


def classes_of(mined: Mined) -> list[tuple[int, ...]]:
    """S(X) of each itemset in canonical order: class ids, ascending."""
    kept = np.flatnonzero(mined.frequent)
    ids = mined.class_id[kept].tolist()
    starts = np.searchsorted(mined.itemset[kept], np.arange(len(mined) + 1)).tolist()
    return [tuple(ids[a:b]) for a, b in itertools.pairwise(starts)]


def notation(units: Iterable[int], classes: Iterable[int], names: Sequence[str]) -> str:
    """An itemset and its classes as the poster writes them: ``34,193 -> Bird, Dog``.

    Args:
        units: unit indices; written ascending.
        classes: class ids; written ascending.
        names: the name of each class id.
    """
    left = ",".join(str(unit) for unit in sorted(units))
    return f"{left} -> {', '.join(names[c] for c in sorted(classes))}"


class SummaryRow(NamedTuple):
    """What a reader takes from one row of :func:`summary`."""

    itemset_id: int
    notation: str
    lowest: float
    highest: float


def summary(mined: Mined, names: Sequence[str]) -> pd.DataFrame:
    """One row per itemset, in canonical order.

    Columns: itemset_id, units (tuple), classes (tuple of S(X)), n_classes, kind, notation, support_count, image_count,
    support (whole database), lowest and highest (the support in the classes of S(X), fractions).
    """
    kept = np.flatnonzero(mined.frequent)
    support = mined.patches[kept] / mined.class_sizes[mined.label[kept]]
    starts = np.searchsorted(mined.itemset[kept], np.arange(len(mined)))
    classes = classes_of(mined)
    return pd.DataFrame(
        {
            "itemset_id": np.arange(len(mined)),
            "units": pd.Series(mined.units_of, dtype=object),
            "classes": pd.Series(classes, dtype=object),
            "n_classes": mined.n_classes,
            "kind": mined.kinds,
            "notation": [notation(u, c, names) for u, c in zip(mined.units_of, classes, strict=True)],
            "support_count": mined.all_patches,
            "image_count": mined.all_photos,
            "support": mined.all_patches / max(1, mined.n),
            "lowest": np.minimum.reduceat(support, starts) if len(mined) else support,
            "highest": np.maximum.reduceat(support, starts) if len(mined) else support,
        }
    )
