"""What an address asks for in vain is said, and what is right in it is kept."""

import pytest

from interpret.findings import Findings
from interpret.mining.stored import mine_study
from interpret.study import open_study
from pages.shared import wording
from pages.shared.controls import address
from pages.shared.view import photo_picker
from tests.shown_pages import show, tiles, unescaped, words_on
from tests.small_study import studies


@pytest.fixture(autouse=True)
def root(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))


def said_on(app) -> str:
    return " ".join(unescaped(warning.value) for warning in app.warning).replace("\u00a0", " ")


def frequent_in_one_class() -> tuple[tuple[int, ...], int, int]:
    """An itemset of two units or more that is frequent in one class only; this class; and another class."""
    study = open_study(studies() / "demo")
    mined = mine_study(study, study.mine_config)
    for key, units in enumerate(mined.units_of):
        classes = mined.class_id[mined.frequent & (mined.itemset == key)].tolist()
        if len(classes) == 1 and len(units) > 1 and classes[0] != 0:
            return tuple(units), classes[0], 0
    raise AssertionError("each itemset is shared")


def test_an_unknown_class_is_said_and_the_itemset_that_is_right_is_kept():
    units, owner, _ = frequent_in_one_class()
    app = show("pages/class_specific.py", **{"class": "999", "itemset": address.itemset_param(units)})
    name = wording.class_text(open_study(studies() / "demo"), owner)
    assert said_on(app) == f"The address names no class of this study; {name} is shown."
    assert unescaped(app.title[0].value) == f"Which units carry {name}?"
    assert f"{' '.join(map(str, units))} → {name}" in words_on(app)


def test_an_itemset_that_the_class_does_not_have_is_said_and_the_class_is_kept():
    units, _, other = frequent_in_one_class()
    name = wording.class_text(open_study(studies() / "demo"), other)
    app = show("pages/class_specific.py", **{"class": str(other), "itemset": address.itemset_param(units)})
    assert (
        said_on(app)
        == f"The itemset in the address is not frequent in {name} at these thresholds; another one is shown."
    )
    assert unescaped(app.title[0].value) == f"Which units carry {name}?"


def test_a_class_without_a_frequent_itemset_is_named(monkeypatch):
    monkeypatch.setattr(Findings, "classes", property(lambda _: [2, 5]))
    app = show("pages/class_specific.py", **{"class": "1"})
    without, shown = (wording.class_text(open_study(studies() / "demo"), class_id) for class_id in (1, 2))
    assert said_on(app) == f"No itemset is frequent in {without} at these thresholds; {shown} is shown."


@pytest.mark.parametrize(
    ("page", "query", "said"),
    [
        ("pages/class_specific.py", {"itemset": "0-0-x"}, "The itemset in the address is no set of units"),
        ("pages/class_shared.py", {"itemset": "x"}, "The itemset in the address is no set of units"),
        ("pages/class_shared.py", {"by": "77-x"}, "asks for rules of 2 classes that cannot be chosen"),
        ("pages/explain.py", {"image": "100000"}, "There is no photo 100000: the study has 150, counted from 0."),
        ("pages/explain.py", {"image": "-1"}, "There is no photo -1"),
        ("pages/method.py", {"image": "100000"}, "There is no photo 100000"),
        ("pages/explain.py", {"image": "0", "target": "77"}, "The address names no class of this study"),
        ("pages/explain.py", {"image": "0", "box": "77"}, "This photo has no patch 77"),
        ("pages/explain.py", {"image": "0", "off": "1-99999"}, "asks for units that are not there"),
        (
            "pages/explain.py",
            {"image": "0", "map": "999"},
            "asks for the map of a unit that is not there: the layer has ",
        ),
        (
            "pages/explain.py",
            {"image": "0", "further": "other attributions", "method": "tea leaves"},
            "“tea leaves” under Beside Grad-CAM, which offers “Ablation-CAM”, “occlusion” and “integrated gradients”",
        ),
        ("pages/class_specific.py", {"patch": "123456"}, "There is no patch 123456"),
        ("pages/unit.py", {"patch": "x"}, "There is no patch x"),
        ("pages/class_specific.py", {"page": "99"}, "There is no page “99” of the patches: there "),
        ("pages/class_shared.py", {"rules": "99", "all": "true"}, "There is no page “99” of the rules: there "),
        ("pages/unit.py", {"page": "0"}, "There is no page “0” of the patches: there "),
        ("pages/explain.py", {"photos": "8"}, "There is no page “8” of the photos: there are 7; page 7 is shown."),
        ("pages/explain.py", {"photos": "x"}, "There is no page “x” of the photos: there are 7; page 1 is shown."),
        ("pages/unit.py", {"n": "0"}, "The address asks for an N of “0”, which is not a whole number from 1 to "),
        (
            "pages/unit.py",
            {"support": "101"},
            "a smallest support of “101”, which is not a whole number from 1 to 100 %",
        ),
        ("pages/unit.py", {"size": "-1"}, "asks for a largest itemset of “-1”, which is not a whole number from 0 to "),
        (
            "pages/explain.py",
            {"opacity": "200"},
            "an opacity of the map of “200”, which is not a whole number from 0 to",
        ),
        ("pages/class_shared.py", {"view": "Tree"}, "“Tree” under View, which offers “Rules”, “Map” and “Graph”"),
        (
            "pages/class_shared.py",
            {"show": "few"},
            "“few” under Itemsets, which offers “closed”, “maximal",
        ),
        ("pages/class_specific.py", {"kind": "odd"}, "“odd” under Kind, which offers “all”, “only this class” and "),
        (
            "pages/explain.py",
            {"from": "Mars"},
            "“Mars” under Photo, which offers “of the study”, “upload” and “camera”",
        ),
    ],
)
def test_what_is_not_there_is_said(page, query, said):
    once = said_on(show(page, **query))
    assert once.count(said) == 1


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("pages/class_specific.py", {"class": "2"}),
        ("pages/class_shared.py", {"by": "1-2"}),
        ("pages/explain.py", {"image": "0", "target": "3", "off": "1-5", "box": "1", "map": "7"}),
        ("pages/method.py", {"image": "0"}),
        ("pages/unit.py", {"patch": "0"}),
        ("pages/unit.py", {"n": "5", "support": "30", "size": "0"}),
        ("pages/class_shared.py", {"view": "Map", "show": "maximal"}),
        ("pages/class_specific.py", {"kind": "only this class", "page": "1"}),
        ("pages/explain.py", {"photos": "7", "opacity": "0"}),
    ],
)
def test_what_is_there_needs_no_word(page, query):
    assert not show(page, **query).warning


def test_the_page_of_photos_to_pick_from_is_in_the_address():
    def offered(**query: str) -> list[str]:
        return [tile["alt"] for tile in tiles(show("pages/explain.py", **query)) if tile["alt"].startswith("photo ")]

    first, second = offered(), offered(photos="2")
    assert len(first) == len(second) == photo_picker.PER_PAGE
    paths = [f"photo {path}" for path in open_study(studies() / "demo").images["path"]]
    assert [*first, *second] == paths[: 2 * photo_picker.PER_PAGE]
