"""A permutation test of the rules, and a bootstrap of the itemsets: would chance, or other photos, give the same?

Patches of one photo are alike, so whole photos are permuted and resampled. The q-values of the rules are corrected by
counting hypotheses (:class:`interpret.mining.rules.Family`); the permutation test estimates the same by simulation, and
the bootstrap measures how much a finding depends on the sample of photos.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.mining import rules as rule_measures
from interpret.mining.engine import search
from interpret.mining.engine.layout import Ints, Layout, arrange
from interpret.mining.engine.limits import Limits, TooManyItemsets, least_counts
from interpret.mining.engine.threads import one_thread
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
    """
    layout, own = _both_groups(database.top(config.top_units), contrast.top(config.top_units), mined)
    table = mined.rules
    if not len(layout) or not len(table):
        return Permutation(np.zeros(0), 1, 0, np.ones(len(table)), np.zeros(len(table), np.bool_))
    with one_thread("cpu"):
        trie, least = _common(layout, config.max_size, max_itemsets)
        itemset, row = occurrences(trie, layout)
    # A photo stands in a class's rows once or several times, always in one group; row_photo numbers (class, photo).
    photo = layout.row_photo[row]
    seen = np.unique(itemset * (int(layout.row_photo[-1]) + 1) + photo)
    itemset, photo = np.divmod(seen, int(layout.row_photo[-1]) + 1)
    class_of_photo = layout.row_class[np.flatnonzero(np.diff(layout.row_photo, prepend=-1))]
    own_photo = own[np.flatnonzero(np.diff(layout.row_photo, prepend=-1))]
    pair, place = np.unique(itemset * len(layout.class_ids) + class_of_photo[photo], return_inverse=True)
    n_x, c = np.bincount(place), pair % len(layout.class_ids)
    n_own = np.bincount(class_of_photo[own_photo], minlength=len(layout.class_ids))
    n_all = np.bincount(class_of_photo, minlength=len(layout.class_ids))
    values, start = _p_table(n_x, c, n_own, n_all)
    rng = np.random.default_rng(seed)
    starts = np.cumsum(n_all) - n_all
    smallest = np.ones(draws)
    for draw in range(draws):
        dealt = np.zeros(len(class_of_photo), np.bool_)
        order = np.lexsort((rng.random(len(class_of_photo)), class_of_photo))
        dealt[order[np.arange(len(order)) - starts[class_of_photo[order]] < n_own[class_of_photo[order]]]] = True
        held = np.bincount(place[dealt[photo]], minlength=len(pair))
        smallest[draw] = values[start + held].min()
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


def _common(layout: Layout, max_size: int | None, most: int) -> tuple[Trie, int]:
    """The itemsets in ``least`` transactions of a class, for the smallest ``least`` that gives at most ``most``."""
    low, high = 1, int(layout.class_sizes.max(initial=0)) + 1  # everything from high on passes
    best = Trie((), layout.n_units)
    while low < high:
        # Few itemsets are in many transactions: trying small counts first would be the costly order.
        middle = min((low + high) // 2, 2 * low + 8)
        try:
            best = search.frequent(layout, np.full(len(layout.class_ids), middle), Limits(most, max_size))
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


@dataclass(frozen=True, eq=False)
class Stability:
    """In what share of the bootstrap samples a finding holds.

    Attributes:
        frequent: (n,) share of draws in which the itemset is frequent in at least one class.
        same_kind: (n,) share of draws in which it stays class-specific (for the same class) or class-shared.
        rules: (rules,) share of draws in which the itemset of each row of ``Mined.rules`` is frequent in its class.
    """

    frequent: Floats
    same_kind: Floats
    rules: Floats


def bootstrap(
    database: TransactionDatabase,
    mined: Mined,
    config: MineConfig,
    *,
    draws: int = 100,
    seed: int = 0,
    max_occurrences: int = 20_000_000,
) -> Stability:
    """Resample the photos with replacement, and check in each sample the itemsets that were found.

    Classes that were mined stay mined; their sizes, and with them the minimum counts, are those of the sample.

    Args:
        database: the transactions that were mined.
        mined: what mining found in them.
        config: how they were mined: units per transaction and support.
        draws: number of bootstrap samples.
        seed: of the draws.
        max_occurrences: refuse more occurrences of itemsets in transactions than this.

    Raises:
        InputError: where there are too many.
    """
    if mined.all_patches.sum() > max_occurrences:
        raise InputError(
            f"{len(mined):,} itemsets occur too often to be resampled; mine at a larger support, or fewer units."
        )
    layout = arrange(database.top(config.top_units))
    with one_thread("cpu"):
        itemset, row = occurrences(mined.trie(layout.n_units), layout)
    # Occurrences by (itemset, class), which are the entries of the class-wise counts.
    label = layout.row_class[row]
    order = np.lexsort((label, itemset))
    entry_starts = np.cumsum(mined.patches) - mined.patches
    photo_ids, photo = np.unique(layout.photo_ids, return_inverse=True)
    at = photo[row[order]]
    keeps, specific_for = mined.frequent, _only_class(mined, mined.frequent)
    frequent, same, rules = np.zeros(len(mined)), np.zeros(len(mined)), np.zeros(int(keeps.sum()))
    rng = np.random.default_rng(seed)
    for _ in range(draws if len(mined) else 0):
        weight = np.bincount(rng.integers(0, len(photo_ids), len(photo_ids)), minlength=len(photo_ids))
        sizes = np.bincount(layout.row_class, weights=weight[photo], minlength=len(mined.class_ids)).astype(np.int64)
        least = least_counts(mined.min_support, sizes)
        least[~mined.is_mined] = np.iinfo(np.int64).max
        reached = np.add.reduceat(weight[at], entry_starts) >= least[mined.label]
        frequent += np.bincount(mined.itemset[reached], minlength=len(mined)) > 0
        same += _only_class(mined, reached) == specific_for
        rules += reached[keeps]
    return Stability(frequent / max(1, draws), same / max(1, draws), rules / max(1, draws))


def _only_class(mined: Mined, reached: npt.NDArray[np.bool_]) -> Ints:
    """(n,) the class of an itemset that reaches one class only, -1 for several classes, -2 for none."""
    n = np.bincount(mined.itemset[reached], minlength=len(mined))
    total = np.bincount(mined.itemset[reached], weights=mined.label[reached], minlength=len(mined)).astype(np.int64)
    return np.where(n == 1, total, np.where(n > 1, -1, -2))
