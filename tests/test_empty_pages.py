"""What pages say that have nothing to show: no study, no patch, one class, no labels, photos that are gone."""

import json
import os
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret import pipeline
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.study import open_study
from pages.shared import page_list, wording
from tests.manifests import manifest_of, rewrite
from tests.shown_pages import APP, PAGES, show, words_on
from tests.small_study import studies


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    """A folder of two studies: `one`, of unlabelled photos that are all predicted alike; `none`, whose patches are all
    too small."""
    root = tmp_path_factory.mktemp("few")
    made = open_study(studies() / "demo")
    alike = made.images[made.images["predicted"] == made.images["predicted"].mode()[0]].head(12)
    for image in alike["image_id"].tolist():
        shutil.copy(made.images_root / made.images["path"].iloc[image], root / f"{image}.png")
    model, mine = ModelConfig(model="demo", precision="float32", device="cpu"), MineConfig(top_units=5)
    for name, extract in (("one", ExtractConfig()), ("none", ExtractConfig(tau=0.95, min_area=0.5))):
        pipeline.run(RunConfig(images=str(root), model=model, extract=extract, mine=mine), root / "studies" / name)
    return root / "studies"


def said(app: AppTest) -> str:
    """All boxes and words of a page."""
    boxes = [element.value for element in [*app.info, *app.warning, *app.error]]
    return "\n".join([*boxes, words_on(app)]).replace("\\", "").replace("\u00a0", " ")


def test_a_study_without_a_patch_says_why_on_each_page(few, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(few))
    for page in ("pages/study.py", "pages/class_specific.py", "pages/class_shared.py", "pages/method.py"):
        text = said(show(page, study="none"))
        assert "No photo of this study has a patch" in text, page
        assert "less than 50.0 % of the photo (the option --min-area)" in text, page
    assert "covers less than 50.0 % of it" in said(show("pages/explain.py", study="none"))
    assert "No photo of this study has a patch; the photos" in said(show("pages/unit.py", study="none"))
    links = [link.proto.page for link in show("pages/class_specific.py", study="none").get("page_link")]
    assert links == ["explain", ""]


def test_one_class_alone_is_not_tested_and_shares_nothing(few, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(few))
    study = open_study(few / "one")
    name = wording.class_text(study, int(study.images["predicted"].iloc[0]))
    assert study.images["predicted"].nunique() == 1
    assert f"Only {name} has the 10 patches that mining needs" in said(show("pages/class_shared.py", study="one"))
    text = said(show("pages/class_specific.py", study="one"))
    assert "Not tested: the model calls no photo of this study anything else" in text


def test_without_labels_a_prediction_that_stays_is_not_called_right(few, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(few))
    text = said(show("pages/study.py", study="one"))
    assert "Of 12 mined photos called " in text
    assert "still are with these units ablated" in text
    assert " are right" not in text
    assert "they have no labels, so what the model says with all units active counts as right" in text
    assert "They have no labels, so what the model" in said(show("pages/class_specific.py", study="one"))
    assert "No photo of the study one has a label" in said(show("pages/errors.py", study="one"))


def test_a_finding_keeps_its_words_where_its_photos_are_gone(tmp_path, monkeypatch):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    rewrite(tmp_path / "demo", {**manifest_of(tmp_path / "demo"), "images_root": "/nowhere"})
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    text = said(show("pages/study.py"))
    assert "not on this machine" in text
    assert "among the strongest" in text
    assert "are right; with these units ablated" in text
    assert "upload one, or run unitscope pack" in said(show("pages/explain.py"))
    assert "not on this machine" in said(show("pages/class_shared.py", all="true"))


def test_where_no_study_could_be_made_each_page_says_so_and_offers_the_form(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    failed = tmp_path / ".runs" / "0-1"
    failed.mkdir(parents=True)
    about = {"study": "demo", "arguments": [], "pid": os.getpid(), "born": "12345"}  # of another process: it is over
    (failed / "job.json").write_text(json.dumps(about))
    app = AppTest.from_file(APP, default_timeout=120).run()
    for page, entry in zip(PAGES, page_list.ENTRIES, strict=True):
        app.session_state["routed"] = False  # what a test stops while it draws can't say so itself
        app.switch_page(page).run()
        assert not app.exception
        assert app.title[0].value == wording.markdown(entry.question)
        assert "There is no study here yet." in words_on(app)
        assert "could not be created" in app.error[0].value
        assert len(app.get("file_uploader")) >= 1
