"""The format of a study: its version, the columns of its tables, and the names of its arrays."""

from typing import NamedTuple

import pyarrow as pa

SCHEMA_VERSION = 2
"""Part of the keys of studies and results; raised whenever a file of the folder changes its meaning."""

FORMAT_VERSION = 3
"""What a manifest states; raised whenever its own fields change."""

FIRST_WITH_DIGESTS = 3
"""The first version of the manifest that holds digests of itself and of the study's files."""

READABLE = (1, 2, 3)
"""Versions of the manifest that can be opened; studies of version 1 have no contrast."""

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
CONTRAST = PATCHES.insert(PATCHES.get_field_index("units"), pa.field("target", pa.int32()))
"""Patches of photos explained for a class, ``target``, that they are not predicted as."""

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
"""See :mod:`interpret.study.prints`: nothing in the study depends on it, and a study without it is complete."""

TABLES = {"images": IMAGES, "patches": PATCHES, "contrast": CONTRAST, "skipped": SKIPPED}
ARRAYS = ("features", "cams", "outside", "offset", "pixels", "activations")

FILES = frozenset({*(f"{name}.parquet" for name in TABLES), *(f"{name}.npy" for name in ARRAYS)})
"""Every file of a study that its manifest answers for."""

ALWAYS = FILES - {"outside.npy", "offset.npy", "pixels.npy", "activations.npy"}
"""Those that every study has. The others are stored only where the head needs them: activations; ``outside`` (n, P, K)
float32, the tokens outside their grid and a code's errors; ``offset`` (n, C) float32, the part of the logits that no
latent of a code has; ``pixels`` (n, H, W, 3) uint8, the inputs, where the whole network is run."""
