"""A study that is damaged, or older than a key of its manifest, hides none of the others."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret.errors import DamagedError, InputError
from interpret.findings import Findings
from interpret.mining.stored import mine_study, mined_folder
from interpret.study import open_study
from tests.manifests import aged, manifest_of
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
def test_an_early_manifest_without_counts_or_timings_breaks_no_page(root, section):
    shutil.copytree(root / "whole", root / "older")
    aged(root / "older")
    manifest = manifest_of(root / "older")
    manifest.pop(section)
    (root / "older" / "manifest.json").write_text(json.dumps(manifest))
    app = show("pages/study.py", study="older")
    assert not app.error
    assert f"{COUNT:,}, in 10 predicted classes" in words_on(app)
    assert len(labels(app)) == 2


@pytest.mark.parametrize("section", ["counts", "timings"])
@pytest.mark.parametrize("value", [None, [], "x", {"images": "x", "seconds": None}, {"seconds": -1}])
def test_counts_and_timings_of_another_type_are_named_and_the_others_open(root, section, value):
    shutil.copytree(root / "whole", root / "newest")
    aged(root / "newest")
    (root / "newest" / "manifest.json").write_text(json.dumps({**manifest_of(root / "newest"), section: value}))
    with pytest.raises(InputError, match=rf"manifest\.json is damaged \({section}"):
        open_study(root / "newest")
    app = show("pages/study.py")
    assert not app.error
    assert "Damaged, or of another version: newest." in words_on(app)


@pytest.mark.parametrize("page", PAGES)
def test_a_study_whose_tables_are_cut_short_is_one_sentence_and_a_way_to_the_others(root, page):
    folder = another(root, "cut", manifest_of(root / "whole"))
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


def test_itemsets_that_are_damaged_are_mined_again_and_the_page_says_so(root):
    study = open_study(root / "whole")
    file = mined_folder(study, study.mine_config) / "rules.parquet"
    before = file.read_bytes()
    file.write_bytes(before[:-20] + bytes(20))
    undamaged = another(root, "undamaged", manifest_of(root / "whole"))
    file_beside = mined_folder(open_study(undamaged), study.mine_config) / "rules.parquet"
    file_beside.write_bytes(before)
    for name, said in (("whole", 1), ("undamaged", 0)):
        words = words_on(show("pages/class_shared.py", study=name))
        assert words.count("rules.parquet is damaged") == said
        assert words.count("they are mined again.") == said
    assert file.read_bytes() == before


@pytest.mark.parametrize("left", [{"facts.json": "{}"}, {"digests.json": "{}"}, {}])
def test_a_comparison_with_known_parts_that_is_damaged_is_said_where_it_would_be_shown(root, left):
    folder = root / "whole" / "dissection" / "0123456789abcdef"
    folder.mkdir(parents=True)
    for name, text in left.items():
        (folder / name).write_text(text)
    words = words_on(show("pages/unit.py", study="whole"))
    what = "damaged" if "digests.json" in left else "missing"
    assert f"digests.json is {what}); run `dissect` again" in words


def test_an_evaluation_without_its_first_file_is_said(root):
    (root / "whole" / "evaluation" / "results" / "0123456789abcdef").mkdir(parents=True)
    app = show("pages/evaluation.py", study="whole")
    assert "is not used \\(it is damaged\\); run" in app.warning[0].value


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("page", ["study", "explain", "errors"])
def test_no_other_finding_is_shown_first_where_the_features_are_damaged(root, page):
    shutil.rmtree(root / "whole" / "effects")  # which say what to show first
    flip(root / "whole" / "features.npy")
    app = show(f"pages/{page}.py", study="whole")
    assert "features.npy is damaged (its bytes are not those that were written)" in app.error[0].value.replace("\\", "")


def test_damaged_effects_are_said_and_measured_again(root):
    app = show("pages/class_specific.py", study="whole")
    costs = app.dataframe[0].value["fall"]
    assert (costs > 0).any()
    kept = next((root / "whole" / "effects").iterdir())
    flip(kept / "effects.parquet")
    app = show("pages/class_specific.py", study="whole")
    assert "effects.parquet is damaged" in words_on(app)
    assert app.dataframe[0].value["fall"].tolist() == costs.tolist()


def test_that_effects_cannot_be_measured_is_said(root):
    shutil.rmtree(root / "whole" / "effects")
    flip(root / "whole" / "features.npy")
    app = show("pages/class_specific.py", study="whole")
    assert "features.npy is damaged" in words_on(app)
    assert "fall" not in app.dataframe[0].value


def test_findings_are_not_shown_without_their_stability_where_the_contrast_is_damaged(root):
    study = open_study(root / "whole")
    mined = mine_study(study, study.mine_config)
    flip(root / "whole" / "contrast.parquet")
    again = open_study(root / "whole")
    with pytest.raises(DamagedError, match=r"contrast\.parquet is damaged"):
        _ = Findings(again, again.mine_config, mined).stability
