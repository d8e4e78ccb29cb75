"""A study of any size without photos: features with planted units, explained through the head of a ResNet.

    python -m benchmarks.generate FOLDER [--photos 1000000] [--classes 1000] [--units 2048] [--contrast 4]

Each class has four units of its own and two that it shares with one other class. A photo holds each unit of its class
with a probability of 0.7, above a background of small activations in all units; the head's weights reward a class's
units. Predictions, and the units of every patch by their contributions, are computed from these features as in a run;
half of the photos have two patches. Boxes and maps are drawn by lot, and no photo exists. The study is written and
joined by the code that writes those of a run. The same options and seed give the same bytes, but for the date.
"""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
import torchvision
from safetensors.torch import save_file

from interpret import models
from interpret.config import Arithmetic, ExtractConfig, ModelConfig, RunConfig, digest
from interpret.data.datasets import PhotoSet
from interpret.explanation.encoding import rank_units
from interpret.explanation.manifest import study_manifest
from interpret.models import Classifier
from interpret.study import Study, open_study
from interpret.study.digests import file_digests
from interpret.study.manifest import write_manifest
from interpret.study.schema import CONTRAST, FILES, IMAGES, PAD, PATCHES, SKIPPED
from interpret.study.shards import Shard
from interpret.study.workspace import Workspace

NETWORKS = {2048: "resnet50", 512: "resnet18"}
"""The network whose last layer has so many units (count)."""

SIDE = 224
"""Height and width of the photos that do not exist (pixels)."""

