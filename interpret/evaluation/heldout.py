"""The photos that an evaluation is measured on: a study of its own, made by the same network, kept inside the first."""

from collections.abc import Callable
from pathlib import Path

from interpret import models
from interpret.config import RunConfig
from interpret.data import datasets
from interpret.errors import InputError
from interpret.evaluation.ablation import check_weights, model_of
from interpret.explanation import extraction
from interpret.models import Classifier
from interpret.models.precision import choose_device, choose_precision
from interpret.progress import Callback, Progress, silent
from interpret.study import Study, open_study

FOLDER = "evaluation"
"""Folder inside a study that holds one study for each set of photos that it was evaluated on."""


def heldout(
    study: Study,
    images: str,
    *,
    limit: int | None = None,
    batch_size: int = 32,
    workers: int = 2,
    device: str = "auto",
    progress: Callback = silent,
    announce: Callable[[str], None] | None = None,
    classifier: Classifier | None = None,
) -> Study:
    """Photos seen by a study's network, with their activations stored: found again, gone on with, or made now.

    Args:
        study: the study that was mined; says which model, layer and extraction options.
        images: what :func:`interpret.data.datasets.scan` takes, or the folder of a study of the same network and layer.
        limit: use at most this many photos, evenly over the classes.
        batch_size: photos per forward pass.
        workers: threads that decode photos.
        device: where the network runs.
        progress: see :func:`interpret.explanation.extraction.extract`.
        announce: likewise.
        classifier: the study's network, where it is at hand.

    Raises:
        InputError: something given does not fit, or the photos have no labels.
    """
    if (Path(images) / "manifest.json").is_file():
        found = open_study(images)
        check_same_network(study, found)
        return _labelled(found)
    from dataclasses import replace

    progress(Progress("Loading the model", 0, 0))
    model = replace(model_of(study), device=device)
    classifier = classifier or models.load(model, announce=announce)
    check_weights(study, classifier)
    config = RunConfig(
        images=images, model=model, extract=study.extract_config, mine=study.mine_config, limit=limit,
        batch_size=batch_size, workers=workers,
    )  # fmt: skip
    progress(Progress("Looking for photos", 0, 0))
    photos = datasets.scan(images, classifier.class_names, classifier.wnids, limit=limit, announce=announce)
    if all(photo.label is None for photo in photos.photos):
        raise InputError(_unlabelled(images))
    place = choose_device(device)
    key = extraction.study_key(config, classifier, photos, place, choose_precision(model.precision, place))
    folder = study.folder / FOLDER / key
    return _labelled(extraction.extract(config, folder, progress, announce=announce, classifier=classifier))


def kept(study: Study) -> list[Study]:
    """The evaluation studies inside a study, the newest first."""
    found = [path.parent for path in (study.folder / FOLDER).glob("*/manifest.json")]
    opened = [open_study(folder) for folder in found]
    return sorted(opened, key=lambda one: (str(one.manifest["created"]), one.key), reverse=True)


def check_same_network(study: Study, other: Study) -> None:
    """Raise :class:`InputError` unless two studies look at the same layer of the same network."""
    for name, of in (("weights", lambda one: one.manifest["weights"]["digest"]), ("layer", lambda one: one.layer)):
        if of(study) != of(other):
            raise InputError(
                f"{other.folder} is a study of another network ({name} differ from {study.folder}); give a folder of "
                "photos instead."
            )


def same_photos(study: Study, other: Study) -> bool:
    """Whether two studies are of the very same photos: an evaluation on what was mined flatters the method."""
    return study.manifest["fingerprint"] == other.manifest["fingerprint"]


def _labelled(study: Study) -> Study:
    if study.images["label"].isna().all():
        raise InputError(_unlabelled(str(study.folder)))
    return study


def _unlabelled(images: str) -> str:
    return (
        f"The photos in {images} have no labels, so accuracy cannot be measured; put them into class folders named by "
        "wnid, ImageNet index or class name."
    )
