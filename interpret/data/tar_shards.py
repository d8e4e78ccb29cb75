"""WebDataset's tar files: which photos are in them, at which byte, and of which class; nothing is unpacked.

A sample is what the library ``webdataset`` groups by a key; its photo is the part whose ending is a photo's. Its class
is what the part ``cls`` says, else an entry of the part ``json`` (:data:`ENTRIES`), else a folder in its name. Tar
files are opened by Python's own reader, as plain files: the library's would also run commands that a name may hold.
"""

import fnmatch
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from interpret.config import digest
from interpret.data.photo_files import Stretch, folder_name
from interpret.data.photos import EXTENSIONS, plain
from interpret.errors import InputError
from interpret.files import cache_dir, write_json

FORMAT = 1
"""Raised when a list of a shard holds something else than before."""

CLASS_NAMES = "classnames.txt"
"""The file beside shards that names the classes, one a line in the order of their numbers."""

ENTRIES = ("label", "class", "cls", "class_name", "label_name", "wnid")
"""Entries of a sample's JSON that may name its class, or number it; the first that is there counts."""

KEPT = 256
"""Lists of shards that are held in memory (count)."""

MOST = 1 << 20
"""Bytes of a part that is read for its class at most."""


@dataclass(frozen=True)
class ShardList:
    """What one tar file holds.

    Attributes:
        photos: name, offset and size (bytes) of each.
        skipped: name and reason of what is not used.
    """

    photos: tuple[tuple[str, int, int], ...]
    skipped: tuple[tuple[str, str], ...]

    @cached_property
    def places(self) -> dict[str, tuple[int, int]]:
        """Offset and size of each photo, by its name."""
        return {name: (offset, size) for name, offset, size in self.photos}


def shards(folder: Path, pattern: str) -> list[Path]:
    """The tar files of a folder that a pattern names, in the order of their names.

    Args:
        folder: where they are.
        pattern: a name with numbers in braces (``{000000..000009}``) or with ``*``; all ``.tar`` files if empty.

    Raises:
        InputError: there is none, or one that was counted is not there.
    """
    if "{" in pattern:
        _library()
        from braceexpand import braceexpand

        try:
            named = sorted(folder / name for name in braceexpand(pattern))
        except ValueError:
            raise InputError(
                f"The braces of {pattern!r} do not match; write it like shard-{{000000..000009}}.tar."
            ) from None
        absent = [path.name for path in named if not path.is_file()]
        if absent:
            raise InputError(
                f"{folder} lacks {absent[0]}" + (f" and {len(absent) - 1:,} more of the shards." if absent[1:] else ".")
            )
        return named
    found = sorted(path for path in folder.iterdir() if fnmatch.fnmatchcase(path.name, pattern or "*.tar"))
    if not found:
        raise InputError(
            f"{folder} holds no {pattern or '.tar files'}; shards that are packed (.tar.gz) have to be unpacked."
        )
    return found


def class_names(folder: Path) -> tuple[str, ...]:
    """The names of the classes in the order of their numbers; none where no file says them."""
    file = folder / CLASS_NAMES
    if not file.is_file():
        return ()
    with file.open("rb") as opened:
        return tuple(line.strip() for line in opened.read(MOST).decode("utf-8", "replace").splitlines() if line.strip())


def listed(shard: Path, classes: Sequence[str]) -> ShardList:
    """What a shard holds, as it was listed once: kept in the cache for as long as the file stays as it is.

    Raises:
        InputError: the library is not installed.
    """
    try:
        status = shard.stat()
    except OSError as error:
        return ShardList((), ((shard.name, f"the file cannot be read ({plain(error)})"),))
    state = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    return _listed(shard, tuple(classes), state)


@lru_cache(KEPT)
def _listed(shard: Path, classes: tuple[str, ...], state: tuple[int, ...]) -> ShardList:
    kept = cache_dir() / "tar-lists" / f"{digest(FORMAT, str(shard), classes, state)}.json"
    try:
        content = json.loads(kept.read_text(encoding="utf-8"))
        photos = tuple((str(name), int(offset), int(size)) for name, offset, size in content["photos"])
        return ShardList(photos, tuple((str(name), str(reason)) for name, reason in content["skipped"]))
    except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged: it is made again
        made = _Listing(shard, classes).made()
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_json(asdict(made), kept)
    except OSError:  # a cache that cannot be written to costs time only
        pass
    return made


def _library() -> Any:
    try:
        from webdataset import tariterators
    except ImportError:
        raise InputError("Tar shards need webdataset, which is not installed; run `pip install webdataset`.") from None
    return tariterators


