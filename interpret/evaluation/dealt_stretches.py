"""Stretches of photos classified by Ray's workers, where the head is not linear: what ablations of many rows take.

A worker gets the head once, and with each stretch what the head reads of its photos: it sees no study. It computes with
as many threads as this process, so that its sums, and what is classified by them, are those of this process.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from interpret.explanation.ray_pool import Pool, RayOptions, connected, put, resources
from interpret.models.head import Head

Ints = npt.NDArray[np.int64]
Classes = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class DealtStretch:
    """Photos of one group, what the head reads of them, and what to ablate.

    Attributes:
        places: (m,) int64, places of the photos among those that were asked for.
        inputs: what :class:`interpret.evaluation.ablation.AblationSet` holds of them but the head.
        settings: S times the units to ablate.
        group: of the photos; nothing is ablated below 0.
        keep: ablate all units but those given.
    """

    places: Ints
    inputs: dict[str, Any]
    settings: Sequence[Ints]
    group: int
    keep: bool


Work = Callable[[Head, DealtStretch], Classes]
Task = tuple[Work, DealtStretch]


class StretchWorker:
    """The head, and the stretches that it is run on; Ray makes an actor of it."""

    def __init__(self, head: Head, threads: int) -> None:
        torch.set_num_threads(threads)
        self._head = head

    def classify(self, work: Work, dealt: DealtStretch) -> Classes:
        """(S, m) the predicted classes, by ``work``."""
        return work(self._head, dealt)


class Dealer:
    """Deals stretches to workers that hold a head; made by :func:`stretch_workers`.

    Attributes:
        head: the head; stretches of another one are not theirs.
        workers: how many there are (count).
    """

    def __init__(self, head: Head, pool: Pool[Task]) -> None:
        self.head, self.workers, self._pool = head, len(pool), pool

    def classified(
        self,
        work: Work,
        photos: Any,
        settings: Sequence[Sequence[Ints]],
        stretches: Iterator[tuple[int, Ints, Ints]],
        keep: bool,
    ) -> Iterator[tuple[Ints, Classes]]:
        """Places and (S, m) predicted classes of each stretch, in the order in which they come.

        Args:
            work: runs the head on a stretch; a function that workers can import.
            photos: an :class:`interpret.evaluation.ablation.AblationSet`.
            settings: see :func:`interpret.evaluation.ablation.classify`.
            stretches: group, places, and positions in ``photos``, of each.
            keep: ablate all units but those given.
        """
        tasks = (
            (
                work,
                DealtStretch(
                    places,
                    _inputs(photos, positions),
                    [units[group] if group >= 0 else np.zeros(0, np.int64) for units in settings],
                    group,
                    keep,
                ),
            )
            for group, places, positions in stretches
        )
        for (_, dealt), found in self._pool.results(tasks):
            yield dealt.places, found


def _inputs(photos: Any, positions: Ints) -> dict[str, Any]:
    """What a head reads of some photos, as arguments of another set."""
    rows = photos.rows[positions]
    return {
        "labels": np.zeros(len(rows), np.int64),
        "features": np.asarray(photos.features[rows]),
        "activations": None if photos.activations is None else np.asarray(photos.activations[rows]),
        "rows": np.arange(len(rows), dtype=np.int64),
        "fill": photos.fill,
        "beside": None if photos.beside is None else np.asarray(photos.beside[rows]),
        "preprocessing": photos.preprocessing,
    }


@contextmanager
def stretch_workers(head: Head, options: RayOptions) -> Iterator[Dealer]:
    """Workers that hold a head, for as long as the block lasts.

    Args:
        head: one that is not linear; a linear one is done here faster than its photos are sent.
        options: where the workers are, and how many.

    Raises:
        InputError: Ray is not installed or not reached, or the head cannot be sent.
    """
    with connected(options.address) as ray:
        on_gpu = head.seed_input.device.type == "cuda"
        cores, gpus = resources(ray)
        threads = torch.get_num_threads()
        count = options.workers or (max(1, gpus) if on_gpu else max(1, cores // threads))
        taken = 1 if on_gpu else max(1, min(threads, cores // count))
        actor = ray.remote(num_cpus=taken, num_gpus=1 if on_gpu else 0, max_restarts=0)(StretchWorker)
        given = put(ray, head, head.network, "leave out --ray")

        def ask(worker: Any, task: Task) -> Any:
            return worker.classify.remote(*task)

        def named(task: Task) -> str:
            return f"{len(task[1].places)} photos of group {task[1].group}"

        yield Dealer(head, Pool(ray, count, lambda: actor.remote(given, threads), ask, named))
