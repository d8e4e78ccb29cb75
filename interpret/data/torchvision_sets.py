"""Torchvision's data sets of photos and classes, by name: ``torchvision/CIFAR10``, ``torchvision/Flowers102:test``.

One adapter serves every class of ``torchvision.datasets`` that needs nothing but a folder: its photos become class
folders in the cache, as links to its files where it has files, else as PNG. A process of its own does this once, since
torchvision prints while it downloads.

    python -m interpret.data.torchvision_sets NAME SPLIT DOWNLOADED TARGET
"""

import contextlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from interpret import own_processes
from interpret.data.downloads import Announce
from interpret.errors import InputError
from interpret.files import cache_dir

PREFIX = "torchvision/"

SIZES = {
    "cifar10": "170 MB",
    "cifar100": "170 MB",
    "stl10": "2.6 GB",
    "flowers102": "350 MB",
    "oxfordiiitpet": "800 MB",
    "food101": "5 GB",
    "imagenette": "1.6 GB",
    "eurosat": "90 MB",
    "gtsrb": "700 MB",
    "dtd": "630 MB",
    "svhn": "180 MB",
}
"""What torchvision downloads of the usual ones, train and test together where it downloads them together."""

USUAL = {
    "CIFAR10": ("train", "test"),
    "CIFAR100": ("train", "test"),
    "STL10": ("train", "test"),
    "Flowers102": ("train", "val", "test"),
    "OxfordIIITPet": ("trainval", "test"),
    "Food101": ("train", "test"),
    "Imagenette": ("train", "val"),
    "ImageNet": ("train", "val"),
}
"""Sets that a menu offers, and their splits; every other one that fits is taken by its name."""

_SAMPLES = 24
"""Photos whose file or label is compared with what the set itself gives (count)."""

_SPLIT = re.compile(r"[\w.-]*")


def is_named(source: str | Path) -> bool:
    """Whether ``--images`` or ``--class-names`` names a set of torchvision."""
    return str(source).startswith(PREFIX)


def folder(source: str, announce: Announce | None = None) -> Path:
    """The class folders of a set, made in the cache unless they are there already.

    Args:
        source: :data:`PREFIX`, the class's name in any case, and after a colon the split; the class's own default, or
            the training photos, if none is given.
        announce: called with one line before a download starts.

    Raises:
        InputError: there is no such set or split, or it can neither be found nor downloaded.
    """
    name, _, split = source.removeprefix(PREFIX).partition(":")
    if not name.isidentifier() or not _SPLIT.fullmatch(split):
        raise InputError(f"{source!r} names no data set of torchvision; write it like {PREFIX}CIFAR10:test.")
    target = cache_dir() / "torchvision-sets" / f"{name.lower()}-{split or 'default'}"
    if not target.is_dir():
        downloaded = cache_dir() / "torchvision"
        if announce is not None:
            size = SIZES.get(name.lower(), "of a size that torchvision does not say")
            announce(f"preparing {source} from {downloaded}; what is not there is downloaded ({size})")
        command = own_processes.command("interpret.data.torchvision_sets", name, split, str(downloaded), str(target))
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=own_processes.environment(), check=False
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
            raise InputError(said or f"{source} could not be prepared (exit status {done.returncode}).")
    return target.resolve()


def class_names(source: str, announce: Announce | None = None) -> tuple[str, ...]:
    """The names of a set's classes in the order of its labels, as :func:`folder` takes it and raises."""
    target = folder(source, announce)
    names: list[str] = json.loads(_listing(target).read_text(encoding="utf-8"))
    return tuple(names)


def _listing(target: Path) -> Path:
    return target.with_name(f"{target.name}.json")


def prepare(name: str, split: str, downloaded: Path, target: Path) -> None:
    """Write a set's photos as class folders, and its classes beside them; both under other names first.

    Args:
        name: the class's name, in any case.
        split: empty for the class's default.
        downloaded: where torchvision looks for the set, and downloads it to.
        target: the folder to make.

    Raises:
        InputError: see :func:`folder`.
    """
    found = _opened(name, split, downloaded)
    files, labels = _files_of(found), _labels_of(found)
    names = _names_of(found, labels)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as work:
        made = Path(work) / "photos"
        for class_name in names:
            (made / class_name).mkdir(parents=True, exist_ok=True)
        for index, label in enumerate(labels):
            place = (made / names[label] if label >= 0 else made) / f"{index:06d}"  # -1: photos without a label
            if files is not None:
                _link(files[index], place.with_suffix(files[index].suffix.lower()))
            else:
                _picture(found[index][0], name).save(place.with_suffix(".png"), compress_level=1)
        for class_name in names:  # of classes that this split has no photo of
            with contextlib.suppress(OSError):
                (made / class_name).rmdir()
        listing = Path(work) / "classes.json"
        listing.write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
        listing.replace(_listing(target))
        if not target.is_dir():  # else another process made it meanwhile
            made.replace(target)


