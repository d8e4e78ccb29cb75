"""One shard explained: photos are decoded, passed forward and cut into patches at once, each on threads of its own."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from interpret.explanation.contrast_classes import Deal
from interpret.explanation.extractor import DecodedPhoto, Extractor
from interpret.explanation.gradcam import BatchExplanation, Forward, join
from interpret.explanation.passes import Passes
from interpret.explanation.shard_builder import ShardBuilder
from interpret.study.shards import Shard


@dataclass(frozen=True, eq=False)
class _Batch:
    """A batch whose forward passes were begun.

    Attributes:
        photos: its photos.
        passes: of each piece of it, in order: what the network saw and answered.
        read: photos of the shard that were read by then, those that cannot be used too (count).
    """

    photos: list[DecodedPhoto]
    passes: list[Future[tuple[Tensor, Forward]]]
    read: int


def explain_shard(
    decoded: Iterable[DecodedPhoto],
    extractor: Extractor,
    deal: Deal,
    batch_size: int,
    passes: Passes,
    finisher: ThreadPoolExecutor,
    on_batch: Callable[[int, int], None],
) -> Shard:
    """Explain the photos of one shard: the network works on later batches while the patches of one are cut.

    Args:
        decoded: the shard's photos, in order.
        extractor: the prepared network and its options.
        deal: the further classes that each photo is explained for; batches draw from it in their order.
        batch_size: photos in a batch.
        passes: threads that run the network.
        finisher: one thread, which cuts patches and encodes them.
        on_batch: called after each batch with the number of photos read and of photos skipped in this shard so far.
    """
    builder = ShardBuilder(extractor)
    begun: deque[_Batch] = deque()
    pending: Future[None] | None = None
    crops = extractor.config.encoding == "crop"
    batch: list[DecodedPhoto] = []
    read = 0

    def begin() -> None:
        nonlocal batch
        pieces = passes.split([photo.pixels for photo in batch if photo.pixels is not None])

        def forward(network: nn.Module, piece: int) -> tuple[Tensor, Forward]:
            inputs = extractor.inputs(pieces[piece])
            return inputs, extractor.forward(network, inputs)

        futures = [passes.run(partial(forward, piece=at)) for at in range(len(pieces))]
        begun.append(_Batch(batch, futures, read))
        batch = []

    def finish() -> None:
        nonlocal pending
        first = begun.popleft()
        done = [future.result() for future in first.passes]
        explained = _explain(extractor, passes, [passed for _, passed in done], deal)
        if pending is not None:
            pending.result()
        if crops:  # needs the extractor's own network, which only one thread may hook at a time
            builder.add(first.photos, torch.cat([inputs for inputs, _ in done]), _joined(explained))
        else:
            # Joined there, not here: this thread would wait for helpers, and they for a core that passes keep busy.
            pending = finisher.submit(lambda: builder.add(first.photos, None, _joined(explained)))
        on_batch(first.read, len(builder.skipped))

    for photo in decoded:
        read += 1
        if photo.pixels is None:
            builder.skip(photo)
            continue
        batch.append(photo)
        if len(batch) == batch_size:
            begin()
            if len(begun) > passes.ahead(batch_size):
                finish()
    if batch:
        begin()
    while begun:
        finish()
    if pending is not None:
        pending.result()
    return builder.shard()


def _explain(extractor: Extractor, passes: Passes, pieces: list[Forward], deal: Deal) -> list[Future[BatchExplanation]]:
    """Begin to explain a batch from the forward passes of its pieces; classes are dealt to the whole batch."""
    predicted = [passed.logits.detach().argmax(dim=1) for passed in pieces]
    further: list[Tensor | None] = [None] * len(pieces)
    if deal.width > 0:
        dealt = deal.batch(torch.cat(predicted).cpu().numpy())
        bounds = np.cumsum([len(each) for each in predicted])[:-1]
        further = [torch.from_numpy(np.ascontiguousarray(part)) for part in np.split(dealt, bounds)]

    def explain(_: nn.Module, piece: int) -> BatchExplanation:
        return extractor.explain_pass(pieces[piece], predicted[piece], further[piece])

    return [passes.run(partial(explain, piece=at)) for at in range(len(pieces))]


def _joined(explained: list[Future[BatchExplanation]]) -> BatchExplanation:
    return join([each.result() for each in explained])
