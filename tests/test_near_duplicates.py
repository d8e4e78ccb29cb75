"""Near-duplicates: Jaccard similarity by hand and by brute force, representatives from the top of a list down."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from interpret import glossary
from interpret.findings import Findings, near_duplicates, supporting
from interpret.study import open_study
from pages.shared import wording
from tests.small_study import studies


def packed(*sets: set[int], size: int = 70) -> np.ndarray:
    held = np.zeros((len(sets), size), np.bool_)
    for row, each in enumerate(sets):
        held[row, sorted(each)] = True
    return np.packbits(held, axis=1)


def test_a_set_follows_the_first_that_is_alike_and_a_threshold_is_met_exactly():
    first = set(range(10))
    seven = set(range(7))  # 7 / 10
    other = {0, 1, 2, 3, 4, 5, 60}  # 6 / 11 of the first, 6 / 8 of the second
    sets = packed(first, other, seven, first | {11}, {60}, set(), set())
    assert near_duplicates.leaders(sets, Fraction(7, 10)).tolist() == [0, 1, 0, 0, 4, 5, 5]
    assert near_duplicates.leaders(sets, Fraction(71, 100)).tolist() == [0, 1, 1, 0, 4, 5, 5]
    assert near_duplicates.leaders(sets[:1]).tolist() == [0]
    assert near_duplicates.leaders(sets[:0]).tolist() == []


def test_leaders_equal_a_comparison_of_every_pair():
    rng = np.random.default_rng(5)
    for _ in range(40):
        size = int(rng.integers(1, 150))
        base = rng.random((4, size)) < 0.5
        held = base[rng.integers(4, size=25)] ^ (rng.random((25, size)) < rng.choice([0.02, 0.1]))
        expected: list[int] = []
        for row, each in enumerate(held):
            for leader in (place for place in range(row) if expected[place] == place):
                both, either = int((each & held[leader]).sum()), int((each | held[leader]).sum())
                if 10 * both >= 7 * either:
                    expected.append(leader)
                    break
            else:
                expected.append(row)
        assert near_duplicates.leaders(np.packbits(held, axis=1)).tolist() == expected


def test_the_units_that_itemsets_have_in_common():
    assert near_duplicates.core([(3, 7, 9), (7, 9), (2, 7, 9)]) == (7, 9)
    assert near_duplicates.core([(4, 9), (2, 9), (2, 4)]) == (2,)
    assert near_duplicates.core([(5,)]) == (5,)


def test_the_similarity_that_is_told_is_the_one_that_is_used():
    said = f"at least {round(100 * near_duplicates.ALIKE)} % hold both"
    assert said in wording.TERMS["near-duplicates"]
    assert said in dict(glossary.GLOSSARY)["Near-duplicates"]


@pytest.mark.slow
def test_itemsets_of_a_study_are_folded_by_the_patches_that_hold_them():
    study = open_study(studies() / "demo")
    found = Findings.of(study)
    of_class = {class_id: found.itemsets_of_class(class_id, "all") for class_id in found.classes}
    class_id, rows = max(of_class.items(), key=lambda item: len(item[1]))
    ids = rows["itemset_id"].tolist()
    held = near_duplicates.holding_patches(found, rows["units"].tolist(), [class_id])
    inside = np.flatnonzero(study.patches["predicted"].to_numpy() == class_id)
    for units, bits in zip(rows["units"], held, strict=True):
        patches = supporting.supporting_patches(study, units, found.config, class_id)
        assert set(inside[np.unpackbits(bits, count=len(inside)).astype(bool)]) == set(patches)
    folded = near_duplicates.fold(found, ids, class_id)
    assert 0 < len(folded.representatives) < len(ids)
    assert sorted(place for each in folded.representatives for place in folded.members(each)) == list(range(len(ids)))
    sets = [set(supporting.supporting_patches(study, units, found.config, class_id)) for units in rows["units"]]
    for place, into in enumerate(folded.into.tolist()):
        assert into <= place
        assert len(sets[place] & sets[into]) >= 0.7 * len(sets[place] | sets[into]) - 1e-9
    with pytest.raises(ValueError, match="read-only"):
        folded.into[0] = 1


@pytest.mark.slow
def test_itemsets_of_different_classes_are_not_folded_together():
    found = Findings.of(open_study(studies() / "demo"))
    ids = pd.unique(found.table["itemset_id"]).tolist()
    folded = near_duplicates.fold(found, ids)
    assert len(folded.representatives) < len(ids)
    for place, into in enumerate(folded.into.tolist()):
        assert set(found.classes_of[ids[place]]) == set(found.classes_of[ids[into]])
