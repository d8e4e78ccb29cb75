"""A damaged study on the pages: a sentence, or what the page shows of the undamaged one."""

import os
import re
import shutil
import traceback
from pathlib import Path
from unittest import mock

import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.attack.subjects import Subjects
from tests.shown_pages import PAGES, show, words_on

__all__ = ["PAGES", "judge"]

NOTED = ("is not used", "are not used", "Passed over", "Damaged, or of another version")
"""What a page says where something of a study is damaged."""


def judge(
    page: str, kind: str, made: Subjects, root: Path, known: dict[tuple[str, str], str], *, told: bool
) -> list[str]:
    """Open a page on the study ``case`` below a folder, beside one that is whole.

    Args:
        page: its file.
        kind: which study was damaged.
        made: the undamaged ones.
        root: the folder of studies.
        known: what pages show of undamaged studies; added to.
        told: whether anything tells a changed byte of the study.
    """
    shutil.copytree(made.other, root / "beside", dirs_exist_ok=True)
    with mock.patch.dict(os.environ, {"UNITSCOPE_STUDIES": str(root)}), mock.patch("pages.shared.backend.jobs.start"):
        if (kind, page) not in known:
            undamaged = root.parent / "undamaged"
            shutil.rmtree(undamaged, ignore_errors=True)
            shutil.copytree(made.study(kind), undamaged / "case")
            shutil.copytree(made.other, undamaged / "beside")
            with mock.patch.dict(os.environ, {"UNITSCOPE_STUDIES": str(undamaged)}):
                st.cache_resource.clear()  # of another study in the same place, written at the same time
                st.cache_data.clear()
                known[kind, page] = _text(show(page, study="case"))
        try:
            st.cache_resource.clear()
            st.cache_data.clear()
            app = show(page, study="case")
        except BaseException:
            return [f"{page}: {traceback.format_exc()}"]
    text = _text(app)
    noted = any(words in text for words in NOTED) or bool(app.error) or bool(app.warning)
    if noted or not told or text == known[kind, page]:
        return []
    return [f"{page}: silently different"]


def _text(app: AppTest) -> str:
    """The words on a page, without addresses and times."""
    shown = [str(each.value) for kind in (app.title, app.error, app.warning, app.info, app.caption) for each in kind]
    return re.sub(r"/\S*/(studies|undamaged)", "", "\n".join([*shown, words_on(app)]))
