"""A map of the units: those lie near each other that are found with the same units in the patches' transactions."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from interpret.config import MineConfig
from interpret.findings.embedding import embed, kept_share, neighbours, trustworthiness
from interpret.findings.findings import Findings
from interpret.findings.unit_index import UnitIndex, unit_index
from interpret.study import Study

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LEAST = 5
"""Patches that must hold a unit (count): of fewer, what it is found with is chance."""

NEIGHBOURS = 10
"""Nearest units by which the map is judged (count)."""

KINDS = ("specific", "shared", "none")
"""What a unit is: frequent in one class, in several, or in none."""


@dataclass(frozen=True, eq=False)
class UnitMap:
    """Where units lie.

    Attributes:
        units: (m,) the units in :data:`LEAST` patches or more, ascending.
        places: (m, 2), as :func:`interpret.findings.embedding.embed` gives them.
        patches: (m,) patches whose transaction holds the unit (count).
        nearest: (m, k) positions in ``units`` of those nearest by distance, the nearest first.
        left_out: units that are in a patch, but in too few (count).
        trustworthiness: :func:`interpret.findings.embedding.trustworthiness` for k neighbours; NaN with fewer than
            three units.
        kept: the share of a unit's k nearest that are among its k nearest on the map (fraction); NaN likewise.
    """

    units: Ints
    places: Floats
    patches: Ints
    nearest: Ints
    left_out: int
    trustworthiness: float
    kept: float

    def __post_init__(self) -> None:
        for array in (self.units, self.places, self.patches, self.nearest):
            array.setflags(write=False)

    @property
    def k(self) -> int:
        """Neighbours by which the map was judged (count)."""
        return int(self.nearest.shape[1])

    def nearest_units(self, unit: int) -> list[int]:
        """The units nearest to one of the map, by distance and not by place, the nearest first; none for another."""
        place = int(np.searchsorted(self.units, unit))
        if place == len(self.units) or self.units[place] != unit:
            return []
        found: list[int] = self.units[self.nearest[place]].tolist()
        return found


def unit_map(study: Study, config: MineConfig) -> UnitMap:
    """The map of a study's units at the options of mining; takes seconds for thousands of units, so keep it."""
    return map_of(unit_index(study, config))


def map_of(index: UnitIndex) -> UnitMap:
    """The map of the units of some transactions."""
    together = patches_together(index)
    patches = together.diagonal().copy()
    units = np.flatnonzero(patches >= LEAST)
    held = profiles(together[np.ix_(units, units)])
    apart = cosine_distances(held)
    m = len(units)
    k = min(NEIGHBOURS, (m - 1) // 2) if m else 0
    places = embed(held, apart)
    return UnitMap(
        units,
        places,
        patches[units],
        neighbours(apart, k) if k else np.zeros((m, 0), np.int64),
        int(((patches > 0) & (patches < LEAST)).sum()),
        trustworthiness(apart, places, k) if k else float("nan"),
        kept_share(apart, places, k) if k else float("nan"),
    )


def patches_together(index: UnitIndex) -> Ints:
    """(K, K) patches whose transaction holds both of two units (count); on the diagonal those that hold the unit."""
    n_units = len(index.starts) - 1
    held = sparse.csc_matrix((np.ones(len(index.rows), np.int32), index.rows, index.starts), (index.n, n_units))
    return sparse.csr_matrix(held.T @ held).toarray().astype(np.int64)


def profiles(together: Ints) -> Floats:
    """(m, m) for each unit the share of its patches that hold each unit, itself included, scaled to length 1.

    Args:
        together: as :func:`patches_together` gives it, of units that are each in a patch.
    """
    share = together / np.maximum(together.diagonal()[:, None], 1)
    return share / np.maximum(np.linalg.norm(share, axis=1, keepdims=True), 1e-12)


def cosine_distances(vectors: Floats) -> Floats:
    """(m, m) 1 minus the cosine of the angle between vectors of length 1 without negative entries: 0..1.

    Of two units' profiles it is 0 where they are found with the same units equally often, and 1 where they have no
    unit in common.
    """
    apart = 1.0 - np.clip(vectors @ vectors.T, 0.0, 1.0)
    apart = (apart + apart.T) / 2
    np.fill_diagonal(apart, 0.0)
    return apart


def table(findings: Findings, drawn: UnitMap) -> pd.DataFrame:
    """What a reader is told of the units of a map.

    Returns:
        unit, x, y, patches (count), kind (one of :data:`KINDS`), class_id (in which its support is largest, -1 where it
        is frequent in none), support (there, NaN likewise), class_ids (in which it is frequent, those of the largest
        support first), nearest (the three units nearest by distance); a row for each unit, ascending.
    """
    serves = {
        findings.units_of[key][0]: ids for key, ids in findings.classes_of.items() if len(findings.units_of[key]) == 1
    }
    rows = findings.table[findings.table["size"] == 1]
    ids, class_ids, supports = (rows[name].tolist() for name in ("itemset_id", "class_id", "support"))
    support_of = dict(zip(zip(ids, class_ids, strict=True), supports, strict=True))
    classes = [serves.get(unit, ()) for unit in drawn.units.tolist()]
    best = [each[0] if each else -1 for each in classes]
    return pd.DataFrame(
        {
            "unit": drawn.units,
            "x": drawn.places[:, 0],
            "y": drawn.places[:, 1],
            "patches": drawn.patches,
            "kind": [KINDS[min(len(each), 2) - 1] for each in classes],
            "class_id": np.array(best, np.int64),
            "support": [
                support_of.get((findings.id_of.get((unit,), -1), class_id), float("nan"))
                for unit, class_id in zip(drawn.units.tolist(), best, strict=True)
            ],
            "class_ids": pd.Series(classes, dtype=object),
            "nearest": pd.Series([tuple(drawn.units[near[:3]].tolist()) for near in drawn.nearest], dtype=object),
        }
    )


def named_first(findings: Findings, drawn: UnitMap) -> list[int]:
    """The units of a map, those first that the findings name first, the others by falling number of patches."""
    on_map = set(drawn.units.tolist())
    named = dict.fromkeys(unit for units in findings.candidates["units"] for unit in units if unit in on_map)
    order = np.argsort(-drawn.patches, kind="stable")
    return list(dict.fromkeys([*named, *drawn.units[order].tolist()]))
