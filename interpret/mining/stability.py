"""A bootstrap of the itemsets: would other photos give the same findings?

Patches of one photo are alike, so whole photos are resampled: a photo brings its own patches and its contrast patches.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.mining.contrast import MIN_LIFT
from interpret.mining.contrast_counting import places
from interpret.mining.engine.group_sums import GroupSums
from interpret.mining.engine.layout import Ints, arrange
from interpret.mining.engine.limits import least_counts
from interpret.mining.engine.placement import Placement
from interpret.mining.engine.walk import occurrences
from interpret.mining.itemsets import Mined
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stability:
    """In what share of the bootstrap samples a finding holds.

    Attributes:
        frequent: (n,) share of draws in which the itemset is frequent in at least one class.
        same_kind: (n,) share of draws in which it stays class-specific (for the same class) or class-shared.
        rules: (rules,) share of draws in which the itemset of each row of ``Mined.rules`` is frequent in its class.
        lifted: (rules,) share of draws in which it is frequent in its class and its contrast lift is at least
            ``MIN_LIFT``; NaN where there is no contrast.
    """

    frequent: Floats
    same_kind: Floats
    rules: Floats
    lifted: Floats


def bootstrap(
    database: TransactionDatabase,
    mined: Mined,
    config: MineConfig,
    *,
    contrast: ContrastDatabase | None = None,
    draws: int = 100,
    seed: int = 0,
    max_occurrences: int = 20_000_000,
    place: Placement | None = None,
) -> Stability:
    """Resample the photos with replacement, and check in each sample the itemsets that were found.

    Classes that were mined stay mined; their sizes, and with them the minimum counts, are those of the sample. The
    contrast photos of a shared itemset stay those outside the classes that share it in the whole data.

    Args:
        database: the transactions that were mined.
        mined: what mining found in them.
        config: how they were mined: units per transaction and support.
        contrast: the contrast transactions of the same photos.
        draws: number of bootstrap samples.
        seed: of the draws.
        max_occurrences: refuse more occurrences of itemsets in transactions than this.
        place: where to resample; on the CPU if None. It never changes a result.

    Raises:
        InputError: where there are too many.
    """
    held = int(mined.all_patches.sum()) + (0 if mined.contrast is None else int(mined.contrast.count.sum()))
    if held > max_occurrences:
        raise InputError(
            f"{len(mined):,} itemsets occur too often to be resampled; mine at a larger support, or fewer units."
        )
    layout = arrange(database.top(config.top_units))
    place = place or Placement()
    itemset, row = occurrences(mined.trie(layout.n_units), layout, place)
    # Occurrences by (itemset, class), which are the entries of the class-wise counts.
    label = layout.row_class[row]
    order = np.lexsort((label, itemset))
    # A photo without a patch of its own may still have contrast patches, and is drawn as the others are.
    drawn_from = layout.photo_ids if contrast is None else np.union1d(layout.photo_ids, contrast.image_ids)
    photo_ids = np.unique(drawn_from)
    photo = np.searchsorted(photo_ids, layout.photo_ids)
    entry = np.arange(len(mined.patches)).repeat(mined.patches)
    counts = GroupSums(photo[row[order]], entry, len(mined.patches), draws, place)
    keeps, specific_for = mined.frequent, _only_class(mined, mined.frequent)
    contrast_support = None
    if contrast is not None:
        contrast_support = _contrast_support(mined, contrast, config, photo_ids, draws, place)
    rules, lifted = np.zeros(int(keeps.sum())), np.zeros(int(keeps.sum()))
    frequent, same = np.zeros(len(mined)), np.zeros(len(mined))
    rng = np.random.default_rng(seed)
    for _ in range(draws if len(mined) else 0):
        weight = np.bincount(rng.integers(0, len(photo_ids), len(photo_ids)), minlength=len(photo_ids))
        sizes = np.bincount(layout.row_class, weights=weight[photo], minlength=len(mined.class_ids)).astype(np.int64)
        least = least_counts(mined.min_support, sizes)
        least[~mined.is_mined] = np.iinfo(np.int64).max
        count = counts(weight)
        reached = count >= least[mined.label]
        frequent += np.bincount(mined.itemset[reached], minlength=len(mined)) > 0
        same += _only_class(mined, reached) == specific_for
        rules += reached[keeps]
        if contrast_support is not None:
            support = count[keeps] / np.maximum(1, sizes[mined.label[keeps]])
            lifted += reached[keeps] & (support >= MIN_LIFT * contrast_support(weight))
    n = max(1, draws)
    lifted = np.full(len(rules), np.nan) if contrast is None else lifted / n
    return Stability(frequent / n, same / n, rules / n, lifted)


def _contrast_support(
    mined: Mined, contrast: ContrastDatabase, config: MineConfig, photo_ids: Ints, draws: int, place: Placement
) -> Callable[[Ints], Floats]:
    """A function from the weights (photos,) of a sample to the contrast support (rules,) of every rule in it.

    The support is NaN where the sample has no contrast patch for a rule.
    """
    kept = np.flatnonzero(mined.frequent)
    n_classes = len(mined.class_ids)
    itemset, label = mined.itemset[kept], mined.label[kept]
    target, known = places(mined.class_ids, contrast.targets)
    rows = np.flatnonzero(known)
    target, own_class = target[rows], contrast.predicted[rows].astype(np.int64)
    photo = np.searchsorted(photo_ids, contrast.image_ids[rows])
    # ``arrange`` orders rows by class and photo, so each row is made a photo of its own and found again by its number.
    layout = arrange(
        TransactionDatabase(
            contrast.units[rows, : config.top_units].copy(),
            target.astype(np.int32),
            np.arange(len(rows), dtype=np.int64),
            contrast.n_units,
        )
    )
    found, at = occurrences(mined.trie(contrast.n_units), layout, place)
    at = layout.photo_ids[at]
    rule_keys = itemset.astype(np.int64) * n_classes + label  # ascending, as the counts are ordered
    rule, is_rule = places(rule_keys, found * n_classes + target[at])
    # Contrast photos whose own class is one of S(X) do not count.
    top = int(max(own_class.max(initial=0), mined.class_ids.max(initial=0))) + 1
    shared = np.unique(itemset.astype(np.int64) * top + mined.class_ids[label])
    used = is_rule & ~np.isin(found * top + own_class[at], shared)
    rule, held_by = rule[used], photo[at[used]]
    order = np.argsort(rule, kind="stable")
    counts = GroupSums(held_by[order], rule[order], len(kept), draws, place)
    # For each rule, the classes of S(X) whose photos are taken out of the total.
    of_itemset = np.searchsorted(itemset, np.arange(len(mined) + 1))
    size = np.diff(of_itemset)[itemset]
    inside_rule = np.repeat(np.arange(len(kept)), size)
    offset = np.arange(len(inside_rule)) - np.repeat(np.cumsum(size) - size, size)
    inside_class = mined.class_ids[label[of_itemset[itemset[inside_rule]] + offset]]
    pair = target * top + own_class

    def support(weight: Ints) -> Floats:
        count = counts(weight)
        totals = np.bincount(pair, weights=weight[photo], minlength=n_classes * top).reshape(n_classes, top)
        inside = np.bincount(inside_rule, weights=totals[label[inside_rule], inside_class], minlength=len(kept))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(count / (totals.sum(axis=1)[label] - inside))

    return support


def _only_class(mined: Mined, reached: npt.NDArray[np.bool_]) -> Ints:
    """(n,) the class of an itemset that reaches one class only, -1 for several classes, -2 for none."""
    n = np.bincount(mined.itemset[reached], minlength=len(mined))
    total = np.bincount(mined.itemset[reached], weights=mined.label[reached], minlength=len(mined)).astype(np.int64)
    return np.where(n == 1, total, np.where(n > 1, -1, -2))
