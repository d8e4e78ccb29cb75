"""What was measured of itemsets beyond single units: the tables, and their files in an evaluation's folder."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from interpret.evaluation.itemsets.summary import SummaryRow

FRAMES = ("causal", "halving", "firing", "transfer", "beyond")


@dataclass(frozen=True, eq=False)
class ItemsetMeasures:
    """What itemsets say beyond single units. Every table has the column top_units, N; those without rows may have none.

    Attributes:
        causal: one row a held-out photo that is predicted correctly, of a class with supported itemsets: class_id,
            image_id, and the columns of :func:`interpret.evaluation.itemsets.causal_sets.photo_sets`.
        halving: one row such a class, see :func:`interpret.evaluation.itemsets.halving_sets.halving_set`.
        firing: one row a supported itemset of two or more units and class, see
            :func:`interpret.evaluation.itemsets.joint_firing.joint_firing`.
        transfer: one row a supported itemset and class, see
            :func:`interpret.evaluation.itemsets.transfer.transfer`.
        beyond: the figures that sum this up, :class:`interpret.evaluation.itemsets.summary.SummaryRow`.
    """

    causal: pd.DataFrame
    halving: pd.DataFrame
    firing: pd.DataFrame
    transfer: pd.DataFrame
    beyond: pd.DataFrame

    def write(self, folder: Path) -> None:
        """Write the tables into a folder as Parquet files."""
        for name in FRAMES:
            getattr(self, name).to_parquet(folder / f"{name}.parquet")


def read(folder: Path) -> ItemsetMeasures:
    """Read what :meth:`ItemsetMeasures.write` wrote.

    Raises:
        OSError: a file is missing; damaged ones raise Arrow's errors, which are ``ValueError`` or ``OSError``.
    """
    return ItemsetMeasures(**{name: pd.read_parquet(folder / f"{name}.parquet") for name in FRAMES})


def nothing_measured() -> ItemsetMeasures:
    """Empty tables: of an evaluation without these measures."""
    figures = pd.DataFrame(columns=list(SummaryRow._fields))
    return ItemsetMeasures(pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), figures)
