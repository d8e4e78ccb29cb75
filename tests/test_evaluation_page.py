"""The page Evaluation, and accuracy with units ablated beside an itemset."""

import html
import json
import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from interpret.errors import InputError
from interpret.evaluation.evaluate import Evaluation
from interpret.evaluation.heldout import Best
from interpret.evaluation.itemsets import sentences
from interpret.study import Study, open_study
from interpret.study.results import made_from
from pages.shared import wording
from pages.shared.backend import cached_results, jobs
from pages.shared.view import falls_of_sets
from tests.manifests import rewrite
from tests.shown_pages import show, words_on
from tests.small_study import COUNT, studies


@pytest.fixture(autouse=True)
def root(monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(studies()))
    return studies()


def test_an_empty_folder_is_not_measured_on(monkeypatch):
    started = []
    monkeypatch.setattr(jobs, "start", lambda *args, **more: started.append(args))
    app = show("pages/evaluation.py")
    app.radio(key="measure_on").set_value("folder").run()
    app.button(key="measure_start").click().run()
    assert "Type the folder" in app.error[0].value
    assert not started


def result_of(folder: Path) -> Evaluation:
    return Evaluation.read(next((folder / "evaluation" / "results").iterdir()))


@pytest.mark.slow
def test_the_evaluation_is_shown_once_it_was_measured(monkeypatch, tmp_path):
    from interpret.cli.main import main

    shutil.copytree(studies() / "demo", tmp_path / "demo")
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    empty = show("pages/evaluation.py")
    assert "was not evaluated yet" in words_on(empty)
    assert [button.label for button in empty.button] == ["Measure"]
    command = ["evaluate", str(tmp_path / "demo"), "--images", str(tmp_path / "demo"), "--no-lasso", "--no-greedy"]
    assert main([*command, "--budgets", "1,5", "--draws", "3"]) == 0
    app = show("pages/evaluation.py")
    natural, equal = (frame.value for frame in app.dataframe[:2])
    shown = natural.set_index("method")["accuracy"]
    study = open_study(tmp_path / "demo")
    accuracy, labelled = study.accuracy()
    assert shown["No unit ablated"] == f"{100 * accuracy:.2f} %"
    low, high = binomtest(round(accuracy * labelled), labelled).proportion_ci(method="wilson")
    around = natural.set_index("method")["95 % interval"].str.replace("\u00a0", " ")
    assert around["No unit ablated"] == f"{100 * low:.2f} to {100 * high:.2f} %"
    assert f"{100 * low:.1f} to {100 * high:.1f} %" in words_on(app)
    first = " ".join(re.sub(r"<.*?>", " ", words_on(show("pages/study.py"))).split())
    told = f"{100 * accuracy:.1f} % ({100 * low:.1f} to {100 * high:.1f} %) of {labelled} mined photos with a label"
    assert f"Accuracy (95 % interval) {told}" in first
    drawn = result_of(tmp_path / "demo").table.set_index("method").loc["Random, as Ours-10"]
    assert around["Random, as Ours-10"] == f"{100 * drawn['low']:.2f} to {100 * drawn['high']:.2f} %"
    assert f"{labelled:,} mined photos are right" in re.sub(r"<.*?>", "", words_on(app))
    assert float(shown["Ours-10"].split()[0]) < 100 * accuracy - 20
    assert {"Ours-10", "Random"} <= set(equal["method"])
    assert "the photos that were mined" in " ".join(caption.value for caption in app.caption)
    matrix = result_of(tmp_path / "demo").matrix
    falls = matrix.clip(lower=0).to_numpy()
    assert f"{100 * falls.trace() / falls.sum():.0f} % of all the falls in this matrix" in words_on(app)
    beside = matrix.where(~np.eye(len(matrix), dtype=bool)).stack()
    assert beside.max() >= 0.05, "a large fall to name"
    off, loses = beside.idxmax()
    name_of = [wording.class_text(study, class_id) for class_id in range(10)]
    told = f"{name_of[loses]} by {100 * beside.max():.1f} points with the units of {name_of[off]}"
    assert f"most of all {told}" in words_on(app)
    measured = result_of(tmp_path / "demo").itemsets
    for n in (10, 5):
        app.segmented_control(key="beyond_n").set_value(n).run()
        assert not app.exception
        figures = sentences.figures_of(measured.beyond, n)
        for told in (sentences.causal_sentences, sentences.firing_sentences, sentences.transfer_sentences):
            assert told(figures)
            for sentence in told(figures):
                assert html.escape(sentence).replace("&lt;=", "≤").replace("\u00a0", " ") in words_on(app)
        classes = measured.halving[measured.halving["top_units"] == n]
        shown = next(frame.value for frame in app.dataframe if "candidates" in frame.value)
        assert shown["correct photos"].tolist() == classes["photos"].tolist()
    # an evaluation of an earlier version has none of this, and the page says how to get it
    about = next((tmp_path / "demo" / "evaluation" / "results").glob("*/evaluation.json"))
    about.write_text(json.dumps({**json.loads(about.read_text()), "format": 2}))
    damaged = show("pages/evaluation.py")
    assert "evaluation.json is damaged" in damaged.warning[0].value.replace("\\", "")
    assert "was not evaluated yet" in words_on(damaged)
    about.with_name("digests.json").unlink()  # earlier versions wrote none
    assert "made without these measures" in words_on(show("pages/evaluation.py"))


