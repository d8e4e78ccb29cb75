"""Grad-CAM against hand-worked numbers, captum and pytorch-grad-cam."""

import copy
import functools
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import numpy as np
import pytest
import torch
from torch import nn

from interpret.errors import InputError
from interpret.explanation import gradcam
from interpret.explanation.gradcam import explain
from interpret.explanation.upsampling import upsample
from tests.conftest import state_of


def random_inputs(batch=3, side=96, seed=0):
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


class Copy(nn.Module):
    """A layer that hands its input on, pooling, and a linear map with known weights: Grad-CAM by hand."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Identity()
        self.head = nn.Linear(3, 2, bias=False)
        with torch.no_grad():
            self.head.weight.copy_(torch.tensor([[2.0, -1.0, 0.5], [-1.0, 3.0, 0.0]]))

    def forward(self, x):
        return self.head(self.layer(x).mean(dim=(2, 3)))


def test_hand_worked_map():
    image = torch.zeros(1, 3, 2, 2)
    image[0, 0] = torch.tensor([[4.0, 0.0], [0.0, 0.0]])
    image[0, 1] = torch.tensor([[0.0, 8.0], [0.0, 0.0]])
    image[0, 2] = torch.tensor([[0.0, 0.0], [4.0, 0.0]])
    found = explain(Copy(), "layer", image, torch.tensor([0]))
    # y_0 = 2 * 1 - 1 * 2 + 0.5 * 1 = 0.5; d y_0 / d A_kij = w_k / 4, and so is its mean
    assert found.logits[0].tolist() == [0.5, 5.0]
    assert found.alphas[0].tolist() == [0.5, -0.25, 0.125]
    assert found.maps[0].tolist() == [[2.0, 0.0], [0.5, 0.0]]  # 0.5*4, ReLU(-0.25*8), 0.125*4
    predicted = explain(Copy(), "layer", image)
    assert predicted.targets.tolist() == [1]
    assert predicted.maps[0].tolist() == [[0.0, 6.0], [0.0, 0.0]]


def test_upsampling_interpolates_between_the_centres_of_locations_and_scales_to_the_maximum():
    maps = torch.tensor([[[0.0, 2.0]], [[0.0, 0.0]]])
    large = upsample(maps, 1, 4)
    # centres of the two locations are pixels 0.5 and 2.5 of four: 0, 0.25, 0.75, 1 of the way, then divided by the peak
    assert large[0, 0].tolist() == [0.0, 0.25, 0.75, 1.0]
    assert large[1].max() == 0.0


def networks():
    import timm
    import torchvision

    return {
        "resnet50": (lambda: torchvision.models.resnet50(weights=None), "layer4"),
        "vgg16": (lambda: torchvision.models.vgg16(weights=None), "features.29"),
        "efficientnet_lite0": (lambda: timm.create_model("tf_efficientnet_lite0"), "bn2"),
    }


@functools.cache
def calibrated(name: str) -> nn.Module:
    """A network with random weights whose batch statistics are real, so that its maps are not all zero."""
    torch.manual_seed(11)
    network = networks()[name][0]()
    network.train()
    with torch.no_grad():
        network(random_inputs(8, seed=5))
    return network.eval()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "vgg16", "efficientnet_lite0"])
def test_equals_captum_and_pytorch_grad_cam(name):
    from captum.attr import LayerGradCam
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    layer = networks()[name][1]
    network = calibrated(name)
    inputs = random_inputs()
    before = state_of(network)
    found = explain(network, layer, inputs)
    assert state_of(network) == before
    with torch.no_grad():
        assert torch.allclose(found.logits, network(inputs), rtol=1e-5, atol=1e-5)

    module = network.get_submodule(layer)
    captums = LayerGradCam(network, module).attribute(inputs, target=found.targets, relu_attributions=True)
    captums = captums.detach()[:, 0]
    peak = captums.amax(dim=(1, 2), keepdim=True)
    assert (peak > 0).all()
    assert torch.allclose(found.maps / peak, captums / peak, atol=1e-4)

    targets = [ClassifierOutputTarget(int(t)) for t in found.targets]
    with GradCAM(model=network, target_layers=[module]) as cam:
        theirs = cam(input_tensor=inputs, targets=targets)  # each map from 0 to 1 at the input's size
    ours = upsample(found.maps, *inputs.shape[2:])
    low = ours.min(axis=(1, 2), keepdims=True)
    ours = (ours - low) / (ours.max(axis=(1, 2), keepdims=True) - low)
    # they stretch each map to 0..1 before they enlarge it (with OpenCV), and once more after
    assert np.abs(ours - theirs).max() < 1e-4


@pytest.mark.slow
def test_maps_of_other_classes_equal_captums():
    from captum.attr import LayerGradCam

    network = calibrated("resnet50")
    inputs = random_inputs(2)
    targets = torch.tensor([3, 700])
    found = explain(network, "layer4", inputs, targets).maps
    theirs = (
        LayerGradCam(network, network.layer4).attribute(inputs, target=targets, relu_attributions=True)[:, 0].detach()
    )
    assert torch.allclose(found, theirs, atol=1e-4 * float(theirs.max()))


def dense(*head: nn.Module) -> nn.Sequential:
    """A convolution, and a head such as VGG's from it to seven classes."""
    torch.manual_seed(3)
    first, last = nn.Linear(8 * 4, 16), nn.Linear(16, 7)
    layers = [nn.Conv2d(3, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(2), nn.Flatten()]
    return nn.Sequential(*layers, first, nn.ReLU(inplace=True), nn.Dropout(), *head, last).eval()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("head", "at_once"), [([], True), ([nn.ReLU()], True), ([nn.Softplus()], False)])
