"""Contrastive transactions: a unit stays only where it contributes more than in photos explained for the class anyhow.

Unit k of a patch explained for c stays among the N best only where its score exceeds the q quantile of what k scores in
c's contrast patches (see docs/contrast.md). What c shares with another class must not count against it: the contrast
photos of the m other classes in which k scores most, on average, are left out. So that the contrast can still test what
is mined, photos are dealt into two halves: the quantiles that a photo's patches are held to come from the contrast
photos of the other half.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
Units = npt.NDArray[np.int32]


def halves(n_images: int, seed: int = 0) -> npt.NDArray[np.bool_]:
    """(n_images,) bool, which half each photo is dealt to; as equal as can be."""
    half = np.zeros(n_images, np.bool_)
    half[np.random.default_rng([seed, n_images]).permutation(n_images)[: n_images // 2]] = True
    return half


class Quantiles:
    """The q quantile of every unit's score in each class's contrast patches, for each half of the photos.

    A unit that is not among those stored of a patch counts as scoring 0 there.

    Args:
        units: (Q, N) the stored units of the contrast patches, best first, below 0 at the end of short rows.
        scores: (Q, N) their scores.
        targets: (Q,) the class that each patch was explained for.
        predicted: (Q,) the class that each patch's photo is predicted as.
        half: (Q,) bool, the half of each patch's photo.
        n_units: K (count).
        quantile: q, 0 to 1: the smallest score that at least this share of the patches does not exceed.
        shared: m, how many other classes may share a unit (count); at least one class of the contrast always counts.
    """

    def __init__(
        self,
        units: Units,
        scores: Scores,
        targets: Ints,
        predicted: Ints,
        half: npt.NDArray[np.bool_],
        n_units: int,
        quantile: float,
        shared: int = 0,
    ) -> None:
        self.n_units = n_units
        self.groups, group = np.unique(2 * targets.astype(np.int64) + half, return_inverse=True)
        others, other = np.unique(predicted, return_inverse=True)
        self.table = np.zeros((len(self.groups), n_units), np.float32)
        share = Fraction(repr(float(quantile)))
        order = np.argsort(group, kind="stable")
        starts = np.searchsorted(group[order], np.arange(len(self.groups) + 1))
        for first, last in _runs(starts * max(1, units.shape[1]), n_units):
            rows = order[starts[first] : starts[last]]
            of, column = group[rows] - first, other[rows]
            patches = np.bincount(of * len(others) + column, minlength=(last - first) * len(others))
            patches = patches.reshape(last - first, len(others))
            held = units[rows] >= 0
            # One entry a stored score: its key is its group and unit.
            key, values = (of[:, None] * n_units + units[rows])[held], scores[rows][held]
            n = patches.sum(axis=1).repeat(n_units)  # contrast patches that count, by key
            if shared:
                of_class = np.broadcast_to(column[:, None], held.shape)[held]
                key, values = _unshared(key, of_class, values, patches, n, shared)
            key, values = _sorted(key, values)
            # The score in this place, counted from the largest, is the quantile; the rest that is not stored is 0.
            keys, end = _ends(key)
            place = n[keys] - _ceilings(share, n[keys])
            reached = place < np.diff(end, prepend=0)
            self.table[first:last].ravel()[keys[reached]] = values[(end - 1 - place)[reached]]

    @classmethod
    def of(cls, groups: Ints, table: Scores) -> "Quantiles":
        """Quantiles that were made before.

        Args:
            groups: (G,) ascending, twice the class, and one more for the second half of the photos.
            table: (G, K) the quantile of each unit.
        """
        made = cls.__new__(cls)
        made.groups, made.table, made.n_units = groups, table, table.shape[1]
        return made

    def kept(self, units: Units, scores: Scores, targets: Ints, half: npt.NDArray[np.bool_]) -> tuple[Units, Scores]:
        """The units of patches that exceed the quantiles of the other half of the photos; the others are taken out.

        Takes what the class takes; where the other half has no contrast patch of the class, nothing is taken out.

        Returns:
            Units and scores, (P, N) each, in the same order, filled up with -1 and 0.
        """
        left = np.full(units.shape, -1, np.int32), np.zeros(units.shape, np.float32)
        step = max(1, _ENTRIES // max(1, units.shape[1]))
        for at in range(0, len(units), step):
            rows = slice(at, at + step)
            stays = self._exceeds(units[rows], scores[rows], targets[rows], half[rows])
            held = np.count_nonzero(stays, axis=1)
            ends = np.cumsum(held)
            kept = np.flatnonzero(stays)
            place = np.arange(len(kept)) + (np.arange(len(held)) * units.shape[1] - (ends - held)).repeat(held)
            for given, filled in zip((units, scores), left, strict=True):
                filled[rows].reshape(-1)[place] = given[rows].reshape(-1)[kept]
        return left

    def _exceeds(
        self, units: Units, scores: Scores, targets: Ints, half: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """(P, N) which units of patches :meth:`kept` keeps."""
        if not len(self.groups):
            return units >= 0
        wanted = 2 * targets.astype(np.int64) + ~half
        place = np.minimum(np.searchsorted(self.groups, wanted), len(self.groups) - 1)
        limit = self.table.take(place[:, None] * self.n_units + np.maximum(units, 0))
        limit[self.groups[place] != wanted] = -np.inf
        return (units >= 0) & (scores > limit)


_ENTRIES = 1 << 16
"""Stored scores of contrast patches that are handled at once (count): what stays in a processor's cache."""


