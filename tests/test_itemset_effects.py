"""What ablating each itemset costs: against one ablation at a time, what is kept of it, and what is not believed."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from interpret.errors import InputError
from interpret.evaluation import itemset_effects as module
from interpret.evaluation import kept_effects
from interpret.evaluation.ablation import make_ablation_set
from interpret.evaluation.effect import ablate_class
from interpret.evaluation.first_finding import first_finding
from interpret.evaluation.heads import load_head
from interpret.evaluation.itemset_effects import COLUMNS, HEAD_DRAWS, HEAD_PREDICTIONS, itemset_effects
from interpret.evaluation.kept_effects import Effects, best_first, effects_folder, keep, ranked
from interpret.findings import Findings
from interpret.mining.contrast import is_supported
from interpret.mining.stored import mine_study
from interpret.study import digests, open_study
from interpret.study.results import made_from
from tests.small_study import studies


@pytest.fixture
def study(tmp_path):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    return open_study(tmp_path / "demo")


def findings_of(study) -> Findings:
    return Findings(study, study.mine_config, mine_study(study, study.mine_config))


@pytest.fixture(scope="module")
def small():
    study = open_study(studies() / "demo")
    photos = make_ablation_set(study, load_head(study, device="cpu"))
    return photos, findings_of(study).mined


def test_each_effect_is_that_of_ablating_the_itemset_alone(small):
    photos, mined = small
    found = itemset_effects(photos, mined, draws=4, seed=3)
    assert found.dtypes.astype(str).to_dict() == COLUMNS
    assert len(found) == mined.rules["class_id"].isin(photos.classes).sum()
    classes = photos.classes.tolist()
    rows = found.iloc[np.random.default_rng(0).choice(len(found), 40, replace=False)]
    assert (rows[["fall", "worst"]] > 0).any().all()
    for row in rows.itertuples():
        units = mined.units_of[row.itemset_id]
        alone = {c: ablate_class(photos, c, units, draws=4, seed=3) for c in classes}
        own = alone[row.class_id]
        falls = {c: alone[c].before - alone[c].after for c in classes}
        assert row.photos == own.n
        assert row.before == pytest.approx(own.before)
        assert row.fall == pytest.approx(falls[row.class_id])
        assert row.random == pytest.approx(own.before - own.random.mean())
        assert row.random_high == pytest.approx(own.before - own.band[0])
        serves = set(found.loc[found["itemset_id"] == row.itemset_id, "class_id"])
        outside = {c: fall for c, fall in falls.items() if c not in serves}
        assert row.others == pytest.approx(np.mean(list(outside.values())))
        assert row.worst == pytest.approx(max(outside.values()))
        assert row.worst_class == min(c for c, fall in outside.items() if fall == pytest.approx(row.worst))


def test_with_little_to_spend_supported_itemsets_are_measured_on_the_first_photos(small):
    photos, mined = small
    least = 5 * len(photos.classes)
    found = itemset_effects(photos, mined, budget=50 * least)
    assert (found["photos"] == 5).all()
    assert found["itemset_id"].nunique() <= 50
    supported = is_supported(mined.rules).groupby(mined.rules["itemset_id"]).all()
    assert supported.sum() > 50
    assert supported[found["itemset_id"].unique()].all()
    first = dataclasses.replace(
        photos, rows=photos.rows[few := first_of_each(photos.labels, 5)], labels=photos.labels[few]
    )
    whole = itemset_effects(first, mined)
    pd.testing.assert_frame_equal(found, whole[whole["itemset_id"].isin(found["itemset_id"])])


def test_no_more_itemsets_than_asked_for_and_few_where_the_head_is_run_for_each(small, monkeypatch):
    photos, mined = small
    found = itemset_effects(photos, mined, most=30)
    assert found["itemset_id"].nunique() <= 30
    assert (found["photos"] == 15).all()
    asked = []
    monkeypatch.setattr(type(photos.head), "linear", False)
    monkeypatch.setattr(
        module,
        "classify",
        lambda test_set, settings, groups, part: (
            asked.append((settings, part)) or (np.zeros((len(settings), len(part)), np.int32))
        ),
    )
    maps = dataclasses.replace(photos, activations=photos.features)
    few = itemset_effects(maps, mined)
    assert few["itemset_id"].nunique() == HEAD_PREDICTIONS // (5 * len(photos.classes))
    assert max(mined.sizes) * HEAD_DRAWS * 50 + HEAD_PREDICTIONS + 50 >= sum(len(s) * len(part) for s, part in asked)


def first_of_each(labels, count):
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[:count] for c in np.unique(labels)]))


def test_a_class_without_photos_has_no_effect_and_counts_as_no_other(small):
    photos, mined = small
    gone = int(photos.classes[0])
    left = photos.labels != gone
    found = itemset_effects(dataclasses.replace(photos, rows=photos.rows[left], labels=photos.labels[left]), mined)
    assert gone not in set(found["class_id"]) | set(found["worst_class"])
    assert len(found)


def test_they_are_ranked_by_what_they_cost_their_own_classes_more_than_others():
    rows = pd.DataFrame(
        {
            "itemset_id": [0, 0, 1, 2, 3],
            "photos": [20, 20, 20, 9, 20],
            "fall": [0.5, 0.4, 0.3, 0.9, 0.2],
            "random": [0.1, 0.0, 0.0, 0.0, -0.1],
            "worst": [0.05, 0.05, 0.25, 0.0, np.nan],
        }
    )
    # 0.4 - 0.05 in the class that falls less; 0.3 - 0.25; too few photos; no other class, and a gain is no rival
    assert ranked(rows).to_dict() == pytest.approx({0: 0.35, 1: 0.05, 3: 0.2})


def test_sets_that_can_be_grasped_come_first_and_of_these_the_ones_that_show_most():
    rows = pd.DataFrame({"itemset_id": [0, 1, 2, 3, 4, 5], "size": [1, 2, 5, 6, 3, 2]})
    ranks = pd.Series({0: 0.9, 1: 0.2, 2: 0.4, 3: 0.8, 5: 0.2})
    # 2 before 1 and 5, which keep their order; 4 was not measured; then one unit, and six
    assert best_first(rows, ranks)["itemset_id"].tolist() == [2, 1, 5, 4, 0, 3]
    assert best_first(rows, ranks.iloc[:0])["itemset_id"].tolist() == [0, 1, 2, 3, 4, 5]


def test_a_run_keeps_them_with_the_finding_to_show_first(study):
    findings = findings_of(study)
    folder = effects_folder(study, findings.config, None)
    kept = Effects.read(folder, study)
    head = load_head(study, device="cpu")
    assert kept.first == first_finding(findings, make_ablation_set(study, head)) is not None
    assert (kept.mined, kept.photos, kept.source) == (True, len(study.images), study.images_source)
    pd.testing.assert_frame_equal(
        kept.table, itemset_effects(make_ablation_set(study, head), findings.mined).reset_index(drop=True)
    )
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert kept_effects.measure(findings, None, head).write(folder, study) is None
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_is_kept_and_damaged_is_said_and_measured_again(study):
    findings = findings_of(study)
    folder = effects_folder(study, findings.config, None)
    file = folder / "effects.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    said: list[str] = []
    findings = dataclasses.replace(findings, study=dataclasses.replace(study, announce=said.append))
    found = keep(findings, device="cpu")
    assert [line.endswith("they are measured again.") and "effects.parquet" in line for line in said] == [True]
    assert file.read_bytes() == whole
    said.clear()
    pd.testing.assert_frame_equal(keep(findings, device="cpu").table, found.table.reset_index(drop=True))
    assert said == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("format", 99), ("first", [[-1], [0]]), ("first", [[0], [999]]), ("first", [[], []]), ("first", 3),
        ("photos", "many"), ("mined", None), ("source", 5),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_study_is_refused_even_with_a_digest(study, name, value):
    folder = effects_folder(study, study.mine_config, None)
    about = json.loads((folder / "about.json").read_text())
    (folder / "about.json").write_text(json.dumps(about | {name: value}))
    digests.write_list(folder, made_from(study, folder))
    with pytest.raises(InputError, match=r"not used .*measured again"):
        Effects.read(folder, study)


def test_classes_that_the_study_has_not_are_refused_even_with_a_digest(study):
    folder = effects_folder(study, study.mine_config, None)
    kept = Effects.read(folder, study)
    wrong = dataclasses.replace(kept, table=kept.table.assign(worst_class=10_000))
    wrong.write(folder, study)
    with pytest.raises(InputError, match="classes that the study has not"):
        Effects.read(folder, study)
