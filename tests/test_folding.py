import copy

import pytest
import timm
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from interpret.explanation.gradcam import explain
from interpret.models.folding import fold_batch_norms
from interpret.models.hooks import capture, zero_units
from interpret.models.precision import prepare
from tests.process_state import state_of

CPU = torch.device("cpu")


def inputs(batch=2, side=64):
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(4)) * 2 - 1


def trained(network):
    """The network with batch norms whose statistics and weights are not those of a new one."""
    generator = torch.Generator().manual_seed(8)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.running_mean, -0.3, 0.3),
                (module.running_var, 0.5, 2.0),
                (module.weight, 0.5, 1.5),
                (module.bias, -0.3, 0.3),
            ):
                if tensor is not None:
                    tensor.data.copy_(low + (high - low) * torch.rand(tensor.shape, generator=generator))
    return network.eval()


class Pair(nn.Module):
    """A convolution and its batch norm, and a head; ``forward`` may be replaced."""

    def __init__(self, bias=True, **options):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, bias=bias, **options)
        self.bn = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.last = nn.Conv2d(6, 4, 3)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.head(self.relu(self.bn(self.conv(x))))

    def head(self, x):
        return self.fc(self.last(x).mean(dim=(2, 3)))


def folded_pairs(network, layer="last", sample=None):
    """Fold a copy; the names folded, after a check that its answer is the same."""
    private = copy.deepcopy(network)
    folded = fold_batch_norms(private, layer, inputs(1, 16) if sample is None else sample)
    with torch.no_grad():
        x = inputs(3, 16) if sample is None else sample
        assert torch.allclose(private(x), network(x), rtol=1e-5, atol=1e-5)
    return folded


@pytest.mark.parametrize("options", [{}, {"bias": False}, {"stride": 2, "padding": 1}, {"groups": 3, "dilation": 2}])
def test_a_pair_is_folded_to_the_formula(options):
    torch.manual_seed(0)
    network = trained(Pair(**options))
    private = copy.deepcopy(network)
    assert fold_batch_norms(private, "last", inputs(1, 16)) == ["conv"]
    bn, factor = network.bn, network.bn.weight / torch.sqrt(network.bn.running_var + network.bn.eps)
    bias = 0 if network.conv.bias is None else network.conv.bias
    assert torch.allclose(private.conv.weight, network.conv.weight * factor[:, None, None, None], atol=1e-7)
    assert torch.allclose(private.conv.bias, (bias - bn.running_mean) * factor + bn.bias, atol=1e-6)
    x = inputs(2, 16)
    with torch.no_grad():
        assert torch.allclose(private(x), network(x), atol=1e-6)
        assert torch.equal(private.bn(x), x)  # passes on


@pytest.mark.parametrize(
    ("build", "layer", "count"),
    [
        (lambda: torchvision.models.resnet18(weights=None), "layer4", 20),
        (lambda: torchvision.models.vgg11_bn(weights=None, num_classes=10), "features.27", 8),
        # each norm behind a concatenation stays
        (lambda: torchvision.models.densenet121(weights=None), "features.denseblock4", 59),
        (lambda: timm.create_model("tf_efficientnet_lite0"), "bn2", 49),
    ],
    ids=["resnet18", "vgg11_bn", "densenet121", "lite0"],
)
def test_networks_answer_the_same_to_1e_5_and_keep_their_names(build, layer, count):
    torch.manual_seed(0)
    network = trained(build())
    before = state_of(network)
    ready = prepare(network, layer, CPU, "float32", inputs(1))
    assert state_of(network) == before
    assert [name for name, _ in ready.named_modules()] == [name for name, _ in network.named_modules()]
    norms = sum(isinstance(module, nn.BatchNorm2d) for module in network.modules())
    assert norms - sum(isinstance(module, nn.BatchNorm2d) for module in ready.modules()) == count
    x = inputs()
    exact, found = explain(network, layer, x), explain(ready, layer, x)
    for name in ("logits", "activations", "maps"):
        a, b = getattr(exact, name), getattr(found, name)
        assert torch.allclose(a, b, rtol=0, atol=1e-5 * max(1.0, float(a.abs().max()))), name


