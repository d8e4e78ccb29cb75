"""All engines against a brute-force recount, each other and pyfim called by hand."""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interpret.errors import InputError
from interpret.mining import mine, store
from interpret.mining.engine import pyfim_engine
from interpret.mining.engine.counting import count
from interpret.mining.engine.frequent import frequent
from interpret.mining.engine.layout import arrange
from interpret.mining.engine.limits import Limits, ceil_exact, least_counts
from interpret.mining.transactions import TransactionDatabase
from interpret.study.schema import PAD
from tests.mining_cases import brute_force, config, database, databases, plain, skewed, supports

needs_pyfim = pytest.mark.skipif(importlib.util.find_spec("fim") is None, reason="pyfim is not installed")


@pytest.mark.parametrize("engine", ["auto", "bitsets", "torch"])
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(databases(), supports, st.sampled_from([None, None, 1, 2, 3]), st.sampled_from([1, 1, 4]))
def test_engines_equal_brute_force(
    engine: str, data: TransactionDatabase, support: float, max_size: int | None, smallest: int
) -> None:
    found = mine(data, config(support, engine=engine, max_size=max_size, min_class_patches=smallest))
    assert plain(found) == brute_force(data, support, max_size, smallest)


@pytest.mark.slow
@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(databases(), supports, st.sampled_from([1, 5, 30]))
def test_slices_never_change_a_result(data: TransactionDatabase, support: float, chunk: int) -> None:
    layout = arrange(data)
    least, limits = least_counts(support, layout.class_sizes), Limits(10**6)
    trie = frequent(layout, least, limits, engine="torch", chunk=chunk)
    whole = frequent(layout, least, limits, engine="torch")
    for mine_, theirs in zip(trie.levels, whole.levels, strict=True):
        assert np.array_equal(mine_.unit, theirs.unit)
        assert np.array_equal(mine_.parent, theirs.parent)
    counted, at_once = (count(trie, layout, limits, engine="torch", chunk=n) for n in (chunk, None))
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


@needs_pyfim
@pytest.mark.parametrize("support", [0.2, 0.1, 0.05])
def test_engines_agree_to_the_last_row(support: float) -> None:
    data = skewed(5000, 12, seed=3)
    theirs = mine(data, config(support, engine="pyfim"))
    assert len(theirs) > 200
    for engine in ("auto", "bitsets", "torch"):
        ours = mine(data, config(support, engine=engine))
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


@pytest.mark.parametrize("engine", ["bitsets", "torch"])
@pytest.mark.parametrize("rows", [65_535, 65_536, 70_000])
def test_counts_beyond_16_bits(rows: int, engine: str) -> None:
    units = np.tile(np.array([[1, 2, 3]], np.int32), (rows, 1))
    units[0] = [4, 5, 6]
    data = TransactionDatabase(units, np.zeros(rows, np.int32), np.arange(rows), 8)
    found = mine(data, config(0.5, engine=engine))
    assert [(units, patches) for units, patches, _, _ in plain(found)] == [
        (itemset, rows - 1) for size in (1, 2, 3) for itemset in itertools.combinations((1, 2, 3), size)
    ]
    layout = arrange(data)
    assert len(frequent(layout, np.array([rows - 1]), Limits(100), engine=engine)) == 7
    assert len(frequent(layout, np.array([rows]), Limits(100), engine=engine)) == 0
