"""An evaluation: the same each time, kept on disk by its contents, and printed by the command."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from interpret import models, pipeline
from interpret.cli.main import main
from interpret.config import EvaluateConfig
from interpret.errors import InputError
from interpret.evaluation import unit_rankings
from interpret.evaluation.ablation import make_ablation_set
from interpret.evaluation.evaluate import Evaluation, evaluate, rank_all, results_folder
from interpret.evaluation.heads import load_head
from interpret.evaluation.heldout import heldout
from interpret.evaluation.table1 import BASELINE
from interpret.mining.stored import mine_study, transactions
from interpret.models.hooks import zero_units
from interpret.study import Study, open_study
from tests.ablation_example import row
from tests.conftest import TinyNet, draw_photos, state_of
from tests.small_study import studies
from tests.test_pipeline import SMALL, config, tiny_classifier


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "train", each=10)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    return draw_photos(tmp_path_factory.mktemp("photos") / "val", each=9)


@pytest.fixture
def study(pictures, tmp_path):
    return pipeline.run(config(pictures), tmp_path / "study", classifier=tiny_classifier())


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
    accuracy = (on.images["label"].astype(int) == on.images["predicted"]).mean()
    assert row(result.table, BASELINE, 0)["accuracy"] == accuracy == result.about["accuracy"]
    if replacement == "zero":  # with no unit off and none kept, nothing depends on what stands in for a unit
        assert row(result.keep, "Random", 12)["accuracy"] == accuracy
    assert set(result.table["method"]) >= {"Ours-2", "Ours-3", "mu-lasso [6]", "Greedy drop", "Top weight", "Random"}
    folder = results_folder(study, on, study.mine_config, small)
    result.write(folder)
    back = Evaluation.read(folder)
    again = evaluate(study, on, head, study.mine_config, small)
    for name in Evaluation.FRAMES:
        pd.testing.assert_frame_equal(getattr(result, name), getattr(again, name))
    pd.testing.assert_frame_equal(result.itemsets.beyond, again.itemsets.beyond)
    pd.testing.assert_frame_equal(result.itemsets.beyond, back.itemsets.beyond)
    without = evaluate(study, on, head, study.mine_config, dataclasses.replace(small, itemsets=False))
    assert without.itemsets.beyond.empty
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
    with pytest.raises(InputError, match=r"evaluation.json is damaged: .*; run `evaluate` again"):
        Evaluation.read(folder)
    (folder / "digests.json").unlink()  # earlier versions wrote none
    earlier = result.table.assign(method=result.table["method"].replace("No unit ablated", "No unit off"))
    assert "No unit off" in set(earlier["method"])
    earlier.to_parquet(folder / "table.parquet")
    before = Evaluation.read(folder)
    for name in ("table", "differences", "keep", "matrix"):
        pd.testing.assert_frame_equal(getattr(before, name), getattr(result, name), check_names=False)
    assert before.synergy["synergy"].tolist() == result.synergy["synergy"].tolist()
    assert before.synergy[["low", "high"]].isna().all(axis=None)
    assert before.dominance == pytest.approx(result.dominance, nan_ok=True)
    assert len(result.itemsets.beyond) > 0
    assert before.itemsets.beyond.empty  # measured since format 3 only
    file.write_text(json.dumps({**content, "format": 2}))
    assert Evaluation.read(folder).synergy["low"].notna().all()
    assert Evaluation.read(folder).itemsets.beyond.empty
    file.write_text(json.dumps({**content, "format": 3}))
    assert len(Evaluation.read(folder).itemsets.beyond) > 0
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"digests.json is missing\); run `evaluate` again"):
        Evaluation.read(folder)
    file.write_text(json.dumps({**content, "format": content["format"] + 1}))
    with pytest.raises(InputError, match=r"format 5, and .* run `evaluate` again"):
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
        ("beyond.parquet", b"PAR1"),
        ("transfer.parquet", None),
    ],
)
def test_a_damaged_result_is_one_sentence(stored, name, content):
    _, folder = stored
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(InputError, match=r"is not used \(.*\); run `evaluate` again"):
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
def test_a_head_that_is_not_linear_is_evaluated_on_stored_maps(pictures, others, tmp_path):
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
    data = make_ablation_set(on, head)
    ranking = unit_rankings.mined(study, make_ablation_set(study, head), data.classes, study.mine_config, top_units=3)
    correct = []
    for photo, label in enumerate(data.labels.tolist()):
        pixels = torch.from_numpy(SMALL.apply(on.photo(photo)))[None]
        with torch.no_grad(), zero_units(network, "first", torch.from_numpy(ranking.best(label, 2).copy())):
            correct.append(int(network(SMALL.normalise(pixels)).argmax()) == label)
    assert row(result.table, "Ours-3", 2)["accuracy"] == np.mean(correct)


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
    assert "…" not in printed, "a name is cut"
    assert max(map(len, printed.splitlines())) <= 80
    assert "These are the photos that were mined" in printed
    table = pd.read_csv(csv)
    base = table[table["method"] == BASELINE].iloc[0]
    assert base["accuracy"] == open_study(study).accuracy()[0]
    assert sorted(table["budget"].dropna().unique()) == [0, 1, 5]
    assert (tmp_path / "out" / "table-matrix.csv").is_file()
    assert "Itemsets beside single units, N = 10" in printed
    figures = pd.read_csv(tmp_path / "out" / "table-beyond.csv")
    assert set(figures["top_units"]) == {5, 10}
    with Image.open(png) as picture:
        assert picture.width > 1000
    assert main(["evaluate", str(study), "--images", str(tmp_path / "nothing")]) == 2
    assert main(["evaluate", str(tmp_path / "nothing"), "--images", str(pictures)]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) >= 2
    assert main(["evaluate", str(study), "--images", str(pictures), "--budgets", "0,5"]) == 2
    assert "--budgets is 0; the smallest value allowed is 1" in capsys.readouterr().err


def test_contrastive_rankings_stand_beside_the_posters_at_a_quantile():
    study = open_study(studies() / "demo")
    mined_set = make_ablation_set(study, load_head(study, device="cpu"))
    classes = mined_set.classes
    small = EvaluateConfig(top_units=(3, 5), lasso=False, greedy=False, contrast_quantile=0.9)
    poster = dataclasses.replace(study.mine_config, contrast_quantile=0.0)
    made = {ranking.name: ranking for ranking in rank_all(study, mined_set, classes, poster, small)}
    assert [name for name in made if "-" in name] == ["Ours-3", "Ours-5", "Contrastive-3", "Contrastive-5"]
    config = dataclasses.replace(poster, top_units=5, contrast_quantile=0.9)
    kept, relevant = transactions(study, config), mine_study(study, config).units
    for c in classes.tolist():
        ranked = made["Contrastive-5"]
        assert set(ranked.units[c].tolist()) == set(kept.units[kept.class_ids == c].ravel().tolist()) - {-1}
        assert set(ranked.best(c, None).tolist()) == set(relevant.loc[relevant["class_id"] == c, "unit"])
    sizes = {name: sum(map(len, made[name].units.values())) for name in ("Ours-5", "Contrastive-5")}
    assert sizes["Contrastive-5"] < sizes["Ours-5"]
    without = rank_all(study, mined_set, classes, poster, dataclasses.replace(small, contrast_quantile=0.0))
    assert not any(ranking.name.startswith("Contrastive") for ranking in without)
    # Where the study was mined with a quantile, Ours is the poster's all the same.
    again = {ranking.name: ranking for ranking in rank_all(study, mined_set, classes, config, small)}
    assert again["Ours-5"].natural == made["Ours-5"].natural
    assert again["Contrastive-5"].natural == made["Contrastive-5"].natural
