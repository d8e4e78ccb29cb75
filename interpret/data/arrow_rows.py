"""Hugging Face's data sets on disk: which row holds which photo, at which byte of which file, and of which class.

What ``save_to_disk`` wrote is read in place: the library ``datasets`` says which Arrow files there are, which column
holds pictures and what the classes are called; a picture's bytes lie in one piece in the file. Parquet packs its
columns and gives no row without its whole group, so the library first writes such a set as Arrow into the cache, once.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from interpret.config import digest
from interpret.data.downloads import Announce
from interpret.data.photo_files import Stretch, folder_name
from interpret.data.photos import plain
from interpret.errors import InputError
from interpret.files import cache_dir

LABELS = ("label", "labels", "fine_label", "class", "category", "target")
"""Columns that hold the class where none is described as one; the first that is there counts."""

IMAGE_NAMES = ("image", "img", "jpg", "png", "picture", "photo")
"""Columns that hold pictures where none is described as one."""

_SPLIT = re.compile(r"(?P<split>\w+?)-\d+-of-\d+")
_DIGITS = 9


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a data set.

    Attributes:
        files: the Arrow files, absolute.
        file: (n,) of each row, its file; -1 where the row holds no picture's bytes.
        offset: (n,) where its picture begins (bytes).
        size: (n,) of the picture (bytes).
        paths: by row, the path that it names in place of a picture's bytes.
        codes: (n,) of each row, its class among ``classes``; -1 if none.
        classes: the names of the classes.
    """

    files: tuple[Path, ...]
    file: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    paths: dict[int, str]
    codes: npt.NDArray[np.int64]
    classes: tuple[str, ...]

    def at(self, row: int) -> Path | Stretch | None:
        """Where the picture of a row is; None if it has none."""
        if self.file[row] >= 0:
            return Stretch(self.files[self.file[row]], int(self.offset[row]), int(self.size[row]))
        path = Path(self.paths.get(row, ""))
        return path if path.is_absolute() else None

    def names(self) -> list[str]:
        """(n,) the name of each row: its class, if any, and its number."""
        folders = [f"{folder_name(name)}/" for name in self.classes]
        folders = ["" if folder == "/" else folder for folder in [*folders, ""]]  # the last one: of no class
        return [f"{folders[code]}{row:0{_DIGITS}d}" for row, code in enumerate(self.codes.tolist())]


