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


def test_a_layer_that_something_passes_by_is_refused():
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None).eval()
    with pytest.raises(InputError, match="passes it by"):
        find_head(network, "layer3.0.bn1", inputs())


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
