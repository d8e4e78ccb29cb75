"""Held-out photos: a study of its own, made by the same network and kept inside the study that was mined."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from interpret.config import RunConfig
from interpret.data import datasets
from interpret.data.hold_out import set_aside
from interpret.errors import InputError
from interpret.explanation import extraction
from interpret.explanation.identity import existing_study, study_keys
from interpret.explanation.ray_pool import RayOptions
from interpret.explanation.study_network import arithmetic_of, check_same_network, network_of
from interpret.files import remove_folder
from interpret.models import Classifier
from interpret.models.precision import choose_device, choose_precision
from interpret.progress import Callback, Progress, silent
from interpret.study import Study, open_study
from interpret.study.open import check_whole
from interpret.study.prints import read_prints
from interpret.study.workspace import partial_folder

FOLDER = "evaluation"
"""Folder inside a study that holds a study for each set of photos that it was evaluated on."""

RESULTS = "results"
"""Folder in there that holds what was measured."""


def heldout(
    study: Study,
    images: str,
    *,
    limit: int | None = None,
    batch_size: int = 32,
    workers: int | None = None,
    device: str = "auto",
    progress: Callback = silent,
    announce: Callable[[str], None] | None = None,
    classifier: Classifier | None = None,
    ray: RayOptions | None = None,
) -> Study:
    """A study of held-out photos, by the network of the study that was mined; reused, resumed or made.

    Of the study's own folder only the photos that were set aside are taken, where some were, see
    :mod:`interpret.data.hold_out`.

    What is kept is used only if every file of it is as it was written, and it is of these photos and options. Otherwise
    it is made again, and ``study.announce`` is told.

    Args:
        study: the study that was mined; its model, layer and extraction options are used.
        images: what :func:`interpret.data.datasets.scan` takes, or the folder of a study of the same network and layer.
        limit: use at most this many photos, evenly over the classes.
        batch_size: photos per forward pass.
        workers: threads or processes that decode photos; as many as are worth it if None.
        device: the device of the network.
        progress: see :func:`interpret.explanation.extraction.extract`.
        announce: likewise.
        classifier: the study's network, where it is loaded already; see
            :func:`interpret.explanation.study_network.network_of`.
        ray: where Ray's workers look at the photos; this process does if None. The bytes are the same.

    Raises:
        InputError: the network or the photos cannot be used, no photo has a label, or what is kept is damaged and
            cannot be removed.
    """
    if (Path(images) / "manifest.json").is_file():
        return _usable(study, Path(images))
    progress(Progress("Loading the model", 0, 0))
    classifier = network_of(study, classifier, announce=announce)
    model = replace(study.model_config, layer=study.layer, device=device)
    config = RunConfig(
        images=images,
        model=model,
        extract=replace(study.extract_config, contrast=0),  # other photos are measured on, not mined
        mine=study.mine_config,
        hold_out=0.0,
        limit=limit,
        batch_size=batch_size,
        workers=workers,
    )
    progress(Progress("Looking for photos", 0, 0))
    inside = study.folder / FOLDER
    own = study.hold_out > 0 and is_own(study, images)
    photos = datasets.scan(
        images,
        classifier.class_names,
        classifier.wnids,
        limit=study.recorded.config.limit if own else limit,
        choose=_choice_of_own(study, limit) if own else None,
        known=read_prints(study.folder, *inside.glob("*")),
        announce=announce,
        roots=study.roots,
    )
    if all(photo.label is None for photo in photos.photos):
        raise InputError(_unlabelled(images, photos.unmatched))
    chosen = choose_device(device)
    keys = study_keys(config, classifier, photos, chosen, choose_precision(model.precision, chosen))
    begun = [inside / key for key in keys if (inside / key).is_dir() or partial_folder(inside / key).is_dir()]
    folder = begun[0] if begun else inside / keys[0]
    if folder.is_dir():
        try:
            check_whole(_usable(study, folder))
            return existing_study(folder, keys, photos, announce=announce)
        except InputError as error:
            study.announce(f"The held-out photos kept in {folder} are not used ({_fault(error)}); they are made again.")
            remove_folder(folder)
        if folder.exists():
            raise InputError(f"The held-out photos kept in {folder} are damaged and cannot be removed; delete them.")
    return extraction.extract(
        config,
        folder,
        progress,
        announce=announce,
        classifier=classifier,
        photos=photos,
        arithmetic=arithmetic_of(study, chosen, classifier),
        ray=ray,
    )


def is_own(study: Study, images: str) -> bool:
    """Whether ``images`` are the folder or the built-in set that the study was made of."""
    if images == study.images_source:
        return True
    try:
        return datasets.absolute(images) == str(study.images_root)
    except InputError:  # there is no such set any more
        return False


def _choice_of_own(study: Study, limit: int | None) -> datasets.Choice:
    """Which photos of a study's own folder were set aside; none that was mined, whatever was added since."""
    mined = frozenset(study.images["path"])

    def choose(names: list[str], label_of: Mapping[str, int | None]) -> list[str]:
        apart = set_aside(names, label_of, study.hold_out) - mined
        return datasets.evenly(sorted(apart), label_of, limit)

    return choose


