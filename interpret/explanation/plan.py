"""What a run computes: its network, its photos, the key of its study, and the shards that the photos are dealt into."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from interpret import models
from interpret.config import Arithmetic, RunConfig
from interpret.data import datasets
from interpret.data.datasets import PhotoSet
from interpret.data.hold_out import hold_out_of, set_aside
from interpret.errors import InputError
from interpret.explanation.decoders import THREADS, Decoders
from interpret.explanation.identity import begun_key, existing_study, refuse_foreign, study_keys
from interpret.explanation.trial import PHOTOS, choose_arithmetic
from interpret.models import Classifier, checkpoints
from interpret.models.precision import choose_device, choose_precision
from interpret.progress import Callback, Progress
from interpret.study import Study
from interpret.study.fields import is_text
from interpret.study.prints import read_prints
from interpret.study.workspace import partial_folder, recorded_arithmetic, stretches


@dataclass(frozen=True, eq=False)
class Plan:
    """A run that was thought through, with nothing computed yet.

    Attributes:
        config: its options, with the fraction that was set aside.
        folder: the study to be, absolute.
        classifier: the network.
        photos: those to explain.
        device: where the network runs.
        precision: the floating-point type of its passes.
    """

    config: RunConfig
    folder: Path
    classifier: Classifier
    photos: PhotoSet
    device: torch.device
    precision: str

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The key of the study, and further ones that it may have been recorded under."""
        return study_keys(self.config, self.classifier, self.photos, self.device, self.precision)

    @cached_property
    def parts(self) -> list[tuple[int, npt.NDArray[np.int64]]]:
        """Number of each shard, and the positions of its photos."""
        return list(stretches(len(self.photos.photos), self.config.shard_size))

    def existing(self, announce: Callable[[str], None] | None) -> Study | None:
        """The complete study that is there already; None where there is none.

        Raises:
            InputError: it is another one, or damaged.
        """
        if not (self.folder / "manifest.json").is_file():
            return None
        plain = replace(self.config, extract=replace(self.config.extract, contrast=0))
        plain_keys = replace(self, config=plain).keys
        return existing_study(self.folder, self.keys, self.photos, plain_keys, announce=announce)

    def arithmetic(self, announce: Callable[[str], None] | None, given: Arithmetic | None = None) -> Arithmetic:
        """How the network computes: as an unfinished run began, else as given, else chosen by a trial on photos."""
        return (
            recorded_arithmetic(self.folder)
            or given
            or choose_arithmetic(self.classifier, self.device, self.precision, _trial_photos(self), announce)
        )


def make_plan(
    config: RunConfig,
    folder: Path,
    progress: Callback,
    announce: Callable[[str], None] | None = None,
    classifier: Classifier | None = None,
    photos: PhotoSet | None = None,
    roots: Sequence[Path] | None = None,
) -> Plan:
    """Load the network and list the photos; see :func:`interpret.explanation.extraction.extract` for arguments.

    Raises:
        InputError: an option or a file does not fit, or the study cannot be written to ``folder``.
    """
    refuse_foreign(folder)
    folder = folder.resolve() if folder.is_symlink() else folder  # what is renamed to its place is the folder itself
    progress(Progress("Loading the model", 0, 0))
    if classifier is None:
        classifier = models.load(config.model, announce=announce, roots=roots)
    else:  # the network may have been trained since it was wrapped
        classifier = replace(classifier, weights_digest=checkpoints.digest(classifier.network))
    device = choose_device(config.model.device)
    precision = choose_precision(config.model.precision, device)
    progress(Progress("Looking for photos", 0, 0))
    if not is_text(str(Path(config.images).absolute())):
        raise InputError(f"The name {config.images!a} is not valid UTF-8; rename that folder of photos.")

    def keys_of(config: RunConfig, photos: PhotoSet) -> tuple[str, ...]:
        return study_keys(config, classifier, photos, device, precision)

    if photos is None:
        config, photos = _photos_to_mine(config, folder, classifier, keys_of, announce, roots)
    return Plan(config, folder, classifier, photos, device, precision)


def _photos_to_mine(
    config: RunConfig,
    folder: Path,
    classifier: Classifier,
    keys_of: Callable[[RunConfig, PhotoSet], tuple[str, ...]],
    announce: Callable[[str], None] | None,
    roots: Sequence[Path] | None,
) -> tuple[RunConfig, PhotoSet]:
    """The photos to mine, and the options with the fraction that was set aside of them.

    Where no fraction was asked for, a study that was made or begun with all photos goes on with all.
    """
    known = dict(read_prints(folder, partial_folder(folder)))
    share, apart = hold_out_of(config), set[str]()

    def scanned(choose: datasets.Choice | None) -> PhotoSet:
        return datasets.scan(
            config.images,
            classifier.class_names,
            classifier.wnids,
            limit=config.limit,
            choose=choose,
            known=known,
            announce=announce,
            roots=roots,
        )

    def without(names: list[str], label_of: Mapping[str, int | None]) -> list[str]:
        apart.update(set_aside(names, label_of, share))
        return [name for name in names if name not in apart]

    def asks_for(begun: str, config: RunConfig, photos: PhotoSet) -> bool:
        plain = replace(config, extract=replace(config.extract, contrast=0))
        return any(begun in keys_of(one, photos) for one in (config, plain))

    photos = scanned(without)
    if not apart:
        return replace(config, hold_out=0.0), photos
    begun = begun_key(folder) if config.hold_out is None else None
    if begun is not None and not asks_for(begun, config, photos):
        every, whole = replace(config, hold_out=0.0), scanned(None)
        if asks_for(begun, every, whole):
            return every, whole
    return replace(config, hold_out=share), photos


def _trial_photos(plan: Plan) -> list[npt.NDArray[np.uint8]]:
    """The first photos, in the order in which they are explained, as the network sees them."""
    _, first = plan.parts[0]
    chosen = [plan.photos.photos[position] for position in first[:PHOTOS].tolist()]
    with Decoders(plan.classifier.preprocessing, plan.config.workers or THREADS) as decoders:
        decoded = list(decoders.ahead(chosen, PHOTOS))
    return [photo.pixels for photo in decoded if photo.pixels is not None]
