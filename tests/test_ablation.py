"""Ablation on stored activations against hooked forward passes, and the numbers that come of it."""

import numpy as np
import pytest
import torch

from interpret import models
from interpret.config import ModelConfig
from interpret.errors import InputError
from interpret.evaluation.ablation import AblationSet, classify, logits, make_ablation_set
from interpret.evaluation.contributions import unit_contributions
from interpret.evaluation.effect import ablate_class, random_units
from interpret.evaluation.heads import load_head
from interpret.models.head import Head, find_head
from interpret.models.hooks import capture, replace, zero_units
from tests.ablation_example import hand_made
from tests.conftest import state_of


def inputs(batch: int, side: int, seed: int = 2) -> torch.Tensor:
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def ablation_set_of(network, layer: str, images: torch.Tensor, kind=np.float32) -> tuple[AblationSet, torch.Tensor]:
    """The images, ready for ablation, with labels 0, 1, 0, 1, ..., and the network's own logits."""
    head = find_head(network, layer, images[:2])
    with torch.no_grad(), capture(network, layer) as captured:
        own_logits = network(images)
    maps = captured.activations.numpy()
    features = maps.mean(axis=(2, 3)).astype(kind)
    labels = np.arange(len(images)) % 2
    stored = None if head.linear else maps.astype(kind)
    return AblationSet(head, labels, features, stored, np.arange(len(images))), own_logits


def hooked(network, layer: str, images: torch.Tensor, off: np.ndarray) -> np.ndarray:
    """Logits of full forward passes, image b losing the units that are True in off[b]."""
    with torch.no_grad(), zero_units(network, layer, torch.from_numpy(off)):
        return network(images).numpy()


def masks(groups, sets, units: int) -> np.ndarray:
    off = np.zeros((len(groups), units), bool)
    for row, group in enumerate(groups):
        off[row, sets[group]] = True
    return off


@pytest.mark.parametrize(
    ("name", "linear"),
    [
        pytest.param("resnet50", True, marks=pytest.mark.slow),
        pytest.param("vgg16", False, marks=pytest.mark.slow),
        pytest.param("efficientnet_lite0", True, marks=pytest.mark.slow),
        ("demo", True),
    ],
)
def test_ablation_equals_a_hooked_full_forward_pass(name, linear):
    classifier = models.load(ModelConfig(model=name, weights=None if name == "demo" else "random"))
    network, layer = classifier.network, classifier.layer
    images = inputs(3, classifier.preprocessing.size[0])
    before = state_of(network)
    data, own_logits = ablation_set_of(network, layer, images)
    assert data.head.linear is linear
    rng = np.random.default_rng(5)
    sets = [rng.choice(data.n_units, 12, replace=False), rng.choice(data.n_units, 3, replace=False)]
    groups = np.array([0, 1, 1])
    found = logits(data, [[np.zeros(0, np.int64)] * 2, sets], groups)
    assert np.abs(found[0] - own_logits.numpy()).max() < 1e-4
    off = masks(groups, sets, data.n_units)
    expected = hooked(network, layer, images, off)
    effect = np.abs(expected - own_logits.numpy()).max()
    assert np.abs(found[1] - expected).max() < min(1e-4, effect / 100)
    kept = logits(data, [sets], groups, keep=True)
    assert np.abs(kept[0] - hooked(network, layer, images, ~off)).max() < min(1e-4, effect / 100)
    assert state_of(network) == before


@pytest.mark.parametrize("layer", ["act", "first"])
def test_the_mean_in_place_of_zero_equals_a_pass_with_the_maps_overwritten(tiny, layer):
    images = inputs(6, 32)
    data, _ = ablation_set_of(tiny, layer, images)
    assert data.head.linear is (layer == "act")
    fill = np.linspace(0.1, 0.9, data.n_units).astype(np.float32)
    data = AblationSet(data.head, data.labels, data.features, data.activations, data.rows, fill)
    units = np.array([1, 4])
    with torch.no_grad():
        with capture(tiny, layer) as captured:
            tiny(images)
        maps = captured.activations.clone()
        maps[:, units] = torch.from_numpy(fill[units])[None, :, None, None]
        with replace(tiny, layer, maps):
            expected = tiny(images).numpy()
    found = logits(data, [[units]], np.zeros(6, np.int64))[0]
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(found - logits(data, [[units[:0]]], np.zeros(6, np.int64))[0]).max() > 1e-3


def test_predictions_worked_out_by_hand():
    data = hand_made()
    # photo: logits            -> predicted
    # 0: 4, 0, 1.5             -> 0      1: 4, 3, 2.5  -> 0     2: 0, 3, 1.5 -> 1
    # 3: 1, 7, 2.5             -> 1      4: 2, 0, 1.0  -> 0     5: 0, 0, 0.5 -> 2
    everything_on = [np.zeros(0, np.int64)] * 3
    first_unit = [np.array([0]), np.array([1]), np.array([0])]
    predicted = classify(data, [everything_on, first_unit], data.labels)
    assert predicted[0].tolist() == [0, 0, 1, 1, 0, 2]
    # unit 0 off: 0: 0, 0, .5 -> 2; 1: 0, 3, 1.5 -> 1; unit 1 off: 2: 0, 0, .5 -> 2; 3: 1, 1, .5 -> 0 (ties go down)
    # unit 0 off: 4: 0, 0, .5 -> 2; 5: 2
    assert predicted[1].tolist() == [2, 1, 2, 0, 2, 2]
    # unit 1 alone kept: 0: 0, 0, .5 -> 2; 1: 0, 3, 1.5 -> 1; 2: 1; 3: 0, 6, 2.5 -> 1; 4: 2; 5: 2
    kept = classify(data, [[np.array([1])] * 3], data.labels, keep=True)
    assert kept[0].tolist() == [2, 1, 1, 1, 2, 2]
    # a group below 0 is left as it is
    assert classify(data, [first_unit], np.full(6, -1))[0].tolist() == predicted[0].tolist()


