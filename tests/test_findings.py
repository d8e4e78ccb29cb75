"""Findings: the tables that the pages show, against the study they are made from."""

import dataclasses

import numpy as np
import pytest

from interpret.findings import Findings, wilson_low
from interpret.study import open_study
from tests.small_study import studies


@pytest.fixture(scope="module")
def found() -> Findings:
    study = open_study(studies() / "demo")
    config = dataclasses.replace(study.mine_config, min_support=0.3)
    return Findings(study, config, study.mined(config))


def sets_of(found: Findings) -> list[tuple[frozenset[int], int, int]]:
    n = found.config.top_units
    rows = zip(
        found.study.patches["units"], found.study.patches["predicted"], found.study.patches["image_id"], strict=True
    )
    return [(frozenset(units[:n].tolist()), int(c), int(i)) for units, c, i in rows]


def test_every_row_is_what_counting_gives(found):
    rows = sets_of(found)
    sample = found.table.sample(min(60, len(found.table)), random_state=0)
    for row in sample.itertuples():
        units = set(row.units)
        of = [r for r in rows if r[1] == row.class_id]
        held = [r for r in of if units <= r[0]]
        anywhere = [r for r in rows if units <= r[0]]
        assert row.support_count == len(held)
        assert row.support == pytest.approx(len(held) / len(of))
        assert row.image_count == len({r[2] for r in held})
        assert row.images == len({r[2] for r in of})
        assert row.confidence == pytest.approx(len(held) / len(anywhere))
        assert row.lift == pytest.approx(len(held) / len(anywhere) / (len(of) / len(rows)))
        assert row.size == len(units)


def test_kind_follows_the_number_of_classes(found):
    classes = found.table.groupby("itemset_id")["class_id"].nunique()
    for row in found.table.itertuples():
        assert row.kind == ("shared" if classes[row.itemset_id] > 1 else "specific")


def test_shared_rules_name_exactly_the_classes_where_the_set_is_frequent(found):
    shared = found.shared("all")
    assert len(shared), "the demo's classes share parts"
    for row in shared.itertuples():
        of = found.table[found.table["itemset_id"] == row.itemset_id]
        assert set(row.class_ids) == set(of["class_id"])
        assert list(row.supports) == sorted(of["support"], reverse=True)
        assert row.weakest == of["support"].min()
    assert list(shared["weakest"]) == sorted(shared["weakest"], reverse=True)


def test_a_transaction_supports_what_is_inside_it_only(found):
    units = found.study.patches["units"].iloc[0][: found.config.top_units].tolist()
    held = found.held_by(units, "all")
    inside = [row.itemset_id for row in found.table.itertuples() if set(row.units) <= set(units)]
    assert sorted(held["itemset_id"]) == sorted(inside)
    assert list(held["size"]) == sorted(held["size"], reverse=True)


def test_headline_is_frequent_in_the_classes_it_names(found):
    units, classes = found.headline()
    of = found.table[found.table["itemset_id"] == found.id_of[units]]
    assert set(classes) == set(of["class_id"])
    assert len(classes) > 1


def test_unit_support_counts_below_the_threshold_too(found):
    rows = sets_of(found)
    classes, units = found.classes[:3], [0, 5, 47]
    share, counts = found.unit_support(classes, units)
    for i, class_id in enumerate(classes):
        of = [r for r in rows if r[1] == class_id]
        assert counts[i].tolist() == [sum(unit in r[0] for r in of) for unit in units]
        assert share[i] == pytest.approx(counts[i] / len(of))


def test_nothing_found_is_an_answer(found):
    config = dataclasses.replace(found.config, min_class_patches=100_000)
    nothing = Findings(found.study, config, found.study.mined(config))
    assert nothing.headline() is None
    assert nothing.classes == []
    assert nothing.shared().empty
    assert nothing.held_by([1, 2, 3]).empty


def test_wilson_low_known_values():
    # 8 of 10 and 80 of 100, as in R's binom.confint(method = "wilson")
    low = wilson_low(np.array([8.0, 80.0, 0.0]), np.array([10.0, 100.0, 7.0]))
    assert low == pytest.approx([0.4901625, 0.7111708, 0.0], abs=2e-5)
