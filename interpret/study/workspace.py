"""The workspace of an unfinished run: its complete shards on disk, so that an interrupted run resumes where it stopped.

A shard holds a fixed stretch of the list of photos. It is written under another name and renamed when it is complete;
a later run does not compute it again. A shard is always computed from its first photo, so that every batch holds the
same photos whether or not the run was interrupted: this makes the resulting bytes the same.
"""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from interpret.config import Arithmetic
from interpret.errors import InputError
from interpret.files import clear_unfinished, flush, held_folder, hold, new_folder, remove_folder, write_json
from interpret.study import digests
from interpret.study.fields import Fields
from interpret.study.joining import join_arrays, joined_rows
from interpret.study.manifest import read_arithmetic
from interpret.study.schema import ARRAYS, TABLES
from interpret.study.shards import Shard
from interpret.study.tables import write_table

FORMAT = 4
"""Raised when shards hold other photos or files than before, so that no unfinished run is resumed with both."""

RECORD = "run.json"
"""The file of a workspace that says which study is being made."""


LOCK = "lock"


def partial_folder(study: Path) -> Path:
    """The workspace of an unfinished study, beside the folder of the study to be."""
    return study.with_name(study.name + ".partial")


def remove_unused(workspace: Path) -> None:
    """Remove a workspace, unless a living run works in it.

    Raises:
        OSError: it cannot be written to.
    """
    lock = hold(workspace / LOCK)
    if lock is not None:
        try:
            remove_folder(workspace)
        finally:
            os.close(lock)


def check_record(study: Path) -> tuple[str, int] | None:
    """The key and the format of the unfinished run in the workspace of a study to be; None where there is none.

    Raises:
        InputError: what it says of itself is damaged.
    """
    found = _record(study)
    return None if found is None else found[:2]


def recorded_arithmetic(study: Path) -> Arithmetic | None:
    """How the network of the unfinished run in the workspace of a study to be computes; None where there is none.

    Raises:
        InputError: what it says of itself is damaged.
    """
    found = _record(study)
    return None if found is None else found[2]


def _record(study: Path) -> tuple[str, int, Arithmetic | None] | None:
    record = partial_folder(study) / RECORD
    if not record.exists():
        return None
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        arithmetic = read_arithmetic(Fields(content)) if "arithmetic" in content else None
        return str(content["key"]), int(content.get("format", 1)), arithmetic
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise InputError(f"The file {record} is damaged; delete {record.parent} to start anew.") from error


