"""Ablating units in one photo, beside as many random units."""

import numpy as np
import pytest
import torch
from PIL import Image

from interpret import models
from interpret.config import ExtractConfig
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.evaluation.effect import random_units
from interpret.evaluation.photo_effect import PhotoEffect, ablate_photo
from interpret.explanation.photo import make_explainer, softmax
from interpret.figures import ablation_charts
from interpret.models.hooks import zero_units
from tests.conftest import TinyNet

PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def ready():
    torch.manual_seed(3)
    preprocessing = Preprocessing(size=(32, 32), resize=32)
    classifier = models.wrap(TinyNet(), name="tiny", class_names=("a", "b", "c"), preprocessing=preprocessing)
    return make_explainer(classifier, ExtractConfig())


def test_each_draw_is_a_forward_pass_without_as_many_random_units(ready):
    shown = ready.explain_photo(PHOTO)
    effect = ablate_photo(ready, shown, [3, 1, 3], draws=7, seed=5)
    network, layer = ready.extractor.network, ready.extractor.layer
    inputs = ready.extractor.inputs([ready.extractor.preprocessing.apply(PHOTO)])

    def without(units: list[int]) -> np.ndarray:
        with zero_units(network, layer, torch.tensor(units)), torch.no_grad():
            return softmax(network(inputs)[0].numpy())

    assert effect.units == (1, 3)
    assert effect.before == pytest.approx(softmax(shown.logits), abs=1e-6)
    assert effect.after == pytest.approx(without([1, 3]), abs=1e-5)
    drawn = random_units(len(shown.activations), 2, 7, 5)
    assert {len(set(units.tolist())) for units in drawn} == {2}
    assert effect.random == pytest.approx(np.stack([without(units.tolist()) for units in drawn]), abs=1e-5)
    again = ablate_photo(ready, shown, [1, 3], draws=7, seed=5)
    assert again.random.tobytes() == effect.random.tobytes()
    assert ablate_photo(ready, shown, [1, 3], draws=7, seed=6).random.tobytes() != effect.random.tobytes()


def test_twenty_draws_where_the_head_is_linear(ready):
    shown = ready.explain_photo(PHOTO)
    assert len(ablate_photo(ready, shown, [0]).random) == (20 if ready.head.linear else 5)


def test_the_median_the_range_and_how_often_the_answer_stays():
    def effect(first: list[float]) -> PhotoEffect:
        random = np.array([[value, 0.6 - value / 2, 0.4 - value / 2] for value in first], np.float32)
        return PhotoEffect((2,), 0, np.array([0.9, 0.1, 0], np.float32), np.array([0.2, 0.7, 0.1], np.float32), random)

    found = effect([0.8, 0.1, 0.5, 0.9])
    assert found.of_random(0) == pytest.approx((0.1, 0.65, 0.9))
    assert found.still == 3  # of 0.1 the second class has 0.55
    assert found.now == 1
    assert effect([0.8, 0.1, 0.5]).of_random(0)[1] == pytest.approx(0.5)


def test_a_unit_that_the_layer_does_not_have_is_refused(ready):
    shown = ready.explain_photo(PHOTO)
    with pytest.raises(InputError, match="There is no unit 999"):
        ablate_photo(ready, shown, [999])


def test_the_chart_has_a_diamond_for_random_units():
    figure = ablation_charts.shift_bars(["Bird"], [0.9], [0.2], ["#000000"], [(0.5, 0.8, 0.85)])
    diamond = figure.data[2]
    assert list(diamond.x) == [0.8]
    assert diamond.error_x.array == pytest.approx((0.05,))
    assert diamond.error_x.arrayminus == pytest.approx((0.3,))
    assert len(ablation_charts.shift_bars(["Bird"], [0.9], [0.2], ["#000000"]).data) == 2
