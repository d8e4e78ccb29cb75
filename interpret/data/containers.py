"""Photos inside larger files, read in place: WebDataset's tar shards (``wds:``) and Hugging Face's data sets (``hf:``).

``wds:FOLDER`` or ``wds:FOLDER/train-{000000..000009}.tar``; ``hf:FOLDER``, ``hf:FOLDER:SPLIT`` or
``hf:FOLDER:SPLIT:COLUMN``. A plain folder that holds nothing but such files is taken for what it is.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from interpret.data import arrow_rows, tar_shards
from interpret.data.downloads import Announce
from interpret.data.photo_files import Stretch
from interpret.data.photos import EXTENSIONS, plain
from interpret.data.roots import check_within, is_within
from interpret.errors import InputError

WDS, HF = "wds:", "hf:"

OUTSIDE = "it lies outside of the folders that may be read"


@dataclass(frozen=True)
class Container:
    """A set of photos inside larger files.

    Attributes:
        kind: :data:`WDS` or :data:`HF`.
        folder: where the files are, absolute.
        shards: of tar files, the pattern of their names; empty for all.
        split: of a data set; empty where it has none.
        column: of a data set, the one that holds pictures; empty for the one that is described as such.
    """

    kind: str
    folder: Path
    shards: str = ""
    split: str = ""
    column: str = ""

    def __str__(self) -> str:
        if self.kind == WDS:
            return f"{WDS}{self.folder / self.shards if self.shards else self.folder}"
        return f"{HF}{self.folder}:{self.split}:{self.column}"

    def photos(
        self, roots: Sequence[Path] | None, announce: Announce | None = None
    ) -> tuple[dict[str, Path | Stretch], list[tuple[str, str]]]:
        """Where each photo is, by its name, and name and reason of what is skipped.

        Args:
            roots: folders, resolved, that files may be read from, wherever links or rows lead; None for any.
            announce: called with one line before anything is written.

        Raises:
            InputError: the set is damaged, or the library that reads it is not installed.
        """
        return self._of_shards(roots) if self.kind == WDS else self._of_rows(roots, announce)

    def _of_shards(self, roots: Sequence[Path] | None) -> tuple[dict[str, Path | Stretch], list[tuple[str, str]]]:
        found: dict[str, Path | Stretch] = {}
        skipped: list[tuple[str, str]] = []
        classes = tar_shards.class_names(self.folder)
        for shard in tar_shards.shards(self.folder, self.shards):
            if not is_within(shard, roots):
                skipped.append((shard.name, OUTSIDE))
                continue
            listed = tar_shards.listed(shard, classes)
            found |= {name: Stretch(shard, offset, size) for name, offset, size in listed.photos}
            skipped += listed.skipped
        return found, skipped

    def _of_rows(
        self, roots: Sequence[Path] | None, announce: Announce | None
    ) -> tuple[dict[str, Path | Stretch], list[tuple[str, str]]]:
        rows = arrow_rows.rows(self.folder, self.split, self.column, announce)
        assert rows is not None
        outside = [file for file in rows.files if not is_within(file, roots)]
        if outside:
            raise InputError(f"{outside[0]} lies outside of the folders that may be read, so it is not opened.")
        found: dict[str, Path | Stretch] = {}
        skipped: list[tuple[str, str]] = []
        for row, name in enumerate(rows.names()):
            place = rows.at(row)
            if place is None:
                skipped.append((name, "the row holds no photo"))
            elif isinstance(place, Path) and not (place.is_file() and is_within(place, roots)):
                skipped.append((name, "the row holds no photo but a path that is not here"))
            else:
                found[name] = place
        return found, skipped

    def find(self, name: str) -> Path | Stretch | None:
        """Where one photo is; None if it is not there any more, or cannot be read on this machine."""
        try:
            if self.kind == WDS:
                return tar_shards.find(self.folder, name)
            rows = arrow_rows.rows(self.folder, self.split, self.column, convert=False)
        except (InputError, OSError):
            return None
        number = name.rpartition("/")[2]
        if rows is None or not number.isdecimal() or int(number) >= len(rows.file):
            return None
        return rows.at(int(number))

    def class_names(self, announce: Announce | None = None) -> tuple[str, ...]:
        """The names of its classes in the order of their numbers; none where it does not say them.

        Raises:
            InputError: as :meth:`photos` says.
        """
        if self.kind == WDS:
            return tar_shards.class_names(self.folder)
        rows = arrow_rows.rows(self.folder, self.split, self.column, announce)
        return () if rows is None else rows.classes


def is_named(source: str | Path) -> bool:
    """Whether a source is written as one of these sets."""
    return str(source).startswith((WDS, HF))


def recorded(text: str) -> Container | None:
    """The set that a study was made of, from the text of its :class:`Container`; None for a plain folder."""
    if text.startswith(WDS):
        folder, shards = _split_shards(Path(text.removeprefix(WDS)))
        return Container(WDS, folder, shards)
    if text.startswith(HF):
        folder_text, split, column = [*text.removeprefix(HF).rsplit(":", 2), "", ""][:3]
        return Container(HF, Path(folder_text), split=split, column=column)
    return None


def located(source: str | Path, roots: Sequence[Path] | None = None) -> Container | None:
    """The set that a source names, or that a plain folder turns out to be; None for any other source.

    Args:
        source: as the command line takes it.
        roots: folders, resolved, that it may lie in; None for any.

    Raises:
        InputError: it is written as a set and there is none, or lies outside of ``roots``, of which nothing is told.
    """
    text = str(source)
    try:
        if text.startswith(WDS):
            folder, shards = _split_shards(Path(text.removeprefix(WDS)).expanduser())
            return Container(WDS, _folder(folder, text, roots), shards)
        if text.startswith(HF):
            parts = _parts(text.removeprefix(HF))
            there = [each for each in parts if Path(each[0]).expanduser().is_dir()]
            folder_text, split, column = there[0] if there else parts[-1]
            folder = _folder(Path(folder_text).expanduser(), text, roots)
            return Container(HF, folder, split=arrow_rows.choose_split(folder, split), column=column)
        found = _recognised(Path(source).expanduser().resolve())
        return None if found is None else located(f"{found}{Path(source).expanduser().resolve()}", roots)
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        if is_named(source):
            raise InputError(f"{text!r} cannot be opened ({plain(error)}).") from None
        return None


def with_folder(source: str, resolve: Callable[[str], Path]) -> str:
    """A source that is written as one of these sets, its folder replaced by what ``resolve`` gives for it.

    Raises:
        InputError: ``resolve`` raised it for everything that may be the folder.
    """
    if source.startswith(WDS):
        folder, shards = _split_shards(Path(source.removeprefix(WDS)))
        return str(Container(WDS, resolve(str(folder)), shards))
    faults = []
    for folder_text, split, column in _parts(source.removeprefix(HF)):
        try:
            return str(Container(HF, resolve(folder_text), split=split, column=column))
        except InputError as error:
            faults.append(error)
    raise faults[-1]


def _split_shards(path: Path) -> tuple[Path, str]:
    return (path.parent, path.name) if path.suffix == ".tar" else (path, "")


def _parts(text: str) -> list[tuple[str, str, str]]:
    """What may be folder, split and column, the longest folder first: it may have colons in its name."""
    found = []
    for colons in range(min(2, text.count(":")) + 1):
        folder, split, column = [*(text.rsplit(":", colons) if colons else [text]), "", ""][:3]
        found.append((folder, split, column))
    return found


def _folder(folder: Path, text: str, roots: Sequence[Path] | None) -> Path:
    check_within(folder, roots, "The folder")
    if not folder.is_dir():
        raise InputError(
            f"{text!r} names no folder that is there; write it like wds:FOLDER, wds:FOLDER/train-{{000..009}}.tar, "
            "hf:FOLDER or hf:FOLDER:SPLIT."
        )
    return folder.resolve()


def _recognised(folder: Path) -> str | None:
    """What a plain folder holds, where that is nothing but shards or a data set."""
    if not folder.is_dir():
        return None
    if arrow_rows.is_set(folder):
        return HF
    kinds = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            suffix = Path(entry.name).suffix.lower()
            if suffix in EXTENSIONS or (entry.is_dir() and entry.name != "data"):
                return None
            kinds.add("folder" if entry.is_dir() else suffix)
    if ".tar" in kinds and "folder" not in kinds:
        return WDS
    return HF if kinds & {".parquet", "folder"} and arrow_rows.parquet_files(folder) else None
