"""Runs in the background where several look at them, are cut off, or meet a full disk."""

import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from interpret.errors import InputError
from interpret.study import workspace
from pages.shared.backend import first_study, jobs, obstacles, places, study_names, uploads
from tests.placed_runs import placed


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "studies"
    folder.mkdir()
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(folder))
    return folder


@pytest.mark.parametrize("kind", ["run", "evaluate"])
def test_a_finished_run_is_done_whatever_its_log_says(root, kind):
    job = placed(root, "mine", "done", kind)
    (root / ".runs" / job.id / "stderr.txt").write_text("error: 3 photos cannot be read\n")
    assert [(job.state, job.error) for job in jobs.jobs()] == [("done", "")]


@pytest.mark.parametrize("stage", ["Done", "Mining itemsets"])
def test_a_run_that_ends_with_an_error_is_failed_even_where_its_study_is_there(root, monkeypatch, stage):
    """Mining comes after the study is written: too low a support ends the run there."""
    job = placed(root, "mine", "done")
    (root / ".runs" / job.id / "progress.json").write_text(json.dumps({"stage": stage}))
    (root / ".runs" / job.id / "stderr.txt").write_text("error: too many itemsets\n")
    for code, state in ((2, "failed"), (0, "done")):
        child = subprocess.Popen([sys.executable, "-c", f"raise SystemExit({code})"])
        monkeypatch.setitem(jobs.processes.children, job.id, child)
        child.wait()
        assert jobs.jobs()[0].state == state
        assert jobs.jobs()[0].error == ("too many itemsets" if code else "")


def test_a_run_of_an_earlier_server_is_judged_by_the_last_stage_that_it_reported(root):
    job = placed(root, "mine", "done")
    progress = root / ".runs" / job.id / "progress.json"
    progress.write_text('{"stage": "Mining itemsets"}')
    assert jobs.jobs()[0].state == "failed"
    progress.unlink()  # a full disk keeps the progress from being written, not the study
    assert jobs.jobs()[0].state == "done"


@pytest.mark.parametrize("other", ["running", "stopped"])
def test_dismissing_a_run_keeps_what_another_of_its_name_works_on(root, other):
    partial = root / "mine.partial"
    partial.mkdir()
    old, new = placed(root, "mine", "stopped", name="0-old"), placed(root, "mine", other, name="1-new")
    jobs.dismiss(old)
    assert partial.exists()
    assert [job.id for job in jobs.jobs()] == [new.id]
    shutil.rmtree(root / ".runs" / new.id)
    jobs.dismiss(placed(root, "mine", "failed"))
    assert not partial.exists()


@pytest.mark.parametrize("name", ["x.partial", "x.Partial", "x.partial-"])
def test_no_study_is_called_as_an_unfinished_one(name):
    with pytest.raises(InputError, match="unfinished"):
        study_names.checked(name)


def test_a_comparison_that_was_cut_off_is_tried_once_more_and_then_skipped(root, monkeypatch):
    (root / "demo").mkdir()
    (root / "demo" / "manifest.json").write_text('{"model": "demo", "config": {"images": "demo"}}')
    begun: list[str] = []
    monkeypatch.setattr(jobs, "start", lambda study, arguments, kind: begun.append(kind))
    first_study.complete_demo()
    placed(root, "demo", "failed", "dissect")
    first_study.complete_demo()
    placed(root, "demo", "stopped", "dissect")
    first_study.complete_demo()
    assert begun == ["dissect", "dissect", "evaluate"]
    placed(root, "demo", "stopped", "evaluate")
    first_study.complete_demo()
    assert len(begun) == 3, "an evaluation that was stopped is gone on with by a person"


def test_a_default_study_that_is_gone_is_made_again_whatever_was_left_of_it(root, monkeypatch):
    begun: list[str] = []
    monkeypatch.setattr(jobs, "start", lambda study, arguments: begun.append(study))
    placed(root, places.default_name(), "failed", "dissect")
    first_study.begin_default(first_study.shared_names())
    assert begun == [places.default_name()]
    assert jobs.jobs() == []


def test_what_another_page_removes_at_this_moment_is_passed_over(root, monkeypatch):
    gone, stays = placed(root, "gone", "failed"), placed(root, "stays", "failed")
    upload = uploads.keep_checkpoint("m.pt", io.BytesIO(b"x")).parent
    read_text, stat = Path.read_text, Path.stat

    def removed_before_read(path: Path, **how: str) -> str:
        if path.parent.name == gone.id:
            shutil.rmtree(path.parent, ignore_errors=True)
        return read_text(path, **how)

    monkeypatch.setattr(Path, "read_text", removed_before_read)
    assert [job.id for job in jobs.jobs()] == [stays.id]
    jobs.cancel(replace(gone, state="running"))

    looked: list[Path] = []

    def removed_before_stat(path: Path, **how: bool) -> os.stat_result:
        if path == upload:
            looked.append(path)
            if len(looked) > 2:  # after the looks whether it is a folder, and no link
                raise FileNotFoundError(path)
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", removed_before_stat)
    uploads.tidy()


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ('{"key": "k", "format": 1}', "Another version of Unitscope left it unfinished; complete it with that version"),
        ("{", "What it left is damaged; dismiss it and start a new run."),
        (json.dumps({"key": "k", "format": workspace.FORMAT}), ""),
    ],
)
def test_a_workspace_that_cannot_be_resumed_is_said(root, record, said):
    (root / "mine.partial").mkdir()
    (root / "mine.partial" / workspace.RECORD).write_text(record)
    hindered = obstacles.of(placed(root, "mine", "stopped"))
    assert hindered.startswith(said)
    assert bool(hindered) == bool(said)


def test_the_error_of_a_run_calls_an_upload_by_its_name(root):
    upload = uploads.keep_checkpoint("my net.pt", io.BytesIO(b"x"))
    job = placed(root, "mine", "failed")
    log = root / ".runs" / job.id / "stderr.txt"
    log.write_text(f"error: {upload} is not a checkpoint; see '{upload.parent}' and {upload.parent}/Bird/a b.png.\n")
    assert jobs.jobs()[0].error == "my net.pt is not a checkpoint; see 'the upload' and Bird/a b.png."
