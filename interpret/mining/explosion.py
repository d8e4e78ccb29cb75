"""The sentence for a support that is too low: how many itemsets it would give, and which support passes."""

import time
from dataclasses import replace
from fractions import Fraction

from interpret.mining.layout import Layout
from interpret.mining.limits import Limits, OutOfTime, TooManyItemsets, least_counts
from interpret.mining.search import frequent

SECONDS = 1.2
"""Time that the search for a support that passes may take."""


def grid(above: float) -> list[float]:
    """Supports of at most two digits in percent that are larger than ``above``, ascending: ..., 0.095, 0.10, 0.11."""
    steps: list[Fraction] = []
    power = Fraction(1, 10**8)
    while power < 1:
        steps += [power * k for k in range(10, 100)]
        power *= 10
    steps.append(Fraction(1))
    return [float(step) for step in steps if above < float(step) <= 1]


def smallest_support(layout: Layout, above: float, limits: Limits, *, device: str = "cpu") -> tuple[float | None, bool]:
    """The smallest support of :func:`grid` that gives no more itemsets than allowed.

    Args:
        layout: the transactions.
        above: a support that gives too many (fraction).
        limits: the number of itemsets and their size; the time is :data:`SECONDS`.
        device: where to compute.

    Returns:
        The support (fraction; None where not even 100 % is known to pass), and whether it is certain to be the
        smallest: where the time did not suffice, a smaller one may pass too.
    """
    supports = grid(above)
    limits = replace(limits, deadline=time.monotonic() + SECONDS)
    low, high = 0, len(supports)  # supports[high] is the smallest known to pass
    # Large supports are quick to try, so the search comes down from them in growing strides before it halves.
    stride, at = 8, len(supports) - 1
    while low < high:
        try:
            frequent(layout, least_counts(supports[at], layout.class_sizes, limits.min_class_patches), limits, device=device)
            high = at
        except TooManyItemsets:
            low = at + 1
            stride = 0
        except OutOfTime:
            break
        if stride:
            stride *= 2
            at = max(low, high - stride)
        else:
            at = (low + high) // 2
    return (supports[high] if high < len(supports) else None), low == high


def sentence(layout: Layout, support: float, limits: Limits, *, device: str = "cpu") -> str:
    """One sentence for a person who asked for ``support`` (fraction)."""
    passes, certain = smallest_support(layout, support, limits, device=device)
    told = f"A support of {percent(support)} would give more than {limits.max_itemsets:,} itemsets; "
    if passes is None:
        return told + "look for smaller itemsets, or for fewer units per transaction."
    if certain:
        return told + f"the smallest that passes is {percent(passes)}."
    return told + f"{percent(passes)} passes."


def percent(share: float) -> str:
    """A fraction as a percentage with no more digits than it needs: ``6.5 %``."""
    return f"{float(Fraction(repr(float(share))) * 100):.6g} %"
