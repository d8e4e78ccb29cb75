"""Table 1 and what goes beyond it: tables worked out by hand, held-out photos, and the command."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from interpret import mining, models, pipeline
from interpret.cli.main import main
from interpret.config import EvaluateConfig, MineConfig
from interpret.errors import InputError
from interpret.evaluation import cross_class, unit_rankings
from interpret.evaluation.ablation import AblationSet, load_head, make_ablation_set
from interpret.evaluation.effect import ablate_class
from interpret.evaluation.evaluate import Evaluation, evaluate, results_folder
from interpret.evaluation.heldout import best, heldout, kept, same_photos
from interpret.evaluation.table1 import BASELINE, keep_only, table_1
from interpret.evaluation.unit_rankings import Ranking
from interpret.figures import ablation_charts, evaluation_charts
from interpret.mining.transactions import TransactionDatabase
from interpret.models.head import Head
from interpret.models.hooks import zero_units
from interpret.study import Study, open_study
from tests.conftest import TinyNet, draw_photos, state_of
from tests.test_ablation import hand_made
from tests.test_pipeline import SMALL, Killed, config, tiny_classifier

CLASSES = np.array([0, 1, 2])


def ours() -> Ranking:
    units = {0: np.array([0, 1]), 1: np.array([1, 0]), 2: np.array([0])}
    return Ranking("Ours-2", units, {0: 1, 1: 1, 2: 1})


def row(table: pd.DataFrame, method: str, budget) -> pd.Series:
    same = table["budget"].isna() if budget is None else table["budget"] == budget
    found = table[(table["method"] == method) & same]
    assert len(found) == 1
    return found.iloc[0]


def test_table_1_worked_out_by_hand():
    rival = Ranking("Rival", {0: np.array([2]), 1: np.array([2]), 2: np.array([2])})
    small = EvaluateConfig(budgets=(1, 2), draws=3, resamples=400)
    table, differences = table_1(hand_made(), CLASSES, [ours(), rival], [ours()], small)
    # all on: 5 of 6 right; unit 0, 1, 0 of classes 0, 1, 2 off: photos 4 and 5 are right, see test_ablation
    assert row(table, BASELINE, 0)[["accuracy", "units", "photos"]].tolist() == [pytest.approx(5 / 6), 0, 6]
    assert row(table, BASELINE, 0)["error"] == pytest.approx(np.sqrt(5 / 6 / 6 / 6))
    one = row(table, "Ours-2", 1)
    assert (one["accuracy"], one["units"]) == (pytest.approx(2 / 6), 1)
    assert np.isnan(one["low"])
    assert row(table, "Ours-2", None)["accuracy"] == pytest.approx(2 / 6)
    # two units: class 0 without 0 and 1: 0, 0, .5 -> 2, 2; class 1: 2, 2 again or 0, 0, .5 + 1 from unit 2 ->
    # photo 3 keeps unit 2: 1, 1, .5 -> 0; class 2 has only one unit to give: still right
    two = row(table, "Ours-2", 2)
    assert (two["accuracy"], two["units"]) == (pytest.approx(2 / 6), pytest.approx(5 / 3))
    # the rival's unit 2 changes no answer: photo 3 goes from 1, 7, 2.5 to 0, 6, 2.5
    assert row(table, "Rival", 1)["accuracy"] == pytest.approx(5 / 6)
    assert not ((table["method"] == "Rival") & table["budget"].isna()).any()
    drawn = row(table, "Random", 1)
    assert drawn["low"] <= drawn["accuracy"] <= drawn["high"]
    pair = differences[(differences["rival"] == "Rival") & (differences["budget"] == 1)].iloc[0]
    assert pair["difference"] == pytest.approx(-3 / 6)  # photos 0-3 lost, photo 4 won
    assert pair["low"] <= -3 / 6 <= pair["high"] <= 0.35
    assert differences["budget"].isna().sum() == 1  # at natural sizes only against as many random units
    assert set(differences["method"]) == {"Ours-2"}


def test_keeping_units_only_worked_out_by_hand():
    small = EvaluateConfig(draws=2, keep_budgets=(1, 3))
    table = keep_only(hand_made(), CLASSES, [ours()], small)
    # unit 0 alone: photos 0 and 1: 4, 0, 1.5 -> right; unit 1 alone: photos 2, 3: 0, 3, 1.5 and 0, 6, 2.5 -> right;
    # class 2, unit 0 alone: photo 4: 2, 0, 1 -> wrong; photo 5 right
    assert row(table, "Ours-2", 1)["accuracy"] == pytest.approx(5 / 6)
    assert not ((table["method"] == "Ours-2") & (table["budget"] == 3)).any()  # it has no three units
    assert row(table, "Random", 3)["accuracy"] == pytest.approx(5 / 6)  # all there are


def test_the_matrix_and_its_dominance_worked_out_by_hand():
    falls = cross_class.matrix(hand_made(), CLASSES, ours())
    # unit 0 off: both photos of class 0 wrong, class 1 unharmed, class 2 from one right to two
    assert falls.to_numpy().tolist() == [[1.0, 0.0, -0.5], [0.0, 1.0, 0.0], [1.0, 0.0, -0.5]]
    assert cross_class.dominance(falls) == pytest.approx(1 - (0.5 / 6) / (1.5 / 3))
    assert np.isnan(cross_class.dominance(-falls))
    only = pd.DataFrame(np.diag([0.5, 0.2]))
    assert cross_class.dominance(only) == 1.0
    assert cross_class.dominance(pd.DataFrame(np.full((3, 3), 0.5))) == 0.0


def mined_by_hand():
    # classes 0 and 1 share unit 1, class 0 has {0, 1} for itself, class 2 has {0, 2}
    rows = [[0, 1]] * 4 + [[1, -1]] * 4 + [[0, 2]] * 4
    database = TransactionDatabase(np.array(rows, np.int32), np.repeat([0, 1, 2], 4).astype(np.int32), np.arange(12), 3)
    return mining.mine(database, MineConfig(top_units=2, min_support=0.5, min_class_patches=1))


def test_shared_itemsets_and_synergy_worked_out_by_hand():
    over = hand_made()
    shared = cross_class.shared_falls(over, CLASSES, mined_by_hand())
    found = dict(zip(shared["units"], shared.to_dict("records"), strict=True))
    assert {units: line["classes"] for units, line in found.items()} == {(0,): (0, 2), (1,): (0, 1)}
    # unit 1 off: class 0 keeps both, class 1 loses both, class 2 keeps one of one: in S 0.5, outside 0
    line = found[(1,)]
    assert (line["fall_in"], line["fall_out"], line["difference"]) == (0.5, 0.0, 0.5)
    # two photos that agree leave doubt: falls of 0, 0 give +-0.693; of 1, 1 -0.349 to 1.349, 1.349 below the mean
    # and 0.349 above. Halved for the two classes in S: sqrt(0.693 ** 2 / 4 + 1.349 ** 2 / 4 + 0.693 ** 2) = 1.027
    assert (line["low"], line["high"]) == (pytest.approx(-0.527, abs=1e-3), pytest.approx(1.294, abs=1e-3))
    # unit 0 off: class 0 falls by 1, class 2 by -0.5; class 1 by 0. Class 2's photos differ: -1 and 0
    line = found[(0,)]
    assert (line["fall_in"], line["fall_out"]) == (0.25, 0.0)
    # -1, 0: the interval is -1.063 to 0.563; sqrt(0.349 ** 2 / 4 + 1.063 ** 2 / 4 + 0.693 ** 2) = 0.890
    assert line["high"] - line["difference"] == pytest.approx(0.890, abs=1e-3)

    ranking = Ranking("Ours-2", {0: np.array([0, 1]), 1: np.array([1]), 2: np.array([0])}, {0: 2, 1: 1, 2: 1})
    synergy = cross_class.synergies(over, CLASSES, mined_by_hand(), ranking)
    line = synergy[(synergy["class_id"] == 0) & (synergy["kind"] == "all relevant units")].iloc[0]
    # class 0 without 0 and 1: both wrong; without 0 alone: both wrong; without 1 alone: none
    assert (line["units"], line["fall"], line["parts"], line["synergy"]) == ((0, 1), 1.0, 1.0, 0.0)
    line = synergy[synergy["class_id"] == 2].iloc[0]  # {0, 2}: -0.5 together, -0.5 and 0 one by one
    assert (line["kind"], line["fall"], line["parts"]) == ("itemsets", -0.5, -0.5)


def photos_that_agree(weight, bias, features, counts) -> AblationSet:
    """So many photos of each class, all of them with the same features."""
    head = Head(torch.nn.Identity(), "none", torch.zeros(1), torch.tensor(weight), torch.tensor(bias))
    labels = np.repeat(np.arange(len(counts)), counts)
    return AblationSet(head, labels, np.array(features, np.float32)[labels], None, np.arange(len(labels)))


@pytest.mark.parametrize(
    ("counts", "claim"),
    [((20, 20, 20), True), ((20, 20, 1), False), ((1, 20, 20), None), ((1, 1, 1), None), ((2, 2, 2), False)],
)
def test_a_shared_itemset_is_claimed_to_hurt_its_classes_only_from_enough_photos(counts, claim):
    # without unit 1 the photos of classes 0 and 1 fall from 4 to 1, below the 2 of class 2; those of class 2 stay
    weight, bias = [[1.0, 3.0, 0.0], [0.0, 3.0, 1.0], [0.0, 0.0, 0.0]], [0.0, 0.0, 2.0]
    photos = photos_that_agree(weight, bias, [[1, 1, 0], [0, 1, 1], [0, 0, 0]], counts)
    shared = cross_class.shared_falls(photos, CLASSES, mined_by_hand()).set_index("units")
    line = shared.loc[[(1,)]].iloc[0]
    assert (line["classes"], line["fall_in"], line["fall_out"], line["difference"]) == ((0, 1), 1.0, 0.0, 1.0)
    if claim is None:  # one photo of a class says nothing of how its photos differ
        assert np.isnan(line["low"])
        assert np.isnan(line["high"])
    else:
        assert bool(line["low"] > 0) is claim
        assert line["low"] < line["difference"] < line["high"]


@pytest.mark.parametrize(("count", "claim"), [(1, None), (2, False), (3, False), (4, True), (40, True)])
def test_a_synergy_is_claimed_only_from_enough_photos(count, claim):
    # class 0: 4 against 1; without either unit 2, still right; without both 0, wrong: each photo has a synergy of 1
    photos = photos_that_agree([[2.0, 2.0, 0.0], [0.0] * 3, [0.0] * 3], [0.0, 1.0, 0.0], [[1, 1, 0]], [count])
    ranking = Ranking("Ours-2", {0: np.array([0, 1])}, {0: 2})
    line = cross_class.synergies(photos, CLASSES[:1], mined_by_hand(), ranking).iloc[0]
    assert (line["units"], line["fall"], line["parts"], line["synergy"]) == ((0, 1), 1.0, 0.0, 1.0)
    if claim is None:
        assert np.isnan(line["low"])
    else:
        assert bool(line["low"] > 0) is claim
        assert line["low"] < 1.0 < line["high"]


def test_only_the_largest_of_the_itemsets_that_the_same_classes_share_is_measured():
    rows = [[0, 1, 2]] * 4 + [[0, 1, 2]] * 4 + [[0, 1, 2]] * 2 + [[0, 1, -1]] * 2
    database = TransactionDatabase(np.array(rows, np.int32), np.repeat([0, 1, 2], 4).astype(np.int32), np.arange(12), 3)
    mined = mining.mine(database, MineConfig(top_units=3, min_support=0.75, min_class_patches=1))
    shared = cross_class.shared_falls(hand_made(), CLASSES, mined)
    # class 2 has {0, 1}, and classes 0 and 1 have {0, 1, 2} besides; nothing smaller adds to these two
    assert set(zip(shared["units"], shared["classes"], strict=True)) == {((0, 1), (0, 1, 2)), ((0, 1, 2), (0, 1))}
    two = cross_class.shared_falls(hand_made(), CLASSES[:2], mined)
    assert set(zip(two["units"], two["classes"], strict=True)) == {((0, 1, 2), (0, 1))}


def test_many_classes_are_measured_on_fewer_photos(monkeypatch):
    over = hand_made()
    assert len(cross_class.thinned(over, CLASSES, settings=3)) == 6
    monkeypatch.setattr(cross_class, "MAX_PREDICTIONS", 0)
    many = dataclasses.replace(over, labels=np.zeros(6, np.int64))
    assert cross_class.thinned(many, np.array([0]), settings=3).tolist() == [0, 1, 2, 3, 4]


def test_figures_say_what_the_tables_say():
    small = EvaluateConfig(budgets=(1, 2), draws=3, resamples=50)
    table, _ = table_1(hand_made(), CLASSES, [ours()], [ours()], small)
    figure = evaluation_charts.accuracy_curves(table, 5 / 6, methods=["Ours-2", "Random"])
    lines = {trace.name: trace for trace in figure.data if trace.name}
    assert set(lines) == {"Ours-2", "Random"}
    assert list(lines["Ours-2"].x) == [1, 2]
    assert list(lines["Ours-2"].y) == pytest.approx([2 / 6, 2 / 6])
    falls = cross_class.matrix(hand_made(), CLASSES, ours())
    heat, squares = evaluation_charts.influence_matrix(falls, ["a", "b", "c"]).data
    assert heat.z.tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    assert squares.text[2] == "units of a off: c gains 50.0 points"
    assert list(squares.customdata[5]) == [1, 2]
    bars = ablation_charts.class_effect(ablate_class(hand_made(), 0, [0]), "#0072B2").data[0]
    assert list(bars.x[:2]) == [1.0, 0.0]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "train", each=10)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "val", each=9)


@pytest.fixture
def study(pictures, tmp_path):
    return pipeline.run(config(pictures), tmp_path / "study", classifier=tiny_classifier())


def test_held_out_photos_are_kept_inside_the_study_and_an_interrupted_run_goes_on(study, others):
    classifier = tiny_classifier()
    calls = 0

    def breaking(progress):
        nonlocal calls
        calls += progress.stage == "Explaining photos"
        if calls == 6:
            raise Killed

    with pytest.raises(Killed):
        heldout(study, str(others), batch_size=4, device="cpu", classifier=classifier, progress=breaking)
    assert kept(study).studies == ()
    on = heldout(study, str(others), batch_size=4, device="cpu", classifier=classifier)
    assert on.folder.parent == study.folder / "evaluation"
    assert [found.key for found in kept(study).studies] == [on.key]
    assert len(on.images) == 27
    stages = []
    again = heldout(
        study, str(others), batch_size=4, device="cpu", classifier=classifier, progress=lambda p: stages.append(p.stage)
    )
    assert again.key == on.key
    assert "Explaining photos" not in stages
    assert heldout(study, str(on.folder)).key == on.key
    assert same_photos(study, study)
    assert not same_photos(study, on)


def made_in(study, year: int):
    """The study, its date set to a year: dates are in whole seconds, and a test is quicker than that."""
    content = json.loads((study.folder / "manifest.json").read_text())
    content["created"] = f"{year}-01-01T00:00:00+00:00"
    (study.folder / "manifest.json").write_text(json.dumps(content))
    return open_study(study.folder)


def test_the_largest_held_out_set_is_measured_on_and_damaged_ones_are_named(study, pictures, others, tmp_path):
    classifier = tiny_classifier()
    options = {"batch_size": 4, "device": "cpu", "classifier": classifier}
    assert best(study) is None
    whole = heldout(study, str(others), **options)
    trial = made_in(heldout(study, str(others), limit=6, **options), 2100)  # newer, and of six photos
    assert [found.key for found in kept(study).studies] == [trial.key, whole.key]
    chosen = best(study)
    assert (chosen.study.key, chosen.photos, chosen.others, chosen.mined) == (whole.key, 27, 1, False)
    assert chosen.source == str(others)
    assert chosen.damaged == {}

    cut = heldout(study, str(pictures), **options)
    assert best(study).mined
    (cut.folder / "features.npy").write_bytes(b"cut short")
    no_json = study.folder / "evaluation" / "no-json"
    no_json.mkdir()
    (no_json / "manifest.json").write_text("{")
    no_date = study.folder / "evaluation" / "no-date"
    shutil.copytree(trial.folder, no_date)
    content = json.loads((no_date / "manifest.json").read_text())
    del content["created"]
    (no_date / "manifest.json").write_text(json.dumps(content))
    other = pipeline.run(config(pictures), tmp_path / "other", classifier=tiny_classifier(seed=8))
    foreign = study.folder / "evaluation" / "foreign"
    shutil.copytree(other.folder, foreign)

    found = kept(study)
    assert [usable.key for usable in found.studies] == [trial.key, whole.key]
    assert set(found.damaged) == {cut.folder, no_json, no_date, foreign}
    assert "features" in found.damaged[cut.folder]
    assert "another network" in found.damaged[foreign]
    assert best(study).study.key == whole.key
    assert best(study).damaged == found.damaged
    with pytest.raises(InputError, match="delete that folder"):
        heldout(study, str(pictures), **options)
    shutil.rmtree(cut.folder)
    assert heldout(study, str(pictures), **options).key == cut.key


def test_what_cannot_be_measured_on_is_refused_in_one_sentence(study, pictures, tmp_path):
    with pytest.raises(InputError, match="not those that"):
        heldout(study, str(pictures), classifier=tiny_classifier(seed=8))
    flat = tmp_path / "flat"
    flat.mkdir()
    Image.new("RGB", (40, 40), "red").save(flat / "a.png")
    with pytest.raises(InputError, match="have no labels"):
        heldout(study, str(flat), device="cpu", classifier=tiny_classifier())
    other = pipeline.run(config(pictures), tmp_path / "other", classifier=tiny_classifier(seed=8))
    with pytest.raises(InputError, match="another network"):
        heldout(study, str(other.folder))


@pytest.mark.parametrize("replacement", ["zero", "mean"])
def test_an_evaluation_is_the_same_each_time_and_comes_back_from_disk(study, others, tmp_path, replacement):
    classifier = tiny_classifier()
    before = state_of(classifier.network)
    on = heldout(study, str(others), batch_size=4, device="cpu", classifier=classifier)
    head = load_head(study, device="cpu", classifier=classifier)
    small = EvaluateConfig(
        budgets=(1, 3), top_units=(2, 3), draws=4, resamples=100, keep_budgets=(1, 12), replacement=replacement
    )
    result = evaluate(study, on, head, study.mine_config, small)
    assert state_of(classifier.network) == before
    own = (on.images["label"].astype(int) == on.images["predicted"]).mean()
    assert row(result.table, BASELINE, 0)["accuracy"] == own == result.about["accuracy"]
    if replacement == "zero":  # with no unit off and none kept, nothing depends on what stands in for a unit
        assert row(result.keep, "Random", 12)["accuracy"] == own
    assert set(result.table["method"]) >= {"Ours-2", "Ours-3", "mu-lasso [6]", "Greedy drop", "Top weight", "Random"}
    folder = results_folder(study, on, study.mine_config, small)
    result.write(folder)
    back = Evaluation.read(folder)
    again = evaluate(study, on, head, study.mine_config, small)
    for name in Evaluation.FRAMES:
        pd.testing.assert_frame_equal(getattr(result, name), getattr(again, name))
    for name in ("table", "differences", "keep"):
        pd.testing.assert_frame_equal(getattr(result, name), getattr(back, name))
    assert back.matrix.to_numpy().tolist() == result.matrix.to_numpy().tolist()
    assert list(back.matrix.columns) == list(result.matrix.columns)
    assert back.about["config"]["budgets"] in ((1, 3), [1, 3])
    other = dataclasses.replace(small, draws=5)
    assert results_folder(study, on, study.mine_config, other) != folder


@pytest.fixture
def stored(study, others):
    """A small evaluation and the folder that it was written into."""
    on = heldout(study, str(others), batch_size=4, device="cpu", classifier=tiny_classifier())
    head = load_head(study, device="cpu", classifier=tiny_classifier())
    small = EvaluateConfig(budgets=(1,), top_units=(2,), draws=2, resamples=20, keep_budgets=(1,), lasso=False)
    result = evaluate(study, on, head, study.mine_config, small)
    folder = results_folder(study, on, study.mine_config, small)
    result.write(folder)
    return result, folder


def test_results_of_another_version_are_made_again_and_those_without_one_lose_their_narrow_intervals(stored):
    result, folder = stored
    file = folder / "evaluation.json"
    content = json.loads(file.read_text())
    assert len(result.synergy) > 0
    assert result.synergy["low"].notna().all()
    file.write_text(json.dumps({name: value for name, value in content.items() if name != "format"}))
    before = Evaluation.read(folder)
    for name in ("table", "differences", "keep", "matrix"):
        pd.testing.assert_frame_equal(getattr(before, name), getattr(result, name), check_names=False)
    assert before.synergy["synergy"].tolist() == result.synergy["synergy"].tolist()
    assert before.synergy[["low", "high"]].isna().all(axis=None)
    assert before.dominance == pytest.approx(result.dominance, nan_ok=True)
    file.write_text(json.dumps({**content, "format": content["format"] + 1}))
    with pytest.raises(InputError, match=r"format 3 .* run `evaluate` again"):
        Evaluation.read(folder)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("evaluation.json", b"{"),
        ("evaluation.json", b"[1]"),
        ("evaluation.json", b"{}"),
        ("evaluation.json", b'{"about": null, "dominance": null}'),
        ("evaluation.json", b"\xff"),
        ("evaluation.json", None),
        ("keep.parquet", b"PAR1"),
        ("matrix.parquet", None),
    ],
)
def test_a_damaged_result_is_one_sentence(stored, name, content):
    _, folder = stored
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(InputError, match="is damaged; run `evaluate` again"):
        Evaluation.read(folder)


def test_a_result_is_kept_by_what_the_studies_hold_not_where_they_lie(study, others, tmp_path):
    classifier = tiny_classifier()
    options = {"batch_size": 4, "device": "cpu", "classifier": classifier}
    on = heldout(study, str(others), **options)
    name = results_folder(study, on, study.mine_config, EvaluateConfig()).name
    moved = tmp_path / "moved"
    shutil.copytree(others, moved)
    same = heldout(study, str(moved), **options)
    assert results_folder(study, same, study.mine_config, EvaluateConfig()).name == name
    Image.new("RGB", (64, 48), "white").save(moved / "class 0" / "000.png")
    changed = heldout(study, str(moved), **options)
    assert results_folder(study, changed, study.mine_config, EvaluateConfig()).name != name
    again = Study(study.folder, {**study.manifest, "key": "made again of other photos"})
    assert results_folder(again, on, study.mine_config, EvaluateConfig()).name != name


def test_a_network_of_one_output_is_refused_in_one_sentence(pictures, tmp_path):
    torch.manual_seed(7)
    classifier = models.wrap(
        TinyNet(classes=1).eval(), name="yes or no", class_names=["yes"], preprocessing=SMALL, layer="act"
    )
    study = pipeline.run(config(pictures), tmp_path / "study", classifier=classifier)
    head = load_head(study, device="cpu", classifier=classifier)
    with pytest.raises(InputError, match="yes or no has one output only"):
        make_ablation_set(study, head)


@pytest.mark.slow
def test_a_tail_that_is_not_linear_is_evaluated_on_stored_maps(pictures, others, tmp_path):
    torch.manual_seed(7)
    network = TinyNet().eval()
    classifier = models.wrap(
        network, name="tiny", class_names=["class 0", "class 1", "class 2"], preprocessing=SMALL, layer="first"
    )
    study = pipeline.run(config(pictures), tmp_path / "study", classifier=classifier)
    on = heldout(study, str(others), batch_size=4, device="cpu", classifier=classifier)
    head = load_head(study, device="cpu", classifier=classifier)
    assert not head.linear
    result = evaluate(study, on, head, study.mine_config, EvaluateConfig(budgets=(2,), top_units=(3,), draws=2))
    assert row(result.table, BASELINE, 0)["accuracy"] == on.accuracy()[0]
    assert not {"Top weight", "Greedy drop"} & set(result.table["method"])
    over = make_ablation_set(on, head)
    ranking = unit_rankings.mined(study, make_ablation_set(study, head), over.classes, study.mine_config, top_units=3)
    right = []
    for photo, label in enumerate(over.labels.tolist()):
        pixels = torch.from_numpy(SMALL.apply(on.photo(photo)))[None]
        with torch.no_grad(), zero_units(network, "first", torch.from_numpy(ranking.best(label, 2).copy())):
            right.append(int(network(SMALL.normalise(pixels)).argmax()) == label)
    assert row(result.table, "Ours-3", 2)["accuracy"] == np.mean(right)


@pytest.mark.slow
def test_the_command_prints_writes_and_draws(tmp_path, capsys):
    pictures = draw_photos(tmp_path / "named", classes=2, each=6)
    for index, wnid in enumerate(("n01440764", "n03028079")):
        (pictures / f"class {index}").rename(pictures / wnid)
    study = tmp_path / "study"
    options = ["--weights", "random", "--input-size", "64", "--precision", "float32", "--device", "cpu"]
    assert main(["run", "--images", str(pictures), "--study", str(study), *options, "--min-class-patches", "1"]) == 0
    csv, png = tmp_path / "out" / "table.csv", tmp_path / "out" / "table.png"
    command = ["evaluate", str(study), "--images", str(pictures), "--out", str(csv), "--plot", str(png)]
    command += ["--budgets", "1,5", "--draws", "3", "--device", "cpu", "--no-lasso"]
    capsys.readouterr()
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "Ours-10" in printed
    assert "These are the photos that were mined" in printed
    table = pd.read_csv(csv)
    base = table[table["method"] == BASELINE].iloc[0]
    assert base["accuracy"] == open_study(study).accuracy()[0]
    assert sorted(table["budget"].dropna().unique()) == [0, 1, 5]
    assert (tmp_path / "out" / "table-matrix.csv").is_file()
    with Image.open(png) as picture:
        assert picture.width > 1000
    assert main(["evaluate", str(study), "--images", str(tmp_path / "nothing")]) == 2
    assert main(["evaluate", str(tmp_path / "nothing"), "--images", str(pictures)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) >= 2
    assert main(["evaluate", str(study), "--images", str(pictures), "--budgets", "0,5"]) == 2
    assert "--budgets is 0; the smallest value allowed is 1" in capsys.readouterr().err
