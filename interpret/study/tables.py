"""How the tables of a study are written, and the units of its patches read."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from interpret.files import flush, new_file
from interpret.study.schema import PAD

Ranked = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]
"""Units and scores of patches, (P, N) each, best first, filled up with ``PAD`` and 0."""


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet with the same bytes for the same rows, and flush it to the disk."""
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd", row_group_size=1 << 20)
        flush(file)


def replace_table(table: pa.Table, path: Path, *, checksums: bool = False) -> None:
    """Write a table as :func:`write_table` does, in one step: a reader sees the old table or the new one.

    Args:
        table: the table.
        path: where to.
        checksums: whether its pages have checksums, as a file needs that no manifest has the digest of.
    """
    with new_file(path) as file:
        pq.write_table(table, file, compression="zstd", row_group_size=1 << 20, write_page_checksum=checksums)


def read_ranked(path: Path, width: int) -> Ranked:
    """The columns ``units`` and ``scores`` of a table's file; see :func:`ranked_of`."""
    return ranked_of(pq.read_table(path, columns=["units", "scores"], memory_map=True), width)


def ranked_of(table: pa.Table, width: int) -> Ranked:
    """The columns ``units`` and ``scores`` of a table of P patches.

    Args:
        table: with these columns.
        width: units stored per patch (count).

    Returns:
        (P, width) int32 and float32, best first, filled up with ``PAD`` and 0; read-only.
    """
    units, scores = (table.column(name).combine_chunks() for name in ("units", "scores"))
    lengths = np.diff(units.offsets.to_numpy())
    if len(lengths) and lengths.min() == width:  # the usual case, of many megabytes: nothing is copied
        unit_rows = units.flatten().to_numpy().reshape(-1, width)
        score_rows = scores.flatten().to_numpy().reshape(-1, width)
    else:
        held = np.arange(width)[None, :] < lengths[:, None]
        unit_rows = np.full(held.shape, PAD, np.int32)
        score_rows = np.zeros(held.shape, np.float32)
        unit_rows[held] = units.flatten().to_numpy()
        score_rows[held] = scores.flatten().to_numpy()
    unit_rows.setflags(write=False)
    score_rows.setflags(write=False)
    return unit_rows, score_rows