class Workspace:
    """The folder ``NAME.partial`` beside the study to be.

    As a context it takes a lock; a second run of the same study fails at once with an explanation.

    Attributes:
        study: the folder of the study to be.
        folder: the workspace itself.
        key: the key of the study; within the context, the one that the unfinished run was recorded under.
    """

    def __init__(
        self, study: Path, keys: Sequence[str], arithmetic: Arithmetic | None = None, *, shared: bool = False
    ) -> None:
        """Prepare the workspace.

        Args:
            study: the folder of the study to be.
            keys: the study's key, and further ones under which an unfinished run is resumed.
            arithmetic: how the network computes, for the record of a new run.
            shared: whether others may write shards at the same time, as the tasks of a queue do; each shard is claimed
                first (:meth:`claim`), and nobody can complete the study meanwhile.
        """
        self.study = study
        self.folder = partial_folder(study)
        self.key = keys[0]
        self._keys = keys
        self._arithmetic = arithmetic
        self._shared = shared
        self._lock = -1

    def __enter__(self) -> "Workspace":
        self._take_lock()
        try:
            if self._shared:
                with held_folder(self.folder):  # the first one writes the record
                    self._recognise()
            else:
                clear_unfinished(self.folder)
                self._recognise()
        except BaseException:
            self._release()
            raise
        return self

    def _recognise(self) -> None:
        """Take over the key of the unfinished run in the folder, or record this one's."""
        found = check_record(self.study)
        if found is None:
            held = {} if self._arithmetic is None else {"arithmetic": asdict(self._arithmetic)}
            write_json({"key": self.key, "format": FORMAT, **held}, self.folder / RECORD)
            return
        recorded, version = found
        if recorded not in self._keys:
            raise InputError(
                f"{self.folder} holds an unfinished run with other options or photos; choose another --study, or "
                "delete that folder to start anew."
            )
        if version != FORMAT:
            raise InputError(
                f"{self.folder} holds a run that another version of Unitscope left unfinished; delete that folder to "
                "start anew, or complete it with that version."
            )
        self.key = recorded

    def __exit__(self, *_: object) -> None:
        self._release()

    def _take_lock(self) -> None:
        try:
            for _ in range(3):  # another command may remove a folder that nobody can resume at this moment
                self.folder.mkdir(parents=True, exist_ok=True)
                lock = hold(self.folder / LOCK, shared=self._shared)
                if lock is not None:
                    self._lock = lock
                    return
        except OSError as error:
            raise InputError(f"The study cannot be written to {self.study}: {error.strerror}.") from error
        raise InputError(f"Another run is making {self.study} right now; wait for it, or end it.")

    def _release(self) -> None:
        os.close(self._lock)

    def has(self, index: int) -> bool:
        """Whether shard ``index`` is there, every file as it was written; anything else of that name is removed."""
        shard = self.folder / f"{index:06d}"
        if not shard.is_dir():
            return False
        if joined_rows(self.folder) is not None:
            return True  # it was whole when the joining began
        try:
            digests.check_list(shard, [f"{name}.parquet" for name in TABLES])
        except InputError:
            remove_folder(shard)
            return False
        return True

    def claim(self, index: int) -> int | None:
        """Claim shard ``index`` for this process; None if another one computes it.

        Returns:
            A descriptor to close when the shard is written; the claim of a process that dies goes with it.
        """
        return hold(self.folder / f"{index:06d}.claim")

    def put(self, index: int, shard: Shard) -> None:
        """Write shard ``index`` and the digests of its files; it is complete once it is renamed."""
        with new_folder(self.folder / f"{index:06d}") as unfinished:
            for name in TABLES:
                write_table(getattr(shard, name), unfinished / f"{name}.parquet")
            for name, array in shard.arrays.items():
                with (unfinished / f"{name}.npy").open("wb") as file:
                    np.save(file, array)
                    flush(file)
            digests.write_list(unfinished, {})

    def images_done(self, index: int) -> int:
        """Rows in the table of images of shard ``index``: its photos that could be read (count)."""
        return int(pq.read_metadata(self.folder / f"{index:06d}" / "images.parquet").num_rows)

    def assemble(self, count: int, skipped_before: pa.Table) -> Path:
        """Join all shards in a folder within the workspace and return it; the caller adds the manifest.

        Photos are processed in an order drawn by lot; here they come back into the order of their paths.

        Args:
            count: number of shards, all complete.
            skipped_before: rows of ``SKIPPED`` for files that were left out before extraction.
        """
        target = self.folder / "study.tmp"
        parts = [self.folder / f"{index:06d}" for index in range(count)]

        def joined(name: str) -> pa.Table:  # one table at a time: that of the contrast may take gigabytes
            return pa.concat_tables([pq.read_table(part / f"{name}.parquet") for part in parts]).combine_chunks()

        images = joined("images")
        order = pc.sort_indices(images, [("path", "ascending")]).to_numpy().astype(np.int64)
        if joined_rows(self.folder) is None:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            place = np.empty(len(images), np.int64)
            place[order] = np.arange(len(images))
            write_table(_with(images.take(order), "image_id", np.arange(len(images))), target / "images.parquet")
            sizes = [self.images_done(index) for index in range(count)]
            for name in ("patches", "contrast"):
                table = joined(name)
                rows = [pq.read_metadata(part / f"{name}.parquet").num_rows for part in parts]
                image = place[table["image_id"].to_numpy() + np.repeat(np.cumsum([0, *sizes[:-1]]), rows)]
                table = _with(table, "image_id", image).take(np.argsort(image, kind="stable"))
                write_table(_with(table, "patch_id", np.arange(len(table))), target / f"{name}.parquet")
            skipped = pa.concat_tables([skipped_before, joined("skipped")])
            write_table(skipped.sort_by("path"), target / "skipped.parquet")
            for name in ARRAYS:
                if name != "activations":
                    join_arrays([part / f"{name}.npy" for part in parts], target / f"{name}.npy", order)
        last = "activations.npy"
        join_arrays([part / last for part in parts], target / last, order, self.folder)
        return target

    def discard(self) -> None:
        """Delete the workspace."""
        remove_folder(self.folder)

    def finish(self, assembled: Path) -> None:
        """Rename the assembled folder to the study's name and delete the workspace."""
        with contextlib.suppress(FileNotFoundError):
            self.study.rmdir()  # an empty folder that the user made; anything else was refused before
        assembled.rename(self.study)
        self.discard()


def _with(table: pa.Table, name: str, values: npt.NDArray[np.int64]) -> pa.Table:
    """A table with other values in one of its id columns."""
    at = table.schema.get_field_index(name)
    return table.set_column(at, table.schema.field(at), pa.array(values, pa.int64()))


def stretches(total: int, size: int, seed: int = 0) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Number and positions of each stretch of ``size`` out of ``total`` photos, in an order drawn by lot.

    So every stretch holds photos of all classes, and the classes that its photos are dealt as their contrast come
    from the whole set, although folders are read class after class.
    """
    order = np.random.default_rng(seed).permutation(total)
    for index, start in enumerate(range(0, total, size)):
        yield index, order[start : start + size]
