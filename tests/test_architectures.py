"""Architectures of both libraries from end to end: run, mine, evaluate, a photo's explanation, and ablation."""

import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from interpret import models, pipeline
from interpret.config import EvaluateConfig, ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.evaluation import ablation
from interpret.evaluation.evaluate import evaluate
from interpret.evaluation.heads import load_head
from interpret.evaluation.heldout import heldout
from interpret.evaluation.photo_effect import ablate_photo
from interpret.explanation.gradcam import explain
from interpret.explanation.photo import make_explainer
from interpret.models.hooks import zero_units
from tests.test_timm_models import write

# The name, and the smallest input that it takes; none where it takes one size only.
LISTED = {
    "vgg16": 64,
    "resnet50": 64,
    "densenet121": 64,
    "efficientnet_lite0": 64,
    "mobilenet_v3_small": 64,
    "convnext_tiny": 64,
    "regnet_y_400mf": 64,
    "maxvit_t": None,
    "swin_t": 64,
    "vit_b_16": None,
    "timm/vit_tiny_patch16_224": None,
    "timm/deit3_small_patch16_224": None,
    "timm/beit_base_patch16_224": None,
    "timm/eva02_tiny_patch14_224": None,
    "timm/convnextv2_atto": 64,
    "timm/efficientformerv2_s0": None,
    "timm/mobilevitv2_050": 64,
}
QUICK = ("timm/test_vit",)  # 64 channels in 6 blocks, 160 x 160 pixels
PHOTOS = 4
UNITS = [0, 3, 8]


