"""Sparse codes read from files, in the formats of two public libraries: SAELens and EleutherAI's sparsify.

Both write a folder with ``cfg.json`` and weights in safetensors: SAELens ``sae_weights.safetensors``, sparsify
``sae.safetensors``. Reading them runs no code. What the options ask for beyond one linear map each way (another
normalisation of the input, a skip connection, a transcoder) is refused.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from interpret.data.roots import check_within
from interpret.errors import InputError
from interpret.files import assets
from interpret.models import checkpoints
from interpret.models.codes import SparseCode

OPTIONS = "cfg.json"
SAELENS, SPARSIFY = "sae_weights.safetensors", "sae.safetensors"

DEMO = "demo"
"""The value of ``--codes`` that stands for the dictionary learned on the demo's network."""

LARGEST = 1 << 20
"""Bound on channels and latents (count), as on a study's units."""


def located(codes: str | None) -> str | None:
    """The value of ``--codes`` with an absolute path, so that a study finds it again from another folder."""
    return codes if codes in (None, DEMO) else str(Path(codes).expanduser().absolute())


def read_codes(codes: str, roots: Sequence[Path] | None = None) -> SparseCode:
    """The code in a folder of SAELens or sparsify.

    Args:
        codes: the folder, or the file of weights in it; or the word ``demo``.
        roots: folders, resolved, that may be read from; None for any.

    Raises:
        InputError: there is no such file, it is damaged, or it is none of the two formats; one sentence says which.
    """
    path, given = assets() / "demo_codes", codes
    if codes == DEMO:
        roots = None
    else:
        path = Path(codes).expanduser().absolute()
        given = str(path)
    check_within(path, roots, "The folder of codes")
    weights = _weights_file(path)
    for file in (weights, weights.with_name(OPTIONS)):  # links
        check_within(file, roots, "The file of codes")
    options = _options(weights.with_name(OPTIONS))
    tensors = checkpoints.read_state(weights)
    if "W_enc" in tensors:
        return _saelens(tensors, options, given, weights)
    if "encoder.weight" in tensors:
        return _sparsify(tensors, options, given, weights)
    raise InputError(
        f"{weights} holds neither codes of SAELens (W_enc) nor of sparsify (encoder.weight) but {_first(tensors)}; "
        "save them in one of these formats."
    )


def _weights_file(path: Path) -> Path:
    """The file of weights that a path names."""
    if not path.is_dir():
        if not path.is_file():
            raise InputError(f"There are no codes at {path}; give the folder with {OPTIONS} and {SAELENS}.")
        if path.suffix != ".safetensors":
            raise InputError(f"{path} is no .safetensors file; give the folder with {OPTIONS} and {SAELENS}.")
        return path
    held = [name for name in (SAELENS, SPARSIFY) if (path / name).is_file()]
    if len(held) != 1:
        found = "both" if held else "neither"
        raise InputError(
            f"{path} holds {found} {SAELENS} {'and' if held else 'nor'} {SPARSIFY}; give one of the files."
        )
    return path / held[0]


def _options(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no {file}; it says of which kind the codes are, so put it beside them.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file} cannot be read ({type(error).__name__}); put it back.") from None
    if not isinstance(content, dict):
        raise InputError(f"{file} holds no options of codes; put it back.")
    return content


def _saelens(tensors: Mapping[str, Tensor], options: Mapping[str, Any], given: str, file: Path) -> SparseCode:
    """A code in the format of SAELens (``SAE.save_model``), of version 6 and before."""
    kind = options.get("architecture", "standard")
    function = options.get("activation_fn", options.get("activation_fn_str"))
    more = options.get("activation_fn_kwargs") or {}
    if kind == "standard" and function == "topk":  # as version 3 wrote it
        kind = "topk"
    if kind not in ("standard", "topk", "jumprelu"):
        raise InputError(f"{file} holds codes of the architecture {kind!r}; only standard, topk and jumprelu are read.")
    if kind != "topk" and function not in (None, "relu"):
        raise InputError(f"{file} holds codes with the function {function!r}; only relu is read.")
    for name, plain in (("normalize_activations", "none"), ("reshape_activations", "none")):
        if options.get(name) not in (None, False, plain):
            raise InputError(
                f"{file} holds codes with {name} {options[name]!r}, which are not read; fold it into them."
            )
    scales = tensors.get("scaling_factor", tensors.get("finetuning_scaling_factor"))
    if scales is not None and not bool((scales == 1).all()):
        raise InputError(f"{file} holds codes with a scaling factor, which are not read; fold it into W_dec.")
    wanted = {"W_enc": (1, 0), "b_enc": (0,), "W_dec": (0, 1), "b_dec": (1,)}
    if kind == "jumprelu":
        wanted["threshold"] = (0,)
    channels, latents = (tensors["W_enc"].shape[side] if tensors["W_enc"].ndim == 2 else 0 for side in (0, 1))
    held = _checked(tensors, wanted, (latents, channels), options, ("d_sae", "d_in"), file)
    encoder, bias, decoder = held["W_enc"].T.contiguous(), held["b_enc"], held["W_dec"]
    if kind == "topk" and options.get("rescale_acts_by_decoder_norm"):
        norms = decoder.norm(dim=1)
        encoder, bias, decoder = encoder * norms[:, None], bias * norms, decoder / norms[:, None].clamp_min(1e-30)
    return SparseCode(
        encoder=encoder,
        bias=bias,
        decoder=decoder,
        offset=held["b_dec"],
        centre=held["b_dec"] * float(bool(options.get("apply_b_dec_to_input", True))),
        thresholds=held.get("threshold"),
        k=_k(options.get("k", more.get("k")), latents, file) if kind == "topk" else None,
        path=given,
        format=f"SAELens, {kind}",
        sha256=_sha256(file),
    )


