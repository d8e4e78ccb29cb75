"""A network of the user's own: from a function or an archive, found again by its study, and run only where allowed."""

import dataclasses
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from interpret import pipeline
from interpret.cli.main import main
from interpret.config import ModelConfig
from interpret.errors import InputError
from interpret.explanation.photo import make_explainer
from interpret.explanation.study_network import network_of
from interpret.models import load, own_network
from interpret.study import open_study
from tests.conftest import TinyNet, draw_photos
from tests.test_pipeline import config

CODE = """
import warnings

import torch
from torch import nn

import interpret
from parts import head

def build():
    first = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 12, 3, 2, 1), nn.ReLU())
    return nn.Sequential(first, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head(12, 3))

def classifier():
    names = ["class 0", "class 1", "class 2"]
    small = interpret.Preprocessing((32, 32), 32)
    return interpret.wrap(build(), name="any", class_names=names, preprocessing=small, layer="0.1")

def breaks():
    return nn.Linear(3, "four")

def number():
    return 4

def scripted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(nn.Sequential(nn.Flatten(), head(3, 3)), torch.zeros(1, 3))
"""
PARTS = "from torch import nn\n\ndef head(units, classes):\n    return nn.Linear(units, classes)\n"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with the code of a network, which imports what lies beside it."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "nets_of_test.py").write_text(CODE)
    (tmp_path / "code" / "parts.py").write_text(PARTS)
    yield tmp_path / "code"
    for name in ("parts", "nets_of_test", "unitscope_own_nets_of_test"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("model", "own"),
    [
        ("nets.py:build", True),
        ("my_project.nets:build", True),
        ("net.pt2", True),
        ("C:/nets.pt2", True),
        ("resnet18", False),
        ("timm/convnext_tiny.in12k_ft_in1k", False),
        ("hf-hub:user/repo", False),
    ],
)
def test_code_is_told_from_architectures(model, own):
    assert own_network.is_own(model) is own


def test_a_function_gives_the_network_and_the_caller_keeps_path_and_random_state(folder):
    before, path = torch.random.get_rng_state(), list(sys.path)
    first = load(ModelConfig(model=f"{folder}/nets_of_test.py:build", input_size=32))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert sys.path == path
    second = load(ModelConfig(model=f"{folder}/nets_of_test.py:build", input_size=32))
    assert first.weights_digest == second.weights_digest, "initial weights are the same every time"
    assert (first.name, first.layer) == ("nets_of_test.py:build", "0")
    assert (first.preprocessing.size, first.preprocessing.resize) == ((32, 32), 36)
    assert first.class_names == ("class 0", "class 1", "class 2")
    assert first.config is not None
    assert first.config.model == f"{folder}/nets_of_test.py:build"
    assert not first.network.training


def test_a_module_is_found_from_the_current_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert load(ModelConfig(model="nets_of_test:build")).name == "nets_of_test:build"
    by_file = load(ModelConfig(model="nets_of_test.py:build"))
    assert by_file.config is not None
    assert by_file.config.model == f"{folder}/nets_of_test.py:build", "it is found from another folder too"


def test_a_checkpoint_goes_into_the_network(folder, tmp_path):
    network = load(ModelConfig(model=f"{folder}/nets_of_test.py:build")).network
    state = {name: tensor + 1 for name, tensor in network.state_dict().items()}
    torch.save(state, tmp_path / "mine.pt")
    loaded = load(ModelConfig(model=f"{folder}/nets_of_test.py:build", weights=str(tmp_path / "mine.pt")))
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded.network.state_dict().items())


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("nets_of_test.py:breaks", "raised TypeError in line 20 of nets_of_test.py"),
        ("nets_of_test.py:number", "returned a int"),
        ("nets_of_test.py:scripted", "no TorchScript"),
        ("nets_of_test.py:bild", "has no function 'bild'; it has head, build"),
        ("other.py:build", "There is no file"),
        ("no_such_module_anywhere:build", "finds no module 'no_such_module_anywhere'"),
        ("net.pt2", "There is no file"),
    ],
)
def test_one_sentence_says_what_does_not_fit(folder, monkeypatch, model, words):
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match=words) as caught:
        load(ModelConfig(model=model))
    assert "\n" not in str(caught.value)


