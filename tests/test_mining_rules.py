"""Measures and tests of rules against mlxtend and SciPy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from interpret.mining import mine, rules
from interpret.mining.transactions import TransactionDatabase
from interpret.stats import benjamini_hochberg
from interpret.study.schema import PAD
from tests.mining_cases import config, databases, skewed


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


def test_family_counts_what_could_be_tested() -> None:
    # Itemsets in s photos of 100, all of a class of 50, have p = C(50, s) / C(100, s); 1,000 subsets, two classes.
    made = rules.family(np.array([50, 10, 40]), 100, 1000.0, np.array([True, True, False]))
    for c, n_c in ((0, 50), (1, 10)):
        p = [stats.hypergeom.pmf(s, 100, n_c, s) * 1000 / s * 2 for s in range(1, n_c + 1)]
        assert made.least[c] == 1 + next(i for i, value in enumerate(p) if value <= 0.05)
    assert made.size == pytest.approx(1000 / made.least[0] + 1000 / made.least[1])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(databases())
def test_family_is_never_smaller_than_the_itemsets_tested(data: TransactionDatabase) -> None:
    found = mine(data, config(1e-6))  # every itemset that occurs
    if not len(found):
        return
    made = rules.family(found.class_photos, found.n_photos, found.subsets, found.is_mined)
    tested = sum(int((found.all_photos >= least).sum()) for least in made.least)
    assert found.subsets == found.all_patches.sum()
    assert tested <= made.size + 1e-9


def test_rules_of_a_result_equal_scipy() -> None:
    data = skewed(700, 4, seed=9)
    found = mine(data, config(0.1))
    rows = [set(row) for row in data.units.tolist()]
    classes, photos = data.class_ids, data.image_ids
    table = found.rules
    assert len(table) > 100
    for rule in table.sample(40, random_state=0).itertuples():
        units = set(found.units_of[rule.itemset_id])
        holds = np.array([units <= row for row in rows])
        own = classes == rule.class_id
        assert rule.p_value == pytest.approx(_fisher_of(holds, own), rel=1e-8)
        frame = pd.DataFrame({"photo": photos, "holds": holds, "own": own}).groupby("photo").max()
        assert rule.image_count == (frame.holds & frame.own).sum()
        assert rule.image_p_value == pytest.approx(_fisher_of(frame.holds, frame.own), rel=1e-8)


def _fisher_of(holds: np.ndarray | pd.Series, own: np.ndarray | pd.Series) -> float:
    table = [[(holds & own).sum(), (holds & ~own).sum()], [(~holds & own).sum(), (~holds & ~own).sum()]]
    return stats.fisher_exact(table, alternative="greater").pvalue


def test_chance_makes_no_rule() -> None:
    """Labels shuffled between photos: at q <= 0.05 no more than 5 % of the runs report a rule."""
    data = skewed(500, 6, seed=21, n_units=60, width=6)
    photos, photo = np.unique(data.image_ids, return_inverse=True)
    label = np.zeros(len(photos), np.int32)
    label[photo] = data.class_ids
    assert (mine(data, config(0.2, min_class_patches=10)).rules.image_q_value <= 0.05).mean() > 0.5
    reported = 0
    for draw in range(60):
        shuffled = np.random.default_rng(draw).permutation(label)[photo]
        chance = TransactionDatabase(data.units, shuffled, data.image_ids, data.n_units)
        reported += int((mine(chance, config(0.2, min_class_patches=10)).rules.image_q_value <= 0.05).any())
    assert reported <= 3
