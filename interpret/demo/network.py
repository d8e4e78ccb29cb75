"""The demo's network: a small VGG of ten classes, whose last units have a receptive field of 27 of 112 pixels.

Convolutions with ReLU, downsampled three times by 2; two 1 x 1 convolutions; global average pooling; one linear layer.
The receptive field is small on purpose, so that a unit sees a part and not the whole object.
"""

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from interpret.demo.canvas import SIZE
from interpret.demo.parts import CLASS_NAMES
from interpret.files import assets

__all__ = ["CLASS_NAMES", "INPUT_SIZE", "LAYER", "MEAN", "STD", "UNITS", "WEIGHTS", "DivisiveNorm", "build", "trained"]

WEIGHTS = assets() / "demo.safetensors"
INPUT_SIZE = SIZE
MEAN = (0.62, 0.60, 0.60)
STD = (0.25, 0.23, 0.24)
UNITS = 96
LAYER = "features.13"  # the last module of ``features``, a ReLU
_STEM = 24  # channels of a 5 x 5 convolution with stride 2
_PLAN: tuple[int | str, ...] = ("pool", 48, 64, "pool")  # channels of 3 x 3 convolutions
_DEEP = (128, UNITS)  # channels of 1 x 1 convolutions, which leave the receptive field as it is


class DivisiveNorm(nn.Module):
    """Divides the activations at each spatial location by their root mean square over the channels.

    Without this divisive normalisation every unit is largest where the contrast is highest: in these drawings, at the
    eyes.
    """

    def forward(self, activations: Tensor) -> Tensor:
        """(B, K, h, w) to the same shape."""
        return activations * torch.rsqrt((activations * activations).mean(1, keepdim=True) + 0.1)


def build(norm: bool = False) -> nn.Sequential:
    """The network, untrained.

    Args:
        norm: whether a batch normalisation follows each convolution. The network is trained with them; as it is used,
            each is folded into the convolution before it.

    Returns:
        ``features`` (B, 3, 112, 112) -> (B, 96, 14, 14), whose last module is a ReLU, then ``pool``, ``flatten`` and
        ``classifier`` -> (B, 10) logits.
    """
    features = nn.Sequential(*_convolution(3, _STEM, 5, 2, norm))
    channels = _STEM
    for width in _PLAN:
        if isinstance(width, str):
            features.append(nn.MaxPool2d(2))
        else:
            features.extend(_convolution(channels, width, 3, 1, norm))
            channels = width
    for width in _DEEP:
        features.append(DivisiveNorm())
        features.extend(_convolution(channels, width, 1, 1, norm))
        channels = width
    network = nn.Sequential()
    network.add_module("features", features)
    network.add_module("pool", nn.AdaptiveAvgPool2d(1))
    network.add_module("flatten", nn.Flatten())
    network.add_module("classifier", nn.Linear(channels, len(CLASS_NAMES)))
    return network


def trained() -> nn.Sequential:
    """The network with the weights of ``assets/``, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and overwritten
        network = build()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval()


def _convolution(before: int, after: int, kernel: int, stride: int, norm: bool) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=not norm)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU()] if norm else [convolution, nn.ReLU()]
