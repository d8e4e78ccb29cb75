"""Every page of the dashboard on a small true study, without a browser."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from interpret.findings import Findings
from interpret.frames import integers
from interpret.mining.ranked_units import kept_units
from interpret.mining.stored import mine_study
from interpret.study import Study, open_study
from pages.shared import page_list, wording
from tests.manifests import manifest_of, rewrite, write_images
from tests.shown_pages import PAGES, blocks, show, tiles, unescaped, words_on
from tests.small_study import COUNT, studies


@pytest.fixture(autouse=True)
def root(monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    return studies()


@pytest.mark.parametrize(("page", "title"), PAGES.items())
def test_every_page_opens_with_its_title_and_pictures(page, title):
    app = show(page)
    assert title in unescaped(app.title[0].value)
    assert not app.error
    pictures = tiles(app) + [block for block in blocks(app) if block["kind"] == "stage"]
    # The demo's network may be right on all of these drawings; tests/test_errors_page.py has a study with errors.
    assert pictures or page in ("pages/evaluation.py", "pages/errors.py", "pages/compare.py"), "no picture"
    assert all(picture["src"].startswith("data:image/jpeg;base64,") and picture["alt"] for picture in pictures)


def test_the_first_screen_is_a_finding_with_its_share_and_count():
    app = show("pages/study.py")
    text = words_on(app)
    assert "% of" in text
    assert len(tiles(app)) >= 4
    assert f"{COUNT:,}, in 10 predicted classes" in text


def test_what_was_skipped_is_listed_with_its_reason():
    app = show("pages/study.py")
    frames = [frame.value for frame in app.dataframe]
    assert any("Bird/broken.png" in set(frame.get("path", [])) for frame in frames)


def test_a_figure_is_saved_as_a_page_that_asks_for_nothing():
    from interpret.figures import ablation_charts, plotly_style

    figure = ablation_charts.shift_bars(["<b>Bird</b>", "Dog"], [0.2, 0.8], [0.9, 0.1], ["#112233", "#445566"])
    page = plotly_style.page(figure, "a < b", plotly_style.Paper(ink="#ecebe7", ground="#121316"))
    head, _, rest = page.partition("<body")
    assert "<title>a &lt; b</title>" in head
    assert len(rest) > 3_000_000, "Plotly itself is in it"
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=", page)
    assert "#112233" in page
    assert figure.layout.paper_bgcolor == plotly_style.CLEAR, "the figure shown stays as it is"


def test_a_unit_has_its_own_address():
    study = open_study(studies() / "demo")
    unit = int(study.patches["units"].iloc[0][0])
    app = show("pages/unit.py", unit=str(unit))
    assert app.title[0].value.endswith(f"{unit} respond to?")
    assert app.number_input(key="unit_number").value == unit
    app.number_input(key="unit_number").set_value((unit + 1) % study.n_units).run()
    assert app.query_params["unit"] == str((unit + 1) % study.n_units)
    assert not app.exception


def test_a_unit_that_no_patch_holds_says_so_and_shows_its_activations():
    study = open_study(studies() / "demo")
    held = {int(unit) for units in study.patches["units"] for unit in units[:8]}
    silent = next(unit for unit in range(study.n_units) if unit not in held)
    app = show("pages/unit.py", unit=str(silent))
    assert any("strongest units of no patch" in info.value for info in app.info)
    assert len(app.get("plotly_chart")) == 1


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("pages/unit.py", {"unit": "999999"}),
        ("pages/unit.py", {"unit": "-3"}),
        ("pages/unit.py", {"unit": "<b>x</b>"}),
        ("pages/class_specific.py", {"class": "nothing", "itemset": "0-0-x", "n": "-1", "support": "9999"}),
        ("pages/class_shared.py", {"itemset": "1-2-3-4-5-6-7"}),
        ("pages/class_shared.py", {"view": "nothing", "show": "x"}),
        ("pages/explain.py", {"image": "100000", "target": "x", "box": "77", "off": "1-99999-x", "opacity": "500"}),
        ("pages/method.py", {"image": "100000"}),
        ("pages/study.py", {"study": "../../etc"}),
        ("pages/class_specific.py", {"patch": "123456789"}),
    ],
)
def test_nonsense_in_the_address_is_no_fault(page, query):
    app = show(page, **query)
    assert app.title


def test_switching_units_off_changes_the_answer_at_once():
    study = open_study(studies() / "demo")
    units = [int(unit) for unit in study.patches[study.patches["image_id"] == 0]["units"].iloc[0][:8]]
    off = "-".join(str(unit) for unit in units)
    app = show("pages/explain.py", image="0", off=off)
    assert "Without" in words_on(app)
    chips = [p for b in blocks(app) for p in b.get("parts", []) if p["t"] == "unit" and p.get("off")]
    assert {chip["unit"] for chip in chips} == {str(unit) for unit in units}


def test_another_class_can_be_explained():
    app = show("pages/explain.py", image="0", target="3")
    study = open_study(studies() / "demo")
    assert app.title[0].value == f"Why {wording.class_text(study, 3)}?"


def test_the_chain_of_a_patch_opens_from_its_address():
    app = show("pages/class_specific.py", patch="0")
    text = words_on(app)
    assert "5 · Its transaction" in text
    assert "6 · Itemsets that it supports" in text


def test_a_study_with_a_support_that_finds_nothing_says_what_would_help(tmp_path, monkeypatch):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    manifest = manifest_of(tmp_path / "demo")
    manifest["config"]["mine"]["min_class_patches"] = 1000
    rewrite(tmp_path / "demo", manifest)
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    for page in PAGES:
        app = show(page)
        if page in ("pages/study.py", "pages/class_specific.py", "pages/class_shared.py"):
            assert any("more photos" in info.value for info in app.info), page


def test_a_damaged_study_is_one_sentence(tmp_path, monkeypatch):
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "manifest.json").write_text("{")
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    app = show("pages/study.py", study="bad")
    assert "damaged" in app.error[0].value


def test_a_study_without_its_photos_still_opens(tmp_path, monkeypatch):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    manifest = manifest_of(tmp_path / "demo")
    manifest["images_root"] = "/nowhere"
    rewrite(tmp_path / "demo", manifest)
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    for page in PAGES:
        show(page)
    assert any("not on this machine" in info.value for info in show("pages/study.py").info)


def test_class_names_are_text(tmp_path, monkeypatch):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    manifest = manifest_of(tmp_path / "demo")
    evil = "<img src=x onerror=alert(1)> **b** [l](javascript:1) $x$"
    manifest["class_names"] = [f"{evil} {index}" for index in range(10)]
    rewrite(tmp_path / "demo", manifest)
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    for page in PAGES:
        app = show(page)
        for element in app.get("html"):
            assert "<img" not in element.proto.body
        assert "<img" not in app.title[0].value.replace("\\<", "")
        assert all("**b**" not in element.value for element in [*app.title, *app.header])


def altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Study:
    """A copy of the study whose manifest says something else, as the only one that there is."""
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    rewrite(tmp_path / "demo", **changes)
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    return open_study(tmp_path / "demo")


def without_labels(study: Study) -> None:
    file = study.folder / "images.parquet"
    write_images(study.folder, pd.read_parquet(file).assign(label=pd.array([None] * COUNT, "Int32")))


def test_a_photo_without_a_label_is_explained(tmp_path, monkeypatch):
    without_labels(altered(tmp_path, monkeypatch))
    study = open_study(tmp_path / "demo")
    assert study.images["label"].isna().all()
    text = words_on(show("pages/explain.py", image="0"))
    assert "The model says" in text
    assert "and is" not in text


def test_the_map_is_as_strong_as_the_address_says():
    app = show("pages/explain.py", image="0", opacity="20")
    assert [block["opacity"] for block in blocks(app) if block["kind"] == "stage"] == [0.2]


@pytest.mark.slow
def test_a_class_name_may_hold_what_no_key_may(tmp_path, monkeypatch):
    altered(tmp_path, monkeypatch, class_names=[f"__my__class__{index}__" for index in range(10)])
    for page in PAGES:
        show(page)


def test_classes_of_one_short_name_are_told_apart(tmp_path, monkeypatch):
    names = ["crane, bird", "b", "crane, machine", "d", "e", "f", "g", "twin", "Twin", "j, k"]
    study = altered(tmp_path, monkeypatch, class_names=names)
    texts = [wording.class_text(study, one) for one in range(10)]
    assert texts == ["Crane, bird", "B", "Crane, machine", "D", "E", "F", "G", "Twin (#7)", "Twin (#8)", "J"]
    app = show("pages/class_specific.py", **{"class": "2"})
    assert app.selectbox(key="choose_class").value == 2
    assert "Crane, machine" in app.title[0].value
    app.selectbox(key="choose_class").set_value(8).run()
    assert "Twin (#8)" in unescaped(app.title[0].value)


def test_navigation_lists_files_that_exist():
    assert page_list.ENTRIES[0].path == ""
    assert len({entry.path for entry in page_list.ENTRIES}) == len(page_list.ENTRIES)


def test_explain_shows_the_transaction_that_was_mined():
    """That of a photo of the study is held to the contrast of the other half, not to all of it."""
    study = open_study(studies() / "demo")
    found = Findings(study, study.mine_config, mine_study(study, study.mine_config))
    predicted, image = integers(study.patches, "predicted", "image_id")
    others = kept_units(study, study.mine_config, study.ranked, predicted)[0]
    single = np.bincount(image, minlength=len(study.images))[image] == 1
    ours = found.transactions[0]
    differ = np.flatnonzero(single & (ours[:, 0] >= 0) & (ours != others).any(axis=1))
    assert len(differ) > 1, "the halves make a difference"
    for patch in differ[:2].tolist():
        shown = [
            [part for part in block["parts"] if "units" in part.get("act", {}) and part["t"] == "unit"]
            for block in blocks(show("pages/explain.py", image=str(image[patch])))
            if "parts" in block
        ]
        chips = next(line for line in shown if line)
        assert [int(part["unit"]) for part in chips] == found.transaction(patch)
