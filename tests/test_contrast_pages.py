"""What the pages say of a finding against its contrast: both shares, what is supported, contrast photos."""

import dataclasses
from pathlib import Path

import pytest

from interpret.findings import Findings, supporting
from interpret.mining.stored import mine_study
from interpret.study import open_study
from pages.shared import wording
from pages.shared.controls import address
from pages.shared.view import tables
from tests.shown_pages import blocks, show, words_on
from tests.small_study import studies, without_contrast

NOTHING = "Nothing was tested: this study has no contrast"
FINDING_PAGES = ("pages/study.py", "pages/class_specific.py", "pages/class_shared.py", "pages/unit.py")


@pytest.fixture(autouse=True)
def root(monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    return studies()


@pytest.fixture(scope="module")
def found() -> Findings:
    study = open_study(studies() / "demo")
    return Findings(study, study.mine_config, mine_study(study, study.mine_config))


def big_units(app) -> tuple[int, ...]:
    line = next(block for block in blocks(app) if block.get("size") == "big")
    return tuple(int(part["unit"]) for part in line["parts"] if part["t"] == "unit")


def bars(app) -> list[dict]:
    """The pairs of bars of a support; those of an effect speak of accuracy."""
    pairs = [part for block in blocks(app) for part in block.get("parts", []) if part["t"] == "pair"]
    return [pair for pair in pairs if "patches" in pair["title"]]


def test_a_support_stands_beside_its_contrast_in_words_and_bars(found):
    row = found.table[(found.table["class_id"] == 6) & (found.table["size"] == 2)].iloc[0]
    app = show("pages/class_specific.py", **{"class": "6", "itemset": address.itemset_param(row["units"])})
    name = wording.class_text(found.study, 6)
    share = wording.share(row["support_count"], found.patch_counts[6], "patch")
    other = wording.percent(row["contrast_count"] / row["contrast_patches"])
    said = f"{share}; {other} where other photos are explained as {name}".replace("\u00a0", " ")
    assert said in words_on(app)
    bar = bars(app)[0]
    assert (bar["own"], bar["other"]) == (row["support"], row["contrast_support"])
    assert other in bar["title"]


@pytest.mark.parametrize("page", ["pages/study.py", "pages/class_shared.py", "pages/unit.py"])
def test_every_page_of_findings_has_both_shares(page):
    app = show(page)
    assert " where other photos are explained as " in words_on(app)
    assert bars(app)


def test_a_list_holds_the_supported_and_the_others_are_one_switch_away(found):
    of_class = found.itemsets_of_class(0)
    supported = int(of_class["supported"].sum())
    assert 0 < supported < len(of_class)
    app = show("pages/class_specific.py", **{"class": "0"})
    table = next(frame.value for frame in app.dataframe if "itemset" in frame.value)
    assert len(table) == supported
    assert table["supported"].all()
    rest = len(of_class) - supported
    others = f"{rest} {'is' if rest == 1 else 'are'} not"
    assert f"{others} (not shown)" in words_on(app)
    app.toggle(key="all").set_value(True).run()
    table = next(frame.value for frame in app.dataframe if "itemset" in frame.value)
    assert table["supported"].tolist() == sorted(of_class["supported"], reverse=True)
    assert f"{others} (marked below)" in words_on(app)


def test_shared_sets_that_are_not_supported_are_marked(found):
    config = dataclasses.replace(found.config, contrast_quantile=0.0)
    rows = Findings(found.study, config, mine_study(found.study, config)).shared()
    assert rows["supported"].nunique() == 2
    supported = {wording.itemset_text(units) for units in rows["units"][rows["supported"]]}

    def listed(app) -> dict[str, bool]:
        return {
            ",".join(part["unit"] for part in block["parts"] if part["t"] == "unit"): any(
                part.get("text") == "not supported" for part in block["parts"]
            )
            for block in blocks(app)
            if "itemset" in block.get("act", {})
        }

    assert set(listed(show("pages/class_shared.py", above="false"))) <= supported
    everything = listed(show("pages/class_shared.py", all="true", above="false"))
    assert set(everything) - supported
    assert all(marked == (units not in supported) for units, marked in everything.items())


def test_an_unsupported_itemset_in_the_address_is_shown_and_marked(found):
    row = found.table[~found.table["supported"] & (found.table["kind"] == "specific")].iloc[0]
    asked = {"class": str(row["class_id"]), "itemset": address.itemset_param(row["units"])}
    app = show("pages/class_specific.py", **asked)
    assert big_units(app) == row["units"]
    assert "Not supported" in words_on(app)


def test_contrast_photos_hold_the_units_and_are_called_something_else(found):
    table = found.table
    row = table[(table["contrast_count"] > 0) & (table["kind"] == "specific")].iloc[0]
    class_id = int(row["class_id"])
    app = show("pages/class_specific.py", **{"class": str(class_id), "itemset": address.itemset_param(row["units"])})
    shown = [
        tile
        for block in blocks(app)
        if block["kind"] == "tiles"
        for tile in block["tiles"]
        if tile.get("act", {}).get("page") == "explain"
    ]
    held = supporting.contrast_patches(found.study, row["units"], found.config, class_id)
    photos = found.study.contrast.iloc[held].drop_duplicates("image_id").head(12)
    assert [tile["act"]["query"]["image"] for tile in shown] == [str(image) for image in photos["image_id"]]
    assert [tile["name"] for tile in shown] == [wording.class_text(found.study, c) for c in photos["predicted"]]
    assert {tile["act"]["query"]["target"] for tile in shown} == {str(class_id)}
    assert all(tile["src"].startswith("data:image/jpeg") for tile in shown)


def test_no_contrast_photo_is_said(found):
    row = found.table[(found.table["contrast_count"] == 0) & (found.table["kind"] == "specific")].iloc[0]
    asked = {"class": str(row["class_id"]), "itemset": address.itemset_param(row["units"])}
    assert "In no other photo that is explained as " in words_on(show("pages/class_specific.py", **asked))


def test_saved_tables_hold_the_contrast(found):
    rows = found.shared()
    saved = tables.plain_shared(found, rows, None)
    assert saved["supported"].tolist() == rows["supported"].tolist()
    assert saved["smallest contrast lift"].tolist() == rows["contrast_lift"].tolist()
    first = [float(value) for value in saved["contrast support in each"].iloc[0].split(", ")]
    assert first == pytest.approx(list(rows["contrast_supports"].iloc[0]), rel=1e-3)


@pytest.mark.parametrize("page", FINDING_PAGES)
def test_a_study_without_a_contrast_says_once_that_nothing_was_tested(page, monkeypatch):
    assert NOTHING not in words_on(show(page))
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(without_contrast()))
    app = show(page)
    said = words_on(app)
    assert said.count(NOTHING) == 1
    assert "unitscope contrast STUDY" in said
    assert not bars(app)
    assert "upported" not in said
    assert "all" not in [toggle.key for toggle in app.toggle]
