"""A study that is damaged, or older than a key of its manifest, hides none of the others."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret.study import open_study
from pages.shared.backend import studies as opened_studies
from tests.shown_pages import PAGES, show, words_on
from tests.small_study import COUNT, studies

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch) -> Path:
    """A folder with one study that is whole, called `whole`, and older than any other."""
    shutil.copytree(studies() / "demo", tmp_path / "whole")
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    return tmp_path


def another(root: Path, name: str, manifest: object) -> Path:
    """A copy of the study with another manifest, given as what JSON makes of it or as text."""
    shutil.copytree(root / "whole", root / name)
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    (root / name / "manifest.json").write_text(text)
    return root / name


def own_manifest(root: Path) -> dict:
    return json.loads((root / "whole" / "manifest.json").read_text())


def labels(app: AppTest) -> list[str]:
    return [button.label.replace("\\", "") for button in app.button if str(button.key).startswith("open_")]


@pytest.mark.parametrize("manifest", ["{", "[]", "null", '{"schema_version": 1}', '{"schema_version": 99}'])
@pytest.mark.parametrize("name", ["newest", "demo"])
def test_a_damaged_study_is_named_and_the_others_open(root, manifest, name):
    another(root, name, manifest)
    app = show("pages/study.py")
    assert not app.error
    assert app.query_params["study"] == "whole"
    assert [label.partition("**")[2].partition("**")[0] for label in labels(app)] == ["whole"]
    assert f"Damaged, or of another version: {name}." in words_on(app)


@pytest.mark.parametrize("section", ["counts", "timings"])
@pytest.mark.parametrize("value", [None, {}, "x", {"images": "x", "seconds": None}])
def test_a_manifest_without_counts_or_timings_breaks_no_page(root, section, value):
    manifest = own_manifest(root)
    manifest.pop(section)
    another(root, "older", manifest if value is None else {**manifest, section: value})
    app = show("pages/study.py", study="older")
    assert not app.error
    assert f"{COUNT:,}, in 10 predicted classes" in words_on(app)
    assert len(labels(app)) == 2
    assert opened_studies.seconds_per_photo("demo")[1] == "whole"


@pytest.mark.parametrize("page", PAGES)
def test_a_study_whose_tables_are_cut_short_is_one_sentence_and_a_way_to_the_others(root, page):
    folder = another(root, "cut", own_manifest(root))
    for file in folder.glob("*.parquet"):
        file.write_bytes(file.read_bytes()[:100])
    app = show(page, study="cut")
    assert "damaged" in app.error[0].value
    assert "This page cannot be shown" in [title.value for title in app.title]
    app.button("open_whole").click().run()
    assert not app.exception
    assert not app.error
    assert app.query_params["study"] == "whole"
    assert open_study(root / "whole").name == "whole"
