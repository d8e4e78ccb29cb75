"""A classifier: a network with its layer, preprocessing and class names; loaded by name, or wrapped from Python."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from interpret.config import ModelConfig
from interpret.data import class_names, containers, torchvision_sets
from interpret.data.downloads import Announce
from interpret.data.preprocessing import Preprocessing, resized_side
from interpret.data.roots import check_within
from interpret.errors import InputError
from interpret.models import checkpoints, code_files, own_network
from interpret.models.adjusted import adjusted_preprocessing
from interpret.models.codes import Code, check_code
from interpret.models.family import Family, drawn, seeded
from interpret.models.layers import Layer, check_layer, default_layer, layers, observe
from interpret.models.layout import CHANNELS_FIRST, HookPoint, Layout
from interpret.models.zoo import available, find_family, is_folder

__all__ = ["Classifier", "Layer", "Preprocessing", "available", "layers", "load", "wrap"]

RANDOM = "random"
"""The value of ``--weights`` that stands for random weights."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A network and all that is needed to run it on photos.

    Attributes:
        name: the architecture's name, or the one given to :func:`wrap`.
        network: maps (B, 3, H, W) to (B, classes); from :func:`load`: in evaluation mode, in float32, on the CPU.
        layer: the module whose output channels are the units.
        preprocessing: from a photo to the input, and back.
        class_names: one for each output, all different.
        wnids: WordNet ids of the classes; empty where they have none.
        weights_digest: 16 hexadecimal digits, a digest of the weights.
        source: one line on where the weights came from.
        config: the options that :func:`load` makes this classifier again from; None for one that :func:`wrap` made.
        layout: how the layer's output is arranged.
        n_units: K, the layer's units (count); None where nobody has counted them.
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
    layout: Layout = CHANNELS_FIRST
    n_units: int | None = None

    @property
    def hook_point(self) -> HookPoint:
        """The layer with the layout of its output, as functions that capture or change it take it."""
        return HookPoint(self.layer, self.layout)

    def with_layer(self, layer: Layer, signed: bool = False, code: Code | None = None) -> "Classifier":
        """The same looked into at a layer; with the halves of its channels as units, or the latents of a code.

        Raises:
            InputError: the code is of a layer with another number of channels, or both are asked for.
        """
        if code is None:
            layout = layer.hook_point.signed().layout if signed else layer.layout
            return replace(self, layer=layer.name, layout=layout, n_units=layer.channels * (2 if signed else 1))
        if signed:
            raise InputError("With --codes the units are latents, with --signed halves of channels; leave one out.")
        check_code(code, layer.channels, layer.name)
        layout = layer.hook_point.coded(code).layout
        return replace(self, layer=layer.name, layout=layout, n_units=code.latents)


@torch.inference_mode(False)  # tensors made in inference mode cannot be differentiated through later
def load(config: ModelConfig, announce: Announce | None = None, roots: Sequence[Path] | None = None) -> Classifier:
    """Load the classifier that a configuration names.

    Args:
        config: name, weights, class names, layer and preprocessing. ``weights`` is the path of a checkpoint, whose last
            layer gives the number of classes; the architecture's published weights if None; or the word ``random`` for
            fixed random weights, which need no file (for tests and timing).
        announce: called with one line before a download starts.
        roots: folders, resolved, that the checkpoint and the file of class names may be read from; None for any.

    Raises:
        InputError: an option, a file or the architecture does not fit; one sentence says which.
    """
    for what, path, word in (
        ("The checkpoint", config.weights, RANDOM),
        ("The file of class names", config.class_names, class_names.IMAGENET),
    ):
        if path is not None and path != word and not torchvision_sets.is_named(path):
            if containers.is_named(path):
                containers.located(path, roots)
            else:
                check_within(Path(path), roots, what)
    code = None if config.codes is None else code_files.read_codes(config.codes, roots)
    if own_network.is_own(config.model):
        return _own(config, roots, code)
    folder = is_folder(config.model)
    if folder:
        check_within(Path(config.model), roots, "The model's folder")
    family = find_family(config.model, announce)
    network, source = _network_with_weights(family, config, announce)
    network = network.float().eval()
    preprocessing = adjusted_preprocessing(family.preprocessing, config)
    observed = observe(network, preprocessing.size)
    if not torch.isfinite(observed.logits).all():
        raise InputError(f"{config.model} answers with numbers that are not finite; its weights are damaged.")
    names, wnids = _class_names(family, config, observed.logits.shape[1])
    layer = config.layer or family.layer or default_layer(observed, config.model)
    found = check_layer(observed, layer)
    made = Classifier(
        name=Path(config.model).absolute().name if folder else config.model,
        network=network,
        layer=layer,
        preprocessing=preprocessing,
        class_names=names,
        wnids=wnids,
        weights_digest=checkpoints.digest(network),
        source=source,
        config=located(config),
    )
    return made.with_layer(found, config.signed, code)


