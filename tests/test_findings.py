"""Findings: the tables that the pages show, against the study they are made from."""

import dataclasses
import re

import numpy as np
import pytest

from interpret.findings import Findings
from interpret.mining.ranked_units import ranked_units
from interpret.mining.stored import mine_study
from interpret.study import open_study
from tests.small_study import studies


@pytest.fixture(scope="module", params=[0.0, 0.8], ids=["the poster's transactions", "contrastive"])
def found(request) -> Findings:
    study = open_study(studies() / "demo")
    config = dataclasses.replace(study.mine_config, min_support=0.2, contrast_quantile=request.param)
    return Findings(study, config, mine_study(study, config))


def sets_of(found: Findings) -> list[tuple[frozenset[int], int, int]]:
    patches = found.study.patches
    rows = zip(range(len(patches)), patches["units"], patches["predicted"], patches["image_id"], strict=True)
    sets = []
    for patch, units, c, i in rows:
        held = found.transaction(patch)
        best = units[: found.config.top_units]
        assert held == (best if not found.contrastive else [unit for unit in best if unit in held])
        sets.append((frozenset(held), int(c), int(i)))
    return sets


def test_every_row_is_what_counting_gives(found):
    rows = sets_of(found)
    sample = found.table.sample(min(60, len(found.table)), random_state=0)
    for row in sample.itertuples():
        units = set(row.units)
        in_class = [r for r in rows if r[1] == row.class_id]
        held = [r for r in in_class if units <= r[0]]
        anywhere = [r for r in rows if units <= r[0]]
        assert row.support_count == len(held)
        assert row.support == pytest.approx(len(held) / len(in_class))
        assert row.image_count == len({r[2] for r in held})
        assert row.images == len({r[2] for r in in_class})
        assert row.confidence == pytest.approx(len(held) / len(anywhere))
        assert row.lift == pytest.approx(len(held) / len(anywhere) / (len(in_class) / len(rows)))
        assert row.size == len(units)


def test_kind_follows_the_number_of_classes(found):
    classes = found.table.groupby("itemset_id")["class_id"].nunique()
    for row in found.table.itertuples():
        assert row.kind == ("shared" if classes[row.itemset_id] > 1 else "specific")


def test_shared_rules_name_exactly_the_classes_where_the_set_is_frequent(found):
    shared = found.shared("all")
    assert len(shared), "the demo's classes share parts"
    for row in shared.itertuples():
        of_itemset = found.table[found.table["itemset_id"] == row.itemset_id]
        assert set(row.class_ids) == set(of_itemset["class_id"])
        assert list(row.supports) == sorted(of_itemset["support"], reverse=True)
        assert row.weakest == of_itemset["support"].min()
    for _, rows in shared.groupby("supported"):
        assert rows["weakest"].is_monotonic_decreasing


def test_a_transaction_supports_what_is_inside_it_only(found):
    units = found.study.patches["units"].iloc[0][: found.config.top_units]
    held = found.itemsets_within(units, "all")
    inside = [row.itemset_id for row in found.table.itertuples() if set(row.units) <= set(units)]
    assert sorted(held["itemset_id"]) == sorted(inside)
    assert list(held["size"]) == sorted(held["size"], reverse=True)


def test_headline_is_frequent_in_the_classes_it_names(found):
    units, classes = found.headline()
    of_itemset = found.table[found.table["itemset_id"] == found.id_of[units]]
    assert set(classes) == set(of_itemset["class_id"])


def test_headline_is_the_supported_finding_of_the_largest_score_share(found):
    study, units = found.study, found.headline()[0]
    ranked, scores = ranked_units(study, found.config)
    predicted = study.patches["predicted"].tolist()

    def score_share(itemset, class_id):
        shares = []
        for row, label in enumerate(predicted):
            if label == class_id:
                of_unit = {u: s for u, s in zip(ranked[row].tolist(), scores[row].tolist(), strict=True) if u >= 0}
                shares.append(sum(of_unit.get(unit, 0.0) for unit in itemset) / (sum(of_unit.values()) or 1.0))
        return sum(shares) / len(shares)

    rows = found.table[found.table["supported"] & found.table["closed"] & found.table["size"].between(2, 5)]
    weakest = {}
    for row in rows.itertuples():
        weakest[row.units] = min(weakest.get(row.units, 1.0), score_share(row.units, row.class_id))
    assert weakest[units] == pytest.approx(max(weakest.values()))
    assert len({round(value, 9) for value in weakest.values()}) > 3


def test_unit_support_counts_below_the_threshold_too(found):
    rows = sets_of(found)
    classes, units = found.classes[:3], [0, 5, 47]
    share, counts = found.unit_support(classes, units)
    for i, class_id in enumerate(classes):
        in_class = [r for r in rows if r[1] == class_id]
        assert counts[i].tolist() == [sum(unit in r[0] for r in in_class) for unit in units]
        assert share[i] == pytest.approx(counts[i] / len(in_class))


