"""Grad-CAM (Selvaraju et al., IJCV 2019) from one forward pass.

    alpha_k = mean over h, w of d y_c / d A_k        map = ReLU(sum over k of alpha_k A_k)

The backbone (up to and including the layer) runs without a graph; the gradient is taken through the head alone.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from interpret.errors import InputError
from interpret.models.hooks import capture
from interpret.models.layout import At, hook_point


@dataclass(frozen=True, eq=False)
class Contrast:
    """B images explained for R further classes each, from the same forward pass; float32 on the network's device.

    Attributes:
        targets: (B, R) int64, the classes; below 0 where an image has fewer.
        alphas: (B, R, K), the gradient of the target's logit, averaged over the grid.
        maps: (B, R, h, w), ReLU of the weighted sum; zero everywhere where there is no target.
    """

    targets: Tensor
    alphas: Tensor
    maps: Tensor

    def select(self, mask: Tensor) -> "Contrast":
        """That of the images where ``mask`` (B,) bool is True."""
        return Contrast(self.targets[mask], self.alphas[mask], self.maps[mask])


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
        contrast: the same images explained for further classes; None if none were asked for.
        outside: (B, P, K), what of the layer's output its units do not hold, see
            :meth:`interpret.models.layout.Layout.outside`; None where they hold all of it.
    """

    logits: Tensor
    targets: Tensor
    activations: Tensor
    alphas: Tensor
    maps: Tensor
    contrast: Contrast | None = None
    outside: Tensor | None = None

    def select(self, mask: Tensor) -> "BatchExplanation":
        """The explanations of the images where ``mask`` (B,) bool is True."""
        tensors = (self.logits, self.targets, self.activations, self.alphas, self.maps)
        logits, targets, activations, alphas, maps = (tensor[mask] for tensor in tensors)
        contrast = None if self.contrast is None else self.contrast.select(mask)
        outside = None if self.outside is None else self.outside[mask]
        return BatchExplanation(logits, targets, activations, alphas, maps, contrast, outside)


@dataclass(frozen=True, eq=False)
class Forward:
    """One forward pass of a batch of B images, ready to be explained for any class.

    Attributes:
        logits: (B, C), with the graph of the head alone; without a graph where the head is linear and is given.
        activations: (B, K, h, w), the layer's output A, detached from the backbone.
        outside: (B, P, K), what of the layer's output its units do not hold; None where they hold all of it.
    """

    logits: Tensor
    activations: Tensor
    outside: Tensor | None = None


def explain(
    network: nn.Module,
    layer: At,
    inputs: Tensor,
    targets: Tensor | None = None,
    further: Callable[[Tensor], Tensor] | None = None,
) -> BatchExplanation:
    """Grad-CAM of each image of a batch.

    Args:
        network: a classifier that maps (B, 3, H, W) to logits (B, C).
        layer: the layer whose output channels are the units.
        inputs: (B, 3, H, W), normalised, on the network's device and of its first parameters' type.
        targets: (B,) int64 classes to explain; the predicted ones if None.
        further: from the predicted classes (B,) to the further classes (B, R) that each image is explained for, int64,
            below 0 where an image has fewer; none if None. The backbone runs once; the gradient is taken R times more,
            through the head alone.

    Works inside ``torch.no_grad()`` and ``torch.inference_mode()`` too; the caller's mode is left as it was.

    Raises:
        InputError: the layer does not exist, has no spatial extent, or does not reach the logits; or the network's
            weights were made inside ``torch.inference_mode()``.
    """
    passed = run_forward(network, layer, inputs)
    others = None if further is None else further(passed.logits.detach().argmax(dim=1))
    return explain_pass(passed, layer, targets, others)


def run_forward(network: nn.Module, layer: At, inputs: Tensor, *, graph: bool = True) -> Forward:
    """The forward pass of a batch; arguments and errors as for :func:`explain`.

    Args:
        network: likewise.
        layer: likewise.
        inputs: likewise.
        graph: whether to build the graph of the head; without it, :func:`explain_pass` needs the head's weight.
    """
    if any(tensor.is_inference() for tensor in itertools.chain(network.parameters(), network.buffers())):
        raise InputError(
            "The network's weights were made inside torch.inference_mode(), where no gradient can be taken through "
            "them; build or load the network outside of it."
        )
    with torch.inference_mode(False), capture(network, layer, gradient=graph) as captured, torch.no_grad():
        logits = network(_outside_inference(inputs))
    activations = captured.activations
    if activations is None or logits.requires_grad != graph:
        raise _unused(layer)
    return Forward(logits, activations, captured.outside)


