"""Findings: a study and one result of mining it, and the rows that a page or a command asks for."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import MineConfig
from interpret.findings import certainty, tables
from interpret.findings.rows import Units
from interpret.findings.supporting import class_order
from interpret.findings.unit_index import unit_index
from interpret.frames import integers
from interpret.mining import Mined
from interpret.mining.condensed import redundant
from interpret.mining.ranked_units import Ranked, kept_units, quantile_of, ranked_units
from interpret.mining.stability import Stability
from interpret.mining.stored import mine_study
from interpret.study import Study

NAMED = (2, 5)
"""Units of the itemsets that come first in lists (count): one unit says less, and more are hard to grasp."""


@dataclass(frozen=True, eq=False)
class Findings:
    """A study together with one result of mining it. Tables are made when they are first asked for.

    Attributes:
        study: the study.
        config: the options of mining.
        mined: the result.
    """

    study: Study
    config: MineConfig
    mined: Mined

    @classmethod
    def of(cls, study: Study, config: MineConfig | None = None) -> "Findings":
        """A study's findings, mined or read where they are kept.

        Args:
            study: the study.
            config: options of mining; the study's own if None.

        Raises:
            InputError: as :func:`interpret.mining.stored.mine_study` says.
        """
        config = config or study.mine_config
        return cls(study, config, mine_study(study, config))

    @cached_property
    def units_of(self) -> dict[int, Units]:
        """The units of each itemset, ascending, by its id."""
        return tables.units_by_id(self.mined)

    @cached_property
    def id_of(self) -> dict[Units, int]:
        """The id of each itemset, by its units."""
        return {units: itemset_id for itemset_id, units in self.units_of.items()}

    @cached_property
    def stability(self) -> Stability:
        """Share of resampled sets of photos in which each finding comes again, see :func:`certainty.stability`."""
        return certainty.stability(self.study, self.config, self.mined)

    def without_stability(self) -> "Findings":
        """The same for whoever looks at nothing of :attr:`stability`, which is NaN unless it is there already."""
        if "stability" in vars(self):
            return self
        plain = Findings(self.study, self.config, self.mined)
        vars(plain)["stability"] = certainty.not_resampled(self.mined)
        return plain

    def chance_p_values(self) -> pd.Series:
        """p-values of the rules against shuffled photos, see :func:`certainty.chance_p_values`; takes seconds."""
        return certainty.chance_p_values(self.study, self.config, self.mined)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each itemset and class that it is frequent in, see :func:`tables.class_table`."""
        return tables.class_table(self.mined, self.units_of, self.photo_counts, self.stability)

    @cached_property
    def all_shared(self) -> pd.DataFrame:
        """One row for each itemset that two or more classes share, see :func:`tables.shared_table`."""
        return tables.shared_table(self.mined, self.units_of, self.table)

    @cached_property
    def classes_of(self) -> dict[int, tuple[int, ...]]:
        """The classes that each itemset is frequent in, those of the largest support first, by its id."""
        rows = self.table.sort_values(["support", "class_id"], ascending=[False, True])
        found: dict[int, tuple[int, ...]] = {}
        for itemset_id, class_id in zip(rows["itemset_id"].tolist(), rows["class_id"].tolist(), strict=True):
            found[itemset_id] = (*found.get(itemset_id, ()), class_id)
        return found

    @cached_property
    def photo_counts(self) -> dict[int, int]:
        """Class id to the number of photos predicted as it that have a patch (count)."""
        return dict(self.study.patches.groupby("predicted")["image_id"].nunique())

    @cached_property
    def patch_counts(self) -> dict[int, int]:
        """Class id to the number of patches of photos predicted as it (count)."""
        counts = self.study.patches["predicted"].value_counts()
        return dict(zip(counts.index.tolist(), counts.tolist(), strict=True))

    @cached_property
    def classes(self) -> list[int]:
        """Classes with at least one frequent itemset, those predicted most often first."""
        return class_order(self.study, set(self.table["class_id"]))

    def shown(self, display: str) -> pd.DataFrame:
        """The rows of :attr:`table` in a display of :data:`tables.DISPLAYS`."""
        return self.table if display == "all" else self.table[self.table[display]]

    def itemsets_of_class(
        self, class_id: int, display: str = "closed", *, hide_redundant: bool = False
    ) -> pd.DataFrame:
        """A class's rows of :attr:`table`, by falling support.

        Args:
            class_id: the class.
            display: closed, maximal or all.
            hide_redundant: leave out those that a smaller listed itemset makes redundant, see
                :func:`interpret.mining.condensed.redundant`.
        """
        table = self.shown(display)
        if hide_redundant:
            table = table[~self._redundant(table)]
        return table[table["class_id"] == class_id].reset_index(drop=True)

    def shared(self, display: str = "closed", *, hide_redundant: bool = False) -> pd.DataFrame:
        """The rows of :attr:`all_shared` in a display.

        Args:
            display: closed, maximal or all.
            hide_redundant: leave out those that smaller listed itemsets make redundant for each of their classes.
        """
        rows = self.all_shared
        rows = rows if display == "all" else rows[rows[display]].reset_index(drop=True)
        if not hide_redundant or rows.empty:
            return rows
        rules = self.table[self.table["itemset_id"].isin(rows["itemset_id"])]
        needed = set(rules["itemset_id"].to_numpy()[~self._redundant(rules)].tolist())
        return rows[rows["itemset_id"].isin(needed)].reset_index(drop=True)

    def relevant_units(self, class_id: int) -> pd.DataFrame:
        """A class's relevant units, best first: unit, rank, support, kind."""
        units = self.mined.units
        return units[units["class_id"] == class_id].sort_values("rank", ignore_index=True)

    def itemsets_with_unit(self, unit: int) -> pd.DataFrame:
        """The rows of :attr:`table` whose itemset holds a unit."""
        return self.table[_mask(unit in units for units in self.table["units"])].reset_index(drop=True)

    def itemsets_within(self, transaction: Iterable[int], display: str = "closed") -> pd.DataFrame:
        """The rows of :attr:`table` whose itemset a transaction contains, larger itemsets first."""
        given = set(transaction)
        table = self.shown(display)
        contained = table[_mask(given.issuperset(units) for units in table["units"])]
        return contained.sort_values(
            ["size", "support", "itemset_id"], ascending=[False, False, True], ignore_index=True
        )

    def headline(self) -> tuple[Units, tuple[int, ...]] | None:
        """The first of :attr:`candidates`, and its classes; None where nothing was found.

        Where the network is at hand, :func:`interpret.evaluation.first_finding.first_finding` chooses better.
        """
        first = self.candidates.head(1)
        return (first["units"].iloc[0], first["class_ids"].iloc[0]) if len(first) else None

    @cached_property
    def candidates(self) -> pd.DataFrame:
        """The closed itemsets, those first that say most of their classes at a glance.

        Returns:
            units, class_ids (in which the itemset is frequent), supported, named (of two to five units, which a title
            can name), share (the sum of its :attr:`score_shares` in the class where it is smallest), sure (as
            :func:`tables.certain_support`). Supported ones first, then those that are named, then by falling share,
            then by falling sure.
        """
        columns = ["units", "class_ids", "supported", "size", "sure"]
        rows = pd.concat([self.shared("closed")[columns], self._specific()[columns]], ignore_index=True)
        held = self.score_shares
        rows["share"] = [
            min(float(held[class_id][list(units)].sum()) for class_id in class_ids)
            for units, class_ids in zip(rows["units"], rows["class_ids"], strict=True)
        ]
        rows["named"] = rows["size"].between(*NAMED)
        order = ["supported", "named", "share", "sure"]
        return rows.sort_values(order, ascending=False, kind="stable", ignore_index=True)

    @property
    def contrastive(self) -> bool:
        """Whether a transaction holds only what exceeds the contrast."""
        return quantile_of(self.study, self.config) > 0

    @cached_property
    def transactions(self) -> Ranked:
        """Units and scores of every patch's transaction, (P, N) each, best first; -1 and 0 at the end of short rows."""
        return ranked_units(self.study, self.config)

    def transaction(self, patch: int) -> list[int]:
        """The units of one patch's transaction, best first."""
        units, scores = self.study.ranked
        row = self.study.patches.iloc[[patch]]
        kept, _ = kept_units(
            self.study, self.config, (units[[patch]], scores[[patch]]), *integers(row, "predicted", "image_id")
        )
        return [unit for unit in kept[0].tolist() if unit >= 0]

    @cached_property
    def score_shares(self) -> dict[int, npt.NDArray[np.float64]]:
        """Class id to (K,) each unit's share of the scores of the class's transactions.

        That is the unit's score over the sum of the transaction's scores, 0 where it is not in the transaction, mean
        over the class's patches (fraction).
        """
        units, scores = self.transactions
        total = np.where(units >= 0, scores, 0).sum(axis=1, dtype=np.float64)
        share = np.divide(scores, total[:, None], out=np.zeros(scores.shape), where=total[:, None] > 0)
        ids, place = np.unique(self.study.patches["predicted"].to_numpy(np.int64), return_inverse=True)
        held, n_units = units >= 0, self.study.n_units
        key = np.broadcast_to(n_units * place[:, None], units.shape)[held] + units[held]
        sums = np.bincount(key, share[held], n_units * len(ids)).reshape(len(ids), n_units)
        return dict(zip(ids.tolist(), sums / np.bincount(place, minlength=len(ids))[:, None], strict=True))

    def unit_support(self, class_ids: list[int], units: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Share and count of each class's patches that hold each unit, frequent or not: (classes, units) each."""
        index = unit_index(self.study, self.config)
        predicted = self.study.patches["predicted"].to_numpy()
        counts = np.zeros((len(class_ids), len(units)), np.int64)
        for column, unit in enumerate(units):
            in_class = np.bincount(predicted[index.holding([unit])[0]], minlength=len(self.study.class_names))
            counts[:, column] = in_class[class_ids]
        totals = np.array([max(self.patch_counts.get(class_id, 0), 1) for class_id in class_ids])
        return counts / totals[:, None], counts

    def _redundant(self, listed: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """(rows,) which rows of :attr:`table` another one of them, of fewer units, makes redundant."""
        among = np.zeros(len(self.mined.rules), np.bool_)
        among[listed["rule"]] = True
        return redundant(self.mined, among)[listed["rule"]]

    def _specific(self) -> pd.DataFrame:
        """Class-specific closed itemsets, in the columns of :attr:`all_shared` that a headline needs."""
        rows = self.shown("closed")
        rows = rows[rows["kind"] == "specific"]
        class_ids = pd.Series([(class_id,) for class_id in rows["class_id"].tolist()], index=rows.index, dtype=object)
        return rows.assign(sure=tables.certain_support(rows), class_ids=class_ids)


def _mask(values: Iterable[bool]) -> npt.NDArray[np.bool_]:
    """(rows,) booleans to select rows with; an empty list would select columns instead."""
    return np.fromiter(values, dtype=np.bool_)
