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
    assert best(study, kept(study)) is None
    whole = heldout(study, str(others), **options)
    trial = made_in(heldout(study, str(others), limit=6, **options), 2100)  # newer, and of six photos
    assert [found.key for found in kept(study).studies] == [trial.key, whole.key]
    chosen = best(study, kept(study))
    assert (chosen.study.key, chosen.photos, chosen.others, chosen.mined) == (whole.key, 27, 1, False)
    assert chosen.source == str(others)
    assert kept(study).damaged == {}

    cut = heldout(study, str(pictures), **options)
    assert best(study, kept(study)).mined
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
    no_manifest = study.folder / "evaluation" / "no-manifest"
    no_manifest.mkdir()
    (study.folder / "evaluation" / "unfinished.partial").mkdir()

    found = kept(study)
    assert [usable.key for usable in found.studies] == [trial.key, whole.key]
    assert set(found.damaged) == {cut.folder, no_json, no_date, foreign, no_manifest}
    assert found.damaged[cut.folder] == (
        f"The held-out photos kept in {cut.folder} are not used (The file {cut.folder / 'features.npy'} is damaged (it "
        "has 9 bytes, not 1,568)); evaluate on them once more to make them again."
    )
    assert "another network" in found.damaged[foreign]
    assert best(study, found).study.key == whole.key


def content(folder):
    """The bytes of a study's files, without those that differ from run to run."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.suffix != ".json"}


@pytest.fixture(scope="module")
def measured(pictures, others, tmp_path_factory):
    """A study and its held-out set, to be copied."""
    made = pipeline.run(config(pictures), tmp_path_factory.mktemp("kept") / "study", classifier=tiny_classifier())
    return made, heldout(made, str(others), batch_size=4, device="cpu", classifier=tiny_classifier())


def other_key(folder):
    rewrite(folder, key="0" * 16)


def flipped(name):
    """Damage to one bit of a file, which keeps its size."""

    def damage(folder):
        file = bytearray((folder / name).read_bytes())
        file[len(file) // 2] ^= 1
        (folder / name).write_bytes(file)

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        *(flipped(f"{name}.parquet") for name in ("images", "patches", "skipped")),
        *(flipped(f"{name}.npy") for name in ("features", "cams")),
        lambda folder: (folder / "features.npy").unlink(),
        lambda folder: (folder / "manifest.json").unlink(),
        lambda folder: (folder / "manifest.json").write_text("{"),
        other_key,
    ],
)
def test_held_out_photos_that_are_damaged_are_made_again_and_it_is_said(measured, others, tmp_path, damage):
    folder = shutil.copytree(measured[0].folder, tmp_path / "study")
    on = folder / "evaluation" / measured[1].folder.name
    damage(on)
    said = []
    study = open_study(folder, said.append)
    again = heldout(study, str(others), batch_size=4, device="cpu", classifier=tiny_classifier())
    assert again.folder == on
    assert content(on) == content(measured[1].folder)
    assert len(said) == 1
    assert said[0].startswith(f"The held-out photos kept in {on} are not used (")
    assert said[0].endswith("); they are made again.")
    assert sorted(path.name for path in on.parent.iterdir()) == [on.name]
    assert heldout(study, str(others), batch_size=4, device="cpu", classifier=tiny_classifier()).key == again.key
    assert len(said) == 1  # it is whole now


def test_a_held_out_set_that_is_a_link_is_made_again_and_what_it_leads_to_stays(measured, others, tmp_path):
    folder = shutil.copytree(measured[0].folder, tmp_path / "study")
    on = folder / "evaluation" / measured[1].folder.name
    elsewhere = on.rename(tmp_path / "elsewhere")
    (elsewhere / "features.npy").write_bytes(b"")
    on.symlink_to(elsewhere)
    heldout(open_study(folder), str(others), batch_size=4, device="cpu", classifier=tiny_classifier())
    assert not on.is_symlink()
    assert content(on) == content(measured[1].folder)
    assert (elsewhere / "features.npy").read_bytes() == b""
    assert sorted(path.name for path in on.parent.iterdir()) == [on.name]


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
