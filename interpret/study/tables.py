"""How the tables of a study are written."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from interpret.files import flush


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet with the same bytes for the same rows, and flush it to the disk."""
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd", row_group_size=1 << 20)
        flush(file)
