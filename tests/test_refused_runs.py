"""Runs that are refused, and studies that are damaged: one sentence, and what was there before is left alone."""

import dataclasses
import json
import os
import shutil
from pathlib import Path

import pytest

from interpret import pipeline
from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.explanation import extraction
from interpret.study import open_study
from tests.conftest import draw_photos
from tests.test_pipeline import Killed, config, contents, tiny_classifier


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = draw_photos(tmp_path_factory.mktemp("photos") / "set", each=11)
    (folder / "class 1" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 40)
    (folder / "notes.txt").write_text("not a photo")
    for path in folder.rglob("*.png"):  # photos that changed just now are left out of the table of digests
        os.utime(path, (10**9, 10**9))
    return folder


@pytest.fixture(scope="module")
def undisturbed(pictures, tmp_path_factory):
    return pipeline.run(config(pictures), tmp_path_factory.mktemp("studies") / "s", classifier=tiny_classifier())


def test_an_unfinished_run_is_not_continued_with_other_options(pictures, tmp_path):
    def breaking(progress):
        if progress.done >= 8:
            raise Killed

    with pytest.raises(Killed):
        pipeline.run(config(pictures), tmp_path / "s", breaking, classifier=tiny_classifier())
    with pytest.raises(InputError, match="unfinished run with other options"):
        pipeline.run(config(pictures, tau=0.6), tmp_path / "s", classifier=tiny_classifier())
    assert any((tmp_path / "s.partial").iterdir())
    with pytest.raises(InputError, match="unfinished run with other options"):
        pipeline.run(config(pictures), tmp_path / "s", classifier=tiny_classifier(seed=8))


def test_two_runs_of_one_study_at_once_are_refused(pictures, tmp_path):
    refused = []

    def second(progress):
        if progress.stage == "Explaining photos" and not refused:
            with pytest.raises(InputError, match="Another run"):
                pipeline.run(config(pictures), tmp_path / "s", classifier=tiny_classifier())
            refused.append(True)

    pipeline.run(config(pictures), tmp_path / "s", second, classifier=tiny_classifier())
    assert refused


def test_nothing_is_written_where_nothing_can_be_made(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    for i in range(3):
        (tmp_path / "bad" / f"{i}.jpg").write_text("no photo at all")
    for folder in ("empty", "bad", "absent"):
        with pytest.raises(InputError):
            pipeline.run(config(tmp_path / folder), tmp_path / "s", classifier=tiny_classifier())
        assert sorted(p.name for p in tmp_path.iterdir()) == ["bad", "empty"]


def test_a_folder_that_holds_something_else_is_left_alone(pictures, tmp_path):
    mine = tmp_path / "thesis"
    mine.mkdir()
    (mine / "chapter.tex").write_text("years of work")
    with pytest.raises(InputError, match="not empty and not a study"):
        pipeline.run(config(pictures), mine, classifier=tiny_classifier())
    assert (mine / "chapter.tex").read_text() == "years of work"
    empty = tmp_path / "empty"
    empty.mkdir()
    assert pipeline.run(config(pictures), empty, classifier=tiny_classifier()).manifest["counts"]["images"] == 33


def ready(pictures: Path, folder: Path) -> list[str]:
    """The stages that a refused run came to."""
    stages: list[str] = []
    with pytest.raises(InputError) as error:
        pipeline.run(config(pictures), folder, lambda p: stages.append(p.stage), classifier=tiny_classifier())
    assert "\n" not in str(error.value)
    return [*stages, str(error.value)]


def test_what_cannot_be_written_in_the_end_is_refused_before_the_work(pictures, tmp_path, monkeypatch):
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (said,) = ready(pictures, tmp_path / "dangling")
    assert "dangling is a link to" in said
    assert "which does not exist; choose another --study" in said
    (said,) = ready(pictures, tmp_path / os.fsdecode(b"st\xff"))
    assert "st\\udcff' is not valid UTF-8" in said
    (said,) = ready(pictures, tmp_path / "dangling" / "below")
    assert "cannot be written" in said
    (tmp_path / "file").write_text("")
    (said,) = ready(pictures, tmp_path / "file" / "below")
    assert "is no folder that you may write in" in said
    (tmp_path / "mount").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path).name == "mount")
    (said,) = ready(pictures, tmp_path / "mount")
    assert "is a mount point; choose a folder inside it" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "file", "mount"]


