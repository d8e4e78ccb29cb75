"""Mining on a GPU: the path that it takes, on the CPU's tensors, and its memory; a true one where there is one."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from interpret.mining import mine
from interpret.mining.engine import join, placement
from interpret.mining.engine.counting import count
from interpret.mining.engine.frequent import frequent
from interpret.mining.engine.group_sums import GroupSums
from interpret.mining.engine.layout import arrange
from interpret.mining.engine.limits import Limits, least_counts
from interpret.mining.engine.placement import Placement
from interpret.mining.significance import permutation_test
from interpret.mining.stability import bootstrap
from interpret.mining.transactions import TransactionDatabase
from tests.gpu_stand_in import stand_in
from tests.mining_cases import brute_force, config, databases, plain, skewed, supports
from tests.test_contrast import world
from tests.test_mining_engines import cases, same

no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


# The path of a GPU gives what the CPU gives


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(databases(), supports, st.sampled_from([None, None, 1, 2, 3]), st.sampled_from([1, 1, 4]))
def test_a_gpu_finds_what_enumeration_finds(
    data: TransactionDatabase, support: float, max_size: int | None, smallest: int
) -> None:
    with stand_in():
        found = mine(data, config(support, max_size=max_size, min_class_patches=smallest), place=Placement("cuda"))
    assert plain(found) == brute_force(data, support, max_size, smallest)
    assert found.device == "cuda"


@pytest.mark.parametrize("case", range(len(cases())))
def test_a_gpu_gives_every_array_that_the_cpu_gives(case: int) -> None:
    data, support = cases()[case]
    expected = mine(data, config(support))
    with stand_in():
        found = mine(data, config(support), place=Placement("cuda"))
    assert (expected.device, found.device) == ("cpu", "cuda")
    same(found, expected)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(databases(), supports, st.sampled_from([1, 5, 30]))
def test_small_pieces_on_a_gpu_never_change_a_result(data: TransactionDatabase, support: float, chunk: int) -> None:
    layout = arrange(data)
    least, limits = least_counts(support, layout.class_sizes), Limits(10**6)
    whole = frequent(layout, least, limits)
    with stand_in():
        trie = frequent(layout, least, limits, place=Placement("cuda"), chunk=chunk)
        counted = count(trie, layout, limits, place=Placement("cuda"), chunk=chunk)
    assert [m.tolist() for m in trie.matrices()] == [m.tolist() for m in whole.matrices()]
    expected = count(whole, layout, limits)
    for name in vars(expected):
        assert np.array_equal(getattr(counted, name), getattr(expected, name)), name


def test_contrast_and_resamplings_on_a_gpu_give_what_the_cpu_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    own, contrast = world(3, photos=200, classes=4, units=9, n=4)
    options = config(0.2, max_size=3, min_class_patches=10)
    expected = mine(own, options, contrast=contrast)
    stable = bootstrap(own, expected, options, contrast=contrast, draws=12, seed=4)
    tested = permutation_test(own, contrast, expected, options, draws=15, seed=2, max_itemsets=60)
    assert len(expected.rules) > 30
    assert 0 < np.nanmean(stable.lifted) < 1
    assert tested.least > 1
    monkeypatch.setattr(placement, "WORTHWHILE", 0.0)
    with stand_in():
        places = [Placement("auto") for _ in range(3)]
        found = mine(own, options, contrast=contrast, place=places[0])
        again = bootstrap(own, expected, options, contrast=contrast, draws=12, seed=4, place=places[1])
        shuffled = permutation_test(
            own, contrast, expected, options, draws=15, seed=2, max_itemsets=60, place=places[2]
        )
        asked = mine(own, options, contrast=contrast, place=Placement("cuda"))
    assert [place.used for place in places[1:]] == ["cuda", "cuda"]
    assert asked.device == "cuda"
    for one in (found, asked):
        same(one, expected)
        assert one.contrast is not None
        assert expected.contrast is not None
        for name, value in vars(expected.contrast).items():
            assert np.array_equal(getattr(one.contrast, name), value), name
        assert one.rules.equals(expected.rules)
    for name, value in vars(stable).items():
        assert np.array_equal(getattr(again, name), value, equal_nan=True), name
    assert shuffled.smallest.tolist() == tested.smallest.tolist()
    assert shuffled.p_value.tolist() == tested.p_value.tolist()
    assert (shuffled.least, shuffled.n_itemsets) == (tested.least, tested.n_itemsets)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=40), st.integers(1, 9), st.booleans())
def test_sums_over_groups(entries: list[tuple[int, int]], chunk: int, truth: bool) -> None:
    """Each group's sum is that of a loop, on the CPU and on a GPU in pieces of any size; empty groups have 0."""
    entries = sorted(entries, key=lambda entry: entry[1])
    of, group = (np.array([entry[i] for entry in entries], np.int64) for i in (0, 1))
    weight = np.array([3, 0, 2, 1, 5, 0, 1]) > 1 if truth else np.array([3, 0, 2, 1, 5, 0, 1])
    expected = [sum(int(weight[i]) for i, g in entries if g == wanted) for wanted in range(5)]
    assert GroupSums(of, group, 5, 1, Placement())(weight).tolist() == expected
    with stand_in(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "default_chunk", lambda device: chunk)
        place = Placement("cuda")
        assert GroupSums(of, group, 5, 1, place)(weight).tolist() == expected
    assert place.used == ("cuda" if entries else "cpu")


