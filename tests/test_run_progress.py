"""What a page shows of runs, when it is drawn again, and what may be done with them."""

import html
import json
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared.backend import jobs
from pages.shared.view import run_progress
from tests.placed_runs import placed
from tests.shown_pages import words_on


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "studies"
    folder.mkdir()
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(folder))
    return folder


@pytest.fixture
def asked(monkeypatch) -> list[float | None]:
    """How often the browser is told to ask for the runs (seconds), each time that they are drawn with the page."""
    given: list[float | None] = []
    fragment = st.fragment

    def counted(function, *, run_every):
        given.append(run_every)
        return fragment(function, run_every=run_every)

    monkeypatch.setattr(st, "fragment", counted)
    return given


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


def test_only_a_run_under_way_keeps_its_page_asking(root, asked):
    job = placed(root, "mine", "running")
    app = AppTest.from_function(watching, default_timeout=60).run()
    assert asked == [run_progress.POLL]
    about = root / ".runs" / job.id / "job.json"
    about.write_text(json.dumps({**json.loads(about.read_text()), "born": "0"}))
    app.run()
    assert asked[1:] == [None]
    assert f"resume_{job.id}" in [button.key for button in app.button]


def test_a_page_that_waits_asks_more_often_in_the_last_stages_of_a_run(root, asked):
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
