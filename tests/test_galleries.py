"""What stands in galleries: which answers are right, which photos are shown, and where units are most active."""

import shutil

import pandas as pd
import pytest

from interpret.findings.answers import RIGHT, UNKNOWN, WRONG, PhotoFilter, answers
from interpret.study import open_study
from tests.confused_study import confused
from tests.manifests import write_images
from tests.shown_pages import show, tiles, unescaped, words_on


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the small study, in which eight photos are wrong, and the photos 0, 9 and 40 have no label."""
    root = tmp_path_factory.mktemp("marked")
    confused(root / "demo", held_out=False)
    images = pd.read_parquet(root / "demo" / "images.parquet").astype({"label": "Int32"})
    images.loc[[0, 9, 40], "label"] = pd.NA
    write_images(root / "demo", images)
    yield root
    shutil.rmtree(root)


@pytest.fixture
def served(folder, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(folder))
    return folder


def expected(folder) -> list[int]:
    """Of each photo whether it is right, from the table as it is stored."""
    rows = pd.read_parquet(folder / "demo" / "images.parquet").to_dict("records")
    return [UNKNOWN if pd.isna(r["label"]) else RIGHT if r["label"] == r["predicted"] else WRONG for r in rows]


def test_an_answer_is_right_where_it_is_the_label_and_without_one_nothing_is_known(folder):
    found = answers(open_study(folder / "demo")).tolist()
    assert found == expected(folder)
    assert {found.count(each) > 0 for each in (RIGHT, WRONG, UNKNOWN)} == {True}
    assert found[0] == found[9] == found[40] == UNKNOWN


@pytest.mark.parametrize(
    "asked",
    [
        PhotoFilter(),
        PhotoFilter("right"),
        PhotoFilter("wrong"),
        PhotoFilter("without label"),
        PhotoFilter(label=2),
        PhotoFilter("wrong", label=1, low=10),
        PhotoFilter(low=60),
        PhotoFilter(low=50, high=90),
        PhotoFilter(high=40),
    ],
)
def test_photos_pass_by_answer_label_and_probability(folder, asked):
    study = open_study(folder / "demo")
    rows = pd.read_parquet(folder / "demo" / "images.parquet").to_dict("records")
    kinds = {"right": RIGHT, "wrong": WRONG, "without label": UNKNOWN}
    shown = [
        (asked.answer == "all" or is_right == kinds[asked.answer])
        and (asked.label is None or (not pd.isna(row["label"]) and row["label"] == asked.label))
        and asked.low <= 100 * row["confidence"]
        and (asked.high == 100 or 100 * row["confidence"] <= asked.high)
        for row, is_right in zip(rows, expected(folder), strict=True)
    ]
    assert asked.passes(study).tolist() == shown
    assert asked.narrows == (not all(shown)) or not asked.narrows


def photo_of(tile: dict) -> int:
    return int(tile["alt"].split("photo ")[1].split(",")[0])


@pytest.mark.slow
@pytest.mark.parametrize("page", ["study", "unit"])
def test_every_patch_bears_the_mark_of_its_photos_answer(served, page):
    signs = {RIGHT: "right", WRONG: "wrong", UNKNOWN: ""}
    known = expected(served)
    marked = [tile for tile in tiles(show(f"pages/{page}.py", above="false", all="true")) if "mark" in tile]
    assert len(marked) > 5
    study = open_study(served / "demo")
    for tile in marked:
        photo = photo_of(tile)
        assert tile["mark"] == signs[known[photo]]
        row = study.images.iloc[photo]
        assert f"probability {100 * row['confidence']:.0f}" in tile["alt"].replace("\u00a0", " ")
        assert tile["alt"].split("; explained")[0].endswith(", right") == (known[photo] == RIGHT)
        if known[photo] == WRONG:
            assert f"wrong: it is {study.class_names[int(row['label'])]}" in tile["alt"]


@pytest.mark.slow
@pytest.mark.parametrize("page", ["class_specific", "class_shared", "unit"])
def test_photos_are_narrowed_down_in_every_gallery_of_a_page(served, page):
    known, images = expected(served), open_study(served / "demo").images
    commonest = str(images["predicted"].mode()[0])
    query = {"class": commonest} if page == "class_specific" else {}
    app = show(f"pages/{page}.py", **query, above="false", all="true", answer="wrong")
    wrong = [photo_of(tile) for tile in tiles(app) if "mark" in tile]
    assert wrong
    assert {known[photo] for photo in wrong} == {WRONG}
    assert " photos (wrong)." in words_on(app)


@pytest.mark.slow
def test_photos_of_a_label_and_a_probability(served):
    images = open_study(served / "demo").images
    app = show("pages/unit.py", above="false", label="2", sure="0-99")
    shown = [photo_of(tile) for tile in tiles(app) if "mark" in tile]
    assert shown
    assert set(images["label"].iloc[shown]) == {2}
    assert images["confidence"].iloc[shown].max() <= 0.99
    assert "labelled " in words_on(app)
    none = show("pages/unit.py", above="false", answer="without label", label="2")
    assert not [tile for tile in tiles(none) if "mark" in tile]
    assert "Shown: none of " in words_on(none)
    assert not [info for info in none.info if "not on this machine" in info.value]


@pytest.mark.slow
def test_a_choice_of_photos_is_kept_in_the_address_and_forgets_the_page(served):
    app = show("pages/unit.py", above="false", page="2")
    assert "answer" not in app.query_params
    app.slider(key="choose_sure").set_range(20, 90).run()
    assert app.query_params["sure"] == "20-90"
    assert "page" not in app.query_params
    app.selectbox(key="choose_label").set_value("1").run()
    assert app.query_params["label"] == "1"
    app.slider(key="choose_sure").set_range(0, 100).run()
    assert "sure" not in app.query_params
    assert not app.warning


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"answer": "odd"}, "“odd” under The model’s answer, which offers “all”, “right”, “wrong” and “without label”"),
        ({"label": "77"}, "The address asks for a label that no photo of this study has"),
        ({"sure": "90-20"}, "The address asks for probabilities of “90-20”, which are not two whole numbers"),
        ({"sure": "all"}, "The address asks for probabilities of “all”"),
    ],
)
def test_photos_that_the_address_asks_for_in_vain(served, query, said):
    app = show("pages/unit.py", **query)
    warned = [unescaped(warning.value) for warning in app.warning]
    assert len(warned) == 1
    assert said in warned[0]
    assert [tile for tile in tiles(app) if "mark" in tile]
