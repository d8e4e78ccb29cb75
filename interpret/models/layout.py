"""Where the units and the locations are in a layer's output: what makes (B, K, h, w) of it, and that of (B, K, h, w).

A convolution gives (B, K, h, w). A block of Swin gives (B, h, w, K), and one of a vision transformer (B, T, K): its T
tokens are those of a grid, after prefix tokens (a class token, registers) that belong to no location.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from interpret.errors import InputError
from interpret.models.codes import Code


@dataclass(frozen=True)
class Layout:
    """How a layer's output is arranged.

    Attributes:
        axes: the output's axes in the order batch, units, then rows and columns, or tokens.
        grid: rows and columns (count) of the tokens' grid; None where the output has rows and columns of its own.
        prefix: tokens before those of the grid (count).
        suffix: tokens after those of the grid (count).
        signed: whether a channel's positive and negative half are two units: of C channels, unit k is the positive half
            of channel k, and unit C + k the negative one, as a value of 0 or more.
        code: whose latents are the units, in place of the channels; None for the channels themselves.
    """

    axes: tuple[int, ...] = (0, 1, 2, 3)
    grid: tuple[int, int] | None = None
    prefix: int = 0
    suffix: int = 0
    signed: bool = False
    code: Code | None = None

    @property
    def others(self) -> int:
        """Tokens outside the grid (count)."""
        return self.prefix + self.suffix

    @property
    def derived(self) -> bool:
        """Whether units are computed from the channels, and no view of them."""
        return self.signed or self.code is not None

    @property
    def keeps(self) -> bool:
        """Whether the layer's output does not follow from the units alone, see :meth:`outside`."""
        return self.others > 0 or self.code is not None

    @property
    def plain(self) -> "Layout":
        """The same with the channels as units."""
        return replace(self, signed=False, code=None)

    def units(self, output: Tensor) -> Tensor:
        """(B, K, h, w) of a layer's output: a view of it, unless :attr:`derived`."""
        return self.split(output)[0]

    def outside(self, output: Tensor) -> Tensor | None:
        """(B, P, K) what of a layer's output the units do not hold; None where they hold all of it.

        These are the tokens outside the grid, prefix first. With a code the error A - decode(encode(A)) of each
        location follows, row by row; K is then the channels (count).
        """
        return self.split(output)[1]

    def split(self, output: Tensor) -> tuple[Tensor, Tensor | None]:
        """The :meth:`units` of a layer's output, and what is :meth:`outside` of them."""
        channels, outside = self._channels(output), self._tokens(output)
        if self.code is not None:
            latents = self.code.encode(channels)
            error = (channels.float() - self.code.decode(latents)).flatten(2).transpose(1, 2)
            return latents, error if outside is None else torch.cat([outside.float(), error], dim=1)
        if self.signed:
            channels = torch.cat([channels.clamp_min(0), (-channels).clamp_min(0)], dim=1)
        return channels, outside

    def _channels(self, output: Tensor) -> Tensor:
        """(B, K, h, w) a view of a layer's output."""
        moved = output.permute(self.axes) if self.axes != (0, 1, 2, 3) else output
        if self.grid is not None:
            moved = moved.narrow(2, self.prefix, self.grid[0] * self.grid[1]).unflatten(2, self.grid)
        return moved

    def _tokens(self, output: Tensor) -> Tensor | None:
        """(B, P, K) the tokens outside the grid, prefix first; None where there are none."""
        if not self.others:
            return None
        moved = output.permute(self.axes).transpose(1, 2)
        return torch.cat([moved[:, : self.prefix], moved[:, moved.shape[1] - self.suffix :]], dim=1)

    def output(self, activations: Tensor, outside: Tensor | None = None) -> Tensor:
        """A layer's output from its units (B, K, h, w) and what is :meth:`outside` of them (B, P, K); a new tensor.

        With a code it is decode(z) and the error, which stays as it is whatever the latents z are.

        Raises:
            ValueError: the layer keeps more than its units, and it is not given.
        """
        if self.code is not None:
            if outside is None:
                raise ValueError("the error of the code is not given; give it too")
            tokens, error = outside[:, : self.others], outside[:, self.others :]
            decoded = self.code.decode(activations)
            activations = decoded + error.to(decoded.dtype).transpose(1, 2).unflatten(2, decoded.shape[2:])
            outside = tokens
        if self.signed:
            positive, negative = activations.chunk(2, dim=1)
            activations = positive - negative
        if self.axes == (0, 1, 2, 3):
            return activations.clone()
        moved = activations if self.grid is None else activations.flatten(2)
        if self.others:
            if outside is None:
                raise ValueError("this layer has tokens outside its grid; give them too")
            rest = outside.to(moved.dtype).transpose(1, 2)
            moved = torch.cat([rest[:, :, : self.prefix], moved, rest[:, :, self.prefix :]], dim=2)
        back = sorted(range(len(self.axes)), key=self.axes.__getitem__)
        return moved.permute(back).contiguous().clone()

    def check(self, output: object, layer: str) -> None:
        """Raise :class:`InputError` unless a layer's output is arranged so and has more than one location."""
        if not isinstance(output, Tensor) or output.ndim != len(self.axes):
            shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise InputError(
                f"The layer {layer!r} gives {shape} and not {self}; choose one with spatial extent "
                "(`unitscope models --layers NAME` lists them)."
            )
        if self.grid is not None:
            tokens = output.shape[self.axes[2]]
            if tokens != self.grid[0] * self.grid[1] + self.others:
                raise InputError(
                    f"The layer {layer!r} gives {tokens} tokens here and not {self}; photos must have the size that "
                    "the layer was looked at with."
                )
        elif output.shape[self.axes[2]] * output.shape[self.axes[3]] < 2:
            raise InputError(
                f"The layer {layer!r} has a single spatial location, so nothing in the photo can be located; choose an "
                "earlier one (`unitscope models --layers NAME` lists them)."
            )

    def __str__(self) -> str:
        """The arrangement in words."""
        if self.grid is not None:
            return f"tokens of {self.grid[0]} x {self.grid[1]} locations" + (
                f" and {self.others} others" * bool(self.others)
            )
        names = {self.axes[1]: "channels", self.axes[2]: "height", self.axes[3]: "width"}
        return " x ".join(names[axis] for axis in sorted(names))


CHANNELS_FIRST = Layout()
"""(B, K, h, w), as convolutions give it."""

CHANNELS_LAST = Layout((0, 3, 1, 2))
"""(B, h, w, K), as Swin's blocks give it."""


@dataclass(frozen=True)
class HookPoint:
    """A module whose output is captured or changed.

    Attributes:
        layer: the module's name in the network.
        layout: how its output is arranged.
    """

    layer: str
    layout: Layout = CHANNELS_FIRST

    def signed(self) -> "HookPoint":
        """The same with the positive and the negative half of each channel as two units."""
        return replace(self, layout=replace(self.layout, signed=True))

    def coded(self, code: Code) -> "HookPoint":
        """The same with the latents of a code as units."""
        return replace(self, layout=replace(self.layout, code=code))


At = str | HookPoint
"""A layer by its name alone gives (B, K, h, w)."""


def hook_point(at: At) -> HookPoint:
    """A layer with its layout."""
    return HookPoint(at) if isinstance(at, str) else at
