"""Both engines against a brute-force recount, each other and pyfim called by hand; limits and the store."""

import importlib.util
import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.mining import Mined, explosion, mine, store
from interpret.mining.engine import pyfim_engine, search
from interpret.mining.engine.counting import count
from interpret.mining.engine.layout import arrange
from interpret.mining.engine.limits import Limits, TooManyItemsets, ceil_exact, least_counts
from interpret.mining.engine.threads import one_thread
from interpret.mining.transactions import TransactionDatabase
from interpret.study.schema import PAD

needs_pyfim = pytest.mark.skipif(importlib.util.find_spec("fim") is None, reason="pyfim is not installed")

Plain = list[tuple[tuple[int, ...], int, int, dict[int, tuple[int, int]]]]


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


@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(databases(), supports, st.sampled_from([None, None, 1, 2, 3]), st.sampled_from([1, 1, 4]))
def test_torch_engine_equals_brute_force(
    data: TransactionDatabase, support: float, max_size: int | None, smallest: int
) -> None:
    found = mine(data, config(support, engine="torch", max_size=max_size, min_class_patches=smallest))
    assert plain(found) == brute_force(data, support, max_size, smallest)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(databases(), supports, st.sampled_from([1, 5, 30]))
def test_slices_never_change_a_result(data: TransactionDatabase, support: float, chunk: int) -> None:
    layout = arrange(data)
    least, limits = least_counts(support, layout.class_sizes), Limits(10**6)
    trie, whole = search.frequent(layout, least, limits, chunk=chunk), search.frequent(layout, least, limits)
    for mine_, theirs in zip(trie.levels, whole.levels, strict=True):
        assert np.array_equal(mine_.unit, theirs.unit)
        assert np.array_equal(mine_.parent, theirs.parent)
    counted, at_once = count(trie, layout, limits, chunk=chunk), count(trie, layout, limits)
    for name in vars(at_once):
        assert np.array_equal(getattr(counted, name), getattr(at_once, name)), name


