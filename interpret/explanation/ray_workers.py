"""The shards of a run computed by Ray's workers, on this machine or on a cluster; results come back to this process."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from interpret import models
from interpret.config import Arithmetic
from interpret.data.photo_files import Sent
from interpret.data.photos import sent
from interpret.errors import InputError
from interpret.explanation.extractor import make_extractor
from interpret.explanation.part_explainer import PartExplainer
from interpret.explanation.plan import Plan
from interpret.explanation.ray_pool import Pool, RayOptions, connected, put, resources
from interpret.models.own_network import ARCHIVE, PickledArchive
from interpret.study.shards import Shard
from interpret.threads import one_thread

Part = tuple[int, npt.NDArray[np.int64]]

CORES = 4
"""Processors of a worker without a GPU, where the machines have as many (count)."""

READERS = 8
"""Threads that read the photos of a shard that are sent with it (count)."""


class Worker:
    """The network, loaded once, and the shards that it is asked for; Ray makes an actor of it."""

    def __init__(self, plan: Plan, arithmetic: Arithmetic, threads: int) -> None:
        self._fault: InputError | None = None
        try:
            self._prepare(plan, arithmetic, threads)
        except InputError as error:  # raised by its first task: of an actor's own beginning Ray tells too little
            self._fault = error

    def _prepare(self, plan: Plan, arithmetic: Arithmetic, threads: int) -> None:
        torch.set_num_threads(max(1, threads))
        if plan.classifier.config is not None:  # it was not sent, but is loaded from a path that all machines see
            loaded = models.load(plan.classifier.config)
            if loaded.weights_digest != plan.classifier.weights_digest:
                raise InputError(f"The weights of {loaded.name} on a worker's machine are not those of this machine.")
            plan = replace(plan, classifier=replace(plan.classifier, network=loaded.network))
        with one_thread("cpu"):
            extractor, _ = make_extractor(plan.classifier, plan.config.extract, plan.device, arithmetic)
        self._explainer = PartExplainer(plan, extractor).__enter__()  # until its process ends

    def explain(self, index: int, positions: npt.NDArray[np.int64], contents: list[Sent] | None = None) -> Shard:
        """The shard of that number; its photos' bytes are ``contents``, or read from their paths if None."""
        if self._fault is not None:
            raise self._fault
        return self._explainer.explain(index, positions, lambda explained, skipped: None, contents).result()


def explain_parts(
    plan: Plan, arithmetic: Arithmetic, parts: list[Part], options: RayOptions, worker: type = Worker
) -> Generator[tuple[int, Shard, int]]:
    """Compute shards on Ray's workers, and give each as it comes: its number, itself, and how many workers there are.

    No worker is asked for more than :data:`~interpret.explanation.ray_pool.AHEAD` shards at a time, so that results do
    not pile up here. A shard whose worker died is asked for again, of another worker.

    Args:
        plan: the run; its photos are read by the workers, from paths that all machines see, or sent to them.
        arithmetic: how the network computes.
        parts: the shards.
        options: where the workers are.
        worker: what each of them is.

    Raises:
        InputError: Ray is not installed or not reached, has no room for a worker, or a shard's workers died
            several times.
    """
    with connected(options.address) as ray:
        on_gpu = plan.device.type == "cuda"
        cores, gpus = resources(ray)
        count = options.workers or (gpus if on_gpu else max(1, cores // CORES))
        threads = max(1, cores // max(count, 1)) if on_gpu or options.workers else min(CORES, cores)
        actor = ray.remote(num_cpus=1 if on_gpu else threads, num_gpus=1 if on_gpu else 0, max_restarts=0)(worker)
        given = (_put(ray, plan, options.ship), ray.put(arithmetic))  # once, not with every worker

        def ask(one: Any, part: Part) -> Any:
            return one.explain.remote(*part, _contents(plan, part) if options.ship else None)

        def named(part: Part) -> str:
            photos = [plan.photos.photos[position].name for position in part[1][:2].tolist()]
            return f"the {len(part[1])} photos of shard {part[0]} ({', '.join(photos)} and others)"

        workers = max(1, min(count, len(parts)))
        pool = Pool[Part](ray, workers, lambda: actor.remote(*given, threads), ask, named)
        for (index, _), shard in pool.results(parts):
            yield index, shard, workers


def _put(ray: Any, plan: Plan, ship: bool) -> Any:
    """The plan where workers find it: with its network if they shall not load that themselves."""
    if ship:
        config, network = plan.classifier.config, plan.classifier.network
        if config is not None and config.model.lower().endswith(ARCHIVE):
            network = PickledArchive(Path(config.model), network)
        plan = replace(plan, classifier=replace(plan.classifier, config=None, network=network))
        advice = "put it where all of them see it, and leave out --ship-photos"
        return put(ray, plan, plan.classifier.network, advice)
    if plan.classifier.config is not None:
        plan = replace(plan, classifier=replace(plan.classifier, network=nn.Identity()))
    return ray.put(plan)


def _contents(plan: Plan, part: Part) -> list[Sent]:
    """The bytes of a shard's photos, read now: no more are in memory than were asked for."""
    files = [plan.photos.photos[position].file for position in part[1].tolist()]
    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(sent, files))
