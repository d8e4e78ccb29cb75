"""Eclat through pyfim, in a process that can be ended: pyfim holds Python's lock and cannot be interrupted."""

import importlib.util
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from interpret.errors import InputError
from interpret.mining.engine.layout import Ints, Layout
from interpret.mining.engine.limits import Limits, OutOfTime, TooManyItemsets
from interpret.mining.engine.trie import Trie, from_matrices

WORKER = Path(__file__).with_name("pyfim_worker.py")


def available() -> bool:
    """Whether pyfim can be imported here."""
    return importlib.util.find_spec("fim") is not None


def frequent(layout: Layout, least: Ints, limits: Limits) -> Trie:
    """Every itemset that reaches the threshold of at least one class, as :func:`.frequent.frequent` finds them.

    Args:
        layout: the transactions.
        least: (C,) int64, the smallest count that makes an itemset frequent in each class, 1 or more.
        limits: when to stop; the process is ended at the deadline.

    Raises:
        InputError: where pyfim is not installed, or its process fails.
        TooManyItemsets: where more than ``limits.max_itemsets`` different itemsets are frequent.
        OutOfTime: where ``limits.deadline`` has passed.
    """
    if not available():
        raise InputError("The engine pyfim is not installed; install pyfim, or choose the engine auto.")
    with tempfile.TemporaryDirectory(prefix="unitscope-mine-") as name:
        source, target = Path(name) / "in.npz", Path(name) / "out.npz"
        np.savez(
            source,
            units=layout.units,
            row_starts=layout.row_starts,
            starts=layout.class_starts,
            least=least,
            max_size=limits.max_size or 0,
            max_itemsets=limits.max_itemsets,
        )
        _run(source, target, limits)
        with np.load(target) as found:
            too_many, values, sizes = bool(found["too_many"]), found["values"], found["sizes"]
    if too_many:
        raise TooManyItemsets
    trie = _trie(values, sizes, layout.n_units)
    limits.check_count(len(trie))
    return trie


def _run(source: Path, target: Path, limits: Limits) -> None:
    """Run the worker to its end, or end it at the deadline."""
    command = [sys.executable, "-P", str(WORKER), str(source), str(target)]
    left = None if limits.deadline is None else max(0.0, limits.deadline - time.monotonic())
    try:
        # run() ends the process where the time is up.
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=left, check=False)
    except subprocess.TimeoutExpired as error:
        raise OutOfTime from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise InputError(f"pyfim failed ({last or f'exit status {done.returncode}'}); choose the engine auto instead.")


def _trie(values: np.ndarray, sizes: np.ndarray, n_units: int) -> Trie:
    """The different itemsets among those of all classes, given one after the other."""
    starts = np.cumsum(sizes) - sizes
    largest = int(sizes.max()) if len(sizes) else 0
    matrices = [
        values[starts[sizes == size][:, None] + np.arange(size)].astype(np.int64) for size in range(1, largest + 1)
    ]
    return from_matrices(list(matrices), n_units)
