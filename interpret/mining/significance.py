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
from interpret.mining.transactions import TransactionDatabase

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Permutation:
    """How extreme rules get when the classes are permuted among the photos.

    Attributes:
        smallest: (draws,) the smallest image-level p-value of any itemset and class in each draw, ascending.
        least: the smallest number of photos in which an itemset was tested (count); rarer ones are not judged.
        n_itemsets: how many itemsets were tested (count).
        p_value: (rules,) family-wise p-value of each row of ``Mined.rules``: the share of draws, the observed classes
            among them, in which any itemset and class is at least as extreme; 1 for itemsets too rare to be judged.
    """

    smallest: Floats
    least: int
    n_itemsets: int
    p_value: Floats


def permutation_test(
    database: TransactionDatabase,
    mined: Mined,
    config: MineConfig,
    *,
    draws: int = 200,
    seed: int = 0,
    max_itemsets: int = 50_000,
) -> Permutation:
    """Permute the classes among the photos and compare every rule with the most extreme one of each draw.

    The itemsets tested are those in ``least`` photos or more, whatever the photos' classes, so that selecting
    itemsets by the observed classes does not bias the test (Westfall and Young, "Resampling-Based Multiple Testing",
    1993). Where a photo has transactions of several classes, the class of its first is taken.

    Args:
        database: the transactions that were mined.
        mined: what mining found in them.
        config: how they were mined: units per transaction and largest itemset.
        draws: number of permutations; the smallest p-value possible is 1 / (draws + 1).
        seed: of the permutations.
        max_itemsets: test no more itemsets than this; ``least`` is the smallest count that allows it.
    """
    layout = arrange(database.top(config.top_units)).merged()
    if not len(layout):
        return Permutation(np.zeros(0), 1, 0, np.zeros(0))
    with one_thread("cpu"):
        trie, least = _common(layout, config.max_size, max_itemsets)
        itemset, row = occurrences(trie, layout)
    # Each photo once per itemset; from here on a photo is its place among the sorted photo ids.
    pair = np.sort(itemset * layout.n_photos + layout.row_photo[row])
    pair = pair[np.flatnonzero(np.diff(pair, prepend=-1))]
    itemset, photo = pair // layout.n_photos, pair % layout.n_photos
    n_x = np.bincount(itemset, minlength=len(trie))
    enough = n_x >= least
    kept = enough[itemset]
    itemset, photo, n_x = (np.cumsum(enough) - 1)[itemset[kept]], photo[kept], n_x[enough]

    labels = _labels(database, mined)
    classes = np.flatnonzero(mined.is_mined)
    n_c = np.bincount(labels, minlength=len(mined.class_ids))[classes]
    place = np.full(len(mined.class_ids), -1)
    place[classes] = np.arange(len(classes))
    tables = _p_tables(n_x, n_c, layout.n_photos)
    rng = np.random.default_rng(seed)
    smallest = np.ones(draws)
    for draw in range(draws):
        smallest[draw] = tables.smallest(itemset, place[rng.permutation(labels)][photo])
    smallest.sort()
    table = mined.rules
    p = (1 + np.searchsorted(smallest, table["image_p_value"].to_numpy() * (1 + 1e-9), side="right")) / (draws + 1)
    p[mined.all_photos[table["itemset_id"]] < least] = 1.0
    return Permutation(smallest, least, int(enough.sum()), p)


def _common(layout: Layout, max_size: int | None, most: int) -> tuple[Trie, int]:
    """The itemsets in at least ``least`` transactions, for the smallest ``least`` that gives no more than ``most``."""
    low, high = 1, len(layout) + 1  # everything from high on passes
    best = Trie((), layout.n_units)
    while low < high:
        # Few itemsets are in many transactions: trying small counts first would be the costly order.
        middle = min((low + high) // 2, 2 * low + 8)
        try:
            best = search.frequent(layout, np.array([middle]), Limits(most, max_size))
            high = middle
        except TooManyItemsets:
            low = middle + 1
    return best, high


def _labels(database: TransactionDatabase, mined: Mined) -> Ints:
    """(photos,) index of each photo's class, photos in the order of their ids."""
    _, first = np.unique(database.image_ids, return_index=True)
    return np.searchsorted(mined.class_ids, database.class_ids[first])


@dataclass(frozen=True, eq=False)
class _PTables:
    """Image-level p-values for every margin that occurs, so that a draw only looks them up.

    ``values`` holds, for each pair of a count of photos and a class, the p-values of 0, 1, ... photos of the class;
    ``start`` (itemsets, classes) says where.
    """

    values: Floats
    start: Ints

    def smallest(self, itemset: Ints, place: Ints) -> float:
        """The smallest p-value when occurrence i of ``itemset[i]`` is in a photo of class ``place[i]``, -1 for none."""
        counted = place >= 0
        keys = itemset[counted] * self.start.shape[1] + place[counted]
        counts = np.bincount(keys, minlength=self.start.size)
        return float(self.values[self.start.ravel() + counts].min()) if len(self.values) else 1.0


def _p_tables(n_x: Ints, n_c: Ints, n: int) -> _PTables:
    sizes, which = np.unique(n_x, return_inverse=True)
    length = np.repeat(sizes + 1, len(n_c))  # k = 0..n_X
    start = np.cumsum(length) - length
    k = np.arange(int(length.sum())) - np.repeat(start, length)
    x, c = np.repeat(np.repeat(sizes, len(n_c)), length), np.repeat(np.tile(n_c, len(sizes)), length)
    values = np.ones(len(k))
    possible = (k > 0) & (k <= c)
    values[possible] = rule_measures.fisher(k[possible], x[possible], c[possible], n)
    return _PTables(values, start.reshape(len(sizes), len(n_c))[which])


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
