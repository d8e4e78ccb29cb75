"""Measures and tests of rules against mlxtend and SciPy."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from interpret.mining import mine, rules
from interpret.stats import benjamini_hochberg
from interpret.study.schema import PAD
from tests.mining_cases import config, skewed


def test_measures_by_hand() -> None:
    # 10 transactions, 4 birds; 5 hold X, 3 of them birds.
    made = rules.measures(np.array([3]), np.array([5]), np.array([4]), 10)
    assert {name: value.item() for name, value in made.items()} == pytest.approx(
        {"confidence": 0.6, "lift": 1.5, "leverage": 0.3 - 0.5 * 0.4, "conviction": 0.6 / 0.4}
    )
    # (C(4,3) C(6,2) + C(4,4) C(6,1)) / C(10,5)
    assert rules.fisher(np.array([3]), np.array([5]), np.array([4]), 10).item() == pytest.approx((4 * 15 + 6) / 252)


def test_conviction_is_infinite_where_the_confidence_is_one() -> None:
    made = rules.measures(np.array([4, 4]), np.array([4, 4]), np.array([6, 4]), 10)
    assert made["conviction"].tolist() == [np.inf, np.inf]
    all_one_class = rules.measures(np.array([4]), np.array([4]), np.array([10]), 10)
    assert (all_one_class["conviction"].item(), all_one_class["lift"].item()) == (np.inf, 1.0)


def test_measures_equal_mlxtend() -> None:
    """mlxtend sees the class as one more item of the transaction."""
    from mlxtend import frequent_patterns

    data = skewed(900, 3, seed=11, n_units=40, width=5)
    found = mine(data, config(0.15))
    held = np.zeros((len(data), 43), bool)
    rows, columns = np.nonzero(data.units != PAD)
    held[rows, data.units[rows, columns]] = True
    held[np.arange(len(data)), 40 + data.class_ids] = True
    frequent = frequent_patterns.fpgrowth(pd.DataFrame(held), min_support=1 / len(data), max_len=4)
    theirs = frequent_patterns.association_rules(frequent, metric="support", min_threshold=0)
    theirs = theirs[theirs.consequents.map(lambda c: len(c) == 1 and min(c) >= 40)]
    theirs = theirs[theirs.antecedents.map(lambda x: max(x) < 40)]
    known = {(tuple(sorted(r.antecedents)), min(r.consequents) - 40): r for r in theirs.itertuples()}
    ours = found.rules[found.sizes[found.rules.itemset_id] <= 3]
    assert len(ours) > 40
    for rule in ours.itertuples():
        other = known[found.units_of[rule.itemset_id], rule.class_id]
        for name in ("confidence", "lift", "leverage", "conviction"):
            assert getattr(rule, name) == pytest.approx(getattr(other, name), rel=1e-12, abs=1e-15), name
        assert rule.support_count / len(data) == pytest.approx(other.support)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(1, 400), st.data())
def test_fisher_equals_scipy(n: int, data: st.DataObject) -> None:
    n_c, k_x = data.draw(st.integers(1, n)), data.draw(st.integers(1, n))
    k = data.draw(st.integers(max(0, n_c + k_x - n), min(n_c, k_x)))
    table = [[k, k_x - k], [n_c - k, n - n_c - k_x + k]]
    expected = stats.fisher_exact(table, alternative="greater").pvalue
    got = rules.fisher(np.array([k]), np.array([k_x]), np.array([n_c]), n).item()
    assert got == pytest.approx(expected, rel=1e-8, abs=1e-14)


def test_fisher_keeps_digits_far_in_the_tail() -> None:
    got = rules.fisher(np.array([180, 2000]), np.array([200, 2100]), np.array([200, 4000]), 4_000_000)
    expected = [stats.hypergeom.logsf(179, 4_000_000, 200, 200), stats.hypergeom.logsf(1999, 4_000_000, 4000, 2100)]
    assert np.log(got[0]) == pytest.approx(expected[0], rel=1e-9) if got[0] else expected[0] < -700
    assert got[1] == 0.0
    small = rules.fisher(np.array([40]), np.array([60]), np.array([200]), 2000).item()
    assert np.log(small) == pytest.approx(stats.hypergeom.logsf(39, 2000, 200, 60), rel=1e-10)
    assert small < 1e-25


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 20))
def test_q_values_equal_scipy(p: list[float], others: int) -> None:
    got = benjamini_hochberg(np.array(p), len(p) + others)
    expected = stats.false_discovery_control([*p, *[1.0] * others], method="bh")
    assert got == pytest.approx(expected[: len(p)])
    if not others:
        assert (got == expected).all()


def test_q_values_do_without_a_module_that_takes_a_second_to_import() -> None:
    code = (
        "import sys, numpy as np; from interpret.stats import benjamini_hochberg as q; "
        "sys.exit(q(np.array([0.2, 0.01]), 4).tolist() != [0.4, 0.04] or 'scipy.stats' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
