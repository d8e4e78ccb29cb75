"""Sums of weights over groups, for one weighting after another: what a resampling does hundreds of times."""

import itertools
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from interpret.mining.engine.layout import Ints
from interpret.mining.engine.placement import Placement

if TYPE_CHECKING:
    from torch import Tensor

_ENTRY = 3e-9
"""What an entry takes the CPU in each sum (seconds, measured)."""


class GroupSums:
    """Sums over groups of entries, each of which takes the weight of what it is of.

    Args:
        of: (n,) int64, what each entry is of: an index into the weights.
        group: (n,) int64, the group of each entry, ascending.
        n_groups: groups, of which some may have no entry (count).
        times: how many weightings will come (count).
        place: where the sums are made.
    """

    def __init__(self, of: Ints, group: Ints, n_groups: int, times: int, place: Placement) -> None:
        self.of, self.group, self.n_groups, self.place = of, group, n_groups, place
        self.seconds = _ENTRY * len(of) * times
        self.ends = np.flatnonzero(np.diff(group, append=-1)) + 1  # of the groups that have entries
        self.groups = group[self.ends - 1]
        self._held: tuple[str, Tensor] | None = None

    def __call__(self, weight: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Ints:
        """(groups,) int64 sums of ``weight``, whole numbers below 2**31 or truth values."""
        sums = np.zeros(self.n_groups, np.int64)
        if len(self.of):
            sums[self.groups] = self.place.run(self.seconds, lambda device: self._sums(weight, device))
        return sums

    def _sums(self, weight: npt.NDArray[np.integer] | npt.NDArray[np.bool_], device: str) -> Ints:
        if device == "cpu":
            self._held = None
            if weight.dtype == np.bool_:  # few are true
                return np.bincount(self.group[weight[self.of]], minlength=self.n_groups)[self.groups]
            starts = np.concatenate([[0], self.ends[:-1]])
            return np.add.reduceat(weight[self.of], starts, dtype=np.int64)
        import torch

        from interpret.mining.engine.join import default_chunk, pick, tensor_device

        place = tensor_device(device)
        if self._held is None or self._held[0] != device:
            self._held = device, torch.from_numpy(self.of.astype(np.int32)).to(place)
        of, chunk = self._held[1], default_chunk(place)
        weights = torch.from_numpy(weight.astype(np.int32)).to(place)
        totals, done = [], torch.zeros(1, dtype=torch.int64, device=place)
        cuts = [*range(0, len(of), chunk), len(of)]
        ends = np.searchsorted(self.ends, cuts, side="right")
        for (lo, hi), (first, last) in zip(itertools.pairwise(cuts), itertools.pairwise(ends), strict=True):
            total = torch.cumsum(pick(weights, of[lo:hi]), 0, dtype=torch.int64).add_(done)
            done = total[-1:]
            totals.append(pick(total, torch.from_numpy(self.ends[first:last] - lo - 1).to(place)).cpu())
        return np.diff(torch.cat(totals).numpy(), prepend=0)
