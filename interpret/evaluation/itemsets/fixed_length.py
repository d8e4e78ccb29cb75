"""How often units would come together by their single supports alone, in transactions of fixed lengths.

A transaction holds the N best units, so that one unit in it leaves less room for the others: even picks that know
nothing of each other come together less often than the product of their supports says. The null distribution that
keeps the lengths is that of independent picks given their number (the conditional Bernoulli distribution: Chen,
Dempster and Liu, Biometrika 1994): a transaction of L units is the set U with probability proportional to the product
of w_u over U. The odds w are fitted so that every unit is expected in as many transactions as hold it. Among all
distributions with these lengths and supports it is the one of largest entropy.

With p_u = w_u / (1 + w_u), a transaction holds X with probability
(product of p_u over X) P(S_without X = L - |X|) / P(S = L), where S counts independent picks with probabilities p_u.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ROUNDS = 200
"""Fitting steps at most."""

TOLERANCE = 1e-5
"""Largest difference between expected and counted supports at which fitting ends (fraction)."""


def fit(counts: npt.NDArray[np.integer], lengths: npt.NDArray[np.integer]) -> Floats:
    """Probabilities of the independent picks of several groups of transactions.

    Args:
        counts: (G, m), transactions of each group that hold each unit (count).
        lengths: (G, N + 1), transactions of each group that hold 0, 1, ... N units (count).

    Returns:
        (G, m) p_u; 0 for a unit that no transaction holds, 1 for one that all hold.
    """
    counts = counts.astype(np.float64)
    rows = np.maximum(lengths.sum(axis=1, keepdims=True, dtype=np.float64), 1)
    picked = counts / rows
    free = (counts > 0) & (counts < rows)
    odds = np.where(free, counts / np.where(free, rows - counts, 1), 0)
    for _ in range(ROUNDS):
        expected = _expected_counts(picked, lengths)
        if np.abs(np.where(free, expected - counts, 0)).max(initial=0.0) <= TOLERANCE * rows.max():
            break
        inside = np.clip(expected, 1e-9, rows - 1e-9)
        # the odds of a unit scaled by counted odds over expected ones
        odds *= np.where(free, counts * (rows - inside) / np.where(free, (rows - counts) * inside, 1), 1)
        picked = np.where(free, odds / (1 + odds), picked)
    return picked


def probabilities(picked: Floats, marked: npt.NDArray[np.bool_], longest: int) -> Floats:
    """(I, N + 1) probability that a transaction of 0, 1, ... N units holds each itemset.

    Args:
        picked: (m,) from :func:`fit`.
        marked: (I, m) bool, the units of each itemset.
        longest: N (count).
    """
    whole = _sums(picked[None], np.ones((1, len(picked)), np.bool_), longest)[0]
    others = _sums(picked[None], ~marked, longest)
    size = marked.sum(axis=1)
    together = np.prod(np.where(marked, picked, 1.0), axis=1)
    length = np.arange(longest + 1)
    rest = length - size[:, None]  # what else a transaction of this length holds
    ways = np.where(rest >= 0, np.take_along_axis(others, np.maximum(rest, 0), axis=1), 0)
    return np.divide(together[:, None] * ways, whole, out=np.zeros_like(ways), where=whole > 0)


def _sums(picked: Floats, used: npt.NDArray[np.bool_], longest: int) -> Floats:
    """(R, N + 1) distribution of the number of picks among the used units of each row; more than N are left out."""
    found = np.zeros((len(used), longest + 1))
    found[:, 0] = 1.0
    for unit in range(used.shape[1]):
        chance = np.where(used[:, unit], picked[:, unit], 0.0)[:, None]
        moved = found[:, :-1] * chance
        found *= 1 - chance
        found[:, 1:] += moved
    return found


def _expected_counts(picked: Floats, lengths: npt.NDArray[np.integer]) -> Floats:
    """(G, m) in how many transactions each unit is expected."""
    n_groups, n_units = picked.shape
    longest = lengths.shape[1] - 1
    # the distributions of the picks before and after each unit
    before = np.zeros((n_units + 1, n_groups, longest + 1))
    after = np.zeros((n_units + 1, n_groups, longest + 1))
    before[0, :, 0] = after[n_units, :, 0] = 1.0
    for unit in range(n_units):
        before[unit + 1] = _with(before[unit], picked[:, unit])
    for unit in range(n_units - 1, -1, -1):
        after[unit] = _with(after[unit + 1], picked[:, unit])
    whole = after[0]
    expected = np.zeros((n_units, n_groups))
    for length in range(1, longest + 1):
        if not lengths[:, length].any():
            continue
        # of the other units, length - 1 are picked: some before this one, the rest after it
        without = (before[:n_units, :, :length] * after[1:, :, length - 1 :: -1]).sum(axis=2)
        share = np.divide(without * picked.T, whole[:, length], out=np.zeros_like(without), where=whole[:, length] > 0)
        expected += share * lengths[:, length]
    return expected.T


def _with(sums: Floats, chance: Floats) -> Floats:
    """The distribution of a number of picks with one pick more."""
    found = sums * (1 - chance)[:, None]
    found[:, 1:] += sums[:, :-1] * chance[:, None]
    return found
