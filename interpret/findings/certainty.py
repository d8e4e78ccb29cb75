"""How certain findings are: found again in resampled photos, and found where own and contrast photos are shuffled."""

import numpy as np
import pandas as pd

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.mining import Mined
from interpret.mining.engine.placement import Placement
from interpret.mining.significance import permutation_test
from interpret.mining.stability import Stability, bootstrap
from interpret.mining.stored import contrast_transactions, transactions
from interpret.study import Study

MAX_OCCURRENCES = 2_000_000
"""Occurrences of itemsets in transactions (count) above which stability is not computed."""

SHUFFLES = 200
"""Shuffles of each class's own and contrast photos (count); the smallest p-value possible is 1 / (SHUFFLES + 1)."""

MAX_COMPARISONS = 100_000_000
"""Itemsets times photos (count) that one shuffle may compare: it bounds how many itemsets are tested."""

MAX_TESTED = 50_000
"""Itemsets tested at most (count)."""


def stability(study: Study, config: MineConfig, mined: Mined) -> Stability:
    """Share of 100 resampled sets of photos in which each itemset, and each rule, is found again.

    NaN where there are too many itemsets to resample while a person waits (:data:`MAX_OCCURRENCES`).
    """
    own = transactions(study, config)
    contrast = contrast_transactions(study, config) if mined.contrast is not None else None
    try:
        return bootstrap(own, mined, config, contrast=contrast, max_occurrences=MAX_OCCURRENCES, place=_place(study))
    except InputError:
        return not_resampled(mined)


def not_resampled(mined: Mined) -> Stability:
    """The same where nothing was resampled: all NaN."""
    itemsets, rules = np.full(len(mined), np.nan), np.full(len(mined.rules), np.nan)
    return Stability(itemsets, itemsets, rules, rules)


def chance_p_values(study: Study, config: MineConfig, mined: Mined) -> pd.Series:
    """Family-wise p-values of the rules, by itemset_id and class_id, from shuffling own and contrast photos.

    The photos of each class are dealt to its own group and to its contrast at random, :data:`SHUFFLES` times; see
    :func:`interpret.mining.significance.permutation_test`. NaN for itemsets too rare to be tested, and for all where
    the study has no contrast. Takes seconds, so keep the result.
    """
    rules = mined.rules
    index = pd.MultiIndex.from_arrays([rules["itemset_id"].astype(np.int64), rules["class_id"].astype(np.int64)])
    if mined.contrast is None:
        return pd.Series(np.full(len(rules), np.nan), index=index, name="chance")
    most = max(1, min(MAX_TESTED, MAX_COMPARISONS // max(1, len(study.images))))
    own, contrast = transactions(study, config), contrast_transactions(study, config)
    tested = permutation_test(own, contrast, mined, config, draws=SHUFFLES, max_itemsets=most, place=_place(study))
    return pd.Series(np.where(tested.judged, tested.p_value, np.nan), index=index, name="chance")


def _place(study: Study) -> Placement:
    return Placement(study.compute_on, study.announce)
