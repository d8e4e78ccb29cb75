"""What stands in galleries: which answers are right, which photos are shown, and where units are most active."""

import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from interpret.errors import InputError
from interpret.explanation import unit_maps
from interpret.explanation.photo import make_explainer
from interpret.explanation.study_network import network_of
from interpret.findings.answers import RIGHT, UNKNOWN, WRONG, PhotoFilter, answers
from interpret.findings.most_active import most_active_photos
from interpret.study import open_study
from pages.shared.backend import model, unit_heat
from tests.confused_study import confused
from tests.manifests import write_images
from tests.shown_pages import blocks, show, tiles, unescaped, words_on


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
def test_every_patch_bears_the_mark_of_its_photos_answer(served):
    signs = {RIGHT: "right", WRONG: "wrong", UNKNOWN: ""}
    known = expected(served)
    marked = [tile for tile in tiles(show("pages/unit.py", above="false", all="true")) if "mark" in tile]
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
def test_photos_that_the_address_asks_for_in_vain(served):
    app = show("pages/unit.py", answer="odd", label="77", sure="90-20")
    warned = [unescaped(warning.value) for warning in app.warning]
    said = [
        "“odd” under The model’s answer, which offers “all”, “right”, “wrong” and “without label”",
        "The address asks for a label that no photo of this study has",
        "The address asks for probabilities of “90-20”, which are not two whole numbers",
    ]
    assert len(warned) == 3
    assert all(words in sentence for words, sentence in zip(said, warned, strict=True))
    assert [tile for tile in tiles(app) if "mark" in tile]


def test_the_most_active_photos_of_a_unit_and_of_a_set(folder):
    study = open_study(folder / "demo")
    pooled = np.load(folder / "demo" / "features.npy").astype(np.float64)
    photos, values = most_active_photos(study, [7])
    expected_order = sorted(range(len(pooled)), key=lambda image: (-pooled[image][7], image))
    assert photos.tolist() == [image for image in expected_order if pooled[image][7] > 0]
    assert values == pytest.approx([pooled[image][7] for image in photos])
    photos, values = most_active_photos(study, [7, 3, 12])
    least = {
        image: min(pooled[image][unit] / pooled[:, unit].max() for unit in (3, 7, 12)) for image in range(len(pooled))
    }
    assert len(photos) > 10
    assert set(photos.tolist()) == {image for image, share in least.items() if share > 0}
    assert values == pytest.approx([least[image] for image in photos])
    assert list(values) == sorted(values, reverse=True)


def test_heat_compares_units_and_photos_each_with_its_largest():
    # two photos, two units, a grid of one row: unit 0 reaches 4, unit 1 reaches 2
    maps = np.array([[[[4.0, 0.0]], [[1.0, -1.0]]], [[[2.0, 0.0]], [[2.0, 0.0]]]], np.float32)
    # means (1 + 0.5) / 2 and 0; (0.5 + 1) / 2 and 0: both at 0.75, the largest, which becomes 1
    assert unit_maps.heat(maps).tolist() == [[[1.0, 0.0]], [[1.0, 0.0]]]
    assert unit_maps.heat(maps[:, :1]).tolist() == [[[1.0, 0.0]], [[0.5, 0.0]]]
    assert unit_maps.heat(np.zeros((2, 1, 1, 2), np.float32)).tolist() == [[[0.0, 0.0]], [[0.0, 0.0]]]


def test_maps_are_the_stored_activations_where_there_are_some():
    activations = np.arange(2 * 3 * 2 * 2, dtype=np.float16).reshape(2, 3, 2, 2)
    study = SimpleNamespace(activations=activations)
    assert unit_maps.stored_maps(study, [1], [2, 0]).tolist() == activations[[1]][:, [2, 0]].tolist()
    assert unit_maps.stored_maps(SimpleNamespace(activations=None), [1], [2]) is None


@pytest.mark.slow
def test_maps_from_the_network_have_the_pooled_features_as_their_mean(folder):
    study = open_study(folder / "demo")
    images, units = list(range(11)), [3, 40]  # more than a batch
    explainer = make_explainer(network_of(study), study.extract_config)
    maps = unit_maps.computed_maps(explainer, (study.photo(image) for image in images), units)
    assert maps.shape[:2] == (11, 2)
    assert maps.mean(axis=(2, 3)) == pytest.approx(study.features[:11][:, units], rel=1e-4, abs=1e-5)


@pytest.mark.slow
def test_the_units_map_lies_over_the_pictures_where_that_is_asked_for(served, monkeypatch):
    query = {"unit": "39", "above": "false"}
    plain, warm = (show("pages/unit.py", **query, **more) for more in ({}, {"heat": "true"}))
    before, after = (
        [tile for tile in tiles(app) if "patch" in tile["act"] and "note" in tile] for app in (plain, warm)
    )
    assert [tile["alt"] for tile in before] == [tile["alt"] for tile in after]
    assert all(one["src"] != other["src"] for one, other in zip(before, after, strict=True))
    assert "Bright: where unit 39 fires" in words_on(warm)
    assert "Bright" not in words_on(plain)

    monkeypatch.setattr(unit_heat, "SECONDS", -1.0)  # the time is over before the second batch
    slow = show("pages/unit.py", **query, heat="true", gallery="most active photos")
    assert "without a map: the network runs for" in words_on(slow)

    def gone(_: object) -> None:
        raise InputError("The weights are gone.")

    monkeypatch.setattr(model, "ready_model", gone)
    app = show("pages/unit.py", **query, heat="true")
    assert "Where the units fire cannot be shown: The weights are gone." in [unescaped(info.value) for info in app.info]
    assert [tile["src"] for tile in tiles(app)][: len(before)] == [tile["src"] for tile in before]


@pytest.mark.slow
@pytest.mark.parametrize("page", ["class_shared", "unit"])
def test_photos_are_shown_where_units_are_most_active_with_or_without_a_patch(served, page):
    study = open_study(served / "demo")
    app = show(f"pages/{page}.py", above="false", all="true", gallery="most active photos", page="2")
    shown = [tile for tile in tiles(app) if tile["alt"].startswith("photo ")]
    big = next(block for block in blocks(app) if block.get("size") == "big")["parts"]
    units = [int(part["unit"]) for part in big if part["t"] == "unit"]
    photos, values = most_active_photos(study, units)
    assert [photo_of(tile) for tile in shown] == photos[12:24].tolist()
    for tile, value in zip(shown, values[12:24], strict=True):
        said = f"activation {value:.2f}" if len(units) == 1 else f"activation {100 * value:.0f} % or more"
        assert tile["note"].replace("\u00a0", " ") == said
    held = {
        int(study.patches["image_id"].iloc[patch])
        for patch, row in enumerate(study.patches["units"])
        if set(units) <= set(row[:8])  # the poster's transactions of eight units
    }
    assert f"In {len(held & set(photos[12:24].tolist()))} of these 12 photos" in words_on(app)


@pytest.mark.slow
def test_a_unit_of_no_patch_shows_the_photos_in_which_it_is_most_active(served):
    study = open_study(served / "demo")
    seen = {unit for row in study.patches["units"] for unit in row[:8]}
    unit = next(unit for unit in range(study.n_units) if unit not in seen and study.features[:, unit].max() > 0)
    app = show("pages/unit.py", unit=str(unit))
    assert [photo_of(tile) for tile in tiles(app)] == most_active_photos(study, [unit])[0][:12].tolist()
