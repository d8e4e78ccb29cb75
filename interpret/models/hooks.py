"""Capture and intervention at one layer: the only code in the project that registers a hook.

The context managers here remove their hooks on leaving, after an exception too, and put back the train/eval mode of
every module that they changed; only :func:`enter_as` and :func:`leave_as` are for good. Nothing is done to the
network's parameters.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from interpret.errors import InputError


@dataclass
class Captured:
    """What :func:`capture` saw during the last forward pass.

    Attributes:
        activations: the layer's output (B, K, h, w), detached from the backbone and, where gradients were asked for, a
            leaf of the head's graph; None before the first pass.
    """

    activations: Tensor | None = None


def find_module(network: nn.Module, layer: str) -> nn.Module:
    """The module called ``layer``; :class:`InputError` where there is none."""
    modules = dict(network.named_modules())
    if layer not in modules or layer == "":
        raise InputError(f"No module is called {layer!r} in this network; `unitscope models --layers NAME` lists them.")
    return modules[layer]


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode (no dropout, fixed batch-norm statistics) inside, each module's own mode again afterwards."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def capture(network: nn.Module, layer: str, *, gradient: bool = False) -> Iterator[Captured]:
    """Keep the layer's output during forward passes run inside.

    Args:
        network: any module; its other hooks are left alone.
        layer: the name of the module whose output is kept.
        gradient: cut the graph at the layer and record gradients from there on, so that only the head has a graph.
            Run the forward pass under ``torch.no_grad()``: the backbone then costs what plain inference costs, and the
            mode is switched on by the hook and put back when that ``no_grad`` block ends.

    The head receives a clone, so that an in-place activation after the layer (VGG16 has one) changes what flows on
    and not what was captured.
    """
    captured = Captured()

    def keep(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        check_spatial(output, layer)
        captured.activations = output.detach()
        if not gradient:
            return captured.activations.clone()
        torch.set_grad_enabled(True)
        captured.activations.requires_grad_(True)
        return captured.activations.clone()

    handle = find_module(network, layer).register_forward_hook(keep)
    try:
        with evaluating(network):
            yield captured
    finally:
        handle.remove()


@contextmanager
def zero_units(network: nn.Module, layer: str, units: Tensor) -> Iterator[None]:
    """Switch units off at the layer during forward passes run inside.

    Args:
        network: any module.
        layer: the name of the module whose output channels are set to zero.
        units: int64 (n,), the same units for every image of the batch; or bool (B, K), True where image b is to lose
            unit k (the batch must then have B images).
    """

    def silence(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        output = output.clone()
        if units.dtype == torch.bool:
            return output.masked_fill_(units.to(output.device)[:, :, None, None], 0.0)
        output[:, units.to(output.device)] = 0.0
        return output

    handle = find_module(network, layer).register_forward_hook(silence)
    try:
        with evaluating(network):
            yield
    finally:
        handle.remove()


@contextmanager
def replace(network: nn.Module, layer: str, activations: Tensor) -> Iterator[None]:
    """Feed ``activations`` (B, K, h, w) to the head in place of whatever the layer computes.

    Only what follows the layer sees them, whatever batch size the backbone was given: this is how the head is run alone
    (see :mod:`interpret.models.head`).
    """

    def substitute(_module: nn.Module, _inputs: tuple[Tensor, ...], _output: Tensor) -> Tensor:
        return activations.clone()

    handle = find_module(network, layer).register_forward_hook(substitute)
    try:
        with evaluating(network):
            yield
    finally:
        handle.remove()


def check_spatial(output: object, layer: str) -> None:
    """Raise :class:`InputError` unless a layer's output is (B, K, h, w) with more than one cell."""
    if not isinstance(output, Tensor) or output.ndim != 4:
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise InputError(
            f"The layer {layer!r} gives {shape} and not channels x height x width; choose one with spatial extent "
            "(`unitscope models --layers NAME` lists them)."
        )
    if output.shape[2] * output.shape[3] < 2:
        raise InputError(
            f"The layer {layer!r} has a single cell, so no place in the photo can be told from another; choose an "
            "earlier one (`unitscope models --layers NAME` lists them)."
        )


@contextmanager
def watch(network: nn.Module, see: Callable[[nn.Module, Any, Any], None]) -> Iterator[None]:
    """Call ``see(module, inputs, output)`` as each module finishes, in the order in which they do; changes nothing."""

    def look(module: nn.Module, inputs: Any, output: Any) -> None:
        see(module, inputs, output)

    handles = [module.register_forward_hook(look) for module in network.modules()]
    try:
        with evaluating(network):
            yield
    finally:
        for handle in handles:
            handle.remove()


# The two places where hooks stay: they belong to the private copy that interpret.models.precision.prepare made, and
# live as long as it does.


def enter_as(module: nn.Module, kind: torch.dtype) -> None:
    """Let the floating-point tensors given to a module enter in ``kind``, for good."""

    def cast(_module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(one.to(kind) if isinstance(one, Tensor) and one.is_floating_point() else one for one in inputs)

    module.register_forward_pre_hook(cast)


def leave_as(module: nn.Module, kind: torch.dtype) -> None:
    """Let a module's output leave in ``kind``, for good."""
    module.register_forward_hook(lambda _module, _inputs, output: output.to(kind))