_KEYS = 1 << 22
"""Groups times units that are handled at once (count), unless one group has more."""


def _runs(starts: Ints, n_units: int) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring groups, as first and last + 1, of about ``_ENTRIES`` scores in all."""
    most = max(1, _KEYS // max(1, n_units))
    at = 0
    while at < len(starts) - 1:
        until = int(np.searchsorted(starts, starts[at] + _ENTRIES, side="right")) - 1
        until = max(at + 1, min(until, at + most))
        yield at, until
        at = until


_PACKED = 1 << 32
"""Different keys that can be packed with a score into one number (count)."""


def _sorted(key: Ints, values: Scores) -> tuple[Ints, Scores]:
    """Keys (n,) and values (n,) sorted by key, then by value, ascending; keys are below ``_PACKED``.

    Both are packed into one number, for which NumPy's sort is several times faster than by two columns.
    """
    bits = values.view(np.uint32) + np.uint32(0)
    # The order of floats as that of whole numbers: negative ones descend in their bits.
    bits ^= np.where(bits >> np.uint32(31), np.uint32(0xFFFFFFFF), np.uint32(0x80000000))
    packed = key.astype(np.uint64) << np.uint64(32) | bits
    packed.sort()
    bits = packed.astype(np.uint32)
    bits ^= np.where(bits >> np.uint32(31), np.uint32(0x80000000), np.uint32(0xFFFFFFFF))
    return (packed >> np.uint64(32)).astype(np.int64), bits.view(np.float32)


def _ends(ascending: Ints) -> tuple[Ints, Ints]:
    """The different values of (n,) ascending numbers, and where the entries of each end."""
    end = np.flatnonzero(np.diff(ascending, append=-1)) + 1
    return ascending[end - 1], end


def _ceilings(share: Fraction, n: Ints) -> Ints:
    """The share of each of (n,) counts, rounded up, without the error of a product of floats."""
    sizes, at = np.unique(n, return_inverse=True)
    return np.array([-(-share.numerator * size // share.denominator) for size in sizes.tolist()], np.int64)[at]


def _unshared(key: Ints, of_class: Ints, values: Scores, patches: Ints, n: Ints, shared: int) -> tuple[Ints, Scores]:
    """The keys and values of scores that are not of the classes that share a unit; ``n`` loses their patches.

    Args:
        key: (entries,) group times K plus unit of each score.
        of_class: (entries,) the class that its photo is predicted as, a column of ``patches``.
        values: (entries,) the scores.
        patches: (groups, classes) contrast patches (count).
        n: (groups * K,) contrast patches that count for each key; changed in place.
        shared: classes to leave out for each key (count).
    """
    n_classes, n_units = patches.shape[1], len(n) // max(1, len(patches))
    pair = key * n_classes + of_class
    if len(n) * n_classes > _PACKED:
        pairs, pair = np.unique(pair, return_inverse=True)
    else:
        pairs = None
    pair, values = _sorted(pair, values)
    found, end = _ends(pair)
    entries = np.diff(end, prepend=0)
    pair_key, pair_class = np.divmod(found if pairs is None else pairs[found], n_classes)
    of_pair = patches[pair_key // n_units, pair_class]
    sums = np.add.reduceat(values, end - entries, dtype=np.float64) if len(values) else np.zeros(0)
    mean = sums / of_pair
    keys, key_end = _ends(pair_key)
    pairs_of_key = np.diff(key_end, prepend=0)
    most = np.minimum(shared, (patches > 0).sum(axis=1) - 1)[keys // n_units]
    left_out = np.zeros(len(found), np.bool_)
    for step in range(int(most.max(initial=0))):  # the class with the largest mean, the first of several, then the next
        best = np.maximum.reduceat(mean, key_end - pairs_of_key)
        at = np.flatnonzero(mean == best.repeat(pairs_of_key))
        owner = np.searchsorted(key_end, at, side="right")
        at = at[np.diff(owner, prepend=-1) > 0]
        left_out[at[(most > step) & (best > -np.inf)]] = True
        mean[at] = -np.inf
    np.subtract.at(n, pair_key[left_out], of_pair[left_out])
    stays = np.repeat(~left_out, entries)
    return np.repeat(pair_key, entries)[stays], values[stays]
