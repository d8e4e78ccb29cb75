"""The databases that ``benchmarks/mine.py`` mines: public ones, and drawn ones of every kind, dense to sparse."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

Units = npt.NDArray[np.int32]
PAD = -1
PUBLIC = Path(__file__).resolve().parents[2] / "shared" / "data" / "transactions"


@dataclass(frozen=True)
class Cell:
    """One database with the supports to mine it at (fractions of a class).

    ``make`` gives the units (rows, width), padded at the end with ``PAD``, the class ids (rows,), ascending, and K.
    """

    kind: str
    name: str
    supports: tuple[float, ...]
    make: Callable[[], tuple[Units, Units, int]]


def public(path: Path) -> tuple[Units, Units, int]:
    """A database of one class from a file of one transaction a line, whole numbers apart by blanks."""
    rows = [np.array(line.split(), np.int64) for line in path.read_text().splitlines() if line.strip()]
    rows = [np.unique(row) for row in rows]
    names, units = np.unique(np.concatenate(rows), return_inverse=True)
    lengths = np.array([len(row) for row in rows])
    return padded(units.astype(np.int32), lengths), np.zeros(len(rows), np.int32), len(names)


def padded(units: Units, lengths: npt.NDArray[np.integer]) -> Units:
    """Rows of ``lengths`` (rows,), given one after the other, as one table."""
    table = np.full((len(lengths), int(lengths.max())), PAD, np.int32)
    table[np.arange(table.shape[1]) < lengths[:, None]] = units
    return table


def table(rows: int, attributes: int, values: int, likely: float, seed: int = 0) -> tuple[Units, Units, int]:
    """A table of ``attributes`` with ``values`` values each, as of plants or games: one unit each in every row.

    Rows are of 12 kinds; in a row of a kind, an attribute has the kind's own value with a probability drawn from
    Beta(``likely``, 1), else any.
    """
    rng = np.random.default_rng(seed)
    usual = np.where(rng.random((12, attributes)) < 0.8, 0, rng.integers(0, values, (12, attributes)))
    sure = rng.beta(likely, 1, (12, attributes))
    kind = rng.integers(0, 12, rows)
    drawn = rng.integers(0, values, (rows, attributes))
    value = np.where(rng.random((rows, attributes)) < sure[kind], usual[kind], drawn)
    units = (values * np.arange(attributes) + value).astype(np.int32)
    return units, np.zeros(rows, np.int32), values * attributes


def baskets(rows: int, items: int, mean: float, most: int, seed: int = 0) -> tuple[Units, Units, int]:
    """Shopping baskets: items by a power law, lengths by a geometric law from 1 to ``most``."""
    rng = np.random.default_rng(seed)
    lengths = np.minimum(rng.geometric(1 / mean, rows), most)
    weight = 1 / np.arange(1, items + 1) ** 0.9
    drawn = np.sort(rng.choice(items, size=(rows, most), p=weight / weight.sum()), axis=1)
    # Take ``length`` of the different items at random places of the row.
    fresh = np.concatenate([np.ones((rows, 1), bool), drawn[:, 1:] != drawn[:, :-1]], axis=1)
    score = np.where(fresh, rng.random((rows, most)), 2.0)
    best = np.take_along_axis(drawn, np.argsort(score, axis=1), axis=1)
    lengths = np.minimum(lengths, fresh.sum(axis=1))
    held = np.arange(most) < lengths[:, None]
    units = np.where(held, best, items)
    units.sort(axis=1)
    units[units == items] = PAD
    return units.astype(np.int32), np.zeros(rows, np.int32), items


def patches(rows: int, classes: int, width: int, n_units: int, seed: int = 0) -> tuple[Units, Units, int]:
    """Patches as a network's units fill them: ``width`` different units of ``n_units``, by class.

    A unit is drawn with weight 0.7 / r^1.1 + 0.3 / g^1.1, where r is its rank in an order of the transaction's class
    and g its rank in one order common to all classes, both random. Classes have equal chances.
    """
    rng = np.random.default_rng(seed)
    class_ids = np.sort(rng.integers(0, classes, rows)).astype(np.int32)
    power = 1 / np.arange(1, n_units + 1) ** 1.1
    power /= power.sum()
    common = power[rng.permutation(n_units)]
    units = np.empty((rows, width), np.int32)
    starts = np.searchsorted(class_ids, np.arange(classes + 1))
    for lo, hi in itertools.pairwise(starts):
        log_weight = np.log(0.7 * power[rng.permutation(n_units)] + 0.3 * common)
        step = max(1, 2**24 // n_units)
        for at in range(lo, hi, step):
            n = min(step, hi - at)
            # The largest of log weights with Gumbel noise are a draw without replacement.
            scores = log_weight + rng.gumbel(size=(n, n_units))
            units[at : at + n] = np.argpartition(-scores, width - 1, axis=1)[:, :width]
    return units, class_ids, n_units


def cells(*, large: bool) -> Iterator[Cell]:
    """Every cell; ``large`` adds those of a million transactions."""
    real = {
        "kr-vs-kp": (0.9, 0.8, 0.7, 0.6),
        "german-credit": (0.5, 0.3),
        "heart-cleveland": (0.5, 0.4, 0.3),
        "primary-tumor": (0.2, 0.05, 0.01),
        "BMS1": (0.01, 0.002, 0.001),
    }
    for name, supports in real.items():
        path = PUBLIC / f"{name}.dat"
        if path.exists():
            yield Cell("public", name, supports, partial(public, path))
    for rows, attributes, values, likely, supports in (
        (3_000, 37, 2, 8.0, (0.9, 0.75, 0.65)),
        (8_000, 22, 5, 4.0, (0.4, 0.2, 0.1)),
        (60_000, 43, 3, 30.0, (0.9, 0.8)),
        (300, 30, 2, 3.0, (0.7, 0.5)),
    ):
        yield Cell(
            "table", f"{rows:,} x {attributes}", supports,
            partial(table, rows, attributes, values, likely),
        )  # fmt: skip
    for rows, items, mean, most, supports in (
        (100_000, 16_000, 10, 76, (0.01, 0.002, 0.001)),
        (100_000, 1_000, 10, 30, (0.01, 0.002)),
        (60_000, 1_000, 40, 77, (0.05, 0.02)),
    ):
        yield Cell(
            "baskets", f"{rows:,} x <={most} of {items:,}", supports,
            partial(baskets, rows, items, mean, most),
        )  # fmt: skip
    for n_units, width, classes, rows, supports in (
        (64, 5, 10, 2_000, (0.2, 0.05)),
        (64, 10, 10, 2_000, (0.2, 0.1)),
        (64, 10, 1, 10_000, (0.2, 0.05)),
        (64, 20, 10, 10_000, (0.4, 0.3)),
        (64, 32, 10, 2_000, (0.7, 0.6)),
        (64, 10, 100, 100_000, (0.2, 0.1)),
        (64, 10, 1_000, 10_000, (0.5,)),
        (2_048, 5, 10, 10_000, (0.2, 0.05)),
        (2_048, 10, 10, 10_000, (0.2, 0.05)),
        (2_048, 20, 10, 10_000, (0.2, 0.1)),
        (2_048, 32, 10, 10_000, (0.2, 0.1)),
        (2_048, 10, 1, 100_000, (0.1, 0.02)),
        (2_048, 10, 100, 100_000, (0.2, 0.05)),
        (2_048, 32, 100, 100_000, (0.2,)),
        (2_048, 10, 1_000, 10_000, (0.4,)),
        (2_048, 10, 1_000, 100_000, (0.2, 0.05)),
        *(((2_048, 10, 1_000, 1_000_000, (0.2, 0.05)),) if large else ()),
    ):
        yield Cell(
            "patches", f"N = {width} of {n_units:,}, {classes:,} classes, {rows:,}", supports,
            partial(patches, rows, classes, width, n_units),
        )  # fmt: skip
