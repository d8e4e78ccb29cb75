"""The permutation test and the bootstrap against plain repetitions of what they say they do."""

import itertools

import numpy as np
import pytest
from scipy import stats

from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.mining import mine
from interpret.mining.significance import bootstrap, permutation_test
from interpret.mining.transactions import TransactionDatabase
from tests.mining_cases import config, database, skewed


def photos_of(data: TransactionDatabase) -> dict[tuple[int, ...], set[int]]:
    """Every itemset of up to two units and the photos that hold it."""
    held: dict[tuple[int, ...], set[int]] = {}
    for row, photo in zip(data.units.tolist(), data.image_ids.tolist(), strict=True):
        units = sorted(u for u in row if u >= 0)
        for itemset in [*((u,) for u in units), *itertools.combinations(units, 2)]:
            held.setdefault(itemset, set()).add(photo)
    return held


def study_like(seed: int) -> tuple[TransactionDatabase, MineConfig]:
    data = skewed(160, 3, seed=seed, n_units=12, width=3)
    return data, config(0.2, max_size=2, min_class_patches=10)


def test_each_draw_is_the_smallest_p_of_shuffled_labels() -> None:
    data, options = study_like(1)
    found = mine(data, options)
    made = permutation_test(data, found, options, draws=4, seed=7)
    photo_ids, first = np.unique(data.image_ids, return_index=True)
    labels = data.class_ids[first]
    held = photos_of(data)
    assert made.least == 1
    assert made.n_itemsets == len(held)
    rng = np.random.default_rng(7)
    expected = []
    for _ in range(4):
        dealt = dict(zip(photo_ids.tolist(), rng.permutation(labels).tolist(), strict=True))
        smallest = 1.0
        for photos in held.values():
            for c in range(3):
                k = sum(dealt[photo] == c for photo in photos)
                p = stats.hypergeom.sf(k - 1, len(labels), (labels == c).sum(), len(photos)) if k else 1.0
                smallest = min(smallest, p)
        expected.append(smallest)
    assert made.smallest == pytest.approx(sorted(expected), rel=1e-9)
    extreme = [sum(draw <= p * (1 + 1e-9) for draw in made.smallest) for p in found.rules.image_p_value]
    assert made.p_value.tolist() == [(1 + n) / 5 for n in extreme]


def test_rare_itemsets_are_left_out_rather_than_judged() -> None:
    data, options = study_like(2)
    found = mine(data, options)
    made = permutation_test(data, found, options, draws=3, max_itemsets=20)
    counts = sorted((len(photos) for photos in photos_of(data).values()), reverse=True)
    assert made.n_itemsets <= 20
    assert sum(n >= made.least for n in counts) == made.n_itemsets
    rare = found.all_photos[found.rules.itemset_id] < made.least
    assert rare.any()
    assert (made.p_value[rare] == 1).all()


def test_permutation_holds_its_level() -> None:
    """Of runs on shuffled labels, no more than about 5 % report a rule; on the true labels the findings stay."""
    reported = []
    for seed in range(60):
        data, options = study_like(seed)
        photos, photo = np.unique(data.image_ids, return_inverse=True)
        label = np.zeros(len(photos), np.int32)
        label[photo] = data.class_ids
        shuffled = np.random.default_rng(seed).permutation(label)[photo]
        chance = TransactionDatabase(data.units, shuffled, data.image_ids, data.n_units)
        made = permutation_test(chance, mine(chance, options), options, draws=39, seed=seed)
        reported.append(bool((made.p_value <= 0.05).any()))
    assert sum(reported) <= 7  # 60 runs at a true 5 % give 8 or more in 1 of 90 cases
    data, options = study_like(0)
    assert (permutation_test(data, mine(data, options), options, draws=39).p_value <= 0.05).mean() > 0.3


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


def test_same_seed_same_result() -> None:
    data, options = study_like(4)
    found = mine(data, options)
    first, second = (permutation_test(data, found, options, draws=9, seed=2) for _ in range(2))
    assert np.array_equal(first.smallest, second.smallest)
    assert not np.array_equal(first.smallest, permutation_test(data, found, options, draws=9, seed=3).smallest)
    a, b = (bootstrap(data, found, options, draws=9, seed=2) for _ in range(2))
    assert np.array_equal(a.rules, b.rules)


def test_nothing_found() -> None:
    data = database([], [])
    options = config(0.5)
    found = mine(data, options)
    assert len(permutation_test(data, found, options).p_value) == 0
    assert len(bootstrap(data, found, options).rules) == 0


def test_too_much_to_resample_is_one_sentence() -> None:
    data, options = study_like(6)
    with pytest.raises(InputError, match="occur too often to be resampled; mine at a larger support"):
        bootstrap(data, mine(data, options), options, max_occurrences=10)
