"""One loader for the network of a study: what it checks, and who uses it."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from interpret import models, pipeline
from interpret.cli.main import main
from interpret.config import ModelConfig
from interpret.dissection.dissect import dissect
from interpret.errors import InputError
from interpret.evaluation.heads import load_head
from interpret.evaluation.heldout import heldout
from interpret.explanation.study_network import check_same_network, network_of
from interpret.study import Study, open_study
from pages.shared.backend.model import ready_model
from tests.conftest import draw_photos
from tests.test_pipeline import SMALL, config, tiny_classifier

pytestmark = pytest.mark.slow


class LeftHalf:
    """Masks of one part, the left half of every photo."""

    parts = ("left half",)
    class_parts = None

    def of(self, name: str) -> dict[str, np.ndarray]:
        mask = np.zeros((32, 32), bool)
        mask[:, :16] = True
        return {"left half": mask}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "set", each=4, size=(32, 32))


@pytest.fixture(scope="module")
def wrapped(pictures, tmp_path_factory) -> Study:
    """A study of a network that was given from Python."""
    return pipeline.run(config(pictures), tmp_path_factory.mktemp("studies") / "tiny", classifier=tiny_classifier())


@pytest.fixture(scope="module")
def by_name(pictures, tmp_path_factory) -> Study:
    """A study of a network that can be loaded again, at a layer that is not its default."""
    options = ModelConfig(
        model="resnet18", weights="random", input_size=32, layer="layer2", precision="float32", device="cpu"
    )
    own = dataclasses.replace(config(pictures), model=options)
    return pipeline.run(own, tmp_path_factory.mktemp("studies") / "resnet")


def with_manifest(study: Study, **changed) -> Study:
    return Study(study.folder, {**study.manifest, **changed})


def as_written_before(study: Study) -> Study:
    """The manifest that earlier versions wrote for a wrapped network: named after the default model."""
    manifest = {name: value for name, value in study.manifest.items() if name not in ("wrapped", "network_class")}
    stages = {**manifest["config"], "model": dataclasses.asdict(ModelConfig(precision="float32", device="cpu"))}
    return Study(study.folder, {**manifest, "config": stages})


def test_the_manifest_says_whether_the_network_can_be_loaded_again(wrapped, by_name):
    manifest = json.loads((wrapped.folder / "manifest.json").read_text())
    assert (manifest["wrapped"], manifest["network_class"]) == (True, "TinyNet")
    assert manifest["config"]["model"]["model"] == manifest["model"] == "tiny"
    assert manifest["config"]["model"]["layer"] == "act"
    assert by_name.manifest["wrapped"] is False
    assert by_name.model_config == ModelConfig(
        model="resnet18", weights="random", input_size=32, layer="layer2", precision="float32", device="cpu"
    )


def test_a_network_loaded_by_name_is_recorded_under_its_own_options(pictures, tmp_path):
    given = models.load(ModelConfig(model="resnet18", weights="random", input_size=32))
    study = pipeline.run(config(pictures), tmp_path / "study", classifier=given)
    assert study.model_config == ModelConfig(
        model="resnet18", weights="random", input_size=32, precision="float32", device="cpu"
    )
    assert network_of(study).weights_digest == given.weights_digest


def test_a_network_is_loaded_with_its_layer_spelled_out(by_name):
    unsaid = {**by_name.manifest["config"], "model": {**by_name.manifest["config"]["model"], "layer": None}}
    found = network_of(with_manifest(by_name, config=unsaid))
    assert found.layer == by_name.layer == "layer2"
    assert found.weights_digest == by_name.manifest["weights"]["digest"]
    assert found.preprocessing == by_name.preprocessing


@pytest.mark.parametrize("make", [lambda study: study, as_written_before], ids=["as written now", "as written before"])
def test_a_wrapped_network_is_asked_for_and_never_replaced_by_another(wrapped, make):
    study = make(wrapped)
    with pytest.raises(InputError, match=r"given from Python \(a TinyNet\).*interpret.wrap\(.*layer='act'\)"):
        network_of(study)
    classifier = tiny_classifier()
    assert network_of(study, classifier).network is classifier.network


def test_everyone_who_needs_the_network_asks_the_one_loader(wrapped, pictures, capsys):
    said = r"given from Python \(a TinyNet\)"
    with pytest.raises(InputError, match=said):
        dissect(wrapped, images=str(pictures), masks=LeftHalf())
    with pytest.raises(InputError, match=said):
        load_head(wrapped, device="cpu")
    with pytest.raises(InputError, match=said):
        heldout(wrapped, str(pictures), device="cpu")
    with pytest.raises(InputError, match=said):
        ready_model(wrapped)
    assert main(["evaluate", str(wrapped.folder), "--images", str(pictures), "--device", "cpu"]) == 2
    assert "given from Python" in capsys.readouterr().err


def test_the_command_does_not_judge_a_wrapped_network_by_another_one_s_units(wrapped, pictures, tmp_path, capsys):
    """Before, units of EfficientNet-Lite0 were compared with the masks, wherever the indices fitted."""
    from PIL import Image

    for photo in pictures.rglob("*.png"):
        folder = tmp_path / "masks" / photo.relative_to(pictures).with_suffix("")
        folder.mkdir(parents=True)
        Image.new("L", (32, 32), 255).save(folder / "whole.png")
    command = ["dissect", str(wrapped.folder), "--images", str(pictures), "--masks", str(tmp_path / "masks")]
    assert main(command) == 2
    assert "given from Python" in capsys.readouterr().err


def test_dissection_checks_the_weights_of_the_network_given(wrapped, pictures):
    with pytest.raises(InputError, match="weights of the network given are not those"):
        dissect(wrapped, images=str(pictures), masks=LeftHalf(), classifier=tiny_classifier(seed=9))


def test_weights_that_changed_since_the_network_was_wrapped_are_noticed(wrapped):
    classifier = tiny_classifier()
    with torch.no_grad():
        classifier.network.head.weight += 0.01
    with pytest.raises(InputError, match="weights of the network given are not those"):
        network_of(wrapped, classifier)


def test_a_study_of_a_network_trained_since_it_was_wrapped_is_another_study(wrapped, pictures, tmp_path):
    """Before, the digest was that of the moment of wrapping, and the older study was given back."""
    classifier = tiny_classifier()
    with torch.no_grad():
        classifier.network.head.weight += 0.01
    with pytest.raises(InputError, match="already holds a study of other"):
        pipeline.run(config(pictures), wrapped.folder, classifier=classifier)
    study = pipeline.run(config(pictures), tmp_path / "trained", classifier=classifier)
    assert study.weights_digest != wrapped.weights_digest
    found = network_of(study, classifier)
    assert found.weights_digest == study.weights_digest
    on = heldout(study, str(pictures), device="cpu", classifier=classifier)
    check_same_network(study, on)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layer": "first"}, "layer 'first'.*'act'"),
        ({"class_names": ("class 1", "class 0", "class 2")}, "class names"),
        (
            {"preprocessing": dataclasses.replace(SMALL, mean=(0.4, 0.5, 0.5))},
            "preprocessing",
        ),
    ],
)
def test_a_network_given_otherwise_than_the_study_says_is_refused(wrapped, changed, said):
    with pytest.raises(InputError, match=said):
        network_of(wrapped, dataclasses.replace(tiny_classifier(), **changed))


def test_a_layer_of_another_size_is_refused(wrapped, by_name):
    with pytest.raises(InputError, match="has 12 units, but 13"):
        network_of(with_manifest(wrapped, n_units=13), tiny_classifier())
    with pytest.raises(InputError, match="has 128 units, but 64"):
        network_of(with_manifest(by_name, n_units=64))


def test_class_names_of_another_number_than_the_outputs_are_refused(by_name):
    names = by_name.class_names[:-1]
    with pytest.raises(InputError, match=rf"has {len(names) + 1:,} outputs, but .* names {len(names):,} classes"):
        network_of(with_manifest(by_name, class_names=names))


def test_other_weights_on_this_machine_are_refused(by_name):
    weights = {**by_name.manifest["weights"], "digest": "0" * 16}
    with pytest.raises(InputError, match="weights of resnet18 on this machine are not those"):
        network_of(with_manifest(by_name, weights=weights))


def test_a_checkpoint_that_is_gone_is_asked_for_by_its_path(by_name, tmp_path):
    gone = tmp_path / "mine.safetensors"
    recorded = by_name.manifest["config"]
    model = {**recorded["model"], "weights": str(gone)}
    study = Study(by_name.folder, {**by_name.manifest, "config": {**recorded, "model": model}})
    with pytest.raises(InputError, match=f"checkpoint {gone} that .* put it back there"):
        network_of(study)


def test_two_studies_of_one_network_are_told_from_two_of_different_ones(wrapped, by_name):
    check_same_network(wrapped, open_study(wrapped.folder))
    for other, said in (
        (by_name, "weights are not those"),
        (with_manifest(wrapped, layer="first"), "layer is not that"),
        (with_manifest(wrapped, n_units=5), "number of units is not that"),
    ):
        with pytest.raises(InputError, match=rf"another network \(its {said} of"):
            check_same_network(wrapped, other)


def test_the_study_s_own_input_counts_where_a_library_states_another_now(by_name):
    stated = {**by_name.preprocessing.to_dict(), "mean": [0.1, 0.2, 0.3]}
    assert network_of(with_manifest(by_name, preprocessing=stated)).preprocessing.mean == (0.1, 0.2, 0.3)
