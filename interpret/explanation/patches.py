"""Patches: the regions of a photo that its explanation highlights."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import local_maxima
from skimage.segmentation import watershed

from interpret.config import ExtractConfig

EIGHT = np.ones((3, 3), dtype=int)
"""Neighbours that count as connected: the diagonal ones too."""


@dataclass(frozen=True, eq=False)
class Patches:
    """The patches of one map, largest mass first.

    Attributes:
        boxes: (n, 4) int64 x0, y0, x1, y1 in pixels of the map, half-open.
        masses: (n,) float32, the fraction of the map's total that lies in the patch's component.
    """

    boxes: npt.NDArray[np.int64]
    masses: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        self.boxes.setflags(write=False)
        self.masses.setflags(write=False)


def cut(heat: npt.NDArray[np.float32], config: ExtractConfig, cells: npt.NDArray[np.float32] | None = None) -> Patches:
    """Cut one map into patches.

    Args:
        heat: (H, W), at least 0, at the size of the image as the network saw it.
        config: threshold rule, tau, what a patch is, largest number of patches and smallest area.
        cells: (h, w), the map before it was enlarged to ``heat``, whose local maxima are the peaks where the patches
            are ``peaks``; ``heat`` itself if None. (Enlarged, a flat top may fall apart into several by rounding.)

    Returns:
        The bounding boxes of the 8-connected components at or above the threshold, or of the parts of them around
        each peak; none where the map is zero everywhere. Those of equal mass are ordered by their position, top to
        bottom and left to right.
    """
    peak = float(heat.max(initial=0.0))
    none = Patches(np.zeros((0, 4), np.int64), np.zeros(0, np.float32))
    if not peak > 0.0:
        return none
    # Otsu's threshold splits the classes at "greater than", so the nearest value above it is where a patch begins.
    cut = config.tau * peak
    if config.threshold == "otsu":
        cut = min(peak, float(np.nextafter(threshold_otsu(heat), np.inf)))  # a constant map has nothing above it
    labels = np.empty(heat.shape, np.int32)
    count = ndimage.label(heat >= cut, structure=EIGHT, output=labels)
    if count == 0:
        return none
    if config.patches == "peaks":
        labels, count = _around_peaks(heat, labels, count, heat if cells is None else cells)
    masses = ndimage.sum_labels(heat.astype(np.float64), labels, np.arange(1, count + 1)) / heat.sum(dtype=np.float64)
    boxes = np.array([(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in ndimage.find_objects(labels)], np.int64)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.lexsort((boxes[:, 0], boxes[:, 1], -masses))
    order = order[area[order] >= config.min_area * heat.size][: config.max_patches]
    return Patches(boxes[order], masses[order].astype(np.float32))


def _around_peaks(
    heat: npt.NDArray[np.float32], labels: npt.NDArray[np.int32], count: int, cells: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int32], int]:
    """Components divided where the map is lowest between their peaks (watershed); one without a peak stays whole."""
    tops, n = ndimage.label(local_maxima(cells, connectivity=2), structure=EIGHT)  # a flat top is one peak
    rows, columns = np.nonzero(tops)
    scale = np.array(heat.shape) / cells.shape
    y, x = ((rows + 0.5) * scale[0]).astype(int), ((columns + 0.5) * scale[1]).astype(int)
    markers = np.zeros(heat.shape, np.int32)
    markers[y, x] = tops[rows, columns]
    markers[labels == 0] = 0
    without = np.setdiff1d(np.arange(1, count + 1), labels[markers > 0])
    whole = np.isin(labels, without)
    markers[whole] = labels[whole] + n
    parts = watershed(-heat, markers, connectivity=EIGHT, mask=labels > 0)
    numbers = np.unique(parts[parts > 0])
    return np.where(parts > 0, np.searchsorted(numbers, parts) + 1, 0).astype(np.int32), len(numbers)
