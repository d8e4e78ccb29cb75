"""What several test files share: where the real photographs are, small networks, and drawn pictures."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from tests.browser import browser, page, served  # noqa: F401 - fixtures
from tests.process_state import hooks_of, state_of  # noqa: F401 - tests take them from here

# where the drawings of the tests' studies are: a dashboard shows no photos from outside of its roots
os.environ.setdefault("UNITSCOPE_ROOTS", tempfile.gettempdir())

torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)  # two processes share two cores


def photos_root() -> Path | None:
    """The folder of real photographs, or None where there is none."""
    given = os.environ.get("UNITSCOPE_PHOTOS")
    root = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "data"
    return root if (root / "imagenette").is_dir() else None


@pytest.fixture(scope="session")
def photos() -> Path:
    """The real photographs; the test is skipped where they are absent."""
    root = photos_root()
    if root is None:
        pytest.skip("the real photographs are not here (set UNITSCOPE_PHOTOS)")
    return root


class TinyNet(nn.Module):
    """Two convolutions, pooling and one linear map, with random but fixed weights."""

    def __init__(self, units: int = 12, classes: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.second = nn.Conv2d(8, units, 3, stride=2, padding=1)
        self.act = nn.ReLU()
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(units, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.first(x)))
        x = self.act(self.second(x))
        return self.head(self.drop(x.mean(dim=(2, 3))))


@pytest.fixture
def tiny() -> TinyNet:
    torch.manual_seed(7)
    return TinyNet().eval()


def draw_photos(folder: Path, classes: int = 3, each: int = 8, size: tuple[int, int] = (64, 48)) -> Path:
    """Class folders of small pictures: a bright square at random places on noise, coloured by class.

    Their files are old: of files that changed a moment ago a study keeps no digests, and would differ from a later one.
    """
    rng = np.random.default_rng(3)
    for label in range(classes):
        target = folder / f"class {label}"
        target.mkdir(parents=True)
        for i in range(each):
            pixels = rng.integers(0, 60, (size[1], size[0], 3), dtype=np.uint8)
            x, y = rng.integers(0, size[0] - 16), rng.integers(0, size[1] - 16)
            pixels[y : y + 16, x : x + 16, label % 3] = 255
            Image.fromarray(pixels).save(target / f"{i:03d}.png")
            os.utime(target / f"{i:03d}.png", (10**9, 10**9))
    return folder


@pytest.fixture(scope="module")
def asked_for(tmp_path_factory):
    """A run of 33 photos in five shards, for workers."""
    from tests.runs_of_workers import run_of_workers

    return run_of_workers(tmp_path_factory.mktemp("asked"))


@pytest.fixture(scope="module")
def ray():
    """A real Ray on this machine, of two processors."""
    import ray as module

    module.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield module
    module.shutdown()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of the slowest tests first: one that begins last would keep a single process busy in the end."""
    weights = {"real": 60.0, "browser": 8.0, "slow": 2.0}
    held: dict[Path, float] = {}
    for item in items:
        weight = max((weights[mark.name] for mark in item.iter_markers() if mark.name in weights), default=0.1)
        held[item.path] = held.get(item.path, 0.0) + weight
    items.sort(key=lambda item: -held[item.path])
