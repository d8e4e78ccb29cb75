"""Studies for the tests of the report, and what stands in a report."""

import functools
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from interpret import demo
from interpret.cli.main import main
from interpret.config import ReportConfig
from interpret.report import Report, make_report
from interpret.study import Study, open_study
from tests.small_study import studies

_HOLD: list[tempfile.TemporaryDirectory[str]] = []  # removed when the tests end


@functools.cache
def evaluated() -> Path:
    """A copy of the small study with an evaluation on 60 held-out drawings; made once."""
    hold = tempfile.TemporaryDirectory(prefix="unitscope-test-")
    _HOLD.append(hold)
    folder = Path(hold.name) / "demo"
    shutil.copytree(studies() / "demo", folder)
    before = os.environ.get("UNITSCOPE_CACHE")
    os.environ["UNITSCOPE_CACHE"] = str(Path(hold.name) / ".cache")
    try:
        drawings = demo.photos("val", count=60)
    finally:
        if before is None:
            del os.environ["UNITSCOPE_CACHE"]
        else:
            os.environ["UNITSCOPE_CACHE"] = before
    options = ["--budgets", "1,5,10", "--no-itemsets", "--no-greedy", "--no-lasso", "--device", "cpu"]
    assert main(["evaluate", str(folder), "--images", str(drawings), *options]) == 0
    return folder


def reported(study: Study | Path, **options: int) -> Report:
    """The report of a study."""
    opened = study if isinstance(study, Study) else open_study(study)
    return make_report(opened, ReportConfig(**options), device="cpu")


@dataclass
class Page(HTMLParser):
    """An HTML file read: its tags, its text, its tables by caption, its pictures."""

    html: bytes
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._rows: list[list[str]] = []
        self._open: list[str] = []
        self._caption = ""
        self.feed(self.html.decode("utf-8"))
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in ("td", "th"):
            self._rows[-1].append("")
        if tag not in ("meta", "link", "img", "br"):
            self._open.append(tag)
        self.words += " "

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass
        if tag == "table":
            self.tables[self._caption] = [[" ".join(cell.split()) for cell in row] for row in self._rows]
        if tag not in ("b", "bdi", "code", "a", "span"):
            self.words += " "

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self.words += data
        if "caption" in self._open:
            self._caption += data
        elif self._open and {"td", "th"} & set(self._open):
            self._rows[-1][-1] += data if "span" not in self._open else f"{data} "

    def each(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]
