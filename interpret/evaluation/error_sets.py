"""The itemsets that set the errors of a pair apart, ranked by what ablating them does to the mined photos."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from interpret.config import MineConfig
from interpret.confusion.differences import Differences, Units, differences
from interpret.confusion.explained import Explained
from interpret.confusion.pairs import Pair
from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.mending import Mending, mend
from interpret.study import Study

MOST_SIGNIFICANT = 60
"""Significant sets that are ranked and listed at the most (count), those of the smallest p-values."""

MOST_OTHERS = 20
"""Sets that are not significant and listed all the same at the most (count)."""


class ErrorSetRow(NamedTuple):
    """A row of :attr:`ErrorSets.table`."""

    units: Units
    target: int
    more_in: str
    error_count: int
    error_photos: int
    right_count: int
    right_photos: int
    p_value: float
    q_value: float
    significant: bool
    mended: float
    broken: float


@dataclass(frozen=True, eq=False)
class ErrorSets:
    """What sets the errors of a pair apart.

    Attributes:
        pair: the photos.
        explained: their patches.
        found: all that was tested.
        table: the sets that are listed, the one to show first on top: the columns of
            :attr:`interpret.confusion.differences.Differences.table`, and mended and broken (errors of the pair that
            become right with the units ablated, and right answers that become wrong, on the mined photos, counts; NaN
            without the network). Significant sets come first, by falling mended - broken, then p-value; the others
            follow by p-value.
    """

    pair: Pair
    explained: Explained
    found: Differences
    table: pd.DataFrame

    def row(self, units: Units, target: int) -> ErrorSetRow | None:
        """The row of a set explained for a class; None if it is not listed."""
        rows = self.table[(self.table["units"] == units) & (self.table["target"] == target)]
        return ErrorSetRow._make(rows.iloc[0][list(ErrorSetRow._fields)]) if len(rows) else None


def error_sets(
    study: Study,
    pair: Pair,
    explained: Explained,
    config: MineConfig,
    mined_set: AblationSet | None,
    *,
    seconds: float | None = None,
) -> ErrorSets:
    """Find and rank the sets of a pair. Held-out photos play no part in it.

    Args:
        study: the study that was mined.
        pair: its photos of the pair.
        explained: their patches.
        config: N, support and size.
        mined_set: the study's own photos, for the ranking; nothing is ablated if None, and p-values alone rank.
        seconds: the longest that mining may take; None without a limit.

    Raises:
        InputError: as :func:`interpret.confusion.differences.differences` says.
    """
    found = differences(study, pair, explained, config, seconds=seconds)
    significant = found.table["significant"].to_numpy(bool)
    table = pd.concat([found.table[significant].head(MOST_SIGNIFICANT), found.table[~significant].head(MOST_OTHERS)])
    table = table.reset_index(drop=True)
    effects: dict[Units, Mending] = {}
    if mined_set is not None:
        asked = list(dict.fromkeys(table["units"]))
        effects = dict(zip(asked, mend(mined_set, pair.label, pair.predicted, asked, draws=0), strict=True))
    for name, value in (("mended", lambda effect: effect.errors.estimate), ("broken", lambda effect: effect.broken)):
        column = [value(effects[units]) if units in effects else np.nan for units in table["units"]]
        table[name] = np.array(column, np.float64)
    net = np.where(table["significant"].astype(bool), (table["mended"] - table["broken"]).fillna(0.0), 0.0)
    order = np.lexsort((np.arange(len(table)), -net, ~table["significant"].to_numpy(bool)))
    return ErrorSets(pair, explained, found, table.iloc[order].reset_index(drop=True))
