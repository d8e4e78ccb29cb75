"""The workspace of an unfinished run: its complete shards on disk, so that an interrupted run resumes where it stopped.

A shard holds a fixed stretch of the list of photos. It is written under another name and renamed when it is complete;
a later run does not compute it again. A shard is always computed from its first photo, so that every batch holds the
same photos whether or not the run was interrupted: this makes the resulting bytes the same.
"""

import contextlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from interpret.errors import InputError
from interpret.files import flush, write_json
from interpret.study.schema import ARRAYS, TABLES
from interpret.study.shards import Shard
from interpret.study.tables import write_table


def partial_folder(study: Path) -> Path:
    """The workspace of an unfinished study, beside the folder of the study to be."""
    return study.with_name(study.name + ".partial")


class Workspace:
    """The folder ``NAME.partial`` beside the study to be.

    As a context it takes a lock; a second run of the same study fails at once with an explanation.

    Attributes:
        study: the folder of the study to be.
        folder: the workspace itself.
        key: the key of the study; within the context, the one that the unfinished run was recorded under.
    """

    def __init__(self, study: Path, keys: Sequence[str]) -> None:
        """Prepare the workspace.

        Args:
            study: the folder of the study to be.
            keys: the study's key, and further ones under which an unfinished run is resumed.
        """
        self.study = study
        self.folder = partial_folder(study)
        self.key = keys[0]
        self._keys = keys
        self._lock: Any = None

    def __enter__(self) -> "Workspace":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / "lock").open("w")
        except OSError as error:
            raise InputError(f"The study cannot be written to {self.study}: {error.strerror}.") from error
        self._take_lock()
        try:
            self._recognise()
        except BaseException:
            self._release()
            raise
        return self

    def _recognise(self) -> None:
        """Take over the key of the unfinished run in the folder, or record this one's."""
        record = self.folder / "run.json"
        if not record.exists():
            write_json({"key": self.key}, record)
            return
        try:
            recorded = json.loads(record.read_text(encoding="utf-8"))["key"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"The file {record} is damaged; delete {self.folder} to start anew.") from error
        if recorded not in self._keys:
            raise InputError(
                f"{self.folder} holds an unfinished run with other options or photos; choose another --study, or "
                "delete that folder to start anew."
            )
        self.key = recorded

    def __exit__(self, *_: object) -> None:
        self._release()

    def _take_lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows has no such lock; there the user must not start two runs of one study
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise InputError(f"Another run is making {self.study} right now; wait for it, or end it.") from error

    def _release(self) -> None:
        self._lock.close()

    def has(self, index: int) -> bool:
        """Whether shard ``index`` is complete."""
        return (self.folder / f"{index:06d}").is_dir()

    def put(self, index: int, shard: Shard) -> None:
        """Write shard ``index``, which is complete once it is renamed."""
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
        """Rows in the table of images of shard ``index``: its photos that could be read (count)."""
        return int(pq.read_metadata(self.folder / f"{index:06d}" / "images.parquet").num_rows)

    def assemble(self, count: int, skipped_before: pa.Table) -> Path:
        """Join all shards in a folder within the workspace and return it; the caller adds the manifest.

        Args:
            count: number of shards, all complete.
            skipped_before: rows of ``SKIPPED`` for files that were left out before extraction.
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
        """Delete the workspace."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def finish(self, assembled: Path) -> None:
        """Rename the assembled folder to the study's name and delete the workspace."""
        with contextlib.suppress(FileNotFoundError):
            self.study.rmdir()  # an empty folder that the user made; anything else was refused before
        assembled.rename(self.study)
        self.discard()


def _shift(table: pa.Table, **first: int) -> pa.Table:
    """Renumber the named id columns from the given first id."""
    for name, start in first.items():
        at = table.schema.get_field_index(name)
        shifted = pa.array(table.column(name).to_numpy() + start, pa.int64())
        table = table.set_column(at, table.schema.field(at), shifted)
    return table


def _join_arrays(parts: list[Path], target: Path, rows: int) -> None:
    """Write the rows of several .npy files one after the other, with one of them in memory at a time.

    Args:
        parts: the files, in order; missing and empty ones are passed over.
        target: the file to write; not written without rows.
        rows: the total number of rows.
    """
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
    """Yield number and positions of each stretch of ``size`` photos out of ``total``; the last may be shorter."""
    for index, start in enumerate(range(0, total, size)):
        yield index, range(start, min(start + size, total))
