"""A dictionary of the demo's layer, learned by scikit-learn, and an encoder for it, in the format of SAELens.

The activations of single locations are written as a few of many directions that are not negative (dictionary learning
with an L1 price, Mairal et al., ICML 2009). What minimises that price is found by a solver; a sparse autoencoder asks
for one linear map and a threshold. So the map is fitted to the solver's codes by ridge regression, each threshold lets
its latent fire at as many locations as in these codes, and the directions are fitted again to what the encoder gives.
Labels are not used.
"""

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from interpret.demo.network import UNITS, trained
from interpret.demo.train import images, normalise
from interpret.files import assets

FOLDER = assets() / "demo_codes"
DRAWINGS = 800
SAMPLE = 20_000  # locations that the dictionary is learned on
LATENTS = 128
PRICE = 1.0  # of a code's sum, in units of activation
RIDGE = 1.0
SEED = 0

Floats = NDArray[np.float64]


def activations(split: str, count: int) -> Floats:
    """(locations, 96) the layer's activations at every location of the first drawings of a split."""
    drawn, _ = images(split, count)
    features = trained().get_submodule("features")
    with torch.inference_mode():
        found = [features(normalise(part)) for part in torch.from_numpy(drawn).split(50)]
    return torch.cat(found).permute(0, 2, 3, 1).reshape(-1, UNITS).numpy().astype(np.float64)


def learn(rows: Floats, latents: int = LATENTS, price: float = PRICE, passes: int = 4) -> dict[str, torch.Tensor]:
    """The tensors of a JumpReLU autoencoder, by the names of SAELens.

    Args:
        rows: (n, K) activations of 0 or more.
        latents: M (count).
        price: of a code's sum, beside half the squared error.
        passes: over the rows (count).
    """
    from sklearn.decomposition import MiniBatchDictionaryLearning, sparse_encode  # slow to import
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), warnings.catch_warnings():  # the number of threads changes the order of sums
        warnings.simplefilter("ignore")  # of coordinate descent that stops before its tolerance
        learner = MiniBatchDictionaryLearning(
            latents, alpha=price, max_iter=passes, batch_size=256, fit_algorithm="cd", positive_code=True,
            positive_dict=True, random_state=SEED,
        )  # fmt: skip
        directions = learner.fit(rows).components_
        codes = sparse_encode(rows, directions, algorithm="lasso_cd", alpha=price, positive=True, max_iter=200)
        weights = _ridge(rows, codes)
        before = rows @ weights[:-1] + weights[-1]
        share = (codes > 0).mean(axis=0)
        thresholds = np.array([max(0.0, np.quantile(p, 1 - s)) for p, s in zip(before.T, share, strict=True)])
        found = np.where(before > thresholds, before, 0.0)
        decoder = _ridge(found, rows)
    tensors = {"W_enc": weights[:-1], "b_enc": weights[-1], "threshold": thresholds}
    tensors |= {"W_dec": decoder[:-1], "b_dec": decoder[-1]}
    return {name: torch.from_numpy(np.ascontiguousarray(value, np.float32)) for name, value in tensors.items()}


def _ridge(given: Floats, wanted: Floats) -> Floats:
    """(a + 1, b) the linear map from rows (n, a) to rows (n, b) with its offset last, by ridge regression."""
    whole = np.hstack([given, np.ones((len(given), 1))])
    return np.linalg.solve(whole.T @ whole + RIDGE * np.eye(whole.shape[1]), whole.T @ wanted).astype(np.float64)


def encode(rows: Floats, tensors: dict[str, torch.Tensor]) -> tuple[Floats, Floats]:
    """Latents (n, M) of rows (n, K), and the rows decoded."""
    held = {name: value.numpy().astype(np.float64) for name, value in tensors.items()}
    before = rows @ held["W_enc"] + held["b_enc"]
    latents = np.where(before > held["threshold"], np.maximum(before, 0.0), 0.0)
    return latents, latents @ held["W_dec"] + held["b_dec"]


def train(folder: Path = FOLDER) -> dict[str, Any]:
    """Learn the dictionary and write it.

    Returns:
        Figures on 300 held-out drawings: ``explained``, the fraction of the variance that decoding gives back;
        ``active``, latents above 0 at a location (mean count); ``channels``, likewise; ``dead`` latents (count).
    """
    rows = activations("train", DRAWINGS)
    order = np.random.default_rng(SEED).permutation(len(rows))
    tensors = learn(rows[order[:SAMPLE]])
    latents, channels = tensors["W_dec"].shape
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sae_weights.safetensors").write_bytes(save(tensors))
    options = {
        "architecture": "jumprelu", "d_in": channels, "d_sae": latents, "dtype": "float32",
        "apply_b_dec_to_input": False, "normalize_activations": "none", "reshape_activations": "none",
    }  # fmt: skip
    (folder / "cfg.json").write_text(json.dumps(options, indent=1) + "\n", encoding="utf-8")
    unseen = activations("val", 300)
    found, decoded = encode(unseen, tensors)
    variance = ((unseen - unseen.mean(axis=0)) ** 2).sum()
    return {
        "explained": float(1 - ((unseen - decoded) ** 2).sum() / variance),
        "active": float((found > 0).sum(axis=1).mean()),
        "channels": float((unseen > 0).sum(axis=1).mean()),
        "dead": int((found.max(axis=0) <= 0).sum()),
    }
