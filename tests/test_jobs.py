"""Runs in the background where several look at them, are cut off, or meet a full disk."""

import errno
import html
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from interpret.errors import InputError
from interpret.study import workspace
from pages.shared.backend import first_study, jobs, obstacles, places, study_names, uploads
from pages.shared.controls import new_study
from pages.shared.view import run_progress
from tests.shown_pages import words_on


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "studies"
    folder.mkdir()
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(folder))
    return folder


def placed(root: Path, study: str, state: str, kind: str = "run", name: str = "") -> jobs.Job:
    """A run in a state, without a process of its own: one that is running is this very test."""
    folder = root / ".runs" / (name or f"0-{kind}-{study}-{state}")
    folder.mkdir(parents=True)
    pid = os.getpid()
    born = jobs.processes.born(pid) if state == "running" else "0"
    about = {"study": study, "kind": kind, "arguments": [], "pid": pid, "born": born}
    (folder / "job.json").write_text(json.dumps(about))
    if state == "stopped":
        (folder / "cancelled").touch()
    if state == "done":
        (folder / "progress.json").write_text('{"stage": "Done"}')
        (root / study).mkdir(exist_ok=True)
        (root / study / "manifest.json").write_text("{}")
    job = next(job for job in jobs.jobs() if job.id == folder.name)
    assert job.state == state
    return job


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


def watching() -> None:
    import streamlit as st

    from pages.shared.view import run_progress

    st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    run_progress._watch(st.query_params.get("kind", "run"))


def waiting() -> None:
    import streamlit as st

    from pages.shared.view import run_progress

    st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    if st.session_state["drawn"] == 2:  # as the browser asks again
        run_progress._cards("run", wait=True, updated=True, almost=False)
    run_progress._watch(wait=True)


@pytest.mark.parametrize("kind", ["run", "evaluate"])
def test_a_page_that_waits_for_a_run_is_drawn_again_where_another_tab_dismissed_it(root, kind):
    job = placed(root, "demo", "running", kind)
    app = AppTest.from_function(watching, default_timeout=60)
    app.query_params["kind"] = kind
    app.run()
    assert app.session_state["drawn"] == 1
    shutil.rmtree(root / ".runs" / job.id)
    app.run()
    assert app.session_state["drawn"] == 3, "the look that misses the run asks for the whole page once more"
    app.run()
    assert app.session_state["drawn"] == 4


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


def test_a_run_that_cannot_go_on_stays_and_says_why(root):
    old = placed(root, "mine", "stopped", name="0-old")
    placed(root, "mine", "running", name="1-new")
    app = AppTest.from_function(watching, default_timeout=60).run()
    assert not app.error
    app.button(f"resume_{old.id}").click().run()
    assert not app.exception
    assert ["under way already" in error.value for error in app.error] == [True]
    app.run()
    assert len(app.error) == 1, "it is still there when the runs are looked at again"
    assert old.id in [job.id for job in jobs.jobs()]


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        (
            "run",
            ["--images", "{root}/gone"],
            "The folder of photos is not there any more ({root}/gone); put it back",
        ),
        ("run", ["--images", "{upload}"], "The folder of photos is not there any more (the upload); dismiss this and"),
        ("run", ["--weights", "{upload}/m.pt"], "The checkpoint is not there any more (m.pt); dismiss this and upload"),
        (
            "run",
            ["--images", "demo", "--class-names", "/no.txt"],
            "The file of class names is not there any more (/no.",
        ),
        ("evaluate", ["--images", "demo-val"], "The study is not there any more; dismiss this entry."),
        ("run", ["--images", "{root}", "--limit", "5"], ""),
        ("run", ["--model", "demo", "--images", "demo"], ""),
    ],
)
def test_a_run_that_is_certain_to_fail_again_is_not_offered_to_go_on(root, kind, arguments, said):
    places_of = {"root": root, "upload": root / ".uploads" / "0123456789abcdef"}
    job = placed(root, "mine", "failed", kind)
    about = root / ".runs" / job.id / "job.json"
    arguments = [word.format(**places_of) for word in arguments]
    about.write_text(json.dumps({**json.loads(about.read_text()), "arguments": arguments}))
    app = AppTest.from_function(watching, default_timeout=60)
    app.query_params["kind"] = kind
    app.run()
    assert (f"resume_{job.id}" in [button.key for button in app.button]) == (not said)
    assert f"dismiss_{job.id}" in [button.key for button in app.button]
    assert html.escape(said.format(**places_of)) in words_on(app)
    assert ".uploads" not in words_on(app)


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