def _own(config: ModelConfig, roots: Sequence[Path] | None, code: Code | None) -> Classifier:
    """The classifier of a network of the user's own, with the options that the configuration sets."""
    name = own_network.short_name(config.model)
    made = own_network.build(config.model, roots)
    given = made if isinstance(made, Classifier) else None
    network = made if given is None else given.network
    if not isinstance(network, nn.Module) or isinstance(network, torch.jit.ScriptModule):
        raise InputError(
            f"{name} returned a {type(network).__name__}; return a torch.nn.Module that is no TorchScript (its layers "
            "cannot be looked into), or what interpret.wrap returns."
        )
    source = f"your own network ({name})"
    if config.weights not in (None, RANDOM):
        state = checkpoints.unprefixed(checkpoints.read_state(config.weights), set(network.state_dict()))
        checkpoints.copy_weights(network, state, config.weights, name)
        source += f" with your own weights ({Path(config.weights).name})"
    network = network.cpu().float()
    if given is None:
        size = own_network.input_size(network) or (224, 224)
        preprocessing = Preprocessing(size=size, resize=resized_side(max(size), 0.875))
    else:
        preprocessing = given.preprocessing
    if any((config.input_size, config.crop_fraction, config.mean, config.std)):
        preprocessing = adjusted_preprocessing(preprocessing, config)
    if config.class_names is None and given is not None:
        names, wnids = given.class_names, given.wnids
    else:
        logits = observe(network, preprocessing.size).logits
        names, wnids = numbered_classes(logits.shape[1]), ()
        if config.class_names is not None:
            names, wnids = class_names.read_class_names(config.class_names, logits.shape[1])
    wrapped = wrap(
        network,
        name=name,
        class_names=names,
        preprocessing=preprocessing,
        layer=config.layer or (None if given is None else given.layer),
        wnids=wnids,
        signed=config.signed or (given is not None and given.layout.signed),
        codes=code or (None if given is None else given.layout.code),
    )
    network.eval()
    return replace(wrapped, source=source, config=located(config))


def located(config: ModelConfig) -> ModelConfig:
    """The configuration with absolute paths, so that a study finds its files again from another folder."""

    def absolute(path: str | None) -> str | None:
        if path is None or path in (RANDOM, "imagenet") or torchvision_sets.is_named(path):
            return path
        container = containers.located(path) if containers.is_named(path) else None
        return str(Path(path).expanduser().absolute() if container is None else container)

    model = own_network.located(config.model) if own_network.is_own(config.model) else config.model
    if is_folder(model):
        model = str(Path(model).expanduser().absolute())
    weights, names = absolute(config.weights), absolute(config.class_names)
    return replace(config, model=model, weights=weights, class_names=names, codes=code_files.located(config.codes))


