"""What one browser uploads and makes is its own: others neither see, stop nor delete it."""

import io
import json
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from interpret.errors import InputError
from pages.shared.backend import allowed_paths, jobs, owners, uploads
from pages.shared.backend import studies as opened_studies
from tests.owned_studies import ALICE, BOB, owned_studies
from tests.shown_pages import APP, show, unescaped, words_on


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    return owned_studies(tmp_path, monkeypatch)


@pytest.fixture
def as_alice(monkeypatch) -> None:
    monkeypatch.setattr(owners, "current", lambda: ALICE)


def placed(root: Path, name: str, study: str, owner: str, **about: object) -> jobs.Job:
    folder = root / ".runs" / name
    folder.mkdir(parents=True)
    listed = {"study": study, "kind": "run", "arguments": [], "owner": owner, "pid": 0, "born": "0", **about}
    (folder / "job.json").write_text(json.dumps({key: value for key, value in listed.items() if value is not None}))
    return next(job for job in jobs.jobs() if job.id == name)


def labels(app: AppTest) -> str:
    return unescaped(
        " ".join([*(button.label for button in app.button), *(e.value for e in [*app.error, *app.warning])])
    )


def test_studies_of_others_are_not_listed_and_not_opened_by_their_address(root, as_alice):
    assert set(opened_studies.names()) == {"demo", "of-alice"}
    app = show("pages/study.py", study="of-alice")
    assert "of-alice" in words_on(app)
    assert "of-bob" not in words_on(app) + labels(app)
    app = show("pages/study.py", study="of-bob")
    assert "There is no study called “of-bob” here" in labels(app)
    with pytest.raises(InputError, match="There is no study"):
        opened_studies.opened("of-bob")


def test_a_session_without_a_cookie_is_someone_of_its_own(root):
    app = AppTest.from_file(APP, default_timeout=120).run()
    assert "of-alice" not in words_on(app) + labels(app)
    token = app.session_state["owner"]
    assert owners.is_token(token)
    assert AppTest.from_file(APP, default_timeout=120).run().session_state["owner"] != token


def test_runs_of_others_are_neither_shown_nor_stopped(root, as_alice):
    placed(root, "0-a", "new-alice", ALICE)
    placed(root, "0-b", "new-bob", BOB)
    app = show("pages/study.py")
    said = labels(app)
    assert "new-alice" in said
    assert "new-bob" not in said
    assert {button.key for button in app.button if str(button.key).endswith(("0-a", "0-b"))} == {
        "resume_0-a",
        "dismiss_0-a",
    }


def test_a_run_of_everybody_is_seen_by_all_and_stopped_by_none(root, as_alice, monkeypatch):
    pid = 1  # always there
    placed(root, "0-all", "new", owners.SHARED, pid=pid, born=jobs.processes.born(pid))
    assert "cancel_0-all" not in [button.key for button in show("pages/study.py").button]
    monkeypatch.setenv("UNITSCOPE_ONE_PERSON", "1")
    assert "cancel_0-all" in [button.key for button in show("pages/study.py").button]


def test_only_ones_own_study_can_be_deleted(root, as_alice):
    assert opened_studies.deletable() == ["of-alice"]
    for name in ("demo", "of-bob"):
        with pytest.raises(InputError, match="cannot be deleted"):
            opened_studies.delete(name)
    opened_studies.delete("of-alice")
    assert sorted(path.name for path in root.iterdir() if not path.name.startswith(".")) == ["demo", "of-bob"]
    assert not list(root.glob("*.unfinished"))
    assert owners.of_study("of-alice") == owners.SHARED


def test_the_page_deletes_a_study_after_a_second_click(root, as_alice):
    app = show("pages/study.py", study="of-alice")
    assert app.selectbox(key="delete_name").options == ["of-alice"]
    assert (root / "of-alice").exists()
    app.button(key="delete_study").click().run()
    assert not app.exception
    assert not (root / "of-alice").exists()
    assert "delete_study" not in [button.key for button in app.button], "nothing else is Alice's"


