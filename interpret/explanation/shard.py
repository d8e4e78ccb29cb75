"""One shard explained: photos are decoded, passed forward and cut into patches at once, each on threads of its own."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from interpret.explanation.contrast_classes import Deal
from interpret.explanation.decoders import DecodedPhoto
from interpret.explanation.extractor import Extractor
from interpret.explanation.forward_passes import ForwardPasses, Passed
from interpret.explanation.gradcam import BatchExplanation, Forward, join
from interpret.explanation.passes import Pass, Passes
from interpret.explanation.shard_builder import ShardBuilder
from interpret.study.shards import Shard

TOGETHER = 4
"""Batches whose patches are cut at once for a GPU (count): a hundred small steps that cost as much for one batch."""


@dataclass(frozen=True, eq=False)
class _Batch:
    """A batch whose forward passes were begun.

    Attributes:
        photos: its photos.
        passes: of each piece of it, in order.
        read: photos of the shard that were read by then, those that cannot be used too (count).
    """

    photos: list[DecodedPhoto]
    passes: list[Pass[Passed]]
    read: int


def explain_shard(
    decoded: Iterable[DecodedPhoto],
    extractor: Extractor,
    deal: Deal,
    batch_size: int,
    forward: ForwardPasses,
    passes: Passes,
    finisher: ThreadPoolExecutor,
    on_batch: Callable[[int, int], None],
) -> "Future[Shard]":
    """Explain the photos of one shard: the network works on later batches while the patches of one are cut.

    Returns:
        The shard, on which the finisher may still work. It ends in the order in which shards were begun.

    Args:
        decoded: the shard's photos, in order.
        extractor: the prepared network and its options.
        deal: the further classes that each photo is explained for; batches draw from it in their order.
        batch_size: photos in a batch.
        forward: passes of the extractor's network.
        passes: threads that run it.
        finisher: one thread, which cuts patches and encodes them.
        on_batch: called after each batch with the number of photos read and of photos skipped in this shard so far.
    """
    builder = ShardBuilder(extractor)
    begun: deque[_Batch] = deque()
    explained: list[tuple[list[DecodedPhoto], list[Pass[BatchExplanation]]]] = []
    finishing: deque[Future[None]] = deque()
    crops = extractor.config.encoding == "crop"
    together = TOGETHER if passes.alone else 1
    batch: list[DecodedPhoto] = []
    read = 0

    def begin() -> None:
        nonlocal batch
        pieces = passes.split([photo.pixels for photo in batch if photo.pixels is not None])
        begun.append(_Batch(batch, [passes.run(partial(forward, pixels=piece)) for piece in pieces], read))
        batch = []

    def explain() -> None:
        first = begun.popleft()
        done = [each.result() for each in first.passes]
        begun_to = _explain(extractor, passes, [(passed, predicted) for _, passed, predicted in done], deal)
        if crops:  # needs the extractor's own network, which only one thread may hook at a time
            seen = [inputs for inputs, *_ in done if inputs is not None]
            builder.add(first.photos, torch.cat(seen), _joined(begun_to))
        else:
            explained.append((first.photos, begun_to))
            if len(explained) == together:
                finish()
        on_batch(first.read, len(builder.skipped))

    def finish() -> None:
        nonlocal explained
        if len(finishing) > 1:
            finishing.popleft().result()
        # Joined there, not here: this thread would wait for helpers, and they for a core that passes keep busy.
        finishing.append(finisher.submit(passes.beside, partial(_add, builder, explained)))
        explained = []

    for photo in decoded:
        read += 1
        if photo.pixels is None:
            builder.skip(photo)
            continue
        batch.append(photo)
        if len(batch) == batch_size:
            begin()
            if len(begun) > passes.ahead(batch_size):
                explain()
    if batch:
        begin()
    while begun:
        explain()
    if explained:
        finish()
    return finisher.submit(_shard, builder, list(finishing))


def _explain(
    extractor: Extractor, passes: Passes, pieces: list[tuple[Forward, Tensor]], deal: Deal
) -> list[Pass[BatchExplanation]]:
    """Begin to explain a batch from the forward passes of its pieces; classes are dealt to the whole batch."""
    predicted = [each for _, each in pieces]
    further: list[Tensor | None] = [None] * len(pieces)
    if deal.width > 0:
        dealt = deal.batch(torch.cat(predicted).cpu().numpy())
        bounds = np.cumsum([len(each) for each in predicted])[:-1]
        further = [torch.from_numpy(np.ascontiguousarray(part)) for part in np.split(dealt, bounds)]

    def explain(_: nn.Module, piece: int) -> BatchExplanation:
        passed, targets = pieces[piece]
        return extractor.explain_pass(passed, targets, further[piece])

    return [passes.run(partial(explain, piece=at)) for at in range(len(pieces))]


def _add(builder: ShardBuilder, explained: Sequence[tuple[list[DecodedPhoto], list[Pass[BatchExplanation]]]]) -> None:
    photos = [photo for part, _ in explained for photo in part]
    builder.add(photos, None, _joined([each for _, part in explained for each in part]))


def _shard(builder: ShardBuilder, before: Sequence["Future[None]"]) -> Shard:
    for each in before:
        each.result()  # done before this on the same thread; raises what it raised
    return builder.shard()


def _joined(explained: Sequence[Pass[BatchExplanation]]) -> BatchExplanation:
    return join([each.result() for each in explained])
