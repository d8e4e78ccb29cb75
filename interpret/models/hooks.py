"""Capture and intervention at one layer: the only code in the project that registers a hook.

The context managers remove their hooks and restore every module's train/eval mode on exit, after an exception too.
Only :func:`cast_inputs`, :func:`cast_output` and :func:`leave_ablated` leave a hook, on a private copy. No parameter is
changed.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from interpret.errors import InputError
from interpret.models.layout import CHANNELS_FIRST, At, HookPoint, Layout, hook_point


@dataclass
class Captured:
    """The layer's output in the latest forward pass inside :func:`capture`.

    Attributes:
        activations: (B, K, h, w), detached from the backbone and, with ``gradient=True``, a leaf of the head's graph;
            None before the first pass.
        outside: (B, P, K) what of the layer's output the units do not hold, detached, see
            :meth:`interpret.models.layout.Layout.outside`; None where they hold all of it.
    """

    activations: Tensor | None = None
    outside: Tensor | None = None


def find_module(network: nn.Module, at: At) -> nn.Module:
    """The module of a layer; :class:`InputError` where there is none."""
    modules, layer = dict(network.named_modules()), hook_point(at).layer
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
def capture(network: nn.Module, at: At, *, gradient: bool = False) -> Iterator[Captured]:
    """Capture the layer's output in forward passes inside.

    The head receives a clone: an in-place activation after the layer (VGG16 has one) does not change what was captured.

    Args:
        network: any module; its other hooks are left alone.
        at: the layer whose output is captured.
        gradient: detach the output from the backbone and build a graph from there on, of the head alone. Run the
            forward pass under ``torch.no_grad()``, so that the backbone builds none: the hook enables gradients, and
            the end of the ``no_grad`` block restores the mode.

    Raises:
        InputError: there is no such layer, or its output has no spatial extent.
    """
    captured, point = Captured(), hook_point(at)
    layout = point.layout

    def capture_output(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        layout.check(output, point.layer)
        detached = output.detach()
        captured.activations, captured.outside = layout.split(detached)
        if not gradient:
            return detached.clone()
        torch.set_grad_enabled(True)
        captured.activations.requires_grad_(True)
        return _built(layout, captured.activations, captured.outside, detached)

    handle = find_module(network, point).register_forward_hook(capture_output)
    try:
        with evaluating(network):
            yield captured
    finally:
        handle.remove()


def _changed(output: Tensor, point: HookPoint, change: Callable[[Tensor], None]) -> Tensor:
    """A layer's output with its activations changed in place; of one without locations they are features (B, K)."""
    layout, output = point.layout, output.clone()
    if layout == CHANNELS_FIRST and output.ndim in (2, 4):
        change(output)
        return output
    layout.check(output, point.layer)
    activations, outside = layout.split(output)
    change(activations)
    return _built(layout, activations, outside, output) if layout.derived else output


def _built(layout: Layout, activations: Tensor, outside: Tensor | None, like: Tensor) -> Tensor:
    """A layer's output from its units; of the type of ``like`` where a code computed it, in float32."""
    output = layout.output(activations, outside)
    return output if layout.code is None else output.to(like.dtype)


@contextmanager
def zero_units(network: nn.Module, at: At, units: Tensor) -> Iterator[None]:
    """Ablate units in forward passes inside: their output channels are set to zero.

    Args:
        network: any module.
        at: the layer whose output channels are the units.
        units: (n,) int64, the same units for every image; or (B, K) bool, True where unit k of image b is ablated (the
            batch must then have B images).
    """

    def set_to_zero(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        def ablate(activations: Tensor) -> None:
            if units.dtype == torch.bool:
                activations.masked_fill_(units.to(activations.device)[:, :, None, None], 0.0)
            else:
                activations[:, units.to(activations.device)] = 0.0

        return _changed(output, point, ablate)

    point = hook_point(at)
    handle = find_module(network, point).register_forward_hook(set_to_zero)
    try:
        with evaluating(network):
            yield
    finally:
        handle.remove()


@contextmanager
def replace(network: nn.Module, at: At, activations: Tensor, outside: Tensor | None = None) -> Iterator[None]:
    """Replace the layer's output by ``activations`` (B, K, h, w) in forward passes inside.

    The head sees a batch of B, whatever batch the backbone was given: this runs the head alone (see
    :mod:`interpret.models.head`). Under ``torch.no_grad()``, a graph is built from the layer on where ``activations``
    require gradients; the end of the ``no_grad`` block restores the mode.

    Args:
        network: any module.
        at: the layer.
        activations: of its units.
        outside: (B, P, K) what the units do not hold; that of the forward pass itself if None.
    """
    layout = hook_point(at).layout

    def substitute(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        own = layout.outside(output) if outside is None else outside
        if activations.requires_grad:
            torch.set_grad_enabled(True)
        return _built(layout, activations, own, output)

    handle = find_module(network, at).register_forward_hook(substitute)
    try:
        with evaluating(network):
            yield
    finally:
        handle.remove()


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
    point: HookPoint

    def __call__(self, _module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        def ablate(activations: Tensor) -> None:
            last, count = self.units[-1], activations.shape[1]
            if last >= count:
                raise InputError(f"There is no unit {last}; the layer has {count}, counted from 0.")
            activations[:, list(self.units)] = 0.0

        return _changed(output, self.point, ablate)


def leave_ablated(network: nn.Module, at: At, units: Sequence[int]) -> None:
    """Ablate some units of a layer for good, see :func:`interpret.models.ablated.ablated`.

    Raises:
        InputError: there is no such layer, or a unit is below 0.
    """
    module, chosen = find_module(network, at), tuple(sorted({int(unit) for unit in units}))
    if chosen and chosen[0] < 0:
        raise InputError(f"There is no unit {chosen[0]}; units are counted from 0.")
    if chosen:
        module.register_forward_hook(_Zero(chosen, hook_point(at)))


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