# The memory of a GPU


def test_a_piece_fits_the_memory_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    for free, chunk in ((8 << 30, 1 << 20), (1 << 40, 1 << 24), (1 << 20, 1 << 16)):
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device, free=free: (free, 1 << 41))
        assert join.default_chunk(torch.device("cuda")) == chunk


class Largest(TorchDispatchMode):
    """Notes the elements of the largest tensor that an operation makes."""

    elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for each in made if isinstance(made, tuple | list) else (made,):
            if isinstance(each, torch.Tensor):
                self.elements = max(self.elements, each.numel())
        return made


def test_no_tensor_grows_with_the_number_of_itemsets() -> None:
    """59,297 units in three classes; in one piece the largest tensor has 680,000 elements, in pieces 30,000."""
    data = skewed(6000, 3, seed=4, n_units=40, width=11)
    layout = arrange(data)
    least = least_counts(0.02, layout.class_sizes)
    with stand_in():
        with Largest() as whole:
            frequent(layout, least, Limits(10**6), place=Placement("cuda"), chunk=1 << 24)
        with Largest() as searched:
            trie = frequent(layout, least, Limits(10**6), place=Placement("cuda"), chunk=2000)
        with Largest() as counted:
            count(trie, layout, Limits(10**6), place=Placement("cuda"), chunk=2000)
    units_of_class = max(len(layout.units) // 3 * 2, 1)
    assert whole.elements > 10 * units_of_class
    assert searched.elements < max(units_of_class, 17 * 2000 + layout.n_units * 3)
    assert counted.elements < max(8 * 2000 + 2000, len(trie) * 4, len(layout))


# A true GPU

GPU = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else None


@pytest.mark.gpu
@pytest.mark.skipif(GPU is None, reason="no GPU")
@pytest.mark.parametrize("rows", [900, 20_000])
def test_a_true_gpu_gives_what_the_cpu_gives(rows: int) -> None:
    assert GPU is not None
    data = skewed(rows, 20, seed=6)
    found = mine(data, config(0.05), place=Placement(GPU))
    assert found.device == GPU
    same(found, mine(data, config(0.05)))
    own, contrast = world(3, photos=200, classes=4, units=9, n=4)
    options = config(0.2, max_size=3, min_class_patches=10)
    expected = mine(own, options, contrast=contrast)
    found = mine(own, options, contrast=contrast, place=Placement(GPU))
    assert found.rules.equals(expected.rules)
    for test in (bootstrap, permutation_test):
        given = (own, expected, options) if test is bootstrap else (own, contrast, expected, options)
        more = {"contrast": contrast} if test is bootstrap else {}
        right = test(*given, **more, draws=10)
        for name, value in vars(test(*given, **more, draws=10, place=Placement(GPU))).items():
            assert np.array_equal(value, getattr(right, name), equal_nan=True), name
