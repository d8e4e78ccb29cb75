"""How the demo's network was trained: a few thousand drawings, a few minutes on two processor cores.

The network sees images and class labels only, never a mask.
"""

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from interpret.demo.draw import sample
from interpret.demo.network import CLASS_NAMES, MEAN, STD, WEIGHTS, build

TRAIN_IMAGES = 3000
HELD_OUT_IMAGES = 1500
EPOCHS = 12
BATCH = 48
RATE = 4e-3
DECAY = 2e-3
SPARSITY = 1.0  # weight of the last units' density in the loss: a unit that fires rarely means one thing
SEED = 0
THREADS = 2  # of torch, because the number of threads changes the order of sums and so the last bits of the weights

Announce = Callable[[str], None]


def _image(place: tuple[int, str]) -> NDArray[np.uint8]:
    return sample(*place).image


def images(split: str, count: int, workers: int = 2) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw the first ``count`` images of a split: (count, 112, 112, 3) uint8 and their labels (count,)."""
    places = [(index, split) for index in range(count)]
    with ProcessPoolExecutor(workers) as pool:
        drawn = np.stack(list(pool.map(_image, places, chunksize=50)))
    return drawn, np.arange(count) % len(CLASS_NAMES)


def normalise(batch: torch.Tensor) -> torch.Tensor:
    """(B, 112, 112, 3) uint8 to (B, 3, 112, 112) float32 as the network takes it."""
    scaled = batch.permute(0, 3, 1, 2).float() / 255
    return (scaled - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def _batches(drawn: NDArray[np.uint8], labels: NDArray[np.int64], rng: np.random.Generator) -> Iterator[Any]:
    """One epoch in random order, each batch mirrored half of the time and shifted by up to 6 pixels."""
    order = rng.permutation(len(drawn))
    for start in range(0, len(order) - BATCH + 1, BATCH):
        chosen = order[start : start + BATCH]
        pixels = drawn[chosen]
        if rng.random() < 0.5:
            pixels = pixels[:, :, ::-1]
        padded = np.pad(pixels, ((0, 0), (6, 6), (6, 6), (0, 0)), mode="edge")
        dy, dx = rng.integers(0, 13, 2)
        pixels = padded[:, dy : dy + drawn.shape[1], dx : dx + drawn.shape[2]]
        yield normalise(torch.from_numpy(np.ascontiguousarray(pixels))), torch.from_numpy(labels[chosen])


def density(units: torch.Tensor) -> torch.Tensor:
    """How evenly activations (B, K, h, w) >= 0 are spread, 0 (one value only) to 1 (all alike), whatever their scale.

    Treves and Rolls' measure, mean squared over mean of squares (Network 1991), of each unit over images and cells,
    and of each cell over units; the mean of both.
    """
    square = units * units
    per_unit = units.mean((0, 2, 3)) ** 2 / (square.mean((0, 2, 3)) + 1e-6)
    per_cell = units.mean(1) ** 2 / (square.mean(1) + 1e-6)
    return (per_unit.mean() + per_cell.mean()) / 2


def fit(
    drawn: NDArray[np.uint8],
    labels: NDArray[np.int64],
    announce: Announce,
    *,
    epochs: int = EPOCHS,
    sparsity: float = SPARSITY,
) -> nn.Sequential:
    """Train the network on images (n, 112, 112, 3) uint8 with labels (n,); returns it with its norms folded in."""
    rng = np.random.default_rng(SEED)
    with torch.random.fork_rng(devices=[]):  # the first weights are the only random numbers that torch draws here
        torch.default_generator.manual_seed(SEED)
        network = build(norm=True)
    network.to(memory_format=torch.channels_last)
    features, classifier = network.get_submodule("features"), network.get_submodule("classifier")
    steps = epochs * (len(drawn) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.2)
    for epoch in range(epochs):
        start, right, seen = time.perf_counter(), 0, 0
        for inputs, targets in _batches(drawn, labels, rng):
            with torch.autocast("cpu", torch.bfloat16):
                units = features(inputs.contiguous(memory_format=torch.channels_last))
                logits = classifier(units.float().mean((2, 3)))
            loss = functional.cross_entropy(logits.float(), targets)
            # first learn, then thin out: the density counts from a tenth of the way on, in full from six tenths
            weight = sparsity * min(1.0, max(0.0, 2 * (schedule.last_epoch / steps - 0.1)))
            optimiser.zero_grad()
            (loss + weight * density(units.float())).backward()
            optimiser.step()
            # evidence adds up and never cancels, which favours parts over wholes (Lee and Seung, Nature 1999)
            classifier.get_parameter("weight").data.clamp_(min=0)
            schedule.step()
            right, seen = right + int((logits.argmax(1) == targets).sum()), seen + len(targets)
        seconds = time.perf_counter() - start
        announce(f"epoch {epoch + 1} of {epochs}: {right / seen:.3f} right on its training images, {seconds:.0f} s")
    return fold(network)


def fold(network: nn.Sequential) -> nn.Sequential:
    """The same function without batch normalisation: each one is folded into the convolution before it."""
    network.eval()
    with torch.random.fork_rng(devices=[]):  # first weights are drawn, and then overwritten
        plain = build().eval()
    trained = list(network.get_submodule("features").children())
    fused = [
        fuse_conv_bn_eval(layer, norm)
        for layer, norm in itertools.pairwise(trained)
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
    ]
    targets = [layer for layer in plain.get_submodule("features").children() if isinstance(layer, nn.Conv2d)]
    for target, source in zip(targets, fused, strict=True):
        target.load_state_dict(source.state_dict())
    plain.get_submodule("classifier").load_state_dict(network.get_submodule("classifier").state_dict())
    return plain


@torch.inference_mode()
def predict(network: nn.Module, drawn: NDArray[np.uint8]) -> NDArray[np.int64]:
    """The predicted classes (n,) of images (n, 112, 112, 3) uint8, in full float32."""
    found = [network(normalise(torch.from_numpy(drawn[at : at + 100]))).argmax(1) for at in range(0, len(drawn), 100)]
    return torch.cat(found).numpy()


def train(announce: Announce, weights: Path = WEIGHTS) -> dict[str, Any]:
    """Draw, train, test on held-out drawings, and write the weights and, beside them, what was measured.

    Returns:
        The record that is written, as :func:`record`.
    """
    start = time.perf_counter()
    announce(f"drawing {TRAIN_IMAGES} images")
    drawn = images("train", TRAIN_IMAGES)
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        network = fit(*drawn, announce)
    finally:
        torch.set_num_threads(threads)
    seconds = time.perf_counter() - start
    weights.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, weights)
    found = {**record(network, *images("val", HELD_OUT_IMAGES)), "seconds": round(seconds)}
    found["sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    weights.with_suffix(".json").write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    return found


def record(network: nn.Module, held: NDArray[np.uint8], truth: NDArray[np.int64]) -> dict[str, Any]:
    """Accuracy on held-out images (n, 112, 112, 3) of classes ``truth`` (n,), by class too, and the confusions."""
    predicted = predict(network, held)
    confusion = np.zeros((len(CLASS_NAMES), len(CLASS_NAMES)), dtype=np.int64)
    np.add.at(confusion, (truth, predicted), 1)
    return {
        "accuracy": float((predicted == truth).mean()),
        "accuracy_per_class": dict(zip(CLASS_NAMES, (confusion.diagonal() / confusion.sum(1)).tolist(), strict=True)),
        "confusion": confusion.tolist(),
        "held_out_images": len(held),
        "train_images": TRAIN_IMAGES,
        "epochs": EPOCHS,
        "torch": torch.__version__,
    }
