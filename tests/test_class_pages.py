"""The pages Class-specific and Class-shared: filters, thresholds, measures, galleries, saved tables."""

import dataclasses
import json
import math
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from interpret.mining import explosion
from interpret.mining.stored import mine_study
from interpret.study import open_study
from pages.shared import wording
from pages.shared.controls import address
from tests.shown_pages import APP, PAGES, blocks, show, tiles, words_on
from tests.small_study import studies

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def root(monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    return studies()


def own_tiles(app: AppTest) -> list[dict]:
    """Tiles of the study's own patches, without those of the contrast."""
    return [tile for tile in tiles(app) if "patch" in tile.get("act", {})]


def test_a_class_and_an_itemset_in_the_address_are_shown():
    study = open_study(studies() / "demo")
    app = show("pages/class_specific.py", **{"class": "2"})
    assert wording.class_text(study, 2) in app.title[0].value
    table = next(frame.value for frame in app.dataframe if "itemset" in frame.value)
    row = table.iloc[len(table) // 2]
    again = show("pages/class_specific.py", **{"class": "2", "itemset": row["itemset"].replace(",", "-")})
    units = next(block for block in blocks(again) if block.get("size") == "big")["parts"]
    assert [part["unit"] for part in units if part["t"] == "unit"] == row["itemset"].split(",")
    assert len(own_tiles(again)) > 0
    assert all(tile["name"] == wording.class_text(study, 2) for tile in own_tiles(again))


def test_a_higher_support_leaves_fewer_itemsets():
    query = {"class": "0", "show": "all", "all": "true", "above": "false"}
    few, many = (
        len(next(frame.value for frame in show("pages/class_specific.py", **query, support=support).dataframe))
        for support in ("60", "20")
    )
    assert few < many


def test_filters_of_the_table():
    app = show("pages/class_specific.py", **{"class": "0", "support": "20", "show": "all"})
    table = next(frame.value for frame in app.dataframe)
    rare = table["itemset"].str.split(",").explode().value_counts()
    unit = rare[rare < len(table)].index[0]
    only = show("pages/class_specific.py", **{"class": "0", "support": "20", "show": "all", "with": unit})
    kept = next(frame.value for frame in only.dataframe)
    assert 0 < len(kept) < len(table)
    assert all(unit in text.split(",") for text in kept["itemset"])
    specific = show("pages/class_specific.py", **{"class": "0", "support": "30", "kind": "only this class"})
    assert set(next(frame.value for frame in specific.dataframe)["kind"]) <= {"specific"}


@pytest.mark.parametrize("page", ["pages/class_specific.py", "pages/class_shared.py"])
def test_redundant_rules_are_hidden_where_that_is_asked_for_and_counted(page):
    from interpret.findings import Findings

    study = open_study(studies() / "demo")
    config = dataclasses.replace(study.mine_config, contrast_quantile=0.0)
    found = Findings(study, config, mine_study(study, config))
    if "specific" in page:
        everything, kept = found.itemsets_of_class(0), found.itemsets_of_class(0, hide_redundant=True)
    else:
        everything, kept = found.shared(), found.shared(hide_redundant=True)
    assert 0 < len(kept) < len(everything)
    noun = "itemset" if "specific" in page else "set"
    first = words_on(show(page, **{"class": "0", "all": "true", "above": "false"}))
    assert wording.count(len(everything), noun).replace("\u00a0", " ") in first
    assert "hidden" not in first
    second = words_on(show(page, **{"class": "0", "lean": "true", "all": "true", "above": "false"}))
    assert wording.count(len(kept), noun).replace("\u00a0", " ") in second
    hidden = len(everything) - len(kept)
    assert wording.count(hidden, "redundant one").replace("\u00a0", " ") + " hidden" in second


def values(app: AppTest, word: str) -> list[str]:
    """What stands behind a measure's name, wherever it is shown."""
    return [
        part["text"].strip(" ,") for block in blocks(app) for part in block.get("parts", []) if part.get("word") == word
    ]


def test_a_rule_is_checked_against_chance_where_that_is_asked_for():
    study = open_study(studies() / "demo")
    app = show("pages/class_specific.py", **{"class": "6"})
    assert values(app, "p by shuffling") == []
    assert "chance" not in next(frame.value for frame in app.dataframe)
    app = show("pages/class_specific.py", **{"class": "6", "chance": "true"})
    from interpret.findings import Findings

    found = Findings(study, study.mine_config, mine_study(study, study.mine_config))
    chance = found.chance_p_values()
    table = next(frame.value for frame in app.dataframe)
    expected = [chance[found.id_of[address.itemset_from(t.replace(",", "-"))], 6] for t in table["itemset"]]
    assert table["chance"].tolist() == pytest.approx(expected, nan_ok=True)
    assert len(values(app, "p by shuffling")) == 1
    units = tuple(int(p["unit"]) for b in blocks(app) if b.get("size") == "big" for p in b["parts"] if p["t"] == "unit")
    assert values(app, "p by shuffling") == [wording.small_number(chance[found.id_of[units], 6])]


def pictures_of(app: AppTest) -> list[str]:
    return [tile["src"] for tile in own_tiles(app)]


def test_the_page_of_a_gallery_is_in_the_address_and_a_new_choice_forgets_it():
    query = {"class": "6", "support": "60"}
    first = show("pages/class_specific.py", **query)
    second = show("pages/class_specific.py", **query, page="2")
    assert len(pictures_of(first)) == 12
    assert pictures_of(second)
    assert not set(pictures_of(first)) & set(pictures_of(second))
    assert pictures_of(show("pages/class_specific.py", **query, page="99")) == pictures_of(second)
    assert pictures_of(show("pages/class_specific.py", **query, page="x")) == pictures_of(first)
    assert second.query_params["page"] == "2"
    second.selectbox(key="choose_class").set_value(2).run()
    assert "page" not in second.query_params


def test_shared_by_is_in_the_address():
    study = open_study(studies() / "demo")
    first = show("pages/class_shared.py", fold="false")
    rule = next(block for block in blocks(first) if block.get("act") and not block.get("on"))
    names = [part["name"] for part in rule["parts"] if part["t"] == "class"]
    ids = [study.class_names.index(name) for name in names]
    only = show("pages/class_shared.py", by="-".join(str(one) for one in ids), fold="false")
    rules = [block for block in blocks(only) if block.get("act")]
    assert 0 < len(rules) < len([block for block in blocks(first) if block.get("act")])
    assert all(set(names) <= {part["name"] for part in block["parts"] if part["t"] == "class"} for block in rules)
    assert only.multiselect(key="choose_by").value == ids
    only.multiselect(key="choose_by").set_value(ids[:1]).run()
    assert only.query_params["by"] == str(ids[0])
    only.multiselect(key="choose_by").set_value([]).run()
    assert "by" not in only.query_params


def test_a_shared_rule_has_its_measures_in_every_class():
    app = show("pages/class_shared.py", chance="true")
    rule = next(block for block in blocks(app) if block.get("on"))
    classes = [part["name"] for part in rule["parts"] if part["t"] == "class"]
    for word in ("confidence", "lift", "q", "p by shuffling", "frequent"):
        assert len(values(app, word)) == len(classes), word
    study = open_study(studies() / "demo")
    units = frozenset(int(part["unit"]) for part in rule["parts"] if part["t"] == "unit")
    n = study.mine_config.top_units
    held = [units <= set(one[:n]) for one in study.patches["units"]]
    of = study.patches["predicted"][held]
    shares = [wording.percent((of == study.class_names.index(name)).mean()) for name in classes]
    assert values(app, "confidence") == shares


def test_a_saved_table_holds_what_was_measured():
    from interpret.findings import Findings
    from pages.shared.view import tables

    study = open_study(studies() / "demo")
    found = Findings(study, study.mine_config, mine_study(study, study.mine_config))
    rows, chance = found.shared(), found.chance_p_values()
    saved = tables.plain_shared(found, rows, chance)
    assert len(saved) == len(rows)
    for line, row in zip(saved.itertuples(), rows.itertuples(), strict=True):
        assert line.units == wording.itemset_text(row.units)
        of = found.table[found.table["itemset_id"] == row.itemset_id].set_index("class_id").loc[list(row.class_ids)]
        for column, name in (("image_count", "photos in each"), ("again", "resamples in which it is frequent in each")):
            told = [float(one) for one in saved.loc[line.Index, name].split(", ")]
            assert told == pytest.approx(of[column].tolist(), rel=1e-3)
        p = [float(one) for one in saved.loc[line.Index, "p by shuffling in each"].split(", ")]
        assert p == pytest.approx([chance[row.itemset_id, one] for one in row.class_ids], rel=1e-3, nan_ok=True)
    own = tables.plain(found, tables.with_chance(found.itemsets_of_class(0), chance))
    assert {"p_by_shuffling", "found_again", "stable", "image_q_value", "class"} <= set(own)
    assert "p by shuffling in each" not in tables.plain_shared(found, rows, None)


def test_a_shared_rule_has_one_row_of_patches_for_each_of_its_classes():
    app = show("pages/class_shared.py")
    rule = next(block for block in blocks(app) if block.get("on"))
    classes = [part["name"] for part in rule["parts"] if part["t"] == "class"]
    assert len(classes) > 1
    strips = [block for block in blocks(app) if block["kind"] == "tiles" and "patch" in block["tiles"][0]["act"]]
    assert len(strips) == len(classes)  # without those of the contrast
    assert all(strip["tiles"] for strip in strips)


def test_columns_are_as_wide_as_the_text_of_the_screen_needs():
    usual, poster = (json.loads(table_on(size).proto.columns) for size in ("usual", "poster"))
    assert usual.keys() == poster.keys() > {"support", "fall", "stable"}
    assert all(poster[name]["width"] == 2 * usual[name]["width"] for name in usual if "width" in usual[name])


def table_on(size):
    app = AppTest.from_file(APP, default_timeout=120)
    app.session_state["screen_size"] = size
    app.switch_page("pages/class_specific.py")
    return app.run().dataframe[0]


@pytest.mark.parametrize("view", ["Map", "Graph"])
def test_map_and_graph(view):
    app = show("pages/class_shared.py", view=view)
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize("page", ["pages/class_specific.py", "pages/class_shared.py"])
def test_a_support_that_explodes_gets_a_sentence_and_what_would_pass(page, monkeypatch):
    """All patches of a class of drawings hold some twenty units in common, so no support helps here."""
    monkeypatch.setattr(explosion, "SECONDS", 60.0)  # a busy machine is slow
    monkeypatch.setitem(explosion.smallest_support.__kwdefaults__, "seconds", 60.0)
    app = show(page, n="32", support="1", above="false")
    assert app.title[0].value == "Nothing to show at these thresholds"
    told = app.error[0].value
    named = re.search(r"more than 200,000 itemsets, and so would any other; itemsets of at most (\d+) units pass", told)
    assert named, told
    button(app, f"Itemsets of at most {named[1]} units").click().run()
    assert not app.exception
    assert not app.error
    assert PAGES[page] in app.title[0].value
    app = show(page, n="14", support="1", above="false")
    named = re.search(
        r"itemsets; (?:the smallest that passes is )?([\d.]+) %", app.error[0].value
    )  # by the time it takes
    assert named, app.error[0].value
    button(app, f"Support {math.ceil(float(named[1]))} %").click().run()
    assert not app.error
    assert PAGES[page] in app.title[0].value
    app = show(page, n="32", support="1", above="false")
    button(app, "own thresholds").click().run()
    assert not app.error
    assert PAGES[page] in app.title[0].value


def button(app: AppTest, label: str) -> Button:
    """The button with these words on it, spaces that do not break counted as spaces."""
    return next(one for one in app.button if label in one.label.replace("\u00a0", " "))


POSTER = {"class": "0", "all": "true", "above": "false"}
"""The poster's transactions, which have more near-duplicates among few drawings."""


def table_of(app: AppTest):
    return next(frame.value for frame in app.dataframe if "itemset" in frame.value)


def test_near_duplicates_are_one_row_of_the_table_and_open_on_demand():
    every = table_of(show("pages/class_specific.py", **POSTER, fold="false"))
    app = show("pages/class_specific.py", **POSTER)
    folded = table_of(app)
    assert len(folded) < len(every)
    assert folded["alike"].astype(int).sum() == len(every)
    assert "alike" not in every
    assert f"{len(every)} itemsets in {len(folded)} rows" in words_on(app).replace("\u00a0", " ").replace(
        " row,", " rows,"
    )
    row = int(folded["alike"].astype(int).to_numpy().argmax())
    count, units = int(folded["alike"].iloc[row]), folded["itemset"].iloc[row].replace(",", "-")
    again = show("pages/class_specific.py", **POSTER, open=units)
    unfolded = table_of(again)
    assert len(unfolded) == len(folded) + count - 1
    assert unfolded["itemset"].iloc[row] == folded["itemset"].iloc[row]
    members = unfolded["itemset"].iloc[row + 1 : row + count]
    assert set(unfolded["alike"].iloc[row + 1 : row + count]) == {"↳"}
    assert f"{count} itemsets around unit" in words_on(again)
    # An itemset that the address names is listed, and what it is folded into is open.
    named = show("pages/class_specific.py", **POSTER, itemset=members.iloc[-1].replace(",", "-"))
    assert table_of(named)["itemset"].tolist() == unfolded["itemset"].tolist()
    vain = show("pages/class_specific.py", **POSTER, open="77777")
    assert any("near-duplicates of an itemset that is not listed" in warning.value for warning in vain.warning)
    assert len(table_of(vain)) == len(folded)


def test_near_duplicates_of_a_rule_are_listed_below_it():
    query = {name: value for name, value in POSTER.items() if name != "class"}
    app = show("pages/class_shared.py", **query)
    acts = [
        part["act"]["open"] for block in blocks(app) for part in block.get("parts", []) if "open" in part.get("act", {})
    ]
    assert acts
    rules = [block["act"]["itemset"] for block in blocks(app) if "itemset" in (block.get("act") or {})]
    again = show("pages/class_shared.py", **query, open=acts[0])
    more = [block["act"]["itemset"] for block in blocks(again) if "itemset" in (block.get("act") or {})]
    said = re.search(r"↳ (\d+) itemsets around unit", words_on(again))
    place = rules.index(acts[0])
    assert more[: place + 1] == rules[: place + 1]
    assert len(more) == min(20, len(rules) + int(said[1]) - 1)
    assert acts[0] not in more[place + 1 :]
