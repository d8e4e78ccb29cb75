"""What stands in galleries: which answers are right, which photos are shown, and where units are most active."""

import shutil

import pandas as pd
import pytest

from interpret.findings.answers import RIGHT, UNKNOWN, WRONG, PhotoFilter, answers
from interpret.study import open_study
from tests.confused_study import confused
from tests.manifests import write_images
from tests.shown_pages import show, tiles


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
@pytest.mark.parametrize("page", ["study", "class_specific", "class_shared", "unit"])
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
