"""Class names: ImageNet's, those of a file, and the class that a folder's name stands for."""

import functools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from interpret.data import containers, torchvision_sets
from interpret.errors import InputError

IMAGENET = "imagenet"
"""The word that stands for ImageNet's 1,000 classes where a file of class names is asked for."""

_WNID = re.compile(r"n\d{8}")


@functools.cache
def _synsets() -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """ImageNet's 1,000 WordNet ids in the order of every ImageNet classifier, and the names of each."""
    from timm.data import ImageNetInfo  # takes seconds to import

    info = ImageNetInfo()
    names = (tuple(text.strip() for text in line.split(",")) for line in info.label_descriptions())
    return tuple(info.label_names()), tuple(names)


@functools.cache
def imagenet() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """ImageNet's class names and WordNet ids, in the usual order of its 1,000 outputs; read offline from timm.

    Two pairs of classes share their first name (crane, maillot); a word in brackets makes these names unique.

    Returns:
        Names and wnids, 1,000 each.
    """
    wnids, synonyms = _synsets()
    occurrences = Counter(names[0] for names in synonyms)
    unique: list[str] = []
    for wnid, names in zip(wnids, synonyms, strict=True):
        if occurrences[names[0]] == 1:
            unique.append(names[0])
        else:
            unique.append(_DISAMBIGUATED.get(wnid, f"{names[0]} ({wnid})"))
    return tuple(unique), wnids


# WordNet gives both classes of a pair the same name; the words in brackets are from their definitions.
_DISAMBIGUATED = {
    "n02012849": "crane (bird)",
    "n03126707": "crane (machine)",
    "n03710637": "maillot (tights)",
    "n03710721": "maillot (swimsuit)",
}