class _Listing:
    """One shard being listed."""

    def __init__(self, shard: Path, classes: Sequence[str]) -> None:
        self._library = _library()
        self._shard, self._classes = shard, classes
        self._photos: dict[str, tuple[int, int]] = {}
        self._skipped: list[tuple[str, str]] = []

    def made(self) -> ShardList:
        try:
            with self._shard.open("rb") as file:
                for sample in self._library.group_by_keys(self._members(file.name), handler=self._twice):
                    self._add(sample, self._reader(file, sample))
        except OSError as error:
            self._skip("", f"the file cannot be read ({plain(error)})")
        return ShardList(tuple((name, *place) for name, place in self._photos.items()), tuple(self._skipped))

    def _skip(self, name: str, reason: str) -> None:
        self._skipped.append((f"{self._shard.name}/{name}".rstrip("/"), reason))

    def _members(self, path: str) -> Iterator[dict[str, Any]]:
        """The files in the shard as the library takes them: of their content only where it is."""
        total = Path(path).stat().st_size
        fault = ""
        try:
            with tarfile.open(path, "r:") as tar:
                try:
                    for member in tar:
                        name = _text(member.name).removeprefix("./").lstrip("/")
                        if not member.isreg() or member.issparse() or name.startswith("__"):  # the latter is metadata
                            continue
                        if member.offset_data + member.size > total:
                            self._skip(name, "the tar file ends within it")
                            continue
                        yield {"fname": name, "data": (name, member.offset_data, member.size), "__url__": path}
                except tarfile.TarError:
                    fault = "the tar file is cut off or damaged; what is behind that place is missing"
                if not fault and not _ends_as_it_should(path, tar.offset):
                    fault = "the tar file is cut off or damaged; what is behind that place is missing"
        except tarfile.TarError as error:
            fault = f"it is not a tar file ({plain(error)})"
        if fault:
            self._skip("", fault)

    def _twice(self, error: Exception) -> bool:
        self._skip(str(error.args[0]).partition(": duplicate file name")[0], "the tar file holds it twice")
        return True

    def _add(self, sample: dict[str, Any], read: Callable[[str], bytes]) -> None:
        parts = [part for part in sample if not part.startswith("__")]
        pictures = [part for part in parts if f".{part.rpartition('.')[2]}" in EXTENSIONS]
        if not pictures:
            self._skip(sample["__key__"], f"the sample holds no photo but {', '.join(parts)[:100] or 'nothing'}")
            return
        name, offset, size = sample[min(pictures, key=lambda part: part.count("."))]  # jpg, not mask.jpg
        if not size:
            self._skip(name, "the file is empty")
            return
        label = folder_name(self._label(sample, read))
        self._photos[f"{label}/{self._shard.name}/{name}".lstrip("/")] = (offset, size)

    def _reader(self, file: Any, sample: dict[str, Any]) -> Callable[[str], bytes]:
        def read(part: str) -> bytes:
            _, offset, size = sample[part]
            file.seek(offset)
            content: bytes = file.read(min(size, MOST))
            return content

        return read

    def _label(self, sample: dict[str, Any], read: Callable[[str], bytes]) -> str:
        """What a sample says of its class; empty if nothing."""
        said: Any = None
        if "cls" in sample:
            said = read("cls").decode("utf-8", "replace").strip()
        elif "json" in sample:
            try:
                content = json.loads(read("json"))
            except (ValueError, RecursionError):
                content = None
            if isinstance(content, dict):
                said = next((content[entry] for entry in ENTRIES if content.get(entry) is not None), None)
        if isinstance(said, bool) or not isinstance(said, str | int):
            return ""
        text = str(said)
        numbered = text.isascii() and text.isdigit() and len(text) < 10 and int(text) < len(self._classes)
        return self._classes[int(text)] if numbered else text


def find(folder: Path, name: str) -> Stretch | None:
    """Where a photo of a set of shards is; None if it is not there any more.

    Raises:
        InputError: the library is not installed, and the shard has not been listed here before.
    """
    parts = name.split("/", 2)
    for shard in parts[:2]:
        if shard.endswith(".tar") and (folder / shard).is_file():
            place = listed(folder / shard, class_names(folder)).places.get(name)
            if place is not None:
                return Stretch(folder / shard, *place)
    return None


def _ends_as_it_should(path: str, offset: int) -> bool:
    with Path(path).open("rb") as file:
        file.seek(offset)
        block = file.read(tarfile.BLOCKSIZE)
    return len(block) == tarfile.BLOCKSIZE and not any(block)


def _text(name: str) -> str:
    """A name that can be written anywhere: bytes that are not UTF-8 become hexadecimal escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\0", "")