def test_further_classes_in_one_backward_pass_are_as_each_alone(head, at_once):
    network, inputs = dense(*head), random_inputs(6, 32)
    further = torch.tensor([[1, 2, 3], [0, -1, 4], [6, 5, -1], [-1, -1, -1], [2, 2, 0], [3, 1, 6]])
    copies = [copy.deepcopy(network) for _ in range(4)]
    at_once_or_not = mock.patch.object(gradcam, "_alphas_at_once", wraps=gradcam._alphas_at_once)
    with at_once_or_not as passes, ThreadPoolExecutor(2) as threads:  # extraction explains pieces on a thread each
        found = list(threads.map(lambda own: explain(own, "0", inputs, further=lambda _: further), copies))
    assert passes.called == at_once
    for each in found:
        for place in range(3):
            alone = explain(network, "0", inputs, further[:, place].clamp_min(0))
            held = further[:, place] >= 0
            assert torch.allclose(each.contrast.alphas[held, place], alone.alphas[held], rtol=1e-6, atol=1e-9)
            assert torch.allclose(each.contrast.maps[held, place], alone.maps[held], rtol=1e-5, atol=1e-8)
            assert not each.contrast.alphas[~held, place].any()
        predicted = explain(network, "0", inputs)
        assert torch.allclose(each.alphas, predicted.alphas, rtol=1e-6, atol=1e-9)
        assert each.contrast.alphas.any()


def test_a_batch_explains_each_image_as_it_would_alone(tiny):
    inputs = random_inputs(5, 32)
    together = explain(tiny, "act", inputs)
    for i in range(5):
        alone = explain(tiny, "act", inputs[i : i + 1])
        assert torch.allclose(alone.maps[0], together.maps[i], atol=1e-6)
        assert torch.allclose(alone.alphas[0], together.alphas[i], atol=1e-7)


def test_works_when_the_network_was_left_in_training_mode_or_frozen(tiny):
    inputs = random_inputs(2, 32)
    expected = explain(tiny, "act", inputs)
    tiny.train()
    tiny.requires_grad_(False)
    before = state_of(tiny)
    found = explain(tiny, "act", inputs)
    assert state_of(tiny) == before
    assert torch.equal(found.maps, expected.maps)
    assert torch.is_grad_enabled()


def test_a_layer_without_a_part_in_the_output_is_refused(tiny):
    class Aside(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = tiny
            self.unused = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            self.unused(x)
            return self.inner(x)

    with pytest.raises(InputError, match="no part"):
        explain(Aside(), "unused", random_inputs(2, 32))
