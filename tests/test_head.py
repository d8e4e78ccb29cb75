import pytest
import torch
import torchvision
from torch import nn

from interpret.errors import InputError
from interpret.models.head import find_head
from interpret.models.hooks import capture, zero_units
from tests.conftest import state_of


def inputs(batch=3, side=64):
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(2)) * 2 - 1


def test_pool_and_linear_is_recognised_and_exact(tiny):
    before = state_of(tiny)
    head = find_head(tiny, "act", inputs())
    assert state_of(tiny) == before
    assert head.linear
    with torch.no_grad(), capture(tiny, "act") as captured:
        logits = tiny(inputs())
    assert torch.allclose(head.logits(captured.activations), logits, atol=1e-6)
    assert torch.allclose(head.from_features(captured.activations.mean(dim=(2, 3))), logits, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "layer", "linear"),
    [
        (torchvision.models.vgg11, "features.19", False),
        (torchvision.models.resnet18, "layer4", True),
        (torchvision.models.resnet18, "layer3", False),
        (torchvision.models.mobilenet_v2, "features.18", True),
    ],
)
def test_units_ablated_behind_the_layer_equal_a_hooked_forward_pass(build, layer, linear):
    torch.manual_seed(0)
    network = build(weights=None).eval()
    images = inputs()
    head = find_head(network, layer, images)
    assert head.linear is linear
    off = torch.tensor([0, 3, 5])
    with torch.no_grad():
        with capture(network, layer) as captured:
            network(images)
        activations = captured.activations.clone()
        activations[:, off] = 0.0
        with zero_units(network, layer, off):
            expected = network(images)
        assert torch.allclose(head.logits(activations), expected, atol=1e-4)


def test_where_something_passes_the_layer_by_the_head_is_the_whole_network():
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None).eval()
    before, images, off = state_of(network), inputs(), torch.tensor([1, 4])
    head = find_head(network, "layer3.0.bn1", images)
    assert (head.whole, head.linear, head.reads) == (True, False, "inputs")
    with torch.no_grad(), capture(network, "layer3.0.bn1") as captured:
        logits = network(images)
    activations = captured.activations.clone()
    with pytest.raises(ValueError, match="reads inputs"):
        head.logits(activations)
    assert torch.allclose(head.given(images).logits(activations), logits, atol=1e-6)
    activations[:, off] = 0.0
    with torch.no_grad(), zero_units(network, "layer3.0.bn1", off):
        expected = network(images)
    assert (expected - logits).abs().max() > 1e-3
    assert torch.allclose(head.given(images).logits(activations), expected, atol=1e-6)
    assert torch.allclose(head.given(images[:1]).logits(activations[:1]), expected[:1], atol=1e-5)
    assert state_of(network) == before


def test_a_network_that_answers_differently_each_time_is_refused():
    class Restless(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.head, self.calls = nn.Conv2d(3, 4, 3), nn.Linear(4, 2), 0

        def forward(self, x):
            self.calls += 1
            return self.head(self.layer(x).mean(dim=(2, 3)) ** 2) + self.calls

    with pytest.raises(InputError, match="same output"):
        find_head(Restless().eval(), "layer", inputs())


def test_a_network_that_remembers_its_batch_size_still_has_its_linear_head():
    class Remembers(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(3, 4, 3, padding=1)
            self.head = nn.Linear(4, 2)

        def forward(self, x):
            n = x.shape[0]
            return self.head(self.layer(x).mean(dim=(2, 3)).view(n, 4))

    torch.manual_seed(0)
    assert find_head(Remembers().eval(), "layer", inputs()).linear
