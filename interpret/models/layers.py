"""Which modules of a network have units with spatial extent, and which one is taken by default.

No architecture is known here: the network runs once on a black image, and each module's output is noted.
"""

import difflib
from collections import Counter
from dataclasses import dataclass

import torch
from torch import nn

from interpret.errors import InputError
from interpret.models.hooks import watch


@dataclass(frozen=True)
class Layer:
    """A module whose output channels can be the units.

    Attributes:
        name: the module's name in the network, as ``--layer`` takes it.
        kind: the module's class.
        channels: how many units it has.
        height: rows of its grid of spatial locations (count).
        width: columns of its grid (count).
    """

    name: str
    kind: str
    channels: int
    height: int
    width: int


@dataclass(frozen=True, eq=False)
class Event:
    """One module's output in one forward pass; it is kept, so that no later tensor reuses its address."""

    name: str
    module: nn.Module
    output: torch.Tensor

    @property
    def spatial(self) -> bool:
        """Whether the output is (B, channels, height, width) with more than one spatial location."""
        return self.output.ndim == 4 and self.output.shape[2] * self.output.shape[3] > 1

    @property
    def leaf(self) -> bool:
        """Whether the module has no children."""
        return not any(self.module.children())


def observe(network: nn.Module, input_size: tuple[int, int]) -> tuple[list[Event], torch.Tensor]:
    """Run the network once on a black image and note every module's output, in the order in which they finish.

    Args:
        network: any module that maps (1, 3, H, W) to (1, classes).
        input_size: height and width, pixels.

    Returns:
        The events, and the logits (1, classes).

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
    return events, logits


def layers(network: nn.Module, input_size: tuple[int, int]) -> list[Layer]:
    """The modules that have spatial extent and run exactly once in a forward pass, in the order in which they finish.

    Raises:
        InputError: the network does not take an image of that size.
    """
    return _usable(observe(network, input_size)[0])


def _usable(events: list[Event]) -> list[Layer]:
    times = Counter(event.name for event in events)
    return [
        Layer(event.name, type(event.module).__name__, *event.output.shape[1:])
        for event in events
        if event.spatial and times[event.name] == 1
    ]


def default_layer(events: list[Event], network_name: str = "The network") -> str:
    """The last layer with spatial extent before pooling, after its non-linearity.

    Of the modules that return the same tensor (a block, its last child, an in-place ReLU) the last to finish is taken,
    which is the outermost one, after the non-linearity. Pooling and modules that return their input are passed over. A
    module with weights must follow; where none does, the channels are the classes themselves.

    Raises:
        InputError: there is none, or tokens without a grid follow it, as in a vision transformer.
    """
    times = Counter(event.name for event in events)
    passive = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten)
    pooled = _pooled(events)
    weighted = [
        index
        for index, event in enumerate(events)
        if event.leaf and any(True for _ in event.module.parameters(recurse=False))
    ]
    last_weighted = weighted[-1] if weighted else len(events)
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        if not event.spatial or pooled[index] or isinstance(event.module, passive) or times[event.name] > 1:
            continue
        if index >= last_weighted:
            continue
        if any(later.output.ndim == 3 for later in events[index + 1 :]):
            raise InputError(
                f"{network_name} turns the photo into tokens without a grid, so no layer is taken by default; "
                "choose a convolutional network, or name a layer."
            )
        return event.name
    raise InputError(f"{network_name} has no layer with spatial extent before its classes; choose another network.")


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


def check_layer(events: list[Event], layer: str, network: nn.Module) -> Layer:
    """The layer of that name.

    Raises:
        InputError: it does not exist, has no spatial extent, or runs more than once; similar names are listed.
    """
    usable = {item.name: item for item in _usable(events)}
    if layer in usable:
        return usable[layer]
    near = difflib.get_close_matches(layer, usable, n=4, cutoff=0.3) or list(usable)[-4:]
    hint = f"choose another, such as {', '.join(reversed(near))}" if near else "the network has none that could be used"
    if not layer or layer not in dict(network.named_modules()):
        raise InputError(f"The network has no layer {layer!r}; {hint}.")
    seen = [event for event in events if event.name == layer]
    if len(seen) > 1 and any(event.spatial for event in seen):
        raise InputError(
            f"The layer {layer!r} is used {len(seen)} times in one pass, so its units are not one; {hint}."
        )
    if seen:
        shape = " x ".join(str(side) for side in seen[0].output.shape[1:])
        raise InputError(f"The layer {layer!r} has no spatial extent (its output is {shape}); {hint}.")
    raise InputError(f"The layer {layer!r} gives no single grid of units; {hint}.")