def imagenet_of(count: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and WordNet ids of the ImageNet with that many classes, as timm knows them: 1k, 12k, 21k or 22k.

    A name that several classes share is followed by the id. Both are empty where there is none of that size.
    """
    from timm.data import ImageNetInfo, infer_imagenet_subset

    if count == 1000:
        return imagenet()
    subset = infer_imagenet_subset({"num_classes": count})
    if subset is None:
        return (), ()
    info = ImageNetInfo(subset)
    return _unique([line.split(",")[0].strip() for line in info.label_descriptions()], info.label_names())


def of_labels(labels: Sequence[str], described: object = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and WordNet ids from the labels of a model's configuration.

    Args:
        labels: of each output: names, or WordNet ids.
        described: a description of each label, by label or in their order; what stands before its first comma is the
            name of a WordNet id.
    """
    if not all(_WNID.fullmatch(label) for label in labels):
        return tuple(f"{label} ({at})" if labels.count(label) > 1 else label for at, label in enumerate(labels)), ()
    by_id = dict(zip(*reversed(imagenet()), strict=True))
    if isinstance(described, Mapping):
        by_id |= {str(wnid): str(text).split(",")[0].strip() for wnid, text in described.items()}
    elif isinstance(described, list | tuple):
        by_id |= dict(zip(labels, (str(text).split(",")[0].strip() for text in described), strict=False))
    return _unique([by_id.get(wnid, wnid) for wnid in labels], labels)


def _unique(names: Sequence[str], wnids: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names made unique by the WordNet id behind those that several classes share, and the ids."""
    times = Counter(names)
    pairs = zip(names, wnids, strict=True)
    return tuple(name if times[name] == 1 else f"{name} ({wnid})" for name, wnid in pairs), tuple(wnids)


def read_class_names(path: str | Path, expected: int | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read class names in the order of a network's outputs.

    The file is a text file with one name a line, a JSON list, or a JSON object from index to name (or to
    ``[wnid, name]``, as in ImageNet's common index file). WordNet ids are replaced by ImageNet's names.

    Args:
        path: the file; or the word ``imagenet`` for ImageNet's 1,000 classes; or a set of torchvision, such as
            ``torchvision/CIFAR10``; or one of :mod:`interpret.data.containers`, such as ``hf:FOLDER``.
        expected: the network's number of outputs; not checked if None.

    Returns:
        Names and wnids; the wnids are empty if the file holds none.

    Raises:
        InputError: the file cannot be read, holds another number of names than ``expected``, or a name twice.
    """
    if str(path) == IMAGENET:
        names, wnids = imagenet()
    elif torchvision_sets.is_named(path):
        names, wnids = torchvision_sets.class_names(str(path)), ()
    elif (container := containers.located(path) if containers.is_named(path) else None) is not None:
        names, wnids = of_labels(container.class_names())
        if not names:
            raise InputError(f"{path} does not say what its classes are called; give a file with their names.")
    else:
        names, wnids = _parse(Path(path))
    if expected is not None and len(names) != expected:
        raise InputError(
            f"{path} holds {len(names):,} class names, but the network has {expected:,} outputs; "
            "give one name for each output, in their order."
        )
    repeated = [name for name, occurrences in Counter(names).items() if occurrences > 1]
    if repeated:
        raise InputError(f"{path} gives the name {repeated[0]!r} to more than one class; make every name unique.")
    return names, wnids


def _parse(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and wnids that a file holds; see :func:`read_class_names`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The class names in {path} cannot be read ({_reason(error)}); give a UTF-8 text file."
        ) from None
    if text.lstrip()[:1] in ("[", "{"):
        try:
            data = json.loads(text)
            rows = [data[str(index)] for index in range(len(data))] if isinstance(data, dict) else data
        except (ValueError, KeyError):
            raise InputError(
                f"{path} is not a JSON list of class names, nor an object with the keys 0, 1, 2 and so on."
            ) from None
    else:
        rows = [line.strip() for line in text.rstrip().splitlines()]
    pairs = [(str(row[0]), str(row[1])) if isinstance(row, list) and len(row) == 2 else row for row in rows]
    if not pairs or not all(isinstance(row, tuple) or (isinstance(row, str) and row) for row in pairs):
        raise InputError(f"{path} is not a list of class names; write one name a line, without empty lines.")
    if all(isinstance(row, tuple) for row in pairs):
        return tuple(row[1].replace("_", " ") for row in pairs), tuple(row[0] for row in pairs)
    names = tuple(str(row) for row in pairs)
    if all(_WNID.fullmatch(name) for name in names):
        name_of = dict(zip(*reversed(imagenet()), strict=True))
        return tuple(name_of.get(wnid, wnid) for wnid in names), names
    return names, ()


def _reason(error: Exception) -> str:
    """The reason of an error without the path: 'No such file or directory'."""
    return getattr(error, "strerror", None) or "it is not UTF-8 text"


def match(folders: Iterable[str], class_names: Sequence[str], wnids: Sequence[str] = ()) -> dict[str, int | None]:
    """Find the class that each folder's name stands for.

    Tried in this order: the class's exact name, its WordNet id (alone or before other text, as in
    ``n01440764_tench``), its index (0-based), its name regardless of case and of ``_``, ``-`` and blanks, and any of
    ImageNet's synonyms of it. If the classes have no ids, a folder's id stands for ImageNet's names of that class. A
    name that two classes share stands for neither.

    Args:
        folders: names of folders.
        class_names: the model's classes.
        wnids: their WordNet ids; empty if they have none.

    Returns:
        The index of each folder's class, or None.
    """
    exact = {name: index for index, name in enumerate(class_names)}
    by_wnid = {wnid.lower(): index for index, wnid in enumerate(wnids)}
    folded = _unambiguous((fold(name), index) for index, name in enumerate(class_names))
    synonyms: dict[str, int] = {}
    folders = list(folders)
    names_of: dict[str, tuple[str, ...]] = {}
    if any(_WNID.match(wnid) for wnid in [*wnids, *folders]):
        names_of = dict(zip(*_synsets(), strict=True))
        synonyms = _unambiguous(
            (fold(name), index) for index, wnid in enumerate(wnids) for name in names_of.get(wnid, ())
        )

    def class_of(folder: str) -> int | None:
        if folder in exact:
            return exact[folder]
        prefix = re.match(r"n\d{8}(?!\d)", folder, re.IGNORECASE)
        if prefix:
            wnid = prefix.group().lower()
            named = {folded[fold(name)] for name in names_of.get(wnid, ()) if fold(name) in folded and not wnids}
            return by_wnid.get(wnid, next(iter(named)) if len(named) == 1 else None)
        if folder.isascii() and folder.isdigit() and len(folder) < 10:
            return int(folder) if int(folder) < len(class_names) else None
        return folded.get(fold(folder), synonyms.get(fold(folder)))

    return {folder: class_of(folder) for folder in folders}


def fold(name: str) -> str:
    """A name in lower case, in Unicode's form NFKC, with each run of ``_ - , '`` and blanks as one blank."""
    return re.sub(r"[\s_\-,'’]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()


def _unambiguous(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """The index of each name that stands for one index only."""
    found: dict[str, set[int]] = {}
    for key, index in pairs:
        found.setdefault(key, set()).add(index)
    return {key: next(iter(indices)) for key, indices in found.items() if len(indices) == 1}
