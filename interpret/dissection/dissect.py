"""Ground truth against findings: which part each unit detects, and which itemsets say what is true of the classes."""

import contextlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray

from interpret.config import MineConfig, digest
from interpret.data import datasets
from interpret.data.datasets import Photo
from interpret.data.photos import UnreadablePhoto, open_photo
from interpret.dissection.masks import DemoMasks, FolderMasks, Masks, as_seen
from interpret.dissection.overlap import QUANTILE, Overlaps, overlaps
from interpret.dissection.verdicts import (
    DRAWS,
    LEVEL,
    has_part,
    itemset_table,
    parts_of_classes,
    share_table,
    unit_table,
)
from interpret.errors import InputError
from interpret.explanation.study_network import network_of
from interpret.files import write_json
from interpret.mining import Mined
from interpret.mining.stored import mine_study
from interpret.models import Classifier
from interpret.models.hooks import capture
from interpret.progress import Progress
from interpret.study import Study
from interpret.study.tables import write_table

FOLDER = "dissection"
"""Where a study keeps its dissections."""

FORMAT = 2
"""Raised when the tables change, so that no older dissection is read."""

_BATCH = 32


@dataclass(frozen=True, eq=False)
class Dissection:
    """What the units of a study detect, and how much of what was mined is true.

    Attributes:
        units: as :func:`interpret.dissection.verdicts.unit_table`.
        itemsets: as :func:`interpret.dissection.verdicts.itemset_table`.
        shares: as :func:`interpret.dissection.verdicts.share_table`.
        parts: the P part names.
        iou: (K, P) float64.
        facts: images (count), accuracy (share of labelled images; None without labels), quantile, level, draws, seed,
            source of the images, units_at_0.04 and units_at_0.1 (count).
    """

    units: pd.DataFrame
    itemsets: pd.DataFrame
    shares: pd.DataFrame
    parts: tuple[str, ...]
    iou: NDArray[np.float64]
    facts: dict[str, Any]

    def write(self, folder: Path) -> None:
        """Write the tables and the facts into ``folder``, made by renaming once all is there."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".writing-") as temporary:
            target = Path(temporary) / "dissection"
            target.mkdir()
            for name in ("units", "itemsets", "shares"):
                write_table(pa.Table.from_pandas(getattr(self, name), preserve_index=False), target / f"{name}.parquet")
            np.save(target / "iou.npy", self.iou)
            write_json({"parts": list(self.parts), "facts": self.facts}, target / "facts.json")
            if not folder.is_dir():
                target.rename(folder)

    @classmethod
    def read(cls, folder: Path) -> "Dissection":
        """Read what :meth:`write` wrote."""
        content = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
        units, itemsets, shares = (
            pd.read_parquet(folder / f"{name}.parquet") for name in ("units", "itemsets", "shares")
        )
        for column in ("part", "best_part", "runner_up"):  # null is None in memory, whatever pandas makes of text
            units[column] = pd.Series([None if pd.isna(name) else name for name in units[column]], dtype=object)
        units["detects"] = [tuple(row) for row in units["detects"]]
        for column in ("classes", "parts"):
            itemsets[column] = [tuple(row) for row in itemsets[column]]
        iou = np.load(folder / "iou.npy")
        iou.setflags(write=False)
        return cls(units, itemsets, shares, tuple(content["parts"]), iou, content["facts"])


def dissect(
    study: Study,
    *,
    mine: MineConfig | None = None,
    images: str | Path | None = None,
    masks: str | Path | Masks | None = None,
    classifier: Classifier | None = None,
    limit: int | None = None,
    quantile: float = QUANTILE,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
    progress: Callable[[Progress], None] = lambda report: None,
    announce: Callable[[str], None] | None = None,
) -> Dissection:
    """Dissect a study's units on images whose parts are known, and judge its itemsets; kept in the study's folder.

    Args:
        study: an opened study.
        mine: which mining result to judge; that of the study if left open.
        images: held-out images, as :func:`~interpret.data.datasets.scan` takes them; ``demo-val`` for a study of the
            demo.
        masks: a folder of masks (see :class:`~interpret.dissection.masks.FolderMasks`) or any
            :class:`~interpret.dissection.masks.Masks`; the demo's own for a study of the demo.
        classifier: the network, where the study was made of a wrapped one.
        limit: at most this many images, evenly over the classes.
        quantile: share of a unit's activations above its threshold.
        level: intersection over union from which a unit counts as a part's detector.
        draws: random unit sets for each itemset (count).
        seed: of the draws.
        progress: called as images are done.
        announce: called with a line before images are drawn or downloaded.

    Raises:
        InputError: there are no masks for the images, or no images; or as
            :func:`~interpret.explanation.study_network.network_of` says.
    """
    mine = mine or study.mine_config
    of_demo = str(study.manifest["config"]["images"]) in ("demo", "demo-val") and study.manifest["model"] == "demo"
    if (masks is None or images is None) and not of_demo:
        raise InputError(
            "Dissecting needs images whose parts are known: give --images and --masks (the demo study brings its own)."
        )
    source: str | Path = "demo-val" if images is None else images
    drawn = str(source) in ("demo", "demo-val")
    given: Masks = (
        (DemoMasks() if drawn else _no_masks(source)) if masks is None
        else FolderMasks(masks) if isinstance(masks, str | Path) else masks
    )  # fmt: skip
    folder = (
        study.folder
        / FOLDER
        / digest(study.key, asdict(mine), FORMAT, str(source), str(masks), limit, quantile, level, draws, seed)
    )
    if folder.is_dir() and (masks is None or isinstance(masks, str | Path)):
        return Dissection.read(folder)
    classifier = network_of(study, classifier, announce=announce)
    found = datasets.scan(source, classifier.class_names, classifier.wnids, limit=limit, announce=announce)
    with tempfile.TemporaryDirectory() as temporary:
        activations, predicted, kept = _activations(classifier, found.photos, Path(temporary), progress)
        counted = overlaps(
            activations,
            lambda image: as_seen(given.of(kept[image].name), classifier.preprocessing),
            given.parts,
            quantile=quantile,
            progress=lambda done, total: progress(Progress("Comparing units with parts", done, total)),
        )
    labels = [photo.label for photo in kept]
    facts = {
        "images": len(kept), "source": str(source), "accuracy": _accuracy(predicted, labels), "quantile": quantile,
        "level": level, "draws": draws, "seed": seed,
    }  # fmt: skip
    if given.class_parts is None:
        has = parts_of_classes(counted.seen, labels, len(classifier.class_names))
    else:
        has = has_part(classifier.class_names, given.class_parts, given.parts)
        if not has.any():
            raise InputError(
                f"None of the classes with known parts ({', '.join(given.class_parts)}) is one of the model's classes "
                f"({', '.join(classifier.class_names[:3])}, ...); give the class names with --class-names."
            )
    result = judge(counted, mine_study(study, mine), has, facts)
    if masks is None or isinstance(masks, str | Path):
        with contextlib.suppress(OSError):  # a study on a read-only disk is dissected as often as it is asked for
            result.write(folder)
    return result


def judge(counted: Overlaps, mined: Mined, has: NDArray[np.bool_], facts: dict[str, Any]) -> Dissection:
    """Units and itemsets against parts, from what was counted.

    Args:
        counted: pixel counts of units and parts.
        mined: what was mined.
        has: (C, P), which class has which part.
        facts: must hold level, draws and seed; the rest is kept as it is.
    """
    iou = counted.iou
    iou.setflags(write=False)
    units = unit_table(iou, counted.parts, facts["level"])
    table = mined.itemsets
    members = {
        int(i): tuple(int(unit) for unit in row) for i, row in zip(table["itemset_id"], table["units"], strict=True)
    }
    classes: dict[int, list[int]] = {}
    held = table[table["class_id"].notna()]
    for itemset, label in zip(held["itemset_id"], held["class_id"], strict=True):
        classes.setdefault(int(itemset), []).append(int(label))
    judged = itemset_table(members, classes, units, counted.parts, has)
    shares = share_table(judged, units, counted.parts, has, draws=facts["draws"], seed=facts["seed"])
    counts = {f"units_at_{bar}": int((units["iou"] >= bar).sum()) for bar in (0.04, 0.1)}
    return Dissection(units, judged, shares, counted.parts, iou, {**facts, **counts, "units": len(units)})


def _activations(
    classifier: Classifier, photos: tuple[Photo, ...], folder: Path, progress: Callable[[Progress], None]
) -> tuple[NDArray[np.float16], list[int], list[Photo]]:
    """The layer's output on photos: (n, K, h, w) on disk, the predicted classes, and the photos that could be read."""
    kept, predicted = [], []
    stored: NDArray[np.float16] | None = None
    for start in range(0, len(photos), _BATCH):
        pixels = []
        for photo in photos[start : start + _BATCH]:
            try:
                pixels.append(classifier.preprocessing.apply(open_photo(photo.path)))
            except UnreadablePhoto:
                continue
            kept.append(photo)
        if pixels:
            inputs = classifier.preprocessing.normalise(torch.from_numpy(np.stack(pixels)))
            with torch.no_grad(), capture(classifier.network, classifier.layer) as captured:
                predicted += classifier.network(inputs).argmax(1).tolist()
            assert captured.activations is not None
            values = captured.activations.numpy()
            if stored is None:
                shape = (len(photos), *values.shape[1:])
                stored = np.lib.format.open_memmap(folder / "activations.npy", "w+", np.float16, shape)
            stored[len(kept) - len(pixels) : len(kept)] = values
        progress(Progress("Looking at held-out images", min(start + _BATCH, len(photos)), len(photos)))
    if stored is None:
        raise InputError("None of the held-out images can be read as a photo.")
    return stored[: len(kept)], predicted, kept


def _accuracy(predicted: list[int], labels: list[int | None]) -> float | None:
    known = [guess == label for guess, label in zip(predicted, labels, strict=True) if label is not None]
    return float(np.mean(known)) if known else None


def _no_masks(source: str | Path) -> Masks:
    raise InputError(f"There are no part masks for {source}; give their folder with --masks.")
