"""Where part masks come from: the demo draws its own; any other data set brings a folder of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError

Bits = NDArray[np.bool_]


class Masks(Protocol):
    """Part masks of a set of photos.

    Attributes:
        parts: every part's name.
        class_parts: class name -> its parts; None where only the photos tell (see
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
                raise InputError(f"The mask {path} cannot be read as an image; replace it or remove it.") from error
        return found


def as_seen(found: Mapping[str, Bits], preprocessing: Preprocessing) -> dict[str, Bits]:
    """Masks over a photo brought to the network's view of it: (H, W) of its input."""
    seen: dict[str, Bits] = {}
    for part, mask in found.items():
        if mask.shape == preprocessing.size and preprocessing.geometry(mask.shape[::-1])[2:] == (0, 0):
            seen[part] = mask
        else:
            grey = Image.fromarray(mask.astype(np.uint8) * 255).convert("RGB")
            seen[part] = preprocessing.apply(grey)[..., 0] >= 128
    return seen
