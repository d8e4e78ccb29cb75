"""What ablating a set mends and breaks, by hand; the ranking of sets; lists of units written, read and applied."""

import pickle

import numpy as np
import pytest
import torch

import interpret
from interpret.confusion.explained import explain_pair
from interpret.confusion.pairs import photos_of_pair
from interpret.errors import InputError
from interpret.evaluation import ablation, heads, mending
from interpret.evaluation.ablation import AblationSet
from interpret.evaluation.error_sets import error_sets
from interpret.evaluation.mending import mend
from interpret.evaluation.unit_list import read_unit_list, sets_table, unit_list
from interpret.models.head import Head
from interpret.models.hooks import zero_units
from interpret.study import open_study
from tests.confused_study import confused


def drawn() -> AblationSet:
    """Three units that are the logits of three classes; 7 photos."""
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), torch.eye(3), torch.zeros(3))
    features = np.array(
        [
            [2, 3, 0],  # 0 taken for 1; without unit 1 it is right
            [1, 3, 2],  # 0 taken for 1; without unit 1 it is taken for 2
            [3, 1, 0],  # 0, right, whatever happens to unit 1
            [0, 2, 1],  # 1, right, broken without unit 1
            [0, 1, 2],  # 2, right
            [0, 3, 2],  # 2 taken for 1: another error, mended without unit 1
            [0, 1, 5],  # 1 taken for 2: another error, not mended
        ],
        np.float32,
    )
    return AblationSet(head, np.array([0, 0, 0, 1, 2, 2, 1]), features, None, np.arange(7))


def test_mended_and_broken_by_hand():
    (effect,) = mend(drawn(), 0, 1, [(1,)], draws=20)
    assert (effect.errors.photos, effect.errors.changed, effect.otherwise) == (2, 1, 1)
    assert (effect.right.photos, effect.right.changed) == (1, 0)
    assert (effect.right_predicted.photos, effect.right_predicted.changed) == (1, 1)
    assert (effect.right_others.photos, effect.right_others.changed) == (1, 0)
    assert (effect.other_errors.photos, effect.other_errors.changed) == (2, 1)
    assert (effect.broken, effect.net, effect.photos) == (1, 0, 7)
    assert effect.accuracy_before == pytest.approx(3 / 7)
    assert effect.accuracy_change == pytest.approx((1 + 1 - 1) / 7)
    changes = np.array([1, 0, 0, -1, 0, 1, 0])
    low, high = interpret_interval(changes)
    assert (effect.low, effect.high) == (pytest.approx(low), pytest.approx(high))


def interpret_interval(values: np.ndarray) -> tuple[float, float]:
    """Bonett and Price's interval, written out: one photo that gains and one that loses are added."""
    with_two = np.concatenate([values, [1, -1]])
    error = 1.96 * np.sqrt(with_two.var() / len(with_two))
    return with_two.mean() - error, with_two.mean() + error


def test_random_units_are_the_mean_over_all_draws():
    """Of the three units, ablating unit 1 mends one error, and ablating any other one none."""
    (effect,) = mend(drawn(), 0, 1, [(1,)], draws=300, seed=3)
    assert effect.errors.random == pytest.approx(1 / 3, abs=0.08)
    assert (effect.errors.low, effect.errors.high) == (0.0, 1.0)
    assert mend(drawn(), 0, 1, [(1,)], draws=0)[0].errors.random != effect.errors.random  # NaN
    assert mend(drawn(), 0, 1, [(2,), (1,)], draws=5)[1] == mend(drawn(), 0, 1, [(1,)], draws=5)[0]


def test_no_such_unit():
    with pytest.raises(InputError, match="no unit 3"):
        mend(drawn(), 0, 1, [(1, 3)])


def test_of_too_many_photos_each_group_gives_some_and_counts_for_all(monkeypatch):
    rng = np.random.default_rng(0)
    many = drawn()
    rows = rng.integers(0, 7, 4000)
    many = AblationSet(many.head, many.labels[rows], many.features[rows], None, np.arange(4000))
    (whole,) = mend(many, 0, 1, [(1,)], draws=0)
    monkeypatch.setattr(mending, "LINEAR_PREDICTIONS", 1500)
    (part,) = mend(many, 0, 1, [(1,)], draws=0)
    assert part.errors.photos == whole.errors.photos == int(np.isin(rows, [0, 1]).sum())
    assert part.errors.measured == 300
    assert part.errors.estimate == pytest.approx(whole.errors.changed, rel=0.15)
    assert part.accuracy_change == pytest.approx(whole.accuracy_change, abs=0.02)
    assert part.high - part.low > whole.high - whole.low


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mending") / "study"
    pair = confused(folder)
    study = open_study(folder)
    mined_set = ablation.make_ablation_set(study, heads.load_head(study, device="cpu"))
    photos = photos_of_pair(study, *pair)
    return (
        study,
        photos,
        error_sets(study, photos, explain_pair(study, photos), study.mine_config, mined_set),
        mined_set,
    )


