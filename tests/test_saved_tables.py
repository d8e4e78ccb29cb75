"""Every table of every page is saved as CSV and as Parquet, with the same rows and columns."""

import io
from collections.abc import Callable

import pandas as pd
import pytest
import streamlit as st

from tests.confused_study import confused
from tests.reported_studies import evaluated
from tests.shown_pages import show

pytestmark = pytest.mark.slow


@pytest.fixture
def saved(monkeypatch) -> dict[str, Callable[[], bytes]]:
    """What each button for saving gives, by the name of its file."""
    found: dict[str, Callable[[], bytes]] = {}

    def record(label: str, data: object, file: str, *_: object, **__: object) -> bool:
        assert label
        found[file] = data if callable(data) else lambda: data
        return False

    monkeypatch.setattr(st, "download_button", record)
    return found


PAGES = {
    "pages/class_specific.py": 1,
    "pages/class_shared.py": 1,
    "pages/unit.py": 1,
    "pages/evaluation.py": 1,
    "pages/errors.py": 1,
}


@pytest.mark.parametrize("page", PAGES)
def test_both_formats_hold_the_same(page, saved, tmp_path, monkeypatch):
    root = evaluated().parent
    if page == "pages/errors.py":
        confused(tmp_path / "demo")
        root = tmp_path
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(root))
    app = show(page, unit="39") if page == "pages/unit.py" else show(page)
    assert not app.error
    tables = [name for name in saved if name.endswith(".csv")]
    assert len(tables) >= PAGES[page]
    for name in tables:
        text = saved[name]()
        typed = pd.read_parquet(io.BytesIO(saved[name.removesuffix("csv") + "parquet"]()))
        plain = pd.read_csv(io.BytesIO(text))
        assert len(plain) == len(typed) > 0, name
        if typed.index.name is None:
            assert list(plain.columns) == list(typed.columns), name
            numbers = [column for column in typed.select_dtypes("float").columns if plain[column].dtype == "float64"]
            for column in numbers:
                pd.testing.assert_series_equal(plain[column], typed[column], check_exact=False, rtol=1e-12)
