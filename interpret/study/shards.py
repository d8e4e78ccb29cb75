"""A shard: what a fixed stretch of the list of photos gives, before all of them are joined."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa


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
