"""The demo's network: a small VGG whose last units see about half of the image's width, ten classes.

Convolutions with ReLU, three times halved, then the mean over the cells and one linear layer. The
last layer's field of view is bounded on purpose: what a unit sees is a part with its surroundings, seldom the whole.
"""

from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from interpret.demo.canvas import SIZE
from interpret.demo.parts import CLASS_NAMES

__all__ = ["CLASS_NAMES", "INPUT_SIZE", "LAYER", "MEAN", "STD", "UNITS", "WEIGHTS", "build", "trained"]

WEIGHTS = Path(__file__).resolve().parents[2] / "assets" / "demo.safetensors"
INPUT_SIZE = SIZE
MEAN = (0.62, 0.60, 0.60)
STD = (0.25, 0.23, 0.24)
UNITS = 128
_STEM = 24  # five by five, every second pixel
_PLAN: tuple[int | str, ...] = ("pool", 48, 64, "pool", 128, UNITS)


def build(norm: bool = False) -> nn.Sequential:
    """The network, untrained.

    Args:
        norm: with a batch normalisation after each convolution, as it is trained; without, as it is used, each
            normalisation being folded into the convolution before it.

    Returns:
        ``features`` (B, 3, 112, 112) -> (B, 128, 14, 14), whose last module is a ReLU, then ``pool``, ``flatten`` and
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
    network = nn.Sequential()
    network.add_module("features", features)
    network.add_module("pool", nn.AdaptiveAvgPool2d(1))
    network.add_module("flatten", nn.Flatten())
    network.add_module("classifier", nn.Linear(channels, len(CLASS_NAMES)))
    return network


def trained() -> nn.Sequential:
    """The network with the weights of ``assets/``, in evaluation mode."""
    network = build()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval()


def _convolution(before: int, after: int, kernel: int, stride: int, norm: bool) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=not norm)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU()] if norm else [convolution, nn.ReLU()]


LAYER = f"features.{len(build().features) - 1}"  # type: ignore[arg-type]
