"""Mining on a device: the path that a GPU takes, on the CPU's tensors; which work gets one; and one that fails."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from interpret.errors import ExplosionError, InputError
from interpret.mining import mine
from interpret.mining.engine import group_sums, join, placement
from interpret.mining.engine.counting import count
from interpret.mining.engine.frequent import frequent
from interpret.mining.engine.group_sums import GroupSums
from interpret.mining.engine.layout import arrange
from interpret.mining.engine.limits import Limits, least_counts
from interpret.mining.engine.placement import PAIR, WORTHWHILE, Placement
from interpret.mining.significance import permutation_test
from interpret.mining.stability import bootstrap
from interpret.mining.transactions import TransactionDatabase
from tests.gpu_stand_in import stand_in
from tests.mining_cases import brute_force, config, database, databases, plain, skewed, supports
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
    for module in (placement, group_sums):
        monkeypatch.setattr(module, "WORTHWHILE", 0.0, raising=False)
    monkeypatch.setattr("interpret.mining.contrast_counting.WORTHWHILE", 0.0)
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


# Which work gets a GPU


def test_work_above_the_threshold_gets_the_gpu_and_none_below() -> None:
    """Rows of 3, 2, 0 and 4 units hold 3 + 1 + 0 + 6 = 10 pairs."""
    data = database([[1, 2, 3], [1, 2], [], [1, 2, 3, 4]], [0, 0, 0, 0])
    assert arrange(data).pairs == 10
    for threshold, device in ((10 * PAIR, "cuda"), (10.001 * PAIR, "cpu")):
        with stand_in(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(placement, "WORTHWHILE", threshold)
            found = mine(data, config(0.5, engine="torch"), place=Placement("auto"))
        assert found.device == device
        assert plain(found) == brute_force(data, 0.5)


def test_what_suits_bitsets_stays_on_the_cpu_unless_a_gpu_is_asked_for() -> None:
    table, _ = cases()[0]
    rng = np.random.default_rng(0)
    sparse = np.sort(np.argsort(rng.random((20_000, 300)), axis=1)[:, :5], axis=1).astype(np.int32)
    baskets = TransactionDatabase(sparse, np.zeros(20_000, np.int32), np.arange(20_000), 300)
    for data, support, largest, asked, device in (
        (table, 0.3, None, "auto", "cpu"),
        (table, 0.3, None, "cuda", "cuda"),
        (baskets, 0.0005, 3, "auto", "cuda"),
        (baskets, 0.0005, 3, "cpu", "cpu"),
    ):
        with stand_in(), pytest.MonkeyPatch.context() as patch:
            patch.setattr(placement, "WORTHWHILE", 1e-9)
            found = mine(data, config(support, max_size=largest), place=Placement(asked))
        assert found.device == device
        same(found, mine(data, config(support, max_size=largest)))


def test_engines_of_the_cpu_stay_there() -> None:
    data, support = cases()[0]
    with stand_in():
        assert mine(data, config(support, engine="bitsets"), place=Placement("cuda")).device == "cpu"


def test_small_work_does_not_look_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """To look for one takes PyTorch, which takes seconds to import."""
    asked = []
    monkeypatch.setattr(placement, "find", lambda name: asked.append(name) or "cpu")
    data, support = cases()[0]
    assert mine(data, config(support), place=Placement("auto")).device == "cpu"
    assert not asked
    assert Placement("auto").choose(0.999 * WORTHWHILE) == "cpu"
    assert not asked
    assert Placement("auto").choose(WORTHWHILE) == "cpu"
    assert asked == ["auto"]
    assert Placement("cpu").choose(1e9) == "cpu"
    assert asked == ["auto"]


@pytest.mark.parametrize(
    ("cuda", "mps", "found"), [(True, False, "cuda"), (False, True, "mps"), (True, True, "cuda"), (False, False, "cpu")]
)
def test_auto_takes_the_gpu_that_is_there(cuda: bool, mps: bool, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert Placement("auto").choose(1.0) == found


@no_cuda
def test_a_gpu_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(InputError, match="--device cuda is not available to this PyTorch; use --device cpu"):
        Placement("cuda")
    with pytest.raises(InputError, match="--device is 'tpu'; choose one of auto, cpu, cuda, mps"):
        Placement("tpu")


# A GPU that fails


class Failing:
    """Raises an error when the GPU is given work for the ``nth`` time, and ever after."""

    def __init__(self, error: Exception, nth: int) -> None:
        self.error, self.left = error, nth

    def __call__(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise self.error


SHORT = "The GPU (cuda) has too little free memory; the CPU mines with the same result."


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), SHORT),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), SHORT),
        (
            NotImplementedError("The operator 'aten::bincount' is not"),
            SHORT.replace("has too little free memory", "lacks an operation"),
        ),
    ],
)
def test_a_gpu_that_fails_is_said_once_and_the_cpu_goes_on(error: Exception, said: str, nth: int) -> None:
    """It fails in the search, in the counting by class, or in that of photos over the whole database."""
    data, support = cases()[6]
    told: list[str] = []
    with stand_in(Failing(error, nth)):
        place = Placement("cuda", told.append)
        found = mine(data, config(support), place=place)
    assert told == [said]
    assert found.device == ("cpu" if nth == 1 else "cuda")
    assert not place.forced
    same(found, mine(data, config(support)))


def test_memory_that_runs_out_on_the_way_leaves_nothing_behind() -> None:
    """What a search had found before it failed is not found twice."""
    data, support = cases()[2]
    expected = mine(data, config(support))
    told: list[str] = []
    with stand_in(), pytest.MonkeyPatch.context() as patch:
        true, calls = join.joined, []

        def joined(*given: Any) -> Any:
            calls.append(1)
            if len(calls) == 3:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return true(*given)

        patch.setattr("interpret.mining.engine.search.joined", joined)
        found = mine(data, config(support), place=Placement("cuda", told.append))
    assert len(calls) >= 3
    assert told == [SHORT]
    same(found, expected)


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_resamplings_go_on_with_the_cpu(nth: int) -> None:
    own, contrast = world(3, photos=120, classes=3, units=9, n=3)
    options = config(0.2, max_size=2, min_class_patches=10)
    expected = mine(own, options, contrast=contrast)
    stable = bootstrap(own, expected, options, contrast=contrast, draws=8)
    tested = permutation_test(own, contrast, expected, options, draws=9)
    run: list[Callable[[Placement], Any]] = [
        lambda place: bootstrap(own, expected, options, contrast=contrast, draws=8, place=place),
        lambda place: permutation_test(own, contrast, expected, options, draws=9, place=place),
    ]
    for work, right in zip(run, (stable, tested), strict=True):
        told: list[str] = []
        with stand_in(Failing(torch.OutOfMemoryError("CUDA out of memory."), nth)):
            found = work(Placement("cuda", told.append))
        assert told == [SHORT]
        for name, value in vars(right).items():
            assert np.array_equal(getattr(found, name), value, equal_nan=True), name


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    data, support = cases()[0]
    failing = Failing(RuntimeError("CUDA error: an illegal memory access"), 1)
    with stand_in(failing), pytest.raises(RuntimeError, match="illegal memory access"):
        mine(data, config(support), place=Placement("cuda"))


def test_too_many_itemsets_are_refused_on_a_gpu_too() -> None:
    data = skewed(900, 3, seed=8)
    with pytest.raises(ExplosionError) as expected:
        mine(data, config(0.01, max_itemsets=50))
    with stand_in(), pytest.raises(ExplosionError) as refused:
        mine(data, config(0.01, max_itemsets=50), place=Placement("cuda"))
    assert str(refused.value) == str(expected.value)


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


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_true_gpu_without_memory_leaves_it_to_the_cpu() -> None:
    data = skewed(20_000, 20, seed=6)
    told: list[str] = []
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(1e-6)
    try:
        found = mine(data, config(0.05), place=Placement("cuda", told.append))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert told == [SHORT]
    assert found.device == "cpu"
    same(found, mine(data, config(0.05)))