def test_the_effect_equals_the_network_run_again(made):
    study, photos, sets, mined_set = made
    units = sets.table["units"].iloc[0]
    (effect,) = mend(mined_set, photos.label, photos.predicted, [units], draws=0)
    classifier = interpret.load(study.model_config)
    pixels = np.stack([study.preprocessing.apply(study.photo(i)) for i in range(len(study.images))])
    inputs = study.preprocessing.normalise(torch.from_numpy(pixels))
    with torch.no_grad(), zero_units(classifier.network, study.layer, torch.tensor(units)):
        after = classifier.network(inputs).argmax(dim=1).numpy()
    labels, before = study.images["label"].to_numpy(np.int64), study.images["predicted"].to_numpy()
    of_pair = (labels == photos.label) & (before == photos.predicted)
    assert effect.errors.changed == int((after[of_pair] == photos.label).sum())
    assert effect.broken == int(((before == labels) & (after != labels)).sum())


def test_significant_sets_come_first_by_what_they_mend(made):
    _, _, sets, _ = made
    table = sets.table
    assert table["significant"].iloc[0], "photos of another class differ from right ones"
    significant = table["significant"].to_numpy()
    assert not significant[np.argmin(significant) :].any() or significant.all()
    net = (table["mended"] - table["broken"])[significant].to_numpy()
    assert (np.diff(net) <= 0).all()
    assert table["p_value"][~significant].is_monotonic_increasing
    row = sets.row(table["units"].iloc[0], int(table["target"].iloc[0]))
    assert row is not None
    assert row.units == table["units"].iloc[0]
    assert sets.row((0, 1, 2, 3, 4, 5), 0) is None


def test_without_the_network_p_values_rank(made):
    study, photos, sets, _ = made
    plain = error_sets(study, photos, sets.explained, study.mine_config, None)
    assert plain.table["mended"].isna().all()
    assert plain.table["p_value"][plain.table["significant"]].is_monotonic_increasing


def test_a_list_of_units_is_written_read_and_applied(made, tmp_path):
    study, photos, sets, mined_set = made
    units = sets.table["units"].iloc[0]
    (effect,) = mend(mined_set, photos.label, photos.predicted, [units])
    row = sets.row(units, int(sets.table["target"].iloc[0]))
    listed = unit_list(study, units, row, effect, "drawings", photos.label, photos.predicted)
    file = tmp_path / "units.json"
    file.write_text(listed.text())
    again = read_unit_list(file)
    assert again == listed
    assert again.effect["errors_mended"] == effect.errors.changed
    network = interpret.load(study.model_config).network
    again.check(network)
    images = torch.rand(4, 3, *study.preprocessing.size)
    before = network(images)
    changed = interpret.ablated(network, again.layer, again.units)
    with torch.no_grad(), zero_units(network, study.layer, torch.tensor(units)):
        expected = network(images)
    torch.testing.assert_close(changed(images), expected, rtol=0, atol=0)
    torch.testing.assert_close(network(images), before, rtol=0, atol=0)
    assert not any(module._forward_hooks for module in network.modules()), "the caller's network has a hook"
    torch.testing.assert_close(pickle.loads(pickle.dumps(changed))(images), expected, rtol=0, atol=0)
    with torch.no_grad():
        next(network.parameters()).add_(1.0)
    with pytest.raises(InputError, match="weights are not those"):
        again.check(network)


def test_units_that_no_layer_has_are_refused(made):
    study = made[0]
    network = interpret.load(study.model_config).network
    with pytest.raises(InputError, match="No module is called"):
        interpret.ablated(network, "nowhere", [0])
    with pytest.raises(InputError, match="no unit -1"):
        interpret.ablated(network, study.layer, [-1])
    with pytest.raises(InputError, match=f"no unit {study.n_units}"):
        interpret.ablated(network, study.layer, [study.n_units])(torch.rand(1, 3, *study.preprocessing.size))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "unitscope units 1", "units": [1]}'])
def test_a_file_that_is_no_list_is_one_sentence(tmp_path, content):
    file = tmp_path / "units.json"
    file.write_text(content)
    with pytest.raises(InputError, match="is no list of units"):
        read_unit_list(file)
    with pytest.raises(InputError, match="cannot be read"):
        read_unit_list(tmp_path / "nowhere.json")


def test_the_table_of_sets_names_classes_and_network(made):
    study, photos, sets, _ = made
    table = sets_table(study, sets)
    assert set(table["label"]) == {study.class_names[photos.label]}
    assert set(table["weights_digest"]) == {study.weights_digest}
    assert table["units"].iloc[0] == ",".join(map(str, sets.table["units"].iloc[0]))
