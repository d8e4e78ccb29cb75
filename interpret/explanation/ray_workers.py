"""The shards of a run computed by Ray's workers, on this machine or on a cluster; results come back to this process.

Actors that are asked by hand, and not Ray Data: a shard is one deterministic piece of work of known size whose worker
needs a network that takes seconds to load, and this process decides what is asked for next and what is asked for again.
"""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
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
from interpret.explanation.sent_networks import code_goes_along
from interpret.study.shards import Shard
from interpret.threads import one_thread

Part = tuple[int, npt.NDArray[np.int64]]

AHEAD = 2
"""Shards that each worker was asked for and has not given yet (count): it begins the next one at once."""

TRIES = 3
"""How often a shard is asked for whose worker died (count)."""

CORES = 4
"""Processors of a worker without a GPU, where the machines have as many (count)."""

READERS = 8
"""Threads that read the photos of a shard that are sent with it (count)."""


@dataclass(frozen=True)
class RayOptions:
    """Where Ray's workers are, how many, and what is sent to them.

    Attributes:
        address: of a running cluster, as ``ray.init`` takes it; a cluster on this machine is started if empty.
        workers: how many (count); if None, one for each GPU, or one for every :data:`CORES` processors.
        ship: whether the bytes of the photos are sent with each shard, and the loaded network to each worker, so that
            workers read nothing from a path.
    """

    address: str = ""
    workers: int | None = None
    ship: bool = False


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

    No worker is asked for more than :data:`AHEAD` shards at a time, so that results do not pile up here. A shard whose
    worker died is asked for again, of another worker.

    Args:
        plan: the run; its photos are read by the workers, from paths that all machines see, or sent to them.
        arithmetic: how the network computes.
        parts: the shards.
        options: where the workers are.
        worker: what each of them is.

    Raises:
        InputError: Ray is not installed or not reached, has no room for a worker, or a shard's workers died
            :data:`TRIES` times.
    """
    try:
        import ray
    except ImportError:
        raise InputError("--ray needs Ray, which is not installed; run `pip install ray`.") from None
    began = not ray.is_initialized()
    if began:
        _join(ray, options.address)
    try:
        yield from _Pool(ray, plan, arithmetic, parts, options, worker).results()
    finally:
        if began:
            ray.shutdown()


def _join(ray: Any, address: str) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    try:
        if address:
            ray.init(address=address, **quiet)
        else:
            ray.init(include_dashboard=False, **quiet)
    except Exception as error:  # of many kinds, by version
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        where = f"at {address}" if address else "on this machine"
        raise InputError(f"Ray cannot be reached {where} ({said}).") from None


def _put(ray: Any, plan: Plan, ship: bool) -> Any:
    """The plan where workers find it: with its network if they shall not load that themselves."""
    if not ship:
        if plan.classifier.config is not None:
            plan = replace(plan, classifier=replace(plan.classifier, network=nn.Identity()))
        return ray.put(plan)
    plan = replace(plan, classifier=replace(plan.classifier, config=None))
    try:
        with code_goes_along(ray.cloudpickle, plan.classifier.network):
            return ray.put(plan)
    except Exception as error:  # of many kinds, by what the network holds
        said = (str(error).strip().splitlines() or ["no message"])[0][:160].rstrip(".")
        raise InputError(
            f"The network cannot be sent to workers ({type(error).__name__}: {said}); put it where all of them see it, "
            "and leave out --ship-photos."
        ) from None


class _Pool:
    """The workers, and what each of them was asked for."""

    def __init__(
        self, ray: Any, plan: Plan, arithmetic: Arithmetic, parts: list[Part], options: RayOptions, worker: type
    ) -> None:
        self._ray = ray
        self._plan = plan
        on_gpu = plan.device.type == "cuda"
        there = ray.cluster_resources()
        cores, gpus = int(there.get("CPU", 1)), int(there.get("GPU", 0))
        count = options.workers or (gpus if on_gpu else max(1, cores // CORES))
        self._count = max(1, min(count, len(parts)))
        threads = max(1, cores // max(count, 1)) if on_gpu or options.workers else min(CORES, cores)
        actor = ray.remote(num_cpus=1 if on_gpu else threads, num_gpus=1 if on_gpu else 0, max_restarts=0)(worker)
        self._ship = options.ship
        given = (_put(ray, plan, options.ship), ray.put(arithmetic))  # once, not with every worker
        self._make = lambda: actor.remote(*given, threads)
        self._waiting = deque(parts)
        self._tries: dict[int, int] = {}
        self._asked: dict[Any, tuple[Any, Part]] = {}

    def results(self) -> Iterator[tuple[int, Shard, int]]:
        """Every shard, in the order in which they come."""
        for worker in [self._make() for _ in range(self._count)]:
            self._ask(worker)
        while self._asked:
            (done, *_), _ = self._ray.wait(list(self._asked))
            worker, part = self._asked.pop(done)
            try:
                shard = self._ray.get(done)
            except self._ray.exceptions.RayActorError as error:
                self._died(worker, part, error)
                continue
            except self._ray.exceptions.RayTaskError as error:
                cause = error.cause if isinstance(error.cause, Exception) else error
                if isinstance(cause, InputError):
                    raise cause from None
                raise InputError(f"A worker failed at {self._named(part)}: {type(cause).__name__}: {cause}.") from None
            yield part[0], shard, self._count
            self._ask(worker)

    def _ask(self, worker: Any) -> None:
        while self._waiting and sum(each is worker for each, _ in self._asked.values()) < AHEAD:
            part = self._waiting.popleft()
            self._tries[part[0]] = self._tries.get(part[0], 0) + 1
            self._asked[worker.explain.remote(*part, self._contents(part))] = (worker, part)

    def _contents(self, part: Part) -> list[Sent] | None:
        """The bytes of a shard's photos, read now: no more are in memory than were asked for."""
        if not self._ship:
            return None
        files = [self._plan.photos.photos[position].file for position in part[1].tolist()]
        with ThreadPoolExecutor(READERS) as readers:
            return list(readers.map(sent, files))

    def _died(self, worker: Any, first: Part, error: Exception) -> None:
        """Another worker takes the place of one that died; what it was asked for is asked for again."""
        lost = [first]
        for reference, (each, part) in list(self._asked.items()):
            if each is worker:
                del self._asked[reference]
                lost.append(part)
                self._tries[part[0]] -= 1  # it waited behind the first, and may be innocent
        if self._tries[first[0]] >= TRIES:
            said = (str(error).strip().splitlines() or ["no message"])[0][:200].rstrip(".")
            raise InputError(f"Workers died {TRIES} times at {self._named(first)} ({said}).")
        self._waiting.extendleft(reversed(lost))
        self._ask(self._make())

    def _named(self, part: Part) -> str:
        photos = [self._plan.photos.photos[position].name for position in part[1][:2].tolist()]
        return f"the {len(part[1])} photos of shard {part[0]} ({', '.join(photos)} and others)"
