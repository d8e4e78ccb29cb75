"""From photos to a study on disk: its patches and their units, not yet mined; interrupted runs resume."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch

from interpret import models
from interpret.config import Arithmetic, RunConfig
from interpret.data import datasets
from interpret.data.datasets import PhotoSet
from interpret.data.hold_out import hold_out_of, set_aside
from interpret.errors import InputError
from interpret.explanation.contrast_classes import Deal
from interpret.explanation.decoders import THREADS, Decoders, decoders_for
from interpret.explanation.extractor import make_extractor
from interpret.explanation.forward_passes import ForwardPasses
from interpret.explanation.identity import begun_key, existing_study, refuse_foreign, study_keys
from interpret.explanation.manifest import study_manifest
from interpret.explanation.passes import Passes
from interpret.explanation.shard import explain_shard
from interpret.explanation.trial import PHOTOS, choose_arithmetic
from interpret.models import Classifier, checkpoints
from interpret.models.precision import choose_device, choose_precision
from interpret.progress import Callback, Progress, silent
from interpret.study import Study, open_study
from interpret.study.digests import file_digests
from interpret.study.fields import is_text
from interpret.study.manifest import check_new, write_manifest
from interpret.study.prints import read_prints, write_prints
from interpret.study.schema import FILES, SKIPPED
from interpret.study.shards import Shard
from interpret.study.workspace import Workspace, partial_folder, recorded_arithmetic, stretches
from interpret.threads import lone_threads, one_thread


def extract(
    config: RunConfig,
    folder: str | Path,
    progress: Callback = silent,
    *,
    announce: Callable[[str], None] | None = None,
    classifier: Classifier | None = None,
    photos: PhotoSet | None = None,
    roots: Sequence[Path] | None = None,
    arithmetic: Arithmetic | None = None,
) -> Study:
    """Make a study with patches and units, not yet mined; resume an interrupted one, or open a complete one.

    Args:
        config: model, photos and options.
        folder: the study's folder; created by renaming a temporary one once everything is in it.
        progress: called after every batch of photos, from the calling thread.
        announce: called with one sentence before anything is downloaded.
        classifier: a network, wrapped by :func:`interpret.models.wrap` or loaded; ``config.model`` is loaded if None.
        photos: the result of a scan of ``config.images``; they are scanned if None.
        roots: folders, resolved, that photos, a checkpoint and a file of class names may be read from; None for any.
        arithmetic: how the network computes; chosen by a trial on some of the photos if None, and an unfinished run
            goes on with what it began with.

    Raises:
        InputError: an option or a file does not fit; what was in ``folder`` before is left as it was.
    """
    folder = Path(folder).absolute()
    started = time.monotonic()
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
    keys = keys_of(config, photos)
    if (folder / "manifest.json").is_file():
        plain = replace(config, extract=replace(config.extract, contrast=0))
        plain_keys = keys_of(plain, photos)
        return existing_study(folder, keys, photos, plain_keys, announce=announce)
    progress(Progress("Preparing the model", 0, 0))
    arithmetic = (
        recorded_arithmetic(folder)
        or arithmetic
        or choose_arithmetic(classifier, device, precision, _trial_photos(config, classifier, photos), announce)
    )
    return _extract(config, classifier, photos, folder, keys, device, arithmetic, progress, started, announce)


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


def _trial_photos(config: RunConfig, classifier: Classifier, photos: PhotoSet) -> list[npt.NDArray[np.uint8]]:
    """The first photos, in the order in which they are explained, as the network sees them."""
    _, first = next(iter(stretches(len(photos.photos), config.shard_size)))
    chosen = [photos.photos[position] for position in first[:PHOTOS].tolist()]
    with Decoders(classifier.preprocessing, config.workers or THREADS) as decoders:
        decoded = list(decoders.ahead(chosen, PHOTOS))
    return [photo.pixels for photo in decoded if photo.pixels is not None]


def _extract(
    config: RunConfig,
    classifier: Classifier,
    photos: PhotoSet,
    folder: Path,
    keys: tuple[str, ...],
    device: torch.device,
    arithmetic: Arithmetic,
    progress: Callback,
    started: float,
    announce: Callable[[str], None] | None,
) -> Study:
    with one_thread("cpu"):  # a photo or two gain little from helpers, and on a busy machine wait for them
        extractor, n_units = make_extractor(classifier, config.extract, device, arithmetic)
    total = len(photos.photos)
    manifest = study_manifest(config, classifier, photos, keys[0], n_units, device, arithmetic)
    check_new(manifest, folder)  # before hours of work, not after them
    with Workspace(folder, keys, arithmetic) as workspace:
        if (folder / "manifest.json").is_file():  # another run made it while this one loaded the model
            workspace.discard()
            return existing_study(folder, keys, photos, announce=announce)
        write_prints(photos.prints, workspace.folder)
        parts = list(stretches(total, config.shard_size))
        done = 0
        bad: dict[int, int] = {}  # of each shard: how many of its photos are skipped, as far as is known
        resumed = [index for index, _ in parts if workspace.has(index)]
        forward = ForwardPasses(extractor, config.batch_size)
        with (
            decoders_for(classifier.preprocessing, config.workers, device, total) as decoders,
            Passes(extractor.network, device, config.batch_size) as passes,
            lone_threads(1, "finish") as finisher,  # works beside the passes
            lone_threads(1, "write") as writer,
        ):
            written: Future[dict[int, int]] = Future()
            written.set_result({})
            for index, positions in parts:
                if index in resumed:
                    bad[index] = len(positions) - workspace.images_done(index)
                else:

                    def on_batch(explained: int, skipped: int, start: int = done, index: int = index) -> None:
                        bad[index] = skipped
                        progress(Progress("Explaining photos", start + explained, total, sum(bad.values())))

                    chosen = [photos.photos[position] for position in positions.tolist()]
                    deal = Deal(len(classifier.class_names), config.extract.contrast, (0, index))
                    decoded = decoders.ahead(chosen, 2 * config.batch_size)
                    shard = explain_shard(
                        decoded, extractor, deal, config.batch_size, forward, passes, finisher, on_batch
                    )
                    bad.update(written.result())  # waited for, so that no more than two shards are in memory
                    written = writer.submit(_write, workspace, index, shard)
                done += len(positions)
                progress(Progress("Explaining photos", done, total, sum(bad.values())))
            skipped = sum((bad | written.result()).values())
        progress(Progress("Writing the study", 0, 0, skipped))
        before = pa.Table.from_pylist([{"path": s.name, "reason": s.reason} for s in photos.skipped], SKIPPED)
        if done == skipped:
            reason = _first_reason(workspace, len(parts))
            workspace.discard()
            raise InputError(f"None of the {total} files in {photos.root} can be read as a photo ({reason}).")
        assembled = workspace.assemble(len(parts), before)
        write_prints(photos.prints, assembled)
        manifest = study_manifest(config, classifier, photos, workspace.key, n_units, device, arithmetic)
        manifest["files"] = file_digests(assembled, FILES)
        manifest["counts"] = asdict(Study(assembled, manifest).counted())
        manifest["timings"] = {"seconds": round(time.monotonic() - started, 3), "shards_resumed": len(resumed)}
        write_manifest(manifest, assembled)
        workspace.finish(assembled)
    return open_study(folder, announce)


def _write(workspace: Workspace, index: int, shard: Future[Shard]) -> dict[int, int]:
    """Write a shard once it is whole; by its index, how many of its photos were skipped."""
    whole = shard.result()
    workspace.put(index, whole)
    return {index: len(whole.skipped)}


def _first_reason(workspace: Workspace, parts: int) -> str:
    """The first file that was skipped, and why."""
    import pyarrow.parquet as pq

    for index in range(parts):
        rows = pq.read_table(workspace.folder / f"{index:06d}" / "skipped.parquet").to_pylist()
        if rows:
            return f"{rows[0]['path']}: {rows[0]['reason']}"
    return "there are none"
