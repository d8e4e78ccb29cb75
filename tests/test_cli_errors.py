"""The command `errors`: what it prints in 80 columns, what it writes, and its one sentence for what does not fit."""

import json
import shutil

import pandas as pd
import pytest

import interpret
from interpret.cli.main import main
from interpret.confusion.pairs import confusion_pairs, photos_of_pair
from interpret.evaluation import ablation
from interpret.evaluation.heldout import FOLDER
from interpret.evaluation.mending import mend
from interpret.study import open_study
from tests.confused_study import confused
from tests.small_study import studies, without_contrast


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("errors") / "study"
    return folder, confused(folder)


def names(made) -> tuple[str, str]:
    classes = open_study(made[0]).class_names
    return classes[made[1][0]], classes[made[1][1]]


def test_the_pair_its_sets_and_their_effect_are_printed_in_80_columns(made, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    a, b = names(made)
    assert main(["errors", str(made[0])]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    pairs = confusion_pairs(open_study(made[0]))
    assert pairs["errors"].tolist() == [8], "eight labels were changed, to one class"
    assert f"Why is {a} taken for {b}? 8 errors against" in " ".join(printed.split())
    assert "held-out photos in" in printed
    assert "which flatters them" not in printed
    assert main(["errors", str(made[0])]) == 0
    assert capsys.readouterr().out == printed


def test_what_is_written_is_what_was_measured(made, tmp_path, capsys):
    file, table = tmp_path / "new" / "units.json", tmp_path / "sets.csv"
    a, b = names(made)
    assert main(["errors", str(made[0]), "--pair", a, b, "--out", str(file)]) == 0
    assert main(["errors", str(made[0]), "--pair", a, b, "--out", str(table)]) == 0
    capsys.readouterr()
    listed = interpret.read_unit_list(file)
    study = open_study(made[0])
    (held_out,) = (made[0] / FOLDER).iterdir()
    photos = ablation.make_ablation_set(open_study(held_out), ablation.load_head(study, device="cpu"))
    (effect,) = mend(photos, *made[1], [listed.units])
    assert (listed.effect["errors_photos"], listed.effect["errors_mended"]) == (5, effect.errors.changed)
    assert listed.effect["right_broken"] == effect.right.changed
    sets = pd.read_csv(table)
    assert sets["units"].astype(str).iloc[0] == ",".join(map(str, listed.units))
    assert set(sets["label"]) == {a}
    assert (sets["error_photos"].max(), len(photos_of_pair(study, *made[1]).errors)) == (8, 8)


def test_units_of_ones_own_are_measured_on_photos_of_ones_own(made, tmp_path, capsys):
    file = tmp_path / "units.json"
    a, b = names(made)
    own = ["--units", "5,2,2", "--images", str(studies() / "demo"), "--out", str(file)]
    assert main(["errors", str(made[0]), "--pair", a, b, *own]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "Ablating 2,5, on 150 photos" in printed
    content = json.loads(file.read_text())
    assert (content["units"], content["test"]) == ([2, 5], {})


def test_without_held_out_photos_the_sentence_says_so(tmp_path, capsys):
    confused(tmp_path / "study", held_out=False)
    assert main(["errors", str(tmp_path / "study")]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "photos that were mined" in printed
    assert "which flatters them: give others with --images" in printed


def test_without_a_contrast_photos_are_explained_on_demand(tmp_path, capsys):
    shutil.copytree(without_contrast() / "demo", tmp_path / "study")
    images = pd.read_parquet(tmp_path / "study" / "images.parquet")
    images["label"] = images["predicted"].astype("Int32")
    b, a = images["predicted"].value_counts().index[:2]
    images.loc[images.index[images["predicted"] == b][:3], "label"] = a
    images.to_parquet(tmp_path / "study" / "images.parquet")
    assert main(["errors", str(tmp_path / "study")]) == 0
    assert "3 errors against" in " ".join(capsys.readouterr().out.split())


def test_a_model_without_errors(tmp_path, capsys):
    confused(tmp_path / "study", held_out=False)
    images = pd.read_parquet(tmp_path / "study" / "images.parquet")
    images["label"] = images["predicted"]
    images.to_parquet(tmp_path / "study" / "images.parquet")
    assert main(["errors", str(tmp_path / "study")]) == 0
    assert "No photo is wrong" in capsys.readouterr().out
    assert main(["errors", str(tmp_path / "study"), "--out", str(tmp_path / "units.json")]) == 2
    assert "no list of units to write" in capsys.readouterr().err
    assert not (tmp_path / "units.json").exists()


WRONG = {
    "no such class": (["--pair", "Nothing", "0"], "'Nothing', which is no class"),
    "one class twice": (["--pair", "0", "0"], "give two classes"),
    "no such unit": (["--units", "99999"], "no unit 99999"),
    "no number": (["--units", "1,x"], "give the numbers of units"),
    "no such format": (["--out", "units.txt"], "end it in .json"),
    "too many units": (["--top-units", "400"], "cannot be mined"),
    "no photos": (["--images", "/nowhere"], "/nowhere"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_one_sentence(name, made, capsys):
    arguments, said = WRONG[name]
    assert main(["errors", str(made[0]), *arguments]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert error.count("error:") == 1
    assert said in error
    assert "Traceback" not in error


def test_without_labels_one_sentence(tmp_path, capsys):
    confused(tmp_path / "study", held_out=False)
    images = pd.read_parquet(tmp_path / "study" / "images.parquet")
    images["label"] = pd.array([None] * len(images), "Int32")
    images.to_parquet(tmp_path / "study" / "images.parquet")
    assert main(["errors", str(tmp_path / "study")]) == 2
    assert "has a label" in capsys.readouterr().err