def _sparsify(tensors: Mapping[str, Tensor], options: Mapping[str, Any], given: str, file: Path) -> SparseCode:
    """A code in the format of EleutherAI's sparsify (``SparseCoder.save_to_disk``)."""
    for name in ("transcode", "skip_connection", "embed_skip", "gram_lookup", "signed"):
        if options.get(name):
            raise InputError(f"{file} holds codes with {name}, which are not read; only plain autoencoders are.")
    function = options.get("activation", "topk")
    if function not in ("topk", "groupmax"):
        raise InputError(f"{file} holds codes with the function {function!r}; only topk and groupmax are read.")
    wanted = {"encoder.weight": (0, 1), "encoder.bias": (0,), "W_dec": (0, 1), "b_dec": (1,)}
    latents, channels = (tensors["encoder.weight"].shape if tensors["encoder.weight"].ndim == 2 else (0, 0))[:2]
    held = _checked(tensors, wanted, (latents, channels), options, ("num_latents", "d_in"), file)
    k = _k(options.get("k", 32), latents, file)
    if function == "groupmax" and latents % k:
        raise InputError(
            f"{file} holds {latents:,} latents, which do not fall into {k:,} groups; its {OPTIONS} is not its own."
        )
    return SparseCode(
        encoder=held["encoder.weight"],
        bias=held["encoder.bias"],
        decoder=held["W_dec"],
        offset=held["b_dec"],
        centre=held["b_dec"],
        k=k,
        grouped=function == "groupmax",
        path=given,
        format=f"sparsify, {function}",
        sha256=_sha256(file),
    )


def _checked(
    tensors: Mapping[str, Tensor],
    wanted: Mapping[str, tuple[int, ...]],
    sizes: tuple[int, int],
    options: Mapping[str, Any],
    said: tuple[str, str],
    file: Path,
) -> dict[str, Tensor]:
    """The tensors of a code in float32, with the shapes and sizes that they must have.

    Args:
        tensors: those of the file.
        wanted: by name, which of ``sizes`` each side has.
        sizes: M and K.
        options: those of ``cfg.json``.
        said: the names of M and K in them; 0 says nothing.
        file: the file, for messages.
    """
    held = {}
    for name, sides in wanted.items():
        if name not in tensors:
            raise InputError(f"{file} has no tensor {name!r}, so it is not whole; save the codes again.")
        shape = tuple(sizes[side] for side in sides)
        found = tensors[name]
        if tuple(found.shape) != shape or not found.is_floating_point() or not 0 < min(sizes) <= max(sizes) <= LARGEST:
            raise InputError(
                f"The tensor {name!r} in {file} is {tuple(found.shape)}, not {shape}; save the codes again."
            )
        if not bool(found.isfinite().all()):
            raise InputError(f"The tensor {name!r} in {file} holds numbers that are not finite; save the codes again.")
        held[name] = found.detach().float().contiguous()
    for name, size in zip(said, sizes, strict=True):
        if options.get(name) not in (None, 0, size):
            raise InputError(
                f"{file} has {size:,} where its {OPTIONS} says {name} {options[name]!r}; give the right pair."
            )
    return held


def _k(value: Any, latents: int, file: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= latents:
        raise InputError(f"The {OPTIONS} of {file} says k = {value!r}; give a whole number from 1 to {latents:,}.")
    return value


def _sha256(file: Path) -> str:
    """Of the file of weights followed by its options: ``cat sae_weights.safetensors cfg.json | sha256sum``."""
    digest = hashlib.sha256()
    for each in (file, file.with_name(OPTIONS)):
        with each.open("rb") as opened:
            while piece := opened.read(1 << 24):
                digest.update(piece)
    return digest.hexdigest()


def _first(tensors: Mapping[str, Any]) -> str:
    names = sorted(tensors)
    return (
        f"{names[0]!r}" if len(names) == 1 else f"{names[0]!r} and {len(names) - 1} more tensors" if names else "none"
    )
