"""Device and arithmetic: where the network runs, and in which type its backbone computes."""

import copy
import itertools
from typing import Any

import torch
from torch import Tensor, nn

from interpret.errors import InputError
from interpret.models.hooks import enter_as, find_module, leave_as, watch

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(name: str) -> torch.device:
    """The device called ``name``; ``auto`` takes a GPU where there is one. :class:`InputError` where it is absent."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not torch.backends.mps.is_available()):
        raise InputError(
            f"--device {name} is not available to this PyTorch; use --device cpu, or install a build for it."
        )
    return torch.device(name)


def choose_precision(name: str, device: torch.device) -> str:
    """The arithmetic that ``name`` stands for on ``device``: ``auto`` is bfloat16 where hardware multiplies it."""
    if name == "float16" and device.type == "cpu":
        raise InputError("--precision float16 is slow on a processor; use bfloat16 or float32 there.")
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float32"
    if device.type == "cpu":
        capable = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
        return "bfloat16" if capable() else "float32"
    return "float32"


SENSITIVE = 0.06
"""Share of the backbone's multiplications that its first convolutions may spend in float32 (:func:`prepare`)."""


@torch.inference_mode(False)  # copies that are made inside of it could not be differentiated through later
def exact_copy(
    network: nn.Module, device: torch.device, memory_format: torch.memory_format = torch.preserve_format
) -> nn.Module:
    """A private copy of the network on ``device``, in float32 and evaluation mode.

    Args:
        network: on any device, of any floating-point type; not changed.
        device: from :func:`choose_device`.
        memory_format: of the copy's weights; as they are by default, so that a float32 network on a processor gives
            the same answers to the last bit.
    """
    private = copy.deepcopy(network)
    return private.to(device, torch.float32, memory_format=memory_format).eval()  # type: ignore[call-overload]


@torch.inference_mode(False)
def prepare(network: nn.Module, layer: str, device: torch.device, precision: str, sample: Tensor) -> nn.Module:
    """A copy of the network on ``device``, channels last, its backbone in ``precision`` and its head in float32.

    The head stays in float32 because logits need it: at a logit of 10 bfloat16 steps by 0.06, enough to change which
    class is predicted. So does batch norm, whose statistics need the digits, and so do the first convolutions: the very
    first one and as many after it as :data:`SENSITIVE` of the work allows, because what is rounded there passes
    through everything else. The given network is not changed.

    Args:
        network: a classifier on any device, of any floating-point type.
        layer: the last module of the backbone.
        device: from :func:`choose_device`.
        precision: ``float32``, ``bfloat16`` or ``float16``.
        sample: (1, 3, H, W) float32, to find out in which order the modules run.

    Raises:
        InputError: this network cannot be cut so; float32 always can.
    """
    ready = exact_copy(network, device, torch.channels_last)
    kind = TYPES[precision]
    if kind == torch.float32:
        return ready
    backbone, work = _backbone(ready, layer, sample.to(device))
    exact = _first_convolutions(work)
    for module in backbone:
        if isinstance(module, nn.modules.batchnorm._BatchNorm):  # takes inputs of another type than its own
            continue
        own = torch.float32 if module in exact else kind
        for parameter in module.parameters(recurse=False):
            parameter.data = parameter.data.to(own)
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_floating_point():
                setattr(module, name, buffer.to(own))
        if next(module.parameters(recurse=False), None) is not None:
            enter_as(module, own)
    leave_as(find_module(ready, layer), torch.float32)
    try:
        with torch.no_grad():
            ready(sample.to(device))
    except RuntimeError as error:
        raise InputError(f"This network does not run in {precision}; use --precision float32.") from error
    return ready


def _backbone(network: nn.Module, layer: str, sample: Tensor) -> tuple[list[nn.Module], dict[nn.Module, int]]:
    """The modules that finish before, or are, the layer, and the multiplications of each convolution among them.

    Modules that hold the layer are neither backbone nor head. Convolutions come in the order in which they first ran.
    """
    finished: list[nn.Module] = []
    work: dict[nn.Module, int] = {}
    last = find_module(network, layer)
    reached = False

    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal reached
        if not reached:
            finished.append(module)
            if isinstance(module, nn.Conv2d):
                work[module] = work.get(module, 0) + output[0, 0].numel() * module.weight.numel()
        reached = reached or module is last

    with watch(network, note), torch.no_grad():
        network(sample)
    return finished, work


def _first_convolutions(work: dict[nn.Module, int]) -> set[nn.Module]:
    """The very first one, and those after it as long as all their work is within SENSITIVE of the whole."""
    spent = itertools.accumulate(work.values())
    allowed = max(SENSITIVE * sum(work.values()), next(iter(work.values()), 0))
    return {module for module, so_far in zip(work, spent, strict=True) if so_far <= allowed}
