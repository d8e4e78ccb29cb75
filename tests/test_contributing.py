"""The worked examples of CONTRIBUTING.md run against the code as it is."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from interpret.figures import unit_charts
from interpret.models import classifier, zoo
from tests import test_charts, test_models, test_unit_rankings
from tests.small_study import studies

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", TEXT, flags=re.DOTALL))
"""The code of each example by the file that it is for."""


def define(path: str, module: object) -> dict:
    """What an example defines when it stands at the end of a module, whose own names stay as they are."""
    names = dict(vars(module))
    exec(EXAMPLES[path], names)
    return names


def run_test(path: str, module: object) -> None:
    names = define(path, module)
    (test,) = [name for name in names if name.startswith("test_") and name not in vars(module)]
    names[test]()


def test_a_model_family(monkeypatch):
    lenet = define("interpret/models/zoo.py", zoo)["_lenet"]
    find_family = classifier.find_family
    monkeypatch.setattr(classifier, "find_family", lambda name, *_: lenet() if name == "lenet" else find_family(name))
    run_test("tests/test_models.py", test_models)


def test_a_ranking(monkeypatch):
    unit_rankings = test_unit_rankings.unit_rankings
    peak = define("interpret/evaluation/unit_rankings.py", unit_rankings)["peak"]
    monkeypatch.setattr(unit_rankings, "peak", peak, raising=False)
    run_test("tests/test_unit_rankings.py", test_unit_rankings)


@pytest.fixture
def chart(monkeypatch) -> None:
    drawn = define("interpret/figures/unit_charts.py", unit_charts)["patches_per_photo"]
    monkeypatch.setattr(unit_charts, "patches_per_photo", drawn, raising=False)


@pytest.mark.usefixtures("chart")
def test_a_chart():
    run_test("tests/test_charts.py", test_charts)


@pytest.mark.usefixtures("chart")
def test_a_page(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    app = AppTest.from_string(EXAMPLES["pages/patches.py"], default_timeout=120)
    app.session_state["routed"] = True
    app.run()
    assert not app.exception, app.exception
    assert "How many patches does a photo have" in app.title[0].value.replace("\\", "")
    assert len(app.get("plotly_chart")) == 1


def test_no_example_is_left_out():
    assert len(EXAMPLES) == 7