SHARD = 8192
"""Photos that are made together (count)."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def planted(n_classes: int, n_units: int, rng: np.random.Generator) -> Ints:
    """(C, 6) units of each class, drawn by lot: four of its own, and two of its pair of classes."""
    pairs = np.stack([rng.choice(n_units, 10, replace=False) for _ in range(-(-n_classes // 2))])
    return np.concatenate([pairs[:, [0, 1, 2, 3, 8, 9]], pairs[:, 4:]], axis=1).reshape(-1, 6)[:n_classes]


def classifier_of(folder: Path, units: Ints, n_units: int, seed: int) -> Classifier:
    """A ResNet with random weights and a head that rewards the units of each class; its files lie in the folder."""
    name, n_classes = NETWORKS[n_units], len(units)
    names, weights = folder / "classes.txt", folder / "weights.safetensors"
    names.write_text("".join(f"class {place:04d}\n" for place in range(n_classes)), encoding="utf-8")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = torchvision.models.get_model(name, weights=None, num_classes=n_classes)
    state = network.state_dict()
    head = torch.from_numpy(np.random.default_rng([seed, 1]).normal(0, 0.01, (n_classes, n_units)).astype(np.float32))
    head.scatter_add_(1, torch.from_numpy(units), torch.full(units.shape, 0.5))
    state["fc.weight"], state["fc.bias"] = head, torch.zeros(n_classes)
    save_file({key: value.contiguous() for key, value in state.items()}, str(weights))
    return models.load(
        ModelConfig(model=name, weights=str(weights), class_names=str(names), precision="float32", device="cpu")
    )


def shards(config: RunConfig, head: torch.Tensor, units: Ints, photos: int, seed: int, part: int) -> Iterator[Shard]:
    """The photos of a study, some thousand at a time."""
    for first in range(0, photos, SHARD):
        yield _shard(
            config, head, units, first, min(SHARD, photos - first), np.random.default_rng([seed, 2 + part, first])
        )


def _shard(config: RunConfig, head: torch.Tensor, units: Ints, first: int, n: int, rng: np.random.Generator) -> Shard:
    n_classes, n_units = head.shape
    label = rng.integers(n_classes, size=n)
    features = rng.random((n, n_units), np.float32) ** 4 * np.float32(0.3)
    held = rng.random((n, units.shape[1]), np.float32) < 0.7
    strength = rng.random((n, units.shape[1]), np.float32) + np.float32(0.5)
    np.put_along_axis(
        features, units[label], np.where(held, strength, np.take_along_axis(features, units[label], 1)), 1
    )
    logits = torch.from_numpy(features) @ head.T
    confidence, predicted = (each.numpy() for each in logits.softmax(dim=1).max(dim=1))
    images = {
        "image_id": np.arange(n),
        "path": [f"{label[row]:04d}/{first + row:08d}.jpg" for row in range(n)],
        "width": np.full(n, SIDE),
        "height": np.full(n, SIDE),
        "label": label,
        "predicted": predicted,
        "confidence": confidence.clip(0, 1),
    }
    owner = np.sort(np.concatenate([np.arange(n), np.flatnonzero(rng.random(n) < 0.5)]))
    patches = _patches(config, head, features, owner, predicted, predicted[owner], PATCHES, rng)
    # Each photo is explained for R further classes, none of them twice and none its own.
    further = config.extract.contrast
    steps = 1 + rng.permuted(np.tile(np.arange(min(n_classes - 1, 64)), (n, 1)), axis=1)[:, :further]
    owner = np.arange(n).repeat(steps.shape[1])
    targets = (predicted[:, None] + steps * max(1, (n_classes - 1) // 64)).ravel() % n_classes
    contrast = _patches(config, head, features, owner, predicted, targets, CONTRAST, rng)
    cams = rng.random((n, 7, 7), np.float32).astype(np.float16)
    cams /= cams.max(axis=(1, 2), keepdims=True)
    return Shard(_table(images, IMAGES), patches, contrast, SKIPPED.empty_table(), {"features": features, "cams": cams})


def _patches(
    config: RunConfig,
    head: torch.Tensor,
    features: Floats,
    owner: Ints,
    predicted: Ints,
    target: Ints,
    schema: pa.Schema,
    rng: np.random.Generator,
) -> pa.Table:
    """Patches of photos, explained for their targets: the units by contribution, each patch seeing its own share."""
    parts: list[tuple[npt.NDArray[np.int32], Floats]] = []
    for rows in np.array_split(np.arange(len(owner)), max(1, len(owner) // 2048)):
        gain = rng.random((len(rows), features.shape[1]), np.float32) + np.float32(0.5)
        scores = torch.from_numpy(features[owner[rows]] * gain) * head[torch.from_numpy(target[rows])]
        ranked = rank_units(scores, config.extract.stored_units)
        parts.append((ranked.units, ranked.scores))
    units, scores_of = (np.concatenate(each) for each in zip(*parts, strict=True))
    kept = units != PAD
    offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32)
    corner = rng.integers(0, SIDE - 64, (2, len(owner)))
    side = rng.integers(32, 65, (2, len(owner)))
    return _table(
        {
            "patch_id": np.arange(len(owner)),
            "image_id": owner,
            "x0": corner[0],
            "y0": corner[1],
            "x1": corner[0] + side[0],
            "y1": corner[1] + side[1],
            "mass": rng.random(len(owner), np.float32),
            "predicted": predicted[owner],
            "target": target,
            "units": pa.ListArray.from_arrays(offsets, units[kept]),
            "scores": pa.ListArray.from_arrays(offsets, scores_of[kept]),
        },
        schema,
    )


def _table(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_arrays([pa.array(columns[field.name]).cast(field.type) for field in schema], schema=schema)


def generate(
    folder: Path, photos: int, n_classes: int, n_units: int, contrast: int, seed: int = 0, part: int = 0
) -> Study:
    """Make the study ``folder``; its network's weights and class names lie in a folder of the same name beside it."""
    beside = folder.with_name(f"{folder.name}-network")
    beside.mkdir(parents=True, exist_ok=True)
    units = planted(n_classes, n_units, np.random.default_rng([seed, 0]))
    classifier = classifier_of(beside, units, n_units, seed)
    head = dict(classifier.network.named_parameters())["fc.weight"].detach()
    assert classifier.config is not None
    config = RunConfig(
        images=str(beside / "photos"), model=classifier.config, extract=ExtractConfig(contrast=contrast), hold_out=0.0
    )
    key = digest("generated", photos, n_classes, n_units, contrast, seed, part)
    none = PhotoSet(beside / "photos", (), (), key, key, {})
    with Workspace(folder, [key]) as workspace:
        count = 0
        for count, shard in enumerate(shards(config, head, units, photos, seed, part), 1):
            workspace.put(count - 1, shard)
        assembled = workspace.assemble(count, SKIPPED.empty_table())
        manifest = study_manifest(config, classifier, none, key, n_units, torch.device("cpu"), Arithmetic("float32"))
        manifest["files"] = file_digests(assembled, FILES)
        manifest["counts"] = asdict(Study(assembled, manifest).counted())
        manifest["timings"] = {"seconds": 0.0, "shards_resumed": 0}
        write_manifest(manifest, assembled)
        workspace.finish(assembled)
    return open_study(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--units", type=int, default=2048, choices=sorted(NETWORKS))
    parser.add_argument("--contrast", type=int, default=4, help="R, further classes that each photo is explained for")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", type=int, default=0, help="which photos of the same network: 1 for held-out ones")
    given = parser.parse_args()
    study = generate(given.folder, given.photos, given.classes, given.units, given.contrast, given.seed, given.part)
    counts = study.counts
    print(
        f"{study.folder}: {counts.images:,} photos, {counts.patches:,} patches, {counts.contrast_patches:,} of others"
    )


if __name__ == "__main__":
    main()
