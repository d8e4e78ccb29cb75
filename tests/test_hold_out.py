"""Photos that are set aside: which, that none of them is mined, and that effects are measured on them."""

import dataclasses
import json
import os
import shutil
from unittest import mock

import pytest

from interpret import demo, pipeline
from interpret.cli.main import main
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.data import datasets
from interpret.data.hold_out import LEAST, hold_out_of, set_aside
from interpret.errors import InputError
from interpret.evaluation import heldout
from interpret.evaluation.kept_effects import Effects, effects_folder
from interpret.explanation.extraction import extract
from interpret.study import open_study
from tests.shown_pages import show, words_on

LABELS = {"a": 0, "b": 1, "few": 2, "odd": None}


def names_of(**counts: int) -> list[str]:
    return sorted(f"{folder}/{place}.png" for folder, count in counts.items() for place in range(count))


def test_a_fifth_of_each_class_is_set_aside_and_nothing_of_small_classes_or_without_a_label():
    names = names_of(a=LEAST, b=33, few=LEAST - 1, odd=50)
    apart = set_aside(names, LABELS, 0.2)
    assert {folder: sum(name.startswith(folder) for name in apart) for folder in LABELS} == {
        "a": 4,
        "b": 6,  # 6.6, rounded down
        "few": 0,
        "odd": 0,
    }
    assert apart == set_aside(names[::-1], LABELS, 0.2)
    more = set_aside(names_of(a=LEAST, b=34, few=LEAST - 1, odd=50), LABELS, 0.2)
    assert len(apart & more) >= len(apart) - 1  # one photo more is hardly another choice
    assert not set_aside(names_of(a=100, few=LEAST - 1), LABELS, 0.2)  # one class says nothing of others


def test_unless_it_is_asked_for_nothing_of_a_built_in_set_is_set_aside():
    assert hold_out_of(RunConfig(images="demo")) == 0.0
    assert hold_out_of(RunConfig(images="photos")) == 0.2
    assert hold_out_of(RunConfig(images="photos", hold_out=0.0)) == 0.0
    assert hold_out_of(RunConfig(images="demo", hold_out=0.25)) == 0.25


