"""Processes that the server starts: which of them give way to pages."""

import os
import threading

import pytest

from pages.shared.backend import jobs, processes


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="this system knows no priorities")
@pytest.mark.parametrize("yields", [False, True])
def test_a_process_gives_way_to_pages_where_it_is_asked_to(tmp_path, monkeypatch, yields):
    ended = threading.Event()
    monkeypatch.setattr(processes, "children", {})
    pid = processes.start("a", ["models"], tmp_path / "log.txt", ended.set, yields=yields)
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, pid) == (min(19, own + processes.YIELDS) if yields else own)
    processes.end("a", pid)
    assert ended.wait(30)


def test_only_the_run_that_every_page_waits_for_takes_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    began: list[bool] = []

    def start(*_: object, yields: bool) -> int:
        began.append(yields)
        return os.getpid()

    monkeypatch.setattr(processes, "start", start)
    monkeypatch.setattr(jobs, "at_once", lambda: 9)
    jobs.start("first", [])
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "manifest.json").write_text("{}")
    jobs.start("mine", [])
    jobs.start("demo", [], "dissect")
    assert began == [False, True, True]
