"""The finding to show first: chosen by ablation in the mined photos, measured in others."""

import dataclasses

import numpy as np
import pytest

from interpret import pipeline
from interpret.config import MineConfig, ModelConfig, RunConfig
from interpret.evaluation import effect, heldout
from interpret.evaluation.ablation import make_ablation_set
from interpret.evaluation.first_finding import EACH, first_finding
from interpret.evaluation.heads import load_head
from interpret.findings import Findings, certainty
from interpret.mining.stored import mine_study
from interpret.study import open_study
from tests.small_study import studies


def findings_of(study, **options) -> Findings:
    config = dataclasses.replace(study.mine_config, **options)
    return Findings(study, config, mine_study(study, config))


@pytest.fixture(scope="module")
def small():
    study = open_study(studies() / "demo")
    return study, make_ablation_set(study, load_head(study, device="cpu"))


def falls_of(photos, units) -> dict[int, float]:
    effects = {c: effect.ablate_class(photos, c, units, draws=1) for c in photos.classes.tolist()}
    return {c: one.before - one.after for c, one in effects.items()}


@pytest.mark.parametrize("top_units", [3, 5])
def test_it_costs_its_classes_most_and_others_least_of_those_tried(small, top_units):
    study, photos = small
    found = findings_of(study, top_units=top_units)
    tried: dict[tuple[int, ...], list] = {}
    for row in found.candidates.itertuples():
        if row.supported and 2 <= len(row.units) <= 5 and len(tried.setdefault(row.class_ids, [])) < EACH:
            tried[row.class_ids].append(row.units)
    scores = {}
    for class_ids, sets in tried.items():
        for units in sets:
            falls = falls_of(photos, units)
            own = min(falls[c] for c in class_ids)
            scores[units, class_ids] = own - max(0.0, *(fall for c, fall in falls.items() if c not in class_ids))
    assert len(scores) > 5
    chosen = first_finding(found, photos)
    assert scores[chosen] == pytest.approx(max(scores.values()))
    assert scores[chosen] > np.median(list(scores.values()))


def test_nothing_is_resampled_for_it(small, monkeypatch):
    study, photos = small
    expected = first_finding(findings_of(study), photos)

    def refuse(*_):
        raise AssertionError("it takes a fraction of a second")

    monkeypatch.setattr(certainty, "stability", refuse)
    assert first_finding(findings_of(study), photos) == expected
    found = findings_of(study)
    vars(found)["stability"] = certainty.not_resampled(found.mined)
    assert found.without_stability() is found


def test_without_a_linear_head_or_a_supported_finding_it_is_the_headline(small, monkeypatch):
    study, photos = small
    found = findings_of(study)
    monkeypatch.setattr(type(photos.head), "linear", False)
    assert first_finding(found, dataclasses.replace(photos, activations=photos.features)) == found.headline()
    monkeypatch.undo()
    unsupported = findings_of(study)
    vars(unsupported)["candidates"] = found.candidates.assign(supported=False)
    assert first_finding(unsupported, photos) == unsupported.headline() is not None
    nothing = findings_of(study, min_class_patches=100_000)
    assert first_finding(nothing, photos) is None


@pytest.mark.slow
def test_the_demo_convinces_in_one_look(tmp_path):
    """As the dashboard makes the demo: what is shown first costs its classes, in drawings that did not choose it."""
    run = RunConfig(images="demo", model=ModelConfig(model="demo", device="cpu"), mine=MineConfig(top_units=5))
    study = pipeline.run(run, tmp_path / "demo")
    head = load_head(study, device="cpu")
    units, class_ids = first_finding(findings_of(study), make_ablation_set(study, head))
    others = heldout.heldout(study, "demo-val", device="cpu")
    assert not heldout.same_photos(study, others)
    falls = falls_of(make_ablation_set(others, head), units)
    assert min(falls[c] for c in class_ids) >= 0.2
    assert max(fall for c, fall in falls.items() if c not in class_ids) < 0.05
