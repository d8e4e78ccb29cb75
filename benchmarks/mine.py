"""Time, peak memory and number of itemsets: pyfim by hand, mlxtend's fpgrowth, and our engine on CPU and GPU.

    python benchmarks/mine.py                              1e4 and 1e5 transactions
    python benchmarks/mine.py --sizes 1e4 1e5 1e6 4e6      everything; on a machine with a GPU this includes CUDA

Each engine mines the same databases, in a process of its own. Peak memory is what mining adds to the database (on
Linux; not known elsewhere).

The databases are drawn, and skewed as a network's units are: transactions of 10 different units out of 2,048. A unit
is drawn with weight 0.7 / r^1.1 + 0.3 / g^1.1, where r is its rank in an order of the transaction's class and g its
rank in one order common to all classes, both random; a unit that comes twice is drawn again. Classes have equal
chances.

"by hand" is what one would write with the library: per class and for the whole database, lists made from the same NumPy
array, no counts in other classes. Ours is `interpret.mining.mine`, which also gives every itemset's count in every
class, by patches and by photos.
"""

import argparse
import contextlib
import csv
import importlib.util
import itertools
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
SUPPORTS = (0.2, 0.1, 0.05)
CLASSES = {10_000: 10, 100_000: 100, 1_000_000: 1_000, 4_000_000: 1_000}
N_UNITS, WIDTH = 2_048, 10
Units = npt.NDArray[np.int32]


def draw(rows: int, classes: int, seed: int = 0) -> tuple[Units, Units]:
    """Units (rows, WIDTH) and class ids (rows,), as the top of this file says; rows are sorted by class."""
    rng = np.random.default_rng(seed)
    class_ids = np.sort(rng.integers(0, classes, rows)).astype(np.int32)
    power = 1 / np.arange(1, N_UNITS + 1) ** 1.1
    power /= power.sum()
    common = power[rng.permutation(N_UNITS)]
    units = np.empty((rows, WIDTH), np.int32)
    starts = np.searchsorted(class_ids, np.arange(classes + 1))
    for lo, hi in itertools.pairwise(starts):
        weight = 0.7 * power[rng.permutation(N_UNITS)] + 0.3 * common
        drawn = rng.choice(N_UNITS, size=(hi - lo, WIDTH), p=weight).astype(np.int32)
        while True:
            order = np.argsort(drawn, axis=1, kind="stable")
            ordered = np.take_along_axis(drawn, order, 1)
            again = np.zeros(drawn.shape, bool)
            np.put_along_axis(again, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], 1)
            if not again.any():
                break
            drawn[again] = rng.choice(N_UNITS, size=int(again.sum()), p=weight)
        units[lo:hi] = drawn
    return units, class_ids


def by_hand(find: Callable[[Units, int], int]) -> Callable[[Units, Units, float], int]:
    """Per class and for the whole database with one library; ``find`` gives the number of itemsets."""
    from interpret.mining.engine.limits import ceil_exact

    def run(units: Units, class_ids: Units, share: float) -> int:
        total = find(units, ceil_exact(share, len(units)))
        starts = np.searchsorted(class_ids, np.arange(class_ids.max() + 2))
        for lo, hi in itertools.pairwise(starts):
            if hi > lo:
                total += find(units[lo:hi], ceil_exact(share, hi - lo))
        return total

    return run


def pyfim(units: Units, count: int) -> int:
    import fim

    return len(fim.eclat(units.tolist(), target="s", supp=-count, zmin=1, report="a"))


def mlxtend(units: Units, count: int) -> int:
    import pandas as pd
    from mlxtend.frequent_patterns import fpgrowth

    held = np.zeros((len(units), N_UNITS), bool)
    np.put_along_axis(held, units.astype(np.int64), True, 1)
    # Its threshold is a share; half a count less says the same without rounding.
    return len(fpgrowth(pd.DataFrame(held), min_support=(count - 0.5) / len(units)))


def ours(device: str) -> Callable[[Units, Units, float], int]:
    """Our engine."""
    import torch

    from interpret.config import MineConfig
    from interpret.mining import mine
    from interpret.mining.transactions import TransactionDatabase

    def run(units: Units, class_ids: Units, share: float) -> int:
        data = TransactionDatabase(units, class_ids, np.arange(len(units)), N_UNITS)
        found = len(mine(data, MineConfig(min_support=share, max_itemsets=50_000_000), device=device))
        if device == "cuda":
            torch.cuda.synchronize()
        return found

    return run


ENGINES: dict[str, Callable[[], Callable[[Units, Units, float], int]]] = {
    "pyfim by hand": lambda: by_hand(pyfim),
    "mlxtend by hand": lambda: by_hand(mlxtend),
    "ours, CPU": lambda: ours("cpu"),
    "ours, CUDA": lambda: ours("cuda"),
}


def work(engine: str, path: str, repeats: int) -> None:
    """In a process of its own: mine one database with one engine and print the rows as JSON."""
    sys.path.insert(0, str(ROOT))
    with np.load(path) as given:
        units, class_ids = given["units"], given["class_ids"]
    run = ENGINES[engine]()
    run(units[:2000], class_ids[:2000], 0.5)  # imports and first calls are not what is compared
    rows: list[dict[str, Any]] = []
    for share in SUPPORTS:
        walls, cpus, found = [], [], 0
        before = _memory("VmRSS")
        _reset_peak()
        for _ in range(repeats):
            wall, cpu = time.perf_counter(), time.process_time()
            found = run(units, class_ids, share)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        rows.append(
            {"support": share, "itemsets": found,
             "seconds": statistics.median(walls), "cpu_seconds": statistics.median(cpus),
             "peak_mib": max(0.0, _memory("VmHWM") - before)}
        )  # fmt: skip
    print(json.dumps(rows))


