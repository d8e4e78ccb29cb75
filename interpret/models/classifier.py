"""From a name to a classifier: the network, the layer that is looked into, the preprocessing and the class names."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from interpret.config import ModelConfig
from interpret.data import class_names
from interpret.data.downloads import Announce
from interpret.data.preprocessing import Preprocessing, resized_side
from interpret.errors import InputError
from interpret.models import checkpoints
from interpret.models.layers import Layer, check_layer, default_layer, layers, observe
from interpret.models.zoo import Family, available, find_family, seeded

__all__ = ["Classifier", "Layer", "Preprocessing", "available", "layers", "load", "wrap"]

RANDOM = "random"


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network and all that is needed to use it on photos.

    Attributes:
        name: the architecture's name.
        network: maps (B, 3, H, W) to (B, classes); where :func:`load` made it: in evaluation mode, float32, on the CPU.
        layer: the module whose output channels are the units.
        preprocessing: from photo to input and back.
        class_names: one for each output, all different.
        wnids: WordNet ids of the classes; empty where they have none.
        weights_digest: 16 hexadecimal digits that name the weights.
        source: one line on where the weights came from.
        config: the options that :func:`load` makes this classifier again from; None for one that :func:`wrap` made.
    """

    name: str
    network: nn.Module
    layer: str
    preprocessing: Preprocessing
    class_names: tuple[str, ...]
    wnids: tuple[str, ...]
    weights_digest: str
    source: str
    config: ModelConfig | None = None


@torch.inference_mode(False)  # weights that are made inside of it could not be differentiated through later
def load(config: ModelConfig, announce: Announce | None = None) -> Classifier:
    """Load the classifier that a configuration names.

    ``config.weights`` left open takes the architecture's published weights; a path takes a researcher's own
    checkpoint, whose last layer says how many classes there are; the word ``random`` takes fixed random weights, which
    need no file and answer nothing sensible (for tests and timing).

    Args:
        config: name, weights, class names, layer and preprocessing.
        announce: called with one line before a download starts.

    Raises:
        InputError: anything that does not fit, in one sentence.
    """
    family = find_family(config.model)
    network, source = _weighted(family, config, announce)
    network = network.float().eval()
    preprocessing = _adjusted(family.preprocessing, config)
    events, logits = observe(network, preprocessing.size)
    if not torch.isfinite(logits).all():
        raise InputError(f"{config.model} answers with numbers that are not finite; its weights are damaged.")
    names, wnids = _names(family, config, logits.shape[1])
    layer = config.layer or family.layer or default_layer(events, config.model)
    check_layer(events, layer, network)
    return Classifier(
        name=config.model,
        network=network,
        layer=layer,
        preprocessing=preprocessing,
        class_names=names,
        wnids=wnids,
        weights_digest=checkpoints.digest(network),
        source=source,
        config=config,
    )


def wrap(
    network: nn.Module,
    *,
    name: str,
    class_names: Sequence[str],
    preprocessing: Preprocessing,
    layer: str | None = None,
    wnids: Sequence[str] = (),
) -> Classifier:
    """Make a classifier of any network that maps (B, 3, H, W) to (B, classes).

    The network is used as it is and left as it was: its device, its floating-point type, ``requires_grad`` and the
    training mode of every module. Evaluation mode is entered inside the functions that run it only.

    Args:
        network: the network.
        name: what to call it.
        class_names: one name for each output, all different.
        preprocessing: from photo to input.
        layer: the module whose output channels are the units; the last one with spatial extent if left open.
        wnids: WordNet ids of the classes, if they have any.

    Raises:
        InputError: the network is no image classifier, the names do not fit its outputs, or the layer does not exist.
    """
    events, logits = observe(network, preprocessing.size)
    if len(class_names) != logits.shape[1] or len(set(class_names)) != len(class_names):
        raise InputError(
            f"{name} has {logits.shape[1]:,} outputs, but {len(set(class_names)):,} different class names were given."
        )
    if wnids and len(wnids) != len(class_names):
        raise InputError(f"{name} has {len(class_names):,} classes, but {len(wnids):,} WordNet ids were given.")
    chosen = layer or default_layer(events, name)
    check_layer(events, chosen, network)
    return Classifier(
        name=name,
        network=network,
        layer=chosen,
        preprocessing=preprocessing,
        class_names=tuple(class_names),
        wnids=tuple(wnids),
        weights_digest=checkpoints.digest(network),
        source=f"a {type(network).__name__} given from Python",
    )


def _weighted(family: Family, config: ModelConfig, announce: Announce | None) -> tuple[nn.Module, str]:
    """The network with the weights that the configuration asks for, and one line on them."""
    if config.weights is None:
        if family.trained is None:
            raise InputError(f"{config.model} comes without weights here; give a checkpoint with --weights.")
        return family.trained(announce)
    if config.weights == RANDOM:
        count = len(class_names.read_class_names(config.class_names)[0]) if config.class_names else None
        return seeded(family.build, count), "random weights (seed 0): not trained, its answers mean nothing"
    network = _from_file(family, config.weights, config.model)
    return network, f"your own weights ({Path(config.weights).name})"


def _from_file(family: Family, path: str, architecture: str) -> nn.Module:
    """Build an architecture with as many classes as a checkpoint's last layer has, and fill it."""
    state = checkpoints.read_state(path)
    few, many = _shapes(family, 2), _shapes(family, 3)
    state = checkpoints.unprefixed(state, set(few))
    # the tensors whose shape follows the number of classes are the last layer's; auxiliary heads come before it
    heads = [name for name in few if few[name] != many[name] and len(few[name]) > 1 and name in state]
    count = len(state[heads[-1]]) if heads and state[heads[-1]].ndim > 1 else None
    network = seeded(family.build, count)
    checkpoints.fit(network, state, path, architecture)
    return network


def _shapes(family: Family, classes: int) -> dict[str, torch.Size]:
    """The shape of every tensor of the architecture with so many classes, if possible without filling any."""
    try:
        with torch.device("meta"):
            network = seeded(family.build, classes)
    except (RuntimeError, NotImplementedError):  # it computes something while it is being built
        network = seeded(family.build, classes)
    return {name: tensor.shape for name, tensor in network.state_dict().items()}


def _names(family: Family, config: ModelConfig, outputs: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Class names and WordNet ids: from the file given, else those of the published weights, else numbers."""
    if config.class_names:
        return class_names.read_class_names(config.class_names, outputs)
    if config.weights in (None, RANDOM):
        if len(family.class_names) == outputs:
            return family.class_names, ()
        if outputs == 1000:
            return class_names.imagenet()
    return tuple(f"class {index}" for index in range(outputs)), ()


def _adjusted(preprocessing: Preprocessing, config: ModelConfig) -> Preprocessing:
    """The model's preprocessing with what the configuration says otherwise."""
    side = config.input_size or preprocessing.size[0]
    if config.crop_fraction is not None:
        resize = resized_side(side, config.crop_fraction)
    else:
        resize = side * preprocessing.resize // preprocessing.size[0]
    return replace(
        preprocessing,
        size=(side, side),
        resize=resize,
        mean=_three(config.mean, "--mean") or preprocessing.mean,
        std=_three(config.std, "--std") or preprocessing.std,
        whole_if_exact=config.crop_fraction is None and preprocessing.whole_if_exact,
    )


def _three(text: str | None, flag: str) -> tuple[float, float, float] | None:
    if text is None:
        return None
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{flag} is {text!r}; give three comma-separated numbers, such as 0.5,0.5,0.5.") from None
    return red, green, blue
