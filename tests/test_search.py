"""Search over classes, units, itemsets, names and tags."""

from dataclasses import replace
from itertools import pairwise

import pytest

from interpret.findings import Findings
from interpret.findings.proposals import Proposer
from interpret.findings.search import Index
from interpret.mining.stored import mine_study
from interpret.study import open_study
from interpret.study.names import Named, Names
from tests.small_study import studies


@pytest.fixture(scope="module")
def findings() -> Findings:
    study = open_study(studies() / "demo")
    config = replace(study.mine_config, top_units=4, contrast_quantile=0.0)
    return Findings(study, config, mine_study(study, config))


@pytest.fixture(scope="module")
def found(findings):
    """Search where a frequent pair, a unit and a pair that is nowhere frequent are named; unit 7 detects an eye."""
    pair = next(units for units in findings.units_of.values() if len(units) == 2)
    classes = findings.classes_of[findings.id_of[pair]]
    absent = next((one, two) for one in range(96) for two in range(one + 1, 96) if (one, two) not in findings.id_of)
    names = Names(
        {
            (pair, ()): Named("front wheel", ("round",)),
            (pair, tuple(sorted(classes))): Named("wheel of these", ("round",), "looks like a 500 note"),
            ((90,), ()): Named("Größe", ("texture", "very round")),
            (absent, ()): Named("cartwheel"),
        }
    )
    parts = [None] * 96
    parts[7] = "eye"
    return pair, absent, Index.of(findings, names, Proposer(findings.study, parts)).search


def test_a_number_finds_the_unit_and_the_itemsets_that_hold_it_smaller_ones_first(findings, found):
    pair, _, search = found
    hits = search(str(pair[0]), most=1000)
    assert [hit.units for hit in hits["unit"]] == [(pair[0],)]
    held = {units for units in findings.units_of.values() if len(units) > 1 and pair[0] in units}
    assert {hit.units for hit in hits["itemset"]} - held <= {found[1]}
    assert len(hits["itemset"]) >= len(held) > 2
    assert all(len(one.units) <= len(two.units) for one, two in pairwise(hits["itemset"]))
    first = search(f"{pair[0]},{pair[1]}")["itemset"][0]
    assert first.units == pair
    assert "unit" not in search(f"{pair[0]} {pair[1]}"), "no unit is both"
    assert search("96") == {}
    assert search("99999999999999999999") == {}


def test_a_finding_is_found_by_its_own_name_and_a_name_starts_better_than_it_holds(findings, found):
    pair, absent, search = found
    hits = search("WHEEL")
    assert [hit.units for hit in hits["itemset"]] == [pair, absent], "cartwheel only holds it"
    assert hits["itemset"][0].named.name == "wheel of these"
    assert hits["itemset"][0].classes == findings.classes_of[findings.id_of[pair]]
    assert hits["itemset"][1].classes == ()
    assert "front wheel" not in str(hits), "the units are shown under the finding's name"


def test_tags_notes_proposals_and_classes_are_found_the_closest_text_first(findings, found):
    pair, _, search = found
    assert [hit.units for hit in search("round")["itemset"]] == [pair]
    assert [hit.units for hit in search("round texture")["unit"]] == [(90,)]
    assert [hit.units for hit in search("500")["itemset"]] == [pair]
    assert [(hit.units, hit.proposed) for hit in search("ey")["unit"]] == [((7,), "eye")]
    assert search("grösse")["unit"][0].units == (90,), "ß is ss, and case makes no difference"
    hits = search("bird")
    assert hits["class"] == [hits["class"][0]]
    (bird,) = hits["class"][0].classes
    assert findings.study.class_names[bird] == "Bird"
    assert all(bird in hit.classes for hit in hits["itemset"] + hits["unit"])
    assert len(hits["itemset"]) == len(hits["unit"]) == 5
    assert search("bird wheel round") == {} or pair in [hit.units for hit in search("bird wheel round")["itemset"]]


@pytest.mark.parametrize("query", ["", "  ", ",-_", "no such thing"])
def test_what_is_nowhere_is_not_found(found, query):
    assert found[2](query) == {}
