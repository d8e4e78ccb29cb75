"""The stages for one batch of photos: decode, explain by Grad-CAM, cut into patches, encode as units."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interpret.config import ExtractConfig
from interpret.data.datasets import Photo
from interpret.data.photos import UnreadablePhoto, read_photo
from interpret.data.preprocessing import Preprocessing
from interpret.explanation.encoding import RankedUnits, pool_patches, rank_units
from interpret.explanation.gradcam import BatchExplanation, explain, upsample
from interpret.explanation.patches import cut_maps
from interpret.explanation.regions import Regions
from interpret.models import Classifier
from interpret.models.head import find_head, trial_inputs
from interpret.models.precision import prepare

CROPS = 32
"""Cropped patches per forward pass. It may change float rounding, and with it what a study holds."""


@dataclass(frozen=True, eq=False)
class DecodedPhoto:
    """A photo brought to the size of the network's input.

    Attributes:
        photo: the photo's file and label.
        pixels: (H, W, 3) uint8, the network's input before normalisation; None where the photo cannot be read.
        size: width and height of the source photo in pixels; (0, 0) where it cannot be read.
        reason: why it cannot be read; empty where it can.
    """

    photo: Photo
    pixels: npt.NDArray[np.uint8] | None
    size: tuple[int, int]
    reason: str = ""


def decode(photo: Photo, preprocessing: Preprocessing) -> DecodedPhoto:
    """Open one photo and bring it to the network's input size; a file that cannot be read is marked, not raised."""
    try:
        image, size = read_photo(photo.path)
        return DecodedPhoto(photo, preprocessing.apply(image), size)
    except UnreadablePhoto as error:
        return DecodedPhoto(photo, None, (0, 0), error.reason)


def decode_ahead(
    photos: Sequence[Photo], preprocessing: Preprocessing, decoders: ThreadPoolExecutor, depth: int
) -> Iterator[DecodedPhoto]:
    """Decode photos in order, up to ``depth`` of them in advance, while the network works on earlier ones."""
    waiting: list[Future[DecodedPhoto]] = []
    for photo in photos:
        waiting.append(decoders.submit(decode, photo, preprocessing))
        if len(waiting) > depth:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


@dataclass(frozen=True, eq=False)
class Extractor:
    """A network prepared for extraction, and the options by which its explanations become patches and units.

    Attributes:
        network: from :func:`interpret.models.precision.prepare`.
        layer: the module whose channels are the units.
        preprocessing: from a photo to the network's input, and back.
        config: threshold, score and encoding.
        device: the network's device.
        keep_activations: whether to store the layer's whole output, for a head that is not pooling and a linear map.
    """

    network: nn.Module
    layer: str
    preprocessing: Preprocessing
    config: ExtractConfig
    device: torch.device
    keep_activations: bool

    def inputs(self, pixels: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
        """(B, 3, H, W) normalised, on the network's device, from B images (H, W, 3) uint8."""
        stacked = torch.from_numpy(np.stack(pixels)).to(self.device)
        return self.preprocessing.normalise(stacked).contiguous(memory_format=torch.channels_last)

    def grad_cam(
        self, inputs: Tensor, targets: Tensor | None = None, further: Callable[[Tensor], Tensor] | None = None
    ) -> BatchExplanation:
        """Grad-CAM of a batch of inputs (B, 3, H, W), as :func:`interpret.explanation.gradcam.explain` takes them."""
        return explain(self.network, self.layer, inputs, targets, further)

    def cut_patches(self, maps: Tensor) -> Regions:
        """The patches of maps (n, h, w), in pixels of the network's input."""
        return cut_maps(upsample(maps, *self.preprocessing.size), self.config, maps.cpu().numpy())

    def encode_patches(
        self,
        explanation: BatchExplanation,
        inputs: Tensor,
        regions: Regions,
        images: npt.NDArray[np.int64],
        targets: Tensor,
        alphas: Tensor,
    ) -> RankedUnits:
        """The ranked units of the patches of n maps.

        Args:
            explanation: of the B images that the maps belong to.
            inputs: (B, 3, H, W), those images.
            regions: from :meth:`cut_patches`.
            images: (n,) int64, the image of each map.
            targets: (n,) int64, the class that each map explains.
            alphas: (n, K), the gradients of each map.
        """
        if not len(regions):
            return rank_units(torch.zeros(0, alphas.shape[1]), self.config.stored_units)
        maps = torch.from_numpy(regions.owners.copy()).to(self.device)
        owners = torch.from_numpy(images[regions.owners]).to(self.device)
        boxes = torch.from_numpy(regions.boxes.copy()).to(self.device)
        if self.config.encoding == "crop":
            weights, pooled = self._crops(inputs, owners, boxes, targets[maps])
        else:
            weights = alphas[maps]
            pooled = pool_patches(explanation.activations, owners, boxes, *self.preprocessing.size)
        scores = weights * pooled if self.config.score == "contribution" else pooled
        return rank_units(scores, self.config.stored_units)

    def _crops(self, inputs: Tensor, owners: Tensor, boxes: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Alphas and pooled activations, (n, K) each, of patches cropped, resized to the input and run again."""
        alphas, pooled = [], []
        for start in range(0, len(owners), CROPS):
            chosen = slice(start, start + CROPS)
            crops = [
                F.interpolate(
                    inputs[owner : owner + 1, :, y0:y1, x0:x1],
                    size=self.preprocessing.size,
                    mode="bilinear",
                    align_corners=False,
                )
                for owner, (x0, y0, x1, y1) in zip(owners[chosen].tolist(), boxes[chosen].tolist(), strict=True)
            ]
            batch = torch.cat(crops).contiguous(memory_format=torch.channels_last)
            explanation = self.grad_cam(batch, targets[chosen])
            alphas.append(explanation.alphas)
            pooled.append(explanation.activations.mean(dim=(2, 3)))
        return torch.cat(alphas), torch.cat(pooled)


def make_extractor(
    classifier: Classifier, config: ExtractConfig, device: torch.device, precision: str
) -> tuple[Extractor, int]:
    """An extractor with a private copy of the network, and the number of units K.

    Args:
        classifier: on any device, of any floating-point type; not changed.
        config: how explanations become patches and units.
        device: where the copy runs.
        precision: of the copy's backbone: ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        InputError: the layer does not fit, or the network does not run in this precision.
    """
    trial = trial_inputs(classifier.preprocessing.size)
    exact = prepare(classifier.network, classifier.layer, device, "float32", trial[:1])
    head = find_head(exact, classifier.layer, trial.to(device))
    network = exact if precision == "float32" else prepare(exact, classifier.layer, device, precision, trial[:1])
    extractor = Extractor(
        network, classifier.layer, classifier.preprocessing, config, device, keep_activations=not head.linear
    )
    n_units = extractor.grad_cam(trial.to(device)).alphas.shape[1]
    return extractor, n_units
