"""The stages for one batch of photos: explain by Grad-CAM, cut into patches, encode as units."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interpret.config import Arithmetic, ExtractConfig
from interpret.data.preprocessing import Preprocessing
from interpret.explanation import device_runs
from interpret.explanation.encoding import RankedUnits, pool_patches, rank_units
from interpret.explanation.gradcam import BatchExplanation, Forward, explain_pass, run_forward
from interpret.explanation.patches import cut_by_runs, cut_maps
from interpret.explanation.regions import Regions, cut_runs
from interpret.explanation.upsampling import upsampled
from interpret.models import Classifier
from interpret.models.head import find_head, trial_inputs
from interpret.models.layout import At
from interpret.models.precision import prepare

MAPS = 16
"""Maps cut at a time (count): as many as a processor's cache holds at the size of the input."""

GPU_MAPS = 256
"""The same on a GPU, where each takes some MB for a moment."""

CROPS = 32
"""Cropped patches per forward pass. It may change float rounding, and with it what a study holds."""


@dataclass(frozen=True, eq=False)
class Extractor:
    """A network prepared for extraction, and the options by which its explanations become patches and units.

    Attributes:
        network: from :func:`interpret.models.precision.prepare`.
        layer: the layer whose channels are the units.
        preprocessing: from a photo to the network's input, and back.
        config: threshold, score and encoding.
        device: the network's device.
        weight: (C, K) of a head that is pooling and a linear map; None for any other head, for which the layer's whole
            output is stored.
        reads: what the head reads beside it and is stored too, see :attr:`interpret.models.head.Head.reads`.
    """

    network: nn.Module
    layer: At
    preprocessing: Preprocessing
    config: ExtractConfig
    device: torch.device
    weight: Tensor | None = None
    reads: str = ""

    @property
    def keep_activations(self) -> bool:
        """Whether to store the layer's whole output."""
        return self.weight is None

    def inputs(self, pixels: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
        """(B, 3, H, W) normalised, on the network's device, from B images (H, W, 3) uint8."""
        return self.normalised(self.on_device(pixels))

    def on_device(self, pixels: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
        """(B, H, W, 3) uint8 on the network's device, B images."""
        if self.device.type != "cuda":
            return torch.from_numpy(np.stack(pixels)).to(self.device)
        # From pinned memory: a copy from other memory would wait for the batches before.
        stacked = torch.empty((len(pixels), *pixels[0].shape), dtype=torch.uint8, pin_memory=True)
        np.stack(pixels, out=stacked.numpy())
        return stacked.to(self.device, non_blocking=True)

    def normalised(self, there: Tensor) -> Tensor:
        """(B, 3, H, W) from what :meth:`on_device` gives."""
        return self.preprocessing.normalise(there).contiguous(memory_format=torch.channels_last)

    def grad_cam(
        self, inputs: Tensor, targets: Tensor | None = None, further: Callable[[Tensor], Tensor] | None = None
    ) -> BatchExplanation:
        """Grad-CAM of a batch of inputs (B, 3, H, W), as :func:`interpret.explanation.gradcam.explain` takes them."""
        passed = self.forward(self.network, inputs)
        others = None if further is None else further(passed.logits.detach().argmax(dim=1))
        return self.explain_pass(passed, targets, others)

    def forward(self, network: nn.Module, inputs: Tensor) -> Forward:
        """The forward pass of a batch (B, 3, H, W) through ``network``, the extractor's own or a copy of it."""
        return run_forward(network, self.layer, inputs, graph=self.weight is None)

    def explain_pass(self, passed: Forward, targets: Tensor | None, further: Tensor | None) -> BatchExplanation:
        """Grad-CAM of a batch whose forward pass has run, see :func:`interpret.explanation.gradcam.explain_pass`."""
        return explain_pass(passed, self.layer, targets, further, self.weight)

    def cut_patches(self, maps: Tensor) -> Regions:
        """The patches of maps (n, h, w), in pixels of the network's input."""
        size, config = self.preprocessing.size, self.config
        if maps.device.type == "cuda" and cut_by_runs(config):  # others lack float64, or an operation
            runs = [device_runs.find_runs(upsampled(part, *size), config.tau) for part in maps.split(GPU_MAPS)]
            return cut_runs(runs, *size, min_area=config.min_area, max_patches=config.max_patches)
        # New memory for every group would cost more than the upsampling: the system clears each page of it.
        room = torch.empty((min(MAPS, len(maps)), *size), device=maps.device)
        groups = (
            (upsampled(part, *size, out=room[: len(part)]).cpu().numpy(), part.cpu().numpy())
            for part in maps.split(MAPS)
        )
        return cut_maps(groups, config)

    def encode_patches(
        self,
        explanation: BatchExplanation,
        inputs: Tensor | None,
        regions: Regions,
        images: npt.NDArray[np.int64],
        targets: Tensor,
        alphas: Tensor,
    ) -> RankedUnits:
        """The ranked units of the patches of n maps.

        Args:
            explanation: of the B images that the maps belong to.
            inputs: (B, 3, H, W), those images; None where they are not cropped.
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
        if inputs is not None and self.config.encoding == "crop":
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
    classifier: Classifier, config: ExtractConfig, device: torch.device, arithmetic: Arithmetic
) -> tuple[Extractor, int]:
    """An extractor with a private copy of the network, and the number of units K.

    Args:
        classifier: on any device, of any floating-point type; not changed.
        config: how explanations become patches and units.
        device: where the copy runs.
        arithmetic: how the copy computes.

    Raises:
        InputError: the layer does not fit, or the network does not run in this precision.
    """
    trial, layer = trial_inputs(classifier.preprocessing.size), classifier.hook_point
    network = prepare(classifier.network, layer, device, arithmetic, trial[:1])
    exact = network
    if arithmetic.precision != "float32":  # the head's linear map is found by comparing numbers
        exact = prepare(classifier.network, layer, device, Arithmetic("float32", folded=False), trial[:1])
    head = find_head(exact, layer, trial.to(device))
    extractor = Extractor(network, layer, classifier.preprocessing, config, device, head.weight, head.reads)
    n_units = extractor.grad_cam(trial.to(device)).alphas.shape[1]
    return extractor, n_units
