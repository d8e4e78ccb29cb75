"""Manifests that a test changes: written as a study that was made that way would have them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from interpret.errors import InputError
from interpret.study import Study
from interpret.study.digests import file_digests
from interpret.study.manifest import write_manifest
from interpret.study.schema import FILES, IMAGES
from interpret.study.tables import write_table


def manifest_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


def rewrite(folder: Path, content: dict[str, Any] | None = None, **changes: Any) -> None:
    """Write a manifest with digests and counts of the files as they are now, whatever they were.

    Args:
        folder: the study's folder.
        content: of the manifest; the one that is there if None.
        changes: its fields that become others.
    """
    content = {**(manifest_of(folder) if content is None else content), **changes}
    if content["schema_version"] < 3:
        (folder / "manifest.json").write_text(json.dumps(content))
        return
    content["files"] = file_digests(folder, FILES)
    counts = content.pop("counts", None)
    try:
        content["counts"] = asdict(Study(folder, content).counted())
    except InputError:  # a test changes the tables afterwards
        content["counts"] = counts
    write_manifest(content, folder)


def aged(folder: Path, version: int = 2) -> None:
    """Turn a study into one of an earlier format, without digests and the fields that came with them."""
    content = manifest_of(folder)
    for name in ("files", "digest"):
        content.pop(name, None)
    if version == 1:
        content["counts"].pop("contrast_patches")
        content["config"]["extract"].pop("contrast")
        (folder / "contrast.parquet").unlink()
    (folder / "manifest.json").write_text(json.dumps({**content, "schema_version": version}))


def write_images(folder: Path, images: pd.DataFrame) -> None:
    """Write a study's table of images anew, and its manifest with it."""
    write_table(pa.Table.from_pandas(images, schema=IMAGES, preserve_index=False), folder / "images.parquet")
    rewrite(folder)
