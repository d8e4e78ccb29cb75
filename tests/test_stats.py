"""Intervals and standard errors, against other people's code, exact enumeration and hand-worked numbers."""

import numpy as np
import pytest
from scipy.stats import multinomial

from interpret.stats import mean_interval, paired_intervals, resampled_means, standard_error, wilson


def test_standard_errors_and_paired_intervals():
    assert standard_error(0.7159, 50_000) == pytest.approx(0.0020167, abs=1e-6)
    assert np.isnan(standard_error(0.5, 0))
    rng = np.random.default_rng(0)
    a = rng.random(4000) < 0.6
    b = a & (rng.random(4000) < 0.95)  # b is wrong wherever a is, and a little more often
    values = np.stack([a, b]).astype(float)
    ((low, high),) = paired_intervals(values, [(0, 1)])
    difference = values[0] - values[1]
    reach = 1.96 * difference.std() / np.sqrt(4000)
    assert low == pytest.approx(difference.mean() - reach, abs=6e-4)
    assert high == pytest.approx(difference.mean() + reach, abs=6e-4)
    assert paired_intervals(values, [(0, 0)]).tolist() == [[0.0, 0.0]]
    assert paired_intervals(values, []).shape == (0, 2)


def test_intervals_of_mean_changes_hold_the_mean_as_often_as_they_say():
    """Exact coverage: every outcome of n photos that are lost (1), gained (-1) or neither, by its probability."""
    chances = [(a, b) for a in (0.0, 0.02, 0.1, 0.3, 0.5, 0.9) for b in (0.0, 0.05, 0.3, 0.5) if a + b <= 1]
    for n in (2, 3, 5, 8, 13, 30):
        lost, gained = (part.ravel() for part in np.mgrid[: n + 1, : n + 1])
        lost, gained = lost[lost + gained <= n], gained[lost + gained <= n]
        outcomes = np.array([[1] * a + [-1] * b + [0] * (n - a - b) for a, b in zip(lost, gained, strict=True)])
        low, high = mean_interval(outcomes)
        assert (high - low > 0.1).all(), "no outcome of so few photos is certain"
        mean = outcomes.mean(axis=1)
        assert ((low <= mean) & (mean <= high)).all()
        held = []
        for a, b in chances:
            weights = multinomial(n, [a, b, max(0.0, 1 - a - b)]).pmf(np.stack([lost, gained, n - lost - gained], 1))
            assert np.nansum(weights) == pytest.approx(1)
            held.append(weights[(low <= a - b + 1e-9) & (a - b - 1e-9 <= high)].sum())
        assert min(held) > 0.87
        assert np.mean(held) > 0.95


def test_intervals_of_mean_changes_by_hand():
    # four photos lost: (4 + 0) / 6 = 2/3, and the mean square of 1, 1, 1, 1, 1, -1 is 1
    low, high = mean_interval(np.ones((1, 4)))
    reach = 1.96 * np.sqrt((1 - 4 / 9) / 6)
    assert (low[0], high[0]) == (pytest.approx(2 / 3 - reach), pytest.approx(2 / 3 + reach))
    assert np.isnan(mean_interval(np.ones(1))).all()
    many = np.random.default_rng(1).choice([-1, 0, 1], 4000, p=[0.1, 0.6, 0.3])
    low, high = mean_interval(many)
    reach = 1.96 * many.std() / np.sqrt(4000)
    assert (low, high) == (pytest.approx(many.mean() - reach, abs=3e-4), pytest.approx(many.mean() + reach, abs=3e-4))


def test_paired_intervals_of_few_photos_and_of_photos_that_agree_are_not_empty():
    lost = np.stack([np.zeros(40), np.ones(40)])
    for n, claim in ((2, False), (3, False), (4, True), (40, True)):
        ((low, high),) = paired_intervals(lost[:, :n], [(0, 1)])
        assert low < -1 < high
        assert bool(high < 0) is claim
    assert np.isnan(paired_intervals(lost[:, :1], [(0, 1)])).all()


def test_wilson_is_scipys():
    from scipy.stats import binomtest

    pairs = [(0, 7), (1, 7), (8, 10), (3012, 3925), (50, 50)]
    low, high = wilson([k for k, _ in pairs], [n for _, n in pairs], z=1.959963984540054)
    for (k, n), a, b in zip(pairs, low, high, strict=True):
        theirs = binomtest(k, n).proportion_ci(method="wilson")
        assert (a, b) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_wilson_known_values():
    # 8 of 10 and 80 of 100, as in R's binom.confint(method = "wilson")
    low, _ = wilson(np.array([8.0, 80.0, 0.0]), np.array([10.0, 100.0, 7.0]))
    assert low == pytest.approx([0.4901625, 0.7111708, 0.0], abs=2e-5)


@pytest.mark.parametrize("cells", [1, 500, 1 << 24])
def test_the_photos_drawn_do_not_depend_on_how_many_samples_are_held(cells, monkeypatch):
    monkeypatch.setattr("interpret.stats.MAX_CELLS", cells)
    values = np.random.default_rng(1).random((3, 77))
    means = resampled_means(values, draws=130, seed=9)
    drawn = np.random.default_rng(9).integers(0, 77, (130, 77))
    assert means == pytest.approx(values[:, drawn].mean(axis=2).T, abs=1e-12)
