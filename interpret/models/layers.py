"""Which modules of a network have units with spatial extent, and which one is taken by default.

No architecture is known here: the network runs once on a black image, and each module's output is noted.
"""

import difflib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from interpret.errors import InputError
from interpret.models.hooks import watch
from interpret.models.layout import CHANNELS_FIRST, HookPoint, Layout
from interpret.models.probe import find_layouts, has_tokens
from interpret.models.reach import carries_all


@dataclass(frozen=True)
class Layer:
    """A module whose output channels can be the units.

    Attributes:
        name: the module's name in the network, as ``--layer`` takes it.
        kind: the module's class.
        channels: how many units it has.
        height: rows of its grid of spatial locations (count).
        width: columns of its grid (count).
        layout: how its output is arranged.
    """

    name: str
    kind: str
    channels: int
    height: int
    width: int
    layout: Layout = CHANNELS_FIRST

    @property
    def hook_point(self) -> HookPoint:
        """The module with the layout of its output."""
        return HookPoint(self.name, self.layout)


@dataclass(frozen=True, eq=False)
class Event:
    """One module's output in one forward pass; it is kept, so that no later tensor reuses its address."""

    name: str
    module: nn.Module
    output: torch.Tensor

    @property
    def leaf(self) -> bool:
        """Whether the module has no children."""
        return not any(self.module.children())


@dataclass(frozen=True, eq=False)
class Observed:
    """A network's forward pass of a black image.

    Attributes:
        network: the network.
        size: height and width of the image, pixels.
        events: every module's output, in the order in which they finished.
        logits: (1, classes).
    """

    network: nn.Module
    size: tuple[int, int]
    events: list[Event]
    logits: torch.Tensor

    @cached_property
    def usable(self) -> list[Layer]:
        """The modules that have spatial extent and ran exactly once, in the order in which they finished.

        Where all outputs are channels first, as in a convolutional network, their shapes say so. Where there are tokens
        or channels last, the network runs again, see :mod:`interpret.models.probe`.
        """
        times = Counter(event.name for event in self.events)
        once = [event for event in self.events if times[event.name] == 1]
        if has_tokens([(event.module, event.output) for event in self.events]):
            layouts = find_layouts(self.network, self.size, {event.name for event in once})
        else:
            layouts = {event.name: CHANNELS_FIRST for event in once if event.output.ndim == 4}
        found = []
        for event in once:
            layout = layouts.get(event.name)
            if layout is not None:
                channels, height, width = layout.units(event.output).shape[1:]
                if height * width > 1:
                    found.append(Layer(event.name, type(event.module).__name__, channels, height, width, layout))
        return found


def observe(network: nn.Module, input_size: tuple[int, int]) -> Observed:
    """Run the network once on a black image and note every module's output, in the order in which they finish.

    Args:
        network: any module that maps (1, 3, H, W) to (1, classes).
        input_size: height and width, pixels.

    Raises:
        InputError: the network does not take such an image, or does not give one row of numbers.
    """
    weights = next(network.parameters(), torch.zeros(0))
    image = torch.zeros(1, 3, *input_size, dtype=weights.dtype, device=weights.device)
    names = {module: name for name, module in network.named_modules() if name}
    events: list[Event] = []

    def note(module: nn.Module, _inputs: object, output: object) -> None:
        if module in names and isinstance(output, torch.Tensor):
            events.append(Event(names[module], module, output))

    size = f"{input_size[0]} x {input_size[1]}"
    try:
        with watch(network, note), torch.no_grad():
            logits = network(image)
    except (RuntimeError, ValueError, AssertionError, TypeError, IndexError) as error:
        reason = (str(error).strip().splitlines() or ["it failed"])[0][:160].rstrip(".")
        raise InputError(f"The network does not take an image of {size} pixels: {reason}.") from None
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
        raise InputError(
            f"The network does not answer an image of {size} pixels with one number per class; "
            "only classifiers can be explained."
        )
    return Observed(network, input_size, events, logits)


