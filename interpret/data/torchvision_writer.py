"""A data set of torchvision written as class folders; run as a program, since torchvision prints while it downloads.

python -m interpret.data.torchvision_writer NAME SPLIT DOWNLOADED TARGET
"""

import contextlib
import inspect
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from interpret.errors import InputError

_SAMPLES = 24
"""Photos whose file or label is compared with what the set itself gives (count)."""


def listing(target: Path) -> Path:
    """The file beside a set's folder that names its classes in the order of its labels."""
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
        classes = Path(work) / "classes.json"
        classes.write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
        classes.replace(listing(target))
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