def is_set(folder: Path) -> bool:
    """Whether a folder is what ``save_to_disk`` wrote."""
    alone = (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()
    return alone or (folder / "dataset_dict.json").is_file()


def parquet_files(folder: Path) -> dict[str, list[Path]]:
    """The Parquet files in a folder, or in its folder ``data``, by split: what their names say, else ``train``."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.parquet")) or sorted((folder / "data").glob("*.parquet")):
        named = _SPLIT.match(path.stem)
        found.setdefault(named["split"] if named else "train", []).append(path)
    return found


def choose_split(folder: Path, split: str) -> str:
    """The split to take: the one that is asked for, else the only one; empty where a set has no splits.

    Raises:
        InputError: there is no such split, or there are several and none is asked for.
    """
    if is_set(folder):
        if not (folder / "dataset_dict.json").is_file():
            if split:
                raise InputError(f"{folder} has no splits; leave out {split!r}.")
            return ""
        splits = sorted(path.name for path in folder.iterdir() if is_set(path))
    else:
        splits = sorted(parquet_files(folder))
        if not splits:
            raise InputError(
                f"{folder} is no data set on disk: it holds neither what save_to_disk writes nor Parquet files."
            )
    if split in splits:
        return split
    if split or len(splits) != 1:
        fault = f"has no split {split!r}" if split else "has several splits"
        raise InputError(f"{folder} {fault}; write one of " + ", ".join(f"hf:{folder}:{each}" for each in splits) + ".")
    return splits[0]


def rows(
    folder: Path, split: str, column: str, announce: Announce | None = None, *, convert: bool = True
) -> Rows | None:
    """The rows of a data set; None where Parquet would have to be written as Arrow first, and ``convert`` is false.

    Args:
        folder: where it is.
        split: from :func:`choose_split`.
        column: that holds the pictures; the one that is described as such if empty.
        announce: called with one line before Parquet is written as Arrow.
        convert: whether that may be done.

    Raises:
        InputError: the library is not installed, or the set is damaged or has no such column.
    """
    try:
        import datasets as library
    except ImportError:
        raise InputError(
            "Data sets on disk need datasets, which is not installed; run `pip install datasets`."
        ) from None
    parquet = [] if is_set(folder) else parquet_files(folder).get(split, [])
    place = folder / split if (folder / "dataset_dict.json").is_file() else folder
    files = parquet or [place / "state.json", place / "dataset_info.json", *sorted(place.glob("*.arrow"))]
    try:
        status = [path.stat() for path in files]
    except OSError as error:
        raise InputError(f"The data set {place} cannot be read ({plain(error)}).") from None
    key = digest([str(path) for path in files], [(each.st_size, each.st_mtime_ns, each.st_ino) for each in status])
    target = cache_dir() / "parquet-sets" / key
    if parquet and not any(target.rglob("*.arrow")):
        if not convert:
            return None
        if announce is not None:
            size = sum(each.st_size for each in status)
            announce(f"writing the {size / 1e9:.2g} GB of Parquet files in {folder} as Arrow into {target}, once")
    return _rows(library, place, tuple(parquet), target, column, key)


@lru_cache(4)
def _rows(library: Any, place: Path, parquet: tuple[Path, ...], target: Path, column: str, key: str) -> Rows:
    shown = not library.are_progress_bars_disabled()
    library.disable_progress_bars()
    try:
        if parquet:
            files = {"train": [str(path) for path in parquet]}
            opened = library.load_dataset("parquet", data_files=files, split="train", cache_dir=str(target))
        else:
            opened = library.load_from_disk(str(place))
    except Exception as error:  # of many kinds, by what is damaged
        raise InputError(f"The data set {place} cannot be read ({plain(error)}).") from None
    finally:
        if shown:
            library.enable_progress_bars()
    if opened._indices is not None:
        raise InputError(
            f"{place} holds rows in another order than they are stored; save it again after flatten_indices()."
        )
    chosen = _picture_column(library, opened.features, column, place)
    label = _label_column(library, opened.features)
    names = getattr(opened.features.get(label), "names", None) if label else None
    arrow = tuple(Path(os.path.normpath(each["filename"])) for each in opened.cache_files)
    elsewhere = [file for file in arrow if not file.is_relative_to(target if parquet else place)]
    if elsewhere:
        raise InputError(f"{place} names the file {elsewhere[0]}, which lies outside of it, so it is not used.")
    try:
        return _read(arrow, chosen, label, names)
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InputError(f"The data set {place} cannot be read ({plain(error)}).") from None


def _picture_column(library: Any, features: Any, column: str, place: Path) -> str:
    if column:
        if column not in features:
            raise InputError(f"{place} has no column {column!r}; it has {', '.join(features)}.")
        return column
    pictures = [name for name, feature in features.items() if isinstance(feature, library.Image)]
    if not pictures:
        pictures = [name for name in IMAGE_NAMES if name in features]
    if not pictures:
        raise InputError(f"No column of {place} holds pictures; it has {', '.join(features)}.")
    return pictures[0]


def _label_column(library: Any, features: Any) -> str | None:
    described = [name for name, feature in features.items() if isinstance(feature, library.ClassLabel)]
    return next((name for name in [*(n for n in LABELS if n in described), *described]), None) or next(
        (name for name in LABELS if name in features), None
    )


def _read(files: tuple[Path, ...], column: str, label: str | None, names: Sequence[str] | None) -> Rows:
    """The places of all pictures, from the offsets that Arrow keeps beside them."""
    file: list[npt.NDArray] = []
    offset: list[npt.NDArray] = []
    size: list[npt.NDArray] = []
    labels: list[Any] = []
    paths: dict[int, str] = {}
    start = 0
    for number, path in enumerate(files):
        with pa.memory_map(str(path)) as mapped:
            base, total = mapped.read_buffer().address, mapped.size()
            mapped.seek(0)
            table = pa.ipc.open_stream(mapped).read_all()
            for chunk in table[column].chunks:
                content, named = _content(chunk, path, column)
                begin, end = _places(content, base)
                there = content.is_valid().to_numpy(zero_copy_only=False) & (end > begin)
                if there.any() and (begin[there].min() < 0 or end[there].max() > total):
                    raise InputError(f"The pictures in {path} are packed; save the data set again with save_to_disk.")
                if named is not None and not there.all():
                    for row in np.flatnonzero(~there).tolist():
                        if named[row].as_py():
                            paths[start + row] = named[row].as_py()
                file.append(np.where(there, number, -1).astype(np.int32))
                offset.append(begin)
                size.append(end - begin)
                start += len(chunk)
            labels += table[label].to_pylist() if label else []
    joined = [np.concatenate(each) if each else np.zeros(0, np.int64) for each in (file, offset, size)]
    codes, classes = _classes(labels, names, start)
    return Rows(files, joined[0].astype(np.int32), joined[1], joined[2], paths, codes, classes)


def _content(chunk: Any, path: Path, column: str) -> tuple[Any, Any]:
    """The bytes of a column's pictures, and the paths that may stand in their place."""
    named = None
    if pa.types.is_struct(chunk.type):
        fields = {field.name for field in chunk.type}
        if "bytes" in fields:
            named = chunk.field("path") if "path" in fields else None
            chunk = chunk.field("bytes")
    if not (pa.types.is_binary(chunk.type) or pa.types.is_large_binary(chunk.type)):
        raise InputError(f"The column {column!r} of {path} holds no pictures but {chunk.type}.")
    return chunk, named


def _places(content: Any, base: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """First byte of each picture in the file, and the one behind its last."""
    _, offsets, data = content.buffers()
    wide = np.int64 if pa.types.is_large_binary(content.type) else np.int32
    if offsets is None or data is None:
        return np.zeros(len(content), np.int64), np.zeros(len(content), np.int64)
    ends = np.frombuffer(offsets, wide)[content.offset : content.offset + len(content) + 1].astype(np.int64)
    ends = ends + (data.address - base)
    return ends[:-1], ends[1:]


def _classes(
    labels: list[Any], names: Sequence[str] | None, count: int
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """The class of each row, and the names of the classes."""
    if not labels:
        return np.full(count, -1, np.int64), ()
    if names is None:
        said = [str(each) if isinstance(each, str | int) and not isinstance(each, bool) else "" for each in labels]
        names = sorted({each for each in said if each})
        number = {name: at for at, name in enumerate(names)}
        return np.array([number.get(each, -1) for each in said], np.int64), tuple(names)
    codes = np.array([-1 if each is None else each for each in labels], np.int64)
    return np.where((codes >= 0) & (codes < len(names)), codes, -1), tuple(names)
