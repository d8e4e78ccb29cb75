"""The demo's dictionary: what its codes give back, how it is learned, and a study of its latents on every page."""

import numpy as np
import pytest
import torch

from interpret import models, pipeline
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.demo import codes
from interpret.demo.draw import sample
from interpret.demo.network import UNITS, trained
from interpret.demo.train import normalise
from interpret.explanation.photo import make_explainer
from interpret.explanation.study_network import network_of
from interpret.models.code_files import read_codes
from interpret.study import open_study
from tests.shown_pages import show, words_on
from tests.small_study import studies


@pytest.fixture(scope="module")
def unseen():
    drawn = torch.from_numpy(np.stack([sample(index, "test1").image for index in range(20)]))
    with torch.inference_mode():
        found = trained().get_submodule("features")(normalise(drawn))
    return found.permute(0, 2, 3, 1).reshape(-1, UNITS).numpy().astype(np.float64)


def test_the_committed_codes_give_most_of_the_layer_back_with_few_latents(unseen):
    code = read_codes("demo")
    assert (code.channels, code.latents, code.format, code.path) == (UNITS, codes.LATENTS, "SAELens, jumprelu", "demo")
    rows = torch.from_numpy(unseen.reshape(20, 14, 14, UNITS)).permute(0, 3, 1, 2).float()
    z = code.encode(rows)
    error = rows - code.decode(z)
    variance = (rows - rows.mean(dim=(0, 2, 3), keepdim=True)).square().sum()
    assert 1 - error.square().sum() / variance > 0.95
    assert (z > 0).sum(dim=1).float().mean() < 5 < (rows > 0).sum(dim=1).float().mean()
    tensors = {"W_enc": code.encoder.T, "b_enc": code.bias, "threshold": code.thresholds}
    tensors |= {"W_dec": code.decoder, "b_dec": code.offset}
    latents, decoded = codes.encode(unseen, tensors)
    assert z.permute(0, 2, 3, 1).reshape(-1, codes.LATENTS).numpy() == pytest.approx(latents, abs=1e-3)
    assert (rows - error).permute(0, 2, 3, 1).reshape(-1, UNITS).numpy() == pytest.approx(decoded, abs=1e-3)


def test_learning_finds_the_directions_that_data_were_made_of_and_gives_the_same_twice(tmp_path):
    numbers = np.random.default_rng(5)
    made_of = np.abs(numbers.normal(size=(6, 16))) * (numbers.random((6, 16)) < 0.4)
    made_of /= np.linalg.norm(made_of, axis=1, keepdims=True)
    amounts = numbers.exponential(6.0, (3000, 6)) * (numbers.random((3000, 6)) < 0.2)
    rows = amounts @ made_of
    found = codes.learn(rows, latents=6, price=0.5)
    directions = found["W_dec"].numpy()
    alike = (directions / np.linalg.norm(directions, axis=1, keepdims=True)) @ made_of.T
    assert (alike.max(axis=0) > 0.95).all()
    latents, decoded = codes.encode(rows, found)
    assert 1 - ((rows - decoded) ** 2).sum() / ((rows - rows.mean(axis=0)) ** 2).sum() > 0.9
    assert ((latents > 0).sum(axis=1).mean()) < 2.5  # 1.2 are in a row
    again = codes.learn(rows, latents=6, price=0.5)
    assert all(torch.equal(found[name], again[name]) for name in found)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    root = tmp_path_factory.mktemp("coded")
    config = RunConfig(
        images=open_study(studies() / "demo").images_source,
        model=ModelConfig(model="demo", precision="float32", device="cpu", codes="demo"),
        extract=ExtractConfig(contrast=4),
        mine=MineConfig(top_units=8),
    )
    return pipeline.run(config, root / "demo")


def test_a_study_of_the_demos_latents_predicts_as_the_network_does(study):
    plain = open_study(studies() / "demo")
    assert study.n_units == codes.LATENTS
    assert study.manifest["codes"]["path"] == "demo"
    assert study.images["predicted"].tolist() == plain.images["predicted"].tolist()
    assert study.images["confidence"].to_numpy() == pytest.approx(plain.images["confidence"].to_numpy(), abs=1e-6)
    assert study.weights_digest == plain.weights_digest
    assert study.key != plain.key
    classifier = network_of(study)
    weight = trained().get_submodule("classifier").weight
    explainer = make_explainer(classifier, study.extract_config)
    assert torch.allclose(explainer.head.weight, weight @ classifier.layout.code.decoder.T, atol=1e-5)
    with pytest.raises(models.classifier.InputError, match="channels"):
        models.load(ModelConfig(model="demo", layer="features.0", codes="demo"))


@pytest.mark.parametrize("page", [f"pages/{name}.py" for name in ("study", "explain", "class_specific", "unit")])
def test_pages_show_a_study_of_latents(study, monkeypatch, page):
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(study.folder.parent))
    units = study.patches["units"].iloc[0]
    query = {
        "pages/explain.py": {"image": "0", "off": f"{units[0]}-{units[1]}"},
        "pages/unit.py": {"unit": str(units[0])},
    }
    app = show(page, **query.get(page, {}))
    assert not app.error
    said = words_on(app)
    if page == "pages/study.py":
        assert "128 units, which are latents of sparse codes over its 96 channels" in said
    if page == "pages/explain.py":
        assert "Without as many random ones" in said
    if page == "pages/unit.py":
        assert app.number_input(key="unit_number").max == codes.LATENTS - 1
        assert "128 latents of sparse codes" in app.number_input(key="unit_number").help
