"""The patches of a pair's photos, each photo explained for A and for B: from what is stored, or explained on demand."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from interpret.config import digest
from interpret.confusion.pairs import Pair
from interpret.errors import InputError
from interpret.explanation.contrast_classes import EVERY_CLASS
from interpret.explanation.further import explain_further
from interpret.files import new_folder
from interpret.mining.ranked_units import Ranked
from interpret.models import Classifier
from interpret.progress import Callback, silent
from interpret.study import Study, digests
from interpret.study.results import made_from
from interpret.study.schema import SCHEMA_VERSION
from interpret.study.tables import ranked_of, read_ranked, write_table

Ints = npt.NDArray[np.int64]

FOLDER = "errors"
"""Folder inside a study that holds photos explained on demand, a folder for each pair."""

MOST = 300
"""Photos of a group that are explained on demand at the most (count), drawn by lot with a fixed seed."""


@dataclass(frozen=True, eq=False)
class Explained:
    """P patches of photos explained for classes of choice.

    Attributes:
        image_ids: (P,) int64, each patch's photo.
        targets: (P,) int64, the class that it was explained for.
        boxes: (P, 4) int64, x0, y0, x1, y1 in pixels of the source photo.
        units: (P, stored units) int32, best first, ``PAD`` at the end of short rows.
        scores: (P, stored units) float32.
    """

    image_ids: Ints
    targets: Ints
    boxes: Ints
    units: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.setflags(write=False)

    def __len__(self) -> int:
        return len(self.image_ids)

    def select(self, chosen: npt.NDArray) -> "Explained":
        """Some of the patches: (P,) bool, or (n,) positions."""
        return Explained(*(array[chosen] for array in vars(self).values()))

    def of(self, image_ids: Ints, target: int) -> "Explained":
        """The patches of some photos explained for one class."""
        return self.select((self.targets == target) & np.isin(self.image_ids, image_ids))


def is_stored(study: Study) -> bool:
    """Whether the study's contrast holds every photo explained for every other class."""
    return study.has_contrast and len(study.class_names) <= EVERY_CLASS


def kept_file(study: Study, pair: Pair) -> Path:
    """The file in which the photos of a pair that were explained on demand are kept."""
    key = digest(SCHEMA_VERSION, study.key, pair.label, pair.predicted, MOST)
    return study.folder / FOLDER / key / "explained.parquet"


def is_at_hand(study: Study, pair: Pair) -> bool:
    """Whether :func:`explain_pair` finds all that it needs in the study, and explains no photo."""
    return is_stored(study) or kept_file(study, pair).is_file()


def explain_pair(
    study: Study,
    pair: Pair,
    *,
    classifier: Classifier | None = None,
    device: str = "auto",
    progress: Callback = silent,
    announce: Callable[[str], None] | None = None,
) -> Explained:
    """The errors of a pair and the right photos of A, explained for A and for B, and the right photos of B, for B.

    A contrast that holds all classes (models of ten classes or fewer) has them all. Otherwise the errors and the right
    photos of A are explained again for both classes, all in the same way, so that no difference between the groups
    comes from how they were explained; at most :data:`MOST` of each, and the result is kept inside the study.

    Args:
        study: the study.
        pair: its photos, from :func:`interpret.confusion.pairs.photos_of_pair`.
        classifier: the study's network, where it is loaded already or was given from Python.
        device: where the network runs if photos are explained.
        progress: called as photos are explained.
        announce: called with one line before a download starts.

    Raises:
        InputError: as :func:`interpret.explanation.further.explain_further` says.
    """
    own = _stored(study.patches, "predicted", study.ranked)
    if is_stored(study):
        asked = np.concatenate([pair.errors, pair.right])
        contrast = _stored(study.contrast, "target", study.ranked_contrast)
        further = contrast.select(
            np.isin(contrast.image_ids, asked) & np.isin(contrast.targets, (pair.label, pair.predicted))
        )
        return _joined([own.of(pair.errors, pair.predicted), own.of(pair.right, pair.label), further,
                        own.of(pair.right_predicted, pair.predicted)])  # fmt: skip
    again = _on_demand(study, pair, classifier, device, progress, announce)
    return _joined([again, own.of(pair.right_predicted, pair.predicted)])


def _on_demand(
    study: Study,
    pair: Pair,
    classifier: Classifier | None,
    device: str,
    progress: Callback,
    announce: Callable[[str], None] | None,
) -> Explained:
    file = kept_file(study, pair)
    if file.parent.is_dir():
        try:
            digests.check_list(file.parent, [file.name], made_from(study, file.parent))
            return _read(file, study.extract_config.stored_units)
        except InputError as error:
            study.announce(f"The photos explained in {file.parent} are not used ({error}); they are explained again.")
    images = np.sort(np.concatenate([_drawn(pair.errors), _drawn(pair.right)]))
    table = explain_further(
        study,
        images,
        (pair.label, pair.predicted),
        classifier=classifier,
        device=device,
        progress=progress,
        announce=announce,
    )
    try:
        with new_folder(file.parent) as made:
            write_table(table, made / file.name)
            digests.write_list(made, made_from(study, file.parent))
    except OSError:  # on a read-only disk they are explained as often as they are asked for
        return _explained(table, *ranked_of(table, study.extract_config.stored_units))
    return _read(file, study.extract_config.stored_units)


def _drawn(photos: Ints) -> Ints:
    """At most :data:`MOST` of some photos, by lot."""
    if len(photos) <= MOST:
        return photos
    return np.sort(np.random.default_rng([0, len(photos)]).choice(photos, MOST, replace=False))


def _stored(table: pd.DataFrame, target: str, ranked: Ranked) -> Explained:
    """The patches of one of a study's tables, in which the column ``target`` is the class explained for."""
    return Explained(
        table["image_id"].to_numpy(np.int64, copy=True),
        table[target].to_numpy(np.int64, copy=True),
        table[["x0", "y0", "x1", "y1"]].to_numpy(np.int64, copy=True),
        *ranked,
    )


def _read(file: Path, width: int) -> Explained:
    try:
        ranked = read_ranked(file, width)
        columns = pq.read_table(file, columns=["image_id", "target", "x0", "y0", "x1", "y1"])
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(f"{file} cannot be read") from error
    return _explained(columns, *ranked)


def _explained(table: pa.Table, units: npt.NDArray[np.int32], scores: npt.NDArray[np.float32]) -> Explained:
    boxes = np.stack([table[side].to_numpy().astype(np.int64) for side in ("x0", "y0", "x1", "y1")], axis=1)
    ids, targets = (table[name].to_numpy().astype(np.int64) for name in ("image_id", "target"))
    return Explained(ids, targets, boxes, units, scores)


def _joined(parts: list[Explained]) -> Explained:
    columns = zip(*(vars(part).values() for part in parts), strict=True)
    return Explained(*(np.concatenate(list(column)) for column in columns))
