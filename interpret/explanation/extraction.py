"""From photos to a study on disk: its patches and their units, not yet mined; interrupted runs resume."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from interpret.config import Arithmetic, RunConfig
from interpret.data.datasets import PhotoSet
from interpret.errors import InputError
from interpret.explanation.extractor import Extractor, make_extractor
from interpret.explanation.identity import existing_study
from interpret.explanation.manifest import study_manifest
from interpret.explanation.part_explainer import PartExplainer
from interpret.explanation.plan import Plan, make_plan
from interpret.explanation.ray_pool import RayOptions
from interpret.explanation.ray_workers import explain_parts
from interpret.models import Classifier
from interpret.progress import Callback, Progress, silent
from interpret.study import Study, open_study
from interpret.study.digests import file_digests
from interpret.study.manifest import check_new, write_manifest
from interpret.study.prints import write_prints
from interpret.study.schema import FILES, SKIPPED
from interpret.study.shards import Shard
from interpret.study.workspace import Workspace
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
    ray: RayOptions | None = None,
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
        ray: where Ray's workers explain the photos; this process does if None. The bytes are the same.

    Raises:
        InputError: an option or a file does not fit; what was in ``folder`` before is left as it was.
    """
    started = time.monotonic()
    plan = make_plan(config, Path(folder).absolute(), progress, announce, classifier, photos, roots)
    existing = plan.existing(announce)
    if existing is not None:
        return existing
    progress(Progress("Preparing the model", 0, 0))
    return _extract(plan, plan.arithmetic(announce, arithmetic), progress, started, announce, ray)


def _extract(
    plan: Plan,
    arithmetic: Arithmetic,
    progress: Callback,
    started: float,
    announce: Callable[[str], None] | None,
    ray: RayOptions | None,
) -> Study:
    config, classifier, photos, folder, device = plan.config, plan.classifier, plan.photos, plan.folder, plan.device
    keys = plan.keys
    with one_thread("cpu"):  # a photo or two gain little from helpers, and on a busy machine wait for them
        extractor, n_units = make_extractor(classifier, config.extract, device, arithmetic)
    if extractor.reads == "inputs" and announce is not None:
        announce(
            f"Something passes the layer {classifier.layer!r} by, so that ablating its units runs the whole network: "
            "this is slower, and the study holds its photos at the size of the network's input."
        )
    total = len(photos.photos)
    manifest = study_manifest(config, classifier, photos, keys[0], n_units, device, arithmetic)
    check_new(manifest, folder)  # before hours of work, not after them
    with Workspace(folder, keys, arithmetic) as workspace:
        if (folder / "manifest.json").is_file():  # another run made it while this one loaded the model
            workspace.discard()
            return existing_study(folder, keys, photos, announce=announce)
        write_prints(photos.prints, workspace.folder)
        parts = plan.parts
        resumed = [index for index, _ in parts if workspace.has(index)]
        if ray is None:
            skipped = _explain_here(plan, extractor, workspace, resumed, progress)
        else:
            skipped = _explain_on_ray(plan, arithmetic, workspace, resumed, progress, ray)
        progress(Progress("Writing the study", 0, 0, skipped))
        before = pa.Table.from_pylist([{"path": s.name, "reason": s.reason} for s in photos.skipped], SKIPPED)
        if skipped == total:
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


def _explain_here(
    plan: Plan, extractor: Extractor, workspace: Workspace, resumed: list[int], progress: Callback
) -> int:
    """Compute the shards that are not there yet, in this process; how many photos of all shards are skipped (count)."""
    total, done = len(plan.photos.photos), 0
    bad: dict[int, int] = {}  # of each shard: how many of its photos are skipped, as far as is known
    with PartExplainer(plan, extractor) as explainer, lone_threads(1, "write") as writer:
        written: Future[dict[int, int]] = Future()
        written.set_result({})
        for index, positions in plan.parts:
            if index in resumed:
                bad[index] = len(positions) - workspace.images_done(index)
            else:

                def on_batch(explained: int, skipped: int, start: int = done, index: int = index) -> None:
                    bad[index] = skipped
                    progress(Progress("Explaining photos", start + explained, total, sum(bad.values())))

                shard = explainer.explain(index, positions, on_batch)
                bad.update(written.result())  # waited for, so that no more than two shards are in memory
                written = writer.submit(_write, workspace, index, shard)
            done += len(positions)
            progress(Progress("Explaining photos", done, total, sum(bad.values())))
        return sum((bad | written.result()).values())


def _explain_on_ray(
    plan: Plan,
    arithmetic: Arithmetic,
    workspace: Workspace,
    resumed: list[int],
    progress: Callback,
    options: RayOptions,
) -> int:
    """The same by Ray's workers; shards are written here as they come."""
    total, sizes = len(plan.photos.photos), {index: len(positions) for index, positions in plan.parts}
    done = sum(sizes[index] for index in resumed)
    skipped = sum(sizes[index] - workspace.images_done(index) for index in resumed)
    left = [part for part in plan.parts if part[0] not in resumed]
    progress(Progress("Explaining photos", done, total, skipped))
    if left:
        with closing(explain_parts(plan, arithmetic, left, options)) as shards:
            for index, shard, workers in shards:
                workspace.put(index, shard)
                done, skipped = done + sizes[index], skipped + len(shard.skipped)
                stage = f"Explaining photos, {workers} worker{'s' if workers > 1 else ''}"
                progress(Progress(stage, done, total, skipped))
    return skipped


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
