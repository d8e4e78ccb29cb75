"""A small true study for the dashboard's tests: drawn pictures, the embedded demo's network, the whole pipeline."""

import functools
import os
import tempfile
from pathlib import Path

from interpret import demo, pipeline
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig

_HOLD: list[tempfile.TemporaryDirectory[str]] = []  # removed when the tests end
COUNT = 150


@functools.cache
def studies() -> Path:
    """A folder with one study called `demo`, of 150 drawings of ten classes; made once."""
    hold = tempfile.TemporaryDirectory(prefix="unitscope-test-")
    _HOLD.append(hold)
    root = Path(hold.name)
    _make(root, "demo", COUNT, contrast=4)
    return root


@functools.cache
def without_contrast() -> Path:
    """A folder with one study called `demo` that has no contrast: nothing was tested; made once."""
    hold = tempfile.TemporaryDirectory(prefix="unitscope-test-")
    _HOLD.append(hold)
    root = Path(hold.name)
    _make(root, "demo", 100, contrast=0)
    return root


def _make(root: Path, name: str, count: int, contrast: int) -> None:
    """Draw pictures into a folder and make a study of them there."""
    before = os.environ.get("UNITSCOPE_CACHE")
    os.environ["UNITSCOPE_CACHE"] = str(root / ".cache")
    try:
        drawings = demo.photos("train", count=count)
    finally:
        if before is None:
            del os.environ["UNITSCOPE_CACHE"]
        else:
            os.environ["UNITSCOPE_CACHE"] = before
    (drawings / "Bird" / "broken.png").write_bytes(b"no picture")
    config = RunConfig(
        images=str(drawings),
        model=ModelConfig(model="demo", precision="float32", device="cpu"),
        extract=ExtractConfig(contrast=contrast),
        mine=MineConfig(top_units=8),
    )
    pipeline.run(config, root / name)
