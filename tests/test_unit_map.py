"""The map of the units: counts and distances by hand, trustworthiness beside scikit-learn's, planted groups."""

import hashlib

import numpy as np
import pytest
from sklearn.manifold import trustworthiness as peer

from interpret.findings import Findings, embedding, supporting, unit_map
from interpret.findings.unit_index import UnitIndex
from interpret.study import open_study
from tests.process_state import process_state
from tests.small_study import studies


def index_of(transactions: list[list[int]], n_units: int) -> UnitIndex:
    units = np.full((len(transactions), max(len(each) for each in transactions)), -1, np.int32)
    for row, each in enumerate(transactions):
        units[row, : len(each)] = each
    return UnitIndex.of((units, np.ones(units.shape, np.float32)), n_units)


def test_patches_together_and_distances_by_hand():
    together = unit_map.patches_together(index_of([[0, 1], [1, 0, 2], [2], [3]], 5))
    assert together.tolist() == [
        [2, 2, 1, 0, 0],
        [2, 2, 1, 0, 0],
        [1, 1, 2, 0, 0],
        [0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0],
    ]
    # Unit 0's shares are (1, 1, 1/2, 0), unit 2's (1/2, 1/2, 1, 0): cosine 1.5 / (1.5 * sqrt(1.5)).
    apart = unit_map.cosine_distances(unit_map.profiles(together[:4, :4]))
    assert apart[0, 1] == pytest.approx(0)
    assert apart[0, 2] == pytest.approx(1 - 1 / np.sqrt(1.5))
    assert apart[0, 3] == apart[2, 3] == 1
    assert np.array_equal(apart, apart.T)
    assert (np.diag(apart) == 0).all()


def test_counts_equal_a_count_of_every_pair():
    rng = np.random.default_rng(3)
    transactions = [rng.choice(12, size=rng.integers(1, 6), replace=False).tolist() for _ in range(80)]
    together = unit_map.patches_together(index_of(transactions, 12))
    for one in range(12):
        for other in range(12):
            assert together[one, other] == sum({one, other} <= set(each) for each in transactions)


@pytest.mark.parametrize("k", [1, 5, 14])
def test_trustworthiness_equals_scikit_learns(k):
    rng = np.random.default_rng(k)
    points = rng.standard_normal((30, 6))
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    for places in (points[:, :2], rng.standard_normal((30, 2))):
        expected = peer(apart, places, n_neighbors=k, metric="precomputed")
        assert embedding.trustworthiness(apart, places, k) == pytest.approx(expected, abs=1e-12)


def test_trustworthiness_by_hand_and_its_bounds():
    # On a line 0, 1, 2, 3, 4 with the point 4 drawn beside 0: its nearest there is 0, by distance the last of four.
    line = np.arange(5.0)
    apart = np.abs(line[:, None] - line[None])
    places = np.stack([[0, 1.5, 3.2, 5.1, 0.4], np.zeros(5)], axis=1)
    # Nearest in the plane: 0 -> 4 (rank 4), 1 -> 4 (rank 4: 0 and 2 are at 1, 3 at 2), 2 -> 1, 3 -> 2, 4 -> 0 (rank 4).
    assert embedding.trustworthiness(apart, places, 1) == pytest.approx(1 - 2 / (5 * (10 - 3 - 1)) * (3 + 3 + 3))
    # 0's nearest is 1 by distance, 1's is 0 or 2 (the lower number: 0), 2's is 1, 3's is 2, 4's is 3: two are kept.
    assert embedding.kept_share(apart, places, 1) == pytest.approx(2 / 5)
    assert embedding.trustworthiness(apart, np.stack([line, np.zeros(5)], axis=1), 1) == 1
    for k in (0, 3):
        with pytest.raises(ValueError, match="less than half"):
            embedding.trustworthiness(apart, places, k)


def test_points_on_each_other_are_moved_apart_and_others_stay():
    places = np.array([[-1.0, 0], [1, 0], [0, 0.5], [0, 0.5], [0.02, 0.5]])
    moved = embedding.apart(places)
    between = embedding.flat_distances(moved) + 9 * np.eye(5)
    assert between.min() > 0.95 * embedding.ROOM * 2 / np.sqrt(5)
    assert np.allclose(moved[:2], places[:2], atol=0.02)
    assert np.allclose(embedding.apart(places[:2]), places[:2], atol=1e-5)


