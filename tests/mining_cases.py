"""Transactions to mine, drawn and by hand, and what mining them must give, counted by brute force."""

import itertools
from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import strategies as st

from interpret.config import MineConfig
from interpret.mining import Mined
from interpret.mining.transactions import TransactionDatabase
from interpret.study.schema import PAD

Plain = list[tuple[tuple[int, ...], int, int, dict[int, tuple[int, int]]]]
"""Each itemset's units, transactions, photos, and both of these by class."""


def database(
    rows: list[list[int]], classes: list[int], photos: list[int] | None = None, n_units: int = 600
) -> TransactionDatabase:
    width = max([len(row) for row in rows], default=0)
    units = np.array([row + [PAD] * (width - len(row)) for row in rows], np.int32).reshape(len(rows), width)
    ids = list(range(len(rows))) if photos is None else photos
    return TransactionDatabase(units, np.array(classes, np.int32), np.array(ids, np.int64), n_units)


def config(support: float, **more: Any) -> MineConfig:
    return MineConfig(**{"top_units": 512, "min_support": support, "min_class_patches": 1, **more})


def brute_force(data: TransactionDatabase, support: float, max_size: int | None = None, smallest: int = 1) -> Plain:
    """Every itemset that is frequent in a class: units, photos, transactions, and both per class, by enumeration."""
    n = Counter(data.class_ids.tolist())
    held: Counter[tuple[tuple[int, ...], int]] = Counter()
    photos: dict[tuple[tuple[int, ...], int], set[int]] = {}
    everywhere: dict[tuple[int, ...], set[int]] = {}
    for row, c, photo in zip(data.units.tolist(), data.class_ids.tolist(), data.image_ids.tolist(), strict=True):
        units = sorted(u for u in row if u != PAD)
        for size in range(1, len(units) + 1):
            for itemset in itertools.combinations(units, size):
                held[itemset, c] += 1
                photos.setdefault((itemset, c), set()).add(photo)
                everywhere.setdefault(itemset, set()).add(photo)
    frequent = {
        x for (x, c), k in held.items() if n[c] >= smallest and Fraction(k, n[c]) >= Fraction(repr(float(support)))
    }
    return [
        (
            x,
            sum(held[x, c] for c in n),
            len(everywhere[x]),
            {c: (held[x, c], len(photos[x, c])) for c in sorted(n) if (x, c) in held},
        )
        for x in sorted(frequent, key=lambda x: (len(x), x))
        if max_size is None or len(x) <= max_size
    ]


def plain(mined: Mined) -> Plain:
    by_class: list[dict[int, tuple[int, int]]] = [{} for _ in range(len(mined))]
    columns = (mined.itemset, mined.class_id, mined.patches, mined.photos)
    for i, c, patches, photos in zip(*(column.tolist() for column in columns), strict=True):
        by_class[i][c] = (patches, photos)
    return list(zip(mined.units_of, mined.all_patches.tolist(), mined.all_photos.tolist(), by_class, strict=True))


@st.composite
def databases(draw: st.DrawFn) -> TransactionDatabase:
    """Empty, of one class, one transaction, all identical, N = 1, duplicates, short rows: all can come."""
    n_units = draw(st.integers(1, 8))
    width = draw(st.integers(1, min(n_units, 6)))
    row = st.lists(st.integers(0, n_units - 1), max_size=width, unique=True)
    rows = draw(st.lists(row, max_size=24))
    if rows and draw(st.booleans()):
        rows += draw(st.lists(st.sampled_from(rows), max_size=8))
    if rows and draw(st.integers(0, 9)) == 0:
        rows = [rows[0]] * len(rows)
    classes = draw(st.lists(st.sampled_from([0, 3, 7]), min_size=len(rows), max_size=len(rows)))
    photos = draw(st.lists(st.integers(0, 9), min_size=len(rows), max_size=len(rows)))
    if draw(st.booleans()):  # as in a study: all patches of a photo have its class
        photos = [10 * photo + c for photo, c in zip(photos, classes, strict=True)]
    if draw(st.booleans()):
        photos = list(range(len(rows)))
    return database(rows, classes, photos, n_units)


supports = st.one_of(
    st.sampled_from([0.07, 0.1, 0.2, 0.25, 0.3, 1 / 3, 0.5, 0.6, 0.7, 1.0]), st.floats(1e-6, 1.0, exclude_min=True)
)


def skewed(rows: int, classes: int, seed: int, n_units: int = 120, width: int = 8) -> TransactionDatabase:
    """Transactions whose units follow a power law, in an order of its own for each class; up to 3 a photo."""
    rng = np.random.default_rng(seed)
    class_ids = rng.integers(0, classes, rows).astype(np.int32)
    order = np.stack([rng.permutation(n_units) for _ in range(classes)])
    power = 1.2 * np.log(np.arange(1, n_units + 1))
    scores = rng.gumbel(size=(rows, n_units)) - power
    ranks = np.argsort(-scores, axis=1)[:, :width]
    units = np.take_along_axis(order[class_ids], ranks, axis=1).astype(np.int32)
    units[rng.random(units.shape) < 0.1] = PAD
    units = -np.sort(-units, axis=1)
    return TransactionDatabase(
        units, class_ids, class_ids.astype(np.int64) * rows + rng.integers(0, rows // 3, rows), n_units
    )