def _opened(name: str, split: str, downloaded: Path) -> Any:
    """The data set, from what lies in a folder, else after its download."""
    import torchvision.datasets as sets

    known = {each.lower(): each for each in sets.__all__ if _fits(getattr(sets, each))}
    if name.lower() not in known:
        raise InputError(f"torchvision has no set {name!r} of photos with classes; it has {', '.join(known.values())}.")
    made = getattr(sets, known[name.lower()])
    takes = inspect.signature(made).parameters
    options: dict[str, Any] = {"root": str(downloaded)} if "root" in takes else {}
    if split and "split" in takes:
        options["split"] = split
    elif split and "train" in takes and split in ("train", "test"):
        options["train"] = split == "train"
    elif split:
        raise InputError(f"{made.__name__} has no split {split!r}; " + _splits(takes))
    downloaded.mkdir(parents=True, exist_ok=True)
    try:
        return made(**options)
    except ValueError as error:
        said = re.search(r"Valid values are [({](.*?)[)}]", str(error))
        has = f"it has {said.group(1)}" if said else str(error)
        raise InputError(f"{made.__name__} has no split {split!r}; {has}.") from None
    except (RuntimeError, OSError) as error:  # it is not there, or not whole
        fault = error
    if "download" in takes:
        try:
            return made(**options, download=True)
        except (RuntimeError, OSError) as error:
            fault = error
    reason = (str(fault).strip().splitlines() or [type(fault).__name__])[0].rstrip(".")
    raise InputError(
        f"{made.__name__} is not in {downloaded} and could not be downloaded ({reason}); put the files there that "
        "torchvision's documentation names for it."
    )


def _fits(made: Any) -> bool:
    """Whether a class of torchvision can be made from a folder alone, and is not a general reader of folders."""
    if not inspect.isclass(made) or made.__name__ in ("ImageFolder", "DatasetFolder", "VisionDataset"):
        return False
    if made.__name__.startswith("Wrapped"):
        return False
    needed = {
        parameter.name
        for parameter in inspect.signature(made).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    }
    return needed <= {"root"}


def _splits(takes: Any) -> str:
    return "it has train and test." if "train" in takes else "it has one only."


def _files_of(found: Any) -> list[Path] | None:
    """(n,) the photos' files, from whichever attribute lists them; None where the set holds pixels.

    A list counts if it is as long as the set, and some of its files hold what the set gives for them.
    """
    for value in vars(found).values():
        if not isinstance(value, (list, tuple)) or len(value) != len(found) or not len(value):
            continue
        first = [each[0] if isinstance(each, tuple) else each for each in value]
        if not all(isinstance(each, (str, os.PathLike)) for each in first):
            continue
        paths = [Path(each) for each in first]
        if all(path.is_file() for path in paths) and all(_same(found, index, paths[index]) for index in _some(found)):
            return paths
    return None


def _same(found: Any, index: int, path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path) as picture:
            given = _picture(found[index][0], str(path))
            return picture.convert("RGB").tobytes() == given.convert("RGB").tobytes()
    except OSError:
        return False


def _labels_of(found: Any) -> list[int]:
    """(n,) the labels: from an attribute that agrees with what the set gives for some photos, else photo by photo."""
    expected = {index: _label(found[index][1]) for index in _some(found)}
    for value in vars(found).values():
        try:
            listed = [_label(each[1] if isinstance(each, tuple) else each) for each in value]
        except (TypeError, ValueError, IndexError, RuntimeError, InputError):
            continue
        if len(listed) == len(found) and all(listed[index] == label for index, label in expected.items()):
            return listed
    return [_label(found[index][1]) for index in range(len(found))]


def _label(given: Any) -> int:
    if isinstance(given, (str, bytes, Path)) or not hasattr(given, "__index__"):
        raise InputError(
            f"Its labels are no numbers of classes ({type(given).__name__}), so it has no classes to find."
        )
    return int(given)


def _some(found: Any) -> Sequence[int]:
    """Indices of some photos, spread over the set."""
    count = min(_SAMPLES, len(found))
    return [index * len(found) // count for index in range(count)]


def _names_of(found: Any, labels: Sequence[int]) -> list[str]:
    """A folder name for each class, all different: its WordNet id, else its name, else its number."""
    count = max(labels, default=-1) + 1
    classes = getattr(found, "classes", None)
    wnids = getattr(found, "wnids", None)
    if isinstance(wnids, (list, tuple)) and len(wnids) >= count:
        return [str(wnid) for wnid in wnids]
    if isinstance(classes, (list, tuple)) and len(classes) >= count:
        names = [str(each[0] if isinstance(each, tuple) else each) for each in classes]
        plain = [re.sub(r"[/\\\0]", "-", name).strip(" .") for name in names]
        if all(plain) and len({name.casefold() for name in plain}) == len(plain):
            return plain
    return [f"class {label}" for label in range(count)]


def _picture(given: Any, name: str) -> Any:
    from PIL import Image

    if not isinstance(given, Image.Image):
        raise InputError(f"{name} gives no pictures but {type(given).__name__}, so nothing in it can be explained.")
    return given


def _link(file: Path, place: Path) -> None:
    try:
        os.link(file.resolve(), place)
    except OSError:  # another disk, or none with links
        shutil.copyfile(file, place)


def main(arguments: Sequence[str]) -> int:
    """Prepare a set as a program; the last line on standard error says what does not fit."""
    name, split, downloaded, target = arguments
    try:
        prepare(name, split, Path(downloaded), Path(target))
    except InputError as error:
        sys.stderr.write(f"\n{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"\n{target} cannot be written ({error.strerror or error}).\n")
        return 2
    except Exception as error:  # whatever torchvision meets in the files of so many sets
        reason = (str(error).strip().splitlines() or ["no message"])[0][:160].rstrip(".")
        sys.stderr.write(f"\ntorchvision's {name} cannot be read ({type(error).__name__}: {reason}).\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
