"""How well each unit's activation coincides with each part's mask: the scores of Network Dissection.

Bau, Zhou, Khosla, Oliva, Torralba: "Network Dissection: Quantifying Interpretability of Deep Visual Representations",
CVPR 2017. A unit's threshold T is the value that a share of 0.005 of its activations, over all cells of all images,
exceeds. Its activation is brought to the masks' size bilinearly and cut at T. The score of unit k and part p is the
intersection over union of the two regions, each summed over all images before the division.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from interpret.config import DissectConfig

Bits = NDArray[np.bool_]

QUANTILE = DissectConfig.quantile
"""Share of a unit's activations above its threshold, as in the paper."""

_CHUNK_VALUES = 1 << 24  # float32 numbers worked on at a time


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Pixel counts over a set of images, for K units and P parts.

    Attributes:
        parts: the P names.
        intersection: (K, P) int64, pixels where the unit fires and the part is seen.
        fired: (K,) int64, pixels where the unit fires.
        labelled: (P,) int64, pixels where the part is seen.
        thresholds: (K,) float32, activation above which a unit fires.
        seen: (n, P) bool, whether image i shows part p at all.
    """

    parts: tuple[str, ...]
    intersection: NDArray[np.int64]
    fired: NDArray[np.int64]
    labelled: NDArray[np.int64]
    thresholds: NDArray[np.float32]
    seen: Bits

    def __post_init__(self) -> None:
        for array in (self.intersection, self.fired, self.labelled, self.thresholds, self.seen):
            array.setflags(write=False)

    @property
    def iou(self) -> NDArray[np.float64]:
        """(K, P) intersection over union, 0 where both regions are empty."""
        union = self.fired[:, None] + self.labelled[None, :] - self.intersection
        return self.intersection / np.maximum(union, 1)


def thresholds(activations: NDArray[np.floating], quantile: float = QUANTILE) -> NDArray[np.float32]:
    """For each unit the smallest of its values that at most a share ``quantile`` of them exceeds.

    Args:
        activations: (n, K, h, w), may be memory-mapped.
        quantile: share of the n h w values, 0 to 1.

    Returns:
        (K,) float32. A unit that is positive more rarely than that gets 0: it fires wherever it is positive.
    """
    n, units, height, width = activations.shape
    values = n * height * width
    above = min(int(Fraction(str(quantile)) * values), values - 1)
    found = np.empty(units, dtype=np.float32)
    step = max(1, _CHUNK_VALUES // values)
    for start in range(0, units, step):
        chunk = np.asarray(activations[:, start : start + step], dtype=np.float32)
        rows = np.moveaxis(chunk, 1, 0).reshape(chunk.shape[1], values)
        found[start : start + step] = np.partition(rows, values - 1 - above, axis=1)[:, values - 1 - above]
    return found


def enlarger(cells: int, pixels: int) -> NDArray[np.float32]:
    """(pixels, cells) weights of bilinear interpolation between the centres of cells, constant beyond the outermost."""
    centre = (np.arange(pixels) + 0.5) * cells / pixels - 0.5
    centre = centre.clip(0, cells - 1)
    left = np.minimum(np.floor(centre).astype(np.int64), max(cells - 2, 0))
    share = centre - left
    weights = np.zeros((pixels, cells), dtype=np.float32)
    rows = np.arange(pixels)
    weights[rows, left] = 1 - share
    weights[rows, np.minimum(left + 1, cells - 1)] += share
    return weights


def overlaps(
    activations: NDArray[np.floating],
    masks: Callable[[int], Mapping[str, Bits]],
    parts: Sequence[str],
    *,
    quantile: float = QUANTILE,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Overlaps:
    """Count the pixels that units and parts share over a set of images.

    Args:
        activations: (n, K, h, w), may be memory-mapped.
        masks: from the number of an image to its masks, part name -> (H, W) bool over the same view of the image as
            the activations'; parts that it does not show may be left out. All images have the same H and W.
        parts: the names to score; masks of other names are ignored.
        quantile: see :func:`thresholds`.
        progress: called with images done and images in all.
    """
    n, units, height, width = activations.shape
    limit = thresholds(activations, quantile)
    intersection = np.zeros((units, len(parts)), dtype=np.int64)
    fired, labelled = np.zeros(units, dtype=np.int64), np.zeros(len(parts), dtype=np.int64)
    seen = np.zeros((n, len(parts)), dtype=np.bool_)
    for image in range(n):
        found = masks(image)
        shown = [place for place, part in enumerate(parts) if part in found and found[part].any()]
        size = next(iter(found.values())).shape if found else (height, width)
        regions = np.array([found[parts[place]].ravel() for place in shown], dtype=np.float32)
        labelled[shown] += regions.sum(1).astype(np.int64) if shown else 0
        seen[image, shown] = True
        down, across = enlarger(height, size[0]), enlarger(width, size[1])
        step = max(1, _CHUNK_VALUES // (size[0] * size[1]))
        for start in range(0, units, step):
            chunk = slice(start, min(start + step, units))
            field = down @ np.asarray(activations[image, chunk], dtype=np.float32) @ across.T
            fires = (field > limit[chunk, None, None]).reshape(field.shape[0], -1)
            fired[chunk] += fires.sum(1)
            if shown:  # sums of ones below 2 ** 24: exact in float32
                intersection[chunk, shown] += (fires.astype(np.float32) @ regions.T).astype(np.int64)
        progress(image + 1, n)
    return Overlaps(tuple(parts), intersection, fired, labelled, limit, seen)
