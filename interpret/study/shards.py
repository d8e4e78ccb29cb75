"""A shard: what a fixed stretch of the list of photos gives, before all of them are joined."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from interpret.files import flush


@dataclass(frozen=True, eq=False)
class Shard:
    """What a stretch of photos gives. Ids count from zero within the shard; joining the shards shifts them.

    Attributes:
        images: rows of ``IMAGES``.
        patches: rows of ``PATCHES``, in the order of their images.
        skipped: rows of ``SKIPPED``.
        arrays: by name, each with one row an image: ``features`` (n, K) float32, ``cams`` (n, h, w) and, where
            they are stored, ``activations`` (n, K, h, w), both float16.
    """

    images: pa.Table
    patches: pa.Table
    skipped: pa.Table
    arrays: dict[str, npt.NDArray[np.floating]]


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet with the same bytes for the same rows, and flush it to the disk."""
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd", row_group_size=1 << 20)
        flush(file)
