"""The tables and arrays of a study, read and checked: after that, nothing can fail on what they hold.

A file is first compared with its digest, then with the format: columns and types, numbers of rows, shapes, and ids and
units within range. Studies of version 2 and earlier have no digests, and only the format is checked.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from interpret.errors import DamagedError, InputError
from interpret.study.digests import difference
from interpret.study.manifest import Manifest
from interpret.study.schema import CONTRAST, IMAGES, PATCHES, SKIPPED
from interpret.study.tables import Ranked, ranked_of

CONTRAST_COLUMNS = ("image_id", "predicted", "target", "x0", "y0", "x1", "y1")
"""Columns of the contrast patches that are shown and mined, beside their units."""

_PIECE = 1 << 16
"""Rows of a large table that are read at once (count)."""

_UNREADABLE = (
    OSError, ValueError, EOFError, SyntaxError, TypeError, KeyError, IndexError, OverflowError, MemoryError,
    RecursionError, pa.ArrowException,
)  # fmt: skip
"""What readers of Parquet and .npy files raise for damaged bytes, by what the bytes are taken for."""


@contextlib.contextmanager
def intact(folder: Path, manifest: Manifest, name: str) -> Iterator[Path]:
    """The path of a study's file, which is as it was written; what fails on its content becomes one sentence.

    Raises:
        InputError: it is missing, is not as it was written, or cannot be read.
    """
    path = folder / name
    if manifest.files is not None:
        if name not in manifest.files:
            raise InputError(f"The file {path} is not part of the study; make the study again.")
        if what := difference(path, manifest.files[name]):
            raise damaged(path, what)
    try:
        yield path
    except InputError:
        raise
    except _UNREADABLE as error:
        missing = isinstance(error, FileNotFoundError)
        what = "it is missing" if missing else str(error) if type(error) is MisfitError else "it cannot be read"
        raise damaged(path, what) from error


def damaged(path: Path, what: str) -> DamagedError:
    """The sentence on a damaged file of a study."""
    return DamagedError(f"The file {path} is damaged ({what}); put it back, or make the study again.")


class MisfitError(ValueError):
    """A value that does not fit the format; the text says which."""


def read_images(folder: Path, manifest: Manifest) -> pd.DataFrame:
    """The photos: columns of ``IMAGES``, ``label`` nullable; `image_id` counts from 0."""
    with intact(folder, manifest, "images.parquet") as path:
        table = _table(path, IMAGES, nullable=("label",))
        classes = len(manifest.class_names)
        _require(_counts_up(table["image_id"]), "image_id does not count up from 0")
        for name, low, high in (
            ("width", 1, None), ("height", 1, None), ("predicted", 0, classes), ("label", 0, classes),
        ):  # fmt: skip
            _within(table, name, low, high)
        confidence = table["confidence"].to_numpy()
        _require(bool(((confidence >= 0) & (confidence <= 1)).all()), "confidence is no fraction")
        if manifest.counts is not None:
            _count("rows", len(table), manifest.counts.images)
            _count("labelled photos", len(table) - table["label"].null_count, manifest.counts.labelled)
        return table.to_pandas().astype({"label": "Int32"})


def read_patches(folder: Path, manifest: Manifest, images: pd.DataFrame) -> pa.Table:
    """The patches: columns of ``PATCHES``, in the order of their photos; see :func:`patch_frame`."""
    with intact(folder, manifest, "patches.parquet") as path:
        table = _table(path, PATCHES)
        _require(_counts_up(table["patch_id"]), "patch_id does not count up from 0")
        _boxes(table, images)
        _units(table, manifest)
        own = images["predicted"].to_numpy()[table["image_id"].to_numpy()]
        _require(bool((table["predicted"].to_numpy() == own).all()), "predicted differs from the photo's")
        if manifest.counts is not None:
            _count("rows", len(table), manifest.counts.patches)
        return table


def patch_frame(table: pa.Table) -> pd.DataFrame:
    """The table of patches as a data frame; their lists of units and scores stay Arrow's: no object for each patch."""
    return table.to_pandas(types_mapper=lambda kind: pd.ArrowDtype(kind) if pa.types.is_list(kind) else None)


def read_contrast(folder: Path, manifest: Manifest, images: pd.DataFrame) -> pd.DataFrame:
    """The contrast patches: :data:`CONTRAST_COLUMNS`; none without a contrast."""
    if manifest.config.extract.contrast == 0:
        return CONTRAST.empty_table().select(list(CONTRAST_COLUMNS)).to_pandas()
    with intact(folder, manifest, "contrast.parquet") as path:
        table = _table(path, CONTRAST, columns=CONTRAST_COLUMNS)
        _boxes(table, images)
        for name in ("predicted", "target"):
            _within(table, name, 0, len(manifest.class_names))
        if manifest.counts is not None:
            _count("rows", len(table), manifest.counts.contrast_patches)
        return table.to_pandas()


def read_skipped(folder: Path, manifest: Manifest) -> pd.DataFrame:
    """The files that were not used: path, reason."""
    with intact(folder, manifest, "skipped.parquet") as path:
        table = _table(path, SKIPPED)
        if manifest.counts is not None:
            _count("rows", len(table), manifest.counts.skipped)
        return table.to_pandas()