def _memory(field: str) -> float:
    """A line of the process's status in MiB: VmRSS what it holds now, VmHWM the most it held."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return math.nan
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(field)), math.nan)


def _reset_peak() -> None:
    """Let the most memory held start again from what is held now, where the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=float, default=[1e4, 1e5], help="transactions")
    parser.add_argument("--classes", type=int, help="classes; 10, 100, 1000, 1000 for the four sizes if not set")
    parser.add_argument("--repeats", type=int, default=3, help="runs whose median is taken; one run from 1e6 on")
    parser.add_argument("--mlxtend-up-to", type=float, default=1e4, help="largest size for mlxtend, which is slow")
    parser.add_argument("--machine", default=platform.processor() or platform.machine(), help="words for the report")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks" / "results", help="folder for mine.csv, .md, .png"
    )
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.work:
        work(args.work[0], args.work[1], int(args.work[2]))
        return
    rows = []
    for size in map(int, args.sizes):
        classes = args.classes or CLASSES.get(size, max(1, size // 1000))
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "database.npz")
            units, class_ids = draw(size, classes)
            np.savez(path, units=units, class_ids=class_ids)
            del units, class_ids
            for engine in ENGINES:
                if reason := _skip(engine, size, args.mlxtend_up_to):
                    print(f"{size:>9,} {engine}: {reason}", flush=True)
                    continue
                command = [sys.executable, __file__, "--work", engine, path, str(args.repeats if size < 1e6 else 1)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                if done.returncode:
                    print(f"{size:>9,} {engine}: failed\n{done.stderr[-2000:]}", flush=True)
                    continue
                for row in json.loads(done.stdout.splitlines()[-1]):
                    rows.append({"transactions": size, "classes": classes, "engine": engine, **row})
                    print(_line(rows[-1]), flush=True)
    report(rows, args.out, args.machine, args.repeats)


def _skip(engine: str, size: int, mlxtend_up_to: float) -> str:
    if engine == "pyfim by hand" and importlib.util.find_spec("fim") is None:
        return "pyfim is not installed"
    if engine == "mlxtend by hand":
        if importlib.util.find_spec("mlxtend") is None:
            return "mlxtend is not installed"
        return "skipped, see --mlxtend-up-to" if size > mlxtend_up_to else ""
    if engine == "ours, CUDA":
        import torch

        return "" if torch.cuda.is_available() else "no CUDA device"
    return ""


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['transactions']:>9,} {row['classes']:>5} {row['engine']:<16} {row['support']:<6.1%}"
        f" {row['itemsets']:>8,} itemsets {row['seconds']:>8.3f} s (CPU {row['cpu_seconds']:.3f} s)"
        f" {row['peak_mib']:>6,.0f} MiB"
    )


def report(rows: list[dict[str, Any]], folder: Path, machine: str, repeats: int) -> None:
    """Write mine.csv, mine.md with the ratios to pyfim, and the chart mine.png."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "mine.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    hand = {(r["transactions"], r["support"]): r for r in rows if r["engine"] == "pyfim by hand"}
    lines = [
        "# Mining: our engine beside pyfim and mlxtend", "",
        f"Machine: {machine}; {os.cpu_count()} CPUs seen. Median of {repeats} runs, one run from 1e6 on.",
        "What is mined and how is at the top of `benchmarks/mine.py`. The ratios are to pyfim by hand: below 1 is",
        "faster. CPU time is the steadier of the two on a shared machine. Ours includes the count of every itemset in",
        "every class; by hand does not.", "",
        "| transactions | classes | support | engine | itemsets | seconds | CPU s | ratio | CPU ratio | peak MiB |",
        "|--:|--:|--:|---|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    for r in rows:
        other = hand.get((r["transactions"], r["support"]))
        ratios = [f"{r[k] / other[k]:.2f}" if other else "" for k in ("seconds", "cpu_seconds")]
        lines.append(
            f"| {r['transactions']:,} | {r['classes']:,} | {r['support']:.1%} of class | {r['engine']} "
            f"| {r['itemsets']:,} | {r['seconds']:.3f} | {r['cpu_seconds']:.3f} | {' | '.join(ratios)} "
            f"| {r['peak_mib']:,.0f} |"
        )
    lines += ["", "Itemsets: by hand counts an itemset once for each class and the whole, ours counts it once.", ""]
    (folder / "mine.md").write_text("\n".join(lines))
    _chart(rows, folder / "mine.png")


def _chart(rows: list[dict[str, Any]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    supports = sorted({r["support"] for r in rows}, reverse=True)
    figure, axes = plt.subplots(1, len(supports), figsize=(3.2 * len(supports), 3.4), sharey=True, layout="constrained")
    colours = dict(zip(ENGINES, ("#D55E00", "#999999", "#0072B2", "#009E73"), strict=True))
    for axis, support in zip(axes, supports, strict=True):
        for engine, colour in colours.items():
            shown = [r for r in rows if (r["engine"], r["support"]) == (engine, support)]
            if shown:
                sizes, seconds = [r["transactions"] for r in shown], [r["seconds"] for r in shown]
                axis.plot(sizes, seconds, "o-", color=colour, label=engine)
        axis.set(xscale="log", yscale="log", title=f"{support:.1%} of each class", xlabel="transactions")
    axes[0].set_ylabel("seconds")
    axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
