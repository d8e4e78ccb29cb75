"""What the server prepares before anybody looks, and what garbage collections then leave out."""

import asyncio
import gc
import sys
import threading
import types
import weakref

import pytest

from interpret.errors import InputError
from interpret.imports import without_collections
from interpret.progress import DRAWING
from pages.shared.backend import first_study, jobs, owners, places, preparation


class Node:
    """Something that can refer to itself."""


@pytest.fixture
def thawed():
    yield
    gc.unfreeze()


def test_what_is_imported_is_spared_once(monkeypatch, thawed):
    monkeypatch.setattr(preparation, "_modules", 0)
    gc.collect()
    preparation.spare_modules()
    spared = gc.get_freeze_count()
    assert spared > 50_000  # pytest and what it imports
    assert len(gc.get_objects()) < spared / 10
    kept = [[] for _ in range(1000)]
    preparation.spare_modules()
    assert gc.get_freeze_count() <= spared, "nothing was imported in between"
    monkeypatch.setitem(sys.modules, "another_one", types.ModuleType("another_one"))
    preparation.spare_modules()
    assert gc.get_freeze_count() >= spared + len(kept)


def test_garbage_made_afterwards_is_collected(monkeypatch, thawed):
    monkeypatch.setattr(preparation, "_modules", 0)
    preparation.spare_modules()
    node = Node()
    node.itself = node
    gone = weakref.ref(node)
    del node
    gc.collect()
    assert gone() is None


def test_no_collection_while_modules_are_imported():
    assert gc.isenabled()
    with without_collections():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), without_collections():
        raise ImportError
    assert gc.isenabled()


def test_collection_stays_off_where_it_was_off():
    gc.disable()
    try:
        with without_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    monkeypatch.setattr(preparation, "_started", [])
    monkeypatch.setattr(preparation, "_needed", threading.Event())
    yield tmp_path
    preparation.wait_for_pages()  # or a thread would go on in the next test


@pytest.fixture
def imported(monkeypatch):
    names = []
    monkeypatch.setattr(preparation.importlib, "import_module", names.append)
    return names


async def served() -> None:
    async with preparation.lifespan(None):
        preparation.wait()


def test_a_server_begins_the_default_study_before_anybody_looks(root, imported, monkeypatch):
    begun = []
    monkeypatch.setattr(jobs, "start", lambda study, arguments: begun.append(study))
    asyncio.run(served())
    preparation.wait_for_pages()
    assert begun == [places.default_name()]
    assert imported == [preparation.NAVIGATION, *preparation.MODULES]
    (root / "mine").mkdir()
    (root / "mine" / "manifest.json").write_text("{}")
    asyncio.run(served())
    assert begun == [places.default_name()]  # there is a study now
    owners.record("mine", "a" * 32)
    asyncio.run(served())
    assert begun == 2 * [places.default_name()]  # but only one browser may open it


def test_pages_are_imported_once_the_first_photos_are_drawn_or_somebody_needs_them(root, imported, monkeypatch):
    reported = {}

    def listed():
        return [jobs.Job("a", "demo", "running", dict(reported), "", ())]

    monkeypatch.setattr(jobs, "start", lambda *_: None)
    monkeypatch.setattr(jobs, "jobs", listed)
    monkeypatch.setattr(preparation, "LOOK", 0.01)
    asyncio.run(served())
    (thread,) = preparation._started
    thread.join(0.1)
    assert imported == [preparation.NAVIGATION], "the drawings need the cores"
    reported["stage"] = DRAWING
    thread.join(0.1)
    assert imported == [preparation.NAVIGATION]
    reported["stage"] = "Loading PyTorch"
    thread.join(30)
    assert imported == [preparation.NAVIGATION, *preparation.MODULES]

    reported.clear()
    imported.clear()
    preparation._started.clear()
    asyncio.run(served())
    assert imported == [preparation.NAVIGATION]
    preparation.wait_for_pages()
    assert imported == [preparation.NAVIGATION, *preparation.MODULES]


def test_a_server_that_cannot_write_its_folder_starts_all_the_same(root, imported, monkeypatch):
    def refuse(*_):
        raise InputError("The folder cannot be written to.")

    monkeypatch.setattr(jobs, "start", refuse)
    monkeypatch.setattr(first_study, "is_being_drawn", refuse)
    asyncio.run(served())
    preparation.wait_for_pages()
    assert imported == [preparation.NAVIGATION, *preparation.MODULES]
