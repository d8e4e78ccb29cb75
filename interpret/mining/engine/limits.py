"""The bounds of a search: exact support thresholds, the number of itemsets, the time."""

import time
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt


class TooManyItemsets(Exception):  # noqa: N818 - a signal between stages; a person gets an InputError
    """More itemsets than allowed were found; the search stopped at once."""


class OutOfTime(Exception):  # noqa: N818 - see above
    """The time allowed is spent."""


def ceil_exact(share: float, n: int) -> int:
    """The smallest count that is at least ``share`` of ``n``, without rounding error.

    The share is read as the decimal number that it prints as, so 0.07 of 100 is 7, where floating point says
    ``ceil(0.07 * 100) == 8``.

    Args:
        share: a support, 0 < share <= 1.
        n: how many transactions there are (count).
    """
    return _ceil(Fraction(repr(float(share))), n)


def least_counts(share: float, sizes: npt.NDArray[np.int64], smallest: int = 1) -> npt.NDArray[np.int64]:
    """:func:`ceil_exact` for several sizes (C,), at least 1 each; int64 (C,).

    A class of fewer than ``smallest`` transactions gets a count that nothing reaches: it is not mined.
    """
    exact = Fraction(repr(float(share)))
    counts = [max(1, _ceil(exact, n)) if n >= smallest else n + 1 for n in sizes.tolist()]
    return np.array(counts, dtype=np.int64)


def _ceil(share: Fraction, n: int) -> int:
    """``math.ceil(share * n)``; bare integers take a tenth of the time."""
    return -(-share.numerator * n // share.denominator)


@dataclass(frozen=True)
class Limits:
    """How far a search may go.

    Attributes:
        max_itemsets: distinct itemsets allowed (count).
        max_size: units in the largest itemset searched for (count), None without a bound.
        deadline: value of ``time.monotonic()`` at which to stop, None without one.
        min_class_patches: classes of fewer transactions are not mined (count).
    """

    max_itemsets: int
    max_size: int | None = None
    deadline: float | None = None
    min_class_patches: int = 1

    def check_count(self, n: int) -> None:
        """Raise :class:`TooManyItemsets` where ``n`` is more than allowed."""
        if n > self.max_itemsets:
            raise TooManyItemsets

    def check_time(self) -> None:
        """Raise :class:`OutOfTime` where the deadline has passed."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise OutOfTime
