"""One forward pass per photo: from decoded photos to the rows of a shard."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interpret.config import ExtractConfig
from interpret.data.datasets import Photo
from interpret.data.photos import UnreadablePhoto, open_photo
from interpret.data.preprocessing import Preprocessing
from interpret.explanation.encoding import RankedUnits, pool_patches, rank_units
from interpret.explanation.gradcam import BatchExplanation, explain, upsample
from interpret.explanation.patches import Patches, cut


@dataclass(frozen=True, eq=False)
class DecodedPhoto:
    """A photo as the network will see it.

    Attributes:
        photo: where it came from.
        pixels: (H, W, 3) uint8, the network's input before normalisation; None where the photo cannot be read.
        size: width and height of the source photo in pixels.
        reason: why it cannot be read; empty where it can.
    """

    photo: Photo
    pixels: npt.NDArray[np.uint8] | None
    size: tuple[int, int]
    reason: str = ""


def decode(photo: Photo, preprocessing: Preprocessing) -> DecodedPhoto:
    """Open one photo and bring it to the network's input size; never raises for a bad file."""
    try:
        image = open_photo(photo.path)
        return DecodedPhoto(photo, preprocessing.apply(image), image.size)
    except UnreadablePhoto as error:
        return DecodedPhoto(photo, None, (0, 0), error.reason)


def decode_ahead(
    photos: Sequence[Photo], preprocessing: Preprocessing, pool_of_threads: ThreadPoolExecutor, depth: int
) -> Iterator[DecodedPhoto]:
    """Decode photos in order with ``depth`` of them under way, so that the network never waits for the disk."""
    waiting: list[Future[DecodedPhoto]] = []
    for photo in photos:
        waiting.append(pool_of_threads.submit(decode, photo, preprocessing))
        if len(waiting) > depth:
            yield waiting.pop(0).result()
    for future in waiting:
        yield future.result()


@dataclass(frozen=True, eq=False)
class Extractor:
    """A network made ready, and how its explanations become patches and units.

    Attributes:
        network: from :func:`interpret.models.precision.prepare`.
        layer: the module whose channels are the units.
        preprocessing: from photo to input and back.
        config: thresholds, score and encoding.
        device: where the network is.
        keep_activations: whether A itself is kept, for a head that needs it.
    """

    network: nn.Module
    layer: str
    preprocessing: Preprocessing
    config: ExtractConfig
    device: torch.device
    keep_activations: bool

    def inputs(self, pixels: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
        """(B, 3, H, W) normalised, from B images of (H, W, 3)."""
        stacked = torch.from_numpy(np.stack(pixels)).to(self.device)
        return self.preprocessing.normalise(stacked).contiguous(memory_format=torch.channels_last)

    def grad_cam(self, inputs: Tensor, targets: Tensor | None = None) -> BatchExplanation:
        """Grad-CAM on a batch of inputs."""
        return explain(self.network, self.layer, inputs, targets)

    def cut_patches(self, explanation: BatchExplanation) -> list[Patches]:
        """The patches of each image, in pixels of the network's input."""
        heat = upsample(explanation.maps, *self.preprocessing.size)
        cells = explanation.maps.cpu().numpy()
        return [cut(one, self.config, each) for one, each in zip(heat, cells, strict=True)]

    def encode_patches(self, explanation: BatchExplanation, inputs: Tensor, patches: Sequence[Patches]) -> RankedUnits:
        """The units of all patches of a batch, image after image."""
        counts = [len(each.boxes) for each in patches]
        if sum(counts) == 0:
            return rank_units(torch.zeros(0, explanation.alphas.shape[1]), self.config.stored_units)
        owners = torch.from_numpy(np.repeat(np.arange(len(patches)), counts)).to(self.device)
        boxes = torch.from_numpy(np.concatenate([each.boxes for each in patches])).to(self.device)
        if self.config.encoding == "crop":
            alphas, pooled = self._crops(inputs, owners, boxes, explanation.targets)
        else:
            alphas = explanation.alphas[owners]
            pooled = pool_patches(explanation.activations, owners, boxes, *self.preprocessing.size)
        scores = alphas * pooled if self.config.score == "contribution" else pooled
        return rank_units(scores, self.config.stored_units)

    def _crops(self, inputs: Tensor, owners: Tensor, boxes: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients and pooled activations of the patches cropped, enlarged to the input's size and run again."""
        alphas, pooled = [], []
        for start in range(0, len(owners), 32):
            chosen = slice(start, start + 32)
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
            again = self.grad_cam(batch, targets[owners[chosen]])
            alphas.append(again.alphas)
            pooled.append(again.activations.mean(dim=(2, 3)))
        return torch.cat(alphas), torch.cat(pooled)
