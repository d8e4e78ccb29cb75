"""An uploaded photo is explained and then forgotten with the session; photos of the study are kept for all."""

import io

import pytest
from streamlit.runtime import caching
from streamlit.testing.v1 import AppTest

from interpret.explanation.photo import Explainer
from interpret.figures import patch_pictures
from interpret.study import open_study
from tests.shown_pages import show, words_on
from tests.small_study import studies

SESSION = "test session id"
"""The name that AppTest gives to each of its sessions."""


@pytest.fixture
def worked_out(monkeypatch) -> list[str]:
    """What was explained, and which maps were drawn, in their order."""
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    done: list[str] = []
    explain_photo, heat_layer = Explainer.explain_photo, patch_pictures.heat_layer
    monkeypatch.setattr(Explainer, "explain_photo", lambda *given: done.append("explained") or explain_photo(*given))
    monkeypatch.setattr(patch_pictures, "heat_layer", lambda *given: done.append("drawn") or heat_layer(*given))
    caching.cache_resource.clear()
    caching.cache_data.clear()
    return done


def uploaded() -> AppTest:
    """The page Explain after a photo was uploaded."""
    app = show("pages/explain.py", **{"from": "upload"})
    file = io.BytesIO()
    open_study(studies() / "demo").photo(3).save(file, "PNG")
    app.file_uploader(key="photo").upload("mine.png", file.getvalue(), "image/png").run()
    assert not app.exception
    assert "The model says" in words_on(app)
    return app


def end_session() -> None:
    """What Streamlit does when a session ends."""
    caching.clear_session_resource_cache(SESSION)
    caching.clear_session_data_cache(SESSION)


def test_an_upload_is_forgotten_when_its_session_ends(worked_out):
    app = uploaded()
    assert worked_out == ["explained", "drawn"]
    app.run()
    assert worked_out == ["explained", "drawn"], "within the session it is explained once"
    end_session()
    uploaded()
    assert worked_out == ["explained", "drawn"] * 2


def test_a_photo_of_the_study_is_explained_once_for_all_sessions(worked_out):
    show("pages/explain.py", image="3")
    end_session()
    assert "The model says" in words_on(show("pages/explain.py", image="3"))
    assert worked_out == ["explained", "drawn"]


def test_before_a_photo_is_given_the_page_says_how_long_it_is_kept(worked_out):
    text = words_on(show("pages/explain.py", **{"from": "upload"}))
    assert "It stays in memory for this session only" in text
    assert worked_out == []
