"""A shard: the results of a fixed stretch of the list of photos, before all shards are joined."""

from dataclasses import dataclass

import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Shard:
    """The results of a stretch of photos. Ids start at zero in every shard; joining the shards renumbers them.

    Attributes:
        images: rows of ``IMAGES``.
        patches: rows of ``PATCHES``, in the order of their images.
        contrast: rows of ``CONTRAST``, in the order of their images.
        skipped: rows of ``SKIPPED``.
        arrays: by name, one row per image: ``features`` (n, K) float32, ``cams`` (n, h, w) float16 and, if they are
            stored, ``activations`` (n, K, h, w) float16, ``outside`` (n, P, K) and ``offset`` (n, C) float32, and
            ``pixels`` (n, H, W, 3) uint8.
    """

    images: pa.Table
    patches: pa.Table
    contrast: pa.Table
    skipped: pa.Table
    arrays: dict[str, npt.NDArray]
