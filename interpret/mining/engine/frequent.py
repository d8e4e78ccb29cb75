"""First pass: the frequent itemsets, by the engine that suits each class."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from interpret.mining.engine import bitsets
from interpret.mining.engine.bitsets import Items, words_for
from interpret.mining.engine.found import Found
from interpret.mining.engine.layout import Ints, Layout
from interpret.mining.engine.limits import Limits
from interpret.mining.engine.placement import PAIR, Placement
from interpret.mining.engine.trie import Trie

_UNITS = 1 << 20
"""Units and table cells of the classes that are counted at once (count)."""

_PAIR, _WORD, _TID = 25.0, 2.0, 1e9 * PAIR
"""What joining costs (ns, measured): for each pair of itemsets on bitsets and for each of its words; for each pair of
occurrences on tid-lists."""

_MOST_WORDS = 1 << 23
"""Words that the bitsets of a class's single units may take (count): 64 MiB."""

_SORTED = 0.7
"""Joins of pairs that searching by count must leave for it to be chosen (fraction)."""

_ALWAYS_SORTED = 1000
"""With more frequent units than this a class is searched by count without asking (count)."""

_GROUP = 1 << 16
"""Words of the single units of classes that are searched on bitsets together (count)."""


def frequent(
    layout: Layout,
    least: Ints,
    limits: Limits,
    *,
    place: Placement | None = None,
    engine: str = "auto",
    chunk: int | None = None,
) -> Trie:
    """Every itemset that reaches the threshold of at least one class.

    Args:
        layout: the transactions.
        least: (C,) int64, the smallest count that makes an itemset frequent in each class, 1 or more.
        limits: when to stop.
        place: where tid-lists are searched; on the CPU if None. Where a GPU was asked for, it searches everything.
        engine: ``bitsets``, ``torch`` (tid-lists), or ``auto``: for each class the one that should be faster.
        chunk: pairs of tid-lists handled at once (count); chosen by device if None. It never changes a result.

    Raises:
        TooManyItemsets: where more than ``limits.max_itemsets`` different itemsets are frequent.
        OutOfTime: where ``limits.deadline`` has passed.
    """
    place = place or Placement()
    none = Found(layout.n_units, limits, one_class=len(layout.class_ids) == 1)
    classes = np.arange(len(layout.class_ids))

    def on_tids(found: Found, labels: Ints, device: str) -> Found:
        made = found.copy()  # a device may fail on the way
        _search_tids(layout, least, made, labels, device, chunk)
        return made

    def by_cost() -> Found:
        found, labels, seconds = _search_bitsets(layout, least, none.copy(), engine)
        return place.run(seconds, lambda device: on_tids(found, labels, device)) if len(labels) else found

    if engine == "torch":
        found = place.run(PAIR * layout.pairs, lambda device: on_tids(none, classes, device))
    elif engine == "auto" and place.forced:
        found = place.run(0.0, lambda device: by_cost() if device == "cpu" else on_tids(none, classes, device))
    else:
        found = by_cost()
    trie = found.trie()
    limits.check_count(len(trie))
    return trie


def _search_bitsets(layout: Layout, least: Ints, found: Found, engine: str) -> tuple[Found, Ints, float]:
    """Search the classes that suit bitsets.

    Returns:
        ``found`` with what was found, the (m,) other classes that have a frequent unit, ascending, and how long their
        first joins should take the CPU on tid-lists (seconds).
    """
    left, seconds = [np.zeros(0, np.int64)], 0.0
    for first, last in _batches(layout):
        found.limits.check_time()
        counts = _counts(layout, first, last)
        kept = counts >= least[first:last, None]
        on_bits, on_tids = _suits_bitsets(layout, least, first, last, counts, kept)
        if engine == "bitsets":
            on_bits = kept.sum(axis=1) > 0
        for items in _groups(layout, least, first, counts, kept, np.flatnonzero(on_bits)):
            bitsets.search(layout, items, found)
        others = np.flatnonzero(~on_bits & (kept.sum(1) > 0))
        left.append(first + others)
        seconds += 1e-9 * float(on_tids[others].sum())
    return found, np.concatenate(left), seconds


def _search_tids(layout: Layout, least: Ints, found: Found, labels: Ints, device: str, chunk: int | None) -> None:
    """Search classes, ascending, on tid-lists, neighbours together."""
    if not len(labels):
        return
    from interpret.mining.engine.search import TidSearch  # with PyTorch, which takes seconds to import
    from interpret.threads import one_thread

    with one_thread(device):
        engine = TidSearch(layout, least, found, device=device, chunk=chunk)
        for run in np.split(labels, np.flatnonzero(np.diff(labels) > 1) + 1):
            engine.run(int(run[0]), int(run[-1]) + 1)


