"""Sparse codes over a layer: the formulas of their kinds by hand, and a network run with one against brute force."""

import copy
import pickle

import pytest
import torch
from torch import nn

import interpret
from interpret import models
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.explanation.gradcam import explain
from interpret.models.codes import SparseCode
from interpret.models.head import find_head
from interpret.models.hooks import capture, zero_units
from tests import small_transformers as small
from tests.conftest import state_of

OFF = torch.tensor([0, 3])


def drawn(channels: int, latents: int, **more) -> SparseCode:
    """A code of random numbers with an error that is far from zero."""
    numbers = torch.Generator().manual_seed(latents)
    shapes = {"encoder": (latents, channels), "bias": (latents,), "decoder": (latents, channels)}
    shapes |= {"offset": (channels,), "centre": (channels,)}
    tensors = {name: torch.randn(shape, generator=numbers) * 0.3 for name, shape in shapes.items()}
    return SparseCode(**tensors, path="drawn", format="drawn", sha256="0" * 64, **more)


def by_hand(**more) -> SparseCode:
    return SparseCode(
        encoder=torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, -1.0], [1.0, 1.0]]),
        bias=torch.tensor([0.0, -1.0, 0.0, 0.5]),
        decoder=torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, -1.0]]),
        offset=torch.tensor([0.1, 0.2]),
        centre=torch.tensor([1.0, 1.0]),
        **more,
    )


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [2.0, 1.0, 0.0, 3.5]),  # W (x - 1) + b = 2, 1, -3, 3.5
        ({"thresholds": torch.tensor([2.0, 0.5, -9.0, 3.5])}, [0.0, 1.0, 0.0, 0.0]),  # above it, not at it
        ({"k": 2}, [2.0, 0.0, 0.0, 3.5]),
        ({"k": 2, "grouped": True}, [2.0, 0.0, 0.0, 3.5]),
        ({"k": 4, "grouped": True}, [2.0, 1.0, 0.0, 3.5]),
        ({"k": 1, "grouped": True}, [0.0, 0.0, 0.0, 3.5]),
    ],
)
def test_each_kind_encodes_and_decodes_as_by_hand(more, expected):
    code = by_hand(**more)
    x = torch.tensor([3.0, 2.0]).view(1, 2, 1, 1).expand(2, 2, 3, 4)
    z = code.encode(x)
    assert z.shape == (2, 4, 3, 4)
    assert z[1, :, 2, 3].tolist() == expected
    a, b, c, d = expected
    assert torch.allclose(code.decode(z)[0, :, 0, 1], torch.tensor([a + c + 2 * d + 0.1, b + c - d + 0.2]))
    assert torch.equal(code.encode(x)[0, :, 0, 0], code.encode(x[:1, :, :1, :1])[0, :, 0, 0])


class Convolutional(nn.Module):
    """A small network whose head is not linear, or is where ``flat`` is False."""

    def __init__(self, flat: bool) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            self.features = nn.Sequential(nn.Conv2d(3, 6, 3, stride=2), nn.ReLU(inplace=True))
            self.head = nn.Sequential(nn.Flatten(), nn.Linear(6 * 49, 8), nn.ReLU(), nn.Linear(8, 4))
            self.linear = nn.Linear(6, 4)
        self.flat = flat

    def forward(self, x):
        features = self.features(x)
        return self.head(features) if self.flat else self.linear(features.mean((2, 3)))


def coded(network: nn.Module, side: int, code: SparseCode, layer: str | None = None) -> models.Classifier:
    preprocessing = Preprocessing(size=(side, side), resize=side, mean=(0.5,) * 3, std=(0.5,) * 3)
    names = [f"class {index}" for index in range(network(torch.zeros(1, 3, side, side)).shape[1])]
    return models.wrap(network, name="n", class_names=names, preprocessing=preprocessing, layer=layer, codes=code)


CASES = [
    (lambda: Convolutional(flat=False), 16, "features", {}, "offset"),
    (lambda: Convolutional(flat=True), 16, "features", {"k": 3}, "outside"),
    (small.vit, small.SIDE, "blocks.1", {"k": 4}, "outside"),  # a class token beside the errors
    (small.vit, small.SIDE, "blocks.1.mlp.act", {}, "inputs"),  # a residual connection passes it by
    (small.swin, small.SIDE, "layers.0.blocks.1", {}, "outside"),
]


