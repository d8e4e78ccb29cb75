"""A study opened from its folder: its manifest, tables, arrays and photos."""

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from interpret.config import ExtractConfig, MineConfig, ModelConfig
from interpret.data.photos import open_photo
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.study.schema import CONTRAST, PACKED, READABLE
from interpret.study.tables import read_ranked

_CONTRAST_COLUMNS = ("image_id", "predicted", "target", "x0", "y0", "x1", "y1")
_REQUIRED = (
    "key", "model", "weights_digest", "layer", "n_units", "class_names", "preprocessing", "images_root",
    "model_config", "extract_config", "mine_config",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Study:
    """An opened study: one model, layer, set of photos and configuration, and everything computed from them.

    Tables and arrays are read when they are first used.

    Attributes:
        folder: the study's folder.
        manifest: the content of `manifest.json`; other packages read it through the properties below.
    """

    folder: Path
    manifest: dict[str, Any]

    @property
    def key(self) -> str:
        """Digest of everything that the extraction depends on."""
        return str(self.manifest["key"])

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def model(self) -> str:
        """The network's name."""
        return str(self.manifest["model"])

    @property
    def weights_digest(self) -> str:
        """Digest of the network's weights."""
        return str(self.manifest["weights"]["digest"])

    @property
    def weights_source(self) -> str:
        """Where the weights came from, in words."""
        return str(self.manifest["weights"]["source"])

    @property
    def wrapped_class(self) -> str | None:
        """The class of a network that was given from Python; None if the network was loaded by its name."""
        if "wrapped" in self.manifest:
            return str(self.manifest["network_class"]) if self.manifest["wrapped"] else None
        # a study of version 0.9 states it only in the line on the weights
        stated = re.fullmatch(r"a (\S+) given from Python", self.weights_source)
        return stated[1] if stated else None

    @property
    def precision(self) -> str:
        """The number type of the backbone, such as ``bfloat16``."""
        return str(self.manifest["precision"])

    @property
    def device(self) -> str:
        """The type of device that the study was made on, such as ``cpu``."""
        return str(self.manifest["device"])

    @property
    def created(self) -> str:
        """When the study was made: date and time in UTC, ISO 8601."""
        return str(self.manifest["created"])

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of images, patches, skipped, images_without_patch, labelled and classes_predicted (counts)."""
        return dict(self.manifest["counts"])

    @property
    def images_source(self) -> str:
        """The folder or the built-in set of photos, as it was given when the study was made."""
        return str(self.manifest["config"]["images"])

    @property
    def class_names(self) -> list[str]:
        """Name of each of the model's C outputs."""
        return list(self.manifest["class_names"])

    @property
    def layer(self) -> str:
        """The module whose output channels are the units."""
        return str(self.manifest["layer"])

    @property
    def n_units(self) -> int:
        """K, the number of units (count)."""
        return int(self.manifest["n_units"])

    @property
    def model_config(self) -> ModelConfig:
        """The model options that the study was made with."""
        return ModelConfig(**self.manifest["config"]["model"])

    @property
    def extract_config(self) -> ExtractConfig:
        """The extraction options that the study was made with."""
        return ExtractConfig(**{"contrast": 0, **self.manifest["config"]["extract"]})

    @property
    def mine_config(self) -> MineConfig:
        """The mining options that the study was first mined with."""
        return MineConfig(**self.manifest["config"]["mine"])

    @property
    def preprocessing(self) -> Preprocessing:
        """How a photo becomes the network's input, and how boxes are mapped back."""
        return Preprocessing.from_dict(self.manifest["preprocessing"])

    @property
    def images_root(self) -> Path:
        """The folder that the photos' paths are relative to, on the machine where the study was made."""
        return Path(self.manifest["images_root"])

    def same_photos(self, other: "Study") -> bool:
        """Whether two studies are of the very same photos, as far as their fingerprints tell."""
        manifests = (self.manifest, other.manifest)
        if all("former_fingerprint" in manifest for manifest in manifests):
            mine, theirs = (manifest["fingerprint"] for manifest in manifests)
        else:  # version 0.9 recorded the former fingerprint only
            mine, theirs = (manifest.get("former_fingerprint", manifest["fingerprint"]) for manifest in manifests)
        return bool(mine == theirs)

    @cached_property
    def images(self) -> pd.DataFrame:
        """One row per photo: image_id, path, width, height (pixels), label (null if unknown), predicted, confidence."""
        frame = self._table("images")
        return frame.astype({"label": "Int32"})

    @cached_property
    def patches(self) -> pd.DataFrame:
        """One row per patch: patch_id, image_id, x0, y0, x1, y1 (source pixels), mass, predicted, units, scores."""
        return self._table("patches")

    @cached_property
    def skipped(self) -> pd.DataFrame:
        """One row per file that was not used: path, reason."""
        return self._table("skipped")

    @cached_property
    def features(self) -> npt.NDArray[np.float32]:
        """(n, K) float32 activations averaged over all spatial locations, memory-mapped."""
        return self._array("features")

    @cached_property
    def cams(self) -> npt.NDArray[np.float16]:
        """(n, h, w) float16 Grad-CAM maps on the layer's grid, each divided by its maximum, memory-mapped."""
        return self._array("cams")

    @cached_property
    def activations(self) -> npt.NDArray[np.float16] | None:
        """(n, K, h, w) float16 activations, memory-mapped; None if the head needs only the pooled features."""
        return self._array("activations") if (self.folder / "activations.npy").exists() else None

    @property
    def has_contrast(self) -> bool:
        """Whether photos were explained for further classes too, so that findings can be tested."""
        return self.extract_config.contrast > 0

    @cached_property
    def contrast(self) -> pd.DataFrame:
        """One row a contrast patch: image_id, predicted, target, box (source pixels); none without a contrast."""
        if not self.has_contrast:
            return CONTRAST.empty_table().select(list(_CONTRAST_COLUMNS)).to_pandas()
        with self._readable("contrast"):
            return pq.read_table(self.folder / "contrast.parquet", columns=list(_CONTRAST_COLUMNS)).to_pandas()

    @cached_property
    def ranked(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Units and scores of all patches, (P, stored units) each, best first, padded with ``PAD`` and 0."""
        return self._ranked("patches")

    @cached_property
    def ranked_contrast(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """The same for the contrast patches, in the order of :attr:`contrast`."""
        shape = (0, self.extract_config.stored_units)
        return (
            self._ranked("contrast") if self.has_contrast else (np.zeros(shape, np.int32), np.zeros(shape, np.float32))
        )

    def _ranked(self, name: str) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        with self._readable(name):
            return read_ranked(self.folder / f"{name}.parquet", self.extract_config.stored_units)

    def photo_path(self, image_id: int) -> Path | None:
        """The file of a photo: the study's own copy, or the original; None if neither exists."""
        name = str(self.images["path"].iloc[image_id])
        for path in (self.folder / PACKED / f"{image_id}.jpg", self.images_root / name):
            if path.is_file():
                return path
        return None

    def photo(self, image_id: int) -> Image.Image | None:
        """A photo as upright RGB; None if its file does not exist or cannot be read.

        A packed copy may be smaller than the original; boxes are in pixels of the recorded width and height.
        """
        path = self.photo_path(image_id)
        if path is None:
            return None
        try:
            return open_photo(path)
        except InputError:
            return None

    def accuracy(self) -> tuple[float, int] | None:
        """Accuracy (fraction) on the photos with a label, and their number; None if no photo has one."""
        known = self.images[self.images["label"].notna()]
        if known.empty:
            return None
        return float((known["label"].astype(int) == known["predicted"]).mean()), len(known)

    def _table(self, name: str) -> pd.DataFrame:
        with self._readable(name):
            return pq.read_table(self.folder / f"{name}.parquet").to_pandas()

    def _array(self, name: str) -> Any:
        with self._readable(name):
            return np.load(self.folder / f"{name}.npy", mmap_mode="r")

    @contextlib.contextmanager
    def _readable(self, name: str) -> Iterator[None]:
        """Raise :class:`InputError` if a file is missing or damaged."""
        try:
            yield
        except (OSError, ValueError, pa.ArrowException) as error:
            raise InputError(f"The {name} of the study {self.folder} are missing or damaged; make it again.") from error


def open_study(folder: str | Path) -> Study:
    """Open the study in ``folder``.

    Raises:
        InputError: there is none, it is unfinished or damaged, or it has another version of the format.
    """
    folder = Path(folder)
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        partial = folder.with_name(folder.name + ".partial")
        if partial.is_dir():
            raise InputError(f"The study {folder} is unfinished; run the same command again to complete it.")
        what = "is not a study (it has no manifest.json)" if folder.exists() else "does not exist"
        raise InputError(f"{folder} {what}; make a study with `unitscope run`.")
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
        version = content["schema_version"]
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"The file {manifest} is damaged; make the study again.") from error
    if version not in READABLE:
        raise InputError(
            f"The study {folder} was written in format {version} and this version reads formats 1 to {READABLE[-1]}; "
            "make it again."
        )
    study = Study(folder, content)
    try:
        for name in _REQUIRED:
            getattr(study, name)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"The file {manifest} is damaged; make the study again.") from error
    return study
