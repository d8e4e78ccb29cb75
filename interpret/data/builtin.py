"""Built-in sets of photos, which are downloaded, copied or rendered into the cache once; and plain folders."""

import importlib.util
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from interpret.data import torchvision_sets
from interpret.data.downloads import Announce, fetch
from interpret.data.photos import plain
from interpret.errors import InputError
from interpret.files import cache_dir

# Name and description, as the dashboard and the help of the command line list them.
BUILT_IN = {
    "demo": "the embedded demo's training pictures, rendered once",
    "demo-val": "the embedded demo's other pictures",
    "skimage": "photos that come with scikit-image",
    "imagenette": "torchvision's Imagenette, training split (ten ImageNet classes, 340 MB download)",
    "imagenette-val": "torchvision's Imagenette, validation split",
}

DRAWN = ("demo", "demo-val")
"""Those that are drawn."""

# The photographs in scikit-image's package; its other images are drawings and masks, or would be downloaded.
SKIMAGE_PHOTOS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "clock_motion.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "moon.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)
# Address and MD5 of the 320-pixel archive, as torchvision.datasets.Imagenette has them.
IMAGENETTE = ("https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-320.tgz", "3df6f0d01a2c9592104656642f5e78a3")


def is_builtin(source: str | Path) -> bool:
    """Whether a source is a built-in set or one of torchvision's, and not a folder."""
    return str(source) in BUILT_IN or torchvision_sets.is_named(source)


def folder(source: str | Path, announce: Announce | None = None) -> Path:
    """The absolute path of a source's folder; a built-in set that is not in the cache yet is made.

    A folder with the name of a built-in set is reached by ``./`` before its name.

    Args:
        source: a folder, one of :data:`BUILT_IN`, or a set of torchvision (:mod:`interpret.data.torchvision_sets`).
        announce: called with one line before a download or a rendering starts.

    Raises:
        InputError: there is no such folder, or a built-in set cannot be made.
    """
    if isinstance(source, str) and torchvision_sets.is_named(source):
        return torchvision_sets.folder(source, announce)
    if isinstance(source, str) and source in BUILT_IN:
        try:
            if source == "skimage":
                return _skimage()
            if source.startswith("imagenette"):
                return _imagenette("val" if source.endswith("-val") else "train", announce)
            return drawings(source, announce)
        except OSError as error:
            raise InputError(
                f"The photos of {source!r} cannot be written to {cache_dir()} ({plain(error)}); "
                "set UNITSCOPE_CACHE to a folder that can be written to."
            ) from None
    try:
        path = Path(source).expanduser().resolve()
        if path.is_dir():
            return path
        fault = "is a file, not a folder" if path.exists() else "does not exist"
    except (OSError, RuntimeError, ValueError) as error:
        fault = f"cannot be opened ({plain(error)})"
    raise InputError(
        f"The folder {str(source)!r} {fault}; give a folder of photos, torchvision/NAME, or one of "
        f"{', '.join(BUILT_IN)}."
    )


def drawings(source: str, announce: Announce | None = None, drawn: Callable[[int, int], None] | None = None) -> Path:
    """The folder of the embedded demo's pictures, ``demo`` or ``demo-val``; see :func:`interpret.demo.photos`."""
    from interpret import demo

    return demo.photos("val" if source.endswith("-val") else "train", announce, drawn=drawn).resolve()


def _skimage() -> Path:
    """Copy scikit-image's photos into one flat folder of the cache."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise InputError("scikit-image's photos need a package that is not installed; run `pip install scikit-image`.")
    data = Path(spec.origin).parent / "data"
    files = [data / name for name in SKIMAGE_PHOTOS if (data / name).is_file()]
    if not files:
        raise InputError(f"The installed scikit-image has no photos in {data}; give a folder instead.")
    target = cache_dir() / "skimage"
    target.mkdir(parents=True, exist_ok=True)
    for file in files:
        copy = target / file.name
        if not copy.is_file() or copy.read_bytes() != file.read_bytes():
            # written under another name and renamed, so that an interrupted copy leaves no half photo
            handle, name = tempfile.mkstemp(prefix=".", dir=target)
            os.close(handle)
            shutil.copyfile(file, name)
            Path(name).chmod(0o644)
            Path(name).replace(copy)
    return target.resolve()


def _imagenette(split: str, announce: Announce | None) -> Path:
    """Download and unpack torchvision's Imagenette (320 pixels on the shorter side)."""
    url, checksum = IMAGENETTE
    base = cache_dir() / "imagenette"
    unpacked = base / Path(url).stem
    if not (unpacked / split).is_dir():
        archive = fetch(
            url, base / Path(url).name, checksum=checksum, algorithm="md5", size="340 MB", announce=announce
        )
        with tempfile.TemporaryDirectory(prefix=".", dir=base) as work:
            try:
                with tarfile.open(archive) as tar:
                    tar.extractall(work, filter="data")
            except tarfile.TarError as error:
                raise InputError(f"{archive} cannot be unpacked ({plain(error)}); delete it and try again.") from None
            if not unpacked.is_dir():  # else another process unpacked it meanwhile
                (Path(work) / unpacked.name).replace(unpacked)
        archive.unlink(missing_ok=True)
    return (unpacked / split).resolve()
