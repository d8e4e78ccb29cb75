"""Device and precision: where the network runs, and in which floating-point type its backbone computes."""

import copy
import functools
import itertools
import time
from typing import Any

import torch
from torch import Tensor, nn

from interpret.config import Arithmetic
from interpret.errors import InputError
from interpret.models.folding import fold_batch_norms
from interpret.models.hooks import cast_inputs, cast_output, find_module, watch
from interpret.models.layout import At
from interpret.threads import one_thread

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

LEAST_GAIN = 1.25
"""How many times faster bfloat16 must be on a processor to be worth its rounding; they give 0.6, or 2 and more."""

_SIDE = 512  # of the matrices that are multiplied to find out
_TIMES = 6  # they are


def choose_device(name: str) -> torch.device:
    """The device called ``name``; ``auto`` is a GPU where there is one.

    Raises:
        InputError: this machine, or this build of PyTorch, has no such device.
    """
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
    """The precision that ``name`` stands for on ``device``; ``auto`` is bfloat16 where the hardware is faster at it.

    Raises:
        InputError: float16 on a CPU.
    """
    if name == "float16" and device.type == "cpu":
        raise InputError("--precision float16 is slow on a processor; use bfloat16 or float32 there.")
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float32"
    if device.type == "cpu":
        return "bfloat16" if _gain() >= LEAST_GAIN else "float32"
    return "float32"


@functools.cache
def _gain() -> float:
    """How many times faster this processor multiplies matrices in bfloat16 than in float32; 0 without instructions.

    Having them says little: those of one make take half the time of float32, those of another longer. The fastest of a
    few products by the thread's own time: other programs on the machine change it little beside that difference.
    """
    if not getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)():
        return 0.0
    with one_thread("cpu"), torch.inference_mode():
        exact = torch.full((_SIDE, _SIDE), 0.5)
        in_float32, in_bfloat16 = (min(_seconds(matrix) for _ in range(_TIMES)) for matrix in (exact, exact.bfloat16()))
    return in_float32 / in_bfloat16


def _seconds(matrix: Tensor) -> float:
    start = time.thread_time()
    matrix @ matrix
    return time.thread_time() - start


@torch.inference_mode(False)  # tensors made in inference mode cannot be differentiated through later
def exact_copy(
    network: nn.Module, device: torch.device, memory_format: torch.memory_format = torch.preserve_format
) -> nn.Module:
    """A private copy of the network on ``device``, in float32 and evaluation mode.

    Args:
        network: on any device, of any floating-point type; not changed.
        device: from :func:`choose_device`.
        memory_format: of the copy's weights; by default the network's own, so that the copy of a float32 network on the
            same device gives the same logits to the last bit.
    """
    private = copy.deepcopy(network)
    return private.to(device, torch.float32, memory_format=memory_format).eval()  # type: ignore[call-overload]


@torch.inference_mode(False)
def prepare(
    network: nn.Module, layer: At, device: torch.device, arithmetic: str | Arithmetic, sample: Tensor
) -> nn.Module:
    """A copy of the network on ``device``, channels last, its backbone in some precision and its head in float32.

    The head stays in float32: bfloat16 has steps of 0.06 at a logit of 10, enough to change the predicted class. Batch
    norm is folded where it can be, and stays in float32 where not, because its statistics need the digits. So may the
    first convolutions, whose rounding passes through everything else: the very first one, and as many after it as
    ``exact_share`` of the work allows. The network itself is not changed.

    Args:
        network: a classifier on any device, of any floating-point type.
        layer: the last module of the backbone.
        device: from :func:`choose_device`.
        arithmetic: how it computes; a precision alone stands for :class:`Arithmetic` with its defaults.
        sample: (1, 3, H, W) float32, an input to see the order in which the modules run.

    Raises:
        InputError: the network does not run in this precision; every network runs in float32.
    """
    if isinstance(arithmetic, str):
        arithmetic = Arithmetic(arithmetic)
    ready = exact_copy(network, device, torch.channels_last)
    if arithmetic.folded:
        fold_batch_norms(ready, layer, sample.to(device))
    precision, dtype = arithmetic.precision, TYPES[arithmetic.precision]
    if dtype == torch.float32:
        return ready
    backbone, work = _backbone(ready, layer, sample.to(device))
    exact = _first_convolutions(work, arithmetic.exact_share)
    for module in backbone:
        if isinstance(module, nn.modules.batchnorm._BatchNorm):  # accepts inputs of another type than its own
            continue
        module_dtype = torch.float32 if module in exact else dtype
        for parameter in module.parameters(recurse=False):
            parameter.data = parameter.data.to(module_dtype)
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_floating_point():
                setattr(module, name, buffer.to(module_dtype))
        if next(module.parameters(recurse=False), None) is not None:
            cast_inputs(module, module_dtype)
    cast_output(find_module(ready, layer), torch.float32)
    try:
        with torch.no_grad():
            ready(sample.to(device))
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, ValueError, TypeError) as error:
        raise InputError(f"This network does not run in {precision}; use --precision float32.") from error
    return ready


def _backbone(network: nn.Module, layer: At, sample: Tensor) -> tuple[list[nn.Module], dict[nn.Module, int]]:
    """The modules of the backbone, and the multiplications (count) of each convolution among them.

    The backbone is the layer and every module that finishes before it; a module that contains the layer is neither
    backbone nor head. Convolutions are in the order in which they first ran.
    """
    finished: list[nn.Module] = []
    work: dict[nn.Module, int] = {}
    last = find_module(network, layer)
    reached = False

    def on_output(module: nn.Module, _inputs: Any, output: Any) -> None:
        nonlocal reached
        if not reached:
            finished.append(module)
            if isinstance(module, nn.Conv2d):
                work[module] = work.get(module, 0) + output[0, 0].numel() * module.weight.numel()
        reached = reached or module is last

    with watch(network, on_output), torch.no_grad():
        network(sample)
    return finished, work


def _first_convolutions(work: dict[nn.Module, int], share: float) -> set[nn.Module]:
    """The very first one, and the next ones while their cumulated work is within a share of the whole; none for 0."""
    spent = itertools.accumulate(work.values())
    allowed = max(share * sum(work.values()), next(iter(work.values()), 0)) if share > 0 else 0.0
    return {module for module, so_far in zip(work, spent, strict=True) if so_far <= allowed}
