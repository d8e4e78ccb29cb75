"""How the outputs of a network with tokens are arranged, found by changing quarters of an image.

A shape alone does not say it: (49, 64, 64) may be 49 channels or 49 tokens, and attention weights (heads, T, T) look
like channels on a grid. So the network runs on an image, on one whose upper right quarter is another, and on one whose
lower left quarter is. Where an output is read with its locations in the right places, the first change is largest at
the upper right and the second at the lower left.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from interpret.models.hooks import watch
from interpret.models.layout import CHANNELS_FIRST, CHANNELS_LAST, Layout
from interpret.threads import one_thread

CERTAIN = 0.1
"""Score from which a layout is believed; 1 where each change stays in its quarter, 0 where both reach everywhere."""

CONTRADICTED = -0.05
"""Score below which a layout is not believed, although the same was found for other layers of that grid."""

MOST_OTHERS = 16
"""Tokens outside the grid, at most (count): a class token, one of distillation, registers."""

_PLANAR = (nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d, nn.AvgPool2d)
"""Modules that give channels first whatever they are given."""

_LINEAR = (nn.Linear, nn.LayerNorm)  # not their subclasses: timm's LayerNorm2d gives channels first


def has_tokens(outputs: Iterable[tuple[nn.Module, Tensor]]) -> bool:
    """Whether some of the outputs of modules are not channels first: sequences, or what acts on the last axis."""
    return any(output.ndim == 3 or (output.ndim == 4 and type(module) in _LINEAR) for module, output in outputs)


@dataclass(frozen=True)
class _Reading:
    """One way to read a layer's output, and how well it fits."""

    layout: Layout
    grid: tuple[int, int]
    score: float


def find_layouts(network: nn.Module, size: tuple[int, int], layers: set[str]) -> dict[str, Layout]:
    """The layout of each layer whose output can be brought to (B, K, h, w); others are left out.

    A layer whose output depends on the whole image alike, as after attention, has the layout of the other layers with
    the same grid.

    Args:
        network: runs on (B, 3, H, W) of ``size``.
        size: H and W, pixels.
        layers: names of the modules asked for; each runs once in a forward pass.
    """
    names = {module: name for name, module in network.named_modules() if name}
    read: dict[str, list[_Reading]] = {}
    planar: set[str] = set()
    grids: set[tuple[int, int]] = set()

    def note(module: nn.Module, _inputs: Any, output: Any) -> None:
        name = names.get(module)
        if name not in layers or not isinstance(output, Tensor) or len(output) != 3 or not output.is_floating_point():
            return
        readings = []
        for layout, grid in _possible(tuple(output.shape), size, grids):
            readings.append(_Reading(layout, grid, _score(layout.units(output))))
            if output.ndim == 4:
                grids.add(grid)
        read[name] = readings
        if isinstance(module, _PLANAR):
            planar.add(name)

    # A few images gain little from helpers, and on a busy machine wait for them.
    with one_thread("cpu"), watch(network, note), torch.no_grad():
        network(_changed_quarters(network, size))
    believed: dict[tuple[Layout, tuple[int, int]], float] = defaultdict(float)
    for name, readings in read.items():
        best = max(readings, key=lambda one: one.score, default=None)
        if name in planar:
            best = next((one for one in readings if one.layout == CHANNELS_FIRST), best)
        if best is not None and (best.score >= CERTAIN or (name in planar and best.score > CONTRADICTED)):
            key = (best.layout, best.grid)
            believed[key] = max(believed[key], best.score, CERTAIN)
    found = {}
    for name, readings in read.items():
        fitting = [one for one in readings if one.score > CONTRADICTED and (one.layout, one.grid) in believed]
        if fitting:
            found[name] = max(fitting, key=lambda one: (one.score >= CERTAIN, believed[one.layout, one.grid])).layout
    return found


def _changed_quarters(network: nn.Module, size: tuple[int, int]) -> Tensor:
    """(3, 3, H, W): noise, the same with another upper right quarter, and with another lower left one."""
    height, width = size
    drawn = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1
    images = drawn[:1].repeat(3, 1, 1, 1)
    images[1, :, : height // 2, width // 2 :] = drawn[1, :, : height // 2, width // 2 :]
    images[2, :, height // 2 :, : width // 2] = drawn[1, :, height // 2 :, : width // 2]
    weights = next(network.parameters(), torch.zeros(0))
    return images.to(weights.device, weights.dtype)


def _possible(
    shape: tuple[int, ...], size: tuple[int, int], grids: set[tuple[int, int]]
) -> Iterator[tuple[Layout, tuple[int, int]]]:
    """The layouts that an output of some shape may have, with their grids.

    Args:
        shape: of the output.
        size: H and W of the image.
        grids: of the outputs before: tokens are most likely theirs.
    """
    if len(shape) == 4:
        for layout in (CHANNELS_FIRST, CHANNELS_LAST):
            grid = (shape[layout.axes[2]], shape[layout.axes[3]])
            if _alike(grid, size):
                yield layout, grid
    if len(shape) == 3:
        for axes in ((0, 2, 1), (0, 1, 2)):
            tokens = shape[axes[2]]
            for grid in _grids(tokens, size, grids):
                others = tokens - grid[0] * grid[1]
                yield Layout(axes, grid, prefix=others), grid
                if others:
                    yield Layout(axes, grid, suffix=others), grid


def _grids(tokens: int, size: tuple[int, int], seen: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Grids that fill a sequence but for a few tokens: those seen before, else all that are shaped like the image."""
    among = [grid for grid in sorted(seen) if 0 <= tokens - grid[0] * grid[1] <= MOST_OTHERS]
    if among:
        return among
    rows = range(2, int(tokens**0.5 * max(1.0, (size[0] / size[1]) ** 0.5)) + 2)
    shaped = [(row, round(row * size[1] / size[0])) for row in rows]
    return [grid for grid in shaped if 0 <= tokens - grid[0] * grid[1] <= MOST_OTHERS]


def _alike(grid: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether a grid can be that of an image: of two locations or more, not finer, and of about its shape."""
    if grid[0] * grid[1] < 2 or grid[0] > size[0] or grid[1] > size[1]:
        return False
    # A side may be a location longer or shorter than its share, by the padding.
    return abs(grid[0] * size[1] - grid[1] * size[0]) <= 2 * max(size)


def _score(activations: Tensor) -> float:
    """How well the two changes of an output (3, K, h, w) stay in their quarters; at most 1, 0 where nothing changes."""
    values = activations.float()
    change = (values[1:] - values[:1]).abs().mean(dim=1).double()
    change = change / change.sum(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(torch.float64).tiny)
    height, width = change.shape[1:]
    upper_right = change[:, : height // 2, width - width // 2 :].sum(dim=(1, 2))
    lower_left = change[:, height - height // 2 :, : width // 2].sum(dim=(1, 2))
    return float((upper_right[0] - upper_right[1] + lower_left[1] - lower_left[0]) / 2)
