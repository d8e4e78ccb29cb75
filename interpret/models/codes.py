"""Sparse codes over a layer: its activations written as a few of many latents, and back.

A code of a layer with K channels and M latents encodes A (B, K, h, w) as z (B, M, h, w) at each location by itself, and
decodes z to an approximation of A. Where a study is made with a code, the latents are its units, see docs/codes.md.
"""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from interpret.errors import InputError


class Code(Protocol):
    """What can stand between a layer and what follows it.

    The arithmetic is that of float32. ``decode`` must be affine: what ablating a latent changes, and the gradient of
    each logit, then follow from the decoder alone.
    """

    @property
    def channels(self) -> int:
        """K, of the layer (count)."""

    @property
    def latents(self) -> int:
        """M (count)."""

    @property
    def path(self) -> str:
        """Where it was read from, absolute; what it is called where it was made in Python."""

    @property
    def format(self) -> str:
        """The format that it was read from, in words."""

    @property
    def sha256(self) -> str:
        """64 hexadecimal digits that name its numbers: part of a study's key."""

    def encode(self, activations: Tensor) -> Tensor:
        """Latents (B, M, h, w) from activations (B, K, h, w)."""

    def decode(self, latents: Tensor) -> Tensor:
        """Activations (B, K, h, w) from latents (B, M, h, w); differentiable."""

    def directions(self, device: torch.device) -> Tensor:
        """(M, K) by how much each channel rises where a latent rises by 1."""


@dataclass(frozen=True, eq=False, repr=False)
class SparseCode:
    """A sparse autoencoder with one linear map each way, at each location x of a layer's grid.

        p = W (x - centre) + bias        z = f(p)        x' = z D + offset

    f is ReLU; with ``thresholds`` JumpReLU, p where it is above both 0 and its threshold (Rajamanoharan et al., 2024);
    with ``k`` TopK, ReLU of the k largest (Gao et al., 2024), or with ``grouped`` of the largest of each of k groups.

    Attributes:
        encoder: (M, K) float32, W.
        bias: (M,) float32.
        decoder: (M, K) float32, D: the direction of each latent.
        offset: (K,) float32.
        centre: (K,) float32.
        thresholds: (M,) float32; None for any other f.
        k: latents that may be positive at a location (count); None for any number.
        grouped: whether they are the largest of k groups of neighbours, in place of the k largest.
        path: where it was read from, absolute.
        format: that of the file, in words.
        sha256: of the file of weights followed by the file of options.
    """

    encoder: Tensor
    bias: Tensor
    decoder: Tensor
    offset: Tensor
    centre: Tensor
    thresholds: Tensor | None = None
    k: int | None = None
    grouped: bool = False
    path: str = ""
    format: str = ""
    sha256: str = ""
    _elsewhere: dict[torch.device, dict[str, Tensor]] = field(default_factory=dict)

    @property
    def channels(self) -> int:
        """K (count)."""
        return int(self.encoder.shape[1])

    @property
    def latents(self) -> int:
        """M (count)."""
        return int(self.encoder.shape[0])

    def encode(self, activations: Tensor) -> Tensor:
        """Latents (B, M, h, w) of 0 or more, float32, from activations (B, K, h, w)."""
        here = self._on(activations.device)
        rows = activations.float().movedim(1, -1) - here["centre"]
        before = torch.nn.functional.linear(rows, here["encoder"], here["bias"])
        if self.k is not None:
            values = before.relu()
            if self.grouped:
                largest, place = values.unflatten(-1, (self.k, -1)).max(dim=-1, keepdim=True)
                chosen = torch.zeros_like(values).unflatten(-1, (self.k, -1)).scatter(-1, place, largest).flatten(-2)
            else:
                largest, place = values.topk(self.k, dim=-1, sorted=False)
                chosen = torch.zeros_like(values).scatter(-1, place, largest)
        elif self.thresholds is not None:
            chosen = before.relu() * (before > here["thresholds"])
        else:
            chosen = before.relu()
        return chosen.movedim(-1, 1).contiguous()

    def decode(self, latents: Tensor) -> Tensor:
        """Activations (B, K, h, w), float32, from latents (B, M, h, w); differentiable."""
        here = self._on(latents.device)
        rows = latents.float().movedim(1, -1) @ here["decoder"] + here["offset"]
        return rows.movedim(-1, 1)

    def directions(self, device: torch.device) -> Tensor:
        """(M, K) the decoder."""
        return self._on(device)["decoder"]

    def __getstate__(self) -> dict[str, object]:
        """Without the copies on devices, which the machine that it is sent to may not have."""
        return {**vars(self), "_elsewhere": {}}

    @torch.inference_mode(False)  # tensors made in inference mode cannot be differentiated through later
    def _on(self, device: torch.device) -> dict[str, Tensor]:
        """The tensors by name on a device, copied there once."""
        if device not in self._elsewhere:
            held = {name: getattr(self, name) for name in ("encoder", "bias", "decoder", "offset", "centre")}
            if self.thresholds is not None:
                held["thresholds"] = self.thresholds
            self._elsewhere[device] = {name: tensor.to(device) for name, tensor in held.items()}
        return self._elsewhere[device]


def check_code(code: Code, channels: int, layer: str) -> None:
    """Raise :class:`InputError` unless a code is one of a layer with so many channels.

    Args:
        code: the code.
        channels: K, of the layer (count).
        layer: the layer's name.
    """
    if code.channels != channels:
        raise InputError(
            f"The codes in {code.path} are of a layer with {code.channels:,} channels, but {layer!r} has {channels:,}; "
            "choose the layer that they were learned on with --layer."
        )