def test_only_a_run_under_way_keeps_its_page_asking(root, monkeypatch):
    asked: list[float | None] = []
    fragment = st.fragment

    def counted(function, *, run_every):
        asked.append(run_every)
        return fragment(function, run_every=run_every)

    monkeypatch.setattr(st, "fragment", counted)
    job = placed(root, "mine", "running")
    app = AppTest.from_function(watching, default_timeout=60).run()
    assert asked == [run_progress.POLL]
    about = root / ".runs" / job.id / "job.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "born": "0"}))
    app.run()
    assert asked[1:] == [None]
    assert f"resume_{job.id}" in [button.key for button in app.button]


def test_a_page_that_waits_asks_more_often_in_the_last_stages_of_a_run(root, monkeypatch):
    asked: list[float | None] = []
    fragment = st.fragment

    def counted(function, *, run_every):
        asked.append(run_every)
        return fragment(function, run_every=run_every)

    monkeypatch.setattr(st, "fragment", counted)
    job = placed(root, "mine", "running")
    app = AppTest.from_function(waiting, default_timeout=60).run()
    assert asked == [run_progress.POLL_WAITING]
    (root / ".runs" / job.id / "progress.json").write_text('{"stage": "Mining itemsets"}')
    app.run()
    assert app.session_state["drawn"] == 3, "what was drawn at the slower pace is drawn anew"
    assert asked[1:] == [run_progress.POLL_ALMOST]


@pytest.mark.parametrize(("before", "kept"), [("old", False), ("new", True)])
def test_a_study_that_is_opened_forgets_what_the_address_says_of_another(root, before, kept):
    job = placed(root, "new", "done")
    app = AppTest.from_function(watching, default_timeout=60)
    own = {"patch": "3", "class": "1", "image": "2", "itemset": "4-5"}
    for name, value in {**own, "study": before, "support": "20"}.items():
        app.query_params[name] = value
    app.run()
    app.button(f"open_run_{job.id}").click().run()
    assert not app.exception
    assert app.query_params == {"study": "new", "support": "20", **(own if kept else {})}


def a_zip(*names: str) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 100)
    return file


FULL = "No space left on device"


@pytest.mark.parametrize(
    "keep",
    [
        lambda: uploads.keep(
            [
                (
                    "a.gif",
                    io.BytesIO(
                        b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
                    ),
                )
            ]
        ),
        lambda: uploads.keep([("a.zip", a_zip("a.png"))]),
        lambda: uploads.keep_checkpoint("m.pt", io.BytesIO(b"x")),
    ],
)
def test_an_upload_that_cannot_be_written_is_one_sentence_and_leaves_nothing(root, monkeypatch, keep):
    def full(path: Path, *how: str) -> None:
        path.touch()
        raise OSError(errno.ENOSPC, FULL)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(InputError, match=FULL):
            keep()
    assert list((root / ".uploads").iterdir()) == []
    (root / ".uploads").rmdir()
    (root / ".uploads").touch()  # as where no folder can be made
    with pytest.raises(InputError, match="cannot be kept"):
        keep()


def test_the_estimate_counts_the_photos_in_a_zip(monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(new_study.wording, "paragraph", lambda text, *_: told.append(text))
    monkeypatch.setattr(new_study.durations, "measured", lambda model: new_study.durations.Duration(12.0, 2.0))
    given = a_zip(*(f"{i}.png" for i in range(20)))
    photos, _ = uploads.inspect("photos.zip", given)
    new_study._estimate("demo", "upload", "", photos, None)
    assert told[0].startswith("20\u00a0photos: about 52 s")
    monkeypatch.setattr(new_study.durations, "measured", lambda model: None)
    monkeypatch.setattr(new_study.durations, "recorded", lambda model, names: ("<made>", 1.5))
    new_study._estimate("demo", "upload", "", photos, None)
    assert told[1].startswith("20\u00a0photos: about 30 s if each takes as long as in the study “&lt;made&gt;”, and")
