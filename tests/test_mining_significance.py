"""The permutation test and the bootstrap against plain repetitions of what they say they do."""

import itertools

import numpy as np
import pytest
from scipy import stats

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.mining import mine
from interpret.mining.contrast import MIN_LIFT
from interpret.mining.significance import permutation_test
from interpret.mining.stability import bootstrap
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase
from tests.mining_cases import config, database, skewed
from tests.test_contrast import world


def study_like(seed: int) -> tuple[TransactionDatabase, MineConfig]:
    data = skewed(160, 3, seed=seed, n_units=12, width=3)
    return data, config(0.2, max_size=2, min_class_patches=10)


def contrast_like(seed: int) -> tuple[TransactionDatabase, ContrastDatabase, MineConfig]:
    """Own and contrast transactions of random activations under a random head."""
    own, contrast = world(seed, photos=90, classes=3, units=9, n=3)
    return own, contrast, config(0.2, max_size=2, min_class_patches=10)


def photos_of(own: TransactionDatabase, contrast: ContrastDatabase, c: int) -> dict[tuple[int, ...], set[int]]:
    """Every itemset of up to two units in class c's own and contrast transactions, and the photos that hold it."""
    held: dict[tuple[int, ...], set[int]] = {}
    for units, labels, photos in (
        (own.units, own.class_ids, own.image_ids),
        (contrast.units, contrast.targets, contrast.image_ids),
    ):
        for row, photo in zip(units[labels == c].tolist(), photos[labels == c].tolist(), strict=True):
            inside = sorted(u for u in row if u >= 0)
            for itemset in [*((u,) for u in inside), *itertools.combinations(inside, 2)]:
                held.setdefault(itemset, set()).add(photo)
    return held


def test_each_draw_is_the_smallest_p_of_shuffled_groups() -> None:
    own, contrast, options = contrast_like(1)
    found = mine(own, options, contrast=contrast)
    made = permutation_test(own, contrast, found, options, draws=4, seed=7)
    held = {c: photos_of(own, contrast, c) for c in range(3)}
    assert made.least == 1
    assert made.n_itemsets == sum(len(one) for one in held.values())
    groups = {c: sorted(set(own.image_ids[own.class_ids == c])) for c in range(3)}
    others = {c: sorted(set(contrast.image_ids[contrast.targets == c])) for c in range(3)}
    rng = np.random.default_rng(7)
    sizes = [len(groups[c]) + len(others[c]) for c in range(3)]
    expected = []
    for _ in range(4):
        keys = np.split(rng.random(sum(sizes)), np.cumsum(sizes)[:-1])
        smallest = 1.0
        for c in range(3):
            # Photos in the order of their numbers, own before contrast where a number could be both.
            photos = sorted([*((photo, 0) for photo in groups[c]), *((photo, 1) for photo in others[c])])
            dealt = {photos[i][0] for i in np.argsort(keys[c], kind="stable")[: len(groups[c])]}
            for holding in held[c].values():
                k = len(holding & dealt)
                if k:
                    p = stats.hypergeom.sf(k - 1, len(photos), len(groups[c]), len(holding))
                    smallest = min(smallest, p)
        expected.append(smallest)
    assert made.smallest == pytest.approx(sorted(expected), rel=1e-9)
    extreme = [sum(draw <= p * (1 + 1e-9) for draw in made.smallest) for p in found.rules.image_p_value]
    assert made.p_value.tolist() == [(1 + n) / 5 for n in extreme]
    assert made.judged.all()


def test_rare_itemsets_are_left_out_rather_than_judged() -> None:
    own, contrast, options = contrast_like(2)
    found = mine(own, options, contrast=contrast)
    made = permutation_test(own, contrast, found, options, draws=3, max_itemsets=12)
    assert made.least > 1
    rare = (found.rules.support_count + found.rules.contrast_count).to_numpy() < made.least
    assert rare.any()
    assert (~rare).any()
    assert (made.judged == ~rare).all()
    assert (made.p_value[rare] == 1).all()


def test_permutation_holds_its_level() -> None:
    """Without any finding, no more than about 5 % of runs report a rule; a true finding is reported."""
    reported = []
    for seed in range(60):
        own, contrast, options = contrast_like(100 + seed)
        made = permutation_test(own, contrast, mine(own, options, contrast=contrast), options, draws=39, seed=seed)
        reported.append(bool((made.p_value <= 0.05).any()))
    assert sum(reported) <= 7  # 60 runs at a true 5 % give 8 or more in 1 of 90 cases
    own, contrast = world(3, signal=3.0)
    options = config(0.3, max_size=2, min_class_patches=10)
    found = mine(own, options, contrast=contrast)
    made = permutation_test(own, contrast, found, options, draws=39)
    assert (made.p_value[found.rules.itemset_id == found.units_of.index((0, 1))] <= 0.05).all()


