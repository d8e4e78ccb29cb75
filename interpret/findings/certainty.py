"""How certain findings are: found again in resampled photos, and found where the classes are shuffled."""

import numpy as np
import pandas as pd

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.mining import Mined
from interpret.mining.significance import Stability, bootstrap, permutation_test
from interpret.mining.stored import transactions
from interpret.study import Study

MAX_OCCURRENCES = 2_000_000
"""Occurrences of itemsets in transactions (count) above which stability is not computed."""

SHUFFLES = 200
"""Shuffles of the classes among the photos (count); the smallest p-value possible is 1 / (SHUFFLES + 1)."""

MAX_COMPARISONS = 100_000_000
"""Itemsets times photos (count) that one shuffle may compare: it bounds how many itemsets are tested."""

MAX_TESTED = 50_000
"""Itemsets tested at most (count)."""


def stability(study: Study, config: MineConfig, mined: Mined) -> Stability:
    """Share of 100 resampled sets of photos in which each itemset, and each rule, is found again.

    NaN where there are too many itemsets to resample while a person waits (:data:`MAX_OCCURRENCES`).
    """
    try:
        database = transactions(study, config.top_units)
        return bootstrap(database, mined, config, max_occurrences=MAX_OCCURRENCES)
    except InputError:
        itemsets, rules = np.full(len(mined), np.nan), np.full(len(mined.rules), np.nan)
        return Stability(itemsets, itemsets, rules)


def chance_p_values(study: Study, config: MineConfig, mined: Mined) -> pd.Series:
    """Family-wise p-values of the rules, by itemset_id and class_id, from shuffling the classes among the photos.

    See :func:`interpret.mining.significance.permutation_test`. NaN for itemsets in too few photos to be tested. Takes
    seconds, so keep the result.
    """
    most = max(1, min(MAX_TESTED, MAX_COMPARISONS // max(1, len(study.images))))
    database = transactions(study, config.top_units)
    tested = permutation_test(database, mined, config, draws=SHUFFLES, max_itemsets=most)
    rules = mined.rules
    rare = mined.all_photos[rules["itemset_id"].to_numpy()] < tested.least
    index = pd.MultiIndex.from_arrays([rules["itemset_id"].astype(np.int64), rules["class_id"].astype(np.int64)])
    return pd.Series(np.where(rare, np.nan, tested.p_value), index=index, name="chance")
