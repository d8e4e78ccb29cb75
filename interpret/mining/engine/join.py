"""The step that both passes of the torch engine share: join each occurrence with its later siblings.

An *occurrence* says that a transaction holds an itemset. Occurrences lie in groups: those of one transaction whose
itemsets share all units but the last, ascending by that unit. Two occurrences of a group, X + a and X + b with
a < b, make one of the itemset X + a + b: so the next level of Eclat's search (Zaki, "New algorithms for fast discovery
of association rules", KDD 1997) is read off pairs within groups, and the tid-list of every itemset is a set of
occurrences in one flat array.

Itemsets of a level are numbered in the order (prefix, last unit), so siblings have neighbouring numbers and each pair
of siblings (x, y) has a slot ``base[x] + y - x - 1``: counting needs neither a hash nor a sort.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor

NUMBER = torch.int32
"""Type of the large arrays of numbers and positions: none of them reaches 2**31 elements in memory, and looking up
32-bit numbers takes half the time."""


_PAIR_BYTES = 1 << 13
"""Memory that a chunk may come to take for each of its pairs (bytes): a run of 16 chunks on each of ten levels."""


def tensor_device(name: str) -> torch.device:
    """The device that tensors are made on, from a type of device."""
    return torch.device(name)


def on_host(device: torch.device) -> bool:
    """Whether NumPy can work on the memory of the device's tensors."""
    return device.type == "cpu"


def default_chunk(device: torch.device) -> int:
    """Pairs handled at once (count): what stays in a processor's cache, or fills a GPU but not its free memory."""
    if on_host(device):
        return 1 << 18
    return min(1 << 24, max(1 << 16, free_memory(device) // _PAIR_BYTES))


def free_memory(device: torch.device) -> int:
    """Memory that a GPU has left (bytes)."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return max(0, torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return 1 << 30


@dataclass(frozen=True, eq=False)
class Occurrences:
    """Which transactions hold which itemsets of one level.

    Attributes:
        node: (n,) int32, the itemset's number within its level.
        end: (n,) int32, one past the last occurrence of the group.
    """

    node: Tensor
    end: Tensor

    @property
    def later(self) -> Tensor:
        """(n,) int32, how many occurrences follow in the group."""
        return self.end - numbers(len(self.end) + 1, self.end.device)[1:]


def numbers(n: int, device: torch.device) -> Tensor:
    """(n,) int32, 0 to n - 1."""
    return torch.arange(n, device=device, dtype=NUMBER)


def positions(mask: Tensor) -> Tensor:
    """(k,) int64, where ``mask`` (n,) is true, ascending."""
    if on_host(mask.device):  # several times faster than torch's there, on the same memory
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return torch.nonzero(mask, as_tuple=True)[0]


def pick(table: Tensor, at: Tensor) -> Tensor:
    """``table[at]`` for one dimension; on a processor this call takes a fifth of the time of indexing."""
    return torch.index_select(table, 0, at)


def histogram(keys: Tensor, n: int) -> Tensor:
    """(n,) int64, how often each of 0..n-1 comes among ``keys`` (k,)."""
    if on_host(keys.device):  # NumPy takes half of torch's time there
        return torch.from_numpy(np.bincount(keys.numpy(), minlength=n))
    return torch.bincount(keys, minlength=n)


def frequent_keys(keys: Tensor, n: int, least: int, most: int) -> tuple[Tensor, Tensor]:
    """Which of 0..n-1 come ``least`` times or more among ``keys``, none of which comes more than ``most`` times.

    Returns:
        (k,) int64, them ascending, and (k,) int64, how often each comes.
    """
    if on_host(keys.device) and most < 1 << 16:
        # A table of 16 bits stays in the cache: SciPy adds duplicates up in the type of the values, and takes an
        # eighth of the time of a histogram of 64 bits.
        ones = np.ones(len(keys), np.uint16)
        row = csr_array((ones, keys.numpy(), np.array([0, len(keys)], np.int32)), shape=(1, n))
        table = row.toarray()[0]
        found = np.flatnonzero(table >= least)
        return torch.from_numpy(found), torch.from_numpy(table[found].astype(np.int64))
    counts = histogram(keys, n)
    reached = positions(counts >= least)
    return reached, pick(counts, reached)


def unnumbered(n: int, device: torch.device) -> Tensor:
    """(n,) int32, -1 everywhere: no number given yet."""
    if on_host(device):  # NumPy asks the system for large pages, which are there several times sooner
        return torch.from_numpy(np.full(n, -1, np.int32))
    return torch.full((n,), -1, dtype=NUMBER, device=device)


def group_ends(sizes: Tensor) -> Tensor:
    """(sum of sizes,) int32, for the members of consecutive groups one past the last member of their group."""
    return torch.cumsum(sizes, 0).to(NUMBER).repeat_interleave(sizes)


def run_ends(group: Tensor) -> Tensor:
    """(m,) int32, one past the end of the run of equal values that each element is in."""
    return group_ends(torch.unique_consecutive(group, return_counts=True)[1])


def later_siblings(group_end: Tensor) -> Tensor:
    """(m,) int64, how many siblings follow each itemset, where ``group_end`` is one past its last sibling."""
    return group_end.long() - torch.arange(1, len(group_end) + 1, device=group_end.device)


def cuts(sizes: Tensor, most: int) -> list[int]:
    """Positions that cut ``sizes`` (m,) into runs of at most ``most`` in all, or of one element."""
    total = torch.cumsum(sizes, 0)
    if not len(total) or int(total[-1]) <= most:
        return [0, len(total)]
    # Only where the cuts lie leaves the device, and there are few of them.
    places, done = [0], 0
    while places[-1] < len(total):
        at = int(torch.searchsorted(total, done + most, right=True))
        places.append(max(places[-1] + 1, at))
        done = int(total[places[-1] - 1])
    return places


def pairs(occ: Occurrences, left: Tensor, later: Tensor, start: Tensor, chunk: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Every pair of an occurrence in ``left`` with a later one of its group, in slices.

    Args:
        occ: all occurrences of the level.
        left: (l,) positions of occurrences.
        later: (l,) int32, how many occurrences follow each of them.
        start: (m,) int32, for itemset x the slot of (x, y) less y: ``base[x] - x - 1``.
        chunk: pairs in a slice at most (count).

    Yields:
        slot (p,) int32 and the place in ``left`` (p,) int32 of the pair's first occurrence, both in the order of
        ``left``.
    """
    places = cuts(later, chunk)
    for lo, hi in itertools.pairwise(places):
        n_later, first = later[lo:hi], left[lo:hi]
        end = torch.cumsum(n_later, 0)
        total = int(end[-1]) if len(end) else 0
        if not total:
            continue
        # One array says which occurrence of the slice a pair belongs to; everything else is looked up through it.
        owner = torch.repeat_interleave(n_later, output_size=total)
        shift = (first + 1 + n_later - end).to(NUMBER)
        second = pick(shift, owner).add_(numbers(total, owner.device))
        slot = pick(pick(start, pick(occ.node, first)), owner).add_(pick(occ.node, second))
        yield slot, owner.add_(lo)


def joined(owner: Tensor, node: Tensor, n_left: int) -> Occurrences:
    """Occurrences of the next level from the pairs that were kept.

    Args:
        owner: (p,) ascending: which occurrence of this level each pair began with.
        node: (p,) the pair's itemset at the next level.
        n_left: how many occurrences of this level there are (count).
    """
    ends = torch.cumsum(histogram(owner, n_left), 0, dtype=NUMBER)
    return Occurrences(node, pick(ends, owner))