@pytest.mark.slow
@needs_pyfim
@settings(max_examples=500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(databases(), supports, st.sampled_from([None, None, 1, 2, 3]), st.sampled_from([1, 1, 4]))
def test_pyfim_engine_equals_brute_force(
    data: TransactionDatabase, support: float, max_size: int | None, smallest: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        # The worker itself, without starting 500 processes; other tests start it as it is meant to be.
        patch.setattr(pyfim_engine, "_run", lambda source, target, limits: _work(source, target))
        found = mine(data, config(support, engine="pyfim", max_size=max_size, min_class_patches=smallest))
    assert plain(found) == brute_force(data, support, max_size, smallest)


def _work(source: Path, target: Path) -> None:
    from interpret.mining.engine import pyfim_worker

    pyfim_worker.main(str(source), str(target))


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


@needs_pyfim
@pytest.mark.parametrize("support", [0.2, 0.1, 0.05])
def test_engines_agree_to_the_last_row(support: float) -> None:
    data = skewed(5000, 12, seed=3)
    ours, theirs = (mine(data, config(support, engine=engine)) for engine in ("torch", "pyfim"))
    assert len(ours) > 200
    for name in ("itemsets", "rules", "units"):
        pd.testing.assert_frame_equal(getattr(ours, name), getattr(theirs, name), check_exact=True)
    assert plain(ours) == plain(theirs)


@needs_pyfim
def test_equals_pyfim_called_by_hand() -> None:
    """Independent of the engine and its worker: plain calls per class and over the whole database."""
    import fim

    data = skewed(20_000, 25, seed=4)
    found = mine(data, config(0.06))
    in_class = found.itemsets.dropna(subset="class_id")
    rows = [[u for u in row if u != PAD] for row in data.units.tolist()]
    expected = {}
    for c in range(25):
        own = [row for row, k in zip(rows, data.class_ids.tolist(), strict=True) if k == c]
        least = ceil_exact(0.06, len(own))
        expected |= {
            (tuple(sorted(x)), c): k for x, k in fim.eclat([*own, []], target="s", supp=-least, zmin=1, report="a")
        }
    assert (
        dict(zip(zip(in_class.units, in_class.class_id, strict=True), in_class.support_count, strict=True)) == expected
    )
    least = ceil_exact(0.06, len(rows))
    everywhere = {tuple(sorted(x)): k for x, k in fim.eclat(rows, target="s", supp=-least, zmin=1, report="a")}
    whole = found.itemsets[found.itemsets.class_id.isna()]
    large = whole[whole.support_count >= least]
    assert len(everywhere) > 5
    assert dict(zip(large.units, large.support_count, strict=True)) == everywhere


def test_poster_example_by_hand() -> None:
    bird, dog, car = 0, 1, 2
    data = database(
        [[193, 34, 405], [34, 193, 7], [24, 193, 34], [512, 193, 43], [193, 512, 8]],
        [bird, bird, dog, car, car],
        [0, 0, 1, 2, 3],
    )
    found = mine(data, config(1.0))
    assert found.units_of == [(24,), (34,), (193,), (512,), (24, 34), (24, 193), (34, 193), (193, 512), (24, 34, 193)]
    rows = found.itemsets[found.itemsets.units.map(lambda units: units == (34, 193))]
    assert rows.class_id.fillna(-1).tolist() == [-1, bird, dog]
    assert rows.support_count.tolist() == [3, 2, 1]
    assert rows.image_count.tolist() == [2, 1, 1]
    assert rows.support.tolist() == [0.6, 1.0, 1.0]
    assert found.n == 5
    assert found.n_photos == 4


def test_threshold_is_exact_where_floating_point_is_not() -> None:
    assert np.ceil(0.07 * 100) == 8
    assert ceil_exact(0.07, 100) == 7
    assert [ceil_exact(s, n) for s, n in [(0.2, 15), (0.2, 16), (1.0, 9), (1e-6, 5), (0.29, 100)]] == [3, 4, 9, 1, 29]
    rows = [[1, 2]] * 7 + [[3]] * 93
    assert (1, 2) in mine(database(rows, [0] * 100), config(0.07)).units_of
    assert (1, 2) not in mine(database([*rows[1:], [3]], [0] * 100), config(0.07)).units_of


def test_small_classes_count_but_are_not_mined() -> None:
    rows = [[1, 2]] * 12 + [[1, 9]] * 3
    found = mine(database(rows, [0] * 12 + [5] * 3), config(0.5, min_class_patches=4))
    assert found.units_of == [(1,), (2,), (1, 2)]
    assert found.all_patches.tolist() == [15, 12, 12]
    assert found.unmined == {5: 3}
    assert found.rules.class_id.unique().tolist() == [0]
    assert found.rules.lift.tolist() == pytest.approx([12 / 15 / (12 / 15), 1 / (12 / 15), 1 / (12 / 15)])


def test_only_the_best_units_are_mined() -> None:
    data = database([[4, 1, 9], [4, 9, 1]], [0, 0])
    assert mine(data, config(1.0, top_units=1)).units_of == [(4,)]
    assert mine(data, config(1.0, top_units=2)).units_of == [(4,)]
    assert len(mine(data, config(1.0, top_units=3))) == 7


def test_order_of_the_transactions_does_not_matter(tmp_path: Path) -> None:
    data = skewed(900, 5, seed=8)
    order = np.random.default_rng(0).permutation(len(data))
    other = TransactionDatabase(data.units[order], data.class_ids[order], data.image_ids[order], data.n_units)
    store.write(mine(data, config(0.1)), tmp_path / "a")
    store.write(mine(other, config(0.1)), tmp_path / "b")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


@pytest.mark.parametrize(("rows", "classes"), [([], []), ([[], []], [0, 1])])
def test_nothing_to_find(rows: list[list[int]], classes: list[int], tmp_path: Path) -> None:
    found = mine(database(rows, classes), config(0.5))
    assert len(found) == len(found.itemsets) == len(found.rules) == len(found.units) == 0
    store.write(found, tmp_path / "none")
    assert plain(store.read(tmp_path / "none")) == []


def test_a_wrong_unit_is_refused() -> None:
    with pytest.raises(InputError, match="unit 7, but the layer has units 0 to 6"):
        mine(database([[7]], [0], n_units=7), config(0.5))
    with pytest.raises(InputError, match="twice"):
        mine(database([[3, 3]], [0]), config(0.5))


def test_works_without_pyfim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    data = database([[1, 2], [1]], [0, 0])
    assert mine(data, config(0.5)).units_of == [(1,), (2,), (1, 2)]
    with pytest.raises(InputError, match="pyfim is not installed"):
        mine(data, config(0.5, engine="pyfim"))


@needs_pyfim
def test_pyfim_process_is_ended_when_time_is_up() -> None:
    rows = np.stack([np.random.default_rng(i).permutation(40)[:32] for i in range(400)]).tolist()
    begun = time.monotonic()
    with pytest.raises(InputError, match=r"Mining at a support of 1 % took longer than 1 s"):
        mine(database(rows, [0] * 400), config(0.01, engine="pyfim", max_itemsets=100_000_000), seconds=1.0)
    assert time.monotonic() - begun < 30  # not a measurement: unstopped it would take days


@needs_pyfim
def test_pyfim_refuses_before_it_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    data = database([list(range(14))] * 3, [0] * 3)
    layout = arrange(data)
    with pytest.raises(TooManyItemsets):
        pyfim_engine.frequent(layout, least_counts(1.0, layout.class_sizes), Limits(2**14 - 2))
    assert len(pyfim_engine.frequent(layout, least_counts(1.0, layout.class_sizes), Limits(2**14 - 1))) == 2**14 - 1


def test_torch_engine_stops_when_time_is_up() -> None:
    rows = np.stack([np.random.default_rng(i).permutation(40)[:32] for i in range(400)]).tolist()
    with pytest.raises(InputError, match=r"took longer than 0\.2 s; choose a larger support"):
        mine(database(rows, [0] * 400), config(0.01, max_itemsets=100_000_000), seconds=0.2)


@pytest.mark.parametrize("engine", ["torch", pytest.param("pyfim", marks=needs_pyfim)])
def test_explosion_names_the_smallest_support_that_passes(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explosion, "SECONDS", 60)
    data = skewed(800, 4, seed=5, n_units=30)
    with pytest.raises(InputError) as told:
        mine(data, config(0.01, engine=engine, max_itemsets=500))
    text = str(told.value)
    start = "A support of 1 % would give more than 500 itemsets; the smallest that passes is "
    assert text.startswith(start)
    named = float(text.removeprefix(start).removesuffix(" %.")) / 100
    supports = explosion.grid(0.01)
    at = min(range(len(supports)), key=lambda i: abs(supports[i] - named))
    assert len(mine(data, config(supports[at], max_itemsets=500))) <= 500
    with pytest.raises(InputError):
        mine(data, config(supports[at - 1], max_itemsets=500))


def test_other_threads_go_on_while_a_search_explodes() -> None:
    """Someone else's page is served meanwhile: the engine never holds Python's lock for long."""
    rows = np.stack([np.random.default_rng(i).permutation(60)[:32] for i in range(3000)]).tolist()
    told: list[str] = []

    def ask() -> None:
        with pytest.raises(InputError) as error:
            mine(database(rows, [i % 10 for i in range(3000)]), config(0.001, max_itemsets=200_000))
        told.append(str(error.value))

    worker = threading.Thread(target=ask)
    turns = 0
    worker.start()
    while worker.is_alive():
        time.sleep(0.005)
        turns += 1
    worker.join()
    assert "passes" in told[0]
    assert turns >= 30  # a search that held the lock would leave one or two


@pytest.mark.parametrize("rows", [65_535, 65_536, 70_000])
def test_counts_beyond_16_bits(rows: int) -> None:
    units = np.tile(np.array([[1, 2, 3]], np.int32), (rows, 1))
    units[0] = [4, 5, 6]
    data = TransactionDatabase(units, np.zeros(rows, np.int32), np.arange(rows), 8)
    found = mine(data, config(0.5, engine="torch"))
    assert [(units, patches) for units, patches, _, _ in plain(found)] == [
        (itemset, rows - 1) for size in (1, 2, 3) for itemset in itertools.combinations((1, 2, 3), size)
    ]
    layout = arrange(data)
    assert len(search.frequent(layout, np.array([rows - 1]), Limits(100))) == 7
    assert len(search.frequent(layout, np.array([rows]), Limits(100))) == 0


def test_limit_counts_different_itemsets() -> None:
    data = database([[1, 2], [1, 2], [1, 3]], [0, 1, 2])  # 1, 2, 3, 12, 13
    assert len(mine(data, config(1.0, max_itemsets=5))) == 5
    with pytest.raises(
        InputError, match="more than 4 itemsets, and so would any other; itemsets of at most 1 unit pass"
    ):
        mine(data, config(1.0, max_itemsets=4))
    with pytest.raises(InputError, match="more than 2 itemsets, and so would any other; use fewer units"):
        mine(data, config(1.0, max_itemsets=2))


def test_where_no_support_passes_the_largest_size_that_does_is_named() -> None:
    data = database([list(range(12))] * 5, [0] * 5)  # 12, 66, 220, 495, ... itemsets of 1, 2, 3, 4 units
    for most, size in ((77, 1), (78, 2), (298, 3), (4094, 11)):
        with pytest.raises(InputError, match=f"so would any other; itemsets of at most {size} units? pass"):
            mine(data, config(0.5, max_itemsets=most))
        assert len(mine(data, config(0.5, max_itemsets=most, max_size=size))) <= most
        with pytest.raises(InputError):
            mine(data, config(0.5, max_itemsets=most, max_size=size + 1))
    assert len(mine(data, config(0.5, max_itemsets=4095))) == 4095


def test_grid_has_two_digits() -> None:
    assert explosion.grid(0.0949)[:8] == [0.095, 0.096, 0.097, 0.098, 0.099, 0.1, 0.11, 0.12]
    assert explosion.grid(0.99) == [1.0]
    assert explosion.percent(0.065) == "6.5 %"


def test_files_round_trip(tmp_path: Path) -> None:
    found = mine(skewed(600, 4, seed=2), config(0.1))
    store.write(found, tmp_path / "deep" / "key")
    again = store.read(tmp_path / "deep" / "key")
    assert plain(again) == plain(found)
    for name in ("itemsets", "rules", "units"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name), check_exact=True)
    for name in ("class_ids", "class_sizes", "class_photos", "least"):
        assert np.array_equal(getattr(again, name), getattr(found, name))
    assert (again.n, again.n_photos, again.min_support) == (600, found.n_photos, 0.1)
    store.write(again, tmp_path / "deep" / "again")
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["again", "key"]
    for file in ("itemsets", "rules", "units", "counts"):
        paths = (tmp_path / "deep" / folder / f"{file}.parquet" for folder in ("key", "again"))
        first, second = (path.read_bytes() for path in paths)
        assert first == second


def test_files_hold_what_the_design_names(tmp_path: Path) -> None:
    store.write(mine(database([[2, 1], [1]], [4, 4]), config(0.5)), tmp_path / "key")
    table = pd.read_parquet(tmp_path / "key" / "itemsets.parquet")
    assert list(table.columns) == ["itemset_id", "units", "class_id", "support_count", "image_count", "support"]
    assert [list(units) for units in table.units] == [[1], [1], [2], [2], [1, 2], [1, 2]]
    assert table.class_id.isna().tolist() == [True, False] * 3
    assert table.support.tolist() == [1.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    rules = pd.read_parquet(tmp_path / "key" / "rules.parquet")
    assert set(rules.columns) >= {
        "itemset_id", "class_id", "support_count", "confidence", "lift", "leverage", "conviction", "p_value", "q_value",
    }  # fmt: skip
    units = pd.read_parquet(tmp_path / "key" / "units.parquet")
    assert list(units.columns) == ["class_id", "unit", "rank", "support", "kind"]


def test_a_damaged_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read; delete that folder and mine again"):
        store.read(tmp_path)
    store.write(mine(database([[1]], [0]), config(0.5)), tmp_path / "key")
    (tmp_path / "key" / "counts.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError, match="cannot be read"):
        store.read(tmp_path / "key")


def in_new_thread() -> int:
    """The number of threads that torch would use in a thread that has not used it before."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


def test_the_thread_count_is_restored() -> None:
    before = torch.get_num_threads()
    with one_thread("cpu"):
        with one_thread("cpu"):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 1  # the outer one is not done
    assert torch.get_num_threads() == before
    rows = database([[1, 1]], [0])
    with pytest.raises(InputError):
        mine(rows, config(0.5))
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("first_out", [0, 1])
def test_overlapping_threads_all_get_their_count_back(first_out: int) -> None:
    """Two threads enter one after the other and leave in either order; nobody else's count ever changes."""
    before, started = torch.get_num_threads(), in_new_thread()
    inside, leave, left = ([threading.Event(), threading.Event()] for _ in range(3))
    counts: dict[int, tuple[int, int, int]] = {}

    def work(place: int) -> None:
        at_first = torch.get_num_threads()
        with one_thread("cpu"):
            during = torch.get_num_threads()
            inside[place].set()
            leave[place].wait(60)
        counts[place] = (at_first, during, torch.get_num_threads())
        left[place].set()

    with ThreadPoolExecutor(2) as pool:
        try:
            for place in (0, 1):
                pool.submit(work, place)
                assert inside[place].wait(60)
                assert (torch.get_num_threads(), in_new_thread()) == (before, started)
            for place in (first_out, 1 - first_out):
                leave[place].set()
                assert left[place].wait(60)
                assert (torch.get_num_threads(), in_new_thread()) == (before, started)
        finally:
            for event in leave:
                event.set()
    assert counts == {0: (started, 1, started), 1: (started, 1, started)}


def test_the_caller_s_modes_and_random_states_are_left_alone() -> None:
    data = skewed(300, 3, seed=1)
    outside = mine(data, config(0.2))
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002 - the state that library code must not touch
    states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    with torch.inference_mode():
        inside = mine(data, config(0.2))
        assert torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()
    assert plain(inside) == plain(outside)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_equals_cpu() -> None:
    data = skewed(20_000, 20, seed=6)
    assert plain(mine(data, config(0.05), device="cuda")) == plain(mine(data, config(0.05)))
