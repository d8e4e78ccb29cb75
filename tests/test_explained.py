"""The photos of a confusion pair explained for both classes: from what is stored, or on demand."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from interpret.confusion.explained import FOLDER, explain_pair
from interpret.confusion.pairs import photos_of_pair
from interpret.errors import InputError
from interpret.explanation import further
from interpret.explanation.further import explain_further
from interpret.study import open_study
from tests.confused_study import confused
from tests.manifests import manifest_of, rewrite
from tests.small_study import studies


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("confused") / "study"
    return folder, confused(folder)


def test_what_is_stored_has_every_group(made):
    study = open_study(made[0])
    pair = photos_of_pair(study, *made[1])
    explained = explain_pair(study, pair)
    patches, contrast = study.patches, study.contrast
    for photos, target in (
        (pair.errors, pair.predicted),
        (pair.right, pair.label),
        (pair.right_predicted, pair.predicted),
    ):
        rows = np.flatnonzero(patches["image_id"].isin(photos))
        assert (
            explained.of(photos, target).boxes.tolist()
            == patches[["x0", "y0", "x1", "y1"]].iloc[rows].to_numpy().tolist()
        )
        np.testing.assert_array_equal(explained.of(photos, target).units, study.ranked[0][rows])
    for photos, target in ((pair.errors, pair.label), (pair.right, pair.predicted)):
        rows = np.flatnonzero(contrast["image_id"].isin(photos) & (contrast["target"] == target))
        assert len(rows)
        np.testing.assert_array_equal(explained.of(photos, target).units, study.ranked_contrast[0][rows])


def test_what_is_not_stored_is_explained_once_and_says_the_same(made, tmp_path, monkeypatch):
    stored = explain_pair(open_study(made[0]), photos_of_pair(open_study(made[0]), *made[1]))
    shutil.copytree(made[0], tmp_path / "study")
    about = manifest_of(tmp_path / "study")
    about["config"]["extract"]["contrast"] = 0
    rewrite(tmp_path / "study", about)
    study = open_study(tmp_path / "study")
    pair = photos_of_pair(study, *made[1])
    devices = []
    choose = further.choose_device
    monkeypatch.setattr(further, "choose_device", lambda name: devices.append(name) or choose(name))
    explained = explain_pair(study, pair, device="cpu")
    assert devices == ["cpu"]
    for photos in (pair.errors, pair.right):
        for target in made[1]:
            mine, theirs = explained.of(photos, target), stored.of(photos, target)
            assert mine.boxes.tolist() == theirs.boxes.tolist()
            assert (mine.units[:, :5] == theirs.units[:, :5]).mean() > 0.99
    (file,) = (tmp_path / "study" / FOLDER).glob("*/explained.parquet")
    before = file.read_bytes()
    monkeypatch.setattr("interpret.confusion.explained.explain_further", None)  # it is not asked for again
    again = explain_pair(study, pair)
    for one, other in zip(vars(explained).values(), vars(again).values(), strict=True):
        np.testing.assert_array_equal(one, other)
    monkeypatch.undo()
    file.write_bytes(b"damaged")
    explain_pair(study, pair)
    assert file.read_bytes() == before


def test_photos_that_are_gone_or_changed_are_one_sentence(made, tmp_path, monkeypatch):
    study = open_study(made[0])
    pair = photos_of_pair(study, *made[1])
    shutil.copytree(made[0], tmp_path / "study")
    rewrite(tmp_path / "study", images_root=str(tmp_path / "nowhere"))
    lost = open_study(tmp_path / "study")
    with pytest.raises(InputError, match="not on this machine"):
        explain_further(lost, pair.errors, [0])
    other = replace(study)
    vars(other)["images"] = study.images.assign(predicted=(study.images["predicted"] + 1) % 10)
    monkeypatch.setattr(further, "BATCH", 3)
    with pytest.raises(InputError, match="predicted as another class"):
        explain_further(other, pair.errors, [0])


def test_photos_come_back_under_their_own_numbers(monkeypatch):
    study = open_study(studies() / "demo")
    monkeypatch.setattr(further, "BATCH", 4)
    asked = np.array([3, 50, 51, 90, 91, 149])
    table = explain_further(study, asked, [2, 7]).to_pandas()
    assert set(table["image_id"]) == set(asked.tolist())
    assert set(table["target"]) == {2, 7}
    predicted = study.images["predicted"].to_numpy()
    assert (table["predicted"] == predicted[table["image_id"]]).all()
    one = table[table["target"] == 2][["image_id", "x0", "y0", "x1", "y1"]]
    stored = study.contrast[(study.contrast["target"] == 2) & study.contrast["image_id"].isin(asked)]
    own = study.patches[study.patches["image_id"].isin(asked) & (study.patches["predicted"] == 2)]
    expected = pd.concat([stored, own])[["image_id", "x0", "y0", "x1", "y1"]]
    assert sorted(map(tuple, one.to_numpy().tolist())) == sorted(map(tuple, expected.to_numpy().tolist()))
