"""Batch norm folded into the convolution before it: the same numbers up to rounding, with fewer passes over memory.

    gamma (W x + b - mean) / sqrt(var + eps) + beta  =  W' x + b'        (`torch.nn.utils.fusion.fuse_conv_bn_weights`)

One forward pass is recorded operation by operation, and a pair is folded only where the record shows that nothing else
reads what would change: the convolution's output, its weights, or the batch norm's.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.utils._python_dispatch import TorchDispatchMode

from interpret.models.hooks import evaluating, find_module, watch
from interpret.models.layout import At

TOLERANCE = 1e-4
"""Largest difference of the logits before and after, as a fraction of the largest one: float32 rounds to 1e-6."""

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class _Record(TorchDispatchMode):
    """Every operation of a forward pass, with the tensors it reads; they are kept, so that no address is used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[tuple[str, tuple[Any, ...], Any]] = []
        self.reads: Counter[int] = Counter()
        self.written: dict[int, int] = {}  # tensor -> the operation that made it

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled inside; torch would import its whole compiler, for a second, to say so."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        read = {id(value) for value in _tensors((args, kwargs or {}))}
        self.reads.update(read)
        for value in _tensors(output):
            self.written.setdefault(id(value), len(self.operations))
        self.operations.append((str(func), args, output))
        return output

    def maker(self, tensor: Any) -> tuple[str, tuple[Any, ...]]:
        """Name and arguments of the operation that made a tensor; an empty name where none did."""
        index = self.written.get(id(tensor))
        return ("", ()) if index is None else self.operations[index][:2]


def fold_batch_norms(network: nn.Module, layer: At, sample: Tensor) -> list[str]:
    """Fold each batch norm into the convolution before it, in place, and return the names of those convolutions.

    The batch norm's module stays under its name and passes its input on; hooks on any other module see what they saw.
    A pair stays as it is where anything besides the batch norm reads the convolution's output (another operation, a
    hook, the chosen layer), where either module runs more than once, has a hook or a parametrization, or shares a
    tensor with another module, and where the statistics are those of the batch. Where the logits would differ by more
    than :data:`TOLERANCE`, because the network takes another way than in the recorded pass, nothing is folded.

    Args:
        network: a private copy in float32 and evaluation mode.
        layer: the module whose output the caller looks at.
        sample: (1, 3, H, W) float32, an input on the network's device.
    """
    record = _Record()
    seen: list[tuple[nn.Module, Any, Any]] = []
    with torch.no_grad(), watch(network, lambda module, inputs, output: seen.append((module, inputs, output))), record:
        before = network(sample)
    looked_at = {id(output) for module, _, output in seen if module is find_module(network, layer)}
    looked_at |= {id(value) for module, *held in seen if _hooked(module) for value in _tensors(held)}
    runs = Counter(module for module, _, _ in seen)
    names = Counter(module for _, module in network.named_modules(remove_duplicate=False))
    held = Counter(id(tensor) for module in names for tensor in _state(module))
    outputs = {id(output): module for module, _, output in seen if isinstance(module, nn.Conv2d)}
    pairs = []
    for norm, inputs, _ in seen:
        if not _foldable_norm(norm) or not inputs:
            continue
        convolution = outputs.get(id(inputs[0]))
        if convolution is None or id(inputs[0]) in looked_at:
            continue
        alone = all(runs[module] == 1 and names[module] == 1 for module in (convolution, norm))
        unshared = all(held[id(t)] == 1 and record.reads[id(t)] <= 1 for m in (convolution, norm) for t in _state(m))
        once = record.reads[id(inputs[0])] == 1 and _only_convolves(convolution, record.maker(inputs[0]))
        if alone and unshared and once and not _hooked(convolution) and not _hooked(norm):
            pairs.append((convolution, norm))
    former = [(m, type(m), dict(m._parameters), dict(m._buffers)) for pair in pairs for m in pair]
    for convolution, norm in pairs:
        _fold(convolution, norm)
    with torch.no_grad(), evaluating(network):
        after = network(sample)
    if not torch.allclose(before, after, rtol=0.0, atol=TOLERANCE * float(before.abs().max())):
        for module, kind, parameters, buffers in former:
            module.__class__ = kind
            module._parameters.update(parameters)
            module._buffers.update(buffers)
        return []
    folded = {convolution for convolution, _ in pairs}
    return [name for name, module in network.named_modules() if module in folded]


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in nested arguments."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _tensors(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)


def _state(module: nn.Module) -> list[Tensor]:
    """A module's own parameters and buffers, its count of batches aside, which evaluation does not read."""
    buffers = [buffer for name, buffer in module.named_buffers(recurse=False) if name != "num_batches_tracked"]
    return [*module.parameters(recurse=False), *buffers]


def _hooked(module: nn.Module) -> bool:
    """Whether a module has hooks, or computes its weights anew in each pass."""
    return any(getattr(module, kind) for kind in _HOOKS) or hasattr(module, "parametrizations")


def _foldable_norm(module: nn.Module) -> bool:
    """Whether it is a batch norm with fixed statistics and a known forward pass: torch's, or timm's with activation."""
    timm = sys.modules.get("timm.layers")  # where it is not loaded, no network is made of it
    known = (nn.BatchNorm2d,) if timm is None else (nn.BatchNorm2d, timm.BatchNormAct2d)
    return type(module) in known and not module.training and isinstance(module.running_mean, Tensor)


def _only_convolves(convolution: nn.Module, maker: tuple[str, tuple[Any, ...]]) -> bool:
    """Whether an operation is a convolution with the module's very weight and bias."""
    name, arguments = maker
    if not name.startswith("aten.convolution") or len(arguments) < 7 or arguments[6]:  # 6: transposed
        return False
    return arguments[1] is convolution.weight and arguments[2] is convolution.bias


class _Passed(nn.Module):
    """Stands where a batch norm was folded: passes its input on, through the activation that the module had."""

    def forward(self, value: Tensor) -> Tensor:
        """The input, through the children in their order."""
        for child in self.children():
            value = child(value)
        return value


def _fold(convolution: Any, norm: Any) -> None:
    weight, bias = fuse_conv_bn_weights(
        convolution.weight, convolution.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
    layout = torch.channels_last if weight.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
    convolution.weight = nn.Parameter(weight.detach().contiguous(memory_format=layout))
    convolution.bias = nn.Parameter(bias.detach())
    for name in list(norm._parameters):
        norm._parameters[name] = None
    norm._buffers.clear()
    norm.__class__ = _Passed
