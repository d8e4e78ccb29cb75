"""The digests of a study's photos, kept so that an interrupted or repeated run does not read every photo again.

To a run they are a cache: where the table is missing or damaged, the photos are read. Two studies' photos are told
apart by them.
"""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from interpret.data.fingerprints import FilePrint, FileState
from interpret.errors import InputError
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
    replace_table(pa.Table.from_arrays(arrays, schema=PRINTS), folder / NAME, checksums=True)


def read_prints(*folders: Path) -> dict[FileState, FilePrint]:
    """The digests kept in any of the folders, which may be absent."""
    found: dict[FileState, FilePrint] = {}
    for folder in folders:
        with contextlib.suppress(*_UNREADABLE):
            found.update(_read(folder / NAME))
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """The digest of each photo's content by its name, as far as a study knows them.

    Raises:
        InputError: they are damaged.
    """
    path = folder / NAME
    try:
        return {state.name: kept.content for state, kept in _read(path).items()}
    except FileNotFoundError:
        return {}
    except _UNREADABLE as error:
        raise InputError(
            f"The digests of photos in {path} are damaged; delete the file, and photos are told apart by their names."
        ) from error


_UNREADABLE = (OSError, ValueError, pa.ArrowException)


def _read(path: Path) -> dict[FileState, FilePrint]:
    table = pq.read_table(path, page_checksum_verification=True)
    if not table.schema.equals(PRINTS):
        raise ValueError("other columns")
    columns = table.to_pydict().values()
    return {FileState(*state): FilePrint(content, ends) for *state, content, ends in zip(*columns, strict=True)}
