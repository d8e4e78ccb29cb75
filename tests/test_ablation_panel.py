"""The panel beside an itemset says which photos it measures on, and chooses them by their number."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from interpret.evaluation.heldout import FOLDER
from interpret.study import open_study
from tests.manifests import manifest_of, rewrite, write_images
from tests.shown_pages import show, words_on
from tests.small_study import COUNT, studies

pytestmark = pytest.mark.slow

CLASS = 6


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch) -> Path:
    """A copy of the small study without held-out photos."""
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    return tmp_path / "demo"


def hold_out(study: Path, name: str, *, labelled: int, **manifest: object) -> Path:
    """The study's own photos once more as a held-out set, of which only the last ones have a label."""
    folder = study / FOLDER / name
    shutil.copytree(studies() / "demo", folder)
    about = manifest_of(folder)
    config = {**about["config"], "images": f"/photos/{name}"}
    rewrite(folder, {**about, "config": config, "fingerprint": name, **manifest})
    images = pd.read_parquet(folder / "images.parquet").astype({"label": "Int32"})
    images.loc[images.index < COUNT - labelled, "label"] = pd.NA
    write_images(folder, images)
    return folder


def photos_of_class(folder: Path) -> int:
    return int((open_study(folder).images["label"] == CLASS).sum())


def panel() -> str:
    app = show("pages/class_specific.py", **{"class": str(CLASS)})
    assert any(heading.value.startswith("Without") for heading in app.header)
    return words_on(app)


def test_without_held_out_photos_the_panel_says_that_it_measures_on_mined_ones(study):
    assert f"Measured on {photos_of_class(study)} photos of Bicycle that were mined as well" in panel()


def test_the_panel_measures_on_the_largest_held_out_set_and_not_on_a_later_trial(study):
    large = hold_out(study, "val", labelled=COUNT - 5, created="2026-01-01T00:00:00+00:00")
    hold_out(study, "trial", labelled=20, created="2026-02-02T00:00:00+00:00")
    text = panel()
    assert f"Measured on {photos_of_class(large)} photos of Bicycle in “val”, none of which was mined" in text
    assert "of 2 held-out sets this is the largest" in text


@pytest.mark.parametrize("damage", ["{", "[]", '{"schema_version": 99}'])
def test_a_damaged_held_out_set_is_passed_over_and_named(study, damage):
    hold_out(study, "val", labelled=COUNT)
    (hold_out(study, "broken", labelled=COUNT) / "manifest.json").write_text(damage)
    text = panel()
    assert "in “val”, none of which was mined" in text
    assert re.search(r"The held-out photos kept in \S*broken are not used \(.*\); evaluate on them once more", text)


def test_a_damaged_held_out_set_is_named_where_there_is_no_other(study):
    (hold_out(study, "broken", labelled=COUNT) / "features.npy").write_bytes(b"")
    text = panel()
    assert f"Measured on {photos_of_class(study)} photos of Bicycle that were mined as well" in text
    assert re.search(r"The held-out photos kept in \S*broken are not used \(.*features.npy is damaged", text)


@pytest.mark.parametrize("page", ["study", "class_shared", "class_specific"])
def test_pages_name_a_damaged_held_out_set_once_where_effects_are_measured_on_others(study, page):
    (hold_out(study, "broken", labelled=COUNT) / "images.parquet").write_bytes(b"")
    text = words_on(show(f"pages/{page}.py"))
    assert len(re.findall(r"The held-out photos kept in \S*broken are not used", text)) == 1


def test_photos_that_were_mined_are_called_so_where_they_were_evaluated_on(study):
    own = manifest_of(study)["fingerprint"]
    hold_out(study, "same", labelled=COUNT, fingerprint=own)
    assert "that were mined as well, which flatters the units." in panel()
