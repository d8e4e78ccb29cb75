"""Patches: the regions of a photo that its explanation highlights. Many maps are cut at once in `regions.py`."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from interpret.config import ExtractConfig
from interpret.explanation.regions import Regions, Runs, cut_runs, find_runs

EIGHT = np.ones((3, 3), dtype=int)
"""The neighbourhood of 8-connected components, for SciPy."""


@dataclass(frozen=True, eq=False)
class Patches:
    """The patches of one map, largest mass first.

    Attributes:
        boxes: (n, 4) int64 x0, y0, x1, y1 in pixels of the map, half-open.
        masses: (n,) float32, the fraction of the map's sum inside each patch's component.
    """

    boxes: npt.NDArray[np.int64]
    masses: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        self.boxes.setflags(write=False)
        self.masses.setflags(write=False)


def cut_by_runs(config: ExtractConfig) -> bool:
    """Whether patches follow from the runs of many maps at once; else maps are cut one by one."""
    return config.threshold == "fraction" and config.patches == "regions"


def cut_maps(
    groups: Iterable[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]], config: ExtractConfig
) -> Regions:
    """Cut n maps, given in groups, into patches, each as :func:`cut` does.

    Args:
        groups: of maps (g, H, W), as :func:`cut` takes one, and the same maps on the layer's grid (g, h, w) or None. A
            group is not used any more once the next one is asked for.
        config: likewise.
    """
    if cut_by_runs(config):
        runs: list[Runs] = []
        size = (0, 0)
        for heat, _ in groups:
            size = heat.shape[1:]
            runs.append(find_runs(heat, config.tau))
        return cut_runs(runs, *size, min_area=config.min_area, max_patches=config.max_patches)
    each = [
        cut(field, config, None if grid_maps is None else grid_maps[index])
        for heat, grid_maps in groups
        for index, field in enumerate(heat)
    ]
    return Regions(
        np.repeat(np.arange(len(each)), [len(patches.boxes) for patches in each]).astype(np.int64),
        np.concatenate([np.zeros((0, 4), np.int64), *(patches.boxes for patches in each)]),
        np.concatenate([np.zeros(0, np.float32), *(patches.masses for patches in each)]),
    )


def cut(
    heat: npt.NDArray[np.float32], config: ExtractConfig, grid_map: npt.NDArray[np.float32] | None = None
) -> Patches:
    """Cut one map into patches.

    Args:
        heat: (H, W), at least 0, the map at the size of the network's input.
        config: threshold rule, tau, what a patch is, largest number of patches and smallest area.
        grid_map: (h, w), the map on the layer's grid, before it was upsampled to ``heat``; ``heat`` itself if None.
            Its local maxima are the peaks where patches are ``peaks``: upsampling can split a flat maximum into
            several by rounding.

    Returns:
        The bounding boxes of the 8-connected components at or above the threshold, or of the parts of them around each
        peak; none where the map is zero everywhere. Patches of equal mass are ordered from top to bottom, then from
        left to right.
    """
    from scipy import ndimage  # only where maps are cut one by one: the import takes as long as explaining a photo

    peak = float(heat.max(initial=0.0))
    none = Patches(np.zeros((0, 4), np.int64), np.zeros(0, np.float32))
    if not peak > 0.0:
        return none
    threshold = config.tau * peak
    if config.threshold == "otsu":
        from skimage.filters import threshold_otsu

        # scikit-image's foreground is "greater than" Otsu's value, and ours "at least": take the next value above it.
        # Where the map is constant nothing is above it, and the whole map is one patch.
        threshold = min(peak, float(np.nextafter(threshold_otsu(heat), np.inf)))
    labels = np.empty(heat.shape, np.int32)
    count = ndimage.label(heat >= threshold, structure=EIGHT, output=labels)
    if count == 0:
        return none
    if config.patches == "peaks":
        labels, count = _split_at_valleys(heat, labels, count, heat if grid_map is None else grid_map)
    masses = ndimage.sum_labels(heat.astype(np.float64), labels, np.arange(1, count + 1)) / heat.sum(dtype=np.float64)
    boxes = np.array([(s[1].start, s[0].start, s[1].stop, s[0].stop) for s in ndimage.find_objects(labels)], np.int64)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    order = np.lexsort((boxes[:, 0], boxes[:, 1], -masses))
    order = order[area[order] >= config.min_area * heat.size][: config.max_patches]
    return Patches(boxes[order], masses[order].astype(np.float32))


def _split_at_valleys(
    heat: npt.NDArray[np.float32], labels: npt.NDArray[np.int32], count: int, grid_map: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int32], int]:
    """Split each component by a watershed from its peaks; a component without a peak stays whole.

    Args:
        heat: (H, W), the upsampled map.
        labels: (H, W), components numbered 1..``count``, 0 outside.
        count: number of components.
        grid_map: (h, w), the map whose local maxima are the peaks; a flat maximum is one peak.

    Returns:
        Labels (H, W) of the parts, numbered from 1 without gaps, and their number.
    """
    from scipy import ndimage
    from skimage.morphology import local_maxima
    from skimage.segmentation import watershed

    peaks, n_peaks = ndimage.label(local_maxima(grid_map, connectivity=2), structure=EIGHT)
    rows, columns = np.nonzero(peaks)
    scale = np.array(heat.shape) / grid_map.shape
    y, x = ((rows + 0.5) * scale[0]).astype(int), ((columns + 0.5) * scale[1]).astype(int)
    markers = np.zeros(heat.shape, np.int32)
    markers[y, x] = peaks[rows, columns]
    markers[labels == 0] = 0
    without_peak = np.setdiff1d(np.arange(1, count + 1), labels[markers > 0])
    whole = np.isin(labels, without_peak)
    markers[whole] = labels[whole] + n_peaks
    parts = watershed(-heat, markers, connectivity=EIGHT, mask=labels > 0)
    numbers = np.unique(parts[parts > 0])
    return np.where(parts > 0, np.searchsorted(numbers, parts) + 1, 0).astype(np.int32), len(numbers)
