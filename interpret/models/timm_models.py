"""timm's architectures with their trained weights: by name and tag, from a repository of the Hub, or from a folder.

``timm/convnext_tiny.in12k_ft_in1k`` is the architecture with one of timm's weights, ``timm/convnext_tiny`` with those
that timm recommends. ``hf-hub:USER/REPO`` and a folder hold ``config.json`` and ``model.safetensors``, as timm writes
them. Preprocessing and class names are those that the weights' own configuration states.
"""

import dataclasses
import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from interpret.data import class_names
from interpret.data.downloads import Announce, fetch
from interpret.data.preprocessing import Preprocessing, resized_side
from interpret.errors import InputError
from interpret.models import checkpoints, hub
from interpret.models.family import Family, seeded

CONFIG = "config.json"

_DIGITS = re.compile(r"-([a-f0-9]{8,})\.")  # of a file's SHA-256, in its name


@dataclass(frozen=True)
class Stated:
    """What a configuration states of an architecture and its weights.

    Attributes:
        name: as ``--model`` takes it.
        architecture: timm's name.
        weights: timm's own fields, such as ``input_size``, ``num_classes`` and ``label_names``.
        arguments: further ones of the architecture.
    """

    name: str
    architecture: str
    weights: Mapping[str, Any]
    arguments: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def named(name: str) -> Family:
    """The family of ``ARCHITECTURE`` or ``ARCHITECTURE.TAG``.

    Raises:
        InputError: timm has no such architecture or tag.
    """
    import timm

    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        near = difflib.get_close_matches(architecture, timm.list_models(), n=3, cutoff=0.6)
        hint = f"did you mean timm/{' or timm/'.join(near)}?" if near else "`unitscope models --search` lists some."
        raise InputError(f"timm has no model {architecture!r}; {hint}")
    tags = [known.partition(".")[2] for known in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        raise InputError(f"timm has no weights {tag!r} of {architecture}; choose one of {', '.join(tags) or 'none'}.")
    stated = Stated(f"timm/{name}", architecture, _fields(timm.get_pretrained_cfg(name)))
    published = stated.weights.get("hf_hub_id") or stated.weights.get("url")
    return _family(stated, (lambda announce: _state_of(stated, announce)) if published else None)


def on_hub(name: str, announce: Announce | None) -> Family:
    """The family of a repository of the Hub, ``USER/REPO`` or ``USER/REPO@REVISION``; its configuration is downloaded.

    Raises:
        InputError: it can't be downloaded, or is not timm's.
    """
    repository, _, revision = name.partition("@")
    config = hub.download(repository, CONFIG, revision or None, announce)
    stated = _read(config, f"hf-hub:{name}")

    def state(announce: Announce | None) -> tuple[dict[str, torch.Tensor], str]:
        file = hub.weights(repository, revision or None, announce)
        return checkpoints.read_state(file), f"weights of {name} on the Hub ({file.name})"

    return _family(stated, state)


def in_folder(folder: Path) -> Family:
    """The family of a folder with ``config.json`` and ``model.safetensors``, as a repository of the Hub holds them.

    Raises:
        InputError: one of the two is missing, or is not timm's.
    """
    stated = _read(folder / CONFIG, folder.name)

    def state(_: Announce | None) -> tuple[dict[str, torch.Tensor], str]:
        files = [folder / name for name in hub.WEIGHTS if (folder / name).is_file()]
        if not files:
            raise InputError(f"There are no weights in {folder}; put {hub.WEIGHTS[0]} there.")
        return checkpoints.read_state(files[0]), f"weights of the folder {folder.name} ({files[0].name})"

    return _family(stated, state)


def search(word: str) -> list[tuple[str, str]]:
    """Timm's weights with a word in their name, as ``--model`` takes them, and a note on each; no download comes first.

    Args:
        word: part of the name, in any case.
    """
    import timm

    found = []
    for name in timm.list_pretrained(f"*{word.lower()}*"):
        fields = _fields(timm.get_pretrained_cfg(name))
        if fields.get("num_classes"):
            side = fields["input_size"][-1]
            found.append((f"timm/{name}", f"{fields['num_classes']:,} classes, {side} x {side} pixels"))
    return found


def _fields(config: Any) -> dict[str, Any]:
    return {} if config is None else {key: value for key, value in vars(config).items() if value is not None}


def _read(file: Path, name: str) -> Stated:
    """What a ``config.json`` states."""
    import timm
    from timm.models import PretrainedCfg

    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        weights = dict(content.get("pretrained_cfg") or content)  # older files hold everything side by side
        architecture = str(content.get("architecture") or weights["architecture"])
        arguments = dict(content.get("model_args") or {})
    except OSError as error:
        raise InputError(f"The file {file} cannot be read ({error.strerror}); it says which network this is.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"{file} names no architecture of timm; only models that timm wrote can be loaded by it, others with a "
            "function of your own (--model FILE.py:FUNCTION)."
        ) from None
    if not timm.is_model(architecture):
        raise InputError(f"{file} names the architecture {architecture!r}, which timm does not have.")
    for key in ("num_classes", "label_names", "label_descriptions"):
        if content.get(key) is not None:
            weights[key] = content[key]
    if "labels" in weights:
        weights.setdefault("label_names", weights["labels"])
    known = {field.name for field in dataclasses.fields(PretrainedCfg)}
    kept = {key: value for key, value in weights.items() if key in known and value is not None}
    return Stated(name, architecture, kept, arguments)


def _family(stated: Stated, state: Callable[[Announce | None], tuple[dict[str, torch.Tensor], str]] | None) -> Family:
    own = int(stated.weights.get("num_classes") or 0)

    def build(classes: int | None) -> nn.Module:
        return _created(stated, classes or own or 1000)

    def trained(announce: Announce | None) -> tuple[nn.Module, str]:
        assert state is not None
        if not own:
            raise InputError(f"The weights of {stated.name} have no classes; only classifiers can be explained.")
        tensors, source = state(announce)
        try:
            return seeded(lambda _: _created(stated, own, tensors)), source
        except (RuntimeError, KeyError, ValueError, AssertionError) as error:
            reason = (str(error).strip().splitlines() or ["they do not fit"])[0][:160].rstrip(".:")
            raise InputError(
                f"The weights of {stated.name} do not fit {stated.architecture} ({reason}); take them from where they "
                "were published again."
            ) from None

    names, wnids = _labels(stated.weights, own)
    return Family(
        build, _preprocessing(stated.weights), None if state is None else trained, class_names=names, wnids=wnids
    )


def _created(stated: Stated, classes: int, state: dict[str, torch.Tensor] | None = None) -> nn.Module:
    """The network with that many classes; with a state dict, whose names timm changes where it has to, if one is given.

    The weights' own configuration goes with it, since it may set the size of the input.
    """
    import timm
    from timm.models import PretrainedCfg

    fields = {key: value for key, value in stated.weights.items() if key not in ("source", "file", "custom_load")}
    network: nn.Module = timm.create_model(
        stated.architecture,
        pretrained=state is not None,
        pretrained_cfg=PretrainedCfg(**fields) if fields else None,
        pretrained_cfg_overlay=None if state is None else {"state_dict": state},
        **{**stated.arguments, "num_classes": classes},
    )
    return network


def _state_of(stated: Stated, announce: Announce | None) -> tuple[dict[str, torch.Tensor], str]:
    """Timm's own weights: put into the folder of checkpoints by hand, cached, or downloaded."""
    fields = stated.weights
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    name = stated.name.removeprefix("timm/")
    by_hand = folder / f"{name}.safetensors"
    if by_hand.is_file():
        return checkpoints.read_state(by_hand), f"timm's weights {name} ({by_hand})"
    if fields.get("hf_hub_id"):
        repository, _, revision = str(fields["hf_hub_id"]).partition("@")
        file = hub.weights(repository, revision or None, announce, fields.get("hf_hub_filename"), by_hand)
    else:
        url = str(fields["url"])
        file_name = url.rsplit("/", 1)[-1]
        digits = _DIGITS.search(file_name)
        file = fetch(url, folder / file_name, checksum=digits[1] if digits else "", announce=announce)
    return checkpoints.read_state(file), f"timm's weights {name} ({file.name})"


def _preprocessing(fields: Mapping[str, Any]) -> Preprocessing:
    _, height, width = fields.get("input_size", (3, 224, 224))
    mean = [float(value) for value in fields.get("mean", (0.485, 0.456, 0.406))]
    std = [float(value) for value in fields.get("std", (0.229, 0.224, 0.225))]
    return Preprocessing(
        size=(height, width),
        resize=resized_side(width, float(fields.get("crop_pct") or 1.0)),
        interpolation=str(fields.get("interpolation", "bicubic")),
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
    )


def _labels(fields: Mapping[str, Any], count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Class names and WordNet ids that a configuration states, or those of the ImageNet with as many classes."""
    given, described = fields.get("label_names"), fields.get("label_descriptions")
    if isinstance(given, Mapping):
        given = [given.get(str(index), f"class {index}") for index in range(count)]
    if isinstance(given, list | tuple) and len(given) == count:
        return class_names.of_labels([str(label) for label in given], described)
    if given is None:
        return class_names.imagenet_of(count)
    return (), ()
