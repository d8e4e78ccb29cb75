"""What the page Explain shows beyond the map: random units, a unit's own map, photos alike, several uploads."""

import numpy as np
import pytest

from interpret.evaluation.effect import random_units
from interpret.explanation.photo import make_explainer, softmax
from interpret.explanation.study_network import network_of
from interpret.study import open_study
from pages.shared import wording
from tests.shown_pages import blocks, show, words_on
from tests.small_study import studies


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))


@pytest.fixture(scope="module")
def study():
    return open_study(studies() / "demo")


@pytest.fixture(scope="module")
def ready(study):
    return make_explainer(network_of(study), study.extract_config)


def strongest(study, image: int, count: int) -> list[int]:
    """The strongest units of a photo's first patch."""
    return [int(unit) for unit in study.patches[study.patches["image_id"] == image]["units"].iloc[0][:count]]


def test_units_are_ablated_beside_as_many_random_ones(study, ready):
    units = sorted(strongest(study, 0, 4))
    app = show("pages/explain.py", image="0", off="-".join(str(unit) for unit in units))
    first = ready.explain_photo(study.photo(0))
    drawn = [
        softmax(ready.logits_without(first, tuple(chosen.tolist())))
        for chosen in random_units(study.n_units, len(units), 20, 0)
    ]
    own = [float(probabilities[first.predicted]) for probabilities in drawn]
    still = sum(int(probabilities.argmax()) == first.predicted for probabilities in drawn)
    lines = [block["parts"] for block in blocks(app) if block["kind"] == "line"]
    line = next(parts for parts in lines if parts[0].get("text") == "Without as many random ones")
    assert line[1]["name"] == wording.class_text(study, first.predicted)
    assert line[1]["note"] == wording.percent(float(np.median(own)), 1)
    assert line[2]["text"].startswith(f"in the median of 20 draws from all {study.n_units} units, ")
    assert f"{100 * min(own):.1f} to {wording.percent(max(own), 1)}; " in line[2]["text"]
    assert line[2]["text"].endswith(f"it is still the answer in {still} of 20.")
    assert "random ones" not in words_on(show("pages/explain.py", image="0")), "nothing is ablated there"
