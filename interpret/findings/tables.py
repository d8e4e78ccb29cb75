"""The two tables that pages and the command line read: itemsets of each class, and itemsets that classes share."""

import numpy as np
import pandas as pd

from interpret.findings.rows import Units
from interpret.mining import Mined
from interpret.mining.condensed import by_class, over_classes
from interpret.mining.contrast import is_supported
from interpret.mining.stability import Stability
from interpret.stats import wilson

DISPLAYS = ("closed", "maximal", "all")
"""Which itemsets are listed: closed ones, maximal ones (:mod:`interpret.mining.condensed`), or all."""


def units_by_id(mined: Mined) -> dict[int, Units]:
    """The units of each itemset, ascending, by its id."""
    frame = mined.itemsets.drop_duplicates("itemset_id")
    pairs = zip(frame["itemset_id"], frame["units"], strict=True)
    return {int(itemset_id): tuple(int(unit) for unit in units) for itemset_id, units in pairs}


def class_table(
    mined: Mined, units_of: dict[int, Units], photo_counts: dict[int, int], stability: Stability
) -> pd.DataFrame:
    """One row for each itemset and class that it is frequent in, with all its measures.

    Args:
        mined: the result of mining.
        units_of: as :func:`units_by_id` gives them.
        photo_counts: class id to the number of its photos that have a patch.
        stability: how often resampled photos give the same.

    Returns:
        itemset_id, units, size, class_id, support_count, support, image_count, images, image_support, confidence, lift,
        leverage, conviction, the contrast's columns of ``mined.rules``, classes (in which it is frequent, count), kind
        (specific or shared), stable (share of resamples in which it is frequent and of the same kind), again (share in
        which it is frequent in this class), lifted (share in which its contrast lift is also 2 or more), rule (its row
        in ``mined.rules``), closed, maximal, supported (whether all
        rules of the itemset are, see :func:`~interpret.mining.contrast.is_supported`). By class, supported ones first,
        then by falling support, then falling size, then id.
    """
    rows = mined.itemsets
    rows = rows[rows["class_id"].notna()].copy()
    rows["class_id"] = rows["class_id"].astype(np.int64)
    rows["itemset_id"] = rows["itemset_id"].astype(np.int64)
    rules = mined.rules.drop(columns=["support_count", "image_count"], errors="ignore").copy()
    rules["class_id"] = rules["class_id"].astype(np.int64)
    rules["itemset_id"] = rules["itemset_id"].astype(np.int64)
    rules["again"] = stability.rules
    rules["lifted"] = stability.lifted
    rules["rule"] = np.arange(len(rules))
    table = rows.merge(rules, on=["itemset_id", "class_id"], how="left", validate="one_to_one")
    table["units"] = [units_of[key] for key in table["itemset_id"]]
    table["size"] = [len(units) for units in table["units"]]
    table["images"] = table["class_id"].map(photo_counts).astype(np.int64)
    table["image_support"] = table["image_count"] / table["images"]
    table["classes"] = table.groupby("itemset_id")["class_id"].transform("size")
    table["kind"] = np.where(table["classes"] > 1, "shared", "specific")
    table["stable"] = stability.same_kind[table["itemset_id"].to_numpy()]
    condensed = by_class(mined)
    table["closed"], table["maximal"] = condensed.closed[table["rule"]], condensed.maximal[table["rule"]]
    table["supported"] = is_supported(table).groupby(table["itemset_id"]).transform("all")
    return table.sort_values(
        ["class_id", "supported", "support", "size", "itemset_id"],
        ascending=[True, False, False, False, True],
        ignore_index=True,
    )


def shared_table(mined: Mined, units_of: dict[int, Units], class_rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each itemset that two or more classes share, as the poster writes them: `34,193 -> Bird, Dog`.

    Args:
        mined: the result of mining.
        units_of: as :func:`units_by_id` gives them.
        class_rows: from :func:`class_table`.

    Returns:
        itemset_id, units, size, class_ids (by falling support), supports (in the same order), weakest (the smallest of
        the supports), sure (the smallest of :func:`certain_support`), q_value (the largest of the classes', from
        photos), contrast_supports (beside ``supports``), contrast_lift (the smallest of the classes'), supported,
        stable, closed (no proper superset is found in as many patches of every one of these classes) and maximal (no
        proper superset is frequent in all of them). Supported ones first, then by falling support in the weakest class.
    """
    table = class_rows[class_rows["kind"] == "shared"]
    table = table.assign(sure=certain_support(table)).sort_values(["support", "class_id"], ascending=[False, True])
    grouped = table.groupby("itemset_id", sort=True)
    frame = pd.DataFrame(
        {
            "class_ids": [tuple(ids.tolist()) for _, ids in grouped["class_id"]],
            "supports": [tuple(values.tolist()) for _, values in grouped["support"]],
            "weakest": grouped["support"].min(),
            "sure": grouped["sure"].min(),
            "q_value": grouped["image_q_value"].max(),
            "contrast_supports": [tuple(values.tolist()) for _, values in grouped["contrast_support"]],
            "contrast_lift": grouped["contrast_lift"].min(),
            "supported": grouped["supported"].first(),
            "stable": grouped["stable"].first(),
            "size": grouped["size"].first(),
        }
    ).reset_index()
    frame.insert(1, "units", pd.Series([units_of[int(key)] for key in frame["itemset_id"]], dtype=object))
    condensed = over_classes(mined)
    frame["closed"] = condensed.closed[frame["itemset_id"]]
    frame["maximal"] = condensed.maximal[frame["itemset_id"]]
    return frame.sort_values(
        ["supported", "weakest", "size", "itemset_id"], ascending=[False, False, False, True], ignore_index=True
    )


def certain_support(class_rows: pd.DataFrame) -> np.ndarray:
    """(rows,) lower end of the 95 % interval of each row's support over photos (Wilson 1927)."""
    return wilson(class_rows["image_count"].to_numpy(float), class_rows["images"].to_numpy(float))[0]
