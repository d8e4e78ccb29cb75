"""Ablation on stored activations against hooked forward passes, and the numbers that come of it."""

import numpy as np
import pytest
import torch
from scipy.stats import multinomial

from interpret import models
from interpret.config import ModelConfig
from interpret.errors import InputError
from interpret.evaluation.ablation import AblationSet, classify, load_head, logits, make_ablation_set
from interpret.evaluation.contributions import unit_contributions
from interpret.evaluation.effect import ablate_class, random_units
from interpret.models.head import Head, find_head
from interpret.models.hooks import capture, replace, zero_units
from interpret.stats import mean_interval, paired_intervals, standard_error
from tests.conftest import state_of


def inputs(batch: int, side: int, seed: int = 2) -> torch.Tensor:
    return torch.rand(batch, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def taken(network, layer: str, images: torch.Tensor, kind=np.float32) -> tuple[AblationSet, torch.Tensor]:
    """A bench of images with labels 0, 1, 0, 1, ..., and the network's own logits."""
    head = find_head(network, layer, images[:2])
    with torch.no_grad(), capture(network, layer) as captured:
        own = network(images)
    maps = captured.activations.numpy()
    features = maps.mean(axis=(2, 3)).astype(kind)
    labels = np.arange(len(images)) % 2
    stored = None if head.linear else maps.astype(kind)
    return AblationSet(head, labels, features, stored, np.arange(len(images))), own


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
        ("efficientnet_lite0", True),
        ("demo", True),
    ],
)
def test_ablation_equals_a_hooked_full_forward_pass(name, linear):
    if name not in [one for one, _ in models.available()]:
        pytest.skip(f"{name} is not here")
    try:
        classifier = models.load(ModelConfig(model=name, weights=None if name == "demo" else "random"))
    except InputError as error:
        pytest.skip(str(error))
    network, layer = classifier.network, classifier.layer
    images = inputs(3, classifier.preprocessing.size[0])
    before = state_of(network)
    over, own = taken(network, layer, images)
    assert over.head.linear is linear
    rng = np.random.default_rng(5)
    sets = [rng.choice(over.n_units, 12, replace=False), rng.choice(over.n_units, 3, replace=False)]
    groups = np.array([0, 1, 1])
    found = logits(over, [[np.zeros(0, np.int64)] * 2, sets], groups)
    assert np.abs(found[0] - own.numpy()).max() < 1e-4
    off = masks(groups, sets, over.n_units)
    expected = hooked(network, layer, images, off)
    effect = np.abs(expected - own.numpy()).max()
    assert np.abs(found[1] - expected).max() < min(1e-4, effect / 100)
    kept = logits(over, [sets], groups, keep=True)
    assert np.abs(kept[0] - hooked(network, layer, images, ~off)).max() < min(1e-4, effect / 100)
    assert state_of(network) == before


@pytest.mark.parametrize("layer", ["act", "first"])
def test_the_mean_in_place_of_zero_equals_a_pass_with_the_maps_overwritten(tiny, layer):
    images = inputs(6, 32)
    over, _ = taken(tiny, layer, images)
    assert over.head.linear is (layer == "act")
    fill = np.linspace(0.1, 0.9, over.n_units).astype(np.float32)
    over = AblationSet(over.head, over.labels, over.features, over.activations, over.rows, fill)
    units = np.array([1, 4])
    with torch.no_grad():
        with capture(tiny, layer) as captured:
            tiny(images)
        maps = captured.activations.clone()
        maps[:, units] = torch.from_numpy(fill[units])[None, :, None, None]
        with replace(tiny, layer, maps):
            expected = tiny(images).numpy()
    found = logits(over, [[units]], np.zeros(6, np.int64))[0]
    assert np.abs(found - expected).max() < 1e-5
    assert np.abs(found - logits(over, [[units[:0]]], np.zeros(6, np.int64))[0]).max() > 1e-3


def hand_made() -> AblationSet:
    """Three units, three classes, logits that can be worked out in the head; two photos a class."""
    weight = torch.tensor([[4.0, 0.0, 1.0], [0.0, 3.0, 1.0], [1.0, 1.0, 0.0]])
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), weight, torch.tensor([0.0, 0.0, 0.5]))
    features = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 2, 1], [0.5, 0, 0], [0, 0, 0]], np.float32)
    return AblationSet(head, np.array([0, 0, 1, 1, 2, 2]), features, None, np.arange(6))


