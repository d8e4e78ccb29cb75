"""Other attributions beside Grad-CAM, computed by captum, cut into patches and encoded as units as its maps are.

captum is optional: it is imported when an attribution is asked for.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from interpret.errors import InputError
from interpret.explanation.gradcam import BatchExplanation
from interpret.explanation.photo import Explainer, PhotoExplanation
from interpret.explanation.upsampling import upsample
from interpret.models.head import Head

ABLATION_CAM, OCCLUSION, INTEGRATED_GRADIENTS = "Ablation-CAM", "occlusion", "integrated gradients"

METHODS = (ABLATION_CAM, OCCLUSION, INTEGRATED_GRADIENTS)
"""What :func:`attribute` computes."""

HOW_TO_GET = "Other attributions are computed by captum, which is not installed here; get it with: pip install captum"
"""The sentence where captum is missing."""

STRIDES = 8
"""Strides of the occluding square along each side of the input (count); the square is two strides wide."""

STEPS = 32
"""Steps on the path of integrated gradients (count)."""

BATCH = 8
"""Inputs in a forward pass (count)."""

VALUES = 1 << 24
"""Activations that the head is run on at a time (count): each time it runs the backbone too, and discards that."""


def is_available() -> bool:
    """Whether captum is installed."""
    return importlib.util.find_spec("captum") is not None


def attribute(explainer: Explainer, photo: Image.Image, explained: PhotoExplanation, method: str) -> PhotoExplanation:
    """The explanation of a photo with another attribution's map in place of Grad-CAM's, for the same class.

    - ``Ablation-CAM`` (Desai and Ramaswamy, WACV 2020): ReLU of the sum over k of w_k A_k, where w_k is by how much the
      class's logit falls when unit k is ablated. The paper divides all w_k by the logit, which no scaled map shows.
    - ``occlusion`` (Zeiler and Fergus, ECCV 2014): by how much the logit falls when a square is covered, mean over the
      squares that cover a pixel. The square is a quarter of the input's side and moves by an eighth.
    - ``integrated gradients`` (Sundararajan et al., ICML 2017): the gradient at each pixel, integrated on the straight
      path from the baseline to the photo, times their difference; 32 steps of Gauss-Legendre quadrature.

    A covered pixel and the baseline are 0 in the network's normalised input: the mean colour of its training photos.
    The attributions of pixels are summed over the colours, averaged over each location of the layer's grid, and set to
    zero where negative. From there on the map is treated as Grad-CAM's: upsampled, cut into patches by the same rule,
    and each patch encoded by the same scores. With the score ``contribution`` these hold Grad-CAM's alpha, so that the
    units of two methods differ only by where the methods look.

    Not for two threads at once, because hooks are on the network meanwhile.

    Args:
        explainer: that explained the photo.
        photo: RGB, upright.
        explained: its Grad-CAM explanation, for the class to attribute.
        method: one of :data:`METHODS`.

    Returns:
        The same photo, class, logits, activations and alphas; heat, boxes, masses, units and scores are the method's.

    Raises:
        InputError: captum is not installed, or there is no such method.
    """
    if method not in METHODS:
        raise InputError(f"There is no attribution {method!r}; choose one of {', '.join(METHODS)}.")
    captum = _captum()
    extractor = explainer.extractor
    with torch.inference_mode(False):
        inputs = extractor.inputs([extractor.preprocessing.apply(photo)])
        activations = torch.from_numpy(explained.activations.copy())[None]
        if method == ABLATION_CAM:
            weights = _falls(captum, explainer.head_of(explained), activations, explained.target)
            maps = torch.einsum("k,bkhw->bhw", weights, activations).relu()
        else:
            pixels = _pixels(captum, extractor.network, inputs, explained.target, method)
            grid = (activations.shape[2], activations.shape[3])
            maps = F.adaptive_avg_pool2d(pixels.sum(dim=1, keepdim=True), grid)[:, 0].relu()
    patches = extractor.cut_patches(maps)
    targets, alphas = torch.tensor([explained.target]), torch.from_numpy(explained.alphas.copy())[None]
    batch = BatchExplanation(torch.from_numpy(explained.logits.copy())[None], targets, activations, alphas, maps)
    ranked = extractor.encode_patches(batch, inputs, patches, np.zeros(1, np.int64), targets, alphas)
    return replace(
        explained,
        heat=upsample(maps, *extractor.preprocessing.size)[0],
        boxes=extractor.preprocessing.to_source(patches.boxes, photo.size),
        input_boxes=patches.boxes,
        masses=patches.masses,
        units=ranked.units,
        scores=ranked.scores,
    )


def strongest_units(explained: PhotoExplanation, n: int) -> list[int]:
    """At most ``n`` units (count) of the largest patch, best first; none where the map gives no patch."""
    return [int(unit) for row in explained.units[:1] for unit in row[:n] if unit >= 0]


def _captum() -> ModuleType:
    """The attributions that captum offers.

    Raises:
        InputError: it is not installed.
    """
    if not is_available():
        raise InputError(f"{HOW_TO_GET}.")
    import captum.attr

    return captum.attr


def _falls(captum: ModuleType, head: Head, activations: Tensor, target: int) -> Tensor:
    """(K,) by how much the logit of a class falls when each unit of activations (1, K, h, w) is ablated."""
    count = activations.shape[1]
    # The mean over the grid is all that a linear head reads, and far less to copy for each unit.
    values = activations.mean(dim=(2, 3)) if head.linear else activations
    logits: Callable[[Tensor], Tensor] = head.from_features if head.linear else head.logits
    mask = torch.arange(count).view(1, count, *[1] * (values.ndim - 2))
    falls = captum.FeatureAblation(logits).attribute(
        values,
        baselines=0,
        target=target,
        feature_mask=mask,
        perturbations_per_eval=max(1, min(count, VALUES // values.numel())),
    )
    return falls.reshape(count, -1)[:, 0].detach()


def _pixels(captum: ModuleType, network: torch.nn.Module, inputs: Tensor, target: int, method: str) -> Tensor:
    """(1, 3, H, W) the attribution of each value of the input (1, 3, H, W)."""
    if method == OCCLUSION:
        height, width = (max(1, side // STRIDES) for side in inputs.shape[2:])
        window = (3, min(2 * height, inputs.shape[2]), min(2 * width, inputs.shape[3]))
        return captum.Occlusion(network).attribute(
            inputs,
            sliding_window_shapes=window,
            strides=(3, height, width),
            baselines=0,
            target=target,
            perturbations_per_eval=BATCH,
        )
    return (
        captum.IntegratedGradients(network)
        .attribute(
            inputs.requires_grad_(),
            baselines=0,
            target=target,
            n_steps=STEPS,
            method="gausslegendre",
            internal_batch_size=BATCH,
        )
        .detach()
        .float()
    )