@pytest.mark.parametrize("precision", ["float32", "auto"])
@pytest.mark.parametrize("name", LISTED)
@pytest.mark.long
@pytest.mark.timeout(3600)  # the largest are run a few hundred times
def test_an_architecture_from_photos_to_ablated_units(name, precision, tmp_path):
    check(name, LISTED[name], precision, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_tokens_from_photos_to_ablated_units(name, tmp_path):
    check(name, LISTED.get(name), "float32", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_a_folder_of_the_hub_from_photos_to_ablated_units(precision, tmp_path):
    write(tmp_path / "owls", 12)
    check(str(tmp_path / "owls"), None, precision, tmp_path, weights=None)


def check(name, side, precision, tmp_path, weights="random"):
    options = ModelConfig(model=name, weights=weights, input_size=side, precision=precision, device="cpu")
    classifier = calibrated(models.load(options))
    folder = draw_predicted(tmp_path / "photos", classifier)
    config = RunConfig(
        images=str(folder),
        model=options,
        extract=ExtractConfig(stored_units=6, contrast=2),
        mine=MineConfig(top_units=3, min_class_patches=1),
        hold_out=0.0,
        batch_size=4,
    )
    said: list[str] = []
    study = pipeline.run(config, tmp_path / "study", announce=said.append, classifier=classifier)
    assert len(study.images) == PHOTOS
    assert len(study.patches) > 0
    assert study.precision == "float32" or precision == "auto"
    assert all(line.startswith("The network computes in float32") for line in said)

    network, point = classifier.network, classifier.hook_point
    inputs = classifier.preprocessing.normalise(
        torch.from_numpy(np.stack([classifier.preprocessing.apply(study.photo(i)) for i in range(PHOTOS)]))
    )
    with torch.no_grad(), zero_units(network, point, torch.tensor(UNITS)):
        expected = network(inputs).numpy()
    head = load_head(study, device="cpu", classifier=classifier)
    assert head.reads in ("", "outside"), "something passes the default layer by"
    photos = ablation.make_ablation_set(study, head)
    found = ablation.logits(photos, [[np.array(UNITS)]], np.zeros(PHOTOS, np.int64))[0]
    # what a study stores is rounded, and in bfloat16 so is what the backbone computes
    largest = float(np.abs(expected).max())
    assert np.abs(found - expected).max() <= (2e-3 if study.precision == "float32" else 0.15) * largest

    explainer = make_explainer(classifier, study.extract_config)
    explained = explainer.explain_photo(study.photo(0))
    assert explained.heat.max() == 1.0
    assert explainer.logits_without(explained, tuple(UNITS)) == pytest.approx(expected[0], abs=1e-4 * max(1, largest))
    effect = ablate_photo(explainer, explained, UNITS, draws=2)
    assert effect.after.sum() == pytest.approx(1, abs=1e-5)

    on = heldout(study, str(folder), batch_size=4, device="cpu", classifier=classifier)
    small = EvaluateConfig(
        budgets=(1,), top_units=(3,), draws=2, resamples=20, keep_budgets=(1,), lasso=False, itemsets=False
    )
    result = evaluate(study, on, head, study.mine_config, small)
    assert float(result.about["accuracy"]) >= (1.0 if study.precision == "float32" else 0.5)
    assert {"Ours-3", "Random"} <= set(result.table["method"])
    compare_with_captum(classifier, inputs[:2])


def compare_with_captum(classifier, inputs):
    """Maps equal captum's; of tokens those that captum gives for channels last."""
    from captum.attr import LayerGradCam

    network, point = classifier.network, classifier.hook_point
    found = explain(network, point, inputs)
    module = network.get_submodule(point.layer)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if point.layout.axes == (0, 1, 2, 3):
            theirs = LayerGradCam(network, module).attribute(inputs, target=found.targets, relu_attributions=True)[:, 0]
        else:
            theirs = by_reshaping(network, module, point.layout, inputs, found.targets)
    peak = theirs.detach().amax(dim=(1, 2), keepdim=True)
    assert torch.allclose(found.maps, theirs.detach(), atol=1e-4 * float(peak.max()))


def by_reshaping(network, module, layout, inputs, targets):
    """The maps as pytorch-grad-cam makes them: activations and gradients, both reshaped to channels first."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    def reshape(output):
        if layout.grid is None:
            return output.permute(0, 3, 1, 2)
        return output[:, layout.prefix :].reshape(len(output), *layout.grid, -1).permute(0, 3, 1, 2)

    with GradCAM(model=network, target_layers=[module], reshape_transform=reshape) as cam:
        cam(input_tensor=inputs, targets=[ClassifierOutputTarget(int(target)) for target in targets])
        seen, gradients = (
            kept[0].numpy() for kept in (cam.activations_and_grads.activations, cam.activations_and_grads.gradients)
        )
        maps = cam.get_cam_image(None, None, None, seen, gradients, eigen_smooth=False)
    return torch.from_numpy(np.maximum(maps, 0))


def calibrated(classifier):
    """With batch norms that fit their inputs: in some untrained networks all values vanish from layer to layer."""
    norms = [module for module in classifier.network.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    if norms:
        images = torch.rand(8, 3, *classifier.preprocessing.size, generator=torch.Generator().manual_seed(1)) * 4 - 2
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = None
            norm.train()
        with torch.no_grad():
            classifier.network(images)
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            norm.eval()
    return classifier


def draw_predicted(folder, classifier):
    """Photos in folders named as the classes that they are predicted as, by index, so that accuracy is 1."""
    rng = np.random.default_rng(5)
    pictures = []
    for _ in range(PHOTOS):
        pixels = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        pictures.append(Image.fromarray(pixels).resize((96, 96), Image.Resampling.NEAREST))
    stacked = torch.from_numpy(np.stack([classifier.preprocessing.apply(picture) for picture in pictures]))
    with torch.no_grad():
        predicted = classifier.network(classifier.preprocessing.normalise(stacked)).argmax(dim=1).tolist()
    for index, (picture, class_id) in enumerate(zip(pictures, predicted, strict=True)):
        inside = folder / (classifier.wnids[class_id] if classifier.wnids else classifier.class_names[class_id])
        inside.mkdir(parents=True, exist_ok=True)
        picture.save(inside / f"{index}.png")
    return folder
