"""Where units fire in photos: their own maps, from stored activations or from the network's forward pass."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from interpret.errors import InputError
from interpret.explanation.photo import Explainer, PhotoExplanation
from interpret.explanation.upsampling import upsample
from interpret.study import Study

Maps = npt.NDArray[np.float32]

BATCH = 8
"""Photos in a forward pass (count)."""


def stored_maps(study: Study, images: Sequence[int], units: Sequence[int]) -> Maps | None:
    """(n, U, h, w) the activations of U units in n photos of a study; None where it stores none."""
    if study.activations is None:
        return None
    found = [np.asarray(study.activations[image][list(units)], np.float32) for image in images]
    return np.stack(found) if found else np.zeros((0, len(units), 1, 1), np.float32)


def computed_maps(explainer: Explainer, photos: Iterable[Image.Image], units: Sequence[int]) -> Maps:
    """(n, U, h, w) the activations of U units in n photos, from the forward pass alone, in float32.

    Not for two threads at once, because a hook is on the network meanwhile.

    Args:
        explainer: of the study's network.
        photos: RGB, upright.
        units: of the explainer's layer.
    """
    extractor = explainer.extractor
    waiting: list[npt.NDArray[np.uint8]] = []
    found: list[Maps] = []

    def run() -> None:
        passed = extractor.forward(extractor.network, extractor.inputs(waiting))
        found.append(passed.activations[:, list(units)].float().cpu().numpy())
        waiting.clear()

    for photo in photos:
        waiting.append(extractor.preprocessing.apply(photo))
        if len(waiting) == BATCH:
            run()
    if waiting:
        run()
    return np.concatenate(found) if found else np.zeros((0, len(units), 1, 1), np.float32)


def heat(maps: Maps) -> Maps:
    """(n, h, w) in 0..1, how strongly units fire at each place: comparable between the n photos.

    Each unit's activations, negative ones as zero, are divided by the largest that it reaches in these photos; of
    several units the mean is taken. The largest value of all is 1 then, unless no unit fires in any of them.

    Args:
        maps: (n, U, h, w).
    """
    positive = np.maximum(maps, 0)
    mean = _over(positive, positive.max(axis=(0, 2, 3), initial=0)[:, None, None]).mean(axis=1, dtype=np.float32)
    return _over(mean, mean.max(initial=0))


def heat_of(explained: PhotoExplanation, unit: int) -> Maps:
    """(H, W) float32 in 0..1, where one unit fires in a photo that was explained, at the size of the network's input.

    It is upsampled as the explanation's map is, and divided by its maximum; zero everywhere if the unit does not fire.

    Raises:
        InputError: the layer has no such unit.
    """
    count = len(explained.activations)
    if not 0 <= unit < count:
        raise InputError(f"There is no unit {unit}; the layer has {count}, counted from 0.")
    positive = torch.from_numpy(np.maximum(explained.activations[unit], 0))
    return upsample(positive[None], *explained.heat.shape)[0]


def _over(values: Maps, largest: npt.NDArray[np.float32]) -> Maps:
    """Values divided by their largest, which may be zero where they all are."""
    return np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)