@pytest.mark.parametrize(("build", "side", "layer", "more", "reads"), CASES)
def test_nothing_ablated_is_the_network_and_a_latent_ablated_is_its_direction_taken_away(
    build, side, layer, more, reads
):
    network = build().eval()
    plain = next(one for one in models.layers(network, (side, side)) if one.name == layer)
    code = drawn(plain.channels, 10, **more)
    made = coded(network, side, code, layer)
    assert (made.n_units, made.hook_point.layer) == (10, layer)
    point, before = made.hook_point, state_of(network)
    images = torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        logits = network(images)
        with capture(network, plain.hook_point) as captured:
            network(images)
    original, tokens = captured.activations, captured.outside
    z = code.encode(original)
    assert (original - code.decode(z)).abs().max() > 0.05  # a true error, which completeness must not hide

    def replaced(activations: torch.Tensor) -> torch.Tensor:
        """The network with the layer's channels replaced, by a hook of our own; differentiable."""
        output = plain.layout.output(activations, tokens)
        handle = network.get_submodule(layer).register_forward_hook(lambda *_: output)
        try:
            return network(images)
        finally:
            handle.remove()

    # Nothing ablated: the network's own answer.
    found = explain(network, point, images)
    assert torch.allclose(found.logits, logits, atol=1e-5)
    assert torch.equal(found.activations, z)
    head = find_head(network, point, images)
    assert head.reads == reads
    beside = {"inputs": images, "outside": found.outside}.get(reads)
    if reads == "offset":
        beside = head.offset(logits, z.mean((2, 3)))
    head = head.given(beside)
    assert torch.allclose(head.logits(z), logits, atol=1e-5)

    # Two latents ablated: A - z_0 d_0 - z_3 d_3, with what the code does not explain as it was.
    directions = code.directions(z.device)
    by_hand = original - sum(z[:, unit, None] * directions[unit].view(1, -1, 1, 1) for unit in OFF.tolist())
    with torch.no_grad():
        expected = replaced(by_hand)
        assert (expected - logits).abs().max() > 1e-3
        with zero_units(network, point, OFF):
            assert torch.allclose(network(images), expected, atol=1e-5)
        mask = torch.zeros(3, 10, dtype=torch.bool)
        mask[1, OFF] = True
        with zero_units(network, point, mask):
            assert torch.allclose(network(images), torch.stack([logits[0], expected[1], logits[2]]), atol=1e-5)
    ablated = z.clone()
    ablated[:, OFF] = 0.0
    assert torch.allclose(head.logits(ablated), expected, atol=1e-5)
    assert torch.allclose(head.on_cpu.logits(ablated), expected, atol=1e-5)
    private = pickle.loads(pickle.dumps(interpret.ablated(network, point, OFF.tolist())))
    assert torch.allclose(private(images), expected, atol=1e-5)

    # Gradients: those of the logits with respect to z, the error held fixed.
    leaf = z.clone().requires_grad_(True)
    answer = replaced(code.decode(leaf) + (original - code.decode(z)))
    (gradient,) = torch.autograd.grad(answer.gather(1, found.targets[:, None]).sum(), leaf)
    assert torch.allclose(found.alphas, gradient.mean((2, 3)), atol=1e-6)
    expected_map = torch.einsum("bk,bkhw->bhw", gradient.mean((2, 3)), z).relu()
    assert torch.allclose(found.maps, expected_map, atol=1e-6)
    assert state_of(network) == before


def test_a_linear_head_through_the_decoder_needs_pooled_latents_alone():
    network, code = Convolutional(flat=False).eval(), drawn(6, 10)
    made = coded(network, 16, code)
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    head = find_head(network, made.hook_point, images)
    assert head.linear
    assert torch.allclose(head.weight, network.linear.weight @ code.decoder.T, atol=1e-6)
    found = explain(network, made.hook_point, images)
    features = found.activations.mean((2, 3))
    with pytest.raises(ValueError, match="offset"):
        head.from_features(features)
    with pytest.raises(ValueError, match="offset"):
        head.logits(found.activations)
    offset = head.offset(found.logits, features)
    error = network.features(images) - code.decode(found.activations)
    by_hand = (error.mean((2, 3)) + code.offset) @ network.linear.weight.T + network.linear.bias
    assert torch.allclose(offset, by_hand, atol=1e-5)
    assert torch.allclose(head.given(offset).from_features(features), found.logits, atol=1e-6)


def test_a_network_of_another_type_gets_its_own_type_back():
    network = Convolutional(flat=True).double().eval()
    made = coded(copy.deepcopy(network).float(), 16, drawn(6, 10), "features")
    images = torch.rand(2, 3, 16, 16, dtype=torch.float64)
    with torch.no_grad(), zero_units(network, made.hook_point, torch.zeros(0, dtype=torch.int64)):
        assert torch.allclose(network(images), network(images), atol=1e-5)
        assert network(images).dtype == torch.float64


def test_codes_of_another_layer_and_halves_of_latents_are_refused():
    network = Convolutional(flat=True)
    with pytest.raises(InputError, match=r"with 5 channels, but 'features' has 6; choose the layer"):
        coded(network, 16, drawn(5, 10), "features")
    made = coded(network, 16, drawn(6, 10), "features")
    (layer,) = [one for one in models.layers(network, (16, 16)) if one.name == "features"]
    with pytest.raises(InputError, match="leave one out"):
        made.with_layer(layer, signed=True, code=drawn(6, 10))


class Halves:
    """A code that is no SparseCode: each channel's two halves, made in Python."""

    channels, latents, path, format, sha256 = 6, 12, "halves", "made in Python", "1" * 64

    def encode(self, activations):
        return torch.cat([activations.relu(), (-activations).relu()], dim=1)

    def decode(self, latents):
        positive, negative = latents.chunk(2, dim=1)
        return positive - negative

    def directions(self, device):
        return torch.cat([torch.eye(6), -torch.eye(6)]).to(device)


def test_any_object_with_the_same_attributes_is_a_code():
    network = Convolutional(flat=True).eval()
    network.features[1] = nn.Tanh()  # units of both signs
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(4))
    made = coded(network, 16, Halves(), "features")
    signed = models.wrap(
        network, name="n", class_names=made.class_names, preprocessing=made.preprocessing, layer="features", signed=True
    )
    found, expected = (explain(network, one.hook_point, images) for one in (made, signed))
    assert torch.allclose(found.activations, expected.activations)
    assert torch.allclose(found.alphas, expected.alphas, atol=1e-7)
    assert not found.outside.any()  # nothing is left over
    answers = []
    for one in (made, signed):
        with torch.no_grad(), zero_units(network, one.hook_point, OFF):
            answers.append(network(images))
    assert torch.allclose(*answers, atol=1e-6)


def test_a_code_is_sent_without_its_copies_on_devices():
    code = by_hand()
    x = torch.rand(1, 2, 2, 2)
    z = code.encode(x)
    assert code._elsewhere
    sent = pickle.loads(pickle.dumps(code))
    assert not sent._elsewhere
    assert torch.equal(sent.encode(x), z)
