"""timm's weights by name, from the Hub's cache and from folders: small checkpoints made here, and no network."""

import json
import re

import huggingface_hub
import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from interpret.cli.main import main
from interpret.config import ModelConfig
from interpret.data import class_names
from interpret.data.preprocessing import resized_side
from interpret.errors import InputError
from interpret.models import load, search, timm_models

ARCHITECTURE = "test_vit"
LABELS = ["cat", "dog", "owl"]


@pytest.fixture(autouse=True)
def alone(tmp_path, monkeypatch):
    """Empty caches, and no network."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))


def network(classes: int):
    torch.manual_seed(5)
    return timm.create_model(ARCHITECTURE, pretrained=False, num_classes=classes).eval()


def config(classes: int, **more) -> dict:
    weights = {
        "input_size": [3, 160, 160],
        "fixed_input_size": True,
        "crop_pct": 0.8,
        "mean": [0.4, 0.5, 0.6],
        "std": [0.2, 0.2, 0.3],
    }
    return {
        "architecture": ARCHITECTURE,
        "num_classes": classes,
        "num_features": 64,
        "pretrained_cfg": {
            "tag": "mine",
            "interpolation": "bilinear",
            "fixed_input_size": True,
            "custom": 1,
            **weights,
        },
        **more,
    }


def write(folder, classes: int = 3, **more):
    """A folder as timm's ``push_to_hub`` and ``save_for_hf`` write it."""
    folder.mkdir(parents=True)
    made = network(classes)
    save_file(made.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config(classes, **more)))
    return made


def cached(tmp_path, repository: str, classes: int, **more):
    """The same as huggingface_hub keeps what it has downloaded."""
    inside = tmp_path / "hub" / f"models--{repository.replace('/', '--')}"
    made = write(inside / "snapshots" / "0123abcd", classes, **more)
    (inside / "refs").mkdir()
    (inside / "refs" / "main").write_text("0123abcd")
    return made


def same(loaded, made) -> bool:
    images = torch.rand(2, 3, 160, 160, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return torch.allclose(loaded.network(images), made(images), atol=1e-6)


def test_a_folder_gives_weights_labels_and_preprocessing(tmp_path, monkeypatch):
    made = write(tmp_path / "owls", label_names=LABELS)
    monkeypatch.chdir(tmp_path)
    found = load(ModelConfig(model="./owls"))
    assert same(found, made)
    assert (found.name, found.class_names, found.wnids) == ("owls", tuple(LABELS), ())
    assert found.config.model == str(tmp_path / "owls")  # a study finds it again from any folder
    seen = found.preprocessing
    assert (seen.size, seen.resize, seen.interpolation) == ((160, 160), resized_side(160, 0.8), "bilinear")
    assert (seen.mean, seen.std) == ((0.4, 0.5, 0.6), (0.2, 0.2, 0.3))
    assert found.source == "weights of the folder owls (model.safetensors)"
    assert load(ModelConfig(model=str(tmp_path / "owls"))).weights_digest == found.weights_digest
    with pytest.raises(InputError, match="outside"):
        load(ModelConfig(model=str(tmp_path / "owls")), roots=[(tmp_path / "elsewhere").resolve()])


def test_a_repository_of_the_hub_is_taken_from_its_cache(tmp_path):
    made = cached(tmp_path, "someone/owls", 3, label_names=LABELS)
    said = []
    found = load(ModelConfig(model="hf-hub:someone/owls"), announce=said.append)
    assert same(found, made)
    assert (found.name, found.class_names) == ("hf-hub:someone/owls", tuple(LABELS))
    assert said == []  # nothing is downloaded


def test_timms_own_weights_are_taken_from_the_cache_or_from_where_they_were_put(tmp_path):
    made = cached(tmp_path, "timm/test_vit.r160_in1k", 1000)
    for name in ("timm/test_vit.r160_in1k", "timm/test_vit"):
        found = load(ModelConfig(model=name))
        assert same(found, made)
        assert found.class_names[0] == "tench"
        assert found.wnids[0] == "n01440764"
        assert found.preprocessing.size == (160, 160)
    by_hand = tmp_path / "torch" / "checkpoints" / "test_vit2.r160_in1k.safetensors"
    by_hand.parent.mkdir(parents=True)
    save_file(timm.create_model("test_vit2", pretrained=False).state_dict(), by_hand)
    assert str(by_hand) in load(ModelConfig(model="timm/test_vit2.r160_in1k")).source


def test_without_a_network_one_sentence_says_which_file_to_put_where(tmp_path):
    with pytest.raises(InputError) as caught:
        load(ModelConfig(model="timm/test_vit3.r160_in1k"))
    said = str(caught.value)
    assert "https://huggingface.co/timm/test_vit3.r160_in1k/resolve/main/model.safetensors" in said
    assert f"{tmp_path / 'torch' / 'checkpoints'} as test_vit3.r160_in1k.safetensors" in said
    with pytest.raises(InputError, match=r"config\.json of no/body could not be .* beside config\.json into a folder"):
        load(ModelConfig(model="hf-hub:no/body"))
    with pytest.raises(InputError, match="no name of a repository"):
        load(ModelConfig(model="hf-hub:a/b/c"))


def test_a_download_is_announced_with_its_size_and_goes_into_the_cache(tmp_path, monkeypatch):
    made = write(tmp_path / "server")
    asked = []

    class Answer:
        size = (tmp_path / "server" / "model.safetensors").stat().st_size

    def download(repository, name, revision=None):
        asked.append((repository, name, revision))
        return str(tmp_path / "server" / name)

    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda *_, **__: Answer)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    monkeypatch.setattr(huggingface_hub, "file_exists", lambda *_, **__: True)
    said = []
    found = load(ModelConfig(model="hf-hub:someone/owls@v2"), announce=said.append)
    assert same(found, made)
    assert asked == [("someone/owls", "config.json", "v2"), ("someone/owls", "model.safetensors", "v2")]
    assert len(said) == 2
    assert re.match(
        rf"Downloading model.safetensors of someone/owls \({Answer.size / 1e6:.1f} MB\) from https://", said[1]
    )
    assert found.class_names == ("class 0", "class 1", "class 2")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "names no architecture"),
        (json.dumps({"architectures": ["ViTForImageClassification"]}), "names no architecture"),
        (json.dumps({"architecture": "vit_of_tomorrow"}), "timm does not have"),
        (json.dumps(config(4)), "do not fit test_vit"),
        (json.dumps(config(0)), "have no classes"),
    ],
)
def test_a_folder_that_does_not_fit_is_one_sentence(tmp_path, content, words):
    write(tmp_path / "owls")
    (tmp_path / "owls" / "config.json").write_text(content)
    with pytest.raises(InputError, match=words):
        load(ModelConfig(model=str(tmp_path / "owls")))