def test_only_ones_own_study_can_be_renamed_and_only_to_a_name_that_is_free(root, as_alice):
    for name in ("demo", "of-bob"):
        with pytest.raises(InputError, match="cannot be renamed"):
            opened_studies.rename(name, "other")
    (root / "begun.partial").mkdir()
    placed(root, "0-b", "queued", BOB)
    for name, said in {
        "of-bob": "called of-bob already",
        "of-alice": "called of-alice already",
        "of/alice": "called of-alice already",
        "../..": "letters or digits",
        "._-": "letters or digits",
        "x.partial": "reserved",
        "begun": "left something under the name begun",
        "queued": "left something under the name queued",
    }.items():
        with pytest.raises(InputError, match=said):
            opened_studies.rename("of-alice", name)
    assert set(opened_studies.names()) == {"demo", "of-alice"}
    placed(root, "0-e", "of-alice", ALICE, kind="evaluate", pid=1, born=jobs.processes.born(1))
    with pytest.raises(InputError, match="no run"):
        opened_studies.rename("of-alice", "other")


def test_a_renamed_study_is_the_same_with_its_owner_and_the_old_name_is_free(root, as_alice):
    files = {file.relative_to(root / "of-alice"): file.read_bytes() for file in (root / "of-alice").rglob("*.*")}
    placed(root, "0-e", "of-alice", ALICE, kind="evaluate")
    assert opened_studies.rename("of-alice", "Birds & co") == "Birds-co"
    assert {
        file.relative_to(root / "Birds-co"): file.read_bytes() for file in (root / "Birds-co").rglob("*.*")
    } == files
    assert set(opened_studies.names()) == {"demo", "Birds-co"}
    assert opened_studies.opened("Birds-co").name == "Birds-co"
    assert (owners.of_study("Birds-co"), owners.of_study("of-alice")) == (ALICE, owners.SHARED)
    assert jobs.jobs() == [], "an entry of the old name would speak of no study"


def test_a_study_that_cannot_be_renamed_keeps_its_name_and_its_owner(root, as_alice, monkeypatch):
    def fails(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(InputError, match=r"cannot be renamed in .* \(Permission denied\)"):
        opened_studies.rename("of-alice", "other")
    assert (owners.of_study("of-alice"), owners.of_study("other")) == (ALICE, owners.SHARED)


def test_the_page_of_a_renamed_study_stays_open_and_others_are_told_that_it_is_gone(root, as_alice):
    app, other = show("pages/study.py", study="of-alice", patch="0"), show("pages/study.py", study="of-alice")
    assert app.selectbox(key="rename_name").options == ["of-alice"]
    app.text_input(key="rename_to").set_value("my birds").run()
    app.button(key="rename_study").click().run()
    assert not app.exception
    assert not app.error
    assert (app.query_params["study"], app.query_params["patch"]) == ("my-birds", "0")
    assert unescaped(app.info[-1].value) == (
        "The study is called “my-birds”, not “my birds”: names have letters, digits, “_”, “.” and “-”, and at most 60 "
        "characters."
    )
    assert "of-alice" not in labels(app)
    assert "There is no study called “of-alice” here; another one is shown." in labels(other.run())


def test_a_study_is_not_deleted_while_a_run_works_on_it(root, as_alice):
    placed(root, "0-a", "of-alice", ALICE, kind="evaluate", pid=1, born=jobs.processes.born(1))
    with pytest.raises(InputError, match="no run"):
        opened_studies.delete("of-alice")


def test_uploads_go_with_the_study_that_was_made_of_them(root, as_alice):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    kept = [uploads.keep([("a.png", io.BytesIO(file.getvalue()))])[0] for _ in range(2)]
    manifest = root / "of-alice" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "images_root": str(kept[0])}))
    opened_studies.delete("of-alice")
    assert [path.exists() for path in kept] == [False, True]