def test_a_link_to_an_empty_folder_is_followed(pictures, undisturbed, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    pipeline.run(config(pictures), tmp_path / "link", classifier=tiny_classifier())
    assert (tmp_path / "link").is_symlink()
    assert contents(tmp_path / "real") == contents(undisturbed.folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]


def test_photos_in_a_folder_whose_name_is_not_text_are_refused_before_the_work(pictures, tmp_path):
    odd = tmp_path / os.fsdecode(b"photos\xff")
    shutil.copytree(pictures, odd)
    stages = ready(odd, tmp_path / "s")
    assert "photos\\udcff' is not valid UTF-8" in stages[-1]
    assert "Explaining photos" not in stages
    assert not (tmp_path / "s.partial").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "3",
        "{}",
        '{"key": 1}x',
        "[" * 100_000,
        '{"key": "k", "format": "new"}',
        '{"format": 1e999}',
        None,
    ],
)
def test_a_damaged_record_of_an_unfinished_run_is_one_sentence_before_the_work(pictures, tmp_path, content):
    partial = tmp_path / "s.partial"
    partial.mkdir()
    if content is None:
        (partial / "run.json").mkdir()
    else:
        (partial / "run.json").write_text(content)
    (said,) = ready(pictures, tmp_path / "s")
    assert f"run.json is damaged; delete {partial} to start anew" in said


def test_more_units_than_are_stored_are_refused_before_the_work(pictures, tmp_path):
    asked = dataclasses.replace(config(pictures), mine=MineConfig(top_units=9))
    with pytest.raises(InputError, match="--top-units is 9, but --stored-units is 8"):
        pipeline.run(asked, tmp_path / "s", classifier=tiny_classifier())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "damage",
    [
        lambda manifest: manifest.pop("model"),
        lambda manifest: manifest.pop("weights"),
        lambda manifest: manifest["config"].pop("extract"),
        lambda manifest: manifest["config"]["extract"].update(tau="half"),
        lambda manifest: manifest["config"]["mine"].update(unheard_of=1),
        lambda manifest: manifest.update(preprocessing=[1, 2]),
        lambda manifest: manifest.update(n_units="many"),
    ],
)
def test_a_damaged_manifest_is_one_sentence(undisturbed, tmp_path, damage):
    shutil.copytree(undisturbed.folder, tmp_path / "s")
    manifest = json.loads((tmp_path / "s" / "manifest.json").read_text())
    damage(manifest)
    (tmp_path / "s" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InputError, match=r"manifest\.json is damaged \(.*\); put it back, or make the study again"):
        open_study(tmp_path / "s")


def test_a_damaged_table_is_one_sentence(undisturbed, tmp_path):
    shutil.copytree(undisturbed.folder, tmp_path / "s")
    study = open_study(tmp_path / "s")
    (tmp_path / "s" / "patches.parquet").write_bytes(b"PAR1 cut short")
    (tmp_path / "s" / "features.npy").unlink()
    for name in ("patches", "ranked", "features"):
        with pytest.raises(InputError, match=r"is damaged \(it (is missing|has 14 bytes, not .*)\); put it back"):
            getattr(study, name)
    with pytest.raises(InputError, match=r"features.npy is damaged \(it is missing\); put it back"):
        open_study(tmp_path / "s")


def test_a_study_made_meanwhile_by_another_run_is_opened(pictures, tmp_path, monkeypatch):
    """The other run ends between the look for a whole study and the lock."""
    other = pipeline.run(config(pictures), tmp_path / "other", classifier=tiny_classifier())
    real = extraction.make_extractor

    def meanwhile(*arguments):
        shutil.copytree(other.folder, tmp_path / "s")
        return real(*arguments)

    monkeypatch.setattr(extraction, "make_extractor", meanwhile)
    study = pipeline.run(config(pictures), tmp_path / "s", classifier=tiny_classifier())
    assert study.key == other.key
    assert contents(tmp_path / "s").keys() >= {"images.parquet", "features.npy"}
    assert not (tmp_path / "s.partial").exists()
