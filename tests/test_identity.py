"""Which study is recognised: unchanged photos keep it, an edited photo does not, and studies made before still open."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from interpret import pipeline
from interpret.config import MineConfig
from interpret.data import datasets
from interpret.errors import InputError
from interpret.evaluation.heldout import heldout, same_photos
from interpret.explanation.identity import study_keys
from interpret.study import open_study
from tests.manifests import rewrite
from tests.test_pipeline import Killed, config, tiny_classifier

pytestmark = pytest.mark.slow


def draw(folder: Path, seed: int) -> Path:
    """Nine bitmaps of 57 kB each, in three classes, with an old time stamp."""
    rng = np.random.default_rng(seed)
    for label in range(3):
        (folder / f"class {label}").mkdir(parents=True)
        for index in range(3):
            path = folder / f"class {label}" / f"{index}.bmp"
            Image.fromarray(rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)).save(path)
            os.utime(path, (10**9, 10**9))
    return folder


def edit(photo: Path) -> None:
    """Change one pixel in the middle; the size and the time stamp stay."""
    content = bytearray(photo.read_bytes())
    content[len(content) // 2] ^= 255
    photo.write_bytes(content)
    os.utime(photo, (10**9, 10**9))


@pytest.fixture
def photos(tmp_path) -> Path:
    return draw(tmp_path / "photos", 0)


def run(photos: Path, study: Path, progress=lambda _: None):
    return pipeline.run(config(photos), study, progress, classifier=tiny_classifier())


def breaking(progress) -> None:
    """Interrupt a run after its first shard of eight photos."""
    if progress.done == 9:
        raise Killed


def as_the_first_version_made_it(study: Path, photos: Path) -> str:
    """Turn a study into one whose fingerprint came from both ends of each photo; return its key."""
    made = open_study(study)
    classifier = tiny_classifier()
    found = datasets.scan(photos, classifier.class_names, ())
    _, former = study_keys(config(photos), classifier, found, torch.device("cpu"), "float32")
    manifest = dict(made.manifest)
    assert former != manifest["key"]
    manifest |= {"key": former, "fingerprint": manifest.pop("former_fingerprint")}
    rewrite(study, manifest)
    (study / "prints.parquet").unlink()
    return former


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Names of the photos that are read for their fingerprint."""
    names: list[str] = []
    reading = datasets.read_print

    def recorded(name, path):
        names.append(name)
        return reading(name, path)

    monkeypatch.setattr(datasets, "read_print", recorded)
    return names


def test_a_study_whose_photo_was_edited_is_another_study(photos, tmp_path):
    run(photos, tmp_path / "s")
    run(photos, tmp_path / "s")
    edit(photos / "class 1" / "1.bmp")
    with pytest.raises(InputError, match="already holds a study of other photos or options"):
        run(photos, tmp_path / "s")


def test_an_interrupted_run_is_not_resumed_with_an_edited_photo(photos, tmp_path):
    with pytest.raises(Killed):
        run(photos, tmp_path / "s", breaking)
    edit(photos / "class 0" / "1.bmp")
    with pytest.raises(InputError, match="unfinished run with other options or photos"):
        run(photos, tmp_path / "s")


def test_neither_a_resumed_nor_a_repeated_run_reads_the_photos_again(photos, tmp_path, read):
    with pytest.raises(Killed):
        run(photos, tmp_path / "s", breaking)
    assert len(read) == 9
    study = run(photos, tmp_path / "s")
    assert study.manifest["timings"]["shards_resumed"] == 1
    run(photos, tmp_path / "s")
    assert len(read) == 9


def test_a_study_of_the_first_version_is_recognised_and_its_photos_are_read_once(photos, tmp_path, read):
    made = run(photos, tmp_path / "s")
    patches = (made.folder / "patches.parquet").read_bytes()
    former = as_the_first_version_made_it(tmp_path / "s", photos)
    manifest = (made.folder / "manifest.json").read_bytes()
    reports = []
    again = run(photos, tmp_path / "s", reports.append)
    assert again.key == former
    assert not any(report.stage == "Explaining photos" for report in reports)
    assert (made.folder / "patches.parquet").read_bytes() == patches
    assert (made.folder / "manifest.json").read_bytes() == manifest
    read.clear()
    run(photos, tmp_path / "s")
    assert read == []

    photo = photos / "class 2" / "0.bmp"
    photo.write_bytes(photo.read_bytes()[:-1] + b"x")  # which the first version sees too
    with pytest.raises(InputError, match="already holds a study of other photos or options"):
        run(photos, tmp_path / "s")


