"""Damage to one file of a study: a byte, a bit, a key of its JSON, its end, the whole file, or another study's file."""

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from interpret.study.manifest import write_manifest

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 3, 10**30, 1.5, float("nan"), "", "x", "\ud800", "a\0b", [], [1], ["x"], {}, {"x": 1}, "../..",
)  # fmt: skip
"""What a key becomes."""


@dataclass(frozen=True)
class Damage:
    """What was done to a study.

    Attributes:
        file: the damaged file, relative to the study's folder.
        kind: of damage, in a word or two.
        said: what was done, in a few words.
    """

    file: Path
    kind: str
    said: str

    def __str__(self) -> str:
        return f"{self.file}: {self.said}"


def case(study: Path, other: Path, rng: np.random.Generator) -> Damage:
    """Damage one file of a study, drawn by lot."""
    files = sorted(path for path in study.rglob("*") if path.is_file() and path.suffix != ".jpg")
    manifests = [path for path in files if path.name == "manifest.json"]
    # A third goes to the manifests, which hold more than their share of what can go wrong.
    file = manifests[rng.integers(len(manifests))] if rng.random() < 1 / 3 else files[rng.integers(len(files))]
    kinds: list[tuple[str, Callable[[Path, np.random.Generator], str]]] = [
        ("byte", _byte), ("bit", _bit), ("bit", _bit), ("cut", _cut), ("longer", _longer), ("empty", _empty),
        ("missing", _missing),
    ]  # fmt: skip
    if file.suffix == ".json":
        kinds += [("key", _key)] * 5
    if file.name == "manifest.json":
        kinds += [("key, digest renewed", _written_key)] * 3
    twin = _twin(file, study, other)
    if twin is not None:
        kinds += [("another study's file", lambda path, _: _swapped(path, twin))] * 2
    kind, damage = kinds[rng.integers(len(kinds))]
    return Damage(file.relative_to(study), kind, damage(file, rng))


def _twin(file: Path, study: Path, other: Path) -> Path | None:
    """The file of another study that stands in the same place; in folders named by keys, under another key."""
    *parents, name = file.relative_to(study).parts
    place = other
    for parent in parents:
        if (place / parent).is_dir():
            place /= parent
            continue
        folders = sorted(path for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
        folders = [path for path in folders if (path / name).is_file()]
        if not folders:
            return None
        place = folders[0]
    return place / name if (place / name).is_file() else None


def _byte(file: Path, rng: np.random.Generator) -> str:
    content = bytearray(file.read_bytes())
    at, value = int(rng.integers(len(content))), int(rng.integers(1, 256))
    content[at] ^= value
    file.write_bytes(bytes(content))
    return f"byte {at} xor {value}"


def _bit(file: Path, rng: np.random.Generator) -> str:
    content = bytearray(file.read_bytes())
    at, bit = int(rng.integers(len(content))), int(rng.integers(8))
    content[at] ^= 1 << bit
    file.write_bytes(bytes(content))
    return f"bit {bit} of byte {at}"


def _cut(file: Path, rng: np.random.Generator) -> str:
    content = file.read_bytes()
    length = int(rng.integers(len(content)))
    file.write_bytes(content[:length])
    return f"cut to {length} bytes"


def _longer(file: Path, rng: np.random.Generator) -> str:
    content = file.read_bytes()
    file.write_bytes(content + rng.bytes(int(rng.integers(1, 100))))
    return "longer"


def _empty(file: Path, _: np.random.Generator) -> str:
    file.write_bytes(b"")
    return "empty"


def _missing(file: Path, rng: np.random.Generator) -> str:
    file.unlink()
    if rng.random() < 0.2:
        file.mkdir()
        return "a folder"
    return "missing"


def _swapped(file: Path, twin: Path) -> str:
    shutil.copy(twin, file)
    return "another study's"


def _key(file: Path, rng: np.random.Generator) -> str:
    content, said = _changed(json.loads(file.read_text()), rng)
    file.write_text(json.dumps(content, indent=1, sort_keys=True))
    return said


def _written_key(file: Path, rng: np.random.Generator) -> str:
    """The same with a digest of the manifest that fits: as if a program had written it that way."""
    content, said = _changed(json.loads(file.read_text()), rng)
    try:
        write_manifest(content, file.parent)
    except UnicodeEncodeError:  # no program could
        file.write_text(json.dumps(content))
    return f"{said}, digest renewed"


def _changed(content: Any, rng: np.random.Generator) -> tuple[Any, str]:
    """Another content: one value, at any depth, is removed, or is another."""
    content = copy.deepcopy(content)
    places = list(_places(content))
    holder, key, path = places[rng.integers(len(places))]
    if rng.random() < 0.4:
        del holder[key]
        return content, f"{path} removed"
    at = int(rng.integers(len(VALUES)))
    holder[key] = VALUES[at]
    return content, f"{path} is {VALUES[at]!a}"


def _places(content: Any, path: str = "") -> Iterator[tuple[Any, Any, str]]:
    """Every value within an object or a list: what holds it, its key there, and its name."""
    entries: list[tuple[Any, Any]] = []
    if isinstance(content, dict):
        entries = list(content.items())
    elif isinstance(content, list):
        entries = list(enumerate(content))
    for key, value in entries:
        yield content, key, f"{path}{key}"
        yield from _places(value, f"{path}{key}.")
