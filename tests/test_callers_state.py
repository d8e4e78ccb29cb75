"""What a caller has set stays as it was, and nothing depends on it: inference mode, random numbers, threads."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from interpret import models, pipeline
from interpret.config import ExtractConfig, ModelConfig
from interpret.errors import InputError
from interpret.evaluation import ablation, heads
from interpret.evaluation.contributions import unit_contributions
from interpret.explanation import gradcam
from interpret.explanation.photo import make_explainer
from interpret.models.head import find_head
from interpret.models.hooks import capture
from interpret.models.precision import exact_copy
from tests.conftest import TinyNet, draw_photos
from tests.test_pipeline import SMALL, config, contents, tiny_classifier

pytestmark = pytest.mark.slow

MODES = {"inference mode": torch.inference_mode, "no_grad": torch.no_grad}


def inputs(batch: int = 3) -> torch.Tensor:
    return torch.rand(batch, 3, 32, 32, generator=torch.Generator().manual_seed(5)) * 2 - 1


@contextmanager
def kept(mode: str) -> Iterator[None]:
    """Enter a mode and check that it is still on at the end, and off afterwards."""
    with MODES[mode]():
        yield
        assert torch.is_inference_mode_enabled() == (mode == "inference mode")
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    return draw_photos(tmp_path_factory.mktemp("photos") / "set", each=5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layer", ["act", "first"])
def test_grad_cam_is_the_same_inside(tiny, mode, layer):
    expected = gradcam.explain(tiny, layer, inputs())
    with kept(mode):
        found = gradcam.explain(tiny, layer, inputs())  # these inputs are inference tensors
    for name in ("logits", "targets", "activations", "alphas", "maps"):
        assert torch.equal(getattr(found, name), getattr(expected, name))
    assert float(found.alphas.abs().sum()) > 0


def test_targets_made_in_inference_mode_can_be_explained(tiny):
    targets = torch.tensor([2, 0, 1])
    expected = gradcam.explain(tiny, "act", inputs(), targets)
    with torch.inference_mode():
        found = gradcam.explain(tiny, "act", inputs(), targets.clone())
    assert torch.equal(found.maps, expected.maps)


def test_weights_made_in_inference_mode_are_blamed_and_not_the_layer():
    with torch.inference_mode():
        network = TinyNet().eval()
    with pytest.raises(InputError, match=r"weights were made inside torch\.inference_mode"):
        gradcam.explain(network, "act", inputs())


@pytest.mark.parametrize("mode", MODES)
def test_a_network_loaded_or_copied_inside_can_be_differentiated_outside(mode):
    with kept(mode):
        loaded = models.load(ModelConfig("demo"))
        copied = exact_copy(TinyNet().double(), torch.device("cpu"))
    side = torch.zeros(1, 3, *loaded.preprocessing.size)
    assert gradcam.explain(loaded.network, loaded.layer, side).maps.shape == (1, 14, 14)
    assert gradcam.explain(copied, "act", inputs()).logits.dtype == torch.float32


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layer", ["act", "first"])
def test_a_head_found_inside_can_be_differentiated_outside(tiny, mode, layer):
    with kept(mode):
        head = find_head(tiny, layer, inputs())
    with torch.no_grad(), capture(tiny, layer) as captured:
        tiny(inputs())
    activations = captured.activations.clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(head.logits(activations)[:, 1].sum(), activations)
    expected = gradcam.explain(tiny, layer, inputs(), torch.ones(3, dtype=torch.int64)).alphas
    assert torch.allclose(gradient.mean(dim=(2, 3)), expected, atol=1e-7)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", [{}, {"encoding": "crop"}], ids=["region", "crop"])
def test_a_study_made_inside_holds_the_same_bytes(pictures, tmp_path, mode, options):
    outside = pipeline.run(config(pictures, **options), tmp_path / "outside", classifier=tiny_classifier())
    with kept(mode):
        inside = pipeline.run(config(pictures, **options), tmp_path / "inside", classifier=tiny_classifier())
    found, expected = (
        {name: held for name, held in contents(study.folder).items() if name != "prints.parquet"}  # ages of files
        for study in (inside, outside)
    )
    assert found == expected
    assert any(name.startswith("mined/") for name in found)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("layer", ["act", "first"])
def test_ablation_and_contributions_are_the_same_inside(pictures, tmp_path, mode, layer):
    torch.manual_seed(7)
    classifier = models.wrap(
        TinyNet().eval(), name="t", class_names=["class 0", "class 1", "class 2"], preprocessing=SMALL, layer=layer
    )
    study = pipeline.run(config(pictures), tmp_path / "study", classifier=classifier)
    photos = np.arange(len(study.images))
    found = {}
    for name, around in (("outside", nullcontext()), ("inside", kept(mode))):
        with around:
            over = ablation.make_ablation_set(study, heads.load_head(study, device="cpu", classifier=classifier))
            off = [[np.array([0, 2])] * 3, [np.array([1])] * 3]
            found[name] = [
                ablation.classify(over, off, over.labels),
                ablation.logits(over, off, over.labels),
                unit_contributions(over, photos, 1),
                unit_contributions(over, photos, 1, against=True),
            ]
    for outside, inside in zip(*found.values(), strict=True):
        assert np.array_equal(outside, inside)
    assert np.abs(found["inside"][2]).sum() > 0


def test_what_is_called_between_two_ablations_runs_in_the_caller_s_mode(pictures, tmp_path):
    study = pipeline.run(config(pictures), tmp_path / "study", classifier=tiny_classifier())
    over = ablation.make_ablation_set(study, heads.load_head(study, device="cpu", classifier=tiny_classifier()))
    seen = []

    def progress(_done: int) -> None:
        seen.append(torch.is_inference_mode_enabled())

    nothing = [[np.zeros(0, np.int64)] * 3]
    ablation.classify(over, nothing, over.labels, on_progress=progress)
    assert seen
    assert not any(seen)

    def fail(_done: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ablation.classify(over, nothing, over.labels, on_progress=fail)
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("mode", MODES)
def test_a_photo_is_explained_the_same_inside(pictures, mode):
    from PIL import Image

    photo = Image.open(next(pictures.rglob("*.png"))).convert("RGB")
    ready = make_explainer(tiny_classifier(), ExtractConfig())
    expected = ready.explain_photo(photo)
    with kept(mode):
        made = make_explainer(tiny_classifier(), ExtractConfig())
        found = made.explain_photo(photo)
        without = made.logits_without(found, (1, 2))
    for field in dataclasses.fields(expected):
        assert np.array_equal(getattr(found, field.name), getattr(expected, field.name))
    assert np.array_equal(without, ready.logits_without(expected, (1, 2)))


@pytest.mark.parametrize("name", ["demo", "efficientnet_lite0", "resnet18"])
def test_loading_draws_no_random_number_of_the_caller_s(name):
    torch.manual_seed(21)
    before = torch.random.get_rng_state()
    models.load(ModelConfig(name, weights="random" if name == "resnet18" else None))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_demo_s_network_is_trained_and_used_without_the_caller_s_random_numbers():
    from interpret.demo import network, train

    before = torch.random.get_rng_state()
    network.trained()
    drawn, labels = np.zeros((train.BATCH, 112, 112, 3), np.uint8), np.zeros(train.BATCH, np.int64)
    first = train.fit(drawn, labels, lambda line: None, epochs=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(99)  # the weights follow from the module's own seed
    again = train.fit(drawn, labels, lambda line: None, epochs=1)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
