"""An architecture: how it is built, its preprocessing, and where its published weights come from."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from interpret.data.downloads import Announce
from interpret.data.preprocessing import Preprocessing

Build = Callable[[int | None], nn.Module]
Trained = Callable[[Announce | None], tuple[nn.Module, str]]


@dataclass(frozen=True, eq=False)
class Family:
    """One architecture.

    Attributes:
        build: makes an untrained network with that many classes; with the architecture's own number if None.
        preprocessing: from a photo to its input.
        trained: loads the network with its published weights, and one line on them; None where there are none.
        layer: the default layer; None if :func:`interpret.models.layers.default_layer` finds it.
        class_names: of the published weights where those are not ImageNet's; else empty.
        wnids: WordNet ids of these classes; empty where they have none.
    """

    build: Build
    preprocessing: Preprocessing
    trained: Trained | None
    layer: str | None = None
    class_names: tuple[str, ...] = ()
    wnids: tuple[str, ...] = ()


def seeded(build: Build, classes: int | None = None) -> nn.Module:
    """A network whose random weights are always the same; the caller's random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)  # torch.manual_seed would seed the caller's GPUs too
        return build(classes)


def drawn(build: Build, classes: int | None = None) -> nn.Module:
    """A network to try things out on: random weights as of :func:`seeded`, in linear layers that begin at zero too.

    The last layer of some vision transformers does, so that every answer of the untrained network would be zero.
    """
    network = seeded(build, classes)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.default_generator.manual_seed(0)
        for module in network.modules():
            if isinstance(module, nn.Linear) and not module.weight.any():
                module.weight.normal_(std=0.02)
    return network