def test_an_interrupted_run_of_the_first_version_is_not_mixed_with_this_one(photos, tmp_path):
    whole = run(photos, tmp_path / "whole")
    former = as_the_first_version_made_it(tmp_path / "whole", photos)
    with pytest.raises(Killed):
        run(photos, tmp_path / "s", breaking)
    partial = tmp_path / "s.partial"
    (partial / "run.json").write_text(json.dumps({"key": former}))
    (partial / "prints.parquet").unlink()
    before = sorted(path.name for path in partial.rglob("*"))
    with pytest.raises(InputError, match="another version of Unitscope left unfinished"):
        run(photos, tmp_path / "s")
    assert sorted(path.name for path in partial.rglob("*")) == before
    assert same_photos(whole, open_study(tmp_path / "whole"))


def test_held_out_photos_of_the_first_version_are_found_again(photos, tmp_path, read):
    study = run(photos, tmp_path / "s")
    others = draw(tmp_path / "others", 1)

    def measured(folder: Path):
        return heldout(study, str(folder), batch_size=4, device="cpu", classifier=tiny_classifier())

    on = measured(others)
    assert len(read) == 18
    assert measured(others).folder == on.folder
    assert len(read) == 18  # found by the digests that are kept with it
    assert not same_photos(study, on)

    # The same set under the key and with the manifest of the first version
    found = datasets.scan(others, tiny_classifier().class_names, ())
    options = config(others)
    keys = study_keys(
        type(options)(
            images=str(others),
            model=study.model_config,
            extract=replace(study.extract_config, contrast=0),
            batch_size=4,
        ),
        tiny_classifier(), found, torch.device("cpu"), "float32",
    )  # fmt: skip
    assert on.key == keys[0]
    old = on.folder.with_name(keys[1])
    on.folder.rename(old)
    manifest = dict(on.manifest)
    manifest |= {"key": keys[1], "fingerprint": manifest.pop("former_fingerprint")}
    rewrite(old, manifest)
    (old / "prints.parquet").unlink()
    assert measured(others).folder == old
    edit(others / "class 1" / "0.bmp")
    third = measured(draw(tmp_path / "third", 2))
    assert third.folder not in (old, on.folder)


def test_whether_two_studies_are_of_the_same_photos_whichever_version_made_them(photos, tmp_path):
    new = run(photos, tmp_path / "new")
    shutil.copytree(tmp_path / "new", tmp_path / "old")
    as_the_first_version_made_it(tmp_path / "old", photos)
    old = open_study(tmp_path / "old")
    other = run(draw(tmp_path / "others", 1), tmp_path / "other")
    edited = shutil.copytree(photos, tmp_path / "edited")
    edit(edited / "class 1" / "1.bmp")
    changed = run(edited, tmp_path / "changed")
    assert same_photos(old, new)
    assert same_photos(new, old)
    assert same_photos(old, old)
    assert not same_photos(new, changed)
    for study in (new, old):
        assert not same_photos(study, other)
        assert not same_photos(other, study)


def test_other_options_are_another_study_whatever_the_version(photos, tmp_path):
    run(photos, tmp_path / "s")
    as_the_first_version_made_it(tmp_path / "s", photos)
    with pytest.raises(InputError, match="already holds a study of other photos or options"):
        pipeline.run(config(photos, tau=0.6), tmp_path / "s", classifier=tiny_classifier())
    assert open_study(tmp_path / "s").mine_config == MineConfig(top_units=3, min_class_patches=2)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"key"'])
def test_a_damaged_record_of_an_unfinished_run_is_one_sentence(photos, tmp_path, content):
    (tmp_path / "s.partial").mkdir()
    (tmp_path / "s.partial" / "run.json").write_text(content)
    for _ in range(2):  # the lock is given back
        with pytest.raises(InputError, match=r"run\.json is damaged; delete"):
            run(photos, tmp_path / "s")
