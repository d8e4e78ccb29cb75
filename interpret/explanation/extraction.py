"""From photos to a study on disk: its patches and their units, not yet mined; interrupted runs resume."""

import datetime
import platform
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch

from interpret import models
from interpret.config import ModelConfig, RunConfig
from interpret.data import datasets
from interpret.data.datasets import PhotoSet
from interpret.errors import InputError
from interpret.explanation.extractor import DecodedPhoto, Extractor, decode_ahead
from interpret.explanation.identity import existing_study, refuse_foreign, study_keys
from interpret.explanation.shard_builder import ShardBuilder
from interpret.files import write_json
from interpret.models import Classifier
from interpret.models.head import find_head
from interpret.models.precision import choose_device, choose_precision, prepare
from interpret.progress import Callback, Progress, silent
from interpret.study import Study, open_study
from interpret.study.prints import read_prints, write_prints
from interpret.study.schema import SCHEMA_VERSION, SKIPPED
from interpret.study.shards import Shard
from interpret.study.workspace import Workspace, partial_folder, stretches

PACKAGES = ("torch", "torchvision", "timm", "numpy", "pillow", "scipy", "scikit-image", "pyarrow", "pyfim")


def extract(
    config: RunConfig,
    folder: str | Path,
    progress: Callback = silent,
    *,
    announce: Callable[[str], None] | None = None,
    classifier: Classifier | None = None,
    photos: PhotoSet | None = None,
) -> Study:
    """From photos to a study with patches and units, not yet mined.

    Args:
        config: model, photos and options.
        folder: the study's folder; made by renaming once everything is in it.
        progress: called often, from the thread that called this.
        announce: called with one sentence before anything is downloaded.
        classifier: a network wrapped by :func:`interpret.models.wrap`, used instead of ``config.model``'s name.
        photos: what a scan of ``config.images`` gave, if it was made already.

    Raises:
        InputError: something given does not fit; nothing that was in ``folder`` before is lost.
    """
    folder = Path(folder).absolute()
    started = time.monotonic()
    refuse_foreign(folder)
    progress(Progress("Loading the model", 0, 0))
    classifier = classifier or models.load(config.model, announce=announce)
    device = choose_device(config.model.device)
    precision = choose_precision(config.model.precision, device)
    progress(Progress("Looking for photos", 0, 0))
    photos = photos or datasets.scan(
        config.images,
        classifier.class_names,
        classifier.wnids,
        limit=config.limit,
        known=read_prints(folder, partial_folder(folder)),
        announce=announce,
    )
    keys = study_keys(config, classifier, photos, device, precision)
    if (folder / "manifest.json").is_file():
        return existing_study(folder, keys, photos)
    return _extract(config, classifier, photos, folder, keys, device, precision, progress, started)


def make_extractor(
    classifier: Classifier, config: RunConfig, device: torch.device, precision: str
) -> tuple[Extractor, int]:
    """The network made ready for extraction, and its number of units K.

    Raises:
        InputError: the layer does not fit, or the network does not run in this precision.
    """
    height, width = classifier.preprocessing.size
    generator = torch.Generator().manual_seed(0)
    trial = torch.rand(2, 3, height, width, generator=generator) * 2 - 1
    # A network that was wrapped may be on any device and of any type.
    exact = prepare(classifier.network, classifier.layer, device, "float32", trial[:1])
    head = find_head(exact, classifier.layer, trial.to(device))
    network = exact if precision == "float32" else prepare(exact, classifier.layer, device, precision, trial[:1])
    extractor = Extractor(
        network, classifier.layer, classifier.preprocessing, config.extract, device, keep_activations=not head.linear
    )
    n_units = extractor.grad_cam(trial.to(device)).alphas.shape[1]
    return extractor, n_units


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
) -> Study:
    extractor, n_units = make_extractor(classifier, config, device, precision)
    total = len(photos.photos)
    with Workspace(folder, keys) as workspace:
        if (folder / "manifest.json").is_file():  # another run made it while this one loaded the model
            workspace.discard()
            return existing_study(folder, keys, photos)
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

                    def tell(part: int, bad: int, start: int = start, earlier: int = earlier) -> None:
                        progress(Progress("Explaining photos", start + part, total, earlier + bad))

                    chosen = [photos.photos[position] for position in positions]
                    decoded = decode_ahead(chosen, classifier.preprocessing, decoders, 2 * config.batch_size)
                    shard = _shard(decoded, extractor, config.batch_size, finisher, tell)
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
        study = Study(assembled, _manifest(config, classifier, photos, workspace.key, n_units, device, precision))
        study.manifest["counts"] = _counts(study)
        study.manifest["timings"] = {"seconds": round(time.monotonic() - started, 3), "shards_resumed": len(resumed)}
        write_json(study.manifest, assembled / "manifest.json")
        workspace.finish(assembled)
    return open_study(folder)


