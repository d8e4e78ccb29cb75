"""The page Compare: what it says is what the comparison found, of whichever study is chosen."""

import shutil

import pytest

from interpret.comparison import compare, match_units
from interpret.findings import Findings
from interpret.study import open_study
from tests.compared_studies import renumbered_copy
from tests.manifests import manifest_of, rewrite
from tests.shown_pages import blocks, show, tiles, unescaped, words_on
from tests.small_study import studies

pytestmark = pytest.mark.slow

PAGE = "pages/compare.py"


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A folder with the small study, one of it at a larger support, and one as if of another network."""
    root = tmp_path_factory.mktemp("compared")
    for name in ("own", "strict"):
        shutil.copytree(studies() / "demo", root / name)
    shutil.rmtree(root / "strict" / "mined", ignore_errors=True)
    config = manifest_of(root / "strict")["config"]
    rewrite(root / "strict", config={**config, "mine": {**config["mine"], "min_support": 0.6}})
    renumbered_copy(root / "renumbered")
    return root


@pytest.fixture(autouse=True)
def root(places, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(places))
    return places


def found_in(root, other):
    return compare(*(Findings.of(open_study(root / name)) for name in ("own", other)))


def lists(app):
    """The lines of the list of findings: their state, and the units and classes that they name."""
    return [
        (part["parts"][0]["text"], [p["unit"] for p in part["parts"] if p["t"] == "unit"])
        for part in blocks(app)
        if part["kind"] == "line" and part.get("act")
    ]


def test_findings_are_listed_as_they_were_found_and_a_chosen_one_has_the_patches_of_both(root):
    found = found_in(root, "strict").findings
    counts = found["state"].value_counts()
    app = show(PAGE, study="own", other="strict")
    said = words_on(app)
    assert unescaped(app.title[0].value) == "What differs between own and strict?"
    assert f"{counts['vanished']:,} vanished" in said
    assert f"{counts['kept']:,} kept" in said
    assert "0 appeared" in said
    assert "Weights and layer are the same" in said
    first = lists(app)[0]
    largest = found[found["state"] == "vanished"].iloc[0]
    assert first == ("vanished", [str(unit) for unit in largest["units_a"]])
    assert [state for state, _ in lists(app)] == sorted((state for state, _ in lists(app)), reverse=True)
    kept = found[found["state"] == "kept"].iloc[0]
    name = "a" + "-".join(map(str, kept["units_a"]))
    app = show(PAGE, study="own", other="strict", state="kept", itemset=name)
    assert {state for state, _ in lists(app)} == {"kept"}
    assert not app.warning
    queries = [tile["act"]["query"] for tile in tiles(app)]
    assert {query["study"] for query in queries} == {"own", "strict"}
    ours = [query["image"] for query in queries if query["study"] == "own"]
    assert ours == [query["image"] for query in queries if query["study"] == "strict"], "the same patches in both"


def test_units_stand_beside_the_ones_they_are_matched_with(root):
    app = show(PAGE, study="own", other="renumbered", view="Units")
    table = next(frame.value for frame in app.dataframe if "unit_b" in frame.value)
    right = match_units(open_study(root / "own"), open_study(root / "renumbered"))
    table = table.set_index("unit_a").sort_index()
    assert table["unit_b"].fillna(-1).tolist() == right.unit.tolist()
    assert table["correlation"].fillna(-2).tolist() == pytest.approx([-2 if c != c else c for c in right.correlation])
    said = words_on(show(PAGE, study="own", other="renumbered"))
    assert "have a " in said
    assert "matched one with one" in said


def test_classes_have_their_photos_and_itemsets_in_both(root):
    right = found_in(root, "strict").classes
    app = show(PAGE, study="own", other="strict", view="Classes")
    shown = next(frame.value for frame in app.dataframe)
    for name in ("photos", "itemsets", "supported"):
        for side in "ab":
            assert shown[f"{name} {side.upper()}"].tolist() == right[f"{name}_{side}"].tolist()
    assert shown["recall A"].tolist() == pytest.approx((100 * right["recall_a"]).tolist())


def test_a_photo_is_explained_by_both(root):
    app = show(PAGE, study="own", other="strict", view="Photos", which="all", image="3")
    assert len([block for block in blocks(app) if block["kind"] == "stage"]) == 2
    assert words_on(app).count("The model says") == 2
    assert "; all are listed" in words_on(show(PAGE, study="own", other="strict", view="Photos"))
    # The other one's network is not here: its weights are others.
    app = show(PAGE, study="own", other="renumbered", view="Photos", image="3")
    assert len([block for block in blocks(app) if block["kind"] == "stage"]) == 1
    assert len(app.error) == 1


def test_studies_that_were_not_evaluated_say_so(root):
    said = words_on(show(PAGE, study="own", other="strict", view="Table 1"))
    assert "own was not evaluated yet" in said
    assert "strict was not evaluated yet" in said


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"other": "nothing"}, "There is no other study called “nothing” here"),
        ({"other": "strict", "itemset": "a1-2-x"}, "The finding in the address is not among those listed"),
        ({"other": "strict", "view": "Units", "unit": "9999"}, "There is no unit 9999 in A"),
        ({"other": "strict", "view": "Photos", "image": "9999"}, "Photo 9999 of A is not in both studies"),
        ({"other": "strict", "view": "x"}, "The address asks for “x” under View"),
    ],
)
def test_what_the_address_asks_for_in_vain_is_said(query, said):
    app = show(PAGE, study="own", **query)
    assert any(said in unescaped(warning.value) for warning in app.warning)


def test_a_damaged_study_cannot_be_chosen_and_hides_none_of_the_others(root, tmp_path, monkeypatch):
    for name in ("own", "strict"):
        shutil.copytree(root / name, tmp_path / name)
    (tmp_path / "strict" / "manifest.json").write_text("{")
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    said = words_on(show(PAGE, study="own"))
    assert "own is the only study here that can be opened" in said
    assert "Damaged, or of another version: strict." in said
    shutil.copytree(root / "renumbered", tmp_path / "renumbered")
    features = bytearray((tmp_path / "renumbered" / "features.npy").read_bytes())
    features[-1] ^= 1
    (tmp_path / "renumbered" / "features.npy").write_bytes(features)
    app = show(PAGE, study="own", other="renumbered")
    assert "features.npy is damaged" in unescaped(app.error[0].value)
    assert app.selectbox[0].label == "Compared with"
