"""The head: what follows the chosen layer, run alone on stored activations.

Some heads read more than the layer's activations. Where the layer has tokens outside its grid, such as a class token,
the head needs these too; where its units are the latents of a code, the code's error. Where something passes the layer
by, as a residual connection passes by what is inside a block, the head is the whole network, run on its inputs with the
layer's output replaced: exact as well, and slower.
"""

import copy
import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from interpret.errors import InputError
from interpret.models.hooks import capture, evaluating, replace, watch
from interpret.models.layout import At, hook_point


@dataclass(frozen=True, eq=False)
class Head:
    """The logits as a function of the layer's activations.

    Attributes:
        network: the whole classifier; the layer's output is replaced while it runs.
        layer: the module that the head follows.
        seed_input: (1, 3, H, W), any input; the backbone runs on it, and its result is discarded.
        weight: (C, K) of a head that is global average pooling and one linear map; None for any other head. With a code
            it is the map from pooled latents, through the decoder.
        bias: (C,) of such a head; None where it has none, and with a code.
        whole: whether the head is the whole network, because something passes the layer by.
        beside: what the head reads beside the activations, see :attr:`reads`; for one image, or for as many as there
            are activations of. None where it reads nothing else, or is not given it yet.
    """

    network: nn.Module
    layer: At
    seed_input: Tensor
    weight: Tensor | None = None
    bias: Tensor | None = field(default=None)
    whole: bool = False
    beside: Tensor | None = None

    @property
    def linear(self) -> bool:
        """Whether pooled features (B, K) are all that the head needs."""
        return self.weight is not None

    @property
    def reads(self) -> str:
        """What the head reads beside the activations.

        ``inputs``, (B, 3, H, W) normalised, where it is the whole network; ``outside``, (B, P, K), what the units do
        not hold of the layer's output, see :meth:`interpret.models.layout.Layout.outside`; ``offset``, (B, C), the part
        of the logits that no latent of a code has, where the head is linear; else an empty string.
        """
        layout = hook_point(self.layer).layout
        if self.linear:
            return "offset" if layout.code is not None else ""
        if self.whole:
            return "inputs"
        return "outside" if layout.keeps else ""

    def offset(self, logits: Tensor, features: Tensor) -> Tensor:
        """(B, C) the part of the logits that no latent of a code has: W (error and b_dec, pooled) + b.

        Args:
            logits: (B, C) with nothing ablated.
            features: (B, K), of the same images.

        Raises:
            ValueError: the head is not linear.
        """
        if self.weight is None:
            raise ValueError("this head is not pooling and a linear map")
        return offset_of(logits, features, self.weight)

    def given(self, beside: Tensor | None) -> "Head":
        """The same head with what it reads beside the activations."""
        return self if beside is None else dataclasses.replace(self, beside=beside)

    @cached_property
    def on_cpu(self) -> "Head":
        """The same on the CPU, with a copy of the network, made once; it takes no memory of a GPU."""
        made: dict[int, Any] = {id(buffer): buffer.detach().cpu() for buffer in self.network.buffers()}
        for parameter in self.network.parameters():
            made[id(parameter)] = nn.Parameter(parameter.detach().cpu(), parameter.requires_grad)
        network = copy.deepcopy(self.network, made)  # it takes what it finds there
        weight, bias = (None if tensor is None else tensor.cpu() for tensor in (self.weight, self.bias))
        beside = None if self.beside is None else self.beside.cpu()
        return Head(network, self.layer, self.seed_input.cpu(), weight, bias, self.whole, beside)

    def logits(self, activations: Tensor) -> Tensor:
        """(B, C) from activations (B, K, h, w); differentiable with respect to them.

        Raises:
            ValueError: the head reads more than the activations, and has not been given it.
        """
        if self.reads and self.beside is None:
            raise ValueError(f"this head reads {self.reads} beside the activations; give them")
        if self.weight is not None:
            return self.from_features(activations.float().mean(dim=(2, 3)))
        beside = None if self.beside is None else self.beside.to(activations.device)
        if beside is not None and len(beside) != len(activations):
            beside = beside.expand(len(activations), *beside.shape[1:])
        inputs = beside if self.whole else self.seed_input.to(activations.device)
        # The graph begins at the layer: what comes before it is discarded, or does not depend on it.
        with torch.no_grad(), replace(self.network, self.layer, activations, None if self.whole else beside):
            return self.network(inputs)

    def from_features(self, features: Tensor) -> Tensor:
        """(B, C) from features (B, K), the activations averaged over the grid.

        Raises:
            ValueError: the head is not pooling and a linear map, or its offset is not given.
        """
        if self.weight is None:
            raise ValueError("this head is not pooling and a linear map; give the activations")
        found = torch.nn.functional.linear(features.float(), self.weight, self.bias)
        if self.reads != "offset":
            return found
        if self.beside is None:
            raise ValueError("this head reads offset beside the features; give it")
        return found + self.beside.to(found.device)


