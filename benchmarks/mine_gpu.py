"""Time of mining on the CPU and on a GPU, by the size of the database: where a GPU begins to be worth it.

    python -m benchmarks.mine_gpu                      sizes from 1,000 to a million transactions; some minutes
    python -m benchmarks.mine_gpu --rows 1000 100000   only these

For each database the whole of :func:`interpret.mining.mine` runs on the CPU with the engine ``auto``, on the CPU on
tid-lists alone, on the GPU alone, and with ``auto`` for both, in turns in one process; results are compared array by
array. The resampling's sums are timed as well. The first use of the GPU is timed in a process of its own.

The estimate is what decides: ``auto`` gives a GPU the work that is estimated to take the CPU
:data:`interpret.mining.engine.placement.WORTHWHILE` or longer on tid-lists. The last lines say from which estimate on
the GPU was faster than the CPU's tid-lists in every cell, and than the CPU's own choice.

Where there is no GPU, one line says so and nothing is measured.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.mine_cells import Units, baskets, patches, table
from interpret.config import MineConfig
from interpret.mining import Mined, mine
from interpret.mining.engine import placement
from interpret.mining.engine.group_sums import _ENTRY, GroupSums
from interpret.mining.engine.layout import arrange
from interpret.mining.engine.placement import PAIR, WORTHWHILE, Placement
from interpret.mining.transactions import TransactionDatabase

COLD = (
    "import time, torch; start = time.perf_counter(); torch.arange(9, device={!r}).sum().item(); "
    "print(round(time.perf_counter() - start, 3))"
)
"""Times the first use of a device."""

WAYS = {"cpu": ("auto", "cpu"), "tids": ("torch", "cpu"), "gpu": ("auto", None), "auto": ("auto", "auto")}
"""Engine and device of each way of mining; None stands for the GPU."""


@dataclass(frozen=True)
class Result:
    """One line: estimate and medians are in seconds, ``mib`` is the most memory that torch held on the device."""

    name: str
    itemsets: int
    estimate: float
    seconds: dict[str, float]
    used: str
    mib: float


def databases(rows: int) -> Iterator[tuple[str, float, Callable[[], tuple[Units, Units, int]]]]:
    """Name, support and maker of databases of so many transactions, from sparse to dense."""
    yield "patches, 10 classes", 0.05, lambda: patches(rows, 10, 10, 512)
    yield "patches, 1 class", 0.02, lambda: patches(rows, 1, 10, 512)
    yield "baskets of 1,000", 0.005, lambda: baskets(rows, 1000, 10, 30)
    yield "table, dense", 0.4, lambda: table(rows, 16, 3, 4.0)


def measure(name: str, units: Units, class_ids: Units, n_units: int, share: float, gpu: str, repeats: int) -> Result:
    """Mine a database in every way.

    Raises:
        RuntimeError: two ways give different results.
    """
    data = TransactionDatabase(units, class_ids, np.arange(len(units)), n_units)
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    found: dict[str, Mined] = {}
    _reset(gpu)
    for turn in range(repeats + 1):  # the first is for warmth
        for way, (engine, device) in WAYS.items():
            config = MineConfig(
                top_units=512, min_support=share, max_itemsets=10**8, min_class_patches=1, engine=engine
            )
            start = time.perf_counter()
            found[way] = mine(data, config, place=Placement(device or gpu, print))
            if turn:
                taken[way].append(time.perf_counter() - start)
    for way, mined in found.items():
        for field, value in vars(found["cpu"]).items():
            if isinstance(value, np.ndarray) and not np.array_equal(value, getattr(mined, field)):
                raise RuntimeError(f"{name}: {field} differs between cpu and {way}.")
    medians = {way: statistics.median(times) for way, times in taken.items()}
    return Result(name, len(found["cpu"]), PAIR * arrange(data).pairs, medians, str(found["auto"].device), _peak(gpu))


def resampling(entries: int, draws: int, gpu: str, repeats: int) -> Result:
    """The sums of a resampling test, of so many entries and draws."""
    rng = np.random.default_rng(0)
    group = np.sort(rng.integers(0, max(1, entries // 100), entries))
    of, weight = rng.integers(0, max(1, entries // 50), entries), rng.integers(0, 3, max(1, entries // 50))
    taken: dict[str, list[float]] = {"cpu": [], "gpu": []}
    sums: dict[str, Any] = {}
    _reset(gpu)
    for turn in range(repeats + 1):
        for way in taken:
            start = time.perf_counter()
            summed = GroupSums(of, group, int(group[-1]) + 1, draws, Placement("cpu" if way == "cpu" else gpu, print))
            for _ in range(draws):
                sums[way] = summed(weight)
            if turn:
                taken[way].append(time.perf_counter() - start)
    if not np.array_equal(sums["cpu"], sums["gpu"]):
        raise RuntimeError("The sums of a resampling differ between cpu and gpu.")
    medians = {way: statistics.median(times) for way, times in taken.items()}
    used = Placement("auto").choose(_ENTRY * entries * draws)
    return Result(
        f"{draws} sums of {entries:,}",
        0,
        _ENTRY * entries * draws,
        medians | {"tids": medians["cpu"]},
        used,
        _peak(gpu),
    )


def from_where(results: Sequence[Result], slower: str) -> str:
    """From which estimate on the GPU was faster than another way in every cell, in words."""
    lost = [result.estimate for result in results if result.seconds["gpu"] >= result.seconds[slower]]
    if not lost:
        return "in every cell"
    won = sorted(result.estimate for result in results if result.estimate > max(lost))
    return f"from an estimate of {won[0]:.3g} s on" if won else "not even in the largest cell"


def _reset(device: str) -> None:
    if device == "cuda" and torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak(device: str) -> float:
    return torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" and torch.cuda.is_available() else 0.0


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000], help="transactions")
    parser.add_argument("--entries", type=int, nargs="+", default=[10_000, 1_000_000, 30_000_000], help="of resampling")
    parser.add_argument("--draws", type=int, default=100, help="draws of the resampling")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each way whose median is taken")
    args = parser.parse_args(argv)
    gpu = placement.find("auto")
    if gpu == "cpu":
        print("There is no GPU that this PyTorch can use, so nothing was measured.")
        return
    if torch.cuda.is_available():
        print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    cold = subprocess.run([sys.executable, "-c", COLD.format(gpu)], capture_output=True, text=True, check=False)
    print(f"first use of {gpu}: {cold.stdout.strip() or 'failed'} s; WORTHWHILE is {WORTHWHILE} s")
    mined, summed = [], []
    for rows in args.rows:
        for name, share, make in databases(rows):
            mined.append(measure(f"{rows:,} {name}", *make(), share, gpu, args.repeats))
            _show(mined[-1])
    for entries in args.entries:
        summed.append(resampling(entries, args.draws, gpu, args.repeats))
        _show(summed[-1])
    print(f"The GPU is faster than tid-lists on the CPU {from_where(mined, 'tids')}.")
    print(f"The GPU is faster than what the CPU does by itself {from_where(mined, 'cpu')}.")
    print(f"The GPU is faster at a resampling's sums {from_where(summed, 'cpu')}.")


def _show(result: Result) -> None:
    times = "  ".join(f"{way} {1e3 * seconds:>9.1f} ms" for way, seconds in result.seconds.items())
    print(
        f"{result.name:<32} {result.itemsets:>9,} itemsets  estimate {result.estimate:>8.4f} s  {times}"
        f"  auto took {result.used}  {result.mib:,.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
