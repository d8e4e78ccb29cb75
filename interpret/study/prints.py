"""The digests of a study's photos, kept so that an interrupted or repeated run does not read every photo again.

They are a cache: where the table is missing or damaged, the photos are read.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from interpret.data.fingerprints import FilePrint, FileState
from interpret.study.schema import PRINTS
from interpret.study.tables import replace_table

NAME = "prints.parquet"


def write_prints(prints: Mapping[FileState, FilePrint], folder: Path) -> None:
    """Write the digests into a study or a workspace in one step.

    Raises:
        OSError: the folder cannot be written to.
    """
    rows = [(*state, *digests) for state, digests in prints.items()]
    columns = list(zip(*rows, strict=True)) or [()] * len(PRINTS)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, PRINTS.types, strict=True)]
    replace_table(pa.Table.from_arrays(arrays, schema=PRINTS), folder / NAME)


def read_prints(*folders: Path) -> dict[FileState, FilePrint]:
    """The digests kept in any of the folders, which may be absent."""
    found: dict[FileState, FilePrint] = {}
    for folder in folders:
        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            table = pq.read_table(folder / NAME)
            if table.schema.equals(PRINTS):
                for *state, content, ends in zip(*table.to_pydict().values(), strict=True):
                    found[FileState(*state)] = FilePrint(content, ends)
    return found