def test_predictions_worked_out_by_hand():
    over = hand_made()
    # photo: logits            -> predicted
    # 0: 4, 0, 1.5             -> 0      1: 4, 3, 2.5  -> 0     2: 0, 3, 1.5 -> 1
    # 3: 1, 7, 2.5             -> 1      4: 2, 0, 1.0  -> 0     5: 0, 0, 0.5 -> 2
    everything_on = [np.zeros(0, np.int64)] * 3
    own = [np.array([0]), np.array([1]), np.array([0])]
    predicted = classify(over, [everything_on, own], over.labels)
    assert predicted[0].tolist() == [0, 0, 1, 1, 0, 2]
    # unit 0 off: 0: 0, 0, .5 -> 2; 1: 0, 3, 1.5 -> 1; unit 1 off: 2: 0, 0, .5 -> 2; 3: 1, 1, .5 -> 0 (ties go down)
    # unit 0 off: 4: 0, 0, .5 -> 2; 5: 2
    assert predicted[1].tolist() == [2, 1, 2, 0, 2, 2]
    # unit 1 alone kept: 0: 0, 0, .5 -> 2; 1: 0, 3, 1.5 -> 1; 2: 1; 3: 0, 6, 2.5 -> 1; 4: 2; 5: 2
    kept = classify(over, [[np.array([1])] * 3], over.labels, keep=True)
    assert kept[0].tolist() == [2, 1, 1, 1, 2, 2]
    # a group below 0 is left as it is
    assert classify(over, [own], np.full(6, -1))[0].tolist() == predicted[0].tolist()


def test_a_class_with_a_unit_off_and_who_gained():
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
    over, own = taken(tiny, "act", inputs(50, 32))
    whole = classify(over, [[np.array([2])] * 2], over.labels)
    monkeypatch.setattr("interpret.evaluation.ablation.LINEAR_ROWS", 7)
    assert (classify(over, [[np.array([2])] * 2], over.labels) == whole).all()
    chosen = np.array([31, 2, 40])
    assert (classify(over, [[np.array([2])]], np.zeros(3, np.int64), chosen)[0] == whole[0][chosen]).all()
    untouched = logits(over, [[np.zeros(0, np.int64)] * 2], over.labels)[0]
    assert np.abs(untouched - own.numpy()).max() < 1e-5


def test_half_precision_costs_no_more_than_its_rounding(tiny):
    images = inputs(20, 32)
    exact, _ = taken(tiny, "act", images)
    half, _ = taken(tiny, "act", images, np.float16)
    sets = [[np.array([0, 3])] * 2]
    difference = np.abs(logits(exact, sets, exact.labels) - logits(half, sets, half.labels))
    weight = exact.head.weight.abs().numpy()
    bound = np.abs(exact.features) @ weight.T * 2.0**-11 + 2.0**-24 * weight.sum()
    assert (difference[0] <= bound + 1e-6).all()


def test_contributions_are_gradients_times_activations(tiny):
    over, _ = taken(tiny, "act", inputs(5, 32))
    photos = np.arange(5)
    weight = over.head.weight.numpy()
    assert unit_contributions(over, photos, 1) == pytest.approx(weight[1] * over.features, abs=1e-6)
    found = unit_contributions(over, photos, 1, against=True)
    leaf = torch.from_numpy(over.features.copy()).requires_grad_(True)
    scores = over.head.from_features(leaf)
    p = scores.softmax(1)[:, 1]
    (p / (1 - p)).log().sum().backward()  # log-odds, written another way
    assert found == pytest.approx((leaf.grad * leaf).detach().numpy(), abs=1e-5)


def test_contributions_through_any_tail_equal_those_of_a_linear_one(tiny):
    images = inputs(5, 32)
    over, _ = taken(tiny, "act", images)
    with torch.no_grad(), capture(tiny, "act") as captured:
        tiny(images)
    plain = Head(tiny, "act", torch.zeros(1, 3, 32, 32))
    general = AblationSet(plain, over.labels, over.features, captured.activations.numpy(), over.rows)
    before = state_of(tiny)
    for against in (False, True):
        expected = unit_contributions(over, np.arange(5), 2, against=against)
        found = unit_contributions(general, np.arange(5), 2, against=against)
        assert found == pytest.approx(expected, abs=1e-5)
    assert state_of(tiny) == before