def test_a_folder_without_its_files_says_which(tmp_path):
    write(tmp_path / "owls")
    (tmp_path / "owls" / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"no weights in .*owls; put model\.safetensors there"):
        load(ModelConfig(model=str(tmp_path / "owls")))
    (tmp_path / "owls" / "config.json").unlink()
    with pytest.raises(InputError, match=r"config\.json cannot be read"):
        load(ModelConfig(model=str(tmp_path / "owls")))


def test_names_and_tags_that_there_are_not():
    with pytest.raises(InputError, match=r"no weights 'none' of test_vit; choose one of r160_in1k"):
        load(ModelConfig(model="timm/test_vit.none"))
    with pytest.raises(InputError, match="did you mean timm/resnet50"):
        load(ModelConfig(model="timm/resnet500"))


@pytest.mark.parametrize(
    ("count", "wnid", "name"),
    [
        (11821, "n00005787", "benthos (n00005787)"),
        (21841, "n00004475", "organism"),
        (21843, "n00004475", "organism"),
        (11221, "n00005787", "benthos (n00005787)"),
    ],
)
def test_the_other_imagenets_have_names_and_ids(count, wnid, name):
    names, wnids = class_names.imagenet_of(count)
    assert len(names) == len(set(names)) == len(set(wnids)) == count
    assert (wnids[0], names[0]) == (wnid, name)


def test_labels_that_are_ids_are_named_by_their_descriptions():
    described = {"n01440764": "tench, Tinca tinca", "n99999999": "unicorn, a beast"}
    names, wnids = class_names.of_labels(["n99999999", "n01440764", "n88888888"], described)
    assert names == ("unicorn", "tench", "n88888888")
    assert wnids == ("n99999999", "n01440764", "n88888888")
    assert class_names.of_labels(["a", "b", "a"]) == (("a (0)", "b", "a (2)"), ())


def test_models_are_searched(capsys):
    assert main(["models", "--search", "ConvNext_tiny"]) == 0
    listed = capsys.readouterr().out
    assert re.search(r"^ ?convnext_tiny +ImageNet, torchvision", listed, re.MULTILINE)
    assert re.search(r"timm/convnext_tiny\.in12k +11,821 classes, 224 x 224 pixels", listed)
    assert search("no_such_word") == []
    assert main(["models", "--search", "no_such_word"]) == 0
    assert "No model has 'no_such_word'" in capsys.readouterr().out


def test_a_study_of_a_folder_opens_its_network_again(tmp_path):
    from interpret import pipeline
    from interpret.config import ExtractConfig, MineConfig, RunConfig
    from interpret.explanation.study_network import network_of

    write(tmp_path / "owls", label_names=LABELS)
    rng = np.random.default_rng(0)
    (tmp_path / "photos").mkdir()
    for index in range(4):
        pixels = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((160, 160), Image.Resampling.NEAREST).save(tmp_path / "photos" / f"{index}.png")
    study = pipeline.run(
        RunConfig(
            images=str(tmp_path / "photos"),
            model=ModelConfig(model=str(tmp_path / "owls"), precision="float32", device="cpu"),
            extract=ExtractConfig(stored_units=4, contrast=2),
            mine=MineConfig(top_units=2, min_class_patches=1),
        ),
        tmp_path / "study",
    )
    assert (study.model, study.layer, study.class_names) == ("owls", "blocks.4", LABELS)
    assert network_of(study).weights_digest == study.weights_digest
    assert timm_models.in_folder(tmp_path / "owls").class_names == tuple(LABELS)
