"""How well each unit's activation coincides with each part's mask: the scores of Network Dissection.

Bau, Zhou, Khosla, Oliva, Torralba: "Network Dissection: Quantifying Interpretability of Deep Visual Representations",
CVPR 2017. A unit's threshold T is the value that a fraction of 0.005 of its activations, over all locations of all
images, exceeds. Its activation is resized bilinearly to the network's input and cut at T. The score of unit k and part
p is the intersection over union of the two regions, each summed over all images before the division. Every image is
counted at the same size, whether or not it has masks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from interpret.config import DissectConfig

Bits = NDArray[np.bool_]

QUANTILE = DissectConfig.quantile
"""Fraction of a unit's activations above its threshold, as in the paper."""

_CHUNK_VALUES = 1 << 24  # float32 numbers worked on at a time


@dataclass(frozen=True, eq=False)
class Overlaps:
    """Pixel counts over a set of images, for K units and P parts.

    Attributes:
        parts: the P names.
        intersection: (K, P) int64, pixels of the network's input where the unit fires and the part is seen.
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
    """For each unit the smallest of its values that at most a fraction ``quantile`` of them exceeds.

    Args:
        activations: (n, K, h, w), may be memory-mapped.
        quantile: fraction of the n h w values, 0 to 1.

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


def bilinear(locations: int, pixels: int) -> NDArray[np.float32]:
    """(pixels, locations) weights that resize one axis of a grid bilinearly, constant beyond the outermost centres."""
    centre = (np.arange(pixels) + 0.5) * locations / pixels - 0.5
    centre = centre.clip(0, locations - 1)
    left = np.minimum(np.floor(centre).astype(np.int64), max(locations - 2, 0))
    fraction = centre - left
    weights = np.zeros((pixels, locations), dtype=np.float32)
    rows = np.arange(pixels)
    weights[rows, left] = 1 - fraction
    weights[rows, np.minimum(left + 1, locations - 1)] += fraction
    return weights


def overlaps(
    activations: NDArray[np.floating],
    masks: Callable[[int], Mapping[str, Bits]],
    parts: Sequence[str],
    size: tuple[int, int],
    *,
    quantile: float = QUANTILE,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Overlaps:
    """Count the pixels that units and parts share over a set of images.

    Args:
        activations: (n, K, h, w), may be memory-mapped.
        masks: from the number of an image to its masks, part name -> (H, W) bool; a part that the image does not show
            may be missing.
        parts: the names to score; masks of other names are ignored.
        size: H and W, those of the network's input (pixels).
        quantile: see :func:`thresholds`.
        progress: called with images done and images in all (counts).
    """
    n, units, height, width = activations.shape
    limit = thresholds(activations, quantile)
    down, across = bilinear(height, size[0]), bilinear(width, size[1])
    step = max(1, _CHUNK_VALUES // (size[0] * size[1]))
    intersection = np.zeros((units, len(parts)), dtype=np.int64)
    fired, labelled = np.zeros(units, dtype=np.int64), np.zeros(len(parts), dtype=np.int64)
    seen = np.zeros((n, len(parts)), dtype=np.bool_)
    for image in range(n):
        found = masks(image)
        visible = [place for place, part in enumerate(parts) if part in found and found[part].any()]
        regions = np.array([found[parts[place]].ravel() for place in visible], dtype=np.float32)
        labelled[visible] += regions.sum(1).astype(np.int64) if visible else 0
        seen[image, visible] = True
        for start in range(0, units, step):
            chunk = slice(start, min(start + step, units))
            field = down @ np.asarray(activations[image, chunk], dtype=np.float32) @ across.T
            fires = (field > limit[chunk, None, None]).reshape(field.shape[0], -1)
            fired[chunk] += fires.sum(1)
            if visible:  # sums of ones below 2 ** 24: exact in float32
                intersection[chunk, visible] += (fires.astype(np.float32) @ regions.T).astype(np.int64)
        progress(image + 1, n)
    return Overlaps(tuple(parts), intersection, fired, labelled, limit, seen)
