"""Table 1: accuracy with each method's units ablated, at natural sizes and at equal budgets, and paired differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import EvaluateConfig
from interpret.evaluation import unit_rankings
from interpret.evaluation.ablation import AblationSet, Ints, classify
from interpret.evaluation.unit_rankings import Ranking
from interpret.progress import Callback, Progress
from interpret.stats import paired_intervals, standard_error

BASELINE = "No unit ablated"
EARLIER_BASELINE = "No unit off"  # its name in the results of version 0.9
RANDOM = "Random"


@dataclass(frozen=True, eq=False)
class _Row:
    """One ablation: a method at a budget (natural size if None), and the units of each class."""

    method: str
    budget: int | None
    units: list[Ints]


class MethodRow(NamedTuple):
    """What a reader takes from one row of :attr:`interpret.evaluation.evaluate.Evaluation.table`."""

    method: str
    units: float
    accuracy: float
    error: float
    low: float
    high: float
    spread: float
    photos: int


def table_1(
    test_set: AblationSet,
    classes: Ints,
    rankings: Sequence[Ranking],
    ours: Sequence[Ranking],
    config: EvaluateConfig,
    progress: Callback = lambda _: None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Table 1 and its paired differences.

    Args:
        test_set: the photos and the head.
        classes: (c,) int64, ascending, the classes of the photos.
        rankings: the methods.
        ours: those of them that were mined, each compared with every other.
        config: budgets, draws, seed and resamples.
        progress: called as photos are classified.

    Returns:
        ``table`` and ``differences`` of :class:`interpret.evaluation.evaluate.Evaluation`.
    """
    ids = classes.tolist()
    rows = [_Row(BASELINE, 0, [np.zeros(0, np.int64) for _ in ids])]
    for ranking in rankings:
        budgets: list[int | None] = ([None] if ranking.natural else []) + list(config.budgets)
        rows += [_Row(ranking.name, budget, [ranking.best(c, budget) for c in ids]) for budget in budgets]
    for draw in range(config.draws):
        seed = config.seed * 1000 + draw
        for ranking in ours:
            drawn = unit_rankings.random(test_set.n_units, classes, ranking.natural, seed=seed)
            rows.append(_Row(f"{RANDOM}, as {ranking.name}", None, [drawn.best(c, None) for c in ids]))
        rows += [_Row(RANDOM, budget, [drawn.best(c, budget) for c in ids]) for budget in config.budgets]
    correct = _correct(test_set, classes, rows, keep=False, progress=progress)
    return _summarise(rows, correct, len(test_set)), _compare(rows, correct, ours, config)


def keep_only(
    test_set: AblationSet, classes: Ints, rankings: Sequence[Ranking], config: EvaluateConfig
) -> pd.DataFrame:
    """Accuracy with all units ablated but the first of each ranking: do those suffice?

    The units kept are those of the photo's own class, so what is left may predict that class whatever the photo shows:
    this is no accuracy in the usual sense. Columns as those of :func:`table_1`.
    """
    ids = classes.tolist()
    rows = []
    for ranking in rankings:
        for budget in config.keep_budgets:
            if max(len(ranking.best(c, budget)) for c in ids) == min(budget, test_set.n_units) and ranking.at is None:
                rows.append(_Row(ranking.name, budget, [ranking.best(c, budget) for c in ids]))
    for draw in range(min(config.draws, 5)):
        drawn = unit_rankings.random(test_set.n_units, classes, {}, seed=config.seed * 1000 + draw)
        rows += [_Row(RANDOM, budget, [drawn.best(c, budget) for c in ids]) for budget in config.keep_budgets]
    return _summarise(rows, _correct(test_set, classes, rows, keep=True), len(test_set))


def _correct(
    test_set: AblationSet, classes: Ints, rows: Sequence[_Row], *, keep: bool, progress: Callback = lambda _: None
) -> npt.NDArray[np.bool_]:
    """(rows, n) whether each photo is classified as its own class under each ablation."""
    groups = np.searchsorted(classes, test_set.labels).astype(np.int64)

    def report(done: int) -> None:
        progress(Progress("Ablating units", done, len(test_set)))

    predicted = classify(test_set, [row.units for row in rows], groups, keep=keep, on_progress=report)
    return predicted == test_set.labels


def _summarise(rows: Sequence[_Row], correct: npt.NDArray[np.bool_], photos: int) -> pd.DataFrame:
    lines: dict[tuple[str, int | None], list[int]] = {}
    for index, row in enumerate(rows):
        lines.setdefault((row.method, row.budget), []).append(index)
    table = []
    for (method, budget), indices in lines.items():
        shares = correct[indices].mean(axis=1)
        accuracy = float(shares.mean())
        drawn = method.startswith(RANDOM)
        low, high = np.quantile(shares, [0.05, 0.95]) if drawn else (np.nan, np.nan)
        table.append(
            {
                "method": method,
                "budget": budget,
                "units": float(np.mean([len(units) for units in rows[indices[0]].units])),
                "accuracy": accuracy,
                "error": standard_error(accuracy, photos),
                "low": float(low),
                "high": float(high),
                "spread": float(shares.std(ddof=1)) if len(shares) > 1 else np.nan,
                "photos": photos,
            }
        )
    return pd.DataFrame(table).astype({"budget": "Int64"})


def _compare(
    rows: Sequence[_Row], correct: npt.NDArray[np.bool_], ours: Sequence[Ranking], config: EvaluateConfig
) -> pd.DataFrame:
    """Paired differences between each mined method and each rival at each budget, random draws averaged first."""
    places: dict[tuple[str, int | None], list[int]] = {}
    for index, row in enumerate(rows):
        places.setdefault((row.method, row.budget), []).append(index)
    keys = list(places)
    values = np.stack([correct[indices].mean(axis=0, dtype=np.float64) for indices in places.values()])
    mined_names = {ranking.name for ranking in ours}
    pairs, lines = [], []
    for a, (method, budget) in enumerate(keys):
        if method not in mined_names:
            continue
        for b, (rival, size) in enumerate(keys):
            comparable = size == budget and rival not in mined_names and rival != BASELINE
            if budget is None:
                comparable = rival == f"{RANDOM}, as {method}"
            if comparable:
                pairs.append((a, b))
                lines.append({"method": method, "rival": rival, "budget": budget})
    intervals = paired_intervals(values, pairs, draws=config.resamples, seed=config.seed)
    table = pd.DataFrame(lines, columns=["method", "rival", "budget"]).astype({"budget": "Int64"})
    table["difference"] = [float(values[a].mean() - values[b].mean()) for a, b in pairs]
    table["low"], table["high"] = intervals[:, 0], intervals[:, 1]
    return table
