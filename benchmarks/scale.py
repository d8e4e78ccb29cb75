"""Ray's workers at scale: how much of them is used, what a shard costs the driver, and whether its memory stays flat.

    python -m benchmarks.scale [--workers 1 2 4 16] [--shards 10000] [--seconds 1.0] [--photo-bytes 0]

The workers sleep instead of computing, so that two processors do for sixteen: each shard takes a worker ``--seconds``,
as 256 photos do at 256 photos a second. They return shards of 256 photos with 384 patches, which the driver writes into
a real workspace, with digests, as a run does. Efficiency is the time that the workers alone would take, divided by what
passed until the last shard was written, counted from when every worker had given its first. With ``--photo-bytes`` each
shard's photos, of so many bytes each, are read by the driver and sent along, as ``--ship-photos`` does.
"""

import argparse
import logging
import os
import resource
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import nn

from interpret.config import Arithmetic
from interpret.explanation.plan import Plan
from interpret.explanation.ray_pool import RayOptions
from interpret.explanation.ray_workers import explain_parts
from interpret.study.schema import CONTRAST, IMAGES, PATCHES, SKIPPED
from interpret.study.shards import Shard
from interpret.study.workspace import Workspace

PHOTOS, PATCHES_EACH, UNITS, FEATURES = 256, 1.5, 32, 1280


def table(schema: pa.Schema, rows: int) -> pa.Table:
    """Rows of zeros; lists hold as many as a patch stores."""
    columns = []
    for field in schema:
        if pa.types.is_list(field.type):
            flat = pa.array(np.zeros(rows * UNITS), field.type.value_type)
            columns.append(pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32) * UNITS, flat))
        elif pa.types.is_string(field.type):
            columns.append(pa.array([f"class/{row:06d}.jpg" for row in range(rows)]))
        else:
            columns.append(pa.array(np.zeros(rows)).cast(field.type))
    return pa.Table.from_arrays(
        [column.cast(field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


class Sleeper:
    """A worker whose network sleeps."""

    def __init__(self, _plan: Any, _arithmetic: Arithmetic, _threads: int) -> None:
        self._seconds = float(os.environ["SCALE_SECONDS"])
        patches = int(PHOTOS * PATCHES_EACH)
        features = np.zeros((PHOTOS, FEATURES), np.float32)
        arrays: dict[str, npt.NDArray[Any]] = {"features": features, "cams": np.zeros((PHOTOS, 7, 7), np.float16)}
        self._shard = Shard(
            table(IMAGES, PHOTOS), table(PATCHES, patches), table(CONTRAST, 4 * patches), table(SKIPPED, 0), arrays
        )

    def explain(self, _index: int, _positions: npt.NDArray[np.int64], _contents: Any = None) -> Shard:
        """The same shard again, after a while."""
        time.sleep(self._seconds)
        return self._shard


def megabytes() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@dataclass
class NoNetwork:
    """A classifier of which nothing is used."""

    network: nn.Module
    config: None = None


@dataclass
class SleepersPlan:
    """What the driver takes from a plan."""

    classifier: NoNetwork
    photos: SimpleNamespace
    device: torch.device


def measure(workers: int, shards: int, seconds: float, size: int) -> tuple[float, float, list[float], float]:
    """Efficiency (fraction), the driver's processor time a shard (s), its memory after tenths (MB), and elapsed s."""
    files = tempfile.TemporaryDirectory()
    photos = []
    for number in range(PHOTOS if size else 0):
        photos.append(SimpleNamespace(file=Path(files.name) / f"{number}.jpg"))
        photos[-1].file.write_bytes(os.urandom(size))
    held = SleepersPlan(NoNetwork(nn.Identity()), SimpleNamespace(photos=photos), torch.device("cpu"))
    plan, options = cast(Plan, held), RayOptions(workers=workers, ship=size > 0)
    parts = [(index, np.arange(PHOTOS)) for index in range(shards + workers)]
    memory = []
    with tempfile.TemporaryDirectory() as scratch, Workspace(Path(scratch) / "study", ["0" * 16]) as workspace:
        began = cpu = 0.0
        for done, (index, shard, _) in enumerate(explain_parts(plan, Arithmetic("float32"), parts, options, Sleeper)):
            if done == workers:  # every worker is there, and at work
                began, cpu = time.monotonic(), time.process_time()
            workspace.put(index, shard)
            if (done + 1) % max(1, shards // 10) == 0:
                memory.append(megabytes())
        elapsed, cpu = time.monotonic() - began, time.process_time() - cpu
    files.cleanup()
    return shards * seconds / workers / elapsed, cpu / shards, memory, elapsed


def main() -> None:
    import ray

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4, 16])
    parser.add_argument("--shards", type=int, default=10_000, help="with the most workers; fewer with fewer")
    parser.add_argument("--seconds", type=float, default=1.0, help="that a shard takes a worker")
    parser.add_argument("--photo-bytes", type=int, default=0, help="size of each photo that is sent along; 0: none is")
    given = parser.parse_args()
    os.environ["SCALE_SECONDS"] = str(given.seconds)
    most = max(given.workers)
    ray.init(num_cpus=most, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    print("| workers | shards | elapsed s | efficiency | driver's processor time, ms a shard | driver's memory, MB |")
    print("|--:|--:|--:|--:|--:|--:|")
    for workers in given.workers:
        shards = max(50, given.shards * workers // most) if workers == most else max(50, 60 * workers)
        efficiency, cpu, memory, elapsed = measure(workers, shards, given.seconds, given.photo_bytes)
        grown = f"{statistics.mean(memory[:2]):.0f} to {statistics.mean(memory[-2:]):.0f}" if memory else ""
        print(f"| {workers} | {shards:,} | {elapsed:.1f} | {efficiency:.2f} | {1000 * cpu:.1f} | {grown} |", flush=True)
    ray.shutdown()


if __name__ == "__main__":
    main()