def test_nothing_found_is_an_answer(found):
    config = dataclasses.replace(found.config, min_class_patches=100_000)
    nothing = Findings(found.study, config, mine_study(found.study, config))
    assert nothing.headline() is None
    assert nothing.classes == []
    assert nothing.shared().empty
    assert nothing.itemsets_within([1, 2, 3]).empty


def test_hiding_redundant_rules_hides_what_a_smaller_listed_rule_says_and_nothing_else(found):
    for display in ("closed", "all"):
        hidden = 0
        for class_id in found.classes:
            listed = found.itemsets_of_class(class_id, display)
            kept = found.itemsets_of_class(class_id, display, hide_redundant=True)
            rows = [(frozenset(row.units), row.confidence) for row in listed.itertuples()]
            expected = [units for units, c in rows if not any(less < units and d >= c for less, d in rows)]
            assert {frozenset(units) for units in kept["units"]} == set(expected)
            kept_rules = [(frozenset(row.units), row.confidence) for row in kept.itertuples()]
            for units, c in rows:  # what is hidden is still said by what is listed
                assert any(less <= units and d >= c for less, d in kept_rules)
            hidden += len(rows) - len(kept)
        assert hidden, "the demo's single units are sure already"


def test_a_shared_rule_is_hidden_only_where_each_of_its_classes_has_a_smaller_one(found):
    listed, kept = found.shared("all"), found.shared("all", hide_redundant=True)
    assert 0 < len(kept) < len(listed)
    confidence = found.table.set_index(["itemset_id", "class_id"])["confidence"]
    for row in listed.itertuples():
        covered = [
            any(
                set(less.units) < set(row.units)
                and class_id in less.class_ids
                and confidence[less.itemset_id, class_id] >= confidence[row.itemset_id, class_id]
                for less in listed.itertuples()
            )
            for class_id in row.class_ids
        ]
        assert (row.itemset_id in set(kept["itemset_id"])) == (not all(covered))


def test_chance_does_as_well_as_units_that_have_nothing_to_do_with_the_class(found):
    p = found.chance_p_values()
    rules = found.mined.rules
    assert list(p.index) == list(zip(rules["itemset_id"], rules["class_id"], strict=True))
    assert p.min() == pytest.approx(1 / 201), "the true groups are one of the deals"
    order = np.argsort(rules["image_p_value"].to_numpy())
    ranked = p.to_numpy()[order]
    ranked = ranked[~np.isnan(ranked)]
    assert (np.diff(ranked) >= 0).all(), "what is less likely by itself is no likelier among all"


def test_stability_of_a_rule_is_that_of_its_class(found):
    assert found.table["again"].between(0, 1).all()
    single = found.table[found.table["kind"] == "specific"]
    assert (single["stable"] <= single["again"] + 1e-12).all(), "the same kind asks for the class and for no other"
    assert found.table["again"].nunique() > 3


def test_the_command_line_leaves_out_redundant_rules_and_prints_p_values(found, capsys, tmp_path):
    import shutil

    from interpret.cli.main import main

    shutil.copytree(studies() / "demo", tmp_path / "demo")
    command = ["mine", str(tmp_path / "demo"), "--min-support", "0.2", "--rows", "1000"]
    command += ["--contrast-quantile", str(found.config.contrast_quantile)]

    def rules(*more: str) -> tuple[list[str], str]:
        assert main([*command, *more]) == 0
        printed = " ".join(capsys.readouterr().out.split())
        return [part.split(" (")[0] for part in printed.split(" patches") if " -> " in part], printed

    (everything, plain), (fewer, told) = rules(), rules("--hide-redundant", "--against-chance")
    pairs = found.shared("all")["size"] > 1
    kept = found.shared("all", hide_redundant=True)["size"] > 1
    assert (len(everything), len(fewer)) == (pairs.sum(), kept.sum())
    assert pairs.sum() > kept.sum()
    assert f"{pairs.sum() - kept.sum()} class-shared itemsets say no more" in told
    assert re.search(r"p by shuffling [01]\.\d", told)
    assert "p by shuffling" not in plain


def test_supported_findings_stand_against_the_contrast_in_every_class_and_come_first(found):
    table = found.table
    stands = (table["image_q_value"] <= 0.05) & (table["contrast_lift"] >= 2)
    whole = stands.groupby(table["itemset_id"]).all()
    assert table["supported"].tolist() == whole[table["itemset_id"]].tolist()
    assert table["supported"].nunique() == 2
    for _, rows in table.groupby("class_id"):
        assert rows["supported"].is_monotonic_decreasing
    shared = found.all_shared
    assert shared["supported"].is_monotonic_decreasing
    for row in shared.itertuples():
        own = table[table["itemset_id"] == row.itemset_id].set_index("class_id")
        assert row.supported == own["supported"].all()
        assert row.contrast_lift == own["contrast_lift"].min()
        assert row.contrast_supports == tuple(own.loc[list(row.class_ids), "contrast_support"])
    units, _ = found.headline()
    assert table.loc[table["units"] == units, "supported"].all()
