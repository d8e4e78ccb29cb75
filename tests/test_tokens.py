"""Layers with tokens from end to end: maps, patches, units, ablation, against peers and hooked forward passes."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn

import interpret
from interpret import models, pipeline
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.evaluation import ablation, contributions, heads
from interpret.explanation.gradcam import explain
from interpret.explanation.photo import make_explainer
from interpret.explanation.upsampling import upsample
from interpret.models.head import find_head
from interpret.models.hooks import capture, replace, zero_units
from interpret.models.layout import HookPoint, Layout
from interpret.study import open_study
from interpret.study.open import damages
from tests import small_transformers as small
from tests.conftest import draw_photos, state_of

HALF = (0.5, 0.5, 0.5)
OFF = torch.tensor([0, 7, 12])
TOKENS = Layout((0, 2, 1), (4, 4), prefix=1)


def classifier(network: nn.Module, layer: str | None = None) -> models.Classifier:
    preprocessing = Preprocessing(size=(small.SIDE, small.SIDE), resize=small.SIDE, mean=HALF, std=HALF)
    return models.wrap(network, name="small", class_names=list("abcde"), preprocessing=preprocessing, layer=layer)


def vit_grid(tokens: torch.Tensor) -> torch.Tensor:
    """The reshape function that pytorch-grad-cam asks for: without the class token, channels first."""
    return tokens[:, 1:].reshape(len(tokens), 4, 4, -1).permute(0, 3, 1, 2)


def swin_grid(output: torch.Tensor) -> torch.Tensor:
    return output.permute(0, 3, 1, 2)


@pytest.mark.parametrize(
    ("build", "layer", "grid"),
    [
        (small.vit, "blocks.1", vit_grid),
        (small.vit, "blocks.2.norm1", vit_grid),
        (small.torchvision_vit, "encoder.layers.encoder_layer_0", vit_grid),
        (small.swin, "layers.1.blocks.1", swin_grid),
    ],
)
def test_maps_equal_those_of_pytorch_grad_cam_with_its_reshape_functions(build, layer, grid):
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    made = classifier(build(), layer)
    images, before = small.images(), state_of(made.network)
    found = explain(made.network, made.hook_point, images)
    assert state_of(made.network) == before
    with torch.no_grad():
        assert torch.allclose(found.logits, made.network(images), atol=1e-5)
    targets = [ClassifierOutputTarget(int(target)) for target in found.targets]
    module = made.network.get_submodule(layer)
    with GradCAM(model=made.network, target_layers=[module], reshape_transform=grid) as cam:
        theirs = cam(input_tensor=images, targets=targets)
    ours = upsample(found.maps, small.SIDE, small.SIDE)
    low = ours.min(axis=(1, 2), keepdims=True)
    ours = (ours - low) / (ours.max(axis=(1, 2), keepdims=True) - low)
    assert np.abs(ours - theirs).max() < 1e-4


def test_alphas_are_the_mean_over_the_patch_tokens_alone():
    made = classifier(small.vit())
    images = small.images(2)
    found = explain(made.network, made.hook_point, images)
    held = {}
    handle = made.network.blocks[1].register_forward_hook(lambda _m, _i, out: held.update(out=out))
    logits = made.network(images)
    handle.remove()
    chosen = logits.gather(1, found.targets[:, None]).sum()
    (gradient,) = torch.autograd.grad(chosen, held["out"])
    assert torch.allclose(found.alphas, gradient[:, 1:].mean(dim=1), atol=1e-7)
    assert torch.equal(found.outside, held["out"][:, :1].detach())
    assert torch.equal(found.activations.flatten(2).transpose(1, 2), held["out"][:, 1:].detach())


@pytest.mark.parametrize(
    ("build", "layer", "reads", "linear"),
    [
        (small.vit, "blocks.1", "outside", False),
        (small.vit, "blocks.1.mlp.act", "inputs", False),  # a residual connection passes it by
        (small.vit, "blocks.1.attn.norm", "inputs", False),  # what the attention heads give
        (lambda: small.vit(reg_tokens=2), "blocks.1", "outside", False),
        (lambda: small.vit(global_pool="avg", class_token=False, fc_norm=False), "norm", "", True),
        (small.torchvision_vit, None, "outside", False),
        (small.swin, None, "", True),
        (small.swin, "layers.0.blocks.1", "", False),
    ],
)
def test_ablating_behind_the_layer_equals_a_hooked_forward_pass(build, layer, reads, linear):
    made = classifier(build(), layer)
    network, point, images = made.network, made.hook_point, small.images()
    before = state_of(network)
    head = find_head(network, point, images)
    assert (head.reads, head.linear) == (reads, linear)
    with torch.no_grad(), capture(network, point) as captured:
        logits = network(images)
    with torch.no_grad(), zero_units(network, point, OFF):
        expected = network(images)
    assert (expected - logits).abs().max() > 1e-3
    activations = captured.activations.clone()
    activations[:, OFF] = 0.0
    beside = {"": None, "outside": captured.outside, "inputs": images}[reads]
    assert torch.allclose(head.given(beside).logits(activations), expected, atol=1e-5)
    assert torch.allclose(head.given(beside).on_cpu.logits(activations), expected, atol=1e-5)
    mask = torch.zeros(3, activations.shape[1], dtype=torch.bool)
    mask[1, OFF] = True
    with torch.no_grad(), zero_units(network, point, mask):
        found = network(images)
    assert torch.allclose(found[1], expected[1], atol=1e-6)
    assert torch.allclose(found[0], logits[0], atol=1e-6)
    changed = pickle.loads(pickle.dumps(interpret.ablated(network, point, OFF.tolist())))
    assert torch.allclose(changed(images), expected, atol=1e-6)
    by_name = interpret.ablated(network, point.layer, OFF.tolist(), made.preprocessing.size)
    assert torch.allclose(by_name(images), expected, atol=1e-6)
    assert state_of(network) == before


def test_the_class_token_is_no_unit_and_stays():
    network = small.vit()
    point, images = HookPoint("blocks.1", TOKENS), small.images()
    with torch.no_grad(), capture(network, point) as captured:
        network(images)
    every = torch.arange(24)
    seen = {}
    handle = network.blocks[2].register_forward_pre_hook(lambda _m, given: seen.update(tokens=given[0]))
    with torch.no_grad(), zero_units(network, point, every):
        network(images)
    assert torch.equal(seen["tokens"][:, :1], captured.outside)
    assert not seen["tokens"][:, 1:].any()
    with torch.no_grad(), replace(network, point, captured.activations, captured.outside):
        network(images[:1])
    assert torch.equal(seen["tokens"][:, 1:], captured.activations.flatten(2).transpose(1, 2))
    handle.remove()


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "set", each=6)


@pytest.mark.parametrize(
    ("build", "layer"), [(small.vit, "blocks.1"), (small.vit, "blocks.1.mlp.act"), (small.swin, None)]
)
def test_signed_units_are_the_halves_of_the_channels(build, layer):
    """A = P - N: the map is the same, and ablating both halves of a channel is ablating the channel."""
    made, images = classifier(build(), layer), small.images()
    halves = models.wrap(
        made.network, name="small", class_names="abcde", preprocessing=made.preprocessing, layer=layer, signed=True
    )
    network, plain, point, count = made.network, made.hook_point, halves.hook_point, made.n_units
    assert halves.n_units == 2 * count
    one, two = explain(network, plain, images), explain(network, point, images)
    assert torch.allclose(two.maps, one.maps, atol=1e-5 * float(one.maps.max()))
    assert torch.allclose(two.alphas, torch.cat([one.alphas, -one.alphas], dim=1), atol=1e-7)
    assert torch.equal(two.activations[:, :count], one.activations.clamp_min(0))
    assert torch.equal(two.activations[:, count:], (-one.activations).clamp_min(0))
    head = find_head(network, point, images)
    assert head.linear == find_head(network, plain, images).linear
    for units, same in (([7, count + 7], [7]), ([count + 3], None)):
        activations = two.activations.clone()
        activations[:, units] = 0.0
        beside = {"": None, "outside": two.outside, "inputs": images}[head.reads]
        with torch.no_grad(), zero_units(network, point, torch.tensor(units)):
            found = network(images)
        assert torch.allclose(head.given(beside).logits(activations), found, atol=1e-5)
        assert torch.allclose(interpret.ablated(network, point, units)(images), found, atol=1e-6)
        if same is not None:
            with torch.no_grad(), zero_units(network, plain, torch.tensor(same)):
                assert torch.allclose(network(images), found, atol=1e-5)
        else:  # the other half of the channel stays
            assert (found - one.logits).abs().max() > 1e-5


def test_a_study_of_halves_has_a_key_of_its_own_and_opens_again(pictures, tmp_path):
    made = classifier(small.vit())
    halves = models.wrap(made.network, name="small", class_names="abcde", preprocessing=made.preprocessing, signed=True)
    plain, _ = run(pictures, tmp_path / "plain", made)
    study, _ = run(pictures, tmp_path / "halves", halves)
    assert (study.n_units, study.model_config.signed, plain.model_config.signed) == (48, True, False)
    assert study.key != plain.key
    assert study.cams == pytest.approx(plain.cams, abs=2e-3)
    assert not (study.activations[:, :24] * study.activations[:, 24:]).any()
    assert study.beside.shape == (len(study.images), 1, 24)  # the class token has channels, not halves
    heads.load_head(study, device="cpu", classifier=halves)
    with pytest.raises(InputError, match="24 units, but 48"):
        heads.load_head(study, device="cpu", classifier=made)


def run(pictures, folder, made: models.Classifier, precision: str = "float32"):
    said = []
    config = RunConfig(
        images=str(pictures),
        model=ModelConfig(precision=precision, device="cpu"),
        extract=ExtractConfig(stored_units=8, contrast=2),
        mine=MineConfig(top_units=3, min_class_patches=2),
        hold_out=0.0,
        batch_size=4,
        shard_size=8,
    )
    return pipeline.run(config, folder, classifier=made, announce=said.append), said


@pytest.mark.parametrize(
    ("build", "layer", "stored"),
    [
        (small.vit, None, {"activations", "outside"}),
        (small.vit, "blocks.1.mlp.act", {"activations", "pixels"}),
        (small.swin, None, set()),
    ],
)
def test_a_study_holds_what_ablation_needs(pictures, tmp_path, build, layer, stored):
    made = classifier(build(), layer)
    before = state_of(made.network)
    study, said = run(pictures, tmp_path / "s", made)
    assert state_of(made.network) == before
    names = {path.stem for path in study.folder.glob("*.npy")}
    assert names == {"features", "cams"} | stored
    assert any("whole network" in line for line in said) == ("pixels" in stored)
    assert len(study.patches) > 0
    assert not list(damages(open_study(study.folder)))
    head = heads.load_head(study, device="cpu", classifier=made)
    photos = ablation.make_ablation_set(study, head)
    units, groups = [3, 5, 11], np.zeros(len(photos), np.int64)
    without, only = (ablation.logits(photos, [[np.array(units)]], groups, keep=keep)[0] for keep in (False, True))
    pixels = np.stack([made.preprocessing.apply(study.photo(i)) for i in range(len(study.images))])
    inputs = made.preprocessing.normalise(torch.from_numpy(pixels))
    others = torch.tensor([unit for unit in range(study.n_units) if unit not in units])
    with torch.no_grad():
        with zero_units(made.network, made.hook_point, torch.tensor(units)):
            expected = made.network(inputs).numpy()
        with zero_units(made.network, made.hook_point, others):
            expected_only = made.network(inputs).numpy()
    # activations are stored in float16, which rounds by 1 in 2,000
    assert without == pytest.approx(expected, abs=2e-3 if stored else 1e-5)
    assert only == pytest.approx(expected_only, abs=2e-3 if stored else 1e-5)
    found = contributions.unit_contributions(photos, np.arange(2), 1)
    with torch.enable_grad():
        explained = explain(made.network, made.hook_point, inputs[:2], torch.tensor([1, 1]))
    expected = explained.alphas * explained.activations.sum(dim=(2, 3))
    assert found == pytest.approx(expected.numpy(), abs=2e-3 * float(expected.abs().max()))


@pytest.mark.parametrize("layer", [None, "blocks.1.mlp.act"])
def test_one_photo_ablated_is_exact(pictures, layer):
    from PIL import Image

    made = classifier(small.vit(), layer)
    explainer = make_explainer(made, ExtractConfig())
    photo = Image.open(next(pictures.rglob("*.png"))).convert("RGB")
    explained = explainer.explain_photo(photo)
    inputs = made.preprocessing.normalise(torch.from_numpy(made.preprocessing.apply(photo))[None])
    with torch.no_grad(), zero_units(made.network, made.hook_point, OFF):
        expected = made.network(inputs)[0].numpy()
    assert explainer.logits_without(explained, tuple(OFF.tolist())) == pytest.approx(expected, abs=1e-5)
    assert np.abs(expected - explained.logits).max() > 1e-3


def test_a_shard_that_was_done_before_is_resumed_with_its_class_tokens(pictures, tmp_path):
    made = classifier(small.vit())
    whole, _ = run(pictures, tmp_path / "whole", made)

    def stop(progress):
        if progress.done == 16:
            raise KeyboardInterrupt

    config = whole.recorded.config
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(config, tmp_path / "cut", stop, classifier=made)
    resumed = pipeline.run(config, tmp_path / "cut", classifier=made)
    assert resumed.manifest["timings"]["shards_resumed"] == 1
    for name in ("outside.npy", "activations.npy", "features.npy", "patches.parquet"):
        assert (resumed.folder / name).read_bytes() == (whole.folder / name).read_bytes()
