"""The format of a study: its version, the columns of its tables, and the names of its arrays."""

from typing import NamedTuple

import pyarrow as pa

SCHEMA_VERSION = 1
"""Raised whenever a file of the folder changes its meaning; an older study must then be made again."""

PACKED = "photos"
"""Folder inside a study with copies of its photos, see :mod:`interpret.study.copies`."""

PAD = -1
"""Fills the columns of an array of units beyond the length of a transaction."""

IMAGES = pa.schema(
    [
        ("image_id", pa.int64()),
        ("path", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("label", pa.int32()),
        ("predicted", pa.int32()),
        ("confidence", pa.float32()),
    ]
)


class ImageRow(NamedTuple):
    """What a reader takes from one row of a study's table of images."""

    image_id: int
    path: str
    predicted: int
    confidence: float


PATCHES = pa.schema(
    [
        ("patch_id", pa.int64()),
        ("image_id", pa.int64()),
        ("x0", pa.int32()),
        ("y0", pa.int32()),
        ("x1", pa.int32()),
        ("y1", pa.int32()),
        ("mass", pa.float32()),
        ("predicted", pa.int32()),
        ("units", pa.list_(pa.int32())),
        ("scores", pa.list_(pa.float32())),
    ]
)
SKIPPED = pa.schema([("path", pa.string()), ("reason", pa.string())])
PRINTS = pa.schema(
    [
        ("name", pa.string()),
        ("size", pa.int64()),
        ("mtime_ns", pa.int64()),
        ("ctime_ns", pa.int64()),
        ("inode", pa.int64()),
        ("content", pa.binary()),
        ("ends", pa.binary()),
    ]
)
"""A cache, see :mod:`interpret.study.prints`: no result depends on it, and a study without it is complete."""

TABLES = {"images": IMAGES, "patches": PATCHES, "skipped": SKIPPED}
ARRAYS = ("features", "cams", "activations")
