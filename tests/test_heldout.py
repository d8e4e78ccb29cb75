"""Held-out photos: kept inside the study, resumed, chosen among, and refused in one sentence."""

import json
import shutil

import pytest
from PIL import Image

from interpret import pipeline
from interpret.errors import InputError
from interpret.evaluation.heldout import best, heldout, kept, same_photos
from interpret.study import open_study
from tests.conftest import draw_photos
from tests.manifests import rewrite
from tests.test_pipeline import Killed, config, tiny_classifier


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "train", each=10)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "val", each=9)


@pytest.fixture
def study(pictures, tmp_path):
    return pipeline.run(config(pictures), tmp_path / "study", classifier=tiny_classifier())


def test_held_out_photos_are_kept_inside_the_study_and_an_interrupted_run_goes_on(study, others):
    classifier = tiny_classifier()
    calls = 0

    def breaking(progress):
        nonlocal calls
        calls += progress.stage == "Explaining photos"
        if calls == 6:
            raise Killed

    with pytest.raises(Killed):
        heldout(study, str(others), batch_size=4, device="cpu", classifier=classifier, progress=breaking)
    assert kept(study).studies == ()
    on = heldout(study, str(others), batch_size=4, device="cpu", classifier=classifier)
    assert on.folder.parent == study.folder / "evaluation"
    assert [found.key for found in kept(study).studies] == [on.key]
    assert len(on.images) == 27
    stages = []
    again = heldout(
        study, str(others), batch_size=4, device="cpu", classifier=classifier, progress=lambda p: stages.append(p.stage)
    )
    assert again.key == on.key
    assert "Explaining photos" not in stages
    assert heldout(study, str(on.folder)).key == on.key
    assert same_photos(study, study)
    assert not same_photos(study, on)


def made_in(study, year: int):
    """The study, its date set to a year: dates are in whole seconds, and a test is quicker than that."""
    rewrite(study.folder, created=f"{year}-01-01T00:00:00+00:00")
    return open_study(study.folder)


@pytest.mark.slow
def test_the_largest_held_out_set_is_measured_on_and_damaged_ones_are_named(study, pictures, others, tmp_path):
    classifier = tiny_classifier()
    options = {"batch_size": 4, "device": "cpu", "classifier": classifier}
    assert best(study) is None
    whole = heldout(study, str(others), **options)
    trial = made_in(heldout(study, str(others), limit=6, **options), 2100)  # newer, and of six photos
    assert [found.key for found in kept(study).studies] == [trial.key, whole.key]
    chosen = best(study)
    assert (chosen.study.key, chosen.photos, chosen.others, chosen.mined) == (whole.key, 27, 1, False)
    assert chosen.source == str(others)
    assert chosen.damaged == {}

    cut = heldout(study, str(pictures), **options)
    assert best(study).mined
    (cut.folder / "features.npy").write_bytes(b"cut short")
    no_json = study.folder / "evaluation" / "no-json"
    no_json.mkdir()
    (no_json / "manifest.json").write_text("{")
    no_date = study.folder / "evaluation" / "no-date"
    shutil.copytree(trial.folder, no_date)
    content = json.loads((no_date / "manifest.json").read_text())
    del content["created"]
    (no_date / "manifest.json").write_text(json.dumps(content))
    other = pipeline.run(config(pictures), tmp_path / "other", classifier=tiny_classifier(seed=8))
    foreign = study.folder / "evaluation" / "foreign"
    shutil.copytree(other.folder, foreign)

    found = kept(study)
    assert [usable.key for usable in found.studies] == [trial.key, whole.key]
    assert set(found.damaged) == {cut.folder, no_json, no_date, foreign}
    assert "features" in found.damaged[cut.folder]
    assert "another network" in found.damaged[foreign]
    assert best(study).study.key == whole.key
    assert best(study).damaged == found.damaged
    with pytest.raises(InputError, match="delete that folder"):
        heldout(study, str(pictures), **options)
    shutil.rmtree(cut.folder)
    assert heldout(study, str(pictures), **options).key == cut.key


def test_what_cannot_be_measured_on_is_refused_in_one_sentence(study, pictures, tmp_path):
    with pytest.raises(InputError, match="not those that"):
        heldout(study, str(pictures), classifier=tiny_classifier(seed=8))
    flat = tmp_path / "flat"
    flat.mkdir()
    Image.new("RGB", (40, 40), "red").save(flat / "a.png")
    with pytest.raises(InputError, match="have no labels"):
        heldout(study, str(flat), device="cpu", classifier=tiny_classifier())
    other = pipeline.run(config(pictures), tmp_path / "other", classifier=tiny_classifier(seed=8))
    with pytest.raises(InputError, match="another network"):
        heldout(study, str(other.folder))


def test_folders_that_name_no_class_are_named(study, tmp_path):
    photos = draw_photos(tmp_path / "photos", classes=2, each=3)
    (photos / "class 0").rename(photos / "cats")
    (photos / "class 1").rename(photos / "dogs")
    with pytest.raises(InputError, match=r"None of the folders in .*photos \(cats, dogs\) is a class of the model"):
        heldout(study, str(photos), device="cpu", classifier=tiny_classifier())
