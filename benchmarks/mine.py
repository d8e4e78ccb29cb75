"""Time of mining: our engine beside pyfim's Eclat and FP-growth and mlxtend's FP-growth, dense to sparse.

    python -m benchmarks.mine                    the whole grid, about a quarter of an hour
    python -m benchmarks.mine --only public      one kind: public, table, baskets, patches
    python -m benchmarks.mine --large            with a million transactions of 1,000 classes

The databases are those of ``benchmarks/mine_cells.py``. All engines start from the same NumPy table and take turns, run
by run, in one process of one thread for mining, so that what else the machine does hits all alike; the time of a cell
is the median of its runs, and the ratio that of the medians.

"By hand" is what one would write with the library for what :func:`interpret.mining.mine` finds: a search of each class
and one of the whole database, each of rows made into what the library takes; a database of one class is searched once.
pyfim gets lists, made with ``tolist`` from the table or, where a third of it or more is padding, from its units;
mlxtend gets a table of booleans. The conversion counts, as ours does. Ours also counts every itemset in every class, by
patches and by photos, and sorts them; by hand does not, so that the time of pyfim's searches of the classes alone,
without the one of the whole database, stands beside.
"""

import argparse
import contextlib
import csv
import itertools
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.mine_cells import Cell, Units, cells
from interpret.config import MineConfig
from interpret.mining import mine
from interpret.mining.engine.limits import ceil_exact
from interpret.mining.transactions import TransactionDatabase

ROOT = Path(__file__).resolve().parents[1]
MOST = 50_000_000
"""Itemsets allowed (count)."""

Engine = Callable[[Units, Units, int, float], int]
"""From units, class ids, K and the support to the number of itemsets."""


def ours(units: Units, class_ids: Units, n_units: int, share: float) -> int:
    """Our engine, one patch a photo."""
    data = TransactionDatabase(units, class_ids, np.arange(len(units)), n_units)
    return len(mine(data, MineConfig(top_units=512, min_support=share, max_itemsets=MOST, min_class_patches=1)))


def parts(units: Units, class_ids: Units, *, whole: bool = True) -> Iterator[Units]:
    """The rows of each class and, where there are several classes, all rows."""
    starts = np.searchsorted(class_ids, np.arange(class_ids.max() + 2))
    for lo, hi in itertools.pairwise(starts):
        if hi > lo:
            yield units[lo:hi]
    if whole and class_ids[0] != class_ids[-1]:
        yield units


def lists(units: Units) -> list[list[int]]:
    """The rows as lists, without padding."""
    held = units >= 0
    lengths = np.count_nonzero(held, axis=1)
    if lengths.min() == units.shape[1]:
        return units.tolist()
    if lengths.sum() < 2 / 3 * units.size:
        flat = units[held].tolist()
        return [flat[a:b] for a, b in itertools.pairwise([0, *np.cumsum(lengths).tolist()])]
    return [row[:n] for row, n in zip(units.tolist(), lengths.tolist(), strict=True)]


def pyfim(algorithm: str, *, whole: bool = True) -> Engine:
    """By hand with pyfim, the whole database as well or the classes alone."""
    import fim

    search = getattr(fim, algorithm)

    def run(units: Units, class_ids: Units, n_units: int, share: float) -> int:
        return sum(
            len(search(lists(rows), target="s", supp=-ceil_exact(share, len(rows)), zmin=1, report="a"))
            for rows in parts(units, class_ids, whole=whole)
        )

    return run


def mlxtend(units: Units, class_ids: Units, n_units: int, share: float) -> int:
    """By hand with mlxtend's FP-growth."""
    import pandas as pd
    from mlxtend.frequent_patterns import fpgrowth

    total = 0
    for rows in parts(units, class_ids):
        held = np.zeros((len(rows), n_units), bool)
        row, at = np.nonzero(rows >= 0)
        held[row, rows[row, at]] = True
        # Its threshold is a share; half a count less says the same without rounding.
        total += len(fpgrowth(pd.DataFrame(held), min_support=(ceil_exact(share, len(rows)) - 0.5) / len(rows)))
    return total


def measure(cell: Cell, repeats: int, mlxtend_seconds: float) -> Iterator[dict[str, Any]]:
    """One row for each support of a cell."""
    units, class_ids, n_units = cell.make()
    engines = {"ours": ours, "eclat": pyfim("eclat"), "fpgrowth": pyfim("fpgrowth")}
    one_class = class_ids[0] == class_ids[-1]
    if not one_class:
        engines["classes"] = pyfim("eclat", whole=False)
    for share in cell.supports:
        taken: dict[str, list[float]] = {name: [] for name in engines}
        found, peak = {}, {}
        for name, run in engines.items():  # once for warmth and memory
            before = _memory("VmRSS")
            _reset_peak()
            found[name] = run(units, class_ids, n_units, share)
            peak[name] = max(0.0, _memory("VmHWM") - before)
        if found["eclat"] != found["fpgrowth"] or (one_class and found["ours"] != found["eclat"]):
            raise RuntimeError(f"{cell.name} at {share}: the engines found {found} itemsets.")
        for _ in range(repeats):
            for name, run in engines.items():
                start = time.perf_counter()
                run(units, class_ids, n_units, share)
                taken[name].append(time.perf_counter() - start)
        median = {name: statistics.median(times) for name, times in taken.items()}
        row = {"kind": cell.kind, "database": cell.name, "support": share, "itemsets": found["ours"]}
        row |= {f"{name}_seconds": round(seconds, 5) for name, seconds in median.items()}
        row.setdefault("classes_seconds", row["eclat_seconds"])
        row["mlxtend_seconds"] = round(_mlxtend(units, class_ids, n_units, share, found["eclat"], mlxtend_seconds), 3)
        row |= {f"{name}_mib": round(peak[name]) for name in ("ours", "eclat")}
        yield row


