"""A small vision transformer trained on the demo's drawings, and whether its class-specific units matter.

    python -m benchmarks.vit train WEIGHTS             some minutes on two cores
    python -m benchmarks.vit study WEIGHTS FOLDER      explained, mined, and its units ablated in held-out drawings

The network is timm's, with a class token and three blocks of 96 channels. Four convolutions of stride 2 make its 49
tokens: plain patches learn more slowly (Xiao et al., NeurIPS 2021). Its units are the channels of the layer that
Unitscope takes by default. With ``UNITSCOPE_VIT`` naming the weights, ``--model benchmarks/vit.py:build`` runs it from
the command line.
"""

import argparse
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.nn import functional

import interpret
from interpret.demo.network import CLASS_NAMES, INPUT_SIZE, MEAN, STD
from interpret.demo.train import images, normalise

TRAIN, HELD_OUT, EPOCHS, BATCH, RATE = 3000, 1000, 20, 50, 2e-3


class Stem(nn.Module):
    """(B, 3, 112, 112) to tokens (B, 49, ``embed_dim``), in the place of a patch embedding."""

    def __init__(self, embed_dim: int, **_options: object) -> None:
        super().__init__()
        self.grid_size, self.num_patches = (7, 7), 49
        widths = (3, 24, 48, 96, embed_dim)
        self.layers = nn.Sequential()
        for before, after in itertools.pairwise(widths):
            self.layers.extend([nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()])

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """The tokens, row by row."""
        tokens: torch.Tensor = self.layers(photos).flatten(2).transpose(1, 2)
        return tokens


def network() -> nn.Module:
    """The network, untrained, with the same random weights every time."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return VisionTransformer(
            img_size=INPUT_SIZE,
            patch_size=16,
            num_classes=len(CLASS_NAMES),
            embed_dim=96,
            depth=3,
            num_heads=3,
            embed_layer=Stem,
        )


def build() -> interpret.Classifier:
    """The trained network, from the file that ``UNITSCOPE_VIT`` names."""
    trained = network()
    trained.load_state_dict(load_file(os.environ["UNITSCOPE_VIT"]))
    preprocessing = interpret.Preprocessing((INPUT_SIZE, INPUT_SIZE), INPUT_SIZE, mean=MEAN, std=STD)
    return interpret.wrap(trained.eval(), name="vit", class_names=CLASS_NAMES, preprocessing=preprocessing)


def batches(drawn: NDArray[np.uint8], labels: NDArray[np.int64], rng: np.random.Generator) -> Iterator[tuple]:
    """Inputs and labels of one epoch, shuffled; each batch is shifted by up to 10 pixels, and half are mirrored."""
    order = rng.permutation(len(drawn))
    for start in range(0, len(order) - BATCH + 1, BATCH):
        chosen = order[start : start + BATCH]
        pixels = drawn[chosen][:, :, :: -1 if rng.random() < 0.5 else 1]
        padded = np.pad(pixels, ((0, 0), (10, 10), (10, 10), (0, 0)), mode="edge")
        dy, dx = rng.integers(0, 21, 2)
        shifted = np.ascontiguousarray(padded[:, dy : dy + INPUT_SIZE, dx : dx + INPUT_SIZE])
        yield normalise(torch.from_numpy(shifted)), torch.from_numpy(labels[chosen])


def train(weights: Path) -> None:
    began = time.perf_counter()
    torch.set_num_threads(1)  # their number changes the order of sums
    drawn, labels = images("train", TRAIN)
    rng, model = np.random.default_rng(0), network()
    steps = EPOCHS * (TRAIN // BATCH)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.15)
    for epoch in range(EPOCHS):
        right = 0
        for inputs, targets in batches(drawn, labels, rng):
            logits = model(inputs)
            optimiser.zero_grad()
            functional.cross_entropy(logits, targets, label_smoothing=0.05).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            right += int((logits.argmax(1) == targets).sum())
        print(f"epoch {epoch + 1}: {right / TRAIN:.3f}, {time.perf_counter() - began:.0f} s", flush=True)
    save_file(model.state_dict(), weights)
    held_out, truth = images("val", HELD_OUT)
    with torch.inference_mode():
        found = torch.cat([model.eval()(normalise(part)).argmax(1) for part in torch.from_numpy(held_out).split(100)])
    print(f"accuracy in {HELD_OUT} held-out drawings: {(found.numpy() == truth).mean():.3f}")


def study(weights: Path, folder: Path) -> None:
    os.environ["UNITSCOPE_VIT"] = str(weights.absolute())
    model = interpret.ModelConfig(model=f"{Path(__file__).absolute()}:build", precision="float32", device="cpu")
    config = interpret.RunConfig(images="demo", model=model, hold_out=0.0)
    made = interpret.run(config, folder)
    print(
        f"layer {made.layer}, {made.n_units} units, {made.counts.patches:,} patches of {made.counts.images:,} drawings"
    )
    print(f"now: unitscope evaluate {folder} --images demo-val   (with UNITSCOPE_VIT={weights.absolute()})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("train", "study"))
    parser.add_argument("weights", type=Path)
    parser.add_argument("folder", type=Path, nargs="?")
    given = parser.parse_args()
    if given.what == "train":
        train(given.weights)
    elif given.folder is None:
        parser.error("give a folder for the study")
    else:
        study(given.weights, given.folder)


if __name__ == "__main__":
    main()