@pytest.fixture(scope="module")
def drawings(tmp_path_factory):
    """Twenty drawings of each of ten classes, from files that did not change a moment ago."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNITSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        folder = demo.photos("train", count=200)
    for path in folder.glob("*/*.png"):
        os.utime(path, (10**9, 10**9))
    return folder


def config_of(images, **more) -> RunConfig:
    model = ModelConfig(model="demo", precision="float32", device="cpu")
    return RunConfig(str(images), model, ExtractConfig(), MineConfig(top_units=5), **more)


@pytest.fixture(scope="module")
def made(drawings, tmp_path_factory):
    return pipeline.run(config_of(drawings), tmp_path_factory.mktemp("studies") / "study")


def test_what_is_set_aside_is_not_mined_and_effects_are_measured_on_it(made, drawings):
    assert made.hold_out == 0.2
    assert json.loads((made.folder / "manifest.json").read_text())["config"]["hold_out"] == 0.2
    best = heldout.best(made, heldout.kept(made))
    mined, measured = set(made.images["path"]), set(best.study.images["path"])
    every = {str(path.relative_to(drawings)) for path in drawings.glob("*/*.png")}
    assert mined | measured == every
    assert not mined & measured
    assert best.study.images.groupby("label").size().tolist() == [4] * 10
    assert (best.mined, best.photos, best.source) == (False, 40, str(drawings))
    effects = Effects.read(effects_folder(made, made.mine_config, best), made)
    assert (effects.mined, effects.photos) == (False, 40)
    assert (effects.table["photos"] == 4).all()


def bytes_in(folder) -> dict:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_run_given_again_is_the_same_and_its_own_folder_is_measured_without_mined_photos(made, drawings):
    before = bytes_in(made.folder)
    with mock.patch("interpret.explanation.plan.datasets.scan", wraps=datasets.scan) as scans:
        again = extract(config_of(drawings), made.folder)
    assert scans.call_count == 1  # all photos are looked at only where a study of all may be meant
    again = pipeline.run(config_of(drawings), made.folder)
    assert again.key == made.key
    assert bytes_in(made.folder) == before
    others = heldout.heldout(made, str(drawings), device="cpu")
    assert not set(others.images["path"]) & set(made.images["path"])
    few = heldout.heldout(made, str(drawings), limit=20, device="cpu")
    assert len(few.images) == 20
    assert set(few.images["path"]) < set(others.images["path"])


def test_the_commands_say_what_was_set_aside_and_measure_on_it(made, drawings, tmp_path, capsys):
    assert main(["info", str(made.folder)]) == 0
    assert "20% of each large class were set aside" in " ".join(capsys.readouterr().out.split())
    quick = ["--no-lasso", "--no-greedy", "--no-itemsets", "--draws", "2", "--budgets", "1", "--device", "cpu"]
    assert main(["evaluate", str(made.folder), *quick]) == 0
    result = next((made.folder / "evaluation" / "results").iterdir())
    about = json.loads((result / "evaluation.json").read_text())["about"]
    assert (about["photos"], about["same_photos"]) == (40, False)
    whole = pipeline.run(config_of(drawings, hold_out=0.0), tmp_path / "whole")
    assert main(["evaluate", str(whole.folder), *quick]) == 2
    assert "set no photos aside; name a folder of other photos with --images" in " ".join(
        capsys.readouterr().err.split()
    )


def test_the_pages_say_what_was_set_aside_and_offer_to_measure_on_it(made, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(made.folder.parent))
    said = " ".join(words_on(show("pages/study.py", study="study")).split())
    assert "<dt>Set aside</dt><dd>20 % of the photos of each class</dd>" in said
    assert "of 4 held-out photos are right" in said
    assert "measured on held-out photos" in said
    app = show("pages/evaluation.py", study="study")
    assert app.radio(key="measure_on").options[0] == "the photos that were set aside"
    with mock.patch("pages.shared.backend.jobs.start") as start:
        app.button(key="measure_start").click().run()
    measured = start.call_args.args[1][1]
    assert measured == str(heldout.best(made, heldout.kept(made)).study.folder)


def test_photos_that_were_mined_are_never_measured_on_whatever_was_added(made, drawings, tmp_path):
    shutil.copytree(drawings, tmp_path / "photos")
    study = pipeline.run(config_of(tmp_path / "photos"), tmp_path / "study")
    for folder in (tmp_path / "photos").iterdir():
        for place in range(30):  # more photos of a class: more of the earlier ones would be set aside
            shutil.copy(next(folder.iterdir()), folder / f"more{place}.png")
    others = heldout.heldout(study, str(tmp_path / "photos"), device="cpu")
    assert len(others.images) > 40
    assert not set(others.images["path"]) & set(study.images["path"])


def test_a_study_made_or_begun_with_all_photos_goes_on_with_all(drawings, tmp_path):
    whole = config_of(drawings, hold_out=0.0)
    study = pipeline.run(whole, tmp_path / "study")
    manifest = study.folder / "manifest.json"
    assert len(study.images) == 200
    assert study.hold_out == 0.0
    again = pipeline.run(config_of(drawings), study.folder)  # as before there was the option
    assert len(again.images) == 200
    assert json.loads(manifest.read_text())["config"]["hold_out"] == 0.0
    with pytest.raises(InputError, match="other photos or options"):
        pipeline.run(config_of(drawings, hold_out=0.3), study.folder)

    def kill(progress):
        if progress.done >= 64:
            raise KeyboardInterrupt

    begun = dataclasses.replace(whole, shard_size=32)
    with pytest.raises(KeyboardInterrupt):
        extract(begun, tmp_path / "begun", kill)
    resumed = extract(dataclasses.replace(begun, hold_out=None), tmp_path / "begun")
    assert len(open_study(resumed.folder).images) == 200
