"""A study: its manifest, tables, arrays and photos, each checked when it is first read."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from PIL import Image

from interpret.config import ExtractConfig, MineConfig, ModelConfig, digest
from interpret.data.photos import open_photo
from interpret.data.preprocessing import Preprocessing
from interpret.data.roots import is_within
from interpret.errors import InputError
from interpret.progress import unheard
from interpret.study import reading
from interpret.study.derived import Derived
from interpret.study.digests import FileDigest, difference, read_list
from interpret.study.manifest import Counts, Manifest
from interpret.study.originals import PhotoPlace, Root, original, root_of
from interpret.study.schema import PACKED
from interpret.study.tables import Ranked, ranked_of

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Study:
    """An opened study: one model, layer, set of photos and configuration, and everything computed from them.

    Tables and arrays are read when they are first used.

    Attributes:
        folder: the study's folder.
        manifest: the content of `manifest.json`; other packages read it through the properties below.
        announce: called with one sentence where something kept in the folder is damaged and made again, or a GPU fails.
        roots: folders, resolved, that photos and the network's files may be read from; None for any.
        compute_on: the device that works on it (``auto``, ``cpu``, ``cuda`` or ``mps``); no result depends on it.
    """

    folder: Path
    manifest: dict[str, Any]
    announce: Callable[[str], None] = unheard
    roots: tuple[Path, ...] | None = None
    compute_on: str = "auto"

    @cached_property
    def recorded(self) -> Manifest:
        """What the manifest says, each field with its type."""
        return Manifest.read(self.manifest, finished="files" in self.manifest)

    @property
    def key(self) -> str:
        """Digest of everything that the extraction depends on."""
        return self.recorded.key

    @cached_property
    def identity(self) -> str:
        """Digest of the key and of the tables: what a result that is kept in the folder was made from.

        Raises:
            InputError: a table is missing; only where the manifest has no digests, as before version 3.
        """
        names = ["images.parquet", "patches.parquet", *(["contrast.parquet"] if self.has_contrast else [])]
        files = self.recorded.files
        if files is None:
            try:
                files = {name: FileDigest.of(self.folder / name) for name in names}
            except OSError as e:
                raise InputError(f"The file {e.filename} cannot be read ({e.strerror}); make the study again.") from e
        return digest(self.key, {name: files[name].digest for name in names})

    @property
    def files(self) -> dict[str, FileDigest]:
        """Size and digest of every file that the study consists of; none before version 3 of the manifest.

        Without a contrast its table is left out: the command ``contrast`` replaces it before it writes the manifest.
        """
        files = self.recorded.files or {}
        return {name: file for name, file in files.items() if self.has_contrast or name != "contrast.parquet"}

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def model(self) -> str:
        """The network's name."""
        return self.recorded.model

    @property
    def weights_digest(self) -> str:
        """Digest of the network's weights."""
        return self.recorded.weights_digest

    @property
    def weights_source(self) -> str:
        """Where the weights came from, in words."""
        return self.recorded.weights_source

    @property
    def wrapped_class(self) -> str | None:
        """The class of a network that was given from Python; None if the network was loaded by its name."""
        return self.recorded.given_from_python

    @property
    def precision(self) -> str:
        """The number type of the backbone, such as ``bfloat16``."""
        return self.recorded.precision

    @property
    def device(self) -> str:
        """The type of device that the study was made on, such as ``cpu``."""
        return self.recorded.device

    @property
    def created(self) -> str:
        """When the study was made: date and time in UTC, ISO 8601."""
        return self.recorded.created

    @property
    def counts(self) -> Counts:
        """How many photos, patches and the rest; counted now where an early manifest does not say."""
        return self.recorded.counts or self.counted()

    def counted(self) -> Counts:
        """The same, counted in the tables."""
        return Counts(
            images=len(self.images),
            patches=len(self.patches),
            skipped=len(self.skipped),
            images_without_patch=len(self.images) - int(self.patches["image_id"].nunique()),
            labelled=int(self.images["label"].notna().sum()),
            classes_predicted=int(self.images["predicted"].nunique()),
            contrast_patches=len(self.contrast),
        )

    @property
    def images_source(self) -> str:
        """The folder or the built-in set of photos, as it was given when the study was made."""
        return self.recorded.config.images

    @property
    def hold_out(self) -> float:
        """The fraction of each class's photos that was set aside and not mined; 0 where none was."""
        return self.recorded.config.hold_out or 0.0

    @property
    def class_names(self) -> list[str]:
        """Name of each of the model's C outputs."""
        return list(self.recorded.class_names)

    @property
    def layer(self) -> str:
        """The module whose output channels are the units."""
        return self.recorded.layer

    @property
    def n_units(self) -> int:
        """K, the number of units (count)."""
        return self.recorded.n_units

    @property
    def model_config(self) -> ModelConfig:
        """The model options that the study was made with."""
        return self.recorded.config.model

    @property
    def extract_config(self) -> ExtractConfig:
        """The extraction options that the study was made with."""
        return self.recorded.config.extract

    @property
    def mine_config(self) -> MineConfig:
        """The mining options that the study was first mined with."""
        return self.recorded.config.mine

    @property
    def preprocessing(self) -> Preprocessing:
        """How a photo becomes the network's input, and how boxes are mapped back."""
        return self.recorded.preprocessing

    @property
    def images_root(self) -> Root:
        """The folder that the photos' paths are relative to where the study was made, or the files that they are in."""
        return root_of(self.recorded.images_root)

    def same_photos(self, other: "Study") -> bool:
        """Whether two studies are of the very same photos, as fingerprints tell; version 0.9 has the former only."""
        one, two = self.recorded, other.recorded
        if one.former_fingerprint is not None and two.former_fingerprint is not None:
            return one.fingerprint == two.fingerprint
        return (one.former_fingerprint or one.fingerprint) == (two.former_fingerprint or two.fingerprint)

    @cached_property
    def images(self) -> pd.DataFrame:
        """One row per photo: image_id, path, width, height (pixels), label (null if unknown), predicted, confidence."""
        return reading.read_images(self.folder, self.recorded)

    @cached_property
    def patches(self) -> pd.DataFrame:
        """One row per patch: patch_id, image_id, x0, y0, x1, y1 (source pixels), mass, predicted, units, scores."""
        return reading.patch_frame(self._patch_table)

    @cached_property
    def _patch_table(self) -> pa.Table:
        return reading.read_patches(self.folder, self.recorded, self.images)

    @cached_property
    def skipped(self) -> pd.DataFrame:
        """One row per file that was not used: path, reason."""
        return reading.read_skipped(self.folder, self.recorded)

    @cached_property
    def features(self) -> npt.NDArray[np.float32]:
        """(n, K) float32 activations averaged over all spatial locations, memory-mapped."""
        return reading.read_array(self.folder, self.recorded, "features", len(self.images))

    @cached_property
    def cams(self) -> npt.NDArray[np.float16]:
        """(n, h, w) float16 Grad-CAM maps on the layer's grid, each divided by its maximum, memory-mapped."""
        return reading.read_array(self.folder, self.recorded, "cams", len(self.images))

    @cached_property
    def activations(self) -> npt.NDArray[np.float16] | None:
        """(n, K, h, w) float16 activations, memory-mapped; None if the head needs only the pooled features."""
        return reading.read_if_stored(self.folder, self.recorded, len(self.images), "activations")

    @cached_property
    def beside(self) -> npt.NDArray | None:
        """What the head reads beside the activations, memory-mapped, see ``ALWAYS`` in the schema; None if nothing."""
        return reading.read_if_stored(self.folder, self.recorded, len(self.images), "outside", "offset", "pixels")

    @property
    def has_contrast(self) -> bool:
        """Whether photos were explained for further classes too, so that findings can be tested."""
        return self.extract_config.contrast > 0

    @cached_property
    def contrast(self) -> pd.DataFrame:
        """One row a contrast patch: image_id, predicted, target, box (source pixels); none without a contrast."""
        return reading.read_contrast(self.folder, self.recorded, self.images)

    @cached_property
    def ranked(self) -> Ranked:
        """Units and scores of all patches, (P, stored units) each, best first, padded with ``PAD`` and 0."""
        return ranked_of(self._patch_table, self.extract_config.stored_units)

    @cached_property
    def ranked_contrast(self) -> Ranked:
        """The same for the contrast patches, in the order of :attr:`contrast`."""
        return reading.read_contrast_units(self.folder, self.recorded, len(self.contrast))

    @cached_property
    def copies(self) -> dict[str, FileDigest]:
        """Digests of the study's own copies of its photos, by file name; none where the list is absent or damaged."""
        try:
            return read_list(self.folder / PACKED)[0]
        except InputError:
            return {}

    def derived(self, key: tuple[Hashable, ...], make: Callable[[], T]) -> T:
        """What ``make`` gives, made once for each key; of a name, ``key[0]``, the last few are kept."""
        held: Derived = vars(self).setdefault("_derived", Derived())
        return cast(T, held.get(key, make))

    def photo_file(self, image_id: int) -> PhotoPlace | None:
        """The file of a photo: the study's own copy unless that is damaged, or the original; None if neither exists.

        Neither is taken from outside of :attr:`roots`, wherever paths and links in the study lead.
        """
        copy, name = self.folder / PACKED / f"{image_id}.jpg", str(self.images["path"].iloc[image_id])
        listed = self.copies.get(copy.name)
        if copy.is_file() and is_within(copy, self.roots) and (listed is None or difference(copy, listed) is None):
            return copy
        return original(self.images_root, name, self.roots)

    def photo(self, image_id: int) -> Image.Image | None:
        """A photo as upright RGB; None if its file does not exist or cannot be read.

        A packed copy may be smaller than the original; boxes are in pixels of the recorded width and height.
        """
        file = self.photo_file(image_id)
        try:
            return None if file is None else open_photo(file)
        except InputError:
            return None

    def accuracy(self) -> tuple[float, int] | None:
        """Accuracy (fraction) on the photos with a label, and their number; None if no photo has one."""
        known = self.images[self.images["label"].notna()]
        if known.empty:
            return None
        return float((known["label"].astype(int) == known["predicted"]).mean()), len(known)