def explain_pass(
    passed: Forward,
    layer: At,
    targets: Tensor | None = None,
    further: Tensor | None = None,
    weight: Tensor | None = None,
) -> BatchExplanation:
    """Grad-CAM of a batch whose forward pass has run.

    Args:
        passed: from :func:`run_forward`.
        layer: the layer, for the error.
        targets: as for :func:`explain`.
        further: (B, R) int64, the further classes that each image is explained for; none if None.
        weight: (C, K) of a head that is the mean over the grid and one linear map: the gradient of y_c with respect to
            A_k is then W_ck / (h w) at every location, and nothing needs to be differentiated. None for any other head.

    Raises:
        InputError: the layer does not reach the logits.
    """
    logits = passed.logits
    with torch.inference_mode(False):
        targets = _outside_inference(logits.detach().argmax(dim=1) if targets is None else targets)
        others = None
        if further is not None:  # a copy that blocks would wait for all that CUDA was given before
            others = _outside_inference(further).to(logits.device, non_blocking=logits.is_cuda)
        if weight is None:
            alphas, stacked = _gradients(passed, layer, targets, others)
        else:
            alphas, stacked = _linear_gradients(passed, weight, targets, others)
    activations = passed.activations.detach().float()
    maps = torch.einsum("bk,bkhw->bhw", alphas, activations).relu()
    outside = None if passed.outside is None else passed.outside.float()
    explanation = BatchExplanation(logits.detach().float(), targets, activations, alphas, maps, outside=outside)
    if others is None or stacked is None:
        return explanation
    b, k, h, w = activations.shape
    flat = activations.permute(0, 2, 3, 1).reshape(b, h * w, k)
    further_maps = (stacked @ flat.transpose(1, 2)).relu().view(b, -1, h, w)
    return replace(explanation, contrast=Contrast(others, stacked, further_maps))


def join(parts: Sequence[BatchExplanation]) -> BatchExplanation:
    """Explanations of several batches as one, in order; all with a contrast or all without."""
    if len(parts) == 1:
        return parts[0]
    names = ("logits", "targets", "activations", "alphas", "maps")
    joined = {name: torch.cat([getattr(part, name) for part in parts]) for name in names}
    held = [part.contrast for part in parts if part.contrast is not None]
    contrast = {
        name: torch.cat([getattr(each, name) for each in held]) for name in ("targets", "alphas", "maps") if held
    }
    others = [part.outside for part in parts if part.outside is not None]
    outside = torch.cat(others) if others else None
    return BatchExplanation(**joined, contrast=Contrast(**contrast) if held else None, outside=outside)


def _gradients(passed: Forward, layer: At, targets: Tensor, others: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Alphas (B, K) of the targets and (B, R, K) of the further classes, through the graph of the head."""
    columns = [targets] if others is None else [targets, *others.T]
    if len(columns) > 1 and _is_dense(passed.logits):
        alphas = _alphas_at_once(passed, torch.stack(columns), layer)
    else:
        alphas = [_alphas(passed, column, layer) for column in columns]
    if others is None:
        return alphas[0], None
    first, further = alphas[0], alphas[1:]
    return first, torch.stack(further, dim=1) if further else first.new_zeros(len(first), 0, first.shape[1])


def _linear_gradients(
    passed: Forward, weight: Tensor, targets: Tensor, others: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """The same of a linear head: rows of its weight; zero where there is no further class."""
    _, _, h, w = passed.activations.shape
    scaled = weight.float() / (h * w)
    if others is None:
        return scaled[targets], None
    return scaled[targets], scaled[others.clamp_min(0)] * (others >= 0)[:, :, None]


def _unused(layer: At) -> InputError:
    return InputError(f"The layer {hook_point(layer).layer!r} has no part in the network's output; choose another one.")


def _alphas(passed: Forward, targets: Tensor, layer: At) -> Tensor:
    """(B, K) the gradient of each image's target averaged over the grid, zero without a target; keeps the graph."""
    held = targets >= 0
    chosen = passed.logits.gather(1, targets.clamp_min(0)[:, None])[:, 0]  # images do not mix: one pass serves them all
    total = chosen.masked_fill(~held, 0.0).sum()  # not chosen[held], for which a GPU has to be waited for
    (gradient,) = torch.autograd.grad(total, passed.activations, allow_unused=True, retain_graph=True)
    if gradient is None:
        raise _unused(layer)
    return gradient.float().mean(dim=(2, 3))


def _alphas_at_once(passed: Forward, targets: Tensor, layer: At) -> list[Tensor]:
    """The same of several targets an image, (T, B), in one backward pass, which reads the head's weights once."""
    chosen = passed.logits.new_zeros(*targets.shape, passed.logits.shape[1])
    chosen.scatter_(2, targets.clamp_min(0)[:, :, None], (targets >= 0)[:, :, None].to(chosen.dtype))
    (gradients,) = torch.autograd.grad(
        passed.logits, passed.activations, chosen, allow_unused=True, retain_graph=True, is_grads_batched=True
    )
    if gradients is None:
        raise _unused(layer)
    return list(gradients.float().mean(dim=(3, 4)))


DENSE = frozenset(
    f"{step}Backward" for step in ("Addmm", "T", "View", "Clone", "Relu", "AdaptiveAvgPool2D", "MaxPool2DWithIndices")
)
"""Steps of a head of linear layers, with or without pooling before them, as autograd names their gradients."""


def _is_dense(logits: Tensor) -> bool:
    """Whether the head is linear layers, as in VGG: with some hundred MB of weights, reading them is what takes long.

    For others a pass for several targets at once saves nothing, and not every step can do it without a warning.
    """
    seen: set[Node] = set()
    left = [logits.grad_fn]
    linear = 0
    while left:
        step = left.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
        if not hasattr(step, "variable"):  # of the parameters and of the layer's own output
            name = step.name().rstrip("0123456789")
            if name not in DENSE:
                return False
            linear += name == "AddmmBackward"
        left += [before for before, _ in step.next_functions]
    return linear > 0


def _outside_inference(tensor: Tensor) -> Tensor:
    """A tensor that autograd may save: a copy of one that was made in inference mode."""
    return tensor.clone() if tensor.is_inference() else tensor
