"""The contrast of a study that was made without one: its photos are explained again, for further classes too."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from interpret.config import ExtractConfig, RunConfig
from interpret.data.builtin import is_builtin
from interpret.errors import InputError
from interpret.explanation.extraction import extract
from interpret.explanation.study_network import check_same_predictions, network_of
from interpret.files import remove_folder
from interpret.models import Classifier
from interpret.progress import Callback, Progress, silent
from interpret.study import Study, open_study
from interpret.study.digests import file_digests
from interpret.study.litter import AGAIN
from interpret.study.manifest import write_manifest
from interpret.study.schema import FILES, FORMAT_VERSION
from interpret.study.tables import replace_table


def add_contrast(
    study: Study,
    *,
    repeats: int | None = None,
    progress: Callback = silent,
    announce: Callable[[str], None] | None = None,
    classifier: Classifier | None = None,
) -> tuple[Study, int]:
    """Explain a study's photos for further classes, and keep the contrast patches in its folder.

    What the study holds stays as it is. Photos that are now predicted as another class get no contrast.

    Args:
        study: a study without a contrast.
        repeats: R, further classes for each photo (count); the default of a run if None.
        progress: called often.
        announce: called with one line before a download starts.
        classifier: the study's network, where it was given from Python.

    Returns:
        The study, opened again, and how many photos were left out.

    Raises:
        InputError: the study has a contrast, its photos or its network are not here, or they give other predictions.
    """
    if study.has_contrast:
        raise InputError(f"{study.folder} has a contrast already.")
    repeats = ExtractConfig().contrast if repeats is None else repeats
    recorded = study.recorded.config
    config = RunConfig(
        images=recorded.images if is_builtin(recorded.images) else str(study.images_root),
        model=replace(study.model_config, layer=study.layer, precision=study.precision),
        extract=replace(study.extract_config, contrast=repeats),
        mine=study.mine_config,
        hold_out=study.hold_out,
        limit=recorded.limit,
        batch_size=recorded.batch_size,
        shard_size=recorded.shard_size,
    )
    folder = study.folder / AGAIN
    # A finished extraction in this folder is the leftover of a killed command. An unfinished one is elsewhere.
    remove_folder(folder)
    again = extract(
        config,
        folder,
        progress,
        announce=announce,
        classifier=network_of(study, classifier),
        arithmetic=study.recorded.arithmetic,
    )
    try:
        progress(Progress("Writing the contrast", 0, 0))
        left_out = _keep(study, again, folder, repeats)
    finally:
        remove_folder(folder)
    return open_study(study.folder, study.announce), left_out


def _keep(study: Study, again: Study, folder: Path, repeats: int) -> int:
    """Move the contrast patches over, and return how many photos were left out."""
    before, now = study.images, again.images
    if before["path"].tolist() != now["path"].tolist():
        raise InputError(
            f"The photos in {study.images_root} are not those that {study.folder} was made from; put them back, or "
            "make a new study."
        )
    other = (before["predicted"] != now["predicted"]).to_numpy()
    check_same_predictions(study, other)
    table = pq.read_table(folder / "contrast.parquet")
    kept = table.filter(~np.asarray(other)[table["image_id"].to_numpy()])
    replace_table(kept, study.folder / "contrast.parquet")
    manifest = dict(study.manifest)
    manifest["schema_version"] = FORMAT_VERSION
    # A study of an earlier version gets the digests of its files now.
    manifest["files"] = {**file_digests(study.folder, FILES), **manifest.get("files", {})}
    manifest["files"] |= file_digests(study.folder, ["contrast.parquet"])
    manifest["config"] = {**manifest["config"], "extract": {**manifest["config"]["extract"], "contrast": repeats}}
    manifest["counts"] = {**asdict(study.counts), "contrast_patches": len(kept)}
    write_manifest(manifest, study.folder)
    return int(other.sum())
