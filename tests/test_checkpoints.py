"""A researcher's own checkpoint: every usual form is read, and what does not fit is one sentence."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from interpret.config import ModelConfig
from interpret.data.class_names import imagenet
from interpret.errors import InputError
from interpret.models import Preprocessing, load, zoo
from tests.conftest import TinyNet

SMALL = "mobilenet_v3_small"


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
        ({"model": "timm/test_vit4", "weights": None}, "--weights"),
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