def _batches(layout: Layout) -> Iterator[tuple[int, int]]:
    """Runs of classes whose units are counted together."""
    starts = layout.row_starts[layout.class_starts]
    at, n = 0, len(layout.class_ids)
    while at < n:
        by_units = int(np.searchsorted(starts, starts[at] + _UNITS, side="right")) - 1
        until = min(n, max(at + 1, min(by_units, at + _UNITS // max(1, layout.n_units))))
        yield at, until
        at = until


def _counts(layout: Layout, first: int, last: int) -> Ints:
    """(classes, K) int64, transactions of the classes first..last-1 that hold each unit."""
    starts = layout.row_starts[layout.class_starts[first : last + 1]]
    units = layout.units[starts[0] : starts[-1]]
    if last - first == 1:
        return np.bincount(units, minlength=layout.n_units)[None]
    key = (np.arange(last - first) * layout.n_units).repeat(np.diff(starts))
    key += units
    return np.bincount(key, minlength=(last - first) * layout.n_units).reshape(last - first, -1)


def _suits_bitsets(
    layout: Layout, least: Ints, first: int, last: int, counts: Ints, kept: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """(classes,) whether a class should be mined faster on bitsets, by the cost of joining its frequent units.

    And (classes,) that cost on tid-lists (ns).
    """
    rows = layout.class_sizes[first:last]
    words = np.maximum(1, -(-rows // 64))
    n_items = kept.sum(1)
    occurrences = np.where(kept, counts, 0).sum(1)
    on_bits = n_items * (n_items - 1) / 2 * (_PAIR + _WORD * words)
    # As if all transactions were of the same length: the true number of pairs is larger.
    on_tids = occurrences * np.maximum(0, occurrences / rows - 1) / 2 * _TID
    # Later joins are of frequent itemsets, whose tid-lists are as long as the threshold at least; and small classes are
    # searched on bitsets many at a time.
    favour = np.where(words <= 4, 8, np.where(_TID * least[first:last] > _PAIR + _WORD * words, 3, 1))
    return (n_items > 0) & (on_bits <= favour * on_tids) & (n_items * words <= _MOST_WORDS), on_tids


def _groups(
    layout: Layout, least: Ints, first: int, counts: Ints, kept: npt.NDArray[np.bool_], chosen: Ints
) -> Iterator[Items]:
    """The frequent units of the ``chosen`` classes, of like classes together so that none takes many more words."""
    sizes = layout.class_sizes[first + chosen]
    chosen = chosen[np.argsort(-sizes, kind="stable")]
    words, n_items = [words_for(int(n)) for n in layout.class_sizes[first + chosen]], kept[chosen].sum(1).tolist()
    at = 0
    while at < len(chosen):
        until, m = at + 1, n_items[at]
        while (
            until < len(chosen)
            and words[at] <= words[until] + max(1, words[until] // 4)
            and (m + n_items[until]) * words[at] <= _GROUP
        ):
            m += n_items[until]
            until += 1
        group = chosen[at:until]
        label, unit = np.nonzero(kept[group])
        items = Items(first + group, label, unit, counts[group[label], unit], least[first + group])
        if len(layout.class_ids) > 1 or _is_worth_sorting(items.count, int(items.least[0]), int(sizes[0])):
            order = np.lexsort((unit, items.count, label))
            items = replace(items, unit=unit[order], count=items.count[order])
        yield items
        at = until


def _is_worth_sorting(count: Ints, least: int, rows: int) -> bool:
    """Whether one class should be searched by ascending count of its units rather than by unit.

    Rare units first keep the number of joins that lead to nothing small, but what is found must be sorted afterwards.
    The joins of pairs are counted as if units were independent.

    Args:
        count: (m,) transactions that hold each frequent unit, in the order of the units.
        least: the threshold (count).
        rows: transactions (count).
    """
    if len(count) > _ALWAYS_SORTED:
        return True

    def joins(ordered: Ints) -> int:
        later = np.triu(np.multiply.outer(ordered, ordered) >= least * rows, 1).sum(axis=1)
        return int((later * (later - 1) // 2).sum())

    return joins(np.sort(count)) < _SORTED * joins(count)