def _shard(
    decoded: Any,
    extractor: Extractor,
    batch_size: int,
    finisher: ThreadPoolExecutor,
    tell: Callable[[int, int], None],
) -> Shard:
    """Explain the photos of one stretch; patches of a batch are cut while the network explains the next."""
    builder = ShardBuilder(extractor)
    batch: list[DecodedPhoto] = []
    pending: Future[None] | None = None
    seen = 0

    def explain_batch() -> None:
        nonlocal pending, batch
        inputs = extractor.inputs([each.pixels for each in batch if each.pixels is not None])
        explanation = extractor.grad_cam(inputs)
        if pending is not None:
            pending.result()
        if extractor.config.encoding == "crop":  # needs the network again, which only one thread may hook at a time
            builder.add(batch, inputs, explanation)
        else:
            pending = finisher.submit(builder.add, batch, inputs, explanation)
        batch = []
        tell(seen, len(builder.skipped))

    for each in decoded:
        seen += 1
        if each.pixels is None:
            builder.skip(each)
            continue
        batch.append(each)
        if len(batch) == batch_size:
            explain_batch()
    if batch:
        explain_batch()
    if pending is not None:
        pending.result()
    return builder.shard()


def _first_reason(workspace: Workspace, parts: int) -> str:
    import pyarrow.parquet as pq

    for index in range(parts):
        rows = pq.read_table(workspace.folder / f"{index:06d}" / "skipped.parquet").to_pylist()
        if rows:
            return f"{rows[0]['path']}: {rows[0]['reason']}"
    return "there are none"


def _counts(study: Study) -> dict[str, int]:
    with_patch = study.patches["image_id"].nunique()
    return {
        "images": len(study.images),
        "patches": len(study.patches),
        "skipped": len(study.skipped),
        "images_without_patch": len(study.images) - int(with_patch),
        "labelled": int(study.images["label"].notna().sum()),
        "classes_predicted": int(study.images["predicted"].nunique()),
    }


def _manifest(
    config: RunConfig,
    classifier: Classifier,
    photos: PhotoSet,
    key: str,
    n_units: int,
    device: torch.device,
    precision: str,
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "key": key,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "config": asdict(replace(config, model=_model_options(config, classifier))),
        "model": classifier.name,
        "wrapped": classifier.config is None,
        "network_class": type(classifier.network).__name__,
        "weights": {"digest": classifier.weights_digest, "source": classifier.source},
        "layer": classifier.layer,
        "n_units": n_units,
        "class_names": list(classifier.class_names),
        "preprocessing": classifier.preprocessing.to_dict(),
        "precision": precision,
        "device": device.type,
        "images_root": str(photos.root),
        "fingerprint": photos.fingerprint,
        "former_fingerprint": photos.former_fingerprint,
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _model_options(config: RunConfig, classifier: Classifier) -> ModelConfig:
    """The options that the classifier was loaded by; of a wrapped one, its name and layer."""
    made_by = classifier.config or ModelConfig(model=classifier.name, layer=classifier.layer)
    return replace(made_by, precision=config.model.precision, device=config.model.device)


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
