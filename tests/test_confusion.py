"""Confusion pairs, the itemsets that set errors apart and the photos that show them, against recounts by hand."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control, fisher_exact, hypergeom

from interpret.config import MineConfig
from interpret.confusion.differences import ERRORS, RIGHT, differences, holds
from interpret.confusion.examples import examples
from interpret.confusion.explained import Explained
from interpret.confusion.pairs import Pair, confusion_pairs, photos_of_pair
from interpret.errors import InputError
from tests.test_contrast import best

A, B = 3, 5


def labelled(labels: list[int | None], predicted: list[int]) -> SimpleNamespace:
    images = pd.DataFrame({"label": pd.array(labels, "Int32"), "predicted": np.array(predicted, np.int32)})
    return SimpleNamespace(images=images, class_names=list("abcdef"), name="drawn")


def test_pairs_are_counted_by_hand():
    study = labelled([0, 0, 0, 1, 1, 2, None, 2], [0, 1, 1, 0, 1, 1, 0, 0])
    table = confusion_pairs(study)
    assert table.to_numpy().tolist() == [[0, 1, 2, 3], [1, 0, 1, 2], [2, 0, 1, 2], [2, 1, 1, 2]]
    pair = photos_of_pair(study, 0, 1)
    assert (pair.errors.tolist(), pair.right.tolist(), pair.right_predicted.tolist()) == ([1, 2], [0], [4])
    assert len(confusion_pairs(labelled([0, 1], [0, 1]))) == 0


@pytest.mark.parametrize(("pair", "said"), [((0, 9), "no class 9"), ((1, 1), "give two classes")])
def test_a_pair_that_is_none_is_refused(pair, said):
    with pytest.raises(InputError, match=said):
        photos_of_pair(labelled([0, 1], [1, 1]), *pair)


def test_without_labels_nothing_is_wrong():
    with pytest.raises(InputError, match="has a label"):
        confusion_pairs(labelled([None, None], [0, 1]))


def photos_by_lot(
    seed: int, errors: int, right: int, units: int = 14, n: int = 5, signal: float = 0.0
) -> tuple[Pair, Explained]:
    """Photos of random activations explained for A and B under a random head, and dealt to the two groups by lot.

    With ``signal``, units 0 and 1 are higher in the errors, and argue for B.
    """
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(2, units))
    photos = rng.permutation(errors + right)
    image = np.repeat(np.arange(errors + right), rng.integers(1, 3, errors + right))
    active = np.maximum(rng.normal(size=(len(image), units)), 0.0)
    pair = Pair(A, B, np.sort(photos[:errors]), np.sort(photos[errors:]), np.zeros(0, np.int64))
    if signal:
        active[np.ix_(np.isin(image, pair.errors), [0, 1])] += signal
        weights[1, :2] = 1.0
    rows = [best(active * weights[place], n) for place in (0, 1)]
    explained = Explained(
        np.tile(image, 2),
        np.repeat([A, B], len(image)),
        np.zeros((2 * len(image), 4), np.int64),
        np.concatenate(rows),
        np.ones((2 * len(image), n), np.float32),
    )
    return pair, explained


STUDY = SimpleNamespace(n_units=14, compute_on="auto", announce=print)


def brute_force(pair: Pair, explained: Explained, n: int, support: float) -> dict:
    """(units, target, more_in): counts, p and q of every frequent itemset, from the definitions."""
    groups = {ERRORS: set(pair.errors.tolist()), RIGHT: set(pair.right.tolist())}
    transactions = {
        (target, group): [
            (int(image), frozenset(row[:n][row[:n] >= 0].tolist()))
            for image, t, row in zip(explained.image_ids, explained.targets, explained.units, strict=True)
            if t == target and int(image) in members
        ]
        for target in (A, B)
        for group, members in groups.items()
    }
    rows, total = {}, 0.0
    for target in (A, B):
        for own, other in ((ERRORS, RIGHT), (RIGHT, ERRORS)):
            mine, theirs = transactions[target, own], transactions[target, other]
            n_c, m_c = len({image for image, _ in mine}), len({image for image, _ in theirs})
            subsets = sum(2 ** len(units) - 1 for _, units in mine + theirs)
            p_of = {s: hypergeom.pmf(s, n_c + m_c, n_c, s) for s in range(1, n_c + 1)}
            least = next((s for s in p_of if p_of[s] * subsets / s * 4 <= 0.05), n_c + 1)
            total += subsets / least
            seen = {frozenset(c) for _, u in mine for k in range(1, n + 1) for c in combinations(sorted(u), k)}
            for units in seen:
                count = sum(units <= held for _, held in mine)
                if count < max(2, np.ceil(support * len(mine) - 1e-9)):
                    continue
                a = len({image for image, held in mine if units <= held})
                b = len({image for image, held in theirs if units <= held})
                p = fisher_exact([[a, n_c - a], [b, m_c - b]], alternative="greater").pvalue
                rows[tuple(sorted(units)), target, own] = [a, n_c, b, m_c, p, a + b >= least, count]
    tested = [key for key in rows if rows[key][5]]
    if tested:
        q = false_discovery_control([rows[key][4] for key in tested]) * max(total, len(tested)) / len(tested)
    for key in rows:
        rows[key][5] = 1.0
    for key, value in zip(tested, q if tested else [], strict=True):
        rows[key][5] = min(1.0, value)
    return rows


@pytest.mark.parametrize("seed", range(6))
def test_counts_and_values_equal_a_recount_and_scipy(seed):
    pair, explained = photos_by_lot(seed, 9 + 3 * seed, 30, signal=1.5 if seed % 2 else 0.0)
    found = differences(STUDY, pair, explained, MineConfig(top_units=4, min_support=0.15, max_size=4))
    expected = brute_force(pair, explained, 4, 0.15)
    assert found.tested == len(expected)
    kept = set()
    for row in found.table.itertuples():
        a, n_c, b, m_c, p, q, _ = expected[row.units, row.target, row.more_in]
        own, other = (row.error_count, row.error_photos), (row.right_count, row.right_photos)
        if row.more_in == RIGHT:
            own, other = other, own
        assert (own, other) == ((a, n_c), (b, m_c))
        assert own[0] / own[1] > other[0] / other[1]
        assert row.p_value == pytest.approx(p, rel=1e-9)
        assert row.q_value == pytest.approx(q, rel=1e-9)
        assert row.significant == (q <= 0.05)
        kept.add((row.units, row.target, row.more_in))
    for (units, target, more_in), (a, n_c, b, m_c, _, _, count) in expected.items():
        larger = [
            key
            for key in expected
            if key[1:] == (target, more_in) and set(units) < set(key[0]) and expected[key][6] == count
        ]
        assert ((units, target, more_in) in kept) == (not larger and a * m_c > b * n_c)
    assert found.table["p_value"].is_monotonic_increasing


def test_where_mining_sets_no_limit_sets_of_three_units_are_the_largest():
    pair, explained = photos_by_lot(2, 12, 30)
    plain = differences(STUDY, pair, explained, MineConfig(top_units=5))
    assert plain.largest == 3
    assert plain.table["units"].map(len).max() == 3
    three = differences(STUDY, pair, explained, MineConfig(top_units=5, max_size=3))
    assert plain.table.equals(three.table)
    five = differences(STUDY, pair, explained, MineConfig(top_units=5, max_size=5))
    assert five.largest == 5
    assert five.table["units"].map(len).max() > 3


def test_a_true_difference_is_found_and_says_where():
    pair, explained = photos_by_lot(3, 25, 60, signal=2.5)
    found = differences(STUDY, pair, explained, MineConfig(top_units=4, min_support=0.2))
    row = found.table[found.table["units"] == (0, 1)].iloc[0]
    assert (row["target"], row["more_in"], row["significant"]) == (B, ERRORS, True)
    held = holds(explained, (0, 1), 4) & (explained.targets == B)
    assert row["error_count"] == len(np.intersect1d(explained.image_ids[held], pair.errors))


@pytest.mark.slow
def test_the_null_holds():
    """Photos dealt to errors and right answers by lot: at most 5 % of runs report any set."""
    reported = listed = 0
    for seed in range(200):
        pair, explained = photos_by_lot(1000 + seed, 25, 75)
        found = differences(STUDY, pair, explained, MineConfig(top_units=5, min_support=0.2))
        listed += len(found.table)
        reported += bool(found.table["significant"].any())
    assert listed > 200 * 20
    assert reported <= 10


def test_few_errors_are_listed_and_nothing_is_significant():
    pair, explained = photos_by_lot(1, 3, 40)
    found = differences(STUDY, pair, explained, MineConfig(top_units=5, min_support=0.01))
    assert len(found.table)
    assert not found.table["significant"].any()
    own = found.table[found.table["more_in"] == ERRORS]
    at = [int(holds(explained.of(pair.errors, row.target), row.units, 5).sum()) for row in own.itertuples()]
    assert min(at) >= 2, "an itemset of one patch was listed"


def test_a_single_error_and_none_are_no_error():
    for errors in (0, 1):
        pair, explained = photos_by_lot(1, errors, 20)
        found = differences(STUDY, pair, explained, MineConfig(top_units=5))
        assert not found.table["significant"].any()
        if not errors:
            assert found.table.empty, "there is nothing to compare the right photos with"


def test_more_units_than_are_stored_are_refused():
    pair, explained = photos_by_lot(1, 5, 20)
    with pytest.raises(InputError, match="stores the 5 best"):
        differences(STUDY, pair, explained, MineConfig(top_units=6))


def test_examples_are_one_patch_a_photo_those_that_hold_the_set_first():
    units = np.array([[4, 2, 9], [1, 2, 4], [2, 4, 7], [2, 8, 9], [4, 5, 2], [2, 4, 1]], np.int32)
    scores = np.array([[5, 1, 1], [9, 8, 7], [4, 3, 1], [9, 1, 1], [3, 2, 1], [9, 9, 9]], np.float32)
    images, targets = np.array([10, 10, 11, 12, 13, 14]), np.array([B, B, B, B, B, A])
    boxes = np.arange(24).reshape(6, 4)
    patches = Explained(images, targets, boxes, units, scores)
    found = examples(patches, np.array([10, 11, 12, 13, 14]), B, (2, 4), 2)
    # Of two units a transaction: rows 0 and 2 hold both; row 1 has 4 in the third place only, as row 4 has 2.
    assert found.image_ids.tolist() == [11, 10, 12, 13]
    assert found.holds.tolist() == [True, True, False, False]
    assert found.boxes.tolist() == boxes[[2, 0, 3, 4]].tolist()
    wider = examples(patches, np.array([10, 11, 12, 13, 14]), B, (2, 4), 3)
    # Of three units photo 10 holds the set in both patches: 8 + 7 is more than 5 + 1.
    assert wider.image_ids.tolist() == [10, 11, 13, 12]
    assert wider.boxes.tolist() == boxes[[1, 2, 4, 3]].tolist()
    assert not examples(patches, np.array([10, 11]), B, (), 2).holds.any()