def planted(seed: int, groups: int = 6, size: int = 8, patches: int = 60) -> UnitIndex:
    """Transactions of groups of units: each patch holds four units of one group, and one of any."""
    rng = np.random.default_rng(seed)
    transactions = []
    for _ in range(patches):
        for group in range(groups):
            own = group * size + rng.choice(size, 4, replace=False)
            transactions.append(list(dict.fromkeys([*own.tolist(), int(rng.integers(groups * size))])))
    return index_of(transactions, groups * size)


def test_planted_groups_lie_together_and_apart_from_each_other():
    drawn = unit_map.map_of(planted(0))
    assert drawn.units.tolist() == list(range(48))
    group = drawn.units // 8
    near = embedding.neighbours(embedding.flat_distances(drawn.places), 7)
    assert (group[near] == group[:, None]).all()
    centres = np.array([drawn.places[group == each].mean(axis=0) for each in range(6)])
    spread = max(np.linalg.norm(drawn.places[group == each] - centres[each], axis=1).max() for each in range(6))
    between = embedding.flat_distances(centres) + 9 * np.eye(6)
    assert between.min() > 2 * spread
    assert drawn.trustworthiness > 0.9
    assert drawn.k == 10
    assert set(drawn.nearest_units(3)[:7]) == set(range(8)) - {3}
    assert drawn.nearest_units(48) == []


def test_groups_dealt_out_by_lot_are_told_from_planted_ones():
    """The same check fails where there is nothing to find."""
    rng = np.random.default_rng(1)
    drawn = unit_map.map_of(index_of([rng.choice(48, 5, replace=False).tolist() for _ in range(360)], 48))
    group = drawn.units // 8
    near = embedding.neighbours(embedding.flat_distances(drawn.places), 7)
    assert (group[near] == group[:, None]).mean() < 0.4


def test_the_same_transactions_give_the_same_bytes_and_nothing_is_left_behind():
    before = process_state()
    first, second = (unit_map.map_of(planted(2)) for _ in range(2))
    assert hashlib.sha256(first.places.tobytes()).digest() == hashlib.sha256(second.places.tobytes()).digest()
    assert process_state() == before
    assert np.abs(first.places).max() == 1
    assert first.places[:, 0].var() >= first.places[:, 1].var()
    assert np.abs(first.places.mean(axis=0)).max() < 0.2
    assert not first.places.flags.writeable


def test_rare_units_are_left_out_and_few_units_have_a_map():
    drawn = unit_map.map_of(index_of([[0, 1]] * 5 + [[2]] * 4, 6))
    assert (drawn.units.tolist(), drawn.patches.tolist(), drawn.left_out) == ([0, 1], [5, 5], 1)
    assert np.isnan(drawn.trustworthiness)
    for units in (1, 3, 7, 8, 9):
        few = unit_map.map_of(index_of([[unit, (unit + 1) % units] for unit in range(units)] * 5, units))
        assert few.places.shape == (units, 2)
        assert np.isfinite(few.places).all()
    assert len(unit_map.map_of(index_of([[0]], 2)).units) == 0


@pytest.mark.slow
def test_a_studys_units_with_their_classes():
    study = open_study(studies() / "demo")
    found = Findings.of(study)
    drawn = unit_map.unit_map(study, found.config)
    rows = unit_map.table(found, drawn)
    assert rows["unit"].is_monotonic_increasing
    for row in rows.itertuples():
        assert row.patches == len(supporting.supporting_patches(study, [row.unit], found.config)) >= unit_map.LEAST
        own = found.table[(found.table["size"] == 1) & (found.table["units"] == (row.unit,))]
        assert set(row.class_ids) == set(own["class_id"])
        assert row.kind == ("none" if own.empty else "specific" if len(own) == 1 else "shared")
        if len(own):
            assert (row.class_id, row.support) == (row.class_ids[0], own["support"].max())
    assert set(rows["kind"]) >= {"specific", "shared"}
    order = unit_map.named_first(found, drawn)
    assert sorted(order) == rows["unit"].tolist()
    headline, _ = found.headline()
    assert set(order[: len(headline)]) == set(headline)
