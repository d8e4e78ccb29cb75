"""The embedded demo: drawings of ten classes whose parts are known, and a small network trained on them.

Importing this package is cheap: drawing and the network are imported when they are used.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from interpret import own_processes
from interpret.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["COUNTS", "VERSION", "draw_images", "masks_for", "name_of", "photos"]

VERSION = 2  # raised when a drawing changes, so that no older image is read from the cache
COUNTS = {"train": 800, "val": 500, **{f"test{number}": 500 for number in range(1, 6)}}  # images per split
LEAST = 50  # images that are worth another process, which takes half a second to start


def name_of(index: int, split: str) -> str:
    """The file name of a drawing within its split's folder, such as ``Dog/val-00011.png``."""
    from interpret.demo.parts import CLASS_NAMES

    return f"{CLASS_NAMES[index % len(CLASS_NAMES)]}/{split}-{index:05d}.png"


def photos(
    split: str = "train",
    announce: Callable[[str], None] | None = None,
    count: int | None = None,
    *,
    drawn: Callable[[int, int], None] | None = None,
) -> Path:
    """The folder of a split of the demo data set, drawn into the cache folder unless it is there already.

    Args:
        split: ``"train"`` (images that the network was trained on), ``"val"`` (held out), or one of five test splits,
            ``"test1"`` to ``"test5"`` (held out too, and not looked at when drawings, network or options were chosen).
        announce: called with one line after every 100 images.
        count: number of images, spread evenly over the classes; ``COUNTS`` of the split if None.
        drawn: called again and again with how many images are drawn, and how many there will be.

    Returns:
        A folder of class folders of PNG files, 112 x 112 pixels.

    Raises:
        InputError: the split is unknown, or the cache folder cannot be written.
    """
    from interpret.files import cache_dir

    if split not in COUNTS:
        raise InputError(f"The demo has no split {split!r}; choose one of {', '.join(COUNTS)}.")
    count = COUNTS[split] if count is None else count
    folder = cache_dir() / f"demo-{VERSION}" / (split if count == COUNTS[split] else f"{split}-{count}")
    if folder.is_dir():
        return folder
    try:
        _draw_all(folder, split, count, announce or (lambda line: None), drawn or (lambda done, total: None))
    except OSError as error:
        raise InputError(
            f"The demo's images cannot be written to {folder} ({error.strerror}); "
            "set UNITSCOPE_CACHE to a folder that can be written to."
        ) from error
    return folder


def _draw_all(
    folder: Path, split: str, count: int, announce: Callable[[str], None], drawn: Callable[[int, int], None]
) -> None:
    """Draw into a temporary folder beside ``folder``, then rename it: a killed run leaves no partial folder.

    Drawing is Python's work, which threads do not speed up, so other processes draw a part each. They are started as
    commands, since a script that calls this need not be written for processes that import it again.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".drawing-") as temporary:
        target = Path(temporary) / "images"
        parts = min(4, os.cpu_count() or 1, -(-count // LEAST))
        workers = [_start_worker(target, split, count) for _ in range(1, parts)]
        said = 0
        try:
            for index, _ in draw_images(target, split, range(count)):
                drawn(index, count)
                if index // 100 > said // 100:
                    announce(f"drawing the demo's images: {index} of {count}")
                    said = index
            failed = sum(worker.wait() != 0 for worker in workers)  # all are waited for
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        if failed:  # it may have left an image half written
            for index in range(count):
                _draw(target, split, index, "wb")
        drawn(count, count)
        announce(f"drawing the demo's images: {count} of {count}")
        try:
            target.rename(folder)
        except OSError:
            if not folder.is_dir():  # another process has drawn the same images meanwhile
                raise


def draw_images(target: Path, split: str, indices: range) -> Iterator[tuple[int, Path]]:
    """Draw images of a split into class folders below ``target``, but for those that are there.

    Several processes may draw the same images: each takes the next that none has begun, so that they end together
    however fast each is.

    Yields:
        The index and the file of each image that was drawn here, in order.
    """
    for index in indices:
        try:
            yield index, _draw(target, split, index, "xb")
        except FileExistsError:
            continue


def _draw(target: Path, split: str, index: int, mode: str) -> Path:
    """Draw one image into its file, opened as ``mode`` says."""
    from PIL import Image

    from interpret.demo.draw import sample

    path = target / name_of(index, split)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open(mode) as file:
        Image.fromarray(sample(index, split).image).save(file, "PNG", compress_level=1)
    return path


def _start_worker(target: Path, split: str, count: int) -> "subprocess.Popen[bytes]":
    """Start a process that draws what others leave of the first images of a split."""
    command = own_processes.command("interpret.demo", "draw", str(target), split, str(count))
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=nowhere, stdout=nowhere, stderr=nowhere, env=own_processes.environment())


def masks_for(name: str) -> "dict[str, NDArray[np.bool_]]":
    """The part masks of a drawing, which is drawn again from its file name.

    Args:
        name: a name from :func:`name_of`; folders before the file name are ignored.

    Returns:
        Part name -> (112, 112) bool, the part's visible pixels; only visible parts.

    Raises:
        InputError: the name is not that of a drawing.
    """
    from interpret.demo.draw import SPLITS, sample

    split, _, digits = Path(name).stem.partition("-")
    if split not in SPLITS or not digits.isdecimal():
        raise InputError(f"{name} is not an image of the demo; names look like {name_of(11, 'val')}.")
    return sample(int(digits), split).masks
