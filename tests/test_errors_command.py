"""The command `errors`: pairs, sets and effects printed in 80 columns, files written, one sentence where it ends."""

import re
import shutil

import pandas as pd
import pytest

from interpret import read_unit_list
from interpret.cli.main import main
from interpret.confusion.pairs import confusion_pairs, photos_of_pair
from interpret.evaluation.heldout import FOLDER
from interpret.study import open_study
from tests.confused_study import confused
from tests.manifests import manifest_of, rewrite, write_images
from tests.small_study import without_contrast


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("errors") / "study"
    return folder, confused(folder)


def names(folder, pair) -> tuple[str, str]:
    return tuple(open_study(folder).class_names[class_id] for class_id in pair)


def test_the_most_frequent_pair_is_explained_and_measured(made, capsys):
    folder, pair = made
    assert main(["errors", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    words = " ".join(printed.split())
    a, b = names(folder, pair)
    study = open_study(folder)
    photos = photos_of_pair(study, *pair)
    assert f"{len(study.images) - 8} of {len(study.images)} labelled photos are right" in words
    assert f"{a} {b} 8 of {8 + len(photos.right)} 5" in words  # five of them in the held-out set
    assert f"Why is {a} taken for {b}? 8 errors against {len(photos.right)} right photos of {a}" in words
    assert re.search(r"\d+ of the closed ones differs? beyond chance", words)
    assert f"Ablating {shown_units(printed)}, on {len(study.images)} held-out photos" in words
    assert re.search(rf"{a} taken for {b}: mended 5 \d", words)
    assert "flatters" not in words


def shown_units(printed: str) -> str:
    return re.search(r"\n\s*([\d,]+) \*", printed)[1]


def test_a_pair_can_be_named_and_without_it_the_same_is_printed(made, capsys):
    folder, pair = made
    a, b = names(folder, pair)
    assert main(["errors", str(folder)]) == 0
    plain = capsys.readouterr().out
    for words in ([a.lower(), b], [str(pair[0]), str(pair[1])]):
        assert main(["errors", str(folder), "--pair", *words]) == 0
        assert capsys.readouterr().out == plain


def test_a_pair_without_errors_has_right_photos_only(made, capsys):
    folder, (a, b) = made
    assert main(["errors", str(folder), "--pair", str(b), str(a)]) == 0
    assert "0 errors against" in " ".join(capsys.readouterr().out.split())


def test_units_and_table_are_written_and_are_the_same_again(made, tmp_path, capsys):
    folder, pair = made
    study = open_study(folder)
    first = tmp_path / "deep" / "units.json"
    assert main(["errors", str(folder), "--out", str(first)]) == 0
    found = read_unit_list(first)
    assert ",".join(map(str, found.units)) == shown_units(capsys.readouterr().out)
    assert found.weights_digest == study.weights_digest
    assert (found.pair["label"]["class_id"], found.pair["predicted"]["class_id"]) == pair
    assert found.test["significant"]
    assert found.effect["errors_photos"] == 5
    assert main(["errors", str(folder), "--out", str(tmp_path / "again.json")]) == 0
    assert (tmp_path / "again.json").read_bytes() == first.read_bytes()
    assert main(["errors", str(folder), "--out", str(tmp_path / "sets.csv")]) == 0
    table = pd.read_csv(tmp_path / "sets.csv")
    assert table["units"].astype(str).iloc[0] == ",".join(map(str, found.units))
    assert {"explained_as", "q_value", "mined_mended", "mined_broken"} <= set(table.columns)


def test_units_of_choice_are_measured(made, tmp_path, capsys):
    folder, _ = made
    assert main(["errors", str(folder), "--units", "7, 3", "--out", str(tmp_path / "two.json")]) == 0
    assert "Ablating 3,7, on" in capsys.readouterr().out
    assert read_unit_list(tmp_path / "two.json").units == (3, 7)


def test_without_held_out_photos_the_mined_ones_are_called_so(made, tmp_path, capsys):
    shutil.copytree(made[0], tmp_path / "study", ignore=shutil.ignore_patterns(FOLDER))
    assert main(["errors", str(tmp_path / "study")]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "photos that were mined in" in words
    assert "which flatters them: give others with --images" in words
    assert main(["errors", str(tmp_path / "study"), "--images", str(made[0] / FOLDER / "val")]) == 0
    assert "held-out photos" in capsys.readouterr().out


def test_without_a_contrast_photos_are_explained_on_demand(tmp_path, capsys):
    shutil.copytree(without_contrast() / "demo", tmp_path / "study")
    images = pd.read_parquet(tmp_path / "study" / "images.parquet")
    images["label"] = images["predicted"].astype("Int32")
    b, a = images["predicted"].value_counts().index[:2]
    images.loc[images.index[images["predicted"] == b][:3], "label"] = a
    write_images(tmp_path / "study", images)
    for _ in range(2):  # the second time from what was kept
        assert main(["errors", str(tmp_path / "study")]) == 0
        assert "3 errors against" in " ".join(capsys.readouterr().out.split())
    assert len(list((tmp_path / "study" / "errors").glob("*/explained.parquet"))) == 1


def test_nothing_wrong_is_nothing_to_explain(made, tmp_path, capsys):
    shutil.copytree(made[0], tmp_path / "study")
    images = pd.read_parquet(tmp_path / "study" / "images.parquet").astype({"label": "Int32"})
    images["label"] = images["predicted"].astype("Int32")
    write_images(tmp_path / "study", images)
    assert len(confusion_pairs(open_study(tmp_path / "study"))) == 0
    assert main(["errors", str(tmp_path / "study")]) == 0
    assert "No photo is wrong" in capsys.readouterr().out
    assert main(["errors", str(tmp_path / "study"), "--out", str(tmp_path / "units.json")]) == 2
    assert "no list of units to write" in capsys.readouterr().err
    assert not (tmp_path / "units.json").exists()


WRONG = {
    "a class that there is not": (["--pair", "Bird", "Unicorn"], "'Unicorn'"),
    "one class twice": (["--pair", "Bird", "Bird"], "give two classes"),
    "units that are words": (["--units", "3,four"], "'3,four'"),
    "a unit that the layer lacks": (["--units", "9999"], "no unit 9999"),
    "a file of another kind": (["--out", "units.txt"], "end it in .json"),
    "photos that are not there": (["--images", "nowhere"], "nowhere"),
    "more units than are stored": (["--top-units", "400"], "N = 400"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_one_sentence(made, name, capsys):
    arguments, said = WRONG[name]
    assert main(["errors", str(made[0]), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("error:") == 1
    assert said in error
    assert "Traceback" not in error


def test_without_labels_one_sentence_says_so(made, tmp_path, capsys):
    shutil.copytree(made[0], tmp_path / "study")
    images = pd.read_parquet(tmp_path / "study" / "images.parquet").astype({"label": "Int32"})
    images["label"] = pd.array([None] * len(images), "Int32")
    write_images(tmp_path / "study", images)
    assert main(["errors", str(tmp_path / "study")]) == 2
    assert "has a label" in capsys.readouterr().err


def test_a_study_of_other_weights_is_refused(made, tmp_path, capsys):
    shutil.copytree(made[0], tmp_path / "study")
    about = manifest_of(tmp_path / "study")
    rewrite(tmp_path / "study", weights={**about["weights"], "digest": "0" * 16})
    assert main(["errors", str(tmp_path / "study")]) == 2
    assert "weights" in capsys.readouterr().err


def test_held_out_photos_that_are_damaged_are_said_and_not_measured_on(made, tmp_path, capsys):
    folder = tmp_path / "study"
    shutil.copytree(made[0], folder)
    (kept,) = (path for path in (folder / FOLDER).iterdir() if path.name != "results")
    (kept / "features.npy").write_bytes(b"")
    assert main(["errors", str(folder)]) == 0
    printed = capsys.readouterr()
    said = "".join(printed.err.split())  # the console breaks lines, in paths too
    assert f"Theheld-outphotoskeptin{kept}arenotused(" in said
    assert "evaluateonthemoncemoretomakethemagain" in said
    assert "photos that were mined in" in " ".join(printed.out.split())