def test_a_class_with_a_unit_ablated_and_the_classes_that_gained():
    effect = ablate_class(hand_made(), 0, [0], draws=40)
    assert (effect.before, effect.after, effect.n) == (1.0, 0.0, 2)
    assert effect.gained.to_dict("list") == {"class_id": [1, 2], "before": [0, 0], "after": [1, 1], "gained": [1, 1]}
    # one unit of three at random: unit 0 takes both photos, units 1 and 2 none
    assert set(effect.random.tolist()) == {0.0, 1.0}
    drawn = [int(units[0]) for units in random_units(3, 1, 40, seed=0)]
    assert effect.random.tolist() == [0.0 if unit == 0 else 1.0 for unit in drawn]
    assert effect.errors == (0.0, 0.0)
    low, high = effect.band
    assert low == 0.0
    assert high == 1.0


def test_what_cannot_be_ablated_is_refused_in_one_sentence():
    with pytest.raises(InputError, match="no unit 3"):
        ablate_class(hand_made(), 0, [0, 3])
    with pytest.raises(InputError, match="no unit -1"):
        ablate_class(hand_made(), 0, [-1])
    with pytest.raises(InputError, match="no photo of class 9"):
        ablate_class(hand_made(), 9, [0])


def test_many_photos_are_classified_in_pieces_and_in_their_order(tiny, monkeypatch):
    data, own_logits = ablation_set_of(tiny, "act", inputs(50, 32))
    whole = classify(data, [[np.array([2])] * 2], data.labels)
    monkeypatch.setattr("interpret.evaluation.stretches.LINEAR_ROWS", 7)
    assert (classify(data, [[np.array([2])] * 2], data.labels) == whole).all()
    chosen = np.array([31, 2, 40])
    assert (classify(data, [[np.array([2])]], np.zeros(3, np.int64), chosen)[0] == whole[0][chosen]).all()
    untouched = logits(data, [[np.zeros(0, np.int64)] * 2], data.labels)[0]
    assert np.abs(untouched - own_logits.numpy()).max() < 1e-5


def test_half_precision_costs_no_more_than_its_rounding(tiny):
    images = inputs(20, 32)
    exact, _ = ablation_set_of(tiny, "act", images)
    half, _ = ablation_set_of(tiny, "act", images, np.float16)
    sets = [[np.array([0, 3])] * 2]
    difference = np.abs(logits(exact, sets, exact.labels) - logits(half, sets, half.labels))
    weight = exact.head.weight.abs().numpy()
    bound = np.abs(exact.features) @ weight.T * 2.0**-11 + 2.0**-24 * weight.sum()
    assert (difference[0] <= bound + 1e-6).all()


def test_contributions_are_gradients_times_activations(tiny):
    data, _ = ablation_set_of(tiny, "act", inputs(5, 32))
    photos = np.arange(5)
    weight = data.head.weight.numpy()
    assert unit_contributions(data, photos, 1) == pytest.approx(weight[1] * data.features, abs=1e-6)
    found = unit_contributions(data, photos, 1, against=True)
    leaf = torch.from_numpy(data.features.copy()).requires_grad_(True)
    scores = data.head.from_features(leaf)
    p = scores.softmax(1)[:, 1]
    (p / (1 - p)).log().sum().backward()  # log-odds, written another way
    assert found == pytest.approx((leaf.grad * leaf).detach().numpy(), abs=1e-5)


def test_contributions_through_any_head_equal_those_of_a_linear_one(tiny):
    images = inputs(5, 32)
    data, _ = ablation_set_of(tiny, "act", images)
    with torch.no_grad(), capture(tiny, "act") as captured:
        tiny(images)
    plain = Head(tiny, "act", torch.zeros(1, 3, 32, 32))
    general = AblationSet(plain, data.labels, data.features, captured.activations.numpy(), data.rows)
    before = state_of(tiny)
    for against in (False, True):
        expected = unit_contributions(data, np.arange(5), 2, against=against)
        found = unit_contributions(general, np.arange(5), 2, against=against)
        assert found == pytest.approx(expected, abs=1e-5)
    assert state_of(tiny) == before


def test_a_study_made_with_other_weights_is_refused(tmp_path):
    from interpret import pipeline
    from tests.conftest import draw_photos
    from tests.test_pipeline import config, tiny_classifier

    pictures = draw_photos(tmp_path / "photos", each=4)
    study = pipeline.run(config(pictures), tmp_path / "study", classifier=tiny_classifier())
    with pytest.raises(InputError, match="not those that"):
        load_head(study, classifier=tiny_classifier(seed=9))
    data = make_ablation_set(study, load_head(study, device="cpu", classifier=tiny_classifier()))
    predicted = classify(data, [[np.zeros(0, np.int64)] * 3], data.labels)[0]
    assert (predicted == study.images["predicted"].to_numpy()).all()
    assert data.labels.tolist() == study.images["label"].astype(int).tolist()
