"""Studies whose units are latents of sparse codes: made, kept, opened again, evaluated and explained."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from interpret import models, pipeline
from interpret.cli.main import main
from interpret.config import EvaluateConfig, ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.evaluation import ablation, class_means, contributions, greedy, heads
from interpret.evaluation.evaluate import evaluate
from interpret.evaluation.itemsets.prediction_changes import LinearChanges
from interpret.evaluation.table1 import BASELINE
from interpret.evaluation.unit_list import read_unit_list, unit_list
from interpret.explanation.gradcam import explain
from interpret.explanation.photo import make_explainer
from interpret.explanation.study_network import network_of
from interpret.models.code_files import read_codes
from interpret.models.hooks import zero_units
from interpret.study import open_study
from interpret.study.open import damages
from tests import small_transformers as small
from tests.conftest import TinyNet, draw_photos, state_of

NET = """
import torch
from tests.conftest import TinyNet
def build():
    return TinyNet().eval()
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("pictures"))


def written(folder, channels: int, latents: int = 20, seed: int = 0):
    """Random codes in the format of SAELens, with a true error."""
    folder.mkdir()
    numbers = torch.Generator().manual_seed(seed)
    shapes = {"W_enc": (channels, latents), "b_enc": (latents,), "W_dec": (latents, channels), "b_dec": (channels,)}
    tensors = {name: torch.randn(shape, generator=numbers) * 0.4 for name, shape in shapes.items()}
    save_file(tensors, folder / "sae_weights.safetensors")
    (folder / "cfg.json").write_text(json.dumps({"architecture": "standard", "d_in": channels, "d_sae": latents}))
    return folder


def options(pictures, **model) -> RunConfig:
    return RunConfig(
        images=str(pictures),
        model=ModelConfig(**{"precision": "float32", "device": "cpu", **model}),
        extract=ExtractConfig(stored_units=8, contrast=2),
        mine=MineConfig(top_units=3, min_class_patches=2),
        hold_out=0.0,
        batch_size=4,
        shard_size=8,
    )


def wrapped(network, codes, layer=None, side=32) -> models.Classifier:
    preprocessing = Preprocessing(size=(side, side), resize=side, mean=(0.5,) * 3, std=(0.5,) * 3)
    names = [f"class {index}" for index in range(network(torch.zeros(1, 3, side, side)).shape[1])]
    return models.wrap(network, name="n", class_names=names, preprocessing=preprocessing, layer=layer, codes=codes)


@pytest.mark.parametrize(
    ("build", "layer", "channels", "stored"),
    [
        (lambda: TinyNet().eval(), "act", 12, {"offset"}),
        (small.vit, "blocks.1", 24, {"activations", "outside"}),
        (small.vit, "blocks.1.mlp.act", 96, {"activations", "pixels"}),
    ],
)
def test_a_study_holds_what_ablating_latents_needs(pictures, tmp_path, build, layer, channels, stored):
    torch.manual_seed(7)
    made = wrapped(build(), written(tmp_path / "sae", channels), layer)
    before = state_of(made.network)
    study = pipeline.run(options(pictures), tmp_path / "s", classifier=made)
    assert state_of(made.network) == before
    assert study.n_units == 20
    assert {path.stem for path in study.folder.glob("*.npy")} == {"features", "cams"} | stored
    study = open_study(study.folder)
    assert not list(damages(study))
    head = heads.load_head(study, device="cpu", classifier=made)
    photos = ablation.make_ablation_set(study, head)
    units = np.argsort(-study.features.mean(axis=0))[:3]  # those that fire
    groups = np.zeros(len(photos), np.int64)
    settings = [[np.zeros(0, np.int64)], [units]]
    nothing, without = ablation.logits(photos, settings, groups)
    (only,) = ablation.logits(photos, [[units]], groups, keep=True)
    pixels = np.stack([made.preprocessing.apply(study.photo(i)) for i in range(len(study.images))])
    inputs = made.preprocessing.normalise(torch.from_numpy(pixels))
    others = torch.tensor([unit for unit in range(20) if unit not in units])
    with torch.no_grad():
        expected = made.network(inputs).numpy()
        with zero_units(made.network, made.hook_point, torch.from_numpy(units)):
            expected_without = made.network(inputs).numpy()
        with zero_units(made.network, made.hook_point, others):
            expected_only = made.network(inputs).numpy()
    close = 1e-5 if "offset" in stored else 4e-3  # activations are stored in float16
    assert nothing == pytest.approx(expected, abs=close)
    assert without == pytest.approx(expected_without, abs=close)
    assert only == pytest.approx(expected_only, abs=close)
    assert np.abs(expected_without - expected).max() > 10 * close
    found = contributions.unit_contributions(photos, np.arange(2), 1)
    explained = explain(made.network, made.hook_point, inputs[:2], torch.tensor([1, 1]))
    by_hand = (explained.alphas * explained.activations.sum(dim=(2, 3))).numpy()
    assert found == pytest.approx(by_hand, abs=4e-3 * float(np.abs(by_hand).max()))
    # One photo, as the page Explain shows it.
    explainer = make_explainer(made, study.extract_config)
    shown = explainer.explain_photo(study.photo(0))
    assert shown.logits == pytest.approx(expected[0], abs=1e-5)
    assert explainer.logits_without(shown, tuple(units.tolist())) == pytest.approx(expected_without[0], abs=1e-5)
    assert explainer.logits_without(shown, ()) == pytest.approx(expected[0], abs=1e-5)