def layers(network: nn.Module, input_size: tuple[int, int]) -> list[Layer]:
    """The modules that have spatial extent and run exactly once in a forward pass, in the order in which they finish.

    Raises:
        InputError: the network does not take an image of that size.
    """
    return observe(network, input_size).usable


_PASSIVE = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten)
"""Modules that return their input: the one that made it is taken."""


def default_layer(observed: Observed, network_name: str = "The network") -> str:
    """The last layer with spatial extent before pooling, after its non-linearity.

    Of the modules that return the same tensor (a block, its last child, an in-place ReLU) the last to finish is taken,
    which is the outermost one, after the non-linearity. Pooling and modules that return their input are passed over. A
    module with weights must follow; where none does, the channels are the classes themselves.

    Where tokens follow it, as in a vision transformer, it is the last layer that everything flows through and whose
    grid the classes depend on: with a class token the last but one block, since what the last one gives to the other
    tokens is not read.

    Raises:
        InputError: there is none.
    """
    events = observed.events
    usable = {layer.name for layer in observed.usable}
    pooled = _pooled(events)
    weighted = [
        index
        for index, event in enumerate(events)
        if event.leaf and any(True for _ in event.module.parameters(recurse=False))
    ]
    last_weighted = weighted[-1] if weighted else len(events)
    possible = [
        index
        for index in range(min(last_weighted, len(events)) - 1, -1, -1)
        if events[index].name in usable and not pooled[index] and not isinstance(events[index].module, _PASSIVE)
    ]
    if possible:
        tokens_follow = any(later.output.ndim == 3 for later in events[possible[0] :])
        if not tokens_follow:
            return events[possible[0]].name
        layouts = {layer.name: layer.layout for layer in observed.usable}
        found = carries_all(observed.network, observed.size, [events[index].name for index in possible], layouts)
        if found is not None:
            return found
    raise InputError(
        f"{network_name} has no layer with spatial extent that its classes rest on; name a layer, or choose another "
        "network."
        if possible
        else f"{network_name} has no layer with spatial extent before its classes; choose another network."
    )


def _pooled(events: list[Event]) -> list[bool]:
    """For each event, whether its output comes from pooling: from a pooling module, or a block that ends with one."""
    flags: list[bool] = []
    last: dict[int, bool] = {}  # the latest event of each tensor address
    for event in events:
        address = event.output.data_ptr()
        pools = "pool" in type(event.module).__name__.lower()
        flags.append(pools or (not event.leaf and last.get(address, False)))
        last[address] = flags[-1]
    return flags


def check_layer(observed: Observed, layer: str) -> Layer:
    """The layer of that name.

    Raises:
        InputError: it does not exist, has no spatial extent, or runs more than once; similar names are listed.
    """
    usable = {item.name: item for item in observed.usable}
    if layer in usable:
        return usable[layer]
    near = difflib.get_close_matches(layer, usable, n=4, cutoff=0.3) or list(usable)[-4:]
    hint = f"choose another, such as {', '.join(reversed(near))}" if near else "the network has none that could be used"
    if not layer or layer not in dict(observed.network.named_modules()):
        raise InputError(f"The network has no layer {layer!r}; {hint}.")
    seen = [event for event in observed.events if event.name == layer]
    if len(seen) > 1 and any(event.output.ndim > 2 for event in seen):
        raise InputError(
            f"The layer {layer!r} is used {len(seen)} times in one pass, so its units are not one; {hint}."
        )
    if seen:
        shape = " x ".join(str(side) for side in seen[0].output.shape[1:])
        if seen[0].output.ndim > 2 and seen[0].output[0].numel() > seen[0].output.shape[1]:
            raise InputError(
                f"Which axes of the output of the layer {layer!r} ({shape}) are locations of the photo is not certain; "
                f"{hint}."
            )
        raise InputError(f"The layer {layer!r} has no spatial extent (its output is {shape}); {hint}.")
    raise InputError(f"The layer {layer!r} gives no single grid of units; {hint}.")
