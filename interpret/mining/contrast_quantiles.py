"""Contrastive transactions: a unit stays only where it contributes more than in photos explained for the class anyhow.

Unit k of a patch explained for c stays among the N best only where its score exceeds the q quantile of what k scores in
c's contrast patches (see docs/contrast.md). So that the contrast can still test what is mined, photos are dealt into
two halves: the quantiles that a photo's patches are held to come from the contrast photos of the other half.
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
        half: (Q,) bool, the half of each patch's photo.
        n_units: K (count).
        quantile: q, 0 to 1: the smallest score that at least this share of the patches does not exceed.
    """

    def __init__(
        self, units: Units, scores: Scores, targets: Ints, half: npt.NDArray[np.bool_], n_units: int, quantile: float
    ) -> None:
        self.n_units = n_units
        self.groups, group = np.unique(2 * targets.astype(np.int64) + half, return_inverse=True)
        patches = np.bincount(group, minlength=len(self.groups))
        share = Fraction(repr(float(quantile)))
        # The score in this place, counted from the largest, is the quantile; the rest that is not stored is 0.
        place = np.array([int(n) - -(-share.numerator * int(n) // share.denominator) for n in patches], np.int64)
        held = units >= 0
        key = (group[:, None] * n_units + units)[held]
        values = scores[held]
        order = np.lexsort((-values, key))
        key, values = key[order], values[order]
        keys, first, count = np.unique(key, return_index=True, return_counts=True)
        at = place[keys // n_units]
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