def test_the_owner_of_the_server_may_let_everybody_see_and_delete_everything(root, as_alice, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_ONE_PERSON", "1")
    assert set(opened_studies.names()) == set(opened_studies.deletable()) == {"demo", "of-alice", "of-bob"}


def test_a_name_that_another_one_uses_is_refused_even_where_the_study_is_unfinished(root, as_alice):
    placed(root, "0-b", "new-bob", BOB)
    owners.record("new-bob", BOB)
    (root / "new-bob.partial").mkdir()
    with pytest.raises(InputError, match="type another name"):
        jobs.start("new-bob", [], owner=ALICE)
    assert owners.of_study("new-bob") == BOB


def test_the_owner_of_a_study_that_is_gone_is_forgotten(root, monkeypatch):
    shutil.rmtree(root / "of-bob")
    monkeypatch.setattr(jobs.processes, "start", lambda *_, yields: 1)
    jobs.start("another", [], owner=ALICE)
    assert owners.of_study("of-bob") == owners.SHARED
    assert owners.of_study("of-alice") == ALICE
    assert owners.of_study("another") == ALICE


@pytest.mark.parametrize("inside", [".uploads/0123456789abcdef", ".runs", ".owners", "of-bob", "of-bob/mined"])
def test_what_others_made_is_not_read_by_typing_its_path(root, as_alice, inside):
    (root / inside).mkdir(parents=True, exist_ok=True)
    with pytest.raises(InputError, match="There is no folder"):
        allowed_paths.resolve(str(root / inside), folder=True)
    with pytest.raises(InputError, match="holds the studies"):
        allowed_paths.resolve(str(root), folder=True)
    with pytest.raises(InputError, match="holds the studies"):
        allowed_paths.resolve(str(root.parent), folder=True)
    assert allowed_paths.resolve(str(root / "of-alice"), folder=True) == root / "of-alice"


def test_folders_that_others_made_or_that_lie_elsewhere_are_not_offered(root, as_alice, monkeypatch):
    for inside in (".uploads/0123456789abcdef", "of-bob/photos", "of-alice/photos"):
        (root / inside).mkdir(parents=True, exist_ok=True)
    (root.parent / "birds" / "b").mkdir(parents=True)
    (root.parent / "birds" / "a").mkdir()
    (root.parent / "birds" / "file").touch()
    (root.parent / "birds" / "out").symlink_to("/etc")
    monkeypatch.setenv("UNITSCOPE_ROOTS", str(root.parent))
    above, found, more = allowed_paths.folders_in("")
    assert (above, more) == (None, 0)
    assert root.parent / "birds" in found
    assert [folder.name for folder in allowed_paths.folders_in(str(root))[1]] == ["demo", "of-alice"]
    assert allowed_paths.folders_in(str(root / "of-bob")) == (None, [], 0)
    birds = root.parent / "birds"
    assert allowed_paths.folders_in("birds") == (root.parent, [birds / "a", birds / "b"], 0)
    assert allowed_paths.folders_in("birds", limit=1) == (root.parent, [birds / "a"], 1)
    assert allowed_paths.folders_in("/etc") == allowed_paths.folders_in("birds/none") == (None, [], 0)
    assert allowed_paths.folders_in("\0") == (None, [], 0)
    monkeypatch.setenv("UNITSCOPE_ROOTS", f"{birds}{os.pathsep}{root}")
    assert allowed_paths.folders_in("")[1] == [birds, root]


def watching() -> None:
    import streamlit as st

    from pages.shared.view import run_progress

    st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    run_progress._watch(st.query_params.get("kind", "run"))


def test_only_the_session_that_began_a_run_is_led_to_its_study(root, as_alice):
    """Another tab of the same person, which looks at another study, stays there."""
    job = placed(root, "0-a", "of-alice", ALICE, pid=1, born=jobs.processes.born(1))
    tabs = {}
    for name in ("began", "other"):
        tabs[name] = AppTest.from_function(watching, default_timeout=60)
        tabs[name].session_state["study"] = tabs[name].query_params["study"] = "demo"
        tabs[name].query_params["patch"] = "3"
        if name == "began":
            tabs[name].session_state["runs_followed"] = {job.id}
        tabs[name].run()
        assert f"cancel_{job.id}" in [button.key for button in tabs[name].button]
    folder = root / ".runs" / job.id
    (folder / "job.json").write_text(json.dumps({**json.loads((folder / "job.json").read_text()), "born": "0"}))
    (folder / "progress.json").write_text('{"stage": "Done"}')
    tabs["other"].run()
    assert tabs["other"].query_params == {"study": "demo", "patch": "3"}
    assert f"open_run_{job.id}" in [button.key for button in tabs["other"].button]
    tabs["began"].run()
    assert tabs["began"].query_params == {"study": "of-alice"}
    tabs["other"].run()
    assert tabs["other"].query_params == {"study": "demo", "patch": "3"}
    assert tabs["other"].session_state["study"] == "demo"


def test_a_page_that_shows_the_study_anyway_shows_what_a_run_of_another_tab_did_to_it(root, as_alice):
    job = placed(root, "0-a", "of-alice", ALICE, kind="evaluate", pid=1, born=jobs.processes.born(1))
    app = AppTest.from_function(watching, default_timeout=60)
    app.query_params["kind"] = "evaluate"
    app.session_state["study"] = "of-alice"
    app.run()
    drawn = app.session_state["drawn"]
    folder = root / ".runs" / job.id
    (folder / "job.json").write_text(json.dumps({**json.loads((folder / "job.json").read_text()), "born": "0"}))
    (folder / "progress.json").write_text('{"stage": "Done"}')
    app.run()
    assert app.session_state["drawn"] == drawn + 2
    assert jobs.jobs() == []
