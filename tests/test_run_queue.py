"""Runs of one server: a few work at once, others wait for their turn, and pages say so."""

import json
import time
from pathlib import Path

import pytest

from interpret.errors import InputError
from pages.shared.backend import jobs, owners, places
from tests.owned_studies import ALICE, BOB, owned_studies
from tests.shown_pages import show, unescaped


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    return owned_studies(tmp_path, monkeypatch)


@pytest.fixture
def as_alice(monkeypatch) -> None:
    monkeypatch.setattr(owners, "current", lambda: ALICE)


@pytest.fixture
def begun(monkeypatch, root) -> list[str]:
    """Studies whose runs have begun; none is carried out: they run for as long as this test."""
    order: list[str] = []

    def start(name: str, arguments: list[str], log: Path, ended: object, *, yields: bool) -> int:
        order.append(Path(arguments[arguments.index("--study") + 1]).name)
        return 1

    monkeypatch.setattr(jobs.processes, "start", start)
    monkeypatch.setenv("UNITSCOPE_RUNS", "2")
    return order


def end(root: Path, study: str) -> None:
    for file in (root / ".runs").glob("*/job.json"):
        about = json.loads(file.read_text())
        if about["study"] == study:
            file.write_text(json.dumps({**about, "born": "0"}))


def test_two_runs_work_at_once_and_others_wait_in_their_order(begun, root):
    for name in ("one", "two", "three", "four", "five"):
        jobs.start(name, [])
    assert begun == ["one", "two"]
    assert {job.study: (job.state, job.ahead) for job in jobs.jobs()} == {
        "one": ("running", 0),
        "two": ("running", 0),
        "three": ("waiting", 1),
        "four": ("waiting", 2),
        "five": ("waiting", 3),
    }
    end(root, "two")
    jobs.cancel(next(job for job in jobs.jobs() if job.study == "four"))
    assert begun == ["one", "two", "three"]
    end(root, "one")
    end(root, "three")
    states = {job.study: job.state for job in jobs.jobs()}
    assert begun == ["one", "two", "three", "five"]
    assert (states["four"], states["five"]) == ("stopped", "running"), "what was cancelled while it waited never begins"


def test_a_page_says_how_many_runs_it_waits_for(begun, root, as_alice):
    for name in ("one", "two", "three", "four"):
        jobs.start(name, [], owner=ALICE if name == "four" else BOB)
    app = show("pages/study.py")
    waiting = [bar.proto.text for bar in app.get("progress")]
    assert [unescaped(text).replace("\u00a0", " ") for text in waiting] == ["**four** · waiting for 2 other runs …"]


def test_one_person_does_not_fill_the_queue(begun):
    for number in range(jobs.EACH):
        jobs.start(f"run-{number}", [], owner=ALICE)
    with pytest.raises(InputError, match="5 of your runs"):
        jobs.start("more", [], owner=ALICE)
    jobs.start("bobs", [], owner=BOB)


def test_a_run_that_waits_is_neither_started_twice_nor_dismissed(begun):
    for name in ("one", "two", "three"):
        jobs.start(name, [])
    with pytest.raises(InputError, match="under way already"):
        jobs.start("three", [])
    waiting = next(job for job in jobs.jobs() if job.study == "three")
    jobs.dismiss(waiting)
    assert waiting.id in [job.id for job in jobs.jobs()]


@pytest.mark.slow
def test_the_next_run_begins_when_one_ends_though_nobody_looks(root, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_RUNS", "1")
    for name in ("one", "two"):
        jobs.start(name, ["--no-such-option"])
    end = time.monotonic() + 120
    while any(job.under_way for job in jobs._all()) and time.monotonic() < end:
        time.sleep(0.1)
    assert {job.study: job.state for job in jobs._all()} == {"one": "failed", "two": "failed"}


def test_a_run_does_not_get_the_password(root, monkeypatch):
    given: dict[str, str] = {}

    class Child:
        pid = 1

        def __init__(self, command: list[str], env: dict[str, str], **_: object) -> None:
            given.update(env)

        def wait(self) -> int:
            return 0

        def poll(self) -> int:
            return 0

    monkeypatch.setenv("UNITSCOPE_PASSWORD", "right")
    monkeypatch.setattr(jobs.processes.subprocess, "Popen", Child)
    jobs.start("one", [])
    assert "UNITSCOPE_PASSWORD" not in given
    assert "UNITSCOPE_STUDIES" in given
    assert places.studies_root() == root