def offset_of(logits: Tensor, features: Tensor, weight: Tensor) -> Tensor:
    """(B, C) what a linear map (C, K) of features (B, K) leaves over of logits (B, C), in float32."""
    return logits.float() - torch.nn.functional.linear(features.float(), weight)


def trial_inputs(size: tuple[int, int]) -> Tensor:
    """(2, 3, H, W) two different inputs of uniform noise in -1..1, always the same, to try a network out on.

    Args:
        size: height and width of the network's input, pixels.
    """
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1


@torch.inference_mode(False)  # tensors made in inference mode cannot be differentiated through later
def find_head(network: nn.Module, layer: At, inputs: Tensor) -> Head:
    """The head that follows ``layer``; its logits are compared with the network's on a batch first.

    Where the logits depend on more than this layer's output, because a connection bypasses it, the head is the whole
    network.

    Args:
        network: a classifier on the device of ``inputs``.
        layer: the module that the head follows.
        inputs: (B, 3, H, W), two or more different images, normalised.

    Raises:
        InputError: the layer has no part in the network's output, or the network does not give the same twice.
    """
    point = hook_point(layer)
    name = point.layer
    if (code := point.layout.code) is not None:
        plain = find_head(network, dataclasses.replace(point, layout=point.layout.plain), inputs)
        if plain.weight is not None:  # W mean(z D + b_dec + error) + b: linear in mean(z)
            return Head(network, layer, plain.seed_input, plain.weight @ code.directions(plain.weight.device).T)
    with torch.no_grad(), evaluating(network):
        with capture(network, layer) as captured:
            expected = network(inputs).float()
        activations = captured.activations
        if activations is None:
            raise InputError(f"The layer {name!r} has no part in the network's output; choose another one.")
        seed = torch.zeros_like(inputs[:1])
        weight, bias = (None, None) if code is not None else _linear_map(network, layer, inputs, activations)
        outside, cut = captured.outside, Head(network, layer, seed)
        for head, beside in (
            (Head(network, layer, seed, weight, bias), outside),
            (cut, outside),
            (dataclasses.replace(cut, whole=True), inputs),
        ):
            try:
                found = head.given(beside).logits(activations).float()
            except torch.OutOfMemoryError:
                raise
            except (RuntimeError, ValueError):
                continue  # the network uses its input's batch size after the layer, where the batch is another one now
            # Summing in another order changes float32 by about 1e-6 of its size; a bypass changes it by far more.
            if found.shape == expected.shape and torch.allclose(found, expected, rtol=1e-4, atol=1e-4):
                return head
    raise InputError(
        f"The network does not give the same output when the layer {name!r} is given its own output again; choose "
        "another layer, such as the last one before pooling."
    )


def _linear_map(
    network: nn.Module, layer: At, inputs: Tensor, activations: Tensor
) -> tuple[Tensor | None, Tensor | None]:
    """Weight and bias of the one linear module whose input is the layer's mean over the grid, else (None, None)."""
    pooled = activations.float().mean(dim=(2, 3))
    signed = hook_point(layer).layout.signed
    if signed:
        positive, negative = pooled.chunk(2, dim=1)
        pooled = positive - negative
    found: list[nn.Linear] = []

    def note_if_pooled(module: nn.Module, arguments: Any, _output: Any) -> None:
        if not isinstance(module, nn.Linear) or not arguments or arguments[0].shape != pooled.shape:
            return
        if torch.allclose(arguments[0].float(), pooled, rtol=1e-4, atol=1e-5):
            found.append(module)

    with watch(network, note_if_pooled):
        network(inputs)
    if len(found) != 1:
        return None, None
    weight, bias = found[0].weight.detach().float(), found[0].bias
    return torch.cat([weight, -weight], dim=1) if signed else weight, None if bias is None else bias.detach().float()
