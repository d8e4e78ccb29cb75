import pytest
import torch
from torch import nn

from interpret.errors import InputError
from interpret.models.hooks import capture, evaluating, find_module, replace, watch, zero_units
from tests.conftest import state_of


@pytest.fixture
def inputs():
    return torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def contexts(network):
    activations = torch.rand(4, 12, 8, 8)
    return {
        "capture": lambda: capture(network, "act"),
        "capture with gradient": lambda: capture(network, "act", gradient=True),
        "zero_units": lambda: zero_units(network, "act", torch.tensor([1, 2])),
        "replace": lambda: replace(network, "act", activations),
        "watch": lambda: watch(network, lambda *_: None),
        "evaluating": lambda: evaluating(network),
    }


@pytest.mark.parametrize("name", list(contexts(nn.Identity())))
@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_left_behind_even_after_an_exception(tiny, inputs, name, training):
    tiny.train(training)
    tiny.norm.eval()  # a mode of its own, as in fine-tuning with frozen statistics
    before = state_of(tiny)
    with contexts(tiny)[name](), torch.no_grad():
        tiny(inputs)
    assert state_of(tiny) == before

    def fail():
        with contexts(tiny)[name](), torch.no_grad():
            tiny(inputs)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert state_of(tiny) == before
    assert torch.is_grad_enabled()


def test_capture_is_what_the_layer_gives(tiny, inputs):
    with torch.no_grad():
        expected = torch.relu(tiny.second(torch.relu(tiny.norm(tiny.first(inputs)))))
        with capture(tiny, "act") as captured:
            tiny(inputs)
    assert torch.equal(captured.activations, expected)


def test_an_in_place_activation_after_the_layer_does_not_change_what_was_captured(inputs):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.LazyLinear(2)).eval()
    with torch.no_grad():
        expected_logits = network(inputs)
        expected = network[0](inputs)
    assert (expected < 0).any()
    for gradient in (False, True):
        with capture(network, "0", gradient=gradient) as captured, torch.no_grad():
            logits = network(inputs)
        assert torch.equal(captured.activations, expected)
        assert torch.equal(logits, expected_logits)


def test_zeroing_a_unit_equals_removing_its_weights(tiny, inputs):
    with torch.no_grad(), zero_units(tiny, "act", torch.tensor([0, 5])):
        found = tiny(inputs)
    with torch.no_grad():
        tiny.head.weight[:, [0, 5]] = 0.0
        assert torch.allclose(found, tiny(inputs), atol=1e-6)


def test_zeroing_by_a_mask_gives_each_image_its_own_units(tiny, inputs):
    mask = torch.zeros(4, 12, dtype=torch.bool)
    mask[0, 3] = mask[2, 4] = True
    with torch.no_grad():
        plain = tiny(inputs)
        with zero_units(tiny, "act", mask):
            found = tiny(inputs)
        with zero_units(tiny, "act", torch.tensor([3])):
            three = tiny(inputs)
    assert torch.allclose(found[0], three[0])
    assert torch.allclose(found[1], plain[1])
    assert torch.allclose(found[3], plain[3])
    assert not torch.allclose(found[2], plain[2])


def test_a_missing_layer_and_one_without_extent_are_named(tiny, inputs):
    with pytest.raises(InputError, match="'nowhere'"):
        find_module(tiny, "nowhere")
    with pytest.raises(InputError, match=r"'head' gives \(4, 3\)"), capture(tiny, "head"):
        tiny(inputs)
    pooled = nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    with pytest.raises(InputError, match="single spatial location"), capture(pooled, "1"):
        pooled(inputs)
    assert state_of(pooled)[0] == 0
