"""A run whose network sleeps, for tests of its workers: tasks of a queue, and Ray's."""

import dataclasses
from pathlib import Path

from interpret.config import ModelConfig, RunConfig
from tests.conftest import draw_photos
from tests.test_pipeline import config

NETWORK = """
import time
from torch import nn

class Slow(nn.Module):
    def forward(self, photos):
        time.sleep(0.2)
        return photos

def build():
    layers = (nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 3))
    return nn.Sequential(*layers)

def slow():
    return nn.Sequential(Slow(), *build())
"""


def run_of_workers(folder: Path) -> RunConfig:
    """A run of 33 photos in five shards, which are drawn into a folder, with the network beside them."""
    (folder / "nets_of_queue.py").write_text(NETWORK)
    network = ModelConfig(f"{folder}/nets_of_queue.py:build", input_size=32, precision="float32", device="cpu")
    return dataclasses.replace(config(draw_photos(folder / "photos", each=11)), model=network)


def slow(config: RunConfig) -> RunConfig:
    """The same with the network that sleeps: whoever computes it can be killed meanwhile."""
    model = config.model.model.replace(":build", ":slow")
    return dataclasses.replace(config, model=dataclasses.replace(config.model, model=model))


def workers_of_ray(kind: bytes = b"Worker") -> list[int]:
    """Process ids of the workers of a kind, those that explain photos."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if line.startswith(b"ray::" + kind):
                found.append(int(entry.name))
    return found
