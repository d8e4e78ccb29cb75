"""A dissection and its files: tables of units, itemsets and shares, the scores of all pairs, and the facts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from interpret.errors import InputError
from interpret.files import new_folder, write_json
from interpret.study import digests
from interpret.study.tables import write_table

FOLDER = "dissection"
"""Folder of a study that holds its dissections."""

FORMAT = 5
"""Raised when the files or the way they are counted change, so that an earlier dissection is made again."""

_TABLES = ("units", "itemsets", "shares")


@dataclass(frozen=True, eq=False)
class Dissection:
    """What the units of a study detect, and how many of the itemsets are true.

    Attributes:
        units: as :func:`interpret.dissection.verdicts.unit_table`.
        itemsets: as :func:`interpret.dissection.verdicts.itemset_table`.
        shares: as :func:`interpret.dissection.verdicts.share_table`.
        parts: the P part names.
        iou: (K, P) float64.
        has: (C, P) bool, which class has which part.
        facts: images (count), accuracy (fraction of labelled images; None without labels), quantile, level, draws,
            seed, source of the images, units_at_0.04 and units_at_0.1 (counts).
    """

    units: pd.DataFrame
    itemsets: pd.DataFrame
    shares: pd.DataFrame
    parts: tuple[str, ...]
    iou: NDArray[np.float64]
    has: NDArray[np.bool_]
    facts: dict[str, Any]

    def write(self, folder: Path, made_from: Mapping[str, str] | None = None) -> None:
        """Write the tables, the facts and the digests of all; the folder appears whole.

        Args:
            folder: made with its parents; one that exists is replaced.
            made_from: what was dissected, in short texts, see
                :func:`interpret.study.results.made_from`; :meth:`read` compares them.
        """
        with new_folder(folder) as made:
            for name in _TABLES:
                write_table(pa.Table.from_pandas(getattr(self, name), preserve_index=False), made / f"{name}.parquet")
            np.save(made / "iou.npy", self.iou)
            np.save(made / "has.npy", self.has)
            content = {"format": FORMAT, "parts": list(self.parts), "facts": self.facts}
            write_json(content, made / "facts.json")
            digests.write_list(made, made_from or {})

    @classmethod
    def read(
        cls, folder: Path, made_from: Mapping[str, str] | None = None, *, then: str = "run `dissect` again"
    ) -> "Dissection":
        """Read what :meth:`write` wrote.

        Args:
            folder: the folder.
            made_from: what must have been dissected; anything if None.
            then: how the sentence ends where the result cannot be used: what to do, or what is done.

        Raises:
            InputError: a file is missing or is not as it was written, something else was dissected, or another version
                wrote it.
        """
        try:
            digests.check_list(
                folder, [*(f"{name}.parquet" for name in _TABLES), "iou.npy", "has.npy", "facts.json"], made_from
            )
            return cls._read(folder)
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            said = isinstance(error, InputError)
            raise InputError(
                f"The dissection in {folder} is not used ({error if said else 'it is damaged'}); {then}."
            ) from error

    @classmethod
    def _read(cls, folder: Path) -> "Dissection":
        content = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise InputError(f"it has format {content['format']}, and this version reads format {FORMAT}")
        units, itemsets, shares = (pd.read_parquet(folder / f"{name}.parquet") for name in _TABLES)
        for column in ("part", "best_part", "runner_up"):  # null is None in memory, whatever pandas makes of text
            units[column] = pd.Series([None if pd.isna(name) else name for name in units[column]], dtype=object)
        units["detects"] = [tuple(row) for row in units["detects"]]
        for column in ("classes", "parts"):
            itemsets[column] = [tuple(row) for row in itemsets[column]]
        iou, has = np.load(folder / "iou.npy"), np.load(folder / "has.npy")
        for array in (iou, has):
            array.setflags(write=False)
        return cls(units, itemsets, shares, tuple(content["parts"]), iou, has, content["facts"])
