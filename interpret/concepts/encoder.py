"""A model that puts pictures and phrases into one space, as CLIP does; loaded from a path, never downloaded.

Radford et al., Learning Transferable Visual Models From Natural Language Supervision, ICML 2021.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from interpret.data.roots import check_within
from interpret.errors import InputError
from interpret.models import checkpoints
from interpret.models.precision import choose_device

Vectors = npt.NDArray[np.float32]

CONFIG = "open_clip_config.json"
"""What a folder in the format of open_clip, as on Hugging Face's hub, holds beside the weights."""

INSTALL = 'open_clip is not installed; run: pip install "unitscope[clip]", or pip install open_clip_torch'


class Encoder(Protocol):
    """What embeds pictures and phrases.

    Attributes:
        name: of the model, with where its weights are: what :func:`load` was given.
        digest: of its weights and of what else decides its vectors.
    """

    name: str
    digest: str

    def pictures(self, pictures: Sequence[Image.Image]) -> Vectors:
        """(n, d) float32 of n RGB pictures, each of length 1."""

    def phrases(self, phrases: Sequence[str]) -> Vectors:
        """(n, d) float32 of n phrases, each of length 1."""


class OpenClip:
    """A model of open_clip."""

    def __init__(
        self, name: str, model: torch.nn.Module, preprocess: Any, tokenizer: Any, device: torch.device
    ) -> None:
        self.name = name
        self.digest = checkpoints.digest(model)
        self._model = model.eval().to(device)
        self._preprocess, self._tokenizer, self._device = preprocess, tokenizer, device

    @torch.inference_mode()
    def pictures(self, pictures: Sequence[Image.Image]) -> Vectors:
        """See :class:`Encoder`."""
        batch = torch.stack([self._preprocess(picture) for picture in pictures]).to(self._device)
        return _plain(self._model.encode_image(batch, normalize=True))  # type: ignore[operator]

    @torch.inference_mode()
    def phrases(self, phrases: Sequence[str]) -> Vectors:
        """See :class:`Encoder`."""
        tokens = self._tokenizer(list(phrases)).to(self._device)
        return _plain(self._model.encode_text(tokens, normalize=True))  # type: ignore[operator]


def load(name: str, *, device: str = "auto", roots: Sequence[Path] | None = None) -> OpenClip:
    """Load a model of open_clip from this machine.

    Args:
        name: `ViT-B-32:weights.safetensors`, one of open_clip's architectures and a file of its weights; or a folder in
            open_clip's own format, with `open_clip_config.json`.
        device: where it runs: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        roots: folders, resolved, that it may be read from; None for any.

    Raises:
        InputError: open_clip is not installed, the files are not there or do not fit, or a download would be needed.
    """
    architecture, _, given = name.rpartition(":")
    path = Path(given).expanduser()
    check_within(path, roots, "The weights of the CLIP model")
    try:
        import open_clip
    except ImportError as error:
        raise InputError(f"{INSTALL}.") from error
    if architecture and not path.is_file():
        raise InputError(f"There is no file of weights {given}; give --clip as MODEL:PATH, and nothing is downloaded.")
    if not architecture and not (path / CONFIG).is_file():
        raise InputError(
            f"{given} is no folder with {CONFIG}; give --clip as MODEL:PATH, such as ViT-B-32:weights.safetensors, or "
            "as a folder in open_clip's own format."
        )
    _check_offline(open_clip, architecture, path)
    where = choose_device(device)
    try:
        with torch.random.fork_rng(devices=[]):  # weights are drawn before they are read
            source = architecture or f"local-dir:{path}"
            model, _, preprocess = open_clip.create_model_and_transforms(
                source, pretrained=str(path) if architecture else None, device="cpu", pretrained_text=False
            )
            tokenizer = open_clip.get_tokenizer(source)
    except Exception as error:  # open_clip, PyTorch and pickle raise whatever they like
        raise InputError(f"{name} cannot be loaded by open_clip ({' '.join(str(error).split())[:200]}).") from error
    return OpenClip(name, model, preprocess, tokenizer, where)


def _check_offline(open_clip: Any, architecture: str, path: Path) -> None:
    """Raise :class:`InputError` where the architecture is unknown, or a part of the model would be downloaded."""
    if architecture:
        config = open_clip.get_model_config(architecture)
        if config is None:
            raise InputError(
                f"open_clip has no architecture {architecture}; python -c 'import open_clip; "
                "print(open_clip.list_models())' lists them."
            )
    else:
        try:
            config = json.loads((path / CONFIG).read_text(encoding="utf-8"))["model_cfg"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path / CONFIG} is damaged.") from error
    text = config.get("text_cfg", {})
    tokenizer = architecture and ("hf_tokenizer_name" in text or "siglip" in architecture.lower())
    if tokenizer or text.get("hf_model_name"):
        raise InputError(
            f"{architecture or path} reads words with a part from Hugging Face's hub, and nothing is downloaded; "
            "take a model with CLIP's own, such as ViT-B-32."
        )


def _plain(vectors: torch.Tensor) -> Vectors:
    return vectors.float().cpu().numpy()
