"""Background runs as real processes: they end in a study or with a sentence, are stopped, and survive a reload."""

import json
import os
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret.errors import InputError
from interpret.study import open_study
from pages.shared.backend import jobs
from tests.shown_pages import APP, show, words_on
from tests.small_study import studies


def wait(study: str, *states: str, seconds: float = 120) -> jobs.Job:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        job = next(job for job in jobs.jobs() if job.study == study)
        if job.state in states:
            return job
        time.sleep(0.1)
    raise AssertionError(f"the run is {job.state}: {job}")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def pid_of(job: jobs.Job) -> int:
    return int(json.loads((jobs._runs() / job.id / "job.json").read_text())["pid"])


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path / "studies"))
    monkeypatch.setenv("UNITSCOPE_ROOTS", str(studies()))
    return tmp_path / "studies"


def drawings() -> Path:
    return open_study(studies() / "demo").images_root


@pytest.mark.slow
def test_a_run_ends_in_a_study_and_leaves_no_process(empty):
    job = jobs.start("mine", ["--model", "demo", "--images", str(drawings()), "--limit", "20"])
    pid = pid_of(job)
    done = wait("mine", "done", "failed")
    assert done.state == "done", done.error
    made = open_study(empty / "mine")
    assert len(made.images) + len(made.skipped) == 20
    assert not alive(pid)
    jobs.dismiss(done)
    assert jobs.jobs() == []


@pytest.mark.slow
def test_a_run_that_cannot_be_says_the_command_lines_own_sentence(empty):
    jobs.start("bad", ["--model", "demo", "--images", str(drawings()), "--layer", "nothing"])
    job = wait("bad", "failed")
    assert "nothing" in job.error
    assert "Traceback" not in job.error
    app = show("pages/study.py")
    assert any("nothing" in error.value for error in app.error)
    jobs.dismiss(job)


@pytest.mark.slow
def test_cancel_ends_the_process_and_a_reload_finds_the_run(empty):
    job = jobs.start("long", ["--model", "demo", "--images", str(drawings())])
    pid = pid_of(job)
    assert alive(pid)
    child = jobs.processes.children.pop(job.id)  # as after a restart of the server: only the files are left
    assert next(one for one in jobs.jobs() if one.study == "long").state == "running"
    with pytest.raises(InputError, match="under way already"):
        jobs.start("long", ["--images", "skimage"])
    jobs.cancel(job)
    child.wait()
    assert not (Path(f"/proc/{pid}")).exists()
    assert wait("long", "stopped").error == ""


def test_another_process_with_the_same_number_is_not_taken_for_a_run(empty):
    folder = empty / ".runs" / "0-1"
    folder.mkdir(parents=True)
    about = {"study": "old", "arguments": [], "pid": os.getpid(), "born": "12345"}
    (folder / "job.json").write_text(json.dumps(about))
    job = jobs.jobs()[0]
    assert job.state == "failed"
    jobs.cancel(job)  # ends nothing: this very process would be it


@pytest.mark.slow
def test_the_first_start_makes_the_default_study(empty):
    app = AppTest.from_file(APP, default_timeout=120).run()
    assert not app.exception
    assert "being created" in words_on(app)
    job = jobs.jobs()[0]
    assert job.study == "demo"
    jobs.cancel(job)
    again = AppTest.from_file(APP, default_timeout=120).run()
    assert not again.exception
    assert len(jobs.jobs()) == 1, "what was stopped is not begun anew by itself"