def test_an_effect_is_known_by_the_photos_that_it_was_measured_on(tmp_path, monkeypatch):
    study = altered(tmp_path, monkeypatch)
    other = open_study(studies() / "demo")
    measured = []
    monkeypatch.setattr(cached_results, "ablation_set", lambda _: ([0, 1], threading.Lock()))
    monkeypatch.setattr(cached_results.effect, "ablate_class", lambda *given: measured.append(given) or len(measured))
    for on, number in ((study, 1), (study, 1), (other, 2), (study, 1)):  # as many photos each time
        monkeypatch.setattr(cached_results, "measured_folder", lambda _, on=on: on.folder)
        assert cached_results.class_effect(study, 3, (5, 9)) == number


def test_a_class_without_held_out_photos_has_no_word_on_its_accuracy(monkeypatch):
    study = open_study(studies() / "demo")
    held_out = open_study(studies() / "demo")
    held_out.__dict__["images"] = study.images.assign(label=pd.array([0] * COUNT, "Int32"))
    monkeypatch.setattr(cached_results, "heldout_photos", lambda _: Best(held_out, COUNT, "val", False, 0))
    without = show("pages/class_specific.py", **{"class": "6"})
    assert not any("Without" in heading.value for heading in without.header)
    assert any("Without" in heading.value for heading in show("pages/class_specific.py", **{"class": "0"}).header)


def test_why_there_is_no_accuracy_is_said_as_it_is(monkeypatch):
    def fail(*_: object) -> None:
        raise InputError("Weights of <b>net_1.5</b> are gone.")

    monkeypatch.setattr(cached_results, "class_effect", fail)
    assert "Weights of &lt;b&gt;net_1.5&lt;/b&gt; are gone." in words_on(show("pages/class_specific.py"))


def test_switching_off_an_itemset_shows_what_the_class_is_without_it():
    app = show("pages/class_specific.py", **{"class": "6"})
    assert any("Without" in heading.value for heading in app.header)
    unit = show("pages/unit.py")
    assert any("Without unit" in heading.value for heading in unit.header)


def altered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **changes: object) -> Study:
    """A copy of the study whose manifest says something else, as the only one that there is."""
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    rewrite(tmp_path / "demo", **changes)
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path))
    return open_study(tmp_path / "demo")


def keep_evaluation(study, falls, measured_on, accuracy=0.9):
    """Write an evaluation in which each class's units were ablated, with a matrix (c, c) of falls, into the study."""
    table = pd.DataFrame(
        [("No unit ablated", 0, 0.0, 0.9), ("Ours-10", None, 3.0, 0.2), ("Ours-10", 5, 5.0, 0.1)],
        columns=["method", "budget", "units", "accuracy"],
    ).astype({"budget": "Int64"})  # fmt: skip
    table = table.assign(error=0.01, low=np.nan, high=np.nan, spread=np.nan, photos=80)
    ids = list(range(len(falls)))
    matrix = pd.DataFrame(falls, index=pd.Index(ids, name="off"), columns=ids)
    pairs = pd.DataFrame(columns=["method", "rival", "budget", "difference", "low", "high"])
    none = pd.DataFrame({"kind": pd.Series(dtype=str)})
    about = {"accuracy": accuracy, "photos": 80, "classes": ids, "class_names": study.class_names}
    result = Evaluation(table, pairs, table, matrix, 0.9, none, none, about={**about, "measured_on": measured_on})
    folder = study.folder / "evaluation" / "results" / measured_on
    result.write(folder, made_from(study, folder))


