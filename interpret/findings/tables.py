"""What was mined, arranged for reading: one table a class, one of what classes share, one for an itemset or a unit."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.findings.rows import Units
from interpret.findings.supporting import class_order
from interpret.mining import Mined
from interpret.mining.condensed import by_class, over_classes, redundant
from interpret.mining.significance import Stability, bootstrap, permutation_test
from interpret.mining.stored import transactions
from interpret.stats import wilson
from interpret.study import Study

RESAMPLED = 2_000_000
"""Occurrences of itemsets in transactions up to which stability is worked out (count)."""

SHUFFLES = 200
"""How often the classes are shuffled among the photos (count); the smallest p-value possible is one over one more."""

SHUFFLED = 100_000_000
"""Itemsets looked at times photos, up to which rules are checked against chance while a person waits."""

DISPLAYS = ("closed", "maximal", "all")
"""Which itemsets are listed: those that no larger one says more with, the largest ones only, or every one."""


@dataclass(frozen=True, eq=False)
class Findings:
    """A study together with one result of mining it.

    Attributes:
        study: the study.
        config: the options of mining.
        mined: the result.
    """

    study: Study
    config: MineConfig
    mined: Mined

    @cached_property
    def units_of(self) -> dict[int, Units]:
        """The units of each itemset, ascending, by its id."""
        frame = self.mined.itemsets.drop_duplicates("itemset_id")
        pairs = zip(frame["itemset_id"], frame["units"], strict=True)
        return {int(key): tuple(int(unit) for unit in units) for key, units in pairs}

    @cached_property
    def id_of(self) -> dict[Units, int]:
        """The id of each itemset, by its units."""
        return {units: key for key, units in self.units_of.items()}

    @cached_property
    def stability(self) -> Stability:
        """In what share of 100 resampled sets of photos each itemset, and each rule, is found again.

        NaN where there are too many itemsets to resample while a person waits.
        """
        try:
            database = transactions(self.study, self.config.top_units)
            return bootstrap(database, self.mined, self.config, max_occurrences=RESAMPLED)
        except InputError:
            itemsets, rules = np.full(len(self.mined), np.nan), np.full(len(self.mined.rules), np.nan)
            return Stability(itemsets, itemsets, rules)

    def chance_p_values(self) -> pd.Series:
        """How often chance alone does as well: family-wise p-values of the rules, by itemset_id and class_id.

        The classes are shuffled among the photos :data:`SHUFFLES` times; see
        :func:`interpret.mining.significance.permutation_test`. NaN for itemsets in too few photos to be judged. This
        takes a second or two, and the caller keeps it.
        """
        most = max(1, min(50_000, SHUFFLED // max(1, len(self.study.images))))
        database = transactions(self.study, self.config.top_units)
        tested = permutation_test(database, self.mined, self.config, draws=SHUFFLES, max_itemsets=most)
        rules = self.mined.rules
        rare = self.mined.all_photos[rules["itemset_id"].to_numpy()] < tested.least
        index = pd.MultiIndex.from_arrays([rules["itemset_id"].astype(np.int64), rules["class_id"].astype(np.int64)])
        return pd.Series(np.where(rare, np.nan, tested.p_value), index=index, name="chance")

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row for each itemset and class that it is frequent in, with all its measures.

        Columns: itemset_id, units, size, class_id, support_count, support, image_count, images, image_support,
        confidence, lift, leverage, conviction, p_value, q_value, image_q_value, classes (how many it is frequent in),
        kind (specific or shared), stable (share of resamples in which it is frequent and of the same kind), again
        (share in which it is frequent in this class), rule (its row in the mining's rules), closed, maximal. By
        class, then falling support, then size and units.
        """
        rows = self.mined.itemsets
        rows = rows[rows["class_id"].notna()].copy()
        rows["class_id"] = rows["class_id"].astype(np.int64)
        rows["itemset_id"] = rows["itemset_id"].astype(np.int64)
        rules = self.mined.rules.drop(columns=["support_count", "image_count"], errors="ignore").copy()
        rules["class_id"] = rules["class_id"].astype(np.int64)
        rules["itemset_id"] = rules["itemset_id"].astype(np.int64)
        rules["again"] = self.stability.rules
        rules["rule"] = np.arange(len(rules))
        table = rows.merge(rules, on=["itemset_id", "class_id"], how="left", validate="one_to_one")
        table["units"] = [self.units_of[key] for key in table["itemset_id"]]
        table["size"] = [len(units) for units in table["units"]]
        photos = self.photo_counts
        table["images"] = table["class_id"].map(photos).astype(np.int64)
        table["image_support"] = table["image_count"] / table["images"]
        table["classes"] = table.groupby("itemset_id")["class_id"].transform("size")
        table["kind"] = np.where(table["classes"] > 1, "shared", "specific")
        table["stable"] = self.stability.same_kind[table["itemset_id"].to_numpy()]
        condensed = by_class(self.mined)
        table["closed"], table["maximal"] = condensed.closed[table["rule"]], condensed.maximal[table["rule"]]
        return table.sort_values(
            ["class_id", "support", "size", "itemset_id"], ascending=[True, False, False, True], ignore_index=True
        )

    @cached_property
    def photo_counts(self) -> dict[int, int]:
        """How many photos of each predicted class have a patch (count)."""
        return dict(self.study.patches.groupby("predicted")["image_id"].nunique())

    @cached_property
    def patch_counts(self) -> dict[int, int]:
        """How many patches each predicted class has (count)."""
        counts = self.study.patches["predicted"].value_counts()
        return dict(zip(counts.index.tolist(), counts.tolist(), strict=True))

    @cached_property
    def classes(self) -> list[int]:
        """Classes that something was found for, the most frequent first."""
        return class_order(self.study, set(self.table["class_id"]))

    def shown(self, display: str) -> pd.DataFrame:
        """The rows of :attr:`table` that a display lists: closed, maximal or all."""
        return self.table if display == "all" else self.table[self.table[display]]

    def itemsets_of_class(
        self, class_id: int, display: str = "closed", *, hide_redundant: bool = False
    ) -> pd.DataFrame:
        """A class's itemsets, those of highest support first.

        Args:
            class_id: the class.
            display: closed, maximal or all.
            hide_redundant: leave out those that a smaller listed one makes redundant, see
                :func:`interpret.mining.condensed.redundant`.
        """
        table = self.shown(display)
        if hide_redundant:
            table = table[~self._redundant(table)]
        return table[table["class_id"] == class_id].reset_index(drop=True)

    def _redundant(self, listed: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """(rows,) which of some rows of :attr:`table` say no more than another of them of fewer units."""
        among = np.zeros(len(self.mined.rules), np.bool_)
        among[listed["rule"]] = True
        return redundant(self.mined, among)[listed["rule"]]

    @cached_property
    def all_shared(self) -> pd.DataFrame:
        """Itemsets that two or more classes have in common, as the poster writes them: `34,193 -> Bird, Dog`.

        Columns: itemset_id, units, size, class_ids (by falling support), supports (beside them), weakest (the smallest
        of the supports), sure (the smallest lower end of their intervals over photos, see :func:`wilson`), q_value
        (the largest of the classes', from photos), stable, closed (no larger set is found in as many patches of
        every one of these classes)
        and maximal (none is frequent in all of them). Those that the weakest class supports best come first.
        """
        table = self.table[self.table["kind"] == "shared"]
        sure = wilson(table["image_count"].to_numpy(float), table["images"].to_numpy(float))[0]
        table = table.assign(sure=sure).sort_values(["support", "class_id"], ascending=[False, True])
        grouped = table.groupby("itemset_id", sort=True)
        frame = pd.DataFrame(
            {
                "class_ids": [tuple(ids.tolist()) for _, ids in grouped["class_id"]],
                "supports": [tuple(values.tolist()) for _, values in grouped["support"]],
                "weakest": grouped["support"].min(),
                "sure": grouped["sure"].min(),
                "q_value": grouped["image_q_value"].max(),
                "stable": grouped["stable"].first(),
                "size": grouped["size"].first(),
            }
        ).reset_index()
        frame.insert(1, "units", pd.Series([self.units_of[int(key)] for key in frame["itemset_id"]], dtype=object))
        condensed = over_classes(self.mined)
        frame["closed"] = condensed.closed[frame["itemset_id"]]
        frame["maximal"] = condensed.maximal[frame["itemset_id"]]
        return frame.sort_values(["weakest", "size", "itemset_id"], ascending=[False, False, True], ignore_index=True)

    def shared(self, display: str = "closed", *, hide_redundant: bool = False) -> pd.DataFrame:
        """The rows of :attr:`all_shared` that a display lists.

        Args:
            display: closed, maximal or all.
            hide_redundant: leave out those that smaller listed ones make redundant for each of their classes.
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

    def itemsets_within(self, units: Iterable[int], display: str = "closed") -> pd.DataFrame:
        """Itemsets that a transaction supports: those whose units are all in it, larger ones first."""
        given = set(units)
        table = self.shown(display)
        inside = table[_mask(given.issuperset(one) for one in table["units"])]
        return inside.sort_values(["size", "support", "itemset_id"], ascending=[False, False, True], ignore_index=True)

    def headline(self) -> tuple[Units, tuple[int, ...]] | None:
        """The itemset to show first, and its classes; None where nothing was found.

        What two or more classes share is shown before what one class has for itself, and within those a set of two or
        three units, which a title can name, before others; then the one whose support is best in the class where it is
        weakest. Support is taken at the lower end of its interval (Wilson 1927, 95 %, over photos), so that a handful
        of photos does not win by chance.
        """
        for rows in (self.shared("closed"), self._own()):
            if len(rows):
                named = rows["size"].isin((2, 3))
                best = rows.assign(named=named).sort_values(["named", "sure", "size"], ascending=False, kind="stable")
                return best["units"].iloc[0], best["class_ids"].iloc[0]
        return None

    def _own(self) -> pd.DataFrame:
        """Class-specific itemsets, in the columns of :attr:`all_shared` that a headline needs."""
        rows = self.shown("closed")
        rows = rows[rows["kind"] == "specific"]
        sure = wilson(rows["image_count"].to_numpy(float), rows["images"].to_numpy(float))[0]
        class_ids = pd.Series([(class_id,) for class_id in rows["class_id"].tolist()], index=rows.index, dtype=object)
        return rows.assign(sure=sure, class_ids=class_ids)

    def unit_support(self, class_ids: list[int], units: list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Share and count of each class's patches that hold each unit, threshold or not: (classes, units) each."""
        ranked = self.study.ranked[0][:, : self.config.top_units]
        predicted = self.study.patches["predicted"].to_numpy()
        counts = np.zeros((len(class_ids), len(units)), np.int64)
        for row, class_id in enumerate(class_ids):
            held = ranked[predicted == class_id]
            counts[row] = np.bincount(held[held >= 0], minlength=self.study.n_units)[units]
        totals = np.array([max(self.patch_counts.get(one, 0), 1) for one in class_ids])
        return counts / totals[:, None], counts


def _mask(values: Iterable[bool]) -> np.ndarray:
    """Booleans to choose rows with; of no rows too, where a list would choose columns."""
    return np.fromiter(values, dtype=bool)
