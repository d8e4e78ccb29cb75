"""Which part each unit of a study detects, and which of its itemsets are true of their classes."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from interpret.config import DissectConfig, MineConfig, digest
from interpret.data import datasets
from interpret.data.fingerprints import FilePrint, FileState
from interpret.dissection.activations import see_photos
from interpret.dissection.masks import DemoMasks, FolderMasks, Masks, as_seen
from interpret.dissection.overlap import QUANTILE, Overlaps, overlaps
from interpret.dissection.result import FOLDER, FORMAT, Dissection
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
from interpret.mining import Mined
from interpret.mining.ranked_units import check_top_units
from interpret.mining.stored import mine_study, mined_folder
from interpret.models import Classifier
from interpret.progress import Callback, Progress, silent
from interpret.study import Study
from interpret.study.results import made_from

DEMO = ("demo", "demo-val")
"""Built-in sets whose parts are known."""


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
    progress: Callback = silent,
    announce: Callable[[str], None] | None = None,
) -> Dissection:
    """Dissect a study's units on images whose parts are known, and judge its itemsets.

    The result is kept in the study's folder, and read from there as long as the images, the masks and the options are
    the same; masks from any other :class:`~interpret.dissection.masks.Masks` than a folder or the demo are always
    counted again.

    Args:
        study: an opened study.
        mine: which mining result to judge; the study's own if None.
        images: held-out images, as :func:`~interpret.data.datasets.scan` takes them; ``demo-val`` if None, for a study
            of the demo.
        masks: a folder of masks (see :class:`~interpret.dissection.masks.FolderMasks`) or any
            :class:`~interpret.dissection.masks.Masks`; the demo's own if None, for a study of the demo.
        classifier: the network, where it is at hand or the study was made of a wrapped one; it may be on any device and
            of any floating-point type, and is left as it was.
        limit: at most this many images, evenly over the classes; all if None.
        quantile: fraction of a unit's activations above its threshold.
        level: intersection over union from which a unit counts as a part's detector.
        draws: random unit sets for each itemset (count).
        seed: of the draws.
        progress: called as images are done.
        announce: called with a line before images are drawn or downloaded.

    Raises:
        InputError: there are no images or no masks for them, an option is out of bounds, or the network is not the
            study's (see :func:`~interpret.explanation.study_network.network_of`).
    """
    DissectConfig(quantile=quantile, level=level)  # checks the bounds
    if draws < 1:
        raise InputError(f"{draws} random unit sets for each itemset are too few; give draws=1 or more.")
    mine = mine or study.mine_config
    check_top_units(mine, study.extract_config.stored_units)
    source, part_masks = _source_and_masks(study, images, masks)
    if classifier is not None:
        classifier = network_of(study, classifier)
    fingerprint = part_masks.fingerprint() if isinstance(part_masks, DemoMasks | FolderMasks) else None
    folder: Path | None = None
    known: Mapping[FileState, FilePrint] = {}
    if fingerprint is not None:
        wnids = () if classifier is None else classifier.wnids
        whole = datasets.scan(source, study.class_names, wnids, announce=announce, roots=study.roots)
        known = whole.prints
        options = (limit, quantile, level, draws, seed)
        key = digest(FORMAT, mined_folder(study, mine).name, whole.fingerprint, fingerprint, wnids, *options)
        folder = study.folder / FOLDER / key
        if folder.is_dir():
            try:
                return Dissection.read(folder, made_from(study, folder), then="it is made again")
            except InputError as error:
                study.announce(str(error))
    classifier = classifier or network_of(study, announce=announce)
    names, wnids = classifier.class_names, classifier.wnids
    mined = mine_study(study, mine)  # what cannot be mined is said before images are looked at
    scanned = datasets.scan(source, names, wnids, limit=limit, known=known, announce=announce, roots=study.roots)
    seen = see_photos(classifier, scanned.photos, progress)
    counted = overlaps(
        seen.activations,
        lambda image: as_seen(part_masks.of(seen.photos[image].name), classifier.preprocessing),
        part_masks.parts,
        classifier.preprocessing.size,
        quantile=quantile,
        progress=lambda done, total: progress(Progress("Comparing units with parts", done, total)),
    )
    labels = [photo.label for photo in seen.photos]
    facts = {
        "images": len(labels), "source": str(source), "accuracy": seen.accuracy, "quantile": quantile,
        "level": level, "draws": draws, "seed": seed,
    }  # fmt: skip
    has = _parts_of_classes(part_masks, counted, labels, classifier.class_names)
    result = judge(counted, mined, has, facts)
    if folder is not None:
        with contextlib.suppress(OSError):  # a study on a read-only disk is dissected as often as it is asked for
            result.write(folder, made_from(study, folder))
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
    for array in (iou, has):
        array.setflags(write=False)
    units = unit_table(iou, counted.parts, facts["level"])
    judged = judged_itemsets(mined, units, counted.parts, has)
    shares = share_table(judged, units, counted.parts, has, draws=facts["draws"], seed=facts["seed"])
    counts = {f"units_at_{bar}": int((units["iou"] >= bar).sum()) for bar in (0.04, 0.1)}
    return Dissection(units, judged, shares, counted.parts, iou, has, {**facts, **counts, "units": len(units)})


def judged_itemsets(mined: Mined, units: pd.DataFrame, parts: Sequence[str], has: NDArray[np.bool_]) -> pd.DataFrame:
    """The itemsets of any mining result of the study, judged; no photo is looked at.

    Args:
        mined: what was mined.
        units: as :attr:`interpret.dissection.result.Dissection.units`.
        parts: the P part names.
        has: (C, P), which class has which part.

    Returns:
        As :func:`interpret.dissection.verdicts.itemset_table`.
    """
    table = mined.itemsets
    members = {
        int(i): tuple(int(unit) for unit in row) for i, row in zip(table["itemset_id"], table["units"], strict=True)
    }
    classes: dict[int, list[int]] = {}
    frequent = table[table["class_id"].notna()]
    for itemset, label in zip(frequent["itemset_id"], frequent["class_id"], strict=True):
        classes.setdefault(int(itemset), []).append(int(label))
    return itemset_table(members, classes, units, parts, has)


def _source_and_masks(
    study: Study, images: str | Path | None, masks: str | Path | Masks | None
) -> tuple[str | Path, Masks]:
    """Where the images come from, and their masks."""
    of_demo = study.images_source in DEMO and study.model == "demo"
    if (masks is None or images is None) and not of_demo:
        raise InputError(
            "Dissecting needs images whose parts are known: give --images and --masks (the demo study brings its own)."
        )
    source: str | Path = "demo-val" if images is None else images
    if isinstance(masks, str | Path):
        return source, FolderMasks(masks)
    if masks is not None:
        return source, masks
    if str(source) not in DEMO:
        raise InputError(f"There are no part masks for {source}; give their folder with --masks.")
    return source, DemoMasks()


def _parts_of_classes(
    masks: Masks, counted: Overlaps, labels: list[int | None], class_names: tuple[str, ...]
) -> NDArray[np.bool_]:
    """(C, P), which class has which part: as the masks say, else from the images."""
    if masks.class_parts is None:
        return parts_of_classes(counted.seen, labels, len(class_names))
    has = has_part(class_names, masks.class_parts, masks.parts)
    if not has.any():
        raise InputError(
            f"None of the classes with known parts ({', '.join(masks.class_parts)}) is one of the model's classes "
            f"({', '.join(class_names[:3])}, ...); give the class names with --class-names."
        )
    return has
