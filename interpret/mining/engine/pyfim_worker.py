"""Run as a script in a process of its own: Eclat through pyfim, which holds Python's lock while it works.

    python pyfim_worker.py IN.npz OUT.npz

IN holds ``units`` (n,) int32, the units of all rows one after the other, ``row_starts`` (P + 1,) where each row's
begin, ``starts`` (C + 1,) the first row of each class, ``least`` (C,) thresholds, ``max_size`` (0 without a bound) and
``max_itemsets``. OUT holds ``too_many`` and, where that is false, ``values`` (units of all itemsets one after the
other, ascending within each) and ``sizes``. Only NumPy and pyfim are imported, so that the process starts at once.
"""

import sys
from itertools import chain, pairwise

import fim
import numpy as np


def _surely_few(rows: list[list[int]], least: int, most: int) -> bool:
    """Whether the frequent itemsets are certainly no more than ``most``: each takes ``least`` subsets of rows."""
    subsets = 0
    for row in rows:
        subsets += (1 << len(row)) - 1
        if subsets > most * least:
            return False
    return True


def main(source: str, target: str) -> None:
    """Mine every class and write what is frequent in it."""
    with np.load(source) as given:
        units, edges = given["units"], given["row_starts"]
        starts, least = given["starts"].tolist(), given["least"].tolist()
        max_size, most = int(given["max_size"]), int(given["max_itemsets"])
    values: list[np.ndarray] = []
    sizes: list[np.ndarray] = []
    too_many = False
    for lo, hi, count in zip(starts[:-1], starts[1:], least, strict=True):
        if count > hi - lo:  # too few transactions for this class to be mined
            continue
        first = edges[lo]
        flat = units[first : edges[hi]].tolist()
        rows = [flat[a:b] for a, b in pairwise((edges[lo : hi + 1] - first).tolist())]
        # pyfim leaves out itemsets that every transaction holds; with an empty transaction no itemset is one of those.
        rows.append([])
        # In pyfim a negative support is a count and a positive one a percentage; zmax -1 means no bound.
        options = {"target": "s", "supp": -count, "zmin": 1, "zmax": max_size or -1}
        if not _surely_few(rows, count, most):
            spectrum = fim.eclat(rows, report="#", **options)
            if spectrum and sum(spectrum.values()) > most:
                too_many = True
                break
        found = [sorted(itemset) for itemset, *_ in fim.eclat(rows, report="", **options)]
        sizes.append(np.fromiter(map(len, found), np.int64, len(found)))
        values.append(np.fromiter(chain.from_iterable(found), np.int32, int(sizes[-1].sum())))
    none: list[np.ndarray] = [np.zeros(0, np.int32)]
    np.savez(
        target,
        too_many=np.array(too_many),
        values=np.concatenate(none if too_many else none + values).astype(np.int32),
        sizes=np.concatenate(none if too_many else none + sizes).astype(np.int64),
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
