"""Which layers everything flows through, read from autograd's graph of one forward pass."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from interpret.models.hooks import watch
from interpret.models.layout import Layout
from interpret.threads import one_thread


@torch.inference_mode(False)
def carries_all(
    network: nn.Module, size: tuple[int, int], layers: Sequence[str], layouts: dict[str, Layout]
) -> str | None:
    """The first of some layers that nothing passes by and whose grid the logits depend on; None if there is none.

    Args:
        network: runs on (B, 3, H, W) of ``size``.
        size: H and W, pixels.
        layers: names of modules that run once in a forward pass, the one to take first in front.
        layouts: how their outputs are arranged.
    """
    names = {module: name for name, module in network.named_modules() if name in layouts}
    outputs: dict[str, tuple[Tensor, Node | None]] = {}

    def note(module: nn.Module, _inputs: object, output: object) -> None:
        if module in names and isinstance(output, Tensor):
            outputs[names[module]] = output, output.grad_fn  # an in-place step after the module changes that

    weights = next(network.parameters(), torch.zeros(0))
    if weights.is_inference():  # no gradient can be taken through them
        return None
    drawn = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    image = drawn.to(weights.device, weights.dtype).requires_grad_(True)
    with one_thread("cpu"), watch(network, note), torch.enable_grad():
        logits = network(image)
    # Not their sum: a last layer whose weights sum to the same for each input would hide what they depend on.
    mixed = logits @ torch.rand(logits.shape[1], generator=torch.Generator().manual_seed(1)).to(logits)
    candidates = [name for name in layers if name in outputs]
    gradients = torch.autograd.grad(mixed.sum(), [outputs[name][0] for name in candidates], allow_unused=True)
    for name, gradient in zip(candidates, gradients, strict=True):
        step = outputs[name][1]
        if gradient is None or step is None or not bool(layouts[name].units(gradient).any()):
            continue
        if not _reaches(logits.grad_fn, image, step):
            return name
    return None


def _reaches(start: Node | None, image: Tensor, without: Node) -> bool:
    """Whether a way through the graph leads from a step to the image that avoids another step."""
    seen: set[Node] = {without}
    left = [start]
    while left:
        step = left.pop()
        if step is None or step in seen:
            continue
        seen.add(step)
        if getattr(step, "variable", None) is image:
            return True
        left += [before for before, _ in step.next_functions]
    return False
