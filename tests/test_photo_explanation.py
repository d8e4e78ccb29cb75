"""One photo explained on demand agrees with what a run stores, and ablating units agrees with a full forward pass."""

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

from interpret import models
from interpret.config import ExtractConfig
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.explanation import unit_maps
from interpret.explanation.photo import make_explainer, softmax
from interpret.models.hooks import zero_units
from interpret.study import open_study
from tests.conftest import TinyNet, hooks_of, state_of
from tests.small_study import studies


@pytest.fixture(scope="module")
def study():
    return open_study(studies() / "demo")


@pytest.fixture(scope="module")
def ready(study):
    return make_explainer(models.load(study.model_config), study.extract_config)


def test_agrees_with_the_stored_study(study, ready):
    for image in (0, 40, 99):
        shown = ready.explain_photo(study.photo(image))
        about = study.images.iloc[image]
        assert shown.predicted == about["predicted"]
        assert shown.probabilities.max() == pytest.approx(about["confidence"], abs=1e-4)
        rows = study.patches[study.patches["image_id"] == image]
        assert shown.boxes.tolist() == rows[["x0", "y0", "x1", "y1"]].to_numpy().tolist()
        for units, stored in zip(shown.units, rows["units"], strict=True):
            assert units[units >= 0][:6].tolist() == stored[:6]
        assert shown.masses == pytest.approx(rows["mass"].to_numpy(), abs=1e-4)


def test_ablating_equals_a_forward_pass_without_those_units(study, ready):
    photo = study.photo(7)
    shown = ready.explain_photo(photo)
    units = tuple(int(unit) for unit in shown.units[0][:4])
    network, layer = ready.extractor.network, ready.extractor.layer
    inputs = ready.extractor.inputs([ready.extractor.preprocessing.apply(photo)])
    with zero_units(network, layer, torch.tensor(units)), torch.no_grad():
        expected = network(inputs)[0].numpy()
    assert ready.logits_without(shown, units) == pytest.approx(expected, abs=1e-4)
    assert ready.logits_without(shown, ()) == pytest.approx(shown.logits, abs=1e-4)


def test_another_class_gives_another_map_of_the_same_photo(study, ready):
    photo = study.photo(7)
    first = ready.explain_photo(photo)
    other = ready.explain_photo(photo, target=int(np.argsort(first.logits)[-2]))
    assert other.target != first.target
    assert np.array_equal(other.logits, first.logits)
    assert not np.allclose(other.heat, first.heat)


def test_the_network_is_left_as_it_was():
    torch.manual_seed(3)
    network = TinyNet()
    before = state_of(network)
    classifier = models.wrap(
        network, name="tiny", class_names=("a", "b", "c"), preprocessing=Preprocessing(size=(32, 32), resize=32)
    )
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8))
    shown = make_explainer(classifier, ExtractConfig()).explain_photo(photo)
    assert shown.size == (50, 40)
    assert state_of(network) == before
    made = make_explainer(classifier, ExtractConfig())
    made.logits_without(made.explain_photo(photo), (0, 1))
    with pytest.raises(InputError):
        made.explain_photo(photo, target=3)
    assert hooks_of(made.extractor.network) == 0


@pytest.mark.parametrize("target", [-1, 10, 1000])
def test_no_such_class_is_one_sentence(study, ready, target):
    with pytest.raises(InputError, match="There is no class"):
        ready.explain_photo(study.photo(0), target)


def test_no_such_unit_is_one_sentence(study, ready):
    shown = ready.explain_photo(study.photo(0))
    with pytest.raises(InputError, match="There is no unit 128"):
        ready.logits_without(shown, (3, 128))


def test_results_cannot_be_written_to(study, ready):
    shown = ready.explain_photo(study.photo(0))
    for field in dataclasses.fields(shown):
        value = getattr(shown, field.name)
        if isinstance(value, np.ndarray):
            assert not value.flags.writeable


def test_softmax_does_not_overflow():
    assert softmax(np.array([1000.0, 1000.0])) == pytest.approx([0.5, 0.5])


def test_a_units_own_map_is_its_activation_upsampled_as_the_map_is(study, ready):
    shown = ready.explain_photo(study.photo(7))
    unit = int(shown.units[0][0])
    whole = torch.nn.functional.interpolate(
        torch.from_numpy(shown.activations[unit].clip(0))[None, None], size=shown.heat.shape, mode="bilinear"
    )[0, 0].numpy()
    assert unit_maps.heat_of(shown, unit) == pytest.approx(whole / whole.max(), abs=1e-5)
    silent = dataclasses.replace(shown, activations=-np.abs(shown.activations))
    assert not unit_maps.heat_of(silent, unit).any()
    with pytest.raises(InputError, match="There is no unit"):
        unit_maps.heat_of(shown, len(shown.activations))
