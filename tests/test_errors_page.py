"""The page Errors without a browser: pairs, sets and effects as the library says them, and what an address may ask."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from interpret import frames, open_study
from interpret.confusion.explained import explain_pair
from interpret.confusion.pairs import photos_of_pair
from interpret.evaluation import ablation, heads, heldout
from interpret.evaluation.error_sets import ErrorSetRow, error_sets
from interpret.evaluation.heldout import FOLDER
from interpret.evaluation.mending import mend
from pages.shared import wording
from pages.shared.controls import address
from tests.confused_study import confused
from tests.manifests import manifest_of, rewrite, write_images
from tests.shown_pages import blocks, show, tiles, unescaped, words_on

PAGE = "pages/errors.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> tuple[Path, tuple[int, int]]:
    root = tmp_path_factory.mktemp("studies")
    return root, confused(root / "demo")


@pytest.fixture(autouse=True)
def root(made, monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(made[0]))
    return made[0]


@pytest.fixture(scope="module")
def found(made):
    """What the library says of the pair: its sets, and the effect of the first two."""
    study = open_study(made[0] / "demo")
    pair = photos_of_pair(study, *made[1])
    head = heads.load_head(study, device="cpu")
    sets = error_sets(
        study, pair, explain_pair(study, pair), study.mine_config, ablation.make_ablation_set(study, head)
    )
    rows = frames.rows(sets.table, ErrorSetRow)
    best = heldout.best(study, heldout.kept(study))
    assert best is not None
    effects = mend(ablation.make_ablation_set(best.study, head), *made[1], [row.units for row in rows[:2]])
    return study, sets, rows, effects


def chosen_units(app) -> tuple[int, ...]:
    line = next(block for block in blocks(app) if block.get("size") == "big")
    return tuple(int(part["unit"]) for part in line["parts"] if part["t"] == "unit")


def acts(app, name: str) -> list[dict]:
    return [block["act"] for block in blocks(app) if name in (block.get("act") or {})]


def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made) -> Path:
    shutil.copytree(made[0] / "demo", tmp_path / "demo")
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    return tmp_path / "demo"


def test_the_most_frequent_pair_its_first_set_and_its_effect_are_there_at_once(made, found):
    study, _, rows, effects = found
    a, b = (wording.class_text(study, class_id) for class_id in made[1])
    app = show(PAGE)
    assert unescaped(app.title[0].value) == f"Why is {a} taken for {b}?"
    assert chosen_units(app) == rows[0].units
    text = words_on(app)
    row, effect = rows[0], effects[0]
    errors = f"{row.error_count} of {row.error_photos} errors and {row.right_count} of {row.right_photos} right photos"
    assert errors in text
    mended = f"<b>{effect.errors.changed} of {effect.errors.photos}</b> photos of {a} taken for {b}"
    broken = f"<b>{effect.broken:.0f} of {sum(part.photos for part in rights(effect))}</b> right answers"
    assert mended in text
    assert broken in text
    assert "On held-out photos" in text
    assert "Sets of at most 3 units, ranked on these photos; what a set mends is measured on others." in text
    assert "in “val”, none of which was mined" in text
    assert acts(app, "pair") == [{"pair": f"{made[1][0]}-{made[1][1]}"}]


def rights(effect):
    return (effect.right, effect.right_predicted, effect.right_others)


def test_another_set_is_one_address_away(found):
    _, _, rows, effects = found
    app = show(PAGE, itemset=address.itemset_param(rows[1].units), target=str(rows[1].target))
    assert chosen_units(app) == rows[1].units
    assert f"<b>{effects[1].errors.changed} of {effects[1].errors.photos}</b>" in words_on(app)
    marked = [block["act"] for block in blocks(app) if block.get("on") and "itemset" in block["act"]]
    assert marked == [{"itemset": address.itemset_param(rows[1].units), "target": rows[1].target}]


def test_the_list_of_sets_is_in_the_librarys_order(found):
    rows = found[2]
    listed = [(act["itemset"], act["target"]) for act in acts(show(PAGE), "itemset")]
    assert listed == [(address.itemset_param(row.units), row.target) for row in rows[:5]]
    more = [(act["itemset"], act["target"]) for act in acts(show(PAGE, sets="2"), "itemset")]
    assert more == [(address.itemset_param(row.units), row.target) for row in rows[5:10]]


def test_galleries_show_errors_and_right_photos_and_those_that_hold_the_set_first(made, found):
    _, sets, rows, _ = found
    app = show(PAGE)
    shown = [tile["act"]["query"] for tile in tiles(app)]
    groups = {
        "errors": set(sets.pair.errors.tolist()),
        "right": set(sets.pair.right.tolist()),
        "other": set(sets.pair.right_predicted.tolist()),
    }
    a, b = made[1]
    seen = {(name, int(q["target"])) for q in shown for name, ids in groups.items() if int(q["image"]) in ids}
    assert seen == {("errors", a), ("errors", b), ("right", a), ("right", b), ("other", b)}
    assert all(tile["src"].startswith("data:image/jpeg;base64,") for tile in tiles(app))
    first = next(block for block in blocks(app) if block["kind"] == "tiles")["tiles"]
    notes = ["note" in tile for tile in first]
    assert notes == sorted(notes)
    row = rows[0]
    assert f"{row.error_count} of {row.error_photos} photos hold the" in words_on(app)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"pair": "nonsense"}, "names no pair"),
        ({"pair": "1-1"}, "names no pair"),
        ({"pair": "1-999"}, "names no pair"),
        ({"pair": "1--2"}, "names no pair"),
        ({"itemset": "63-62-61-60"}, "not among those of this pair"),
        ({"itemset": "<b>"}, "not among those of this pair"),
        ({"itemset": "0", "target": "9999999"}, "not among those of this pair"),
    ],
)
def test_what_the_address_asks_in_vain_is_said(found, query, said):
    app = show(PAGE, **query)
    assert any(said in warning.value for warning in app.warning)
    assert chosen_units(app) == found[2][0].units


def test_a_pair_without_errors_is_said_and_the_most_frequent_shown(made):
    a, b = made[1]
    app = show(PAGE, pair=f"{b}-{a}")
    assert any("No photo of" in warning.value and "most frequent" in warning.value for warning in app.warning)
    assert unescaped(app.title[0].value).startswith("Why is ")
    assert tiles(app)


def test_units_are_saved_with_their_test_and_effect(found):
    app = show(PAGE)
    labels = [button.proto.label for button in app.get("download_button")]
    assert {"These units as JSON", "All sets as CSV", "Save gallery"} <= set(labels)
    assert any("listed.layer, listed.units, listed.input_size, signed=listed.signed" in code.value for code in app.code)


def test_without_held_out_photos_the_page_says_so_and_leads_on(made, tmp_path, monkeypatch):
    folder = copied(tmp_path, monkeypatch, made)
    shutil.rmtree(folder / FOLDER)
    app = show(PAGE)
    text = words_on(app)
    assert "On mined photos, ablating" in text
    assert "measured on others" not in text
    assert "that were mined as well, which flatters the units: none were held out yet." in text
    assert any("Measure on other photos" in link.proto.label for link in app.get("page_link"))


def test_without_labels_one_sentence_says_so(made, tmp_path, monkeypatch):
    folder = copied(tmp_path, monkeypatch, made)
    images = pd.read_parquet(folder / "images.parquet").astype({"label": "Int32"})
    write_images(folder, images.assign(label=pd.array([None] * len(images), "Int32")))
    app = show(PAGE)
    assert any("has a label" in unescaped(info.value) for info in app.info)
    assert not tiles(app)


def test_no_error_is_nothing_to_explain(made, tmp_path, monkeypatch):
    folder = copied(tmp_path, monkeypatch, made)
    images = pd.read_parquet(folder / "images.parquet").astype({"label": "Int32"})
    write_images(folder, images.assign(label=images["predicted"].astype("Int32")))
    app = show(PAGE)
    assert any("there is no error to explain" in info.value for info in app.info)


def test_a_network_that_is_not_here_leaves_the_sets(made, tmp_path, monkeypatch):
    folder = copied(tmp_path, monkeypatch, made)
    about = manifest_of(folder)
    rewrite(folder, {**about, "weights": {**about["weights"], "digest": "0" * 16}})
    app = show(PAGE)
    assert "The weights of demo on this machine are not those" in words_on(app)
    assert acts(app, "itemset")
    assert tiles(app)


def test_photos_that_are_gone_are_said_and_the_effect_stays(made, tmp_path, monkeypatch):
    folder = copied(tmp_path, monkeypatch, made)
    rewrite(folder, images_root="/nowhere")
    app = show(PAGE)
    assert any("not on this machine" in info.value for info in app.info)
    assert "On held-out photos" in words_on(app)


def test_without_a_contrast_photos_are_explained_on_demand(made, tmp_path, monkeypatch, found):
    folder = copied(tmp_path, monkeypatch, made)
    about = manifest_of(folder)
    about["config"]["extract"]["contrast"] = 0
    rewrite(folder, about)
    app = show(PAGE)
    assert list((folder / "errors").glob("*/explained.parquet"))
    assert chosen_units(app) == found[2][0].units
    rewrite(folder, {**about, "images_root": "/nowhere"})
    shutil.rmtree(folder / "errors")
    app = show(PAGE)
    assert any("is not on this machine" in unescaped(info.value) for info in app.info)
    assert acts(app, "pair")


def test_class_names_with_markup_stay_text(made, tmp_path, monkeypatch):
    folder = copied(tmp_path, monkeypatch, made)
    about = manifest_of(folder)
    names = [f"<img src=x onerror=alert(1)> **b** __{index}__" for index in range(10)]
    rewrite(folder, {**about, "class_names": names})
    app = show(PAGE)
    for element in app.get("html"):
        assert "<img" not in element.proto.body
    assert all("**b**" not in element.value for element in [*app.title, *app.header])


def test_a_support_that_explodes_is_refused_with_one_that_passes(made, tmp_path, monkeypatch):
    folder = copied(tmp_path, monkeypatch, made)
    about = manifest_of(folder)
    about["config"]["mine"]["max_itemsets"] = 60
    rewrite(folder, about)
    app = show(PAGE, support="1", n="30")
    assert any("would give more than 60 itemsets" in unescaped(error.value) for error in app.error)
    assert any("Support" in button.label or "Itemsets of" in button.label for button in app.button)


@pytest.mark.parametrize("name", ["images.parquet", "patches.parquet", "contrast.parquet", "features.npy"])
def test_a_damaged_file_of_the_study_closes_the_page_with_its_sentence(tmp_path, monkeypatch, made, name):
    file = copied(tmp_path, monkeypatch, made) / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    app = show(PAGE)
    assert app.title[0].value == "This page cannot be shown"
    assert f"{name} is damaged (its bytes are not those that were written)" in unescaped(app.error[0].value)
