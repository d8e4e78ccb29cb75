"""Findings against their contrast: counts against a recount, p-values against SciPy, and the null."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import fisher_exact, hypergeom

from interpret.config import MineConfig
from interpret.explanation.contrast_classes import Deal
from interpret.mining import contrast_quantiles, mine, store
from interpret.mining.contrast import contrast_family
from interpret.mining.contrast_quantiles import Quantiles, halves
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase


def best(scores: np.ndarray, n: int) -> np.ndarray:
    """(P, n) the n best units of each row of scores (P, K), -1 where none is positive."""
    units = np.argsort(-scores, axis=1, kind="stable")[:, :n]
    return np.where(np.take_along_axis(scores, units, 1) > 0, units, -1).astype(np.int32)


def world(seed: int, *, photos: int = 160, classes: int = 4, units: int = 14, n: int = 5, signal: float = 0.0):
    """Own and contrast transactions of random activations under a random linear head, one to two patches a photo.

    Args:
        seed: of everything.
        photos: how many.
        classes: that photos are predicted as, by lot.
        units: K.
        n: units per transaction.
        signal: what is added to the activations of units 0 and 1 in photos of classes 0 and 1.
    """
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(classes, units))
    label = rng.integers(0, classes, photos)
    patches = rng.integers(1, 3, photos)
    image = np.repeat(np.arange(photos), patches)
    active = np.maximum(rng.normal(size=(len(image), units)), 0.0)
    active[np.ix_(label[image] < 2, [0, 1])] += signal
    if signal:
        weights[:2, :2] = 1.0
    dealt = Deal(classes + 20, 3, (0, seed)).batch(label)
    at, place = np.nonzero(dealt[image] >= 0)
    target = dealt[image][at, place]
    own = TransactionDatabase(
        best(active * weights[label[image]], n), label[image].astype(np.int32), image.astype(np.int64), units
    )
    contrast = ContrastDatabase(
        best(active[at] * weights[target], n),
        target.astype(np.int32),
        label[image[at]].astype(np.int32),
        image[at].astype(np.int64),
        units,
    )
    return own, contrast


@pytest.mark.parametrize("engine", ["auto", "bitsets", "torch", "pyfim"])
@pytest.mark.parametrize("seed", range(4))
def test_counts_and_p_values_equal_a_recount(seed, engine):
    if engine == "pyfim":
        pytest.importorskip("fim")
    own, contrast = world(seed, signal=1.5 if seed % 2 else 0.0)
    config = MineConfig(top_units=4, min_support=0.15, engine=engine)
    mined = mine(own, config, contrast=contrast)
    rows = [set(row[row >= 0].tolist()) for row in own.units[:, :4]]
    other_rows = [set(row[row >= 0].tolist()) for row in contrast.units[:, :4]]
    served: dict[int, set[int]] = {}
    for itemset, c in zip(mined.rules["itemset_id"], mined.rules["class_id"], strict=True):
        served.setdefault(itemset, set()).add(c)
    assert any(len(classes) > 1 for classes in served.values())
    for row in mined.rules.itertuples():
        units = set(mined.units_of[row.itemset_id])
        c = row.class_id
        holds = [c == k and units <= held for k, held in zip(own.class_ids, rows, strict=True)]
        a, n_c = len(set(own.image_ids[holds])), len(set(own.image_ids[own.class_ids == c]))
        valid = (contrast.targets == c) & ~np.isin(contrast.predicted, sorted(served[row.itemset_id]))
        found = valid & np.array([units <= held for held in other_rows])
        b, m_c = len(set(contrast.image_ids[found])), len(set(contrast.image_ids[valid]))
        assert (row.image_count, row.contrast_image_count, row.contrast_images) == (a, b, m_c)
        assert (row.contrast_count, row.contrast_patches) == (found.sum(), valid.sum())
        expected = fisher_exact([[a, n_c - a], [b, m_c - b]], alternative="greater").pvalue if m_c else 1.0
        assert row.image_p_value == pytest.approx(expected, rel=1e-9, abs=1e-300)
        support = row.support_count / (own.class_ids == c).sum()
        if found.sum():
            assert row.contrast_lift == pytest.approx(support / (found.sum() / valid.sum()))
        assert row.image_q_value >= row.image_p_value


def test_the_family_counts_every_set_of_units():
    own, contrast = world(1)
    mined = mine(own, MineConfig(top_units=3, min_support=0.2, max_size=2), contrast=contrast)
    for place, c in enumerate(mined.class_ids):
        rows = [*own.units[own.class_ids == c, :3], *contrast.units[contrast.targets == c, :3]]
        expected = sum(len(list(combinations(row[row >= 0], k))) for row in rows for k in (1, 2))
        assert mined.contrast.subsets[place] == expected


def test_the_family_counts_what_could_be_tested():
    # Itemsets in s photos of 100, all of them among the class's own 50, have p = C(50, s) / C(100, s).
    made = contrast_family(
        np.array([50, 10, 40]), np.array([50, 90, 60]), np.array([1000.0, 300.0, 9.0]), np.array([True, True, False])
    )
    for c, n_c, subsets in ((0, 50, 1000), (1, 10, 300)):
        p = [hypergeom.pmf(s, 100, n_c, s) * subsets / s * 2 for s in range(1, n_c + 1)]
        assert made.least[c] == 1 + next(i for i, value in enumerate(p) if value <= 0.05)
    assert made.size == pytest.approx(1000 / made.least[0] + 300 / made.least[1])


@pytest.mark.parametrize("seed", range(6))
def test_the_family_is_never_smaller_than_the_itemsets_tested(seed):
    own, contrast = world(seed, photos=50, classes=3, units=8, n=3)
    mined = mine(own, MineConfig(top_units=3, min_support=1e-6, min_class_patches=1), contrast=contrast)
    counts = mined.contrast
    made = contrast_family(mined.class_photos, counts.all_images, counts.subsets, mined.is_mined)
    held: dict[tuple[int, tuple[int, ...]], set[int]] = {}
    for units, labels, photos in (
        (own.units, own.class_ids, own.image_ids),
        (contrast.units, contrast.targets, contrast.image_ids),
    ):
        for row, c, photo in zip(units.tolist(), labels.tolist(), photos.tolist(), strict=True):
            inside = sorted(unit for unit in row if unit >= 0)
            for itemset in (subset for k in (1, 2, 3) for subset in combinations(inside, k)):
                held.setdefault((c, itemset), set()).add(photo)
    place = {int(c): index for index, c in enumerate(mined.class_ids)}
    tested = sum(len(images) >= made.least[place[c]] for (c, _), images in held.items() if c in place)
    assert tested <= made.size + 1e-9


@pytest.mark.slow
@pytest.mark.parametrize("n", [3, pytest.param(6, marks=pytest.mark.long)])
def test_the_null_holds(n):
    """Random activations, a random head, classes dealt out by lot: at most 5 % of runs report any rule."""
    reported = rules = 0
    for seed in range(200):
        own, contrast = world(1000 + seed, photos=120, n=n)
        found = mine(own, MineConfig(top_units=n, min_support=0.2), contrast=contrast).rules
        rules += len(found)
        reported += bool((found["image_q_value"] <= 0.05).any())
    assert rules > 200 * 20
    assert reported <= 10


@pytest.mark.slow
@pytest.mark.parametrize(
    ("quantile", "shared"),
    [(0.9, 1), *(pytest.param(*each, marks=pytest.mark.long) for each in ((0.7, 0), (0.7, 1), (0.8, 2)))],
)
def test_the_null_holds_for_contrastive_transactions(quantile, shared):
    reported = rules = 0
    for seed in range(200):
        own, contrast = world(5000 + seed, photos=120, n=6)
        found = contrastive(own, contrast, seed, quantile, shared).rules
        rules += len(found)
        reported += bool((found["image_q_value"] <= 0.05).any())
    assert rules > 200
    assert reported <= 10


def contrastive(own: TransactionDatabase, contrast: ContrastDatabase, seed: int, quantile: float, shared: int):
    """Mined from transactions cut at quantiles of made-up scores that follow the ranks."""
    half = halves(120, seed)
    ranks = np.arange(own.units.shape[1], 0, -1, dtype=np.float32)
    scores, other = np.broadcast_to(ranks, own.units.shape), np.broadcast_to(ranks, contrast.units.shape)
    held_to = Quantiles(
        contrast.units, other, contrast.targets, contrast.predicted, half[contrast.image_ids], own.n_units, quantile,
        shared,
    )  # fmt: skip
    own = TransactionDatabase(
        held_to.kept(own.units, scores, own.class_ids, half[own.image_ids])[0],
        own.class_ids, own.image_ids, own.n_units,
    )  # fmt: skip
    contrast = ContrastDatabase(
        held_to.kept(contrast.units, other, contrast.targets, half[contrast.image_ids])[0],
        contrast.targets, contrast.predicted, contrast.image_ids, contrast.n_units,
    )  # fmt: skip
    return mine(own, MineConfig(top_units=own.units.shape[1], min_support=0.1), contrast=contrast)


def test_a_true_finding_stays():
    own, contrast = world(3, signal=3.0)
    mined = mine(own, MineConfig(top_units=4, min_support=0.3), contrast=contrast)
    pair = mined.units_of.index((0, 1))
    rules = mined.rules[mined.rules["itemset_id"] == pair]
    assert set(rules["class_id"]) >= {0, 1}
    of_both = rules[rules["class_id"] < 2]
    assert (of_both["image_q_value"] < 1e-6).all()
    assert (of_both["contrast_lift"] > 2).all()


def test_quantiles_by_hand():
    # Unit 2 scores 5, 4, 3, 2, 1 in five patches explained for class 7, all of photos of the first half.
    units = np.full((5, 1), 2, np.int32)
    scores = np.array([[5.0], [4.0], [3.0], [2.0], [1.0]], np.float32)
    of_one = np.ones(5, np.int64)
    held_to = Quantiles(units, scores, np.full(5, 7), of_one, np.zeros(5, bool), 4, 0.6)
    probe = np.array([[2, 3]] * 3, np.int32)
    given = np.array([[3.0, 0.1], [3.5, 0.1], [9.0, 0.1]], np.float32)
    other_half = np.ones(3, bool)
    # 60 % of the five do not exceed 3; a unit that never scores there has the quantile 0.
    assert held_to.kept(probe, given, np.full(3, 7), other_half)[0].tolist() == [[3, -1], [2, 3], [2, 3]]
    # No contrast patch of the other half, or of the class: nothing is taken out.
    assert held_to.kept(probe, given, np.full(3, 7), ~other_half)[0].tolist() == probe.tolist()
    assert held_to.kept(probe, given, np.full(3, 6), other_half)[0].tolist() == probe.tolist()
    # At 0.61 four of five patches are needed.
    assert Quantiles(units, scores, np.full(5, 7), of_one, np.zeros(5, bool), 4, 0.61).table[0, 2] == 4.0


def test_the_class_that_shares_a_unit_most_does_not_count_in_its_quantile():
    # Unit 2 scores 9 and 7 in the photos of class 1 and 4, 3, 2 in those of class 3, all explained for class 7.
    units = np.full((5, 1), 2, np.int32)
    scores = np.array([[9.0], [7.0], [4.0], [3.0], [2.0]], np.float32)
    predicted = np.array([1, 1, 3, 3, 3])
    given = (units, scores, np.full(5, 7), predicted, np.zeros(5, bool), 4)
    assert Quantiles(*given, 0.6).table[0, 2] == 4.0  # of five, three do not exceed it
    assert Quantiles(*given, 0.6, 1).table[0, 2] == 3.0  # of the three that are left, two
    assert Quantiles(*given, 0.99, 1).table[0, 2] == 4.0
    # The last class is never left out: every unit would stay.
    assert Quantiles(*given, 0.99, 5).table[0, 2] == 4.0
    # A class scores by its mean: one high score among zeros is less than two of middle height.
    units[1] = 3
    assert (
        Quantiles(units, scores, np.full(5, 7), np.array([1, 1, 1, 3, 3]), np.zeros(5, bool), 4, 0.99, 1).table[0, 2]
        == 3.0
    )


@pytest.mark.parametrize("limits", [{}, {"_ENTRIES": 300}, {"_KEYS": 24}, {"_PACKED": 40}], ids=str)
@pytest.mark.parametrize("shared", [0, 1, 2])
def test_quantiles_equal_those_of_whole_columns(shared, limits, monkeypatch):
    for name, value in limits.items():
        monkeypatch.setattr(contrast_quantiles, name, value)
    rng = np.random.default_rng(shared)
    q, n_units, width = 400, 12, 5
    dense = np.where(rng.random((q, n_units)) < 0.4, rng.gamma(2.0, size=(q, n_units)), 0.0).astype(np.float32)
    ranked = np.argsort(-dense, axis=1, kind="stable")[:, :width]
    scores = np.take_along_axis(dense, ranked, 1)
    units = np.where(scores > 0, ranked, -1).astype(np.int32)
    stored = np.zeros_like(dense)
    np.put_along_axis(stored, ranked, scores, 1)
    target, predicted, half = rng.integers(0, 3, q), rng.integers(3, 8, q), rng.random(q) < 0.5
    made = Quantiles(units, scores, target, predicted, half, n_units, 0.9, shared)
    for place, group in enumerate(made.groups.tolist()):
        rows = (target == group // 2) & (half == bool(group % 2))
        for unit in range(n_units):
            means = {c: stored[rows & (predicted == c), unit].mean(dtype=np.float64) for c in set(predicted[rows])}
            shares = sorted((c for c in means if means[c] > 0), key=lambda c: (-means[c], c))[
                : min(shared, len(means) - 1)
            ]
            left = stored[rows & ~np.isin(predicted, shares), unit]
            assert made.table[place, unit] == np.quantile(left, 0.9, method="inverted_cdf")


def test_halves_are_equal_and_repeatable():
    assert halves(101).sum() == 50
    assert (halves(101) == halves(101)).all()
    assert (halves(101) != halves(101, 1)).any()


def test_what_the_contrast_says_is_kept_on_disk(tmp_path):
    own, contrast = world(2, signal=1.0)
    mined = mine(own, MineConfig(top_units=4, min_support=0.2), contrast=contrast)
    store.write(mined, tmp_path / "mined")
    again = store.read(tmp_path / "mined")
    assert again.rules.equals(mined.rules)
    for name, value in vars(mined.contrast).items():
        np.testing.assert_array_equal(getattr(again.contrast, name), value)


def test_without_a_contrast_nothing_is_tested():
    own, _ = world(2)
    rules = mine(own, MineConfig(top_units=4, min_support=0.2)).rules
    assert len(rules)
    assert rules[["image_p_value", "image_q_value", "contrast_support", "contrast_lift"]].isna().all().all()
    assert (rules[["contrast_count", "contrast_patches"]] == 0).all().all()
