"""The figures that sum up what itemsets say beyond single units, each with its interval over photos."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from interpret.stats import wilson

Floats = npt.NDArray[np.float64]

RESAMPLES = 300
"""Bootstrap samples of photos (count), for figures that are medians over itemsets or means over classes."""

SIZES: tuple[tuple[str, int, int], ...] = (("1", 1, 1), ("2", 2, 2), ("3", 3, 3), ("4+", 4, 10_000))
"""Groups of sets by their number of units: name, smallest, largest."""


class SummaryRow(NamedTuple):
    """One figure. Shares are fractions.

    Attributes:
        part: ``causal sets``, ``halving``, ``joint firing`` or ``transfer``.
        measure: what the figure is; the functions that make these rows say it.
        top_units: N.
        size: units in the sets: a name of :data:`SIZES`, ``all``, ``2+`` or ``none``.
        value: the figure.
        low: lower end of its 95 % interval; NaN where it has none.
        high: upper end.
        n: photos, classes or itemsets that it is a figure of (count).
        of: which of these.
    """

    part: str
    measure: str
    top_units: int
    size: str
    value: float
    low: float
    high: float
    n: int
    of: str


def share(part: str, measure: str, top_units: int, size: str, count: int, n: int, of: str) -> SummaryRow:
    """A counted share with Wilson's 95 % interval; NaN of nothing."""
    if not n:
        return SummaryRow(part, measure, top_units, size, np.nan, np.nan, np.nan, 0, of)
    low, high = wilson(count, n)
    return SummaryRow(part, measure, top_units, size, count / n, float(low), float(high), n, of)


def ends(drawn: Floats) -> tuple[float, float]:
    """The 2.5th and 97.5th percentile of the values of bootstrap samples, without those that are NaN."""
    if np.isnan(drawn).all():
        return np.nan, np.nan
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return float(low), float(high)


def resampling(rng: np.random.Generator, photos: int) -> npt.NDArray[np.float64]:
    """(1 + RESAMPLES, photos) the weight of each photo in a mean: first of all photos, then of bootstrap samples."""
    if not photos:
        return np.zeros((1 + RESAMPLES, 0))
    drawn = rng.integers(photos, size=(RESAMPLES, photos))
    drawn += np.arange(0, RESAMPLES * photos, photos)[:, None]  # a sample's photos are counted in places of their own
    times = np.bincount(drawn.ravel(), minlength=RESAMPLES * photos).reshape(RESAMPLES, photos)
    return np.concatenate([np.ones((1, photos)), times]) / photos
