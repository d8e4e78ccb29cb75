"""How far counted shares and measured differences can be trusted: intervals, standard errors, many tests at once."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri


def wilson(successes: npt.ArrayLike, trials: npt.ArrayLike, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval for shares (E. B. Wilson, JASA 1927).

    Args:
        successes: (n,) counts, or one count.
        trials: (n,) counts, at least 1.
        z: standard deviations; 1.96 for 95 %.

    Returns:
        The lower and the upper ends (fractions), of the arguments' shape.
    """
    n = np.asarray(trials, np.float64)
    share = np.asarray(successes, np.float64) / n
    centre = share + z**2 / (2 * n)
    spread = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = (centre - spread) / (1 + z**2 / n), (centre + spread) / (1 + z**2 / n)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)  # rounding leaves 0 and 1 by 1e-17


def standard_error(share: float, n: int) -> float:
    """Standard error of a share of ``n`` photos: sqrt(p (1 - p) / n); NaN without photos."""
    return float(np.sqrt(share * (1.0 - share) / n)) if n else float("nan")


FEW = 30
"""Photos (count) below which the bootstrap's percentile interval is too narrow, and :func:`mean_interval` is used."""


def mean_interval(
    values: npt.NDArray[np.floating], *, largest: float = 1.0, z: float = 1.96
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Interval of a mean change per photo that stays honest for few photos, and for photos that all agree.

    The adjusted Wald interval for paired shares (Bonett and Price, J. Educ. Behav. Stat. 2012): one photo that gains
    and one that loses are added, so that the spread is never zero. For values of -1, 0 and 1 this is their formula.

    Args:
        values: (..., n), one value a photo, such as -1, 0 or 1.
        largest: size of the change of the two added photos.
        z: standard deviations; 1.96 for 95 %.

    Returns:
        The lower and the upper ends, (...) each; NaN for fewer than two photos, which say nothing about the spread.
    """
    n = values.shape[-1]
    if n < 2:
        nothing = np.full(values.shape[:-1], np.nan)
        return nothing, nothing.copy()
    centre = values.sum(axis=-1, dtype=np.float64) / (n + 2)
    square = (np.square(values, dtype=np.float64).sum(axis=-1) + 2 * largest**2) / (n + 2)
    reach = z * np.sqrt((square - centre**2) / (n + 2))
    return centre - reach, centre + reach


SAMPLES = 100
"""Bootstrap samples held at a time (count), where :data:`MAX_CELLS` allows it."""

MAX_CELLS = 1 << 24
"""Photos of all bootstrap samples held at a time (count); numbers of 8 bytes are held for each, twice."""


def resampled_means(values: npt.NDArray[np.floating], *, draws: int = 2000, seed: int = 0) -> npt.NDArray[np.float64]:
    """Means of several quantities over the same resampled photos, so that their differences stay paired.

    Args:
        values: (S, n), each row one quantity, each column a photo.
        draws: bootstrap samples (count), each of n photos drawn with replacement.
        seed: of the draws.

    Returns:
        (draws, S) float64.
    """
    n = values.shape[1]
    rng = np.random.default_rng(seed)
    columns = np.ascontiguousarray(values.T, np.float64)
    means = np.empty((draws, values.shape[0]))
    chunk = max(1, min(SAMPLES, MAX_CELLS // max(1, n)))  # which photos are drawn does not depend on it
    for start in range(0, draws, chunk):
        size = min(chunk, draws - start)
        drawn = rng.integers(0, n, (size, n))
        counts = np.stack([np.bincount(sample, minlength=n) for sample in drawn])
        means[start : start + size] = counts @ columns / n
    return means


def paired_intervals(
    values: npt.NDArray[np.floating],
    pairs: Sequence[tuple[int, int]],
    *,
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> npt.NDArray[np.float64]:
    """Percentile intervals of differences between the means of rows, resampling photos.

    For fewer than :data:`FEW` photos, or where all photos differ by the same amount, resampling finds too little
    spread, or none: :func:`mean_interval` of the differences is given instead.

    Args:
        values: (S, n), each row one share's contributions (0 to 1), each column a photo.
        pairs: (a, b): the interval of mean(row a) - mean(row b).
        draws: bootstrap samples (count).
        seed: of the draws.
        level: share of the samples that the interval holds.

    Returns:
        (len(pairs), 2) float64, lower and upper end; NaN for a single photo.
    """
    if not pairs:
        return np.zeros((0, 2))
    used = sorted({row for pair in pairs for row in pair})
    means = resampled_means(values[used], draws=draws, seed=seed)
    place = {row: index for index, row in enumerate(used)}
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    resampled = means[:, [place[a] for a in first]] - means[:, [place[b] for b in second]]
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2], axis=0)
    for index, (a, b) in enumerate(pairs):
        difference = values[a] - values[b]
        agree = high[index] - low[index] < 1e-12 and difference.any()
        if agree or len(difference) < FEW:
            low[index], high[index] = mean_interval(difference, z=float(ndtri((1 + level) / 2)))
    return np.stack([low, high], axis=1)


def benjamini_hochberg(p: npt.NDArray[np.float64], tested: float) -> npt.NDArray[np.float64]:
    """q-values of m hypotheses out of ``tested`` (Benjamini and Hochberg, JRSS B 1995); the others count as p = 1.

    Args:
        p: (m,) p-values.
        tested: size of the family, m or more (count).

    Returns:
        (m,) the smallest false discovery rate at which each is reported.
    """
    order = np.argsort(p)
    scaled = p[order] * (len(p) / np.arange(1, len(p) + 1)) * (tested / len(p)) if len(p) else p[order]
    least = np.minimum.accumulate(scaled[::-1])[::-1]  # of this hypothesis and of all with a larger p-value
    q = np.empty(len(p), np.float64)
    q[order] = np.minimum(1.0, least)
    return q
