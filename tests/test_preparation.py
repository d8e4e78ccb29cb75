"""What modules hold is looked through by no later garbage collection, and garbage still is collected."""

import gc
import sys
import types
import weakref

import pytest

from interpret.imports import without_collections
from pages.shared.backend import preparation


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