def test_many_classes_are_shown_by_their_largest_effects(tmp_path, monkeypatch):
    study = altered(tmp_path, monkeypatch, class_names=[f"kind {c:02}" for c in range(40)])
    falls = np.eye(40) * 0.9
    falls[3, 17], falls[39, 3], falls[5, 6] = 0.25, 0.5, -0.3
    keep_evaluation(study, falls, "val")
    app = show("pages/evaluation.py")
    assert not app.exception
    listed = next(frame.value for frame in app.dataframe if "points" in frame.value)
    assert listed.to_numpy().tolist() == [["Kind 39", "Kind 03", 50.0], ["Kind 03", "Kind 17", 25.0]]
    app.selectbox(key="influence_of").set_value(3).run()
    assert not app.exception
    drawn = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    bars = next(
        spec for spec in drawn if spec["data"][0].get("orientation") == "h" and spec["data"][0]["type"] == "bar"
    )
    assert bars["data"][0]["text"] == ["90.0", "25.0"]
    (heat,) = next(spec for spec in drawn if spec["data"][0]["type"] == "heatmap")["data"]
    assert len(heat["x"]) == 40


def test_the_photos_that_an_evaluation_was_measured_on_are_in_the_address(tmp_path, monkeypatch):
    study = altered(tmp_path, monkeypatch)
    for name, accuracy in (("first", 0.91), ("second", 0.82)):
        keep_evaluation(study, np.eye(10) * 0.9, name, accuracy)
    app = show("pages/evaluation.py")
    menu = app.selectbox(key="choose_on")
    newest, other = menu.options
    shown = {"first (80 photos)": "91.0 %", "second (80 photos)": "82.0 %"}
    assert shown[newest] in words_on(app)
    menu.select_index(1).run()
    assert shown[other] in words_on(app)
    asked = app.query_params["on"]
    again = show("pages/evaluation.py", on=asked[0] if isinstance(asked, list) else asked)
    assert shown[other] in words_on(again)
    assert not again.warning
    stale = show("pages/evaluation.py", on="gone")
    assert shown[newest] in words_on(stale)
    assert "was not measured on the photos in the address" in stale.warning[0].value


def test_what_sets_cost_is_told_by_names_in_points_the_largest_first():
    study = open_study(studies() / "demo")
    names = [wording.class_text(study, class_id) for class_id in range(10)]
    shared = pd.DataFrame(
        {
            "units": [[3, 4], [5]],
            "classes": [[0, 1], [2, 3]],
            "fall_in": [0.1, 0.76],
            "fall_out": [0.2, 0.0025],
            "difference": [-0.1, 0.7575],
            "low": [-0.3, 0.6387],
            "high": [0.1, np.nan],
        }
    )
    shown = falls_of_sets._shared(study, shared)
    assert shown["units"].tolist() == ["5", "3, 4"]
    assert shown["shared by"].tolist() == [f"{names[2]}, {names[3]}", f"{names[0]}, {names[1]}"]
    assert shown["they fall (points)"].tolist() == pytest.approx([76, 10])
    assert shown["95 % interval"].iloc[1] == "−30.0 to 10.0"
    row = {"class_id": 1, "kind": "all relevant units", "units": [3, 4], "fall": 0.84, "parts": 0.4, "photos": 50}
    row |= {"synergy": 0.44, "low": -0.2, "high": 1.0}
    other = {**row, "class_id": 2, "kind": "itemsets", "synergy": 0.7}
    shown = falls_of_sets._synergy(study, pd.DataFrame([row, row, other]))
    assert shown["class"].tolist() == [names[2], names[1]], "a set that is listed twice is shown once"
    assert shown["the set is"].tolist() == ["an itemset", "all relevant units"]
    assert shown["difference (points)"].tolist() == pytest.approx([70, 44])
