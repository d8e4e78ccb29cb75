"""Bitsets and tid-lists: equal in every row on dense and sparse data, however the work is cut, and chosen by cost."""

import importlib.util
import itertools
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch

from interpret.mining import Mined, mine
from interpret.mining.engine import bit_counting, bitsets, layout, tid_counting
from interpret.mining.engine import frequent as choice
from interpret.mining.engine.counting import count
from interpret.mining.engine.frequent import frequent
from interpret.mining.engine.layout import arrange
from interpret.mining.engine.limits import Limits, ceil_exact, least_counts
from interpret.mining.engine.trie import Level, Trie, merge
from interpret.mining.engine.walk import Walk
from interpret.mining.transactions import TransactionDatabase
from interpret.study.schema import PAD
from tests.mining_cases import config, database, plain, skewed

needs_pyfim = pytest.mark.skipif(importlib.util.find_spec("fim") is None, reason="pyfim is not installed")


def dense(rows: int, attributes: int, seed: int, classes: int = 1, patches: int = 1) -> TransactionDatabase:
    """A table of ``attributes`` with two or three values each, some nearly constant: every row holds one unit of each.

    Rows repeat, as in real tables; up to ``patches`` of a photo.
    """
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 6, rows)
    likely = rng.beta(4, 1, (6, attributes))[kind]
    value = np.where(rng.random((rows, attributes)) < likely, 0, rng.integers(1, 3, (rows, attributes)))
    units = (3 * np.arange(attributes) + value).astype(np.int32)
    class_ids = rng.integers(0, classes, rows).astype(np.int32)
    photos = np.arange(rows) if patches == 1 else rng.integers(0, rows // patches + 1, rows) * classes + class_ids
    return TransactionDatabase(units, class_ids, photos.astype(np.int64), 3 * attributes)


def same(a: Mined, b: Mined) -> None:
    for name in vars(a):
        if isinstance(getattr(a, name), np.ndarray):
            assert np.array_equal(getattr(a, name), getattr(b, name)), name
            assert getattr(a, name).dtype == getattr(b, name).dtype, name


def cases() -> list[tuple[TransactionDatabase, float]]:
    photos_of_two_classes = skewed(900, 3, seed=8, n_units=30)
    photos_of_two_classes = TransactionDatabase(
        photos_of_two_classes.units.copy(), photos_of_two_classes.class_ids, np.arange(900) % 250, 30
    )
    return [
        (dense(700, 14, 1), 0.3),
        (skewed(800, 1, seed=2, n_units=90, width=12), 0.03),  # more than 64 units: no word holds a row
        (dense(900, 12, 3, classes=4, patches=3), 0.3),
        (dense(130, 9, 4, classes=40), 0.5),
        (skewed(3000, 7, seed=5), 0.05),
        (skewed(600, 200, seed=6, n_units=2048), 0.4),
        (photos_of_two_classes, 0.05),
    ]


@pytest.mark.parametrize("case", range(len(cases())))
def test_bitsets_equal_tid_lists(case: int) -> None:
    data, support = cases()[case]
    found = [mine(data, config(support, engine=engine)) for engine in ("bitsets", "torch", "auto")]
    assert len(found[0]) > 150
    same(found[0], found[1])
    same(found[0], found[2])


@needs_pyfim
@pytest.mark.parametrize("engine", ["auto", "bitsets", "torch"])
@pytest.mark.parametrize(("rows", "attributes", "support"), [(2000, 15, 0.2), (300, 30, 0.6), (5000, 8, 0.01)])
def test_dense_data_equals_pyfim_called_by_hand(rows: int, attributes: int, support: float, engine: str) -> None:
    import fim

    data = dense(rows, attributes, seed=rows)
    least = ceil_exact(support, rows)
    rows_of = [*data.units.tolist(), []]  # with an empty row no itemset is in all: pyfim leaves those out
    expected = {tuple(sorted(x)): k for x, k in fim.eclat(rows_of, target="s", supp=-least, zmin=1, report="a")}
    found = mine(data, config(support, engine=engine))
    assert len(expected) > 500
    assert dict(zip(found.units_of, found.all_patches.tolist(), strict=True)) == expected


@pytest.mark.parametrize("case", range(len(cases())))
def test_bounds_of_memory_never_change_a_result(case: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data, support = cases()[case]
    whole = mine(data, config(support, engine="bitsets"))
    for name, value in (("_WORDS", 8), ("_HELD", 40), ("_PAIRS", 5), ("_CELLS", 64 * 64)):
        monkeypatch.setattr(bitsets, name, value)
    for name, value in (("_WORDS", 8), ("_HELD", 1000), ("_CELLS", 64 * 100)):
        monkeypatch.setattr(bit_counting, name, value)
    monkeypatch.setattr(layout, "_CELLS", 70)
    monkeypatch.setattr(choice, "_GROUP", 50)
    monkeypatch.setattr(choice, "_UNITS", 1000)
    same(mine(data, config(support, engine="bitsets")), whole)


def test_equal_rows_are_counted_as_often_as_they_come() -> None:
    """7 rows of 1 2 3 (digits 111), 4 of 1 2 (100) and 1000 of 3 (1111101000) take the words of ten digits, not 16."""
    rows = [[1, 2, 3]] * 7 + [[1, 2]] * 4 + [[3]] * 1000
    found = mine(database(rows, [0] * 1011, n_units=4), config(0.001, engine="bitsets"))
    assert [(x, k) for x, k, _, _ in plain(found)] == [
        ((1,), 11), ((2,), 11), ((3,), 1007), ((1, 2), 11), ((1, 3), 7), ((2, 3), 7), ((1, 2, 3), 7),
    ]  # fmt: skip
    data = arrange(database(rows, [0] * 1011, n_units=4))
    items = bitsets.Items(*(np.array(a) for a in ([0], [0, 0, 0], [1, 2, 3], [11, 11, 1007], [2])))
    bits, times = bitsets._distinct(data, items)
    assert bits.shape == (3, 9)
    assert times.tolist() == [1, 2, 4, 8, 32, 64, 128, 256, 512]
    assert [int((np.bitwise_count(row) * times).sum()) for row in bits] == [11, 11, 1007]


def test_photos_count_once_however_many_patches_hold_the_itemset() -> None:
    # Photo 0 holds 1 2 in both patches, photo 1 in the third only, photo 2 in none; photo 3 is of another class.
    rows = [[1, 2], [1, 2, 3], [1], [2], [1, 2], [1], [2], [1, 2]]
    found = mine(database(rows, [0] * 7 + [5], [0, 0, 1, 1, 1, 2, 2, 3]), config(0.4, engine="bitsets"))
    assert plain(found)[-1] == ((1, 2), 4, 3, {0: (3, 2), 5: (1, 1)})
    assert plain(found)[0] == ((1,), 6, 4, {0: (5, 3), 5: (1, 1)})


def engines_used(
    data: TransactionDatabase, support: float, monkeypatch: pytest.MonkeyPatch, **more: int
) -> tuple[int, int]:
    """How many classes were searched on bitsets, and how many on tid-lists."""
    used = [0, 0]
    search, tids = bitsets.search, choice._search_tids
    monkeypatch.setattr(
        bitsets, "search", lambda a, items, b: (used.__setitem__(0, used[0] + len(items.labels)), search(a, items, b))
    )
    monkeypatch.setattr(
        choice,
        "_search_tids",
        lambda a, b, c, labels, *more: (used.__setitem__(1, used[1] + len(labels)), tids(a, b, c, labels, *more)),
    )
    mine(data, config(support, **more))
    return used[0], used[1]


def test_each_class_is_searched_by_the_engine_that_suits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    table = dense(2000, 12, seed=1)
    # One class of 20,000 rows whose 1,000 units are in few rows each, behind one that is a dense table.
    rng = np.random.default_rng(0)
    sparse = np.sort(np.argsort(rng.random((20_000, 1000)), axis=1)[:, :5], axis=1).astype(np.int32)
    both = TransactionDatabase(
        np.concatenate([np.pad(sparse, ((0, 0), (0, 7)), constant_values=PAD), table.units]),
        np.repeat([3, 9], [20_000, 2000]).astype(np.int32),
        np.arange(22_000),
        1000,
    )
    assert engines_used(table, 0.3, monkeypatch) == (1, 0)
    monkeypatch.undo()
    assert engines_used(both, 0.003, monkeypatch, max_size=3) == (1, 1)


def test_a_search_on_bitsets_holds_little_more_than_what_it_finds() -> None:
    data = arrange(dense(3000, 24, seed=11))
    least = least_counts(0.25, data.class_sizes)
    n = len(frequent(data, least, Limits(10**6), engine="bitsets"))
    assert n > 100_000
    tracemalloc.start()
    frequent(data, least, Limits(10**6), engine="bitsets")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Parent, unit and count of every itemset, twice while they are joined; and 8 MiB a level at most.
    assert peak < 2 * 24 * n + 12 * 8 * 2**20


def test_mining_on_bitsets_does_not_import_torch() -> None:
    code = (
        "import sys, numpy as np\n"
        "from interpret.config import MineConfig\n"
        "from interpret.mining import mine\n"
        "from interpret.mining.transactions import TransactionDatabase\n"
        "units = np.tile(np.arange(6, dtype=np.int32), (100, 1))\n"
        "data = TransactionDatabase(units, np.zeros(100, np.int32), np.arange(100), 6)\n"
        "assert len(mine(data, MineConfig())) == 63\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_arranged_rows_have_no_padding() -> None:
    data = TransactionDatabase(
        np.array([[5, PAD, 2], [PAD, PAD, PAD], [9, 1, PAD], [0, 3, 4]], np.int32),
        np.array([7, 7, 3, 7], np.int32),
        np.array([2, 0, 1, 0], np.int64),
        10,
    )
    found = arrange(data)
    assert found.class_ids.tolist() == [3, 7]
    assert found.units.tolist() == [1, 9, 0, 3, 4, 2, 5]
    assert found.row_starts.tolist() == [0, 2, 2, 5, 7]
    assert found.photo_ids.tolist() == [1, 0, 0, 2]
    assert found.width == 3
    assert found.merged().units.tolist() == [0, 3, 4, 1, 9, 2, 5]
    assert found.merged().row_starts.tolist() == [0, 0, 3, 5, 7]
    number = np.full(10, -1, np.int32)
    number[[1, 3, 5]] = [0, 1, 2]
    numbers, starts = found.numbered(number)
    assert numbers.tolist() == [0, 1, 2]
    assert starts.tolist() == [0, 1, 1, 2, 3]


def test_a_trie_is_restricted_to_what_is_kept() -> None:
    # 1 2 3, 12 13 23, 123 without 2 and what holds it.
    trie = Trie(
        (
            Level(np.zeros(3, np.int64), np.array([1, 2, 3])),
            Level(np.array([0, 0, 1]), np.array([2, 3, 3])),
            Level(np.array([0]), np.array([3])),
        ),
        4,
    )
    kept = trie.restricted(np.array([True, False, True, False, True, False, False]))
    assert [m.tolist() for m in kept.matrices()] == [[[1], [3]], [[1, 3]]]


def test_counting_skips_what_a_block_does_not_hold() -> None:
    data = dense(400, 8, seed=3, classes=50)
    arranged = arrange(data)
    trie = frequent(arranged, least_counts(0.4, arranged.class_sizes), Limits(10**6))
    counts = count(trie, arranged, Limits(1), engine="bitsets")
    held = [set(row) for row in data.units.tolist()]
    matrices = itertools.chain.from_iterable(m.tolist() for m in trie.matrices())
    for place, units in enumerate(matrices):
        own = counts.itemset == place
        expected = np.bincount([c for c, row in zip(data.class_ids.tolist(), held, strict=True) if row >= set(units)])
        assert counts.label[own].tolist() == np.flatnonzero(expected).tolist()
        assert counts.patches[own].tolist() == expected[expected > 0].tolist()


@pytest.mark.parametrize("case", range(len(cases())))
def test_counting_by_keys_as_on_a_gpu_equals_counting_by_groups(case: int) -> None:
    data, support = cases()[case]
    arranged = arrange(data)
    trie = frequent(arranged, least_counts(support, arranged.class_sizes), Limits(10**6))
    walk = Walk(trie, arranged, Limits(1), torch.device("cpu"))
    counter = tid_counting._ClassCounter(arranged, walk.device)
    n = 0
    for found in walk.blocks():
        for first, level, (row, node) in zip(trie.starts(), trie.levels, found, strict=False):
            parts = counter.by_keys(row, node, first, len(level)), counter.count(row, node, first, len(level))
            rows = [sorted(zip(*(column.tolist() for column in part), strict=True)) for part in parts]
            assert rows[0] == rows[1]
            n += len(rows[0])
    assert n >= len(trie)


def test_a_trie_in_any_order_is_sorted() -> None:
    """Units 9, 2 and 5 in this order, as two searches found them: all pairs, and 2 5 9 as 9 2 5."""
    none = np.zeros(0, np.int64)
    levels = [
        (np.zeros(4, np.int64), np.array([9, 2, 5, 2])),
        (np.array([0, 0, 1, 3]), np.array([2, 5, 5, 5])),  # the last is of the second search again
        (np.array([0]), np.array([5])),
        (none, none),
    ]
    assert [m.tolist() for m in merge(levels, 10).matrices()] == [
        [[2], [5], [9]],
        [[2, 5], [2, 9], [5, 9]],
        [[2, 5, 9]],
    ]
    once = [(parent[:3], unit[:3]) for parent, unit in levels[:3]]
    counts = [np.array([19, 12, 15]), np.array([4, 5, 6]), np.array([3])]
    found = merge(once, 10, counts)
    assert found.counts is not None
    assert found.counts.tolist() == [12, 15, 19, 6, 4, 5, 3]


def test_long_itemsets_of_many_units_are_sorted() -> None:
    """A key of 63 bits has no room for 10 ranks of 10 bits: the numbers of prefixes stand in for them."""
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.choice(900, 10, replace=False))
    rows = [rng.permutation(chosen).tolist()] * 5 + [[u] for u in range(900) for _ in range(3)]
    found = mine(database(rows, [0] * len(rows), n_units=900), config(0.001, engine="bitsets", max_itemsets=10**6))
    assert len(found) == 900 + 2**10 - 11
    expected = sorted(
        [(u,) for u in range(900)] + [x for k in range(2, 11) for x in itertools.combinations(chosen.tolist(), k)],
        key=lambda x: (len(x), x),
    )
    assert found.units_of == expected
