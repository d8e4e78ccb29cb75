"""Processes that the server starts: which of them give way to pages."""

import os
import subprocess
import sys
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


@pytest.mark.skipif(not hasattr(os, "setpriority"), reason="this system knows no priorities")
def test_it_gives_way_to_a_server_that_gives_way_to_others_itself(tmp_path):
    """A priority is one of the machine, and not beside the server's."""
    code = (
        "import os, sys; from pathlib import Path; from pages.shared.backend import processes; os.nice(5); "
        "pid = processes.start('a', ['models'], Path(sys.argv[1]), lambda: None, yields=True); "
        "print(os.getpriority(os.PRIO_PROCESS, pid) - os.getpriority(os.PRIO_PROCESS, 0)); processes.end('a', pid)"
    )
    command = [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "log.txt")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert int(printed) == min(processes.YIELDS, 19 - os.getpriority(os.PRIO_PROCESS, 0) - 5)


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
