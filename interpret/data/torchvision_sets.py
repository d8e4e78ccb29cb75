"""Torchvision's data sets of photos and classes, by name: ``torchvision/CIFAR10``, ``torchvision/Flowers102:test``.

One adapter serves every class of ``torchvision.datasets`` that needs nothing but a folder: its photos become class
folders in the cache, as links to its files where it has files, else as PNG. A process of its own does this once, since
torchvision prints while it downloads.
"""

import json
import re
import subprocess
from pathlib import Path

from interpret import own_processes
from interpret.data.downloads import Announce
from interpret.data.torchvision_writer import listing
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
        command = own_processes.command("interpret.data.torchvision_writer", name, split, str(downloaded), str(target))
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
    names: list[str] = json.loads(listing(target).read_text(encoding="utf-8"))
    return tuple(names)
