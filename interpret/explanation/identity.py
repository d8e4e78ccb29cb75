"""Which study a run asks for: the keys it may be recorded under, and what its folder holds already."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from interpret.config import ExtractConfig, RunConfig, digest
from interpret.data.datasets import PhotoSet
from interpret.errors import InputError
from interpret.models import Classifier
from interpret.study import Study, open_study
from interpret.study.fields import is_text
from interpret.study.prints import read_prints, write_prints
from interpret.study.schema import SCHEMA_VERSION
from interpret.study.workspace import check_record


def extraction_options(config: ExtractConfig) -> dict[str, Any]:
    """The options of an extraction as keys hold them; without a contrast, as format 1 held them."""
    options = {"": type(config).__name__, **asdict(config)}
    if not config.contrast:
        del options["contrast"]
    return options


def study_key(config: RunConfig, classifier: Classifier, photos: PhotoSet, device: torch.device, precision: str) -> str:
    """Digest of everything that the extracted files depend on.

    A study without a contrast holds what studies of format 1 held, and keeps their key.
    """
    return digest(
        SCHEMA_VERSION if config.extract.contrast else 1,
        classifier.name,
        classifier.weights_digest,
        _units(classifier),
        classifier.class_names,
        classifier.preprocessing.to_dict(),
        extraction_options(config.extract),
        config.batch_size,
        config.shard_size,
        device.type,
        precision,
        photos.fingerprint,
        [photo.label for photo in photos.photos],
    )


def _units(classifier: Classifier) -> str:
    """The layer, and what of it the units are where they are not its channels."""
    if classifier.layout.code is not None:
        return f"{classifier.layer} codes {classifier.layout.code.sha256}"
    return f"{classifier.layer} signed" if classifier.layout.signed else classifier.layer


def study_keys(
    config: RunConfig, classifier: Classifier, photos: PhotoSet, device: torch.device, precision: str
) -> tuple[str, ...]:
    """The study's key, and further ones under which it may have been recorded.

    The second is that of version 0.9: its fingerprint of the photos came from both ends of each. No later version
    begins a study under such a key, so a study with it was begun by version 0.9. Whether one of its photos was edited
    since, between its ends, cannot be found out.

    Where the precision is left to the machine, the same two follow for the other precision that may have been chosen,
    by another version or on another machine: what was begun in it goes on in it.
    """
    former = replace(photos, fingerprint=photos.former_fingerprint)
    precisions = [precision]
    if config.model.precision == "auto":
        precisions += [other for other in ("float32", "bfloat16") if other != precision]
    return tuple(
        study_key(config, classifier, given, device, each) for each in precisions for given in (photos, former)
    )


def begun_key(folder: Path) -> str | None:
    """The key of the study in a folder, finished or not; None where there is none.

    Raises:
        InputError: what is there is damaged.
    """
    if (folder / "manifest.json").is_file():
        return open_study(folder).key
    begun = check_record(folder)
    return None if begun is None else begun[0]


def existing_study(
    folder: Path,
    keys: tuple[str, ...],
    photos: PhotoSet,
    plain_keys: tuple[str, ...] = (),
    *,
    announce: Callable[[str], None] | None = None,
) -> Study:
    """The complete study that is in ``folder`` already, if it is the one asked for.

    Args:
        folder: the study's folder.
        keys: those that the study asked for may have.
        photos: its photos.
        plain_keys: those that it may have without its contrast.
        announce: see :func:`interpret.study.open_study`.

    Raises:
        InputError: it is another one, or damaged.
    """
    study = open_study(folder, announce)
    if study.key in plain_keys and study.key not in keys and not study.has_contrast:
        raise InputError(
            f"{folder} holds this study without its contrast; add it with `unitscope contrast {folder}`, or run with "
            "--no-contrast."
        )
    if study.key not in keys and not (study.has_contrast and study.key in plain_keys):
        raise InputError(
            f"{folder} already holds a study of other photos or options; choose another --study, or delete it."
        )
    if photos.prints.keys() - read_prints(folder).keys():
        with contextlib.suppress(OSError):  # a study on a read-only disk is complete without them
            write_prints(photos.prints, folder)
    return study


def refuse_foreign(folder: Path) -> None:
    """Refuse, before any work, a folder for a study that could not be written in the end.

    Raises:
        InputError: it holds something else already, or is a file, a dangling link or a mount point; its name cannot be
            written; nothing can be written where it is to be; or the unfinished run there is damaged.
    """
    named = ascii(str(folder))
    if not is_text(str(folder)):
        raise InputError(f"The name {named} is not valid UTF-8, so that no study can say it; choose another --study.")
    if folder.is_symlink() and not folder.exists():
        raise InputError(f"{folder} is a link to {folder.readlink()}, which does not exist; choose another --study.")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose a folder for --study.")
    if folder.is_dir() and not (folder / "manifest.json").exists():
        if any(folder.iterdir()):
            raise InputError(f"{folder} is not empty and not a study; choose another folder for --study.")
        if os.path.ismount(folder):  # the finished study is renamed to its place, which a mount point does not allow
            raise InputError(f"{folder} is a mount point; choose a folder inside it for --study.")
    above = next(path for path in folder.parents if os.path.lexists(path))
    if not above.is_dir() or not ((folder / "manifest.json").exists() or os.access(above, os.W_OK | os.X_OK)):
        raise InputError(f"The study cannot be written to {folder}: {above} is no folder that you may write in.")
    check_record(folder)
