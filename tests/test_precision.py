import pytest
import torch
import torchvision
from torch import nn

from interpret.errors import InputError
from interpret.explanation.gradcam import explain
from interpret.models import precision
from interpret.models.precision import choose_device, choose_precision, prepare
from interpret.threads import one_thread
from tests.conftest import state_of

CPU = torch.device("cpu")


def inputs(batch=2, side=64):
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(4)) * 2 - 1


@pytest.mark.slow
def test_the_backbone_changes_type_and_the_head_does_not():
    torch.manual_seed(0)
    network = torchvision.models.vgg11(weights=None).eval()
    before = state_of(network)
    ready = prepare(network, "features.19", CPU, "bfloat16", inputs(1))
    assert state_of(network) == before
    kinds = {name: parameter.dtype for name, parameter in ready.named_parameters()}
    assert kinds["features.3.weight"] == kinds["features.18.bias"] == torch.bfloat16
    assert kinds["features.0.weight"] == kinds["classifier.0.weight"] == kinds["classifier.6.bias"] == torch.float32
    exact, rough = explain(network, "features.19", inputs()), explain(ready, "features.19", inputs())
    assert rough.logits.dtype == torch.float32
    # bfloat16 keeps 8 bits; a head in float32 makes its logits differ by what the backbone rounds and no more
    assert torch.allclose(exact.logits, rough.logits, atol=0.02 * float(exact.logits.abs().max()))
    assert not torch.equal(exact.logits, rough.logits)


@pytest.mark.slow
def test_the_first_convolutions_stay_in_float32_as_far_as_they_are_cheap():
    """ResNet18's second convolution and VGG11's would bring the sum above the 6 % allowed, ResNet50's third."""
    torch.manual_seed(0)
    exact = {}
    for name, layer in (("resnet18", "layer4"), ("resnet50", "layer4"), ("vgg11", "features.19")):
        network = torchvision.models.get_model(name, weights=None).eval()
        ready = prepare(network, layer, CPU, "bfloat16", inputs(1))
        convolutions = [(a, m) for a, m in ready.named_modules() if isinstance(m, nn.Conv2d)]
        exact[name] = [a for a, m in convolutions if m.weight.dtype == torch.float32]
    assert exact == {"resnet18": ["conv1"], "resnet50": ["conv1", "layer1.0.conv1"], "vgg11": ["features.0"]}


@pytest.mark.slow
def test_rounding_begins_behind_the_first_convolutions():
    """Batch norm, residual sums and a branch that joins see float32 and bfloat16 mixed, and the network still runs."""
    torch.manual_seed(0)
    network = torchvision.models.resnet50(weights=None).eval()
    ready = prepare(network, "layer4", CPU, "bfloat16", inputs(1))
    seen = {}
    for name in ("maxpool", "layer1.0.conv2", "layer2.0.conv1"):
        ready.get_submodule(name).register_forward_hook(lambda _m, _i, output, name=name: seen.update({name: output}))
    with torch.no_grad():
        ready(inputs())
        expected = network.maxpool(network.relu(network.bn1(network.conv1(inputs()))))
    assert torch.allclose(seen["maxpool"], expected, atol=1e-5)
    assert seen["layer1.0.conv2"].dtype == seen["layer2.0.conv1"].dtype == torch.bfloat16


def test_float32_is_the_same_network():
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None).eval()
    ready = prepare(network, "layer4", CPU, "float32", inputs(1))
    with torch.no_grad():
        assert torch.allclose(network(inputs()), ready(inputs()), rtol=1e-4, atol=1e-5)


def test_a_network_that_cannot_be_cut_by_type_says_so():
    class Straddles(nn.Module):
        """Uses the layer's output together with something computed in the backbone's type."""

        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 4, 3, padding=1)  # always float32
            self.stem = nn.Conv2d(4, 4, 3, padding=1)
            self.layer = nn.Conv2d(4, 4, 3, padding=1)
            self.head = nn.Conv2d(4, 2, 1)

        def forward(self, x):
            stem = self.stem(self.first(x))
            self.layer(stem)
            return self.head(stem).mean(dim=(2, 3))

    with pytest.raises(InputError, match="float32"):
        prepare(Straddles(), "layer", CPU, "bfloat16", inputs(1))


def test_bfloat16_is_chosen_where_this_processor_is_faster_at_it(monkeypatch):
    threads = torch.get_num_threads()
    precision._gain.cache_clear()
    times = iter([0.008] * 6 + [0.004] * 6 + [0.008] * 6 + [0.007] * 6)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    monkeypatch.setattr(precision, "_seconds", lambda _: next(times))
    assert choose_precision("auto", CPU) == "bfloat16"
    precision._gain.cache_clear()
    assert choose_precision("auto", CPU) == "float32"  # hardly faster, and less exact
    precision._gain.cache_clear()
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    assert choose_precision("auto", CPU) == "float32"  # nothing is measured
    precision._gain.cache_clear()
    assert torch.get_num_threads() == threads


def test_what_a_product_takes_is_measured():
    precision._gain.cache_clear()
    with one_thread("cpu"):
        small, large = (min(precision._seconds(torch.ones(side, side)) for _ in range(20)) for side in (64, 512))
    assert 0 < small < large


def test_choices():
    assert choose_precision("float32", CPU) == "float32"
    assert choose_precision("bfloat16", CPU) == "bfloat16"
    with pytest.raises(InputError, match="float16"):
        choose_precision("float16", CPU)
    assert choose_device("cpu") == CPU
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="--device cuda"):
            choose_device("cuda")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(("precision", "least"), [("float32", 0.9999), ("bfloat16", 0.98), ("float16", 0.99)])
def test_maps_on_a_gpu_follow_those_of_the_processor(precision, least):
    torch.manual_seed(0)
    network = torchvision.models.resnet18(weights=None).eval()
    exact = explain(network, "layer4", inputs(4, 128))
    device = torch.device("cuda")
    ready = prepare(network, "layer4", device, precision, inputs(1, 128))
    found = explain(ready, "layer4", inputs(4, 128).to(device), exact.targets.to(device))
    for a, b in zip(exact.maps.flatten(1), found.maps.cpu().flatten(1), strict=True):
        assert torch.corrcoef(torch.stack([a, b]))[0, 1] >= least
