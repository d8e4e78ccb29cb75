"""Findings against their contrast: the same class explained on photos that the model calls something else.

A patch's units are chosen by the gradient of the class that it is explained for, so that a unit with a large weight for
c is often among the best of any photo explained for c. Whether itemset X goes with class c is therefore asked of two
groups that were explained in the same way: the n_c photos predicted as c, of which a hold X, and the m_c photos that
were predicted as something else and explained for c all the same, of which b hold X. The p-value is Fisher's exact
test of a of n_c against b of m_c, one-sided, over photos. For a class-shared itemset X -> S only contrast photos whose
own class is outside S count.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln

from interpret.mining.rules import fisher
from interpret.stats import benjamini_hochberg

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


MAX_Q = 0.05
"""Largest q-value against the contrast at which a rule is supported."""

MIN_LIFT = 2.0
"""Smallest contrast lift at which a rule is supported: the itemset is twice as frequent as in the contrast."""


def is_supported(rules: pd.DataFrame) -> pd.Series:
    """(rules,) whether each rule's q-value is at most ``MAX_Q`` and its contrast lift at least ``MIN_LIFT``.

    A finding, which is an itemset with all classes of S, is supported where all of its rules are. The q-value alone
    says that own and contrast photos differ, and with many photos a small difference is enough. Nothing is supported
    where the study has no contrast.
    """
    return (rules["image_q_value"] <= MAX_Q) & (rules["contrast_lift"] >= MIN_LIFT)


@dataclass(frozen=True, eq=False)
class ContrastCounts:
    """How often the itemset of each rule X -> c is found where other photos are explained for c.

    Attributes:
        count: (rules,) int64, contrast patches of c that hold X, of photos predicted outside S(X) (count).
        patches: (rules,) int64, all such patches (count).
        image_count: (rules,) int64, contrast photos of c of which a patch holds X (count).
        images: (rules,) int64, all such photos with a patch (count).
        all_images: (C,) int64, contrast photos of each class whatever they are predicted as (count).
        subsets: (C,) float64, sets of units that the own and the contrast transactions of each class have, each
            transaction's counted by themselves.
    """

    count: Ints
    patches: Ints
    image_count: Ints
    images: Ints
    all_images: Ints
    subsets: Floats

    def __post_init__(self) -> None:
        for array in vars(self).values():
            array.setflags(write=False)

    def columns(
        self, own_support: Floats, own: Ints, label: Ints, n_c: Ints, is_mined: npt.NDArray[np.bool_]
    ) -> dict[str, npt.NDArray]:
        """The columns of ``rules.parquet`` that say what the contrast says.

        Args:
            own_support: (rules,) support of the itemset in the class (fraction of its patches).
            own: (rules,) photos of the class of which a patch holds the itemset (count).
            label: (rules,) the rule's class, an index into the classes.
            n_c: (C,) photos of each class (count).
            is_mined: (C,) which classes are mined.

        Returns:
            contrast_count, contrast_patches, contrast_image_count, contrast_images (counts), contrast_support
            (fraction of the contrast patches; NaN without any), contrast_lift (support over contrast support;
            infinite where no contrast patch holds the itemset), image_p_value, image_q_value.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            support = np.where(self.patches > 0, self.count / self.patches, np.nan)
            lift = own_support / support
        p = fisher(own, own + self.image_count, n_c[label], n_c[label] + self.images)
        family = contrast_family(n_c, self.all_images, self.subsets, is_mined)
        tested = np.flatnonzero(own + self.image_count >= family.least[label])
        q = np.ones(len(p))
        q[tested] = benjamini_hochberg(p[tested], max(family.size, len(tested)))
        return {
            "contrast_count": self.count,
            "contrast_patches": self.patches,
            "contrast_support": support,
            "contrast_lift": lift,
            "contrast_image_count": self.image_count,
            "contrast_images": self.images,
            "image_p_value": p,
            "image_q_value": q,
        }


@dataclass(frozen=True, eq=False)
class Family:
    """How many hypotheses a set of rules was chosen from, counted without looking at which group a photo is in.

    Only itemsets that are frequent in a class become rules, so that counting the rules alone would forget that they
    were picked for standing out. An itemset that few photos of a class and of its contrast hold can never stand out,
    however they are dealt to the two groups (Tarone, "A modified Bonferroni method for discrete data", Biometrics
    1990; Terada et al., "Statistical significance of combinatorial regulations", PNAS 2013): it is not tested, and not
    counted. The transactions have ``subsets`` subsets in all, so at most ``subsets / s`` itemsets occur s times.

    Attributes:
        least: (C,) int64, in how many photos of a class and its contrast an itemset must be to be tested (count).
        size: hypotheses in the family (count; a float, since it may be astronomical).
    """

    least: Ints
    size: float


def untested(rules: int) -> dict[str, npt.NDArray]:
    """The columns of :meth:`ContrastCounts.columns` for rules that were held against nothing."""
    counts = ("contrast_count", "contrast_patches", "contrast_image_count", "contrast_images")
    shares = ("contrast_support", "contrast_lift", "image_p_value", "image_q_value")
    return {name: np.zeros(rules, np.int64) for name in counts} | {name: np.full(rules, np.nan) for name in shares}


def contrast_family(
    n_c: Ints, m_c: Ints, subsets: Floats, tested: npt.NDArray[np.bool_], alpha: float = 0.05
) -> Family:
    """The itemsets of each class that could be significant at ``alpha`` (Tarone 1990).

    Args:
        n_c: (C,) photos of each class (count).
        m_c: (C,) contrast photos of each class (count).
        subsets: (C,) sets of units that the class's own and contrast transactions have.
        tested: (C,) which classes are mined.
        alpha: the level that an itemset must be able to reach on its own after Bonferroni's correction.
    """
    least = np.ones(len(n_c), np.int64)
    n_tested = max(1, int(tested.sum()))
    for c in np.flatnonzero(tested):
        s = np.arange(1, int(n_c[c]) + 1)
        n = float(n_c[c] + m_c[c])
        smallest = gammaln(n_c[c] + 1.0) - gammaln(n_c[c] - s + 1.0) - gammaln(n + 1.0) + gammaln(n - s + 1.0)
        enough = smallest + np.log(max(subsets[c], 1.0)) - np.log(s) + np.log(n_tested) <= np.log(alpha)
        least[c] = s[enough.argmax()] if enough.any() else n_c[c] + 1
    return Family(least, float((subsets[tested] / least[tested]).sum()))
