"""Training the demo's network: a few thousand drawings, a few minutes on two CPU cores.

Only images and class labels are used, never a mask.
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
SPARSITY = 1.0  # weight in the loss of the last units' density: a unit that is rarely active detects one thing
LINK_PRICE = 0.3  # L1 price of the weights from units to classes: a unit serves few classes
SEED = 0
THREADS = 1  # of torch: their number changes the order of sums, and with it the last bits of the weights

Announce = Callable[[str], None]


def _image(index_and_split: tuple[int, str]) -> NDArray[np.uint8]:
    return sample(*index_and_split).image


def images(split: str, count: int, workers: int = 2) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Draw the first ``count`` images of a split: (count, 112, 112, 3) uint8 and their labels (count,)."""
    wanted = [(index, split) for index in range(count)]
    with ProcessPoolExecutor(workers) as pool:
        drawn = np.stack(list(pool.map(_image, wanted, chunksize=50)))
    return drawn, np.arange(count) % len(CLASS_NAMES)


def normalise(batch: torch.Tensor) -> torch.Tensor:
    """(B, 112, 112, 3) uint8 to the network's input, (B, 3, 112, 112) float32."""
    scaled = batch.permute(0, 3, 1, 2).float() / 255
    return (scaled - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def _batches(drawn: NDArray[np.uint8], labels: NDArray[np.int64], rng: np.random.Generator) -> Iterator[Any]:
    """Yield (inputs, labels) of one epoch, shuffled; each batch is shifted by up to 6 pixels, and half are mirrored."""
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
    """Density of activations (B, K, h, w) >= 0, from 0 (a single one is positive) to 1 (all are equal), at any scale.

    Treves and Rolls' measure (Network 1991) is the squared mean over the mean square. It is taken of each unit over
    images and locations and of each location over units; the result is the mean of both.
    """
    square = units * units
    per_unit = units.mean((0, 2, 3)) ** 2 / (square.mean((0, 2, 3)) + 1e-6)
    per_location = units.mean(1) ** 2 / (square.mean(1) + 1e-6)
    return (per_unit.mean() + per_location.mean()) / 2


def shrink_(links: torch.Tensor, price: float) -> None:
    """The proximal step of an L1 price with links kept at 0 or above, in place: each falls by ``price``, to 0 at most.

    Without negative links units only add to a class, which favours parts (Lee and Seung, Nature 1999). For the step see
    Parikh and Boyd, Proximal Algorithms (2014), section 6.5.2.
    """
    links.clamp_(min=0).sub_(price).clamp_(min=0)


def fit(
    drawn: NDArray[np.uint8],
    labels: NDArray[np.int64],
    announce: Announce,
    *,
    epochs: int = EPOCHS,
    sparsity: float = SPARSITY,
    link_price: float = LINK_PRICE,
) -> nn.Sequential:
    """The network trained on images (n, 112, 112, 3) uint8 with labels (n,), its batch normalisations folded in."""
    rng = np.random.default_rng(SEED)
    with torch.random.fork_rng(devices=[]):  # torch draws random numbers for the initial weights only
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
            # Both prices are 0 in the first tenth of the steps, and full from six tenths on.
            ramp = min(1.0, max(0.0, 2 * (schedule.last_epoch / steps - 0.1)))
            optimiser.zero_grad()
            (loss + sparsity * ramp * density(units.float())).backward()
            optimiser.step()
            shrink_(classifier.get_parameter("weight").data, float(schedule.get_last_lr()[0]) * link_price * ramp)
            schedule.step()
            right, seen = right + int((logits.argmax(1) == targets).sum()), seen + len(targets)
        seconds = time.perf_counter() - start
        announce(f"epoch {epoch + 1} of {epochs}: training accuracy {right / seen:.3f}, {seconds:.0f} s")
    return fold(network)


def fold(network: nn.Sequential) -> nn.Sequential:
    """The network with each batch normalisation folded into the convolution before it; its outputs are the same."""
    network.eval()
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and overwritten
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
    """(n,) int64 predicted classes of images (n, 112, 112, 3) uint8, in float32."""
    batches = torch.from_numpy(drawn).split(100)
    return torch.cat([network(normalise(batch)).argmax(1) for batch in batches]).numpy()


def train(announce: Announce, weights: Path = WEIGHTS) -> dict[str, Any]:
    """Draw the images, train the network, and write its weights and a record of its accuracy beside them.

    Args:
        announce: called with one line as the work advances.
        weights: the file to write; the record has the same name with the suffix ``.json``.

    Returns:
        The record, as :func:`record` with the training time (seconds) and the file's SHA-256.
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
    measured = {**record(network, *images("val", HELD_OUT_IMAGES)), "seconds": round(seconds)}
    measured["sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    weights.with_suffix(".json").write_text(json.dumps(measured, indent=1, sort_keys=True) + "\n")
    return measured


def record(network: nn.Module, held_out: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, Any]:
    """Accuracy, accuracy per class and the confusion matrix on held-out images (n, 112, 112, 3) with labels (n,)."""
    predicted = predict(network, held_out)
    confusion = np.zeros((len(CLASS_NAMES), len(CLASS_NAMES)), dtype=np.int64)
    np.add.at(confusion, (labels, predicted), 1)
    return {
        "accuracy": float((predicted == labels).mean()),
        "accuracy_per_class": dict(zip(CLASS_NAMES, (confusion.diagonal() / confusion.sum(1)).tolist(), strict=True)),
        "confusion": confusion.tolist(),
        "held_out_images": len(held_out),
        "train_images": TRAIN_IMAGES,
        "epochs": EPOCHS,
        "torch": torch.__version__,
    }
