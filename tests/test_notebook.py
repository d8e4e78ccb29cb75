"""What a notebook shows of a study; and the example notebook, executed."""

import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

import interpret
from interpret.errors import InputError
from tests.manifests import rewrite
from tests.reported_studies import Page, evaluated
from tests.small_study import studies

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "docs" / "findings.ipynb"


@pytest.fixture(scope="module")
def study():
    return interpret.open_study(evaluated())


def test_the_overview_shows_the_first_finding_and_the_tables_of_the_report(study):
    found = interpret.view(study)
    read = Page(found._repr_html_().encode())
    assert len(read.each("img")) >= 2
    units, classes = re.fullmatch(r"([\d,]+) -> (.*)", repr(found)).groups()
    findings = interpret.Findings.of(study)
    rows = findings.table[findings.table["itemset_id"] == findings.id_of[tuple(map(int, units.split(",")))]]
    said = {
        f"{study.class_names[row.class_id]} ({100 * row.support:.0f}\u00a0% of its patches)"
        for row in rows.itertuples()
    }
    assert set(classes.split(", ")) == said
    tables = {caption: rows[1:] for caption, rows in read.tables.items()}
    assert set(tables) == {"Sets of units that classes share", "Sets of units of one class"}
    kinds = findings.table.groupby("units")["kind"].first()
    for caption, kind in zip(tables, ("shared", "specific"), strict=True):
        assert tables[caption]
        assert all(kinds[tuple(map(int, row[0].split(",")))] == kind for row in tables[caption])
    assert "href" not in found.html


def test_one_set_of_units_is_shown_in_each_of_its_classes(study):
    findings = interpret.Findings.of(study)
    shared = findings.table[findings.table["kind"] == "shared"]["units"].iloc[0]
    rows = findings.table[findings.table["units"] == shared]
    found = interpret.view(study, reversed(shared), patches=2)
    read = Page(found.html.encode())
    assert len(rows) > 1
    for row in rows.itertuples():
        assert f"{100 * row.support:.0f} % of {findings.patch_counts[row.class_id]} patches" in read.words
    assert 0 < len(read.each("img")) <= 2 * len(rows)
    assert not read.tables
    (unit,) = next(units for units in findings.table["units"] if len(units) == 1)
    assert repr(interpret.view(study, unit)) == repr(interpret.view(study, [unit, np.int64(unit)]))


def test_units_that_are_no_finding_are_one_sentence(study):
    with pytest.raises(InputError, match=r"^Units 0,1,2,3,4,5 are no frequent itemset of demo at a support of 20"):
        interpret.view(study, range(6))
    with pytest.raises(InputError, match="Unit 99999 is no frequent itemset"):
        interpret.view(study, 99999)


def test_its_style_holds_for_its_own_parts_alone_and_nothing_is_loaded(study):
    found = interpret.view(study)
    style = re.search(r"<style>(.*?)</style>", found.html, re.DOTALL)[1]
    assert style.startswith(".unitscope.unitscope {")
    depth = 0
    for place, sign in enumerate(style):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth > 0 or place < style.index("{") or not style[place + 1 :].strip()
    assert not re.search(r"(?<![-\w])(:root|body|html)(?![-\w])", style)
    assert "<script" not in found.html
    assert not re.search(r"""(src|href)=["'](?!data:)""", found.html)


def test_without_photos_or_network_it_says_so(tmp_path):
    folder = shutil.copytree(studies() / "demo", tmp_path / "demo")
    shutil.rmtree(folder / "effects", ignore_errors=True)
    content = interpret.open_study(folder).manifest
    rewrite(folder, images_root=str(tmp_path / "gone"), weights={**content["weights"], "digest": "0" * 16})
    read = Page(interpret.view(interpret.open_study(folder)).html.encode())
    assert "The photos of this study are not at hand" in read.words
    assert "What ablating the itemsets costs is not known" in read.words


def test_the_example_notebook_runs_and_holds_what_it_gives(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    kept, run = (nbformat.read(EXAMPLE, as_version=4) for _ in range(2))
    NotebookClient(run, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for notebook in (kept, run):
        outputs = [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]
        assert [len(each) for each in outputs] == [1] * 5
        first, *views, table, last = (each[0]["data"] for each in outputs)
        assert re.fullmatch(r"\(160, \d+, 96\)", first["text/plain"])
        for shown in (*views, last):
            assert re.match(r"[\d,]+ -> [A-Z][a-z]+ \(\d+\u00a0% of its patches\)", shown["text/plain"])
            assert "data:image/" in shown["text/html"]
        assert "contrast_support" in table["text/plain"]
