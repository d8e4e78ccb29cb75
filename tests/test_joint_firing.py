"""Joint firing: observed against independent picks, by hand, by enumeration and in made-up worlds."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from interpret.config import MineConfig
from interpret.evaluation.itemsets import fixed_length
from interpret.evaluation.itemsets.firing_summary import firing_summary
from interpret.evaluation.itemsets.joint_firing import find_groups, joint_firing
from interpret.evaluation.itemsets.supported_sets import ClassSets


def picks(odds: np.ndarray, length: int) -> dict[tuple[int, ...], float]:
    """The probability of every set of a length, from the definition."""
    chances = {units: float(np.prod(odds[list(units)])) for units in itertools.combinations(range(len(odds)), length)}
    return {units: chance / sum(chances.values()) for units, chance in chances.items()}


@pytest.mark.parametrize("seed", range(4))
def test_fitted_picks_have_the_supports_that_were_counted_and_equal_enumeration(seed):
    rng = np.random.default_rng(seed)
    n_units, longest = 6, 4
    counts, lengths = np.zeros((2, n_units), np.int64), np.zeros((2, longest + 1), np.int64)
    for group in range(2):
        for _ in range(150):
            length = int(rng.choice([0, 2, 3, 4]))
            # the last unit of the first group is in no transaction, and unit 0 of the second in all that are not empty
            weight = np.array([6, 5, 4, 3, 2, 1.0]) if group else np.array([6, 5, 4, 3, 2, 0.0])
            row = rng.choice(n_units, length, replace=False, p=weight / weight.sum())
            counts[group, row] += 1
            lengths[group, length] += 1
    fitted = fixed_length.fit(counts, lengths)
    marked = np.array([[1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0], [0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]], bool)
    for group in range(2):
        odds = fitted[group] / (1 - fitted[group])
        by_length = {length: picks(odds, length) for length in (2, 3, 4)}
        expected = np.zeros(n_units)
        for length, sets in by_length.items():
            for units, chance in sets.items():
                expected[list(units)] += chance * lengths[group, length]
        assert expected == pytest.approx(counts[group], abs=0.01)
        found = fixed_length.probabilities(fitted[group], marked, longest)
        assert (found[:, 0] == 0).all()
        for row, units in enumerate(marked):
            members = set(np.flatnonzero(units).tolist())
            for length, sets in by_length.items():
                whole = sum(chance for held, chance in sets.items() if members <= set(held))
                assert found[row, length] == pytest.approx(whole, abs=1e-9)


def test_a_unit_in_every_transaction_takes_a_place_and_no_more():
    # unit 0 is in all; of the others each is in a third, so that a transaction of two holds one of them
    fitted = fixed_length.fit(np.array([[9, 3, 3, 3]]), np.array([[0, 0, 9]]))
    assert fitted[0, 0] == 1
    marked = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [1, 0, 0, 0]], bool)
    assert fixed_length.probabilities(fitted[0], marked, 2)[:, 2] == pytest.approx([1 / 3, 0, 1])


def study_of(rows: np.ndarray, image: np.ndarray, predicted: np.ndarray, contrast=None) -> SimpleNamespace:
    """What a study is to joint firing: ranked units, and to which photo and class they belong."""
    other = np.zeros((0, rows.shape[1]), np.int32) if contrast is None else contrast[0]
    target, from_class, photo = (np.zeros(0, np.int64),) * 3 if contrast is None else contrast[1:]
    return SimpleNamespace(
        ranked=(rows.astype(np.int32), np.ones(rows.shape, np.float32)),
        ranked_contrast=(other.astype(np.int32), np.ones(other.shape, np.float32)),
        patches=pd.DataFrame({"predicted": predicted, "image_id": image}),
        contrast=pd.DataFrame({"target": target, "predicted": from_class, "image_id": photo}),
        images=pd.DataFrame({"image_id": range(int(image.max()) + 1)}),
        extract_config=SimpleNamespace(stored_units=rows.shape[1]),
        has_contrast=contrast is not None,
        n_units=100,
    )


def sets_of(itemsets: list[tuple[int, ...]], shared_by: list[tuple[int, ...]], class_id: int = 0) -> ClassSets:
    units = np.unique(np.concatenate(itemsets)).astype(np.int64)
    return ClassSets(class_id, tuple(itemsets), np.arange(len(itemsets)), tuple(shared_by), units)


OWN = np.array([[1, 2, 3], [1, 2, -1], [1, 2, 4], [3, 4, -1], [1, 3, 4], [9, 8, 7]])
CONTRAST = np.array([[1, 3, 4], [2, 3, 4], [1, 2, 3], [1, 2, -1]])


def by_hand() -> tuple[list, pd.DataFrame]:
    """Class 0 has five patches of four photos; {1, 2} is its own, {3, 4} it shares with class 2."""
    contrast = (CONTRAST, np.array([0, 0, 0, 1]), np.array([1, 2, 1, 2]), np.array([7, 8, 9, 9]))
    study = study_of(OWN, np.array([0, 0, 1, 2, 3, 4]), np.array([0, 0, 0, 0, 0, 1]), contrast)
    held = study_of(np.array([[1, 2, 5], [1, 2, 5], [2, 3, 4]]), np.array([0, 1, 2]), np.array([0, 0, 1]))
    sets = {0: sets_of([(1,), (1, 2), (3, 4)], [(0,), (0,), (0, 2)])}
    config = MineConfig(top_units=3, contrast_quantile=0.0)
    groups = find_groups(study, held, config, sets)
    return groups, joint_firing(groups, 3)


def test_joint_firing_worked_out_by_hand():
    groups, table = by_hand()
    assert [group.kind for group in groups] == ["own", "held", "contrast", "contrast"]
    assert table["units"].tolist() == [(1, 2), (3, 4)]  # a single unit fires with none
    first, second = (row for _, row in table.iterrows())
    # of five patches unit 1 is in four, 2 in three, together in three; 3 is in three, 4 in three, together in two
    assert (first["patches"], first["count"], first["support"]) == (5, 3, 0.6)
    assert first["product"] == pytest.approx(0.8 * 0.6)
    assert first["ratio"] == pytest.approx(0.6 / 0.48)
    assert (second["count"], second["ratio"]) == (2, pytest.approx(0.4 / 0.36))
    # the contrast of class 0 are three patches; for what it shares with class 2, the two of class 1
    assert (first["contrast_patches"], first["contrast_count"]) == (3, 1)
    assert first["contrast_ratio"] == pytest.approx((1 / 3) / (2 / 3 * 2 / 3))
    assert (second["contrast_patches"], second["contrast_count"]) == (2, 1)
    assert second["contrast_ratio"] == pytest.approx(0.5 / (1.0 * 0.5))
    # of the held-out patches those predicted as class 0, in which units 1 and 2 are always, and 3 and 4 never
    assert (first["held_patches"], first["held_count"], first["held_ratio"]) == (2, 2, 1.0)
    assert (first["photos"], first["image_count"], first["p_value"]) == (2, 2, 1.0)
    assert (second["held_count"], second["p_value"]) == (0, 1.0)
    assert np.isnan(second["held_ratio"])
    # five transactions of lengths 3, 2, 3, 2, 3: what independent picks give, by the enumeration tested above
    lengths = np.array([[0, 0, 2, 3]])
    fitted = fixed_length.fit(np.array([[4, 3, 3, 3]]), lengths)
    expected = fixed_length.probabilities(fitted[0], np.array([[True, True, False, False]]), 3)[0] @ lengths[0]
    assert first["expected"] == pytest.approx(expected)
    assert first["fixed_ratio"] == pytest.approx(3 / expected)
    assert first["expected"] < 5 * first["product"]  # units that compete for places come together less often


def world(seed: int, together: float = 0.0, photos: int = 150) -> SimpleNamespace:
    """Photos of one or two patches of five units; a share of them holds units 0 and 1 together or neither."""
    rng = np.random.default_rng(seed)
    weight = np.array([4, 4, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2.0])
    rows, image = [], []
    for photo in range(photos):
        for _ in range(rng.integers(1, 3)):
            row = rng.permutation(np.argsort(rng.exponential(size=12) / weight)[:5])
            if rng.random() < together:
                others = [unit for unit in row if unit > 1]
                row = np.array([0, 1, *others][:5] if rng.random() < 0.55 else [*others, 10, 11, 9][:5])
            rows.append(np.pad(np.unique(row), (0, 5 - len(np.unique(row))), constant_values=-1))
            image.append(photo)
    return study_of(np.array(rows), np.array(image), np.zeros(len(rows), np.int64))


PAIRS = list(itertools.combinations(range(4), 2))


def measured(own: SimpleNamespace, held: SimpleNamespace) -> tuple[list, pd.DataFrame]:
    sets = {0: sets_of(PAIRS, [(0,)] * len(PAIRS))}
    groups = find_groups(own, held, MineConfig(top_units=5, contrast_quantile=0.0), sets)
    return groups, joint_firing(groups, 5)


def test_independent_picks_are_seldom_called_joint():
    reported, small = 0, 0
    for seed in range(60):
        _, table = measured(world(seed), world(1000 + seed))
        reported += bool((table["q_value"] <= 0.05).any())
        small += int((table["p_value"] <= 0.1).sum())
        # the product calls most of them rarer than chance, the picks of fixed length do not
    assert reported <= 3
    assert small <= 0.1 * 60 * len(PAIRS)
    tables = [measured(world(seed), world(1000 + seed))[1] for seed in range(10)]
    ratios = pd.concat(tables)[["held_ratio", "held_fixed_ratio"]].mean()
    assert ratios["held_ratio"] < 0.95
    assert ratios["held_fixed_ratio"] == pytest.approx(1, abs=0.03)


def test_units_that_fire_together_are_found_in_held_out_photos():
    groups, table = measured(world(1, together=0.5), world(2, together=0.5))
    joint = table.set_index("units").loc[[(0, 1)]].iloc[0]
    assert joint["q_value"] < 1e-4
    assert joint["held_fixed_ratio"] > 1.2
    rows = {row.measure: row for row in firing_summary(groups, table, 5, 0) if row.size == "all"}
    # one class: the ratio is the sum of the supports over that of what independent picks give
    assert rows["held_fixed_ratio"].value == pytest.approx(table["held_count"].sum() / table["held_expected"].sum())
    assert rows["ratio"].value == pytest.approx(table["support"].sum() / table["product"].sum())
    assert rows["ratio"].low < rows["ratio"].value < rows["ratio"].high
    assert rows["beyond_noise"].value == (table["q_value"] <= 0.05).mean()
    one, again, other = (pd.DataFrame(firing_summary(groups, table, 5, seed)) for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(one, again)
    assert (one["value"].dropna() == other["value"].dropna()).all()
    assert not one.equals(other)


def test_nothing_is_said_of_no_itemset():
    own = world(0)
    groups = find_groups(own, own, MineConfig(top_units=5, contrast_quantile=0.0), {0: sets_of([(1,)], [(0,)])})
    table = joint_firing(groups, 5)
    assert table.empty
    assert firing_summary(groups, table, 5, 0) == []
