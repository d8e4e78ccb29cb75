"""The names read from torchvision's source are those that torchvision lists."""

import sys

import pytest
import torchvision.models

from interpret.models import torchvision_names


@pytest.fixture(autouse=True)
def forgotten():
    torchvision_names.torchvision_names.cache_clear()
    yield
    torchvision_names.torchvision_names.cache_clear()


def test_they_are_the_names_that_torchvision_lists():
    assert list(torchvision_names.torchvision_names()) == torchvision.models.list_models(module=torchvision.models)


def test_they_need_no_import(monkeypatch):
    expected = torchvision_names.torchvision_names()
    torchvision_names.torchvision_names.cache_clear()
    monkeypatch.setitem(sys.modules, "torchvision.models", None)  # an import would fail
    assert torchvision_names.torchvision_names() == expected


def test_without_readable_source_torchvision_is_asked(monkeypatch):
    expected = torchvision_names.torchvision_names()
    torchvision_names.torchvision_names.cache_clear()
    monkeypatch.setattr(torchvision_names.importlib.util, "find_spec", lambda name: None)
    assert torchvision_names.torchvision_names() == expected
