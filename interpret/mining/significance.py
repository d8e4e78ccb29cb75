"""A permutation test of the rules: would the same come out if own and contrast photos were dealt out at random?

Patches of one photo are alike, so whole photos are permuted. The q-values of the rules are corrected by counting
hypotheses (:class:`interpret.mining.contrast.Family`); the permutation test estimates the same by simulation.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.config import MineConfig
from interpret.mining import rules as rule_measures
from interpret.mining.engine.frequent import frequent
from interpret.mining.engine.group_sums import GroupSums
from interpret.mining.engine.layout import Ints, Layout, arrange
from interpret.mining.engine.limits import Limits, TooManyItemsets
from interpret.mining.engine.placement import Placement
from interpret.mining.engine.trie import Trie
from interpret.mining.engine.walk import occurrences
from interpret.mining.itemsets import Mined
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Permutation:
    """How extreme rules get when a class's photos are dealt to its own group and to its contrast at random.

    Attributes:
        smallest: (draws,) the smallest p-value of any itemset and class in each draw, ascending.
        least: in how many transactions of a class, own and contrast together, an itemset had to be to be looked at
            (count); the rarer ones cannot be judged.
        n_itemsets: how many pairs of an itemset and a class were looked at (count).
        p_value: (rules,) family-wise p-value of each row of ``Mined.rules``: the share of draws, the true groups among
            them, in which any itemset and class came out at least as extreme; 1 for rules too rare to be judged.
        judged: (rules,) bool, whether the rule's itemset was looked at for its class.
    """

    smallest: Floats
    least: int
    n_itemsets: int
    p_value: Floats
    judged: npt.NDArray[np.bool_]


def permutation_test(
    database: TransactionDatabase,
    contrast: ContrastDatabase,
    mined: Mined,
    config: MineConfig,
    *,
    draws: int = 200,
    seed: int = 0,
    max_itemsets: int = 50_000,
    place: Placement | None = None,
) -> Permutation:
    """Shuffle "own" and "contrast" among the photos of each class, and compare every rule with each draw's extreme one.

    The itemsets looked at are those in ``least`` transactions of a class or more, whichever group they are of, so that
    picking itemsets by their own support cannot flatter the rules (Westfall and Young, "Resampling-Based Multiple
    Testing", 1993).

    Args:
        database: the transactions that were mined.
        contrast: those that the rules are tested against.
        mined: what mining found.
        config: how they were mined: units per transaction and largest itemset.
        draws: number of permutations; the smallest p-value possible is 1 / (draws + 1).
        seed: of the permutations.
        max_itemsets: test no more itemsets than this; ``least`` is the smallest count that allows it.
        place: where to search and to count; on the CPU if None. It never changes a result.
    """
    layout, own = _both_groups(database.top(config.top_units), contrast.top(config.top_units), mined)
    table = mined.rules
    if not len(layout) or not len(table):
        return Permutation(np.zeros(0), 1, 0, np.ones(len(table)), np.zeros(len(table), np.bool_))
    place = place or Placement()
    trie, least = _common(layout, config.max_size, max_itemsets, place)
    itemset, row = occurrences(trie, layout, place)
    # A photo stands in a class's rows once or several times, always in one group; row_photo numbers (class, photo).
    photo = layout.row_photo[row]
    seen = np.unique(itemset * (int(layout.row_photo[-1]) + 1) + photo)
    itemset, photo = np.divmod(seen, int(layout.row_photo[-1]) + 1)
    class_of_photo = layout.row_class[np.flatnonzero(np.diff(layout.row_photo, prepend=-1))]
    own_photo = own[np.flatnonzero(np.diff(layout.row_photo, prepend=-1))]
    pair, pair_of = np.unique(itemset * len(layout.class_ids) + class_of_photo[photo], return_inverse=True)
    n_x, c = np.bincount(pair_of), pair % len(layout.class_ids)
    n_own = np.bincount(class_of_photo[own_photo], minlength=len(layout.class_ids))
    n_all = np.bincount(class_of_photo, minlength=len(layout.class_ids))
    values, start = _p_table(n_x, c, n_own, n_all)
    held = GroupSums(photo, pair_of, len(pair), draws, place)
    rng = np.random.default_rng(seed)
    starts = np.cumsum(n_all) - n_all
    smallest = np.ones(draws)
    for draw in range(draws):
        dealt = np.zeros(len(class_of_photo), np.bool_)
        order = np.lexsort((rng.random(len(class_of_photo)), class_of_photo))
        dealt[order[np.arange(len(order)) - starts[class_of_photo[order]] < n_own[class_of_photo[order]]]] = True
        smallest[draw] = values[start + held(dealt)].min()
    smallest.sort()
    p = (1 + np.searchsorted(smallest, table["image_p_value"].to_numpy() * (1 + 1e-9), side="right")) / (draws + 1)
    judged = (table["support_count"] + table["contrast_count"]).to_numpy() >= least
    return Permutation(smallest, least, len(pair), np.where(judged, p, 1.0), judged)


def _both_groups(
    own: TransactionDatabase, contrast: ContrastDatabase, mined: Mined
) -> tuple[Layout, npt.NDArray[np.bool_]]:
    """The transactions of every mined class, its own and its contrast's, and which rows are its own."""
    classes = mined.class_ids[mined.is_mined]
    a, b = np.isin(own.class_ids, classes), np.isin(contrast.targets, classes)
    width = max(own.units.shape[1], contrast.units.shape[1])
    units = [
        np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=-1)
        for part in (own.units[a], contrast.units[b])
    ]
    joined = TransactionDatabase(
        np.concatenate(units),
        np.concatenate([own.class_ids[a], contrast.targets[b]]).astype(np.int32),
        # No photo is in both groups of a class; an odd number marks the contrast, so that arranging keeps them apart.
        np.concatenate([2 * own.image_ids[a], 2 * contrast.image_ids[b] + 1]).astype(np.int64),
        own.n_units,
    )
    layout = arrange(joined)
    return layout, layout.photo_ids % 2 == 0


def _common(layout: Layout, max_size: int | None, most: int, place: Placement) -> tuple[Trie, int]:
    """The itemsets in ``least`` transactions of a class, for the smallest ``least`` that gives at most ``most``."""
    low, high = 1, int(layout.class_sizes.max(initial=0)) + 1  # everything from high on passes
    best = Trie((), layout.n_units)
    while low < high:
        # Few itemsets are in many transactions: trying small counts first would be the costly order.
        middle = min((low + high) // 2, 2 * low + 8)
        try:
            best = frequent(layout, np.full(len(layout.class_ids), middle), Limits(most, max_size), place=place)
            high = middle
        except TooManyItemsets:
            low = middle + 1
    return best, high


def _p_table(n_x: Ints, c: Ints, n_own: Ints, n_all: Ints) -> tuple[Floats, Ints]:
    """p-values for every margin that occurs, so that a draw only looks them up.

    Returns:
        The p-values of 0, 1, ... own photos, one margin after the other, and (pairs,) where each pair's begin.
    """
    margins, which = np.unique(np.stack([n_x, c]), axis=1, return_inverse=True)
    length = margins[0] + 1  # k = 0..n_X
    start = np.cumsum(length) - length
    k = np.arange(int(length.sum())) - np.repeat(start, length)
    x, label = np.repeat(margins[0], length), np.repeat(margins[1], length)
    values = np.ones(len(k))
    possible = (k > 0) & (k <= n_own[label]) & (x - k <= (n_all - n_own)[label])
    values[possible] = rule_measures.fisher(k[possible], x[possible], n_own[label[possible]], n_all[label[possible]])
    return values, start[which.ravel()]
