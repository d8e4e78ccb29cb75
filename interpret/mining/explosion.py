"""Pattern explosion: the refusal of a support that gives too many itemsets, and the smallest support that passes."""

import math
import time
from dataclasses import replace
from fractions import Fraction

from interpret.errors import ExplosionError
from interpret.mining.engine.frequent import frequent
from interpret.mining.engine.layout import Layout
from interpret.mining.engine.limits import Limits, OutOfTime, TooManyItemsets, least_counts
from interpret.mining.engine.placement import Placement

SECONDS = 1.4
"""Time that the search for a support that passes may take (seconds)."""


def grid(above: float) -> list[float]:
    """Supports of two digits in percent that are larger than ``above``, ascending: ..., 0.095, 0.1, 0.11, ..., 1."""
    steps = [Fraction(k, 100) * Fraction(10) ** power for power in range(-8, 1) for k in range(10, 100)]
    return [float(step) for step in [*steps, Fraction(1)] if float(step) > above]


def smallest_support(
    layout: Layout, above: float, limits: Limits, *, place: Placement | None = None, seconds: float | None = SECONDS
) -> tuple[float | None, bool]:
    """The smallest support of :func:`grid` that gives no more itemsets than allowed.

    Args:
        layout: the transactions.
        above: a support that gives too many (fraction).
        limits: the number of itemsets and their size; its deadline is ignored.
        place: where to search; on the CPU if None.
        seconds: time limit; none if None.

    Returns:
        The support (fraction; None where none is known to pass), and whether it is certain to be the smallest; if the
        time ran out, a smaller one may pass too.
    """
    supports = grid(above)
    limits = replace(limits, deadline=None if seconds is None else time.monotonic() + seconds)
    low, high = 0, len(supports)  # all before low fail, all from high on pass
    tried: list[tuple[float, float]] = []  # (log support, log number of itemsets) of those that pass, last one lowest
    at = next((i for i, support in enumerate(supports) if support >= 0.5), 0)
    while low < high:
        try:
            least = least_counts(supports[at], layout.class_sizes, limits.min_class_patches)
            n = len(frequent(layout, least, limits, place=place))
            high = at
            tried.append((math.log(supports[at]), math.log(n + 1)))
        except TooManyItemsets:
            low = at + 1
        except OutOfTime:
            break
        at = _next(supports, low, high, tried, math.log(limits.max_itemsets))
    return (supports[high] if high < len(supports) else None), low == high


def _next(supports: list[float], low: int, high: int, tried: list[tuple[float, float]], most: float) -> int:
    """Which of low..high-1 to try: the middle, or the support at which the extrapolated number of itemsets fits."""
    middle = (low + high) // 2
    if not tried:  # nothing has passed yet, and perhaps nothing does: where the transactions are nearly the same
        return high - 1
    (x1, y1) = tried[-1]
    # The number of itemsets grows about as a power of 1 / support; with one point, its fifth power is a fair guess.
    slope = (y1 - tried[-2][1]) / (x1 - tried[-2][0]) if len(tried) > 1 else -5.0
    if slope >= 0:
        return middle
    guess = math.exp(x1 + (most - y1) / slope)
    at = next((i for i in range(low, high) if supports[i] >= guess), high - 1)
    # A guess drops at least a quarter of what is left, so that the search ends soon however wrong it is.
    return min(max(at, low + (high - low) // 4), high - 1)


def largest_size(layout: Layout, support: float, limits: Limits, *, place: Placement | None = None) -> int | None:
    """The largest size of itemsets (count of units) at which ``support`` gives no more of them than allowed.

    None if not even the single units pass, or if no size was found to pass within half of :data:`SECONDS`.
    """
    least = least_counts(support, layout.class_sizes, limits.min_class_patches)
    deadline = time.monotonic() + SECONDS / 2
    passes = None
    try:
        for size in range(1, limits.max_size or layout.width):
            frequent(layout, least, replace(limits, max_size=size, deadline=deadline), place=place)
            passes = size
    except (TooManyItemsets, OutOfTime):
        pass
    return passes


def refusal(layout: Layout, support: float, limits: Limits, *, place: Placement | None = None) -> ExplosionError:
    """The error to raise where ``support`` (fraction) gives too many itemsets."""
    passes, certain = smallest_support(layout, support, limits, place=place)
    message = f"A support of {percent(support)} would give more than {limits.max_itemsets:,} itemsets"
    if passes is not None and certain:
        return ExplosionError(f"{message}; the smallest that passes is {percent(passes)}.", passes)
    if passes is not None:
        return ExplosionError(f"{message}; {percent(passes)} passes.", passes)
    if certain:
        message += ", and so would any other"
    size = largest_size(layout, support, limits, place=place)
    if size is None:
        return ExplosionError(f"{message}; use fewer units per transaction, or allow more (--max-itemsets).")
    advice = f"itemsets of at most {size} unit{'s' * (size > 1)} pass, or fewer units per transaction."
    return ExplosionError(f"{message}; {advice}", None, size)


def percent(share: float) -> str:
    """A fraction as a percentage with no more digits than it needs: ``6.5 %``."""
    return f"{float(Fraction(repr(float(share))) * 100):.6g} %"