def test_where_folders_are_restricted_code_runs_only_if_allowed_and_from_them(folder, monkeypatch, tmp_path):
    ran = tmp_path / "ran"
    (folder / "nets_of_test.py").write_text(CODE + f"\nimport pathlib\npathlib.Path({str(ran)!r}).touch()\n")
    model = ModelConfig(model=f"{folder}/nets_of_test.py:build")
    with pytest.raises(InputError, match="UNITSCOPE_ALLOW_CODE=1"):
        load(model, roots=[tmp_path])
    monkeypatch.setenv("UNITSCOPE_ALLOW_CODE", "1")
    with pytest.raises(InputError, match="lies outside of the folders"):
        load(model, roots=[tmp_path / "elsewhere"])
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match="lies outside of the folders"):
        load(ModelConfig(model="nets_of_test:build"), roots=[tmp_path / "elsewhere"])
    with pytest.raises(InputError, match="lies outside of the folders"):
        load(ModelConfig(model="os:getcwd"), roots=[tmp_path])
    assert not ran.exists()
    assert load(model, roots=[tmp_path.resolve()]).name == "nets_of_test.py:build"
    assert ran.exists()


@pytest.mark.slow
def test_its_study_is_explained_again_in_another_process_and_folder(folder, tmp_path, monkeypatch):
    """As a researcher does it: run by name from the code's folder, then reopened from somewhere else."""
    pictures = draw_photos(tmp_path / "photos", each=4, size=(32, 32))
    command = [sys.executable, "-m", "interpret", "run", "--images", str(pictures), "--study", str(tmp_path / "study")]
    command += ["--model", "nets_of_test.py:classifier", "--precision", "float32", "--device", "cpu"]
    root = str(Path(__file__).parents[1])
    found = {**os.environ, "PYTHONPATH": root}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=found)
    assert done.returncode == 0, done.stderr
    study = open_study(tmp_path / "study")
    assert (study.model, study.n_units, study.wrapped_class) == ("nets_of_test.py:classifier", 8, None)
    monkeypatch.chdir(tmp_path)
    classifier = network_of(study)
    explainer = make_explainer(classifier, study.extract_config)
    photo = study.photo(0)
    assert photo is not None
    explained = explainer.explain_photo(photo)
    assert explained.predicted == int(study.images["predicted"][0])
    assert np.isclose(explained.probabilities.max(), study.images["confidence"][0], atol=1e-5)
    (folder / "nets_of_test.py").unlink()
    with pytest.raises(InputError, match="There is no file"):
        network_of(study)


@pytest.mark.slow
def test_an_archive_gives_the_same_study_as_the_network_that_was_exported(tmp_path):
    torch.manual_seed(7)
    network = TinyNet().eval()
    path = tmp_path / "tiny.pt2"
    any_batch = ({0: torch.export.Dim.DYNAMIC},)
    torch.export.save(torch.export.export(network, (torch.rand(2, 3, 32, 32),), dynamic_shapes=any_batch), path)
    options = ModelConfig(model=str(path), layer="act", precision="float32", device="cpu")
    archived = load(options)
    assert archived.preprocessing.size == (32, 32)
    assert set(archived.network.state_dict()) >= set(network.state_dict())
    pictures = draw_photos(tmp_path / "photos", each=4, size=(32, 32))
    run = dataclasses.replace(config(pictures), model=options)
    study = pipeline.run(run, tmp_path / "archived")
    eager = pipeline.run(
        run, tmp_path / "eager", classifier=dataclasses.replace(archived, network=network, config=None)
    )
    assert study.counts.patches == eager.counts.patches > 0
    assert (study.patches["x0"].to_numpy() == eager.patches["x0"].to_numpy()).all()
    assert np.allclose(study.features, eager.features, atol=1e-5)
    assert network_of(study).weights_digest == study.weights_digest
    with torch.no_grad():  # what is pickled has the weights of now, not those of the file
        archived.network.get_parameter("head.bias").add_(0.5)
    again = pickle.loads(pickle.dumps(own_network.PickledArchive(path, archived.network)))
    images = torch.rand(3, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(again(images), archived.network(images))
        assert not torch.equal(again(images), network(images))
    torch.export.save(torch.export.export(network, (torch.rand(2, 3, 32, 32),)), tmp_path / "two.pt2")
    with pytest.raises(InputError, match="exported for batches of 2"):
        load(ModelConfig(model=str(tmp_path / "two.pt2")))
    (tmp_path / "bad.pt2").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match=r"is no archive of torch\.export"):
        load(ModelConfig(model=str(tmp_path / "bad.pt2")))


def test_the_command_models_lists_its_layers(folder, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["models", "--layers", "nets_of_test.py:build"]) == 0
    assert "0.2" in capsys.readouterr().out