def read_contrast_units(folder: Path, manifest: Manifest, rows: int) -> Ranked:
    """Units and scores of all contrast patches, (P, stored units) each; see :func:`ranked_of`.

    Args:
        folder: the study's folder.
        manifest: its manifest.
        rows: P, patches that the table must have (count).
    """
    if manifest.config.extract.contrast == 0:
        return ranked_of(CONTRAST.empty_table(), manifest.config.extract.stored_units)
    width = manifest.config.extract.stored_units
    with intact(folder, manifest, "contrast.parquet") as path:
        file = _opened(path, CONTRAST)
        _count("rows", file.metadata.num_rows, rows)
        ranked = np.empty((rows, width), np.int32), np.empty((rows, width), np.float32)
        at = 0
        # Piece by piece into its place: clearing the memory of a whole table beside it took longer than reading it.
        for batch in file.iter_batches(_PIECE, columns=["units", "scores"]):
            part = _valid(pa.Table.from_batches([batch]))
            _units(part, manifest)
            for whole, piece in zip(ranked, ranked_of(part, width), strict=True):
                whole[at : at + len(piece)] = piece
            at += len(part)
        _count("rows", at, rows)
        for whole in ranked:
            whole.setflags(write=False)
        return ranked


def read_array(folder: Path, manifest: Manifest, name: str, rows: int) -> Any:
    """An array with a row for each photo, memory-mapped: the name of one of :data:`interpret.study.schema.ARRAYS`."""
    units = manifest.n_units
    shape: tuple[int | None, ...] = {
        "features": (rows, units), "cams": (rows, None, None), "activations": (rows, units, None, None),
        "outside": (rows, None, manifest.channels), "pixels": (rows, *manifest.preprocessing.size, 3),
        "offset": (rows, len(manifest.class_names)),
    }[name]  # fmt: skip
    with intact(folder, manifest, f"{name}.npy") as path:
        array = np.lib.format.open_memmap(path, mode="r")
        kind = np.dtype(_KINDS.get(name, np.float32))
        _require(array.dtype == kind, f"its type is {array.dtype}, not {kind}")
        fits = len(array.shape) == len(shape) and all(
            size == wanted or (wanted is None and size > 0) for size, wanted in zip(array.shape, shape, strict=True)
        )
        _require(fits, f"its shape is {array.shape}, not that of {rows} photos and {units} units")
        return array


_KINDS = {"cams": np.float16, "activations": np.float16, "pixels": np.uint8}
"""Types of the arrays that are not float32."""


def read_if_stored(folder: Path, manifest: Manifest, rows: int, *names: str) -> Any:
    """The first of some arrays that the study holds, see :func:`read_array`; None if it holds none of them."""
    for name in names:
        if (folder / f"{name}.npy").exists() if manifest.files is None else f"{name}.npy" in manifest.files:
            return read_array(folder, manifest, name, rows)
    return None


def _table(path: Path, schema: pa.Schema, columns: tuple[str, ...] = (), nullable: tuple[str, ...] = ()) -> pa.Table:
    """A table, or some of its columns, of the columns and types that it must have, and without other nulls."""
    return _valid(_opened(path, schema).read(columns=list(columns) or None), nullable)


def _opened(path: Path, schema: pa.Schema) -> pq.ParquetFile:
    """A file of Parquet with the columns and types that it must have."""
    _require(pq.read_schema(path).equals(schema), "its columns are not those of the format")
    return pq.ParquetFile(path, memory_map=True)


def _valid(table: pa.Table, nullable: tuple[str, ...] = ()) -> pa.Table:
    """The table, if it holds together and has no null but in columns that may."""
    table.validate(full=True)
    for name in table.column_names:
        _require(name in nullable or table[name].null_count == 0, f"{name} has nulls")
    return table


def _boxes(table: pa.Table, images: pd.DataFrame) -> None:
    """The photos of patches exist, and the boxes lie inside them."""
    _within(table, "image_id", 0, len(images))
    image = table["image_id"].to_numpy()
    for low, high, side in (("x0", "x1", "width"), ("y0", "y1", "height")):
        first, last = table[low].to_numpy(), table[high].to_numpy()
        inside = (first >= 0) & (first < last) & (last <= images[side].to_numpy()[image])
        _require(bool(inside.all()), "a box lies outside of its photo")


def _units(table: pa.Table, manifest: Manifest) -> None:
    """Every patch has as many scores as units, not too many, and the units exist."""
    units, scores = (table[name].combine_chunks() for name in ("units", "scores"))
    lengths = units.value_lengths().to_numpy(zero_copy_only=False)
    same = np.array_equal(lengths, scores.value_lengths().to_numpy(zero_copy_only=False))
    _require(same, "a patch has more units than scores, or fewer")
    _require(int(lengths.max(initial=0)) <= manifest.config.extract.stored_units, "a patch has too many units")
    values = units.flatten()
    _require(values.null_count == 0, "a unit is null")
    numbers = values.to_numpy()
    inside = not len(numbers) or (numbers.min() >= 0 and numbers.max() < manifest.n_units)
    _require(bool(inside), "a unit is out of range")
    values = scores.flatten()
    _require(values.null_count == 0 and bool(np.isfinite(values.to_numpy()).all()), "a score is not finite")


def _counts_up(column: pa.ChunkedArray) -> bool:
    return np.array_equal(column.to_numpy(), np.arange(len(column)))


def _within(table: pa.Table, name: str, low: int, high: int | None) -> None:
    values = table[name].drop_null().to_numpy()
    fits = (values >= low) & (values < high) if high is not None else values >= low
    _require(bool(fits.all()), f"{name} is out of range")


def _count(what: str, found: int, stated: int) -> None:
    _require(found == stated, f"it has {found:,} {what}, not {stated:,}")


def _require(fits: bool, what: str) -> None:
    if not fits:
        raise MisfitError(what)
