"""Where part masks come from: the demo draws its own; any other data set brings a folder of them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret.config import digest
from interpret.data.fingerprints import combined, read_print
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError

Bits = NDArray[np.bool_]


class Masks(Protocol):
    """Part masks of a set of photos.

    Attributes:
        parts: every part's name.
        class_parts: class name -> its parts; None where they are taken from the photos (see
            :func:`interpret.dissection.verdicts.parts_of_classes`).
    """

    parts: tuple[str, ...]
    class_parts: Mapping[str, Sequence[str]] | None

    def of(self, name: str) -> Mapping[str, Bits]:
        """The masks of the photo called ``name``: part -> (height, width) bool in the photo's pixels."""
        ...


class DemoMasks:
    """The masks of the embedded demo's drawings, drawn again from their names."""

    def __init__(self) -> None:
        from interpret.demo.parts import CLASS_PARTS, PARTS

        self.parts: tuple[str, ...] = PARTS
        self.class_parts: Mapping[str, Sequence[str]] | None = CLASS_PARTS

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with the drawings and the table of parts."""
        from interpret.demo import VERSION

        return digest("demo", VERSION, self.parts, self.class_parts)

    def of(self, name: str) -> Mapping[str, Bits]:
        """The masks of a drawing."""
        from interpret.demo import masks_for

        return masks_for(name)


class FolderMasks:
    """Masks in a folder that mirrors the photos' folder.

    The photo ``Dog/rex.jpg`` has its masks in ``Dog/rex/``: one PNG a part, called as the part, such as ``tail.png``,
    as large as the photo and lighter than mid-grey where the part is. A part that cannot be seen needs no file.

    Raises:
        InputError: the folder does not exist or holds no PNG.
    """

    def __init__(self, root: str | Path) -> None:
        self._root = Path(root)
        if not self._root.is_dir():
            raise InputError(f"There is no folder {self._root} with part masks.")
        self.parts: tuple[str, ...] = tuple(sorted({path.stem for path in self._root.rglob("*.png")}))
        self.class_parts: Mapping[str, Sequence[str]] | None = None
        if not self.parts:
            raise InputError(
                f"{self._root} holds no masks; put those of Dog/rex.jpg into Dog/rex/, one PNG a part such as tail.png."
            )

    def fingerprint(self) -> str:
        """16 hexadecimal digits that change when a mask is added, removed, renamed or edited.

        Raises:
            InputError: a mask cannot be read.
        """
        prints = []
        for path in sorted(self._root.rglob("*.png")):
            name = os.fsencode(path.relative_to(self._root).as_posix()).decode("utf-8", "backslashreplace")
            try:
                state, digests = read_print(name, path)
            except OSError as error:
                raise _unreadable(path) from error
            prints.append((state.name, state.size, digests.content))
        return combined(prints)

    def of(self, name: str) -> Mapping[str, Bits]:
        """The masks of a photo; none where it has no folder.

        Raises:
            InputError: a mask cannot be read as an image.
        """
        found: dict[str, Bits] = {}
        for path in sorted((self._root / name).with_suffix("").glob("*.png")):
            try:
                with Image.open(path) as image:
                    found[path.stem] = np.asarray(image.convert("L")) >= 128
            except OSError as error:
                raise _unreadable(path) from error
        return found


def _unreadable(path: Path) -> InputError:
    return InputError(f"The mask {path} cannot be read as an image; replace it or remove it.")


def as_seen(found: Mapping[str, Bits], preprocessing: Preprocessing) -> dict[str, Bits]:
    """Masks of a photo, scaled and cropped like the photo: part -> (H, W) bool in pixels of the network's input."""
    seen: dict[str, Bits] = {}
    for part, mask in found.items():
        if mask.shape == preprocessing.size and preprocessing.geometry(mask.shape[::-1])[2:] == (0, 0):
            seen[part] = mask
        else:
            grey = Image.fromarray(mask.astype(np.uint8) * 255).convert("RGB")
            seen[part] = preprocessing.apply(grey)[..., 0] >= 128
    return seen