@dataclass(frozen=True, eq=False)
class Kept:
    """The held-out sets inside a study.

    Attributes:
        studies: those that can be measured on, the newest first.
        damaged: folder of every other one, and one sentence that says why it is not used.
    """

    studies: tuple[Study, ...]
    damaged: dict[Path, str]


@dataclass(frozen=True, eq=False)
class Best:
    """The held-out set to measure on where none is asked for.

    Attributes:
        study: the photos, with their activations.
        photos: its photos that have a label (count).
        source: where the photos came from: the folder's path, or the name of a built-in set.
        mined: whether these are the very photos that were mined.
        others: sets kept beside it that can be measured on too (count).
    """

    study: Study
    photos: int
    source: str
    mined: bool
    others: int


def kept(study: Study) -> Kept:
    """The held-out sets inside a study; a damaged one, or one of another network, hides none of the others."""
    usable: list[tuple[str, str, Study]] = []
    damaged: dict[Path, str] = {}
    for folder in folders(study):
        try:
            found = _usable(study, folder)
            usable.append((found.created, found.key, found))
        except InputError as error:
            damaged[folder] = (
                f"The held-out photos kept in {folder} are not used ({_fault(error)}); evaluate on them once more to "
                "make them again."
            )
    usable.sort(key=lambda entry: entry[:2], reverse=True)
    return Kept(tuple(found for _, _, found in usable), damaged)


def folders(study: Study) -> list[Path]:
    """The folders of the held-out sets inside a study, usable or not; unfinished ones are left out."""
    inside = (study.folder / FOLDER).glob("[!.]*")
    return sorted(path for path in inside if path.is_dir() and path.name != RESULTS and path.suffix != ".partial")


def best(study: Study, sets: Kept) -> Best | None:
    """The held-out set with the most labelled photos, the newest of those with equally many; None without any.

    The number of photos comes first, so that a later trial on a handful does not replace a full validation set.

    Args:
        study: the study that was mined.
        sets: those inside it, from :func:`kept`.
    """
    if not sets.studies:
        return None
    chosen = max(sets.studies, key=_labelled_photos)  # the first of equals is the newest
    return Best(
        study=chosen,
        photos=_labelled_photos(chosen),
        source=chosen.images_source,
        mined=same_photos(study, chosen),
        others=len(sets.studies) - 1,
    )


def _labelled_photos(study: Study) -> int:
    return int(study.images["label"].notna().sum())


def same_photos(study: Study, other: Study) -> bool:
    """Whether two studies are of the very same photos: an evaluation on what was mined flatters the method."""
    return study.same_photos(other)


def _usable(study: Study, folder: Path) -> Study:
    """The study in ``folder``, if accuracy can be measured on its photos with the head of ``study``.

    Raises:
        InputError: it is damaged or unfinished, is one of another network, or has no labels.
    """
    found = open_study(folder, study.announce, study.roots)
    check_same_network(study, found)
    _ = found.features, found.activations  # damaged ones are found here
    if found.images["label"].isna().all():
        raise InputError(_unlabelled(str(folder)))
    return found


def _fault(error: InputError) -> str:
    """What is wrong, without what the sentence says should be done about it."""
    return str(error).partition("; ")[0].rstrip(".")


def _unlabelled(images: str, unmatched: Sequence[str] = ()) -> str:
    """Why accuracy cannot be measured, and what to do.

    Args:
        images: where the photos are.
        unmatched: names of their folders, if none is a class of the model.
    """
    if unmatched:
        names = ", ".join(unmatched[:3]) + (", ..." if len(unmatched) > 3 else "")
        return (
            f"None of the folders in {images} ({names}) is a class of the model, so accuracy cannot be measured; "
            "rename them to wnid, ImageNet index or class name."
        )
    return (
        f"The photos in {images} have no labels, so accuracy cannot be measured; put them into class folders named by "
        "wnid, ImageNet index or class name."
    )
