"""What is changed at the moment when its page is left: the change arrives, and the control is forgotten already."""

import functools

import pytest
import streamlit as st

from tests.shown_pages import show
from tests.small_study import studies

pytestmark = pytest.mark.slow

CONTROLS = ("dataframe", "multiselect", "number_input", "pagination", "plotly_chart", "selectbox", "slider")


@pytest.fixture
def told(monkeypatch):
    """What the controls of a page call when they are changed, by kind."""
    found = []

    def watched(kind, control):
        @functools.wraps(control)
        def made(*args, **options):
            found.extend((kind, call) for name, call in options.items() if name.startswith("on_") and callable(call))
            return control(*args, **options)

        return made

    for kind in CONTROLS:
        monkeypatch.setattr(st, kind, watched(kind, getattr(st, kind)))
    return found


@pytest.mark.parametrize(
    ("page", "kinds"),
    [
        ("unit", {"number_input", "slider", "pagination"}),
        ("class_specific", {"selectbox", "dataframe", "slider"}),
        ("class_shared", {"multiselect", "plotly_chart"}),
    ],
)
def test_a_change_that_comes_after_its_control_is_no_fault(page, kinds, told, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    view = {"view": "Map"} if page == "class_shared" else {}
    show(f"pages/{page}.py", all="true", **view)
    assert {kind for kind, _ in told} >= kinds
    for _, call in told:
        call()  # outside of the page, whose controls are not known here
