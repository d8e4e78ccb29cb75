"""Grad-CAM (Selvaraju et al., IJCV 2019) from one forward pass.

    alpha_k = mean over h, w of d y_c / d A_k        map = ReLU(sum over k of alpha_k A_k)

The backbone (up to and including the layer) runs without a graph; the gradient is taken through the head alone.
"""

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from interpret.errors import InputError
from interpret.models.hooks import capture


@dataclass(frozen=True, eq=False)
class BatchExplanation:
    """Grad-CAM of a batch of B images; float32 tensors on the network's device.

    Attributes:
        logits: (B, C).
        targets: (B,) int64, the class that each image was explained for.
        activations: (B, K, h, w), the layer's output A.
        alphas: (B, K), the gradient of the target's logit, averaged over the layer's grid.
        maps: (B, h, w), ReLU of the weighted sum, on the layer's grid and in its scale; zero where no unit supports the
            target class.
    """

    logits: Tensor
    targets: Tensor
    activations: Tensor
    alphas: Tensor
    maps: Tensor

    def select(self, mask: Tensor) -> "BatchExplanation":
        """The explanations of the images where ``mask`` (B,) bool is True."""
        tensors = (self.logits, self.targets, self.activations, self.alphas, self.maps)
        return BatchExplanation(*(tensor[mask] for tensor in tensors))


def explain(network: nn.Module, layer: str, inputs: Tensor, targets: Tensor | None = None) -> BatchExplanation:
    """Grad-CAM of each image of a batch.

    Args:
        network: a classifier that maps (B, 3, H, W) to logits (B, C).
        layer: the name of the module whose output channels are the units.
        inputs: (B, 3, H, W), normalised, on the network's device and of its first parameters' type.
        targets: (B,) int64 classes to explain; the predicted ones if None.

    Works inside ``torch.no_grad()`` and ``torch.inference_mode()`` too; the caller's mode is left as it was.

    Raises:
        InputError: the layer does not exist, has no spatial extent, or does not reach the logits; or the network's
            weights were made inside ``torch.inference_mode()``.
    """
    if any(tensor.is_inference() for tensor in itertools.chain(network.parameters(), network.buffers())):
        raise InputError(
            "The network's weights were made inside torch.inference_mode(), where no gradient can be taken through "
            "them; build or load the network outside of it."
        )
    with torch.inference_mode(False), capture(network, layer, gradient=True) as captured, torch.no_grad():
        logits = network(_outside_inference(inputs))
        activations = captured.activations
        unused = InputError(f"The layer {layer!r} has no part in the network's output; choose another one.")
        if activations is None or not logits.requires_grad:
            raise unused
        if targets is None:
            targets = logits.argmax(dim=1)
        targets = _outside_inference(targets)
        chosen = logits.gather(1, targets[:, None]).sum()  # images do not mix, so one backward pass serves them all
        (gradient,) = torch.autograd.grad(chosen, activations, allow_unused=True)
        if gradient is None:
            raise unused
    activations = activations.detach().float()
    alphas = gradient.float().mean(dim=(2, 3))  # (B, K)
    maps = torch.einsum("bk,bkhw->bhw", alphas, activations).relu()
    return BatchExplanation(logits.detach().float(), targets, activations, alphas, maps)


def _outside_inference(tensor: Tensor) -> Tensor:
    """A tensor that autograd may save: a copy of one that was made in inference mode."""
    return tensor.clone() if tensor.is_inference() else tensor


def upsample(maps: Tensor, height: int, width: int) -> npt.NDArray[np.float32]:
    """Maps (B, h, w) upsampled to (B, height, width) pixels and divided by their own maximum; all-zero maps stay zero.

    Bilinear between the centres of the spatial locations (``align_corners=False``), because each stands for an area.
    """
    large = F.interpolate(maps[:, None].float(), size=(height, width), mode="bilinear", align_corners=False)[:, 0]
    peak = large.amax(dim=(1, 2), keepdim=True)
    return (large / peak.clamp_min(torch.finfo(torch.float32).tiny)).cpu().numpy()
