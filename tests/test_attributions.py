"""Attributions beside Grad-CAM: captum's own numbers on a tiny network, and patches and units by the same rules."""

import sys

import numpy as np
import pytest
import torch
from PIL import Image

from interpret import models
from interpret.config import ExtractConfig
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.explanation import attributions
from interpret.explanation.attributions import ABLATION_CAM, INTEGRATED_GRADIENTS, METHODS, OCCLUSION
from interpret.explanation.patches import cut
from interpret.explanation.photo import make_explainer
from interpret.models.hooks import zero_units
from tests.conftest import TinyNet, hooks_of, state_of

PHOTO = Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def ready():
    torch.manual_seed(3)
    preprocessing = Preprocessing(size=(32, 32), resize=32)
    classifier = models.wrap(TinyNet(), name="tiny", class_names=("a", "b", "c"), preprocessing=preprocessing)
    return make_explainer(classifier, ExtractConfig(tau=0.6, stored_units=6))


@pytest.fixture(scope="module")
def shown(ready):
    return ready.explain_photo(PHOTO)


def input_of(ready) -> torch.Tensor:
    return ready.extractor.inputs([ready.extractor.preprocessing.apply(PHOTO)]).contiguous()


def grid_map(pixels: torch.Tensor, side: int) -> np.ndarray:
    """Pixels (1, 3, 32, 32), summed over colours and averaged over a grid of side x side."""
    step = 32 // side
    return pixels[0].sum(0).reshape(side, step, side, step).mean(dim=(1, 3)).clamp_min(0).detach().numpy()


def assert_same_map(found: np.ndarray, grid: np.ndarray) -> None:
    """The map is the grid's, upsampled and divided by its maximum."""
    large = torch.nn.functional.interpolate(torch.from_numpy(grid)[None, None], size=found.shape, mode="bilinear")
    large = large[0, 0].numpy()
    assert large.max() > 0
    assert found == pytest.approx(large / large.max(), abs=1e-4)


def test_occlusion_is_captums(ready, shown):
    from captum.attr import Occlusion

    pixels = Occlusion(ready.extractor.network).attribute(
        input_of(ready), sliding_window_shapes=(3, 8, 8), strides=(3, 4, 4), target=shown.target
    )
    found = attributions.attribute(ready, PHOTO, shown, OCCLUSION)
    assert_same_map(found.heat, grid_map(pixels, shown.activations.shape[1]))


def test_integrated_gradients_are_captums_and_add_up(ready, shown):
    from captum.attr import IntegratedGradients

    inputs = input_of(ready).requires_grad_()
    pixels = IntegratedGradients(ready.extractor.network).attribute(inputs, target=shown.target, n_steps=32)
    found = attributions.attribute(ready, PHOTO, shown, INTEGRATED_GRADIENTS)
    assert_same_map(found.heat, grid_map(pixels, shown.activations.shape[1]))
    with torch.no_grad():
        ends = ready.extractor.network(torch.cat([inputs, torch.zeros_like(inputs)]))[:, shown.target]
    assert float(pixels.detach().sum()) == pytest.approx(float(ends[0] - ends[1]), rel=0.05)


def test_ablation_cam_weighs_each_unit_by_what_its_ablation_costs(ready, shown):
    network, layer, inputs = ready.extractor.network, ready.extractor.layer, input_of(ready)
    falls = []
    with torch.no_grad():
        for unit in range(len(shown.activations)):
            with zero_units(network, layer, torch.tensor([unit])):
                falls.append(shown.logits[shown.target] - float(network(inputs)[0, shown.target]))
    grid = np.maximum(np.tensordot(np.array(falls, np.float32), shown.activations, axes=1), 0)
    found = attributions.attribute(ready, PHOTO, shown, ABLATION_CAM)
    assert_same_map(found.heat, grid)
    assert not np.allclose(found.heat, shown.heat, atol=1e-3), "else nothing was compared"


def test_ablation_cam_of_a_head_that_is_no_linear_map():
    torch.manual_seed(4)
    layers = (torch.nn.Conv2d(3, 5, 8, stride=8), torch.nn.ReLU(), torch.nn.Flatten())
    network = torch.nn.Sequential(*layers, torch.nn.Linear(80, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
    preprocessing = Preprocessing(size=(32, 32), resize=32)
    classifier = models.wrap(network, name="mlp", class_names=("a", "b", "c"), preprocessing=preprocessing, layer="1")
    ready = make_explainer(classifier, ExtractConfig())
    assert not ready.head.linear
    shown = ready.explain_photo(PHOTO)
    falls = [shown.logits[shown.target] - ready.logits_without(shown, (unit,))[shown.target] for unit in range(5)]
    grid = np.maximum(np.tensordot(np.array(falls, np.float32), shown.activations, axes=1), 0)
    assert_same_map(attributions.attribute(ready, PHOTO, shown, ABLATION_CAM).heat, grid)


@pytest.mark.parametrize("method", METHODS)
def test_patches_and_units_follow_the_rules_of_grad_cam(ready, shown, method):
    found = attributions.attribute(ready, PHOTO, shown, method)
    patches = cut(found.heat, ready.extractor.config)
    assert len(patches.boxes)
    assert np.array_equal(found.input_boxes, patches.boxes)
    assert found.masses == pytest.approx(patches.masses, abs=1e-5)
    scale = 32 // shown.activations.shape[1]
    for (x0, y0, x1, y1), units, scores in zip(found.input_boxes, found.units, found.scores, strict=True):
        pixels = np.kron(shown.activations, np.ones((1, scale, scale), np.float32))[:, y0:y1, x0:x1]
        expected = shown.alphas * pixels.mean(axis=(1, 2))
        order = [unit for unit in np.argsort(-expected, kind="stable")[:6] if expected[unit] > 0]
        assert units[units >= 0].tolist() == order
        assert scores[: len(order)] == pytest.approx(expected[order], rel=1e-3)
    assert (found.target, found.size) == (shown.target, shown.size)
    assert found.logits is shown.logits
    again = attributions.attribute(ready, PHOTO, shown, method)
    assert again.heat.tobytes() == found.heat.tobytes()


def test_the_networks_are_left_as_they_were(ready, shown):
    before, random = state_of(ready.extractor.network), torch.get_rng_state()
    heat = shown.heat.copy()
    for method in METHODS:
        with torch.inference_mode():
            attributions.attribute(ready, PHOTO, shown, method)
    assert state_of(ready.extractor.network) == before
    assert hooks_of(ready.extractor.network) == 0
    assert torch.equal(torch.get_rng_state(), random)
    assert np.array_equal(shown.heat, heat)


def test_the_strongest_units_are_those_of_the_largest_patch(ready, shown):
    assert attributions.strongest_units(shown, 3) == shown.units[0][:3].tolist()
    assert attributions.strongest_units(shown, 99) == [unit for unit in shown.units[0].tolist() if unit >= 0]


def test_what_cannot_be_computed_is_one_sentence(ready, shown, monkeypatch):
    with pytest.raises(InputError, match="There is no attribution 'tea leaves'; choose one of Ablation-CAM, occlusion"):
        attributions.attribute(ready, PHOTO, shown, "tea leaves")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setitem(sys.modules, "captum", None)
    with pytest.raises(InputError, match="captum, which is not installed here; get it with: pip install captum"):
        attributions.attribute(ready, PHOTO, shown, OCCLUSION)
