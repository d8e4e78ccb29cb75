"""The shards of a run, computed one after the other in whatever order they are asked for."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from interpret.data.photo_files import Sent
from interpret.explanation.contrast_classes import Deal
from interpret.explanation.decoders import decoders_for
from interpret.explanation.extractor import Extractor
from interpret.explanation.forward_passes import ForwardPasses
from interpret.explanation.passes import Passes
from interpret.explanation.plan import Plan
from interpret.explanation.shard import explain_shard
from interpret.study.shards import Shard
from interpret.threads import lone_threads


class PartExplainer:
    """Explains stretches of a run's photos; a context, which holds the threads that work beside each other.

    What a shard holds depends on its own photos only, so that any process may compute any of them.
    """

    def __init__(self, plan: Plan, extractor: Extractor) -> None:
        """Prepare; no thread is started yet.

        Args:
            plan: the run.
            extractor: its network on its device, made by :func:`interpret.explanation.extractor.make_extractor`.
        """
        self._plan, self._extractor = plan, extractor
        self._forward = ForwardPasses(extractor, plan.config.batch_size)
        self._stack = ExitStack()

    def __enter__(self) -> "PartExplainer":
        plan, enter = self._plan, self._stack.enter_context
        photos = len(plan.photos.photos)
        try:
            self._decoders = enter(
                decoders_for(plan.classifier.preprocessing, plan.config.workers, plan.device, photos)
            )
            self._passes = enter(Passes(self._extractor.network, plan.device, plan.config.batch_size))
            self._finisher = enter(lone_threads(1, "finish"))  # works beside the passes
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.__exit__(*failure)  # type: ignore[arg-type]

    def explain(
        self,
        index: int,
        positions: npt.NDArray[np.int64],
        on_batch: Callable[[int, int], None],
        contents: Sequence[Sent] | None = None,
    ) -> "Future[Shard]":
        """Explain the photos of a shard; patches of its last batches may still be cut when this returns.

        Args:
            index: the shard's number.
            positions: (n,) of its photos among those of the plan.
            on_batch: called with how many of them are explained, and how many are skipped, after each batch.
            contents: (n,) the bytes of the photos; read from their paths if None.
        """
        plan = self._plan
        chosen = [plan.photos.photos[position] for position in positions.tolist()]
        if contents is not None:
            chosen = [replace(photo, file=content) for photo, content in zip(chosen, contents, strict=True)]
        deal = Deal(len(plan.classifier.class_names), plan.config.extract.contrast, (0, index))
        decoded = self._decoders.ahead(chosen, 2 * plan.config.batch_size)
        return explain_shard(
            decoded,
            self._extractor,
            deal,
            plan.config.batch_size,
            self._forward,
            self._passes,
            self._finisher,
            on_batch,
        )