@pytest.fixture(scope="module")
def kept(pictures, tmp_path_factory):
    """A study of a network of the user's own, from a file, with codes, by the command line's options."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "nets_of_codes.py").write_text(NET)
    codes = written(folder / "sae", 12)
    config = options(pictures, model=f"{folder / 'nets_of_codes.py'}:build", input_size=32, codes=str(codes))
    return folder, config, pipeline.run(config, folder / "study")


def test_the_key_names_the_codes_and_the_manifest_says_them(pictures, tmp_path, kept):
    folder, config, study = kept
    code = read_codes(str(folder / "sae"))
    said = study.manifest["codes"]
    assert said == {"path": str(folder / "sae"), "format": "SAELens, standard", "sha256": code.sha256, "channels": 12}
    assert study.model_config.codes == str(folder / "sae")
    assert study.recorded.channels == 12
    assert pipeline.run(config, folder / "study").key == study.key  # the same again: found, not made
    plain = pipeline.run(replace(config, model=replace(config.model, codes=None)), tmp_path / "plain")
    assert "codes" not in plain.manifest
    assert (plain.n_units, plain.recorded.channels) == (12, 12)
    other = written(tmp_path / "other", 12, seed=1)
    others = replace(config, model=replace(config.model, codes=str(other)))
    assert len({study.key, plain.key, pipeline.run(others, tmp_path / "o").key}) == 3
    with pytest.raises(InputError, match="other photos or options"):
        pipeline.run(others, folder / "study")
    # As a folder elsewhere the same bytes are the same codes.
    shutil.copytree(folder / "sae", tmp_path / "copy")
    copied = replace(config, model=replace(config.model, codes=str(tmp_path / "copy")))
    assert pipeline.run(copied, folder / "study").key == study.key


def test_a_study_finds_its_codes_again_or_says_where_to_put_them(tmp_path, kept):
    folder, _, study = kept
    found = network_of(open_study(folder / "study"))
    assert found.layout.code.sha256 == study.manifest["codes"]["sha256"]
    assert found.n_units == 20
    (folder / "sae").rename(folder / "gone")
    try:
        with pytest.raises(
            InputError, match=rf"The sparse codes {folder / 'sae'} .* not on this machine; put them back"
        ):
            network_of(study)
        written(folder / "sae", 12, seed=5)
        with pytest.raises(InputError, match="are not those that"):
            network_of(study)
        shutil.rmtree(folder / "sae")
        # Given from Python with the codes where they are now.
        given = models.load(replace(study.model_config, codes=str(folder / "gone")))
        assert network_of(study, given).n_units == 20
        without = models.load(replace(study.model_config, codes=None))
        with pytest.raises(InputError, match="are latents of the sparse codes"):
            network_of(study, without)
    finally:
        (folder / "gone").rename(folder / "sae")


def test_commands_work_on_a_study_with_codes(kept, pictures, capsys):
    folder, _, study = kept
    assert main(["info", str(folder / "study")]) == 0
    said = capsys.readouterr().out
    assert "20 units, which are latents of sparse codes over its 12 channels" in " ".join(said.split())
    assert study.manifest["codes"]["sha256"][:16] in said
    assert main(["mine", str(folder / "study"), "--top-units", "2"]) == 0


def test_an_evaluation_ablates_latents(kept, pictures):
    _, _, study = kept
    config = EvaluateConfig(budgets=(1, 3), top_units=(3,), draws=3, resamples=20, keep_budgets=(2,), itemsets=True)
    head = heads.load_head(study, device="cpu")
    found = evaluate(study, study, head, study.mine_config, config)
    photos = ablation.make_ablation_set(study, head)
    nothing = np.zeros(0, np.int64)
    (predicted,) = ablation.classify(photos, [[nothing] * 3], photos.labels)
    rows = found.table[found.table["method"] == BASELINE]
    assert float(rows["accuracy"].iloc[0]) == pytest.approx((predicted == photos.labels).mean())
    assert (found.table["method"] == "Greedy drop").any()  # the head is linear through the decoder


def test_what_needs_the_linear_head_reads_each_photos_own_offset(kept):
    _, _, study = kept
    head = heads.load_head(study, device="cpu")
    photos = ablation.make_ablation_set(study, head)
    assert head.linear
    every = np.arange(len(photos))
    plain = ablation.logits(photos, [[np.zeros(0, np.int64)]], np.zeros(len(photos), np.int64))[0]
    assert plain.argmax(axis=1).tolist() == study.images["predicted"].tolist()
    # the log-odds' gradient uses the true probabilities
    evidence = contributions.unit_contributions(photos, every, 1, against=True)
    weight, odds = head.weight.numpy(), np.exp(plain - plain.max(axis=1, keepdims=True))
    odds[:, 1] = 0
    shares = odds / odds.sum(axis=1, keepdims=True)
    assert evidence == pytest.approx((weight[1] - shares @ weight) * study.features, abs=1e-5)
    # the first greedy unit is the one that costs most when ablated
    own = np.flatnonzero(photos.labels == 1)
    order = greedy.greedy(photos, np.array([1]), budget=1, shortlist=20).units[1]
    singles = ablation.classify(photos, [[np.array([unit])] for unit in range(20)], np.zeros(len(own), np.int64), own)
    accuracy = (singles == 1).mean(axis=1)
    assert accuracy[order[0]] == accuracy.min()
    # sets that change predictions
    called = np.flatnonzero(plain.argmax(axis=1) == int(plain.argmax(axis=1)[0]))
    class_id, pool = int(plain.argmax(axis=1)[0]), np.arange(20)
    changes = LinearChanges(photos, called, class_id, pool)
    sets = np.eye(20, dtype=bool)
    expected = (
        ablation.classify(photos, [[np.array([unit])] for unit in range(20)], np.zeros(len(called), np.int64), called)
        != class_id
    )
    assert changes.changed(sets).tolist() == expected.tolist()
    means = class_means.class_means(photos, np.array([0, 1]), study)
    assert means.contribution[1] == pytest.approx(weight[1] * study.features[photos.labels == 1].mean(axis=0), abs=1e-5)


def test_a_list_of_latents_is_ablated_for_good(kept, tmp_path):
    import interpret

    folder, _, study = kept
    units = tuple(sorted(np.argsort(-study.features.mean(axis=0))[:3].tolist()))  # those that fire
    listed = unit_list(study, units, None, None, "photos", 0, 1)
    (tmp_path / "units.json").write_text(listed.text())
    again = read_unit_list(tmp_path / "units.json")
    assert again.codes == str(folder / "sae")
    made = network_of(study)
    changed = interpret.ablated(made.network, again.layer, again.units, again.input_size, codes=again.codes)
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad(), zero_units(made.network, made.hook_point, torch.tensor(units)):
        expected = made.network(images)
    assert torch.allclose(changed(images), expected, atol=1e-6)
    assert not torch.allclose(changed(images), made.network(images), atol=1e-4)