def wrap(
    network: nn.Module,
    *,
    name: str,
    class_names: Sequence[str],
    preprocessing: Preprocessing,
    layer: str | None = None,
    wnids: Sequence[str] = (),
    signed: bool = False,
    codes: str | Path | Code | None = None,
) -> Classifier:
    """A classifier of any network that maps (B, 3, H, W) to (B, classes).

    The network stays as it is: its device, its floating-point type, ``requires_grad`` and the training mode of every
    module. Functions that run it enter evaluation mode and restore the modes.

    Args:
        network: the network.
        name: the name that studies record.
        class_names: one name for each output, all different.
        preprocessing: from a photo to the input.
        layer: the module whose output channels are the units; the last one with spatial extent if None.
        wnids: WordNet ids of the classes; empty where they have none.
        signed: take the positive and the negative half of each channel as two units.
        codes: take the latents of this code as units: the folder of a sparse autoencoder, see
            :func:`interpret.models.code_files.read_codes`, or a code made in Python.

    Raises:
        InputError: the network is no image classifier, the names do not fit its outputs, or the layer cannot be used.
    """
    observed = observe(network, preprocessing.size)
    outputs = observed.logits.shape[1]
    if len(class_names) != outputs or len(set(class_names)) != len(class_names):
        raise InputError(
            f"{name} has {outputs:,} outputs, but {len(set(class_names)):,} different class names were given."
        )
    if wnids and len(wnids) != len(class_names):
        raise InputError(f"{name} has {len(class_names):,} classes, but {len(wnids):,} WordNet ids were given.")
    chosen = layer or default_layer(observed, name)
    made = Classifier(
        name=name,
        network=network,
        layer=chosen,
        preprocessing=preprocessing,
        class_names=tuple(class_names),
        wnids=tuple(wnids),
        weights_digest=checkpoints.digest(network),
        source=f"a {type(network).__name__} given from Python",
    )
    code = code_files.read_codes(str(codes)) if isinstance(codes, str | Path) else codes
    return made.with_layer(check_layer(observed, chosen), signed, code)


def _network_with_weights(family: Family, config: ModelConfig, announce: Announce | None) -> tuple[nn.Module, str]:
    """The network with the weights that the configuration asks for, and one line on them."""
    if config.weights is None:
        if family.trained is None:
            raise InputError(f"{config.model} comes without weights here; give a checkpoint with --weights.")
        return family.trained(announce)
    if config.weights == RANDOM:
        count = len(class_names.read_class_names(config.class_names)[0]) if config.class_names else None
        return drawn(family.build, count), "random weights (seed 0): not trained, its answers mean nothing"
    network = _from_file(family, config.weights, config.model)
    return network, f"your own weights ({Path(config.weights).name})"


def _from_file(family: Family, path: str, architecture: str) -> nn.Module:
    """An architecture with a checkpoint's weights, and with as many classes as the checkpoint's last layer has."""
    state = checkpoints.read_state(path)
    with_two, with_three = _shapes(family, 2), _shapes(family, 3)
    state = checkpoints.unprefixed(state, set(with_two))
    # A weight whose shape changes with the number of classes belongs to the last layer, or to an auxiliary head before.
    outputs = [
        name for name, shape in with_two.items() if shape != with_three[name] and len(shape) > 1 and name in state
    ]
    count = len(state[outputs[-1]]) if outputs and state[outputs[-1]].ndim > 1 else None
    network = seeded(family.build, count)
    checkpoints.copy_weights(network, state, path, architecture)
    return network


def _shapes(family: Family, classes: int) -> dict[str, torch.Size]:
    """The shape of every tensor of the architecture with that many classes; allocates none where that is possible."""
    try:
        with torch.device("meta"):
            network = seeded(family.build, classes)
    except (RuntimeError, NotImplementedError):  # its constructor computes with its tensors
        network = seeded(family.build, classes)
    return {name: tensor.shape for name, tensor in network.state_dict().items()}


def _class_names(family: Family, config: ModelConfig, outputs: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Class names and WordNet ids: from the file given, else of the published weights, else numbered."""
    if config.class_names:
        return class_names.read_class_names(config.class_names, outputs)
    if config.weights in (None, RANDOM):
        if len(family.class_names) == outputs:
            return family.class_names, family.wnids
        if outputs == 1000:
            return class_names.imagenet()
    return numbered_classes(outputs), ()


def numbered_classes(count: int) -> tuple[str, ...]:
    """Names for classes that have none: `class 0`, `class 1`."""
    return tuple(f"class {index}" for index in range(count))
