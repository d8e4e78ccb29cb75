"""Where mining stops: too many itemsets, no time left; and what it leaves alone in the process around it."""

import importlib.util
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from interpret.errors import InputError
from interpret.mining import explosion, mine
from interpret.mining.engine import pyfim_engine
from interpret.mining.engine.layout import arrange
from interpret.mining.engine.limits import Limits, TooManyItemsets, least_counts
from interpret.threads import one_thread
from tests.mining_cases import config, database, plain, skewed

needs_pyfim = pytest.mark.skipif(importlib.util.find_spec("fim") is None, reason="pyfim is not installed")


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


@pytest.mark.parametrize("engine", ["bitsets", "torch"])
def test_engines_stop_when_time_is_up(engine: str) -> None:
    rows = np.stack([np.random.default_rng(i).permutation(40)[:32] for i in range(400)]).tolist()
    with pytest.raises(InputError, match=r"took longer than 0\.2 s; choose a larger support"):
        mine(database(rows, [0] * 400), config(0.01, engine=engine, max_itemsets=100_000_000), seconds=0.2)


@pytest.mark.parametrize("engine", ["bitsets", "torch", pytest.param("pyfim", marks=needs_pyfim)])
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