def test_standard_errors_and_paired_intervals():
    assert standard_error(0.7159, 50_000) == pytest.approx(0.0020167, abs=1e-6)
    assert np.isnan(standard_error(0.5, 0))
    rng = np.random.default_rng(0)
    a = rng.random(4000) < 0.6
    b = a & (rng.random(4000) < 0.95)  # b is wrong wherever a is, and a little more often
    values = np.stack([a, b]).astype(float)
    ((low, high),) = paired_intervals(values, [(0, 1)])
    difference = values[0] - values[1]
    reach = 1.96 * difference.std() / np.sqrt(4000)
    assert low == pytest.approx(difference.mean() - reach, abs=6e-4)
    assert high == pytest.approx(difference.mean() + reach, abs=6e-4)
    assert paired_intervals(values, [(0, 0)]).tolist() == [[0.0, 0.0]]
    assert paired_intervals(values, []).shape == (0, 2)


def test_intervals_of_mean_changes_hold_the_mean_as_often_as_they_say():
    """Exact coverage: every outcome of n photos that are lost (1), gained (-1) or neither, by its probability."""
    chances = [(a, b) for a in (0.0, 0.02, 0.1, 0.3, 0.5, 0.9) for b in (0.0, 0.05, 0.3, 0.5) if a + b <= 1]
    for n in (2, 3, 5, 8, 13, 30):
        lost, gained = (part.ravel() for part in np.mgrid[: n + 1, : n + 1])
        lost, gained = lost[lost + gained <= n], gained[lost + gained <= n]
        outcomes = np.array([[1] * a + [-1] * b + [0] * (n - a - b) for a, b in zip(lost, gained, strict=True)])
        low, high = mean_interval(outcomes)
        assert (high - low > 0.1).all(), "no outcome of so few photos is certain"
        mean = outcomes.mean(axis=1)
        assert ((low <= mean) & (mean <= high)).all()
        held = []
        for a, b in chances:
            weights = multinomial(n, [a, b, max(0.0, 1 - a - b)]).pmf(np.stack([lost, gained, n - lost - gained], 1))
            assert np.nansum(weights) == pytest.approx(1)
            held.append(weights[(low <= a - b + 1e-9) & (a - b - 1e-9 <= high)].sum())
        assert min(held) > 0.87
        assert np.mean(held) > 0.95


def test_intervals_of_mean_changes_by_hand():
    # four photos lost: (4 + 0) / 6 = 2/3, and the mean square of 1, 1, 1, 1, 1, -1 is 1
    low, high = mean_interval(np.ones((1, 4)))
    reach = 1.96 * np.sqrt((1 - 4 / 9) / 6)
    assert (low[0], high[0]) == (pytest.approx(2 / 3 - reach), pytest.approx(2 / 3 + reach))
    assert np.isnan(mean_interval(np.ones(1))).all()
    many = np.random.default_rng(1).choice([-1, 0, 1], 4000, p=[0.1, 0.6, 0.3])
    low, high = mean_interval(many)
    reach = 1.96 * many.std() / np.sqrt(4000)
    assert (low, high) == (pytest.approx(many.mean() - reach, abs=3e-4), pytest.approx(many.mean() + reach, abs=3e-4))


def test_paired_intervals_of_few_photos_and_of_photos_that_agree_are_not_empty():
    lost = np.stack([np.zeros(40), np.ones(40)])
    for n, claim in ((2, False), (3, False), (4, True), (40, True)):
        ((low, high),) = paired_intervals(lost[:, :n], [(0, 1)])
        assert low < -1 < high
        assert bool(high < 0) is claim
    assert np.isnan(paired_intervals(lost[:, :1], [(0, 1)])).all()


def test_a_study_made_with_other_weights_is_refused(tmp_path):
    from interpret import pipeline
    from tests.conftest import draw_photos
    from tests.test_pipeline import config, tiny_classifier

    pictures = draw_photos(tmp_path / "photos", each=4)
    study = pipeline.run(config(pictures), tmp_path / "study", classifier=tiny_classifier())
    with pytest.raises(InputError, match="not those that"):
        load_head(study, classifier=tiny_classifier(seed=9))
    over = make_ablation_set(study, load_head(study, device="cpu", classifier=tiny_classifier()))
    predicted = classify(over, [[np.zeros(0, np.int64)] * 3], over.labels)[0]
    assert (predicted == study.images["predicted"].to_numpy()).all()
    assert over.labels.tolist() == study.images["label"].astype(int).tolist()
