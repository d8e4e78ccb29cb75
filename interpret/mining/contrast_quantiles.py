"""Contrastive transactions: a unit stays only where it contributes more than in photos explained for the class anyhow.

Unit k of a patch explained for c stays among the N best only where its score exceeds the q quantile of what k scores in
c's contrast patches (see docs/contrast.md). What c shares with another class must not count against it: the contrast
photos of the m other classes in which k scores most, on average, are left out. So that the contrast can still test what
is mined, photos are dealt into two halves: the quantiles that a photo's patches are held to come from the contrast
photos of the other half.
"""

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
        patches = np.zeros((len(self.groups), len(others)), np.int64)
        np.add.at(patches, (group, other), 1)
        held = units >= 0
        # One entry a stored score: its key is its group and unit.
        key = (group[:, None] * n_units + units)[held]
        values, of_class = scores[held], np.broadcast_to(other[:, None], units.shape)[held]
        n = np.repeat(patches.sum(axis=1), n_units)  # contrast patches that count, by key
        if shared:
            stays = _unshared(key, of_class, values, patches, n, shared)
            key, values = key[stays], values[stays]
        order = np.lexsort((-values, key))
        key, values = key[order], values[order]
        keys, first, count = np.unique(key, return_index=True, return_counts=True)
        # The score in this place, counted from the largest, is the quantile; the rest that is not stored is 0.
        share = Fraction(repr(float(quantile)))
        places = {int(size): int(size) - -(-share.numerator * int(size) // share.denominator) for size in np.unique(n)}
        at = np.array([places[size] for size in n[keys].tolist()], np.int64)
        reached = at < count
        self.table = np.zeros((len(self.groups), n_units), np.float32)
        self.table.ravel()[keys[reached]] = values[(first + at)[reached]]

    def kept(self, units: Units, scores: Scores, targets: Ints, half: npt.NDArray[np.bool_]) -> tuple[Units, Scores]:
        """The units of patches that exceed the quantiles of the other half of the photos; the others are taken out.

        Takes what the class takes; where the other half has no contrast patch of the class, nothing is taken out.

        Returns:
            Units and scores, (P, N) each, in the same order, filled up with -1 and 0.
        """
        wanted = 2 * targets.astype(np.int64) + ~half
        place = np.minimum(np.searchsorted(self.groups, wanted), max(0, len(self.groups) - 1))
        known = self.groups[place] == wanted if len(self.groups) else np.zeros(len(wanted), np.bool_)
        limit = np.full(units.shape, -np.inf, np.float32)
        if known.any():
            limit[known] = self.table[place[known][:, None], np.maximum(units[known], 0)]
        stays = (units >= 0) & (scores > limit)
        order = np.argsort(~stays, axis=1, kind="stable")
        held = np.take_along_axis(stays, order, 1)
        return (
            np.where(held, np.take_along_axis(units, order, 1), -1).astype(np.int32),
            np.where(held, np.take_along_axis(scores, order, 1), 0.0).astype(np.float32),
        )


def _unshared(key: Ints, of_class: Ints, values: Scores, patches: Ints, n: Ints, shared: int) -> npt.NDArray[np.bool_]:
    """(entries,) which scores are not of the classes that share a unit; ``n`` loses the patches of these classes.

    Args:
        key: (entries,) group times K plus unit of each score.
        of_class: (entries,) the class that its photo is predicted as, a column of ``patches``.
        values: (entries,) the scores.
        patches: (groups, classes) contrast patches (count).
        n: (groups * K,) contrast patches that count for each key; changed in place.
        shared: classes to leave out for each key (count).
    """
    n_classes, n_units = patches.shape[1], len(n) // max(1, len(patches))
    pairs, pair = np.unique(key * n_classes + of_class, return_inverse=True)
    pair_key, pair_class = np.divmod(pairs, n_classes)
    mean = np.bincount(pair, values, len(pairs)) / patches[pair_key // n_units, pair_class]
    order = np.lexsort((pair_class, -mean, pair_key))
    _, first, count = np.unique(pair_key[order], return_index=True, return_counts=True)
    rank = np.empty(len(pairs), np.int64)
    rank[order] = np.arange(len(pairs)) - np.repeat(first, count)
    left_out = rank < np.minimum(shared, (patches > 0).sum(axis=1) - 1)[pair_key // n_units]
    np.subtract.at(n, pair_key[left_out], patches[pair_key // n_units, pair_class][left_out])
    return ~left_out[pair]
