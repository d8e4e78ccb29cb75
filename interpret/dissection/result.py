"""A dissection and its files: tables of units, itemsets and shares, the scores of all pairs, and the facts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from interpret.errors import InputError
from interpret.files import new_folder, write_json
from interpret.study.tables import write_table

FOLDER = "dissection"
"""Folder of a study that holds its dissections."""

FORMAT = 3
"""Raised when the tables or the way they are counted change, so that an earlier dissection is made again.

Results of format 2 have the same tables and can still be read; they counted photos without masks in layer locations.
"""

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
        facts: images (count), accuracy (fraction of labelled images; None without labels), quantile, level, draws,
            seed, source of the images, units_at_0.04 and units_at_0.1 (counts).
    """

    units: pd.DataFrame
    itemsets: pd.DataFrame
    shares: pd.DataFrame
    parts: tuple[str, ...]
    iou: NDArray[np.float64]
    facts: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Write the tables and the facts; the folder appears whole, and replaces one that exists."""
        with new_folder(folder) as made:
            for name in _TABLES:
                write_table(pa.Table.from_pandas(getattr(self, name), preserve_index=False), made / f"{name}.parquet")
            np.save(made / "iou.npy", self.iou)
            content = {"format": FORMAT, "parts": list(self.parts), "facts": self.facts}
            write_json(content, made / "facts.json")

    @classmethod
    def read(cls, folder: Path) -> "Dissection":
        """Read what :meth:`write` wrote.

        Raises:
            InputError: a file is missing or damaged, or a later version wrote it.
        """
        try:
            return cls._read(folder)
        except (OSError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"The dissection in {folder} cannot be read; run `dissect` again.") from error

    @classmethod
    def _read(cls, folder: Path) -> "Dissection":
        content = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        if content.get("format", FORMAT) > FORMAT:
            raise InputError(
                f"The dissection in {folder} has format {content['format']} and this version reads up to {FORMAT}; run "
                "`dissect` again."
            )
        units, itemsets, shares = (pd.read_parquet(folder / f"{name}.parquet") for name in _TABLES)
        for column in ("part", "best_part", "runner_up"):  # null is None in memory, whatever pandas makes of text
            units[column] = pd.Series([None if pd.isna(name) else name for name in units[column]], dtype=object)
        units["detects"] = [tuple(row) for row in units["detects"]]
        for column in ("classes", "parts"):
            itemsets[column] = [tuple(row) for row in itemsets[column]]
        iou = np.load(folder / "iou.npy")
        iou.setflags(write=False)
        return cls(units, itemsets, shares, tuple(content["parts"]), iou, content["facts"])