def test_bootstrap_equals_mining_each_resample() -> None:
    data = skewed(120, 3, seed=5, n_units=12, width=4)
    options = config(0.25, min_class_patches=10)
    found = mine(data, options)
    made = bootstrap(data, found, options, draws=6, seed=3)
    photos = np.unique(data.image_ids)
    rng = np.random.default_rng(3)
    known = {units: i for i, units in enumerate(found.units_of)}
    rule_of = {(i, c): r for r, (i, c) in enumerate(zip(found.rules.itemset_id, found.rules.class_id, strict=True))}
    frequent, same, rules = np.zeros(len(found)), np.zeros(len(found)), np.zeros(len(found.rules))
    for _ in range(6):
        drawn = photos[rng.integers(0, len(photos), len(photos))]
        rows = np.concatenate([np.flatnonzero(data.image_ids == photo) for photo in drawn])
        sample = TransactionDatabase(data.units[rows], data.class_ids[rows], data.image_ids[rows], data.n_units)
        again = mine(sample, config(0.25))
        classes_again = again.itemsets.dropna(subset="class_id").groupby("units").class_id.agg(set).to_dict()
        for units, i in known.items():
            now = classes_again.get(units, set())
            before = {c for (j, c) in rule_of if j == i}
            frequent[i] += bool(now)
            same[i] += now == before if len(before) == 1 else len(now) > 1
            for c in now & before:
                rules[rule_of[i, c]] += 1
    assert 0 < frequent.min() < 6
    assert made.frequent.tolist() == (frequent / 6).tolist()
    assert made.same_kind.tolist() == (same / 6).tolist()
    assert made.rules.tolist() == (rules / 6).tolist()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_bootstrap_resamples_the_contrast_with_the_photos(seed) -> None:
    own, contrast = world(seed, photos=80, classes=4, units=8, n=3, signal=1.0)
    options = config(0.2, max_size=2, min_class_patches=5)
    found = mine(own, options, contrast=contrast)
    made = bootstrap(own, found, options, contrast=contrast, draws=12, seed=seed)
    photos = np.union1d(own.image_ids, contrast.image_ids)
    rules = list(zip(found.rules.itemset_id, found.rules.class_id, strict=True))
    shared: dict[int, set[int]] = {}
    for i, c in rules:
        shared.setdefault(int(i), set()).add(int(c))
    assert any(len(classes) > 1 for classes in shared.values())
    lifted, again = np.zeros(len(rules)), np.zeros(len(rules))
    rng = np.random.default_rng(seed)
    for _ in range(12):
        times = dict.fromkeys(photos.tolist(), 0)
        for photo in photos[rng.integers(0, len(photos), len(photos))].tolist():
            times[photo] += 1
        for r, (i, c) in enumerate(rules):
            held = all_own = other = all_other = 0
            for units, label, photo in zip(own.units.tolist(), own.class_ids, own.image_ids.tolist(), strict=True):
                if label == c:
                    all_own += times[photo]
                    held += times[photo] * set(found.units_of[i]).issubset(units)
            columns = (contrast.units.tolist(), contrast.targets, contrast.predicted, contrast.image_ids.tolist())
            for units, target, predicted, photo in zip(*columns, strict=True):
                if target == c and int(predicted) not in shared[int(i)]:
                    all_other += times[photo]
                    other += times[photo] * set(found.units_of[i]).issubset(units)
            frequent = held >= max(1, -(-all_own // 5))
            again[r] += frequent
            lifted[r] += frequent and all_other > 0 and held / all_own >= MIN_LIFT * other / all_other
    assert made.rules.tolist() == (again / 12).tolist()
    assert made.lifted.tolist() == (lifted / 12).tolist()
    assert made.lifted.max() > 0
    assert (made.lifted < made.rules).any()
    assert np.isnan(bootstrap(own, found, options, draws=2).lifted).all()


def test_same_seed_same_result() -> None:
    own, contrast, options = contrast_like(4)
    found = mine(own, options, contrast=contrast)
    first, second, other = (permutation_test(own, contrast, found, options, draws=9, seed=s) for s in (2, 2, 3))
    assert np.array_equal(first.smallest, second.smallest)
    assert not np.array_equal(first.smallest, other.smallest)
    data, options = study_like(4)
    found = mine(data, options)
    a, b = (bootstrap(data, found, options, draws=9, seed=2) for _ in range(2))
    assert np.array_equal(a.rules, b.rules)


def test_nothing_found() -> None:
    data = database([], [])
    options = config(0.5)
    found = mine(data, options)
    none = ContrastDatabase(data.units, data.class_ids, data.class_ids, data.image_ids, data.n_units)
    assert len(permutation_test(data, none, found, options).p_value) == 0
    assert len(bootstrap(data, found, options).rules) == 0


def test_too_much_to_resample_is_one_sentence() -> None:
    data, options = study_like(6)
    with pytest.raises(InputError, match="occur too often to be resampled; mine at a larger support"):
        bootstrap(data, mine(data, options), options, max_occurrences=10)
