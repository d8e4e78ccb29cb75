"""What the tables of an evaluation must be, whichever version wrote them: what pages show of them cannot fail then."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from interpret.errors import InputError
from interpret.evaluation.itemsets.result import ItemsetMeasures
from interpret.evaluation.itemsets.summary import SummaryRow
from interpret.evaluation.table1 import BASELINE

RESULT_ERRORS = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, pa.ArrowException)
"""What reading a kept result raises where a file is missing or damaged."""

_ACCURACIES = ("method", "budget", "units", "accuracy", "error", "low", "high", "spread", "photos")
COLUMNS = {
    "table": _ACCURACIES,
    "keep": _ACCURACIES,
    "differences": ("method", "rival", "budget", "difference", "low", "high"),
}
"""Columns that are read by name; ``method`` and ``rival`` are text, the others numbers."""


def check_frames(frames: Mapping[str, pd.DataFrame], itemsets: ItemsetMeasures, about: Any) -> None:
    """Raise :class:`InputError` where a table lacks a column or holds another type, without a full stop.

    Args:
        frames: table, differences, keep, matrix, shared and synergy, by name.
        itemsets: what itemsets say beyond single units.
        about: what the result says of itself.
    """
    for name, columns in COLUMNS.items():
        for column in columns:
            text = column in ("method", "rival")
            values = frames[name].get(column)
            fits = values is not None and (
                bool(values.map(lambda value: isinstance(value, str)).all()) if text else _numbers(values)
            )
            _require(fits, f"{name}.parquet", column)
    table, matrix = frames["table"], frames["matrix"]
    _require(BASELINE in set(table["method"]) and bool(table["budget"].isna().any()), "table.parquet", "method")
    _require(bool(table[["accuracy", "units", "photos"]].notna().all(axis=None)), "table.parquet", "accuracy")
    _require(
        matrix.index.tolist() == matrix.columns.tolist() and all(_numbers(matrix[name]) for name in matrix),
        "matrix.parquet",
        "off",
    )
    if not isinstance(about, dict):
        raise InputError("evaluation.json says nothing of the result")
    for name, kind in (("accuracy", float), ("photos", int), ("classes", list), ("class_names", list)):
        value = about.get(name)
        _require(isinstance(value, kind) and not isinstance(value, bool), "evaluation.json", name)
    _require(matrix.index.tolist() == about["classes"], "evaluation.json", "classes")
    _require(isinstance(about.get("measured_on", ""), str), "evaluation.json", "measured_on")
    for column in SummaryRow._fields if len(itemsets.beyond) else ():
        _require(column in itemsets.beyond.columns, "beyond.parquet", column)


def _numbers(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) or bool(values.isna().all())


def _require(fits: bool, file: str, column: str) -> None:
    if not fits:
        raise InputError(f"{file} lacks {column}, or holds something else there")
