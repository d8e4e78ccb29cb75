"""Which transactions hold each unit, so that the patches of an itemset are found without reading all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.config import MineConfig
from interpret.mining.contrast_counting import places
from interpret.mining.ranked_units import Ranked, quantile_of, ranked_contrast_units, ranked_units
from interpret.study import Study

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class UnitIndex:
    """The transactions of P patches, unit by unit.

    Attributes:
        starts: (K + 1,) where each unit's entries begin, and their number at the end.
        rows: (entries,) int32, the patches that hold a unit, ascending.
        scores: (entries,) the unit's score in each.
        n: P (count).
    """

    starts: Ints
    rows: npt.NDArray[np.int32]
    scores: Scores
    n: int

    @classmethod
    def of(cls, ranked: Ranked, n_units: int) -> "UnitIndex":
        """Of units and scores, (P, N) each, with negative numbers at the end of short rows."""
        units, scores = ranked
        held = np.flatnonzero(units >= 0)
        # NumPy sorts numbers of 16 bits by their digits, in a fraction of the time.
        members = units.ravel()[held].astype(np.uint16 if n_units <= 1 << 16 else np.int32)
        order = held[np.argsort(members, kind="stable")]
        starts = np.concatenate([[0], np.cumsum(np.bincount(members, minlength=n_units))]).astype(np.int64)
        rows = (order // max(1, units.shape[1])).astype(np.int32)
        return cls(starts, rows, scores.ravel()[order], len(units))

    def holding(self, units: Sequence[int]) -> tuple[Ints, Scores]:
        """The patches whose transaction holds all of some units.

        Args:
            units: n units; all patches hold none.

        Returns:
            (m,) positions of the patches, ascending, and (m, n) the units' scores there.
        """
        slices = [slice(self.starts[unit], self.starts[unit + 1]) for unit in units]
        if not slices:
            return np.arange(self.n, dtype=np.int64), np.zeros((self.n, 0), np.float32)
        found = self.rows[min(slices, key=lambda each: int(each.stop - each.start))]
        for each in slices:
            found = found[places(self.rows[each], found)[1]]
        columns = [self.scores[each][places(self.rows[each], found)[0]] for each in slices]
        return found.astype(np.int64), np.stack(columns, axis=1)


def unit_index(study: Study, config: MineConfig) -> UnitIndex:
    """The index of a study's transactions, as the options of mining say; kept as long as the study is open."""
    return study.derived(
        _key("patches", study, config), lambda: UnitIndex.of(ranked_units(study, config), study.n_units)
    )


def contrast_index(study: Study, config: MineConfig) -> UnitIndex:
    """The same of the contrast patches, in the order of ``study.contrast``."""
    return study.derived(
        _key("contrast", study, config), lambda: UnitIndex.of(ranked_contrast_units(study, config), study.n_units)
    )


def _key(table: str, study: Study, config: MineConfig) -> tuple[str, int, float, int]:
    """What decides the transactions, see :func:`interpret.mining.ranked_units.kept_units`."""
    return f"index of {table}", config.top_units, quantile_of(study, config), config.contrast_shared
