"""Table 1 of two studies side by side."""

import pandas as pd

from interpret.evaluation.evaluate import Evaluation
from interpret.evaluation.table1 import BASELINE


def table_1_side_by_side(a: Evaluation, b: Evaluation) -> pd.DataFrame:
    """Each method's own number of units, as Table 1 has them, of two evaluations.

    Args:
        a: of the first study.
        b: of the second. Measured on other photos or other classes than the first, its accuracies say little about
            the difference between the networks.

    Returns:
        method, accuracy_a, accuracy_b (fraction), units_a, units_b (ablated per class, mean over the classes), in the
        order of ``a``, then what only ``b`` has; NaN where one lacks a method.
    """
    sides = []
    for result in (a, b):
        natural = result.table[result.table["budget"].isna() | (result.table["method"] == BASELINE)]
        sides.append(natural.drop_duplicates("method").set_index("method")[["accuracy", "units"]])
    order = list(dict.fromkeys([*sides[0].index, *sides[1].index]))
    joined = sides[0].add_suffix("_a").join(sides[1].add_suffix("_b"), how="outer").reindex(order)
    return joined[["accuracy_a", "accuracy_b", "units_a", "units_b"]].rename_axis("method").reset_index()


def same_photos_measured(a: Evaluation, b: Evaluation) -> bool:
    """Whether two evaluations name the same photos and as many of them."""
    return all(a.about.get(name) == b.about.get(name) for name in ("measured_on", "photos"))
