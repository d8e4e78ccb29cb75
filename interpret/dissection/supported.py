"""How many of the itemsets that the contrast supports are true, and how many of the others."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from interpret.dissection.verdicts import SHARED, SPECIFIC, by_chance
from interpret.mining import Mined
from interpret.mining.contrast import is_supported


class SupportedRow(NamedTuple):
    """One row of :func:`supported_shares`.

    Attributes:
        kind: specific or shared.
        findings: all, supported or not supported.
        itemsets: how many there are (count).
        true: how many of them are true (count).
        share: true of all; NaN of none.
        random: the mean probability that as many random units make a true itemset; NaN of none.
    """

    kind: str
    findings: str
    itemsets: int
    true: int
    share: float
    random: float


def supported_shares(
    judged: pd.DataFrame, mined: Mined, units: pd.DataFrame, parts: Sequence[str], has: NDArray[np.bool_]
) -> pd.DataFrame:
    """Shares of true itemsets among those that the contrast supports and those that it does not.

    Args:
        judged: as :func:`interpret.dissection.verdicts.itemset_table`.
        mined: the result that the itemsets are of; without a contrast there is one row a kind.
        units: as :func:`interpret.dissection.verdicts.unit_table`.
        parts: the P names.
        has: (C, P), which class has which part.

    Returns:
        One row for each kind and group of findings, its columns those of :class:`SupportedRow`.
    """
    supported = is_supported(mined.rules).groupby(mined.rules["itemset_id"]).all()
    stands = supported.reindex(judged["itemset_id"], fill_value=False).to_numpy(np.bool_)
    true, chance = judged["true"].to_numpy(np.bool_), by_chance(judged, units, parts, has)
    rows = []
    for kind in (SPECIFIC, SHARED):
        of_kind = (judged["kind"] == kind).to_numpy()
        groups = {"all": of_kind}
        if mined.contrast is not None:
            groups |= {"supported": of_kind & stands, "not supported": of_kind & ~stands}
        for name, chosen in groups.items():
            itemsets, right = int(chosen.sum()), int((chosen & true).sum())
            share = right / itemsets if itemsets else float("nan")
            random = float(chance[chosen].mean()) if itemsets else float("nan")
            rows.append(SupportedRow(kind, name, itemsets, right, share, random))
    return pd.DataFrame(rows, columns=list(SupportedRow._fields))
