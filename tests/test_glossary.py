"""The terms and the citation that the Method page and the report show."""

import re
from pathlib import Path

from interpret import glossary

ROOT = Path(__file__).resolve().parents[1]


def test_the_year_to_cite_is_that_of_the_release():
    released = re.search(r"^date-released: (\d{4})-", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert f"year = {{{released[1]}}}" in glossary.citation()


def test_each_term_is_defined_once():
    names = [name for name, _ in glossary.GLOSSARY]
    assert len(names) == len(set(names))
