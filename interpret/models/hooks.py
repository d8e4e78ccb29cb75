"""Capture and intervention at one layer: the only code in the project that registers a hook.

The context managers remove their hooks and restore every module's train/eval mode on exit, after an exception too. Only
:func:`cast_inputs`, :func:`cast_output` and :func:`ablated` leave a hook, on a private copy. No parameter is changed.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from interpret.errors import InputError


@dataclass
class Captured:
    """The layer's output in the latest forward pass inside :func:`capture`.

    Attributes:
        activations: (B, K, h, w), detached from the backbone and, with ``gradient=True``, a leaf of the head's graph;
            None before the first pass.
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
    """Put the network in evaluation mode inside, and restore each module's own mode on exit."""
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


@contextmanager
def capture(network: nn.Module, layer: str, *, gradient: bool = False) -> Iterator[Captured]:
    """Capture the layer's output in forward passes inside.

    The head receives a clone: an in-place activation after the layer (VGG16 has one) does not change what was captured.

    Args:
        network: any module; its other hooks are left alone.
        layer: the name of the module whose output is captured.
        gradient: detach the output from the backbone and build a graph from there on, of the head alone. Run the
            forward pass under ``torch.no_grad()``, so that the backbone builds none: the hook enables gradients, and
            the end of the ``no_grad`` block restores the mode.

    Raises:
        InputError: there is no such layer, or its output has no spatial extent.
    """
    captured = Captured()

    def capture_output(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        check_spatial(output, layer)
        captured.activations = output.detach()
        if not gradient:
            return captured.activations.clone()
        torch.set_grad_enabled(True)
        captured.activations.requires_grad_(True)
        return captured.activations.clone()

    handle = find_module(network, layer).register_forward_hook(capture_output)
    try:
        with evaluating(network):
            yield captured
    finally:
        handle.remove()


@contextmanager
def zero_units(network: nn.Module, layer: str, units: Tensor) -> Iterator[None]:
    """Ablate units in forward passes inside: their output channels are set to zero.

    Args:
        network: any module.
        layer: the name of the module whose output channels are the units.
        units: (n,) int64, the same units for every image; or (B, K) bool, True where unit k of image b is ablated (the
            batch must then have B images).
    """

    def set_to_zero(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        output = output.clone()
        if units.dtype == torch.bool:
            return output.masked_fill_(units.to(output.device)[:, :, None, None], 0.0)
        output[:, units.to(output.device)] = 0.0
        return output

    handle = find_module(network, layer).register_forward_hook(set_to_zero)
    try:
        with evaluating(network):
            yield
    finally:
        handle.remove()


@contextmanager
def replace(network: nn.Module, layer: str, activations: Tensor) -> Iterator[None]:
    """Replace the layer's output by ``activations`` (B, K, h, w) in forward passes inside.

    The head sees a batch of B, whatever batch the backbone was given: this runs the head alone (see
    :mod:`interpret.models.head`).
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
    """Raise :class:`InputError` unless a layer's output is (B, K, h, w) with more than one spatial location."""
    if not isinstance(output, Tensor) or output.ndim != 4:
        shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise InputError(
            f"The layer {layer!r} gives {shape} and not channels x height x width; choose one with spatial extent "
            "(`unitscope models --layers NAME` lists them)."
        )
    if output.shape[2] * output.shape[3] < 2:
        raise InputError(
            f"The layer {layer!r} has a single spatial location, so nothing in the photo can be located; choose an "
            "earlier one (`unitscope models --layers NAME` lists them)."
        )


@contextmanager
def watch(network: nn.Module, on_output: Callable[[nn.Module, Any, Any], None]) -> Iterator[None]:
    """Call ``on_output(module, inputs, output)`` as each module finishes in a forward pass inside, in that order."""

    def report(module: nn.Module, inputs: Any, output: Any) -> None:  # returns None, which leaves the output as it is
        on_output(module, inputs, output)

    handles = [module.register_forward_hook(report) for module in network.modules()]
    try:
        with evaluating(network):
            yield
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True)
class _Zero:
    """A forward hook that sets some output channels to zero; it can be copied and pickled with its module."""

    units: tuple[int, ...]

    def __call__(self, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if self.units[-1] >= output.shape[1]:
            raise InputError(f"There is no unit {self.units[-1]}; the layer has {output.shape[1]}, counted from 0.")
        kept = output.clone()
        kept[:, list(self.units)] = 0.0
        return kept


def ablated(network: nn.Module, layer: str, units: Iterable[int]) -> nn.Module:
    """A copy of a network in which some units of a layer are ablated for good: their output is zero.

    The network given stays as it is. The copy has its mode, device and parameters, trains and is saved as it is, but
    ``state_dict`` does not say which units are ablated: keep the list beside it.

    Args:
        network: any module.
        layer: the name of the module whose output channels are the units.
        units: the units; none gives a plain copy.

    Raises:
        InputError: there is no such layer.
    """
    private = copy.deepcopy(network)
    module = find_module(private, layer)
    chosen = tuple(sorted({int(unit) for unit in units}))
    if chosen and chosen[0] < 0:
        raise InputError(f"There is no unit {chosen[0]}; units are counted from 0.")
    if chosen:
        module.register_forward_hook(_Zero(chosen))
    return private


# These two hooks stay: they are part of the private copy that interpret.models.precision.prepare makes.


def cast_inputs(module: nn.Module, dtype: torch.dtype) -> None:
    """Cast the floating-point tensors given to a module to ``dtype``, for good."""

    def cast(_module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value for value in inputs
        )

    module.register_forward_pre_hook(cast)


def cast_output(module: nn.Module, dtype: torch.dtype) -> None:
    """Cast a module's output to ``dtype``, for good."""
    module.register_forward_hook(lambda _module, _inputs, output: output.to(dtype))
