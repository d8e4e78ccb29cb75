"""Eclat (Zaki 1997) over the transactions of every class and of the whole database: one :func:`mine`."""

import time
from dataclasses import replace

import numpy as np

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.mining import explosion
from interpret.mining.contrast_counting import count_contrast
from interpret.mining.engine import pyfim_engine
from interpret.mining.engine.counting import count, known
from interpret.mining.engine.frequent import frequent
from interpret.mining.engine.layout import Layout, arrange
from interpret.mining.engine.limits import Limits, OutOfTime, TooManyItemsets, least_counts
from interpret.mining.engine.placement import Placement
from interpret.mining.engine.trie import Trie
from interpret.mining.itemsets import Mined
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase


def mine(
    database: TransactionDatabase,
    config: MineConfig,
    *,
    contrast: ContrastDatabase | None = None,
    seconds: float | None = None,
    place: Placement | None = None,
) -> Mined:
    """Find the itemsets that are frequent in a class, and count each in every class.

    Both engines give the same result to the last row. The torch engine runs in the calling thread and does not block
    others; pyfim runs in a process of its own.

    Args:
        database: the transactions, of which the ``config.top_units`` best units are mined.
        config: support, size, engine and the number of itemsets allowed.
        contrast: patches of other photos explained for the same classes, that the rules are tested against; the rules
            stay untested if None.
        seconds: the longest this may take; None without a limit.
        place: where tid-lists are joined and counted; on the CPU if None. It never changes a count.

    Returns:
        The itemsets in canonical order, their counts, the rules and the relevant units.

    Raises:
        ExplosionError: there would be too many itemsets; the sentence names a support or a size that passes.
        InputError: the time is up, a unit is out of range, or the engine is not installed.
    """
    place = place or Placement()
    deadline = None if seconds is None else time.monotonic() + seconds
    layout = arrange(database.top(config.top_units))
    limits = Limits(config.max_itemsets, config.max_size, deadline, config.min_class_patches)
    least = least_counts(config.min_support, layout.class_sizes, config.min_class_patches)
    try:
        trie = _frequent(layout, least, limits, config.engine, place)
        mined = _mined(layout, trie, least, config, limits, place)
        if contrast is not None:
            own, other = database.top(config.top_units), contrast.top(config.top_units)
            counts = count_contrast(mined, own, other, limits, place=place, engine=config.engine)
            mined = replace(mined, contrast=counts)
        return replace(mined, device=place.used)
    except TooManyItemsets:
        raise explosion.refusal(layout, config.min_support, limits, place=place) from None
    except OutOfTime:
        raise InputError(
            f"Mining at a support of {explosion.percent(config.min_support)} took longer than {seconds:g} s; "
            "choose a larger support, or fewer units per transaction."
        ) from None


def _frequent(layout: Layout, least: np.ndarray, limits: Limits, engine: str, place: Placement) -> Trie:
    """The frequent itemsets by the engine asked for."""
    if engine == "pyfim":
        return pyfim_engine.frequent(layout, least, limits)
    return frequent(layout, least, limits, place=place, engine=engine)


def _mined(
    layout: Layout, trie: Trie, least: np.ndarray, config: MineConfig, limits: Limits, place: Placement
) -> Mined:
    """The result of mining: the itemsets of ``trie`` with their counts."""
    counts = known(trie, layout) or count(trie, layout, limits, place=place, engine=config.engine)
    matrices = trie.matrices()
    sizes = np.repeat(np.arange(1, len(matrices) + 1), [len(m) for m in matrices])
    return Mined(
        unit_values=np.concatenate([np.zeros(0, np.int32), *(m.ravel() for m in matrices)]).astype(np.int32),
        unit_starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)]),
        all_patches=counts.all_patches,
        all_photos=counts.all_photos,
        itemset=counts.itemset,
        class_id=layout.class_ids[counts.label],
        patches=counts.patches,
        photos=counts.photos,
        class_ids=layout.class_ids,
        class_sizes=layout.class_sizes,
        class_photos=layout.class_photos,
        least=least,
        n=len(layout),
        n_photos=layout.n_photos,
        min_support=float(config.min_support),
    )
