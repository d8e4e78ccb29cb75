"""Which layers can be looked into: by watching a forward pass, with nothing left behind."""

import copy

import pytest
import torch
from torch import nn

from interpret.errors import InputError
from interpret.models.layers import Layer, check_layer, default_layer, layers, observe
from interpret.models.layout import Layout
from interpret.models.zoo import find_family, seeded
from tests.conftest import TinyNet, hooks_of, state_of


def default(network: nn.Module, size: tuple[int, int] = (64, 64)) -> str:
    return default_layer(observe(network, size))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("efficientnet_lite0", "bn2"),
        ("vgg16", "features.29"),
        ("alexnet", "features.11"),
        ("resnet50", "layer4"),
        ("squeezenet1_1", "features"),
        ("mobilenet_v3_small", "features"),
        ("shufflenet_v2_x0_5", "conv5"),
        ("googlenet", "inception5b"),
        ("mnasnet0_5", "layers"),
        ("swin_t", "permute"),
        ("convnext_tiny", "features"),
    ],
)
def test_the_default_layer(name, layer):
    family = find_family(name)
    network = seeded(family.build)
    observed = observe(network, family.preprocessing.size)
    assert default_layer(observed, name) == layer
    assert observed.logits.shape == (1, 1000)
    assert hooks_of(network) == 0
    chosen = check_layer(observed, layer)
    assert chosen.height == chosen.width > 1


def test_the_default_layer_of_the_lites_is_the_activated_one():
    """timm's bn2 normalises and then activates: its output lies within ReLU6's 0..6 and touches zero."""
    network = seeded(find_family("efficientnet_lite0").build).eval()
    seen = {}
    handles = [
        network.bn2.register_forward_hook(lambda _m, _i, out: seen.update(layer=out.clone())),
        network.conv_head.register_forward_hook(lambda _m, _i, out: seen.update(before=out.clone())),
    ]
    with torch.no_grad():
        network(torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)))
    for handle in handles:
        handle.remove()
    assert seen["layer"].shape == (1, 1280, 7, 7)
    assert seen["before"].min() < 0
    normed = nn.functional.batch_norm(
        seen["before"],
        network.bn2.running_mean,
        network.bn2.running_var,
        network.bn2.weight,
        network.bn2.bias,
        eps=1e-3,
    )
    torch.testing.assert_close(seen["layer"], normed.clamp(0, 6))


def test_the_list_by_hand():
    assert layers(TinyNet(units=12), (64, 48)) == [
        Layer("first", "Conv2d", 8, 32, 24),
        Layer("norm", "BatchNorm2d", 8, 32, 24),
        Layer("second", "Conv2d", 12, 16, 12),
        Layer("act", "ReLU", 12, 16, 12),
    ]
    assert default(TinyNet()) == "act"


def test_the_network_is_left_as_it_was():
    network = TinyNet()
    network.first.eval()  # a mixture of modes, as where normalisation is frozen
    network.second.weight.requires_grad_(False)
    own = network.act.register_forward_hook(lambda *_: None)
    before, content = state_of(network), copy.deepcopy(network.state_dict())
    layers(network, (64, 64))
    assert state_of(network) == before
    assert all(torch.equal(content[name], value) for name, value in network.state_dict().items())
    own.remove()


class Failing(TinyNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        super().forward(x)
        raise RuntimeError("out of luck.\nwith a second line")


def test_a_network_that_fails_is_left_as_it_was_too():
    network = Failing()
    before = state_of(network)
    with pytest.raises(InputError, match=r"image of 64 x 64 pixels: out of luck\.$"):
        layers(network, (64, 64))
    assert state_of(network) == before


class Spread(nn.Module):
    """A network written with nested blocks, shared activation, dropout and pooling at the end of a block."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.body = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.drop = nn.Dropout(0.5)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flat = nn.Flatten()
        self.head = nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.a(x))
        x = self.drop(self.body(self.relu(x)))
        return self.head(self.flat(self.pool(x)))


def test_pooling_dropout_and_shared_activations_are_passed_over():
    network = Spread()
    assert default(network) == "body.1"
    assert [item.name for item in layers(network, (8, 8))] == ["a", "body.0", "body.1", "body.2", "body", "drop"]
    with pytest.raises(InputError, match=r"'relu' is used 2 times .* such as"):
        check_layer(observe(network, (8, 8)), "relu")


class ClassMaps(nn.Module):
    """Ends with one map per class and pooling, without weights after it."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
        self.classes = nn.Conv2d(8, 5, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.pool(self.classes(self.body(x))).flatten(1)


def test_maps_of_the_classes_themselves_are_no_units():
    assert default(ClassMaps()) == "body"


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 8, stride=8)
        self.block = nn.Linear(8, 8)
        self.head = nn.Linear(8, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.block(self.embed(x).flatten(2).transpose(1, 2)).mean(dim=1))


def test_tokens_have_the_grid_of_the_patch_embedding():
    """The mean over tokens reads all of them: the block is taken, and an earlier layer may be named."""
    torch.manual_seed(0)
    network = Tokens()
    observed = observe(network, (64, 64))
    assert default_layer(observed) == "block"
    assert check_layer(observed, "block") == Layer("block", "Linear", 8, 8, 8, Layout((0, 2, 1), (8, 8)))
    assert check_layer(observed, "embed") == Layer("embed", "Conv2d", 8, 8, 8)


def test_a_network_without_any_grid_is_refused():
    with pytest.raises(InputError, match="no layer with spatial extent"):
        default(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 4)))


def test_a_network_that_gives_maps_is_refused():
    with pytest.raises(InputError, match="only classifiers"):
        layers(nn.Sequential(nn.Conv2d(3, 4, 3)), (16, 16))


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("secnd", r"no layer 'secnd'; .*second"),
        ("layer4", r"no layer 'layer4'; choose another, such as act, second, norm, first\."),
        ("head", r"'head' has no spatial extent \(its output is 3\)"),
        ("", r"no layer ''"),
    ],
)
def test_a_layer_that_does_not_do_is_said_with_others_that_do(layer, words):
    network = TinyNet(classes=3)
    with pytest.raises(InputError, match=words):
        check_layer(observe(network, (64, 64)), layer)


def test_a_layer_that_never_runs_is_said():
    network = TinyNet()
    network.unused = nn.Conv2d(3, 3, 1)
    with pytest.raises(InputError, match="no single grid"):
        check_layer(observe(network, (64, 64)), "unused")
