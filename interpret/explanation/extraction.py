"""From photos to a study on disk: its patches and their units, not yet mined; interrupted runs resume."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow as pa
import torch

from interpret import models
from interpret.config import RunConfig
from interpret.data import datasets
from interpret.data.datasets import PhotoSet
from interpret.errors import InputError
from interpret.explanation.contrast_classes import Deal
from interpret.explanation.extractor import DecodedPhoto, Extractor, decode_ahead, make_extractor
from interpret.explanation.identity import existing_study, refuse_foreign, study_keys
from interpret.explanation.manifest import study_manifest
from interpret.explanation.shard_builder import ShardBuilder
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
from interpret.study.workspace import Workspace, partial_folder, stretches


def extract(
    config: RunConfig,
    folder: str | Path,
    progress: Callback = silent,
    *,
    announce: Callable[[str], None] | None = None,
    classifier: Classifier | None = None,
    photos: PhotoSet | None = None,
    roots: Sequence[Path] | None = None,
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
    photos = photos or datasets.scan(
        config.images,
        classifier.class_names,
        classifier.wnids,
        limit=config.limit,
        known=read_prints(folder, partial_folder(folder)),
        announce=announce,
        roots=roots,
    )
    keys = study_keys(config, classifier, photos, device, precision)
    if (folder / "manifest.json").is_file():
        plain = replace(config, extract=replace(config.extract, contrast=0))
        plain_keys = study_keys(plain, classifier, photos, device, precision)
        return existing_study(folder, keys, photos, plain_keys, announce=announce)
    return _extract(config, classifier, photos, folder, keys, device, precision, progress, started, announce)


def _extract(
    config: RunConfig,
    classifier: Classifier,
    photos: PhotoSet,
    folder: Path,
    keys: tuple[str, str],
    device: torch.device,
    precision: str,
    progress: Callback,
    started: float,
    announce: Callable[[str], None] | None,
) -> Study:
    extractor, n_units = make_extractor(classifier, config.extract, device, precision)
    total = len(photos.photos)
    manifest = study_manifest(config, classifier, photos, keys[0], n_units, device, precision)
    check_new(manifest, folder)  # before hours of work, not after them
    with Workspace(folder, keys) as workspace:
        if (folder / "manifest.json").is_file():  # another run made it while this one loaded the model
            workspace.discard()
            return existing_study(folder, keys, photos, announce=announce)
        write_prints(photos.prints, workspace.folder)
        parts = list(stretches(total, config.shard_size))
        done = skipped = 0
        resumed = [index for index, _ in parts if workspace.has(index)]
        with ThreadPoolExecutor(config.workers) as decoders, ThreadPoolExecutor(1) as finisher:
            for index, positions in parts:
                if index in resumed:
                    done += len(positions)
                    skipped += len(positions) - workspace.images_done(index)
                else:
                    start, earlier = done, skipped

                    def on_batch(explained: int, bad: int, start: int = start, earlier: int = earlier) -> None:
                        progress(Progress("Explaining photos", start + explained, total, earlier + bad))

                    chosen = [photos.photos[position] for position in positions.tolist()]
                    deal = Deal(len(classifier.class_names), config.extract.contrast, (0, index))
                    decoded = decode_ahead(chosen, classifier.preprocessing, decoders, 2 * config.batch_size)
                    shard = _shard(decoded, extractor, deal, config.batch_size, finisher, on_batch)
                    workspace.put(index, shard)
                    done += len(positions)
                    skipped += len(shard.skipped)
                progress(Progress("Explaining photos", done, total, skipped))
        progress(Progress("Writing the study", 0, 0, skipped))
        before = pa.Table.from_pylist([{"path": s.name, "reason": s.reason} for s in photos.skipped], SKIPPED)
        if done == skipped:
            reason = _first_reason(workspace, len(parts))
            workspace.discard()
            raise InputError(f"None of the {total} files in {photos.root} can be read as a photo ({reason}).")
        assembled = workspace.assemble(len(parts), before)
        write_prints(photos.prints, assembled)
        manifest = study_manifest(config, classifier, photos, workspace.key, n_units, device, precision)
        manifest["files"] = file_digests(assembled, FILES)
        manifest["counts"] = asdict(Study(assembled, manifest).counted())
        manifest["timings"] = {"seconds": round(time.monotonic() - started, 3), "shards_resumed": len(resumed)}
        write_manifest(manifest, assembled)
        workspace.finish(assembled)
    return open_study(folder, announce)


def _shard(
    decoded: Iterable[DecodedPhoto],
    extractor: Extractor,
    deal: Deal,
    batch_size: int,
    finisher: ThreadPoolExecutor,
    on_batch: Callable[[int, int], None],
) -> Shard:
    """Explain the photos of one shard, and cut the patches of each batch while the network explains the next.

    Args:
        decoded: the shard's photos, in order.
        extractor: the prepared network and its options.
        deal: the further classes that each photo is explained for.
        batch_size: photos per forward pass.
        finisher: one thread, which cuts patches and encodes them.
        on_batch: called after each batch with the number of photos read and of photos skipped in this shard so far.
    """
    builder = ShardBuilder(extractor)
    batch: list[DecodedPhoto] = []
    pending: Future[None] | None = None
    read = 0

    def further(predicted: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(deal.batch(predicted.cpu().numpy()))

    def explain_batch() -> None:
        nonlocal pending, batch
        inputs = extractor.inputs([photo.pixels for photo in batch if photo.pixels is not None])
        explanation = extractor.grad_cam(inputs, further=further if deal.width > 0 else None)
        if pending is not None:
            pending.result()
        if extractor.config.encoding == "crop":  # needs the network again, which only one thread may hook at a time
            builder.add(batch, inputs, explanation)
        else:
            pending = finisher.submit(builder.add, batch, inputs, explanation)
        batch = []
        on_batch(read, len(builder.skipped))

    for photo in decoded:
        read += 1
        if photo.pixels is None:
            builder.skip(photo)
            continue
        batch.append(photo)
        if len(batch) == batch_size:
            explain_batch()
    if batch:
        explain_batch()
    if pending is not None:
        pending.result()
    return builder.shard()


def _first_reason(workspace: Workspace, parts: int) -> str:
    """The first file that was skipped, and why."""
    import pyarrow.parquet as pq

    for index in range(parts):
        rows = pq.read_table(workspace.folder / f"{index:06d}" / "skipped.parquet").to_pylist()
        if rows:
            return f"{rows[0]['path']}: {rows[0]['reason']}"
    return "there are none"
