"""Which work gets a GPU, and one that fails."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from interpret.errors import ExplosionError, InputError
from interpret.mining import mine
from interpret.mining.engine import join, placement
from interpret.mining.engine.layout import arrange
from interpret.mining.engine.placement import PAIR, WORTHWHILE, WORTHWHILE_IN_USE, Placement
from interpret.mining.significance import permutation_test
from interpret.mining.stability import bootstrap
from interpret.mining.transactions import TransactionDatabase
from tests.gpu_stand_in import stand_in
from tests.mining_cases import brute_force, config, database, plain, skewed
from tests.test_contrast import world
from tests.test_mining_engines import cases, same

no_cuda = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")


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
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
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


def test_less_work_gets_the_gpu_where_cuda_is_in_use_already(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "find", lambda name: "cuda")
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert Placement("auto").choose(0.999 * WORTHWHILE_IN_USE) == "cpu"
    assert Placement("auto").choose(WORTHWHILE_IN_USE) == "cuda"
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert Placement("auto").choose(WORTHWHILE_IN_USE) == "cpu"


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
