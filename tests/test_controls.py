"""Thresholds on the pages: what the study was mined with, what the address asks for, and what the sliders can say."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from interpret.config import MineConfig
from interpret.mining.stored import mine_study
from interpret.study import open_study
from tests.manifests import manifest_of, rewrite
from tests.shown_pages import show
from tests.small_study import studies, without_contrast

PAGE = "pages/class_specific.py"


@pytest.fixture
def mined_at(tmp_path, monkeypatch):
    """A copy of the small study that says that it was mined with other options."""

    def make(**options: float) -> Path:
        shutil.copytree(studies() / "demo", tmp_path / "demo")
        content = manifest_of(tmp_path / "demo")
        for stage in ("mine", "extract"):
            known = content["config"][stage]
            known.update({name: value for name, value in options.items() if name in known})
        rewrite(tmp_path / "demo", content)
        monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
        return tmp_path / "demo"

    return make


@pytest.mark.parametrize("support", [0.004, 0.125])
def test_a_support_that_the_slider_cannot_say_is_kept_while_it_is_not_moved(mined_at, support):
    study = open_study(mined_at(min_support=support, top_units=3, contrast_quantile=0.0))
    app = show(PAGE)
    expected = mine_study(study, MineConfig(top_units=3, min_support=support, contrast_quantile=0.0))
    shown = show(PAGE, show="all", fold="false").dataframe[0].value
    first = study.images["predicted"].value_counts().index[0]
    class_id = int(app.query_params.get("class", [first])[0])
    assert len(shown) == int((expected.rules["class_id"] == class_id).sum())
    assert app.slider(key="support").value == max(1, round(100 * support))


def test_the_posters_transactions_are_one_switch_away(mined_at):
    study = open_study(mined_at(top_units=3))
    assert study.mine_config.contrast_quantile is None
    for above, quantile in ((None, 0.97), ("true", 0.97), ("false", 0.0), ("clicked", 0.0)):
        asked = {"above": above} if above in ("true", "false") else {}
        app = show(PAGE, show="all", all="true", fold="false", **asked)
        if above == "clicked":
            app.toggle(key="above").set_value(False).run()
        assert app.toggle(key="above").value == (quantile > 0)
        expected = mine_study(study, MineConfig(top_units=3, contrast_quantile=quantile)).rules
        class_id = int(app.query_params.get("class", [study.images["predicted"].value_counts().index[0]])[0])
        shown = app.dataframe[0].value["contrast_support"] / 100
        rules = expected[expected["class_id"] == class_id]
        assert sorted(shown) == pytest.approx(sorted(rules["contrast_support"]))


def test_without_a_contrast_there_is_no_such_switch(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(without_contrast()))
    assert not [one for one in show(PAGE).toggle if one.key == "above"]


def test_a_number_out_of_bounds_in_the_address_is_not_shown_as_if_it_counted(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    app = show(PAGE, n="999", support="9" * 5000)
    assert app.slider(key="n").value == 8
    assert any(one.proto.popover.label.startswith("N 8 · support 20") for one in app.get("popover"))


def test_more_classes_in_the_address_than_can_be_chosen(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    app = show("pages/class_shared.py", by="0-1-2-3-4-5-6-7-8")
    assert len(app.multiselect[0].value) == 8


def test_a_study_with_one_unit_a_patch_has_no_slider_for_it(mined_at):
    folder = mined_at(stored_units=1, top_units=1)
    for file in (folder / "patches.parquet", folder / "contrast.parquet"):
        table = pq.read_table(file)
        for name in ("units", "scores"):
            at = table.schema.get_field_index(name)
            first = pa.array([row[:1] for row in table.column(name).to_pylist()], table.schema.field(at).type)
            table = table.set_column(at, table.schema.field(at), first)
        pq.write_table(table, file)
    rewrite(folder)
    app = show(PAGE)
    assert not [one for one in app.slider if one.key == "n"]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("pages/unit.py", ["unit", "patch"]),
        ("pages/explain.py", ["image", "box", "off", "target", "patch"]),
        ("pages/method.py", ["image", "n", "support"]),
        ("pages/class_specific.py", ["class", "itemset", "patch", "page"]),
        ("pages/class_shared.py", ["by", "itemset", "rules"]),
    ],
)
def test_a_number_of_five_thousand_digits_in_the_address_is_no_number(monkeypatch, page, names):
    """Python refuses to read it at all."""
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    for name in names:
        app = show(page, **{name: "9" * 5000})
        assert app.title, name
