"""The network trained on the demo's drawings: its record, its layer and what its training is made of."""

import hashlib
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from interpret.demo import network as demo_network
from interpret.demo.canvas import SIZE
from interpret.demo.draw import sample
from interpret.demo.train import density, fold, normalise, predict, shrink_


@pytest.fixture(scope="module")
def drawn():
    """One hundred and twenty drawings, twelve of each class."""
    return [sample(index, "val") for index in range(120)]


@pytest.fixture(scope="module")
def network():
    built = demo_network.build()
    built.load_state_dict(load_file(demo_network.WEIGHTS))
    return built.eval()


@pytest.fixture(scope="module")
def record():
    return json.loads(demo_network.WEIGHTS.with_suffix(".json").read_text())


def test_the_weights_are_those_of_the_record_and_small(record):
    content = demo_network.WEIGHTS.read_bytes()
    assert hashlib.sha256(content).hexdigest() == record["sha256"]
    assert len(content) < 2_000_000


def test_held_out_accuracy_is_as_recorded(network, drawn, record):
    confusion = np.array(record["confusion"])
    assert confusion.sum() == record["held_out_images"]
    assert record["accuracy"] == pytest.approx(confusion.trace() / confusion.sum())
    assert 0.9 <= record["accuracy"] <= 0.995
    images = np.stack([each.image for each in drawn])
    right = (predict(network, images) == [each.label for each in drawn]).sum()
    # 120 drawings: five standard errors below the record at most
    assert right >= 120 * record["accuracy"] - 5 * np.sqrt(120 * record["accuracy"] * (1 - record["accuracy"])) - 1


def test_the_layer_is_a_rectified_map_of_many_locations_and_the_head_is_linear(network):
    inputs = normalise(torch.from_numpy(np.stack([sample(index).image for index in range(2)])))
    name, _, place = demo_network.LAYER.partition(".")
    assert isinstance(network.get_submodule(name)[int(place)], nn.ReLU)
    assert int(place) == len(network.get_submodule(name)) - 1
    with torch.inference_mode():
        units = network.features(inputs)
        assert units.shape == (2, demo_network.UNITS, 14, 14)
        assert units.min() == 0
        expected = functional.linear(units.mean((2, 3)), network.classifier.weight, network.classifier.bias)
        torch.testing.assert_close(network(inputs), expected)


def test_folding_the_norms_changes_no_answer():
    torch.manual_seed(3)
    trained = demo_network.build(norm=True)
    for module in trained.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.3)
            nn.init.normal_(module.bias)
            module.running_mean.normal_()
            module.running_var.uniform_(0.3, 2)
    inputs = torch.randn(2, 3, SIZE, SIZE)
    with torch.inference_mode():
        torch.testing.assert_close(fold(trained)(inputs), trained.eval()(inputs), rtol=1e-4, atol=1e-4)


def test_links_shrink_by_the_price_and_stay_at_zero():
    links = torch.tensor([[0.5, 0.1, 0.3], [-0.2, 0.0, 1.0]])
    shrink_(links, 0.25)
    torch.testing.assert_close(links, torch.tensor([[0.25, 0.0, 0.05], [0.0, 0.0, 0.75]]))


def test_density_by_hand():
    alike = torch.ones(2, 3, 2, 2)
    assert density(alike) == pytest.approx(1.0, abs=1e-5)
    one = torch.zeros(1, 2, 1, 2)
    one[0, 0, 0, 0] = 4.0
    # unit 0: mean 2, mean square 8: 4 / 8; unit 1: 0. Location 0: mean 2, mean square 8: 1 / 2; cell 1: 0
    assert density(one) == pytest.approx((0.25 + 0.25) / 2, abs=1e-5)
    assert density(one) == pytest.approx(float(density(100 * one)), abs=1e-5)  # whatever the scale
