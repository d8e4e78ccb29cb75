"""Photos classified again stretch by stretch: the logits with units ablated, by the kind of the head."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from interpret.models.head import Head
from interpret.threads import each_alone

Result = TypeVar("Result")
Ints = npt.NDArray[np.int64]

LINEAR_ROWS = 256
"""Photos classified at a time where the head is linear (count): their logits stay in the processor's cache."""

HEAD_ROWS = 64
"""Photos classified at a time by any other head (count)."""

LOGITS_AT_A_TIME = 1 << 18
"""Logits (count) under several settings that a linear head computes in one operation, which costs more than a few."""


@dataclass(frozen=True, eq=False)
class Stretch:
    """Photos of one group that are classified together: their group, and (m,) int64 places among those asked for."""

    group: int
    places: Ints


def stretches_of(head: Head, groups: Ints) -> list[Stretch]:
    """The stretches that photos are classified in, by their (m,) groups."""
    step = LINEAR_ROWS if head.linear else HEAD_ROWS
    order = np.argsort(groups, kind="stable")
    ends = np.flatnonzero(np.diff(groups[order], append=groups.max(initial=0) + 1)) + 1
    return [
        Stretch(int(groups[members[0]]), members[start : start + step])
        for members in np.split(order, ends[:-1])
        for start in range(0, len(members), step)
    ]


def each_stretch(work: Callable[[Stretch], Result], head: Head, groups: Ints) -> Iterator[tuple[Stretch, Result]]:
    """Every stretch with what ``work`` gives for it, in order; on a processor several are worked on at a time.

    Args:
        work: runs the head on a stretch.
        head: the head.
        groups: (m,) int64, the group of each photo.
    """
    stretches = stretches_of(head, groups)
    # Any other head is run by hooks, of which a network holds one at a time.
    several = head.linear and len(stretches) > 1
    alone = each_alone(work, stretches, head.seed_input.device.type) if several else map(work, stretches)
    return zip(stretches, alone, strict=True)


def largest(values: Tensor) -> npt.NDArray[np.int64]:
    """The largest place along the last axis; on a CPU NumPy's argmax is faster than torch's."""
    return values.numpy().argmax(axis=-1) if values.device.type == "cpu" else values.argmax(dim=-1).cpu().numpy()


def alike(settings: Iterable[Ints], most: Callable[[int], int]) -> Iterator[npt.NDArray[np.int64]]:
    """Sets of units (S, k), in order: those next to each other that have as many units go together.

    Args:
        settings: (k,) int64 each.
        most: how many sets of k units may go together (count).
    """
    for size, group in itertools.groupby(settings, len):
        while together := list(itertools.islice(group, max(1, most(size)))):
            yield np.stack(together).astype(np.int64, copy=False)


def linear_logits(
    head: Head, weight_rows: Tensor, features: Tensor, fill: Tensor, keep: bool
) -> Callable[[Tensor], Tensor]:
    """A function from S sets of units (S, k) to logits (S, m, C) with them ablated, or all others with ``keep``.

    Args:
        head: the head, a linear one, given what it reads beside the features.
        weight_rows: (K, C) its weights, those of each unit side by side.
        features: (m, K).
        fill: (K,) the value of each unit where it is ablated.
        keep: ablate all units but those given.
    """
    removed = (features - fill).t().contiguous()  # by how much ablating a unit lowers its feature
    base = head.from_features(fill.expand_as(features) if keep else features)
    sign = 1.0 if keep else -1.0

    def run(units: Tensor) -> Tensor:
        whole = base.expand(len(units), *base.shape)
        if not units.shape[1]:
            return whole
        return torch.baddbmm(whole, removed[units].transpose(1, 2), weight_rows[units], alpha=sign)

    return run


def general_logits(head: Head, activations: Tensor, fill: Tensor, keep: bool) -> Callable[[Tensor], Tensor]:
    """The same by any head, for activations (m, K, h, w) and one set at a time, (1, k) -> (1, m, C)."""
    filled = fill[None, :, None, None].expand_as(activations)

    def run(units: Tensor) -> Tensor:
        changed = (filled if keep else activations).clone()
        changed[:, units[0]] = (activations if keep else filled)[:, units[0]]
        return head.logits(changed).float()[None]

    return run
