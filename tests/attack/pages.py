"""A damaged study on the pages: a sentence, or what the page shows of the undamaged one."""

import contextlib
import os
import re
import shutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from tests.attack.subjects import Subjects
from tests.shown_pages import APP, words_on
from tests.shown_pages import PAGES as WITH_TITLES

COMPARE = "pages/compare.py"

AS_OTHER = f"{COMPARE}, the other study"
"""The page Compare of a whole study, with the damaged one as that which it is compared with."""

PAGES = (*WITH_TITLES, AS_OTHER)
"""The pages to open, by their files."""

NOTED = ("is not used", "are not used", " is damaged (", "Damaged, or of another version")
"""What a page says where something of a study is damaged; a sentence may stand in its text, where a figure would."""

COMPONENTS = manifest_scanner.scan_component_manifests()
"""Components of installed packages; Streamlit's test looks for them anew for every page, which takes longer than it."""


class Visits:
    """Pages opened on the study ``case``, beside one that is whole; what they show of undamaged studies is kept."""

    def __init__(self, made: Subjects, work: Path) -> None:
        """Take the undamaged studies, and the folder in which ``studies/case`` is the damaged one."""
        self.made, self.work = made, work
        self._known: dict[tuple[str, str], Shown] = {}

    def judge(self, page: str, kind: str, *, told: bool, first: bool = True) -> tuple[str, list[str]]:
        """Open a page.

        Args:
            page: its file.
            kind: which study was damaged.
            told: whether anything tells a changed byte of the study.
            first: whether the dashboard has not seen the study before.

        Returns:
            How it ended, in a few words, and what failed.
        """
        known = self._undamaged(page, kind)
        studies = self.work / "studies"
        shutil.copytree(self.made.other, studies / "beside", dirs_exist_ok=True)
        if first:
            _forget()
        try:
            with self._dashboard(studies):
                app = _opened(page)
        except BaseException:
            return "failed", [f"{page}: {traceback.format_exc()}"]
        shown = Shown.on(app)
        if shown == known:
            return "as before", []
        if shown.errors - known.errors:
            return "a sentence", []
        if shown.warnings - known.warnings or any(words in shown.text for words in NOTED):
            return "noted", []
        return ("other, nothing tells", []) if not told else ("failed", [f"{page}: silently different"])

    def _undamaged(self, page: str, kind: str) -> "Shown":
        """What is on a page of an undamaged study."""
        if (kind, page) not in self._known:
            studies = self.work / "undamaged"
            shutil.rmtree(studies, ignore_errors=True)
            shutil.copytree(self.made.study(kind), studies / "case")
            shutil.copytree(self.made.other, studies / "beside")
            _forget()  # another study in the same place, written at the same time
            with self._dashboard(studies):
                self._known[kind, page] = Shown.on(_opened(page))
            _forget()
        return self._known[kind, page]

    @contextlib.contextmanager
    def _dashboard(self, studies: Path) -> Iterator[None]:
        """The dashboard's surroundings: its folder of studies, and where photos are; runs are not started."""
        places = {"UNITSCOPE_STUDIES": str(studies), "UNITSCOPE_ROOTS": f"{self.made.root}{os.pathsep}{self.work}"}
        with (
            mock.patch.dict(os.environ, places),
            mock.patch("pages.shared.backend.jobs.start"),
            mock.patch.object(manifest_scanner, "scan_component_manifests", return_value=COMPONENTS),
        ):
            yield


def _forget() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()


def _opened(page: str) -> AppTest:
    """A page as a new visitor sees it, who opens it by its address."""
    app = AppTest.from_file(APP, default_timeout=120)
    app.query_params["study"] = "beside" if page == AS_OTHER else "case"
    if page == AS_OTHER:
        app.query_params["other"] = "case"
    if page != "pages/study.py":
        app.switch_page(COMPARE if page == AS_OTHER else page)
    app.run()
    assert not app.exception, app.exception
    return app


@dataclass(frozen=True)
class Shown:
    """The words on a page without addresses, and which of them are errors or warnings; an error may be information."""

    text: str
    errors: frozenset[str]
    warnings: frozenset[str]

    @classmethod
    def on(cls, app: AppTest) -> "Shown":
        elements = [each for kind in (app.title, app.error, app.warning, app.info, app.caption) for each in kind]
        errors, warnings = (
            frozenset(_elsewhere(each.value) for each in kind) for kind in ([*app.error, *app.info], app.warning)
        )
        return cls(_elsewhere("\n".join([*(str(each.value) for each in elements), words_on(app)])), errors, warnings)


def _elsewhere(text: str) -> str:
    """A text without the folder that the studies are in."""
    return re.sub(r"/\S*/(studies|undamaged)", "", text)
