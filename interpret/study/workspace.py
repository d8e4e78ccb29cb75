"""The workspace of a run that is under way: finished shards on disk, so that a killed run goes on where it was.

A shard holds a fixed stretch of the list of photos. It is written under another name and renamed when it is whole;
a run that finds it does not compute it again. Shards begin at fixed places and are always computed from their start,
so that every batch has the same photos in it whether or not the run was ever interrupted: that is what makes the
bytes the same.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from interpret.errors import InputError
from interpret.files import flush, write_json
from interpret.study.schema import ARRAYS, TABLES
from interpret.study.shards import Shard, write_table


class Workspace:
    """The folder ``NAME.partial`` beside the study to be.

    Used as a context: it holds a lock, so that a second run of the same study waits for none and says so.
    """

    def __init__(self, study: Path, key: str) -> None:
        self.study = study
        self.folder = study.with_name(study.name + ".partial")
        self.key = key
        self._lock: Any = None

    def __enter__(self) -> "Workspace":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise InputError(f"The study cannot be written to {self.study}: {error.strerror}.") from error
        self._claim()
        note = self.folder / "run.json"
        if note.exists() and json.loads(note.read_text(encoding="utf-8")).get("key") != self.key:
            self._release()
            raise InputError(
                f"{self.folder} holds an unfinished run with other options or photos; choose another --study, or "
                "delete that folder to start anew."
            )
        write_json({"key": self.key}, note)
        return self

    def __exit__(self, *_: object) -> None:
        self._release()

    def _claim(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows has no such lock; two runs of one study are then the user's to avoid
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise InputError(f"Another run is making {self.study} right now; wait for it, or end it.") from error

    def _release(self) -> None:
        self._lock.close()

    def has(self, index: int) -> bool:
        """Whether shard ``index`` is whole."""
        return (self.folder / f"{index:06d}").is_dir()

    def put(self, index: int, shard: Shard) -> None:
        """Write shard ``index``; it counts only once it is renamed."""
        unfinished = self.folder / f"{index:06d}.tmp"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        for name, table in (("images", shard.images), ("patches", shard.patches), ("skipped", shard.skipped)):
            write_table(table, unfinished / f"{name}.parquet")
        for name, array in shard.arrays.items():
            with (unfinished / f"{name}.npy").open("wb") as file:
                np.save(file, array)
                flush(file)
        unfinished.rename(self.folder / f"{index:06d}")

    def images_done(self, index: int) -> int:
        """How many photos shard ``index`` gave (count)."""
        return int(pq.read_metadata(self.folder / f"{index:06d}" / "images.parquet").num_rows)

    def assemble(self, count: int, skipped_before: pa.Table) -> Path:
        """Join ``count`` shards into a folder that still has another name; the caller adds the manifest.

        Args:
            count: how many shards there are, all of them whole.
            skipped_before: rows of ``SKIPPED`` for photos that never came as far as a shard.
        """
        target = self.folder / "study.tmp"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        parts = [self.folder / f"{index:06d}" for index in range(count)]
        tables: dict[str, list[pa.Table]] = {"images": [], "patches": [], "skipped": [skipped_before]}
        n_images = n_patches = 0
        for part in parts:
            rows = {name: pq.read_table(part / f"{name}.parquet") for name in TABLES}
            images, patches = rows["images"], rows["patches"]
            tables["images"].append(_shift(images, image_id=n_images))
            tables["patches"].append(_shift(patches, image_id=n_images, patch_id=n_patches))
            tables["skipped"].append(rows["skipped"])
            n_images, n_patches = n_images + len(images), n_patches + len(patches)
        for name, pieces in tables.items():
            table = pa.concat_tables(pieces).combine_chunks()
            write_table(table.sort_by("path") if name == "skipped" else table, target / f"{name}.parquet")
        for name in ARRAYS:
            _join_arrays([part / f"{name}.npy" for part in parts], target / f"{name}.npy", n_images)
        return target

    def discard(self) -> None:
        """Remove the workspace: there is nothing in it worth going on with."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def finish(self, assembled: Path) -> None:
        """Give the assembled folder its real name and remove the workspace."""
        with contextlib.suppress(FileNotFoundError):
            self.study.rmdir()  # an empty folder that the user made for the study; anything else was refused before
        assembled.rename(self.study)
        self.discard()


def _shift(table: pa.Table, **by: int) -> pa.Table:
    """Add a number to each of the named id columns."""
    for name, start in by.items():
        at = table.schema.get_field_index(name)
        shifted = pa.array(table.column(name).to_numpy() + start, pa.int64())
        table = table.set_column(at, table.schema.field(at), shifted)
    return table


def _join_arrays(parts: list[Path], target: Path, rows: int) -> None:
    """Write the rows of several .npy files one after the other, holding one of them in memory at a time."""
    present = [part for part in parts if part.exists()]
    if not present:
        return
    joined: Any = None
    start = 0
    for part in present:
        array = np.load(part, mmap_mode="r")
        if len(array) == 0:
            continue
        if joined is None:
            joined = np.lib.format.open_memmap(target, mode="w+", dtype=array.dtype, shape=(rows, *array.shape[1:]))
        joined[start : start + len(array)] = array
        start += len(array)
    if joined is not None:
        joined.flush()


def stretches(total: int, size: int) -> Iterator[tuple[int, range]]:
    """Number and positions of each stretch of ``size`` out of ``total`` photos."""
    for index, start in enumerate(range(0, total, size)):
        yield index, range(start, min(start + size, total))