def used(forward, **more):
    """A trained pair with another forward pass."""
    torch.manual_seed(0)
    network = Pair()
    for name, module in more.items():
        setattr(network, name, module)
    kind = type("Other", (Pair,), {"forward": forward})
    network.__class__ = kind
    return trained(network)


def convolution_read_twice(self, x):
    y = self.conv(x)
    return self.head(self.relu(self.bn(y)) + y)


def a_view_is_read(self, x):
    y = self.conv(x)
    return self.head(self.relu(self.bn(y)) + y.detach().mean())


def convolution_run_twice(self, x):
    return self.head(self.relu(self.bn(self.conv(x))) + self.conv(x.flip(3)))


def norm_run_twice(self, x):
    return self.head(self.bn(self.bn(self.conv(x))))


def weights_used_in_a_function(self, x):
    return self.head(self.bn(self.conv(x)) + F.conv2d(x, self.conv.weight))


def statistics_read(self, x):
    return self.head(self.bn(self.conv(x)) * self.bn.running_var.mean())


def something_between(self, x):
    return self.head(self.bn(self.conv(x) * 2.0))


@pytest.mark.parametrize(
    "forward",
    [
        convolution_read_twice,
        a_view_is_read,
        convolution_run_twice,
        norm_run_twice,
        weights_used_in_a_function,
        statistics_read,
        something_between,
    ],
)
def test_a_pair_stays_where_something_else_reads_what_would_change(forward):
    assert folded_pairs(used(forward)) == []


def test_the_chosen_layer_is_seen_as_it_is():
    torch.manual_seed(0)
    network = trained(Pair())
    assert folded_pairs(network, "conv") == []
    assert folded_pairs(network, "bn") == ["conv"]
    x, units = inputs(2, 16), torch.tensor([1, 4])
    for layer in ("conv", "bn", "relu"):
        ready = prepare(network, layer, CPU, "float32", x[:1])
        with torch.no_grad():
            answers = []
            for each in (network, ready):
                with capture(each, layer) as captured:
                    each(x)
                with zero_units(each, layer, units):
                    answers.append((captured.activations, each(x)))
        for a, b in zip(*answers, strict=True):
            assert torch.allclose(a, b, atol=1e-5), layer


def test_a_block_whose_output_is_the_convolution_s_may_be_chosen():
    torch.manual_seed(0)
    network = Pair()
    network.block = nn.Sequential(nn.Identity(), network.conv)
    del network.conv
    network.__class__ = type("Other", (Pair,), {"forward": lambda self, x: self.head(self.bn(self.block(x)))})
    network = trained(network)
    assert folded_pairs(network, "block") == []
    assert folded_pairs(network, "last") == ["block.1"]


@pytest.mark.parametrize("module", ["conv", "bn"])
@pytest.mark.parametrize("kind", ["register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"])
def test_a_module_with_a_hook_of_the_user_s_stays(module, kind):
    torch.manual_seed(0)
    network = trained(Pair())
    getattr(network.get_submodule(module), kind)(lambda *_: None)
    assert folded_pairs(network) == []


def test_shared_and_computed_weights_stay():
    torch.manual_seed(0)
    shared = trained(Pair())
    shared.again = shared.conv
    assert folded_pairs(shared) == []
    tied = trained(Pair())
    tied.other = nn.Conv2d(3, 6, 3)
    tied.other.weight = tied.conv.weight
    assert folded_pairs(tied) == []
    computed = trained(Pair())
    nn.utils.parametrizations.weight_norm(computed.conv)
    assert folded_pairs(computed) == []
    of_the_batch = trained(Pair())
    of_the_batch.bn = nn.BatchNorm2d(6, track_running_stats=False)
    assert folded_pairs(of_the_batch.eval()) == []


def test_a_network_that_takes_another_way_is_left_as_it_is():
    """Its later passes are not like the first, so the answers cannot be compared."""

    def forward(self, x):
        self.passes += 1
        y = self.conv(x)
        return self.head(self.bn(y) * self.passes)

    network = used(forward)
    network.passes = 0
    private = copy.deepcopy(network)
    before = state_of(private)
    assert fold_batch_norms(private, "last", inputs(1, 16)) == []
    assert state_of(private) == before
    assert isinstance(private.bn, nn.BatchNorm2d)