def _mlxtend(units: Units, class_ids: Units, n_units: int, share: float, itemsets: int, seconds: float) -> float:
    """One run of mlxtend (seconds); not a number where it would take too long or is not installed."""
    n_classes = len(np.unique(class_ids))
    # It takes about 10 us an itemset and a fifth of a microsecond a cell of its table.
    if itemsets * 1e-5 + len(units) * n_units * 2e-7 / max(1, n_classes) + n_classes * 5e-3 > seconds:
        return math.nan
    try:
        start = time.perf_counter()
        mlxtend(units, class_ids, n_units, share)
        return time.perf_counter() - start
    except ImportError:
        return math.nan


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
    parser.add_argument("--only", nargs="+", default=[], help="kinds, or words of the databases' names")
    parser.add_argument("--large", action="store_true", help="a million transactions as well")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each engine whose median is taken")
    parser.add_argument("--mlxtend-seconds", type=float, default=5, help="leave mlxtend out where it would take longer")
    parser.add_argument("--machine", default=platform.processor() or platform.machine(), help="words for the report")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results", help="folder of mine.csv and .md")
    args = parser.parse_args()
    rows = []
    for cell in cells(large=args.large):
        if args.only and not any(word in (cell.kind, *cell.name.split()) for word in args.only):
            continue
        for row in measure(cell, args.repeats, args.mlxtend_seconds):
            rows.append(row)
            print(_line(row), flush=True)
    if not rows:
        sys.exit("No database is of that kind.")
    if not args.only:
        report(rows, args.out, args.machine, args.repeats)
    ratios = [row["ours_seconds"] / row["eclat_seconds"] for row in rows]
    print(f"{len(ratios)} cells: ratio to pyfim's Eclat {min(ratios):.2f} to {max(ratios):.2f},"
          f" median {statistics.median(ratios):.2f}; {sum(r < 1 for r in ratios)} below 1,"
          f" {sum(r > 1.2 for r in ratios)} above 1.2")  # fmt: skip


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['kind']:<8} {row['database']:<38} {row['support']:<6.1%} {row['itemsets']:>9,} itemsets"
        f"  ours {1e3 * row['ours_seconds']:>8.1f} ms  eclat {1e3 * row['eclat_seconds']:>8.1f}"
        f"  fpgrowth {1e3 * row['fpgrowth_seconds']:>8.1f}  mlxtend {1e3 * row['mlxtend_seconds']:>7.0f}"
        f"  ratio {row['ours_seconds'] / row['eclat_seconds']:.2f}"
        f" (classes alone {row['ours_seconds'] / row['classes_seconds']:.2f})"
    )


def report(rows: list[dict[str, Any]], folder: Path, machine: str, repeats: int) -> None:
    """Write mine.csv, and mine.md with the ratios to pyfim's Eclat."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "mine.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    ratios = [row["ours_seconds"] / row["eclat_seconds"] for row in rows]
    lines = [
        "# Mining: our engine beside pyfim and mlxtend", "",
        f"Machine: {machine}; {os.cpu_count()} CPUs seen. Median of {repeats} runs of each engine, taken in turns;",
        "one run of mlxtend, left out where it would take long. What is mined and how is at the top of",
        "`benchmarks/mine.py` and in `benchmarks/mine_cells.py`; the conversion of the data counts for all. The first",
        "ratio is ours to pyfim's Eclat called by hand: below 1 is faster. The second is to pyfim's searches of the",
        "classes alone, which leave out the whole database. Ours includes the count of every itemset in every class;",
        "by hand never does.", "",
        f"{len(ratios)} cells, ratios {min(ratios):.2f} to {max(ratios):.2f}, median {statistics.median(ratios):.2f};"
        f" {sum(r < 1 for r in ratios)} below 1, {sum(r > 1.2 for r in ratios)} above 1.2.", "",
        "| kind | database | support | itemsets | ours ms | pyfim Eclat ms | ratio | to classes alone"
        " | pyfim FP-growth ms | mlxtend ms | ours MiB | pyfim MiB |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    for r in rows:
        other = "" if math.isnan(r["mlxtend_seconds"]) else f"{1e3 * r['mlxtend_seconds']:,.0f}"
        lines.append(
            f"| {r['kind']} | {r['database']} | {r['support']:.1%} | {r['itemsets']:,} "
            f"| {1e3 * r['ours_seconds']:,.1f} | {1e3 * r['eclat_seconds']:,.1f} "
            f"| {r['ours_seconds'] / r['eclat_seconds']:.2f} | {r['ours_seconds'] / r['classes_seconds']:.2f} "
            f"| {1e3 * r['fpgrowth_seconds']:,.1f} | {other} | {r['ours_mib']:,} | {r['eclat_mib']:,} |"
        )
    (folder / "mine.md").write_text("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
