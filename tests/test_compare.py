"""Two studies side by side: units are matched whatever their numbers, and findings with them."""

import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from interpret.cli.main import main
from interpret.comparison import (
    compare,
    match_units,
    matching,
    same_photos_measured,
    shared_photos,
    table_1_side_by_side,
)
from interpret.comparison.matching import LEAST_PHOTOS
from interpret.comparison.shared_classes import counterpart_classes
from interpret.data.fingerprints import FilePrint, FileState
from interpret.errors import InputError
from interpret.findings import Findings
from interpret.study import open_study, prints
from interpret.study.prints import write_prints
from interpret.study.tables import write_table
from tests.compared_studies import renumbered_copy
from tests.manifests import manifest_of, rewrite, write_images
from tests.small_study import studies

pytestmark = pytest.mark.slow


def mined(folder):
    return Findings.of(open_study(folder))


@pytest.fixture(scope="module")
def own():
    return mined(studies() / "demo")


@pytest.fixture(scope="module")
def renumbered(own, tmp_path_factory):
    """The same study as if of another network: its units have other numbers, and unit 4's activation is constant."""
    folder, new = renumbered_copy(tmp_path_factory.mktemp("studies") / "other")
    return mined(folder), new


def test_units_are_matched_one_with_one_by_the_photos_they_respond_to(own, renumbered):
    other, new = renumbered
    found = match_units(own.study, other.study)
    assert found.photos == len(own.study.images)
    kept = [unit for unit in range(own.study.n_units) if unit != 4 and np.ptp(own.study.features[:, unit]) > 0]
    assert len(kept) > 80
    assert found.correlation[kept] == pytest.approx(1.0)
    assert found.best_correlation[kept] == pytest.approx(1.0)
    assert np.isnan(other.study.features).sum() == 0
    same = [unit for unit in kept if found.unit[unit] != new[unit]]
    assert all(np.allclose(own.study.features[:, unit], other.study.features[:, found.unit[unit]]) for unit in same)
    assert found.unit[4] == -1 or found.correlation[4] < 0.999
    matched = found.unit[found.unit >= 0]
    assert len(set(matched.tolist())) == len(matched)
    assert new[4] not in matched
    back = match_units(other.study, own.study)
    assert [int(back.unit[found.unit[unit]]) for unit in kept] == kept


def test_correlations_are_pearson_s(own, renumbered):
    other, _ = renumbered
    found = match_units(own.study, other.study)
    for unit in (0, 7, 50):
        right = [
            np.corrcoef(own.study.features[:, unit], column)[0, 1] if np.ptp(column) else -2
            for column in other.study.features.T
        ]
        assert found.best_correlation[unit] == pytest.approx(max(right), abs=1e-6)
        assert found.correlation[unit] == pytest.approx(right[found.unit[unit]], abs=1e-6)


def test_correlations_do_not_depend_on_how_many_photos_are_in_memory(monkeypatch):
    rng = np.random.default_rng(3)
    features, other = rng.random((50, 4), np.float32), rng.random((40, 3), np.float32)
    features[:, 2], other[:20, 1], other[20:, 1] = 0.1, 0.5, np.float32(0.5) + np.float32(1e-7)
    rows, places = rng.permutation(50)[:30], rng.permutation(40)[:30]
    monkeypatch.setattr(matching, "CHUNK", 7)
    found = matching.correlations_of(features, rows, other, places)
    for unit, column in enumerate(features[rows].T):
        for place, counterpart in enumerate(other[places].T):
            if unit == 2:
                assert np.isnan(found[unit, place])
            else:
                right = np.corrcoef(column.astype(np.float64), counterpart.astype(np.float64))[0, 1]
                assert found[unit, place] == pytest.approx(right, abs=1e-6)


def named(names):
    return SimpleNamespace(class_names=names)


@pytest.mark.parametrize(
    ("names", "others", "found"),
    [
        (["crane", "dog", "crane"], ["crane", "dog", "crane"], [0, 1, 2]),
        (["crane", "dog", "crane"], ["dog", "crane", "cat", "crane"], [1, 0, 1]),
        (["cat", "dog"], ["class 0", "class 1"], [0, 1]),
        (["class 0", "class 1"], ["cat", "dog"], [0, 1]),
        (["cat", "dog"], ["class 0", "class 1", "class 2"], [-1, -1]),
        (["cat", "dog"], ["bird", "dog"], [-1, 1]),
    ],
)
def test_classes_are_matched_by_name_or_by_number_where_there_are_no_names(names, others, found):
    assert counterpart_classes(named(names), named(others)).tolist() == found


def evaluation(rows, **about):
    table = pd.DataFrame(rows, columns=["method", "budget", "units", "accuracy"])
    return SimpleNamespace(table=table, about=about)


def test_table_1_of_two_studies_stands_side_by_side():
    a = evaluation(
        [("No unit ablated", 0, 0.0, 0.9), ("Ours-5", None, 4.5, 0.3), ("Ours-5", 3, 3.0, 0.5)],
        measured_on="x", photos=10,
    )  # fmt: skip
    b = evaluation([("No unit ablated", 0, 0.0, 0.8), ("Ours-10", None, 9.0, 0.1)], measured_on="x", photos=9)
    table = table_1_side_by_side(a, b)
    assert table["method"].tolist() == ["No unit ablated", "Ours-5", "Ours-10"]
    values = table.set_index("method")
    assert values.loc["No unit ablated"].tolist() == [0.9, 0.8, 0.0, 0.0]
    assert values.loc["Ours-5"].fillna(-1).tolist() == [0.3, -1, 4.5, -1]
    assert values.loc["Ours-10"].fillna(-1).tolist() == [-1, 0.1, -1, 9.0]
    assert same_photos_measured(a, a)
    assert not same_photos_measured(a, b)


def test_classes_and_photos_without_names_go_by_number(own, tmp_path):
    folder = shutil.copytree(studies() / "demo", tmp_path / "numbered")
    for made in ("mined", "effects"):
        shutil.rmtree(folder / made, ignore_errors=True)
    rewrite(folder, class_names=[f"class {number}" for number in range(10)])
    images = pd.read_parquet(folder / "images.parquet")
    images.loc[5, "predicted"] = (images["predicted"][5] + 1) % 10
    write_images(folder, images)
    patches = pq.read_table(folder / "patches.parquet")
    predicted = patches["predicted"].to_numpy().copy()
    predicted[patches["image_id"].to_numpy() == 5] = images["predicted"][5]
    place = patches.schema.get_field_index("predicted")
    column = pa.array(predicted, patches.schema.field(place).type)
    write_table(patches.set_column(place, patches.schema.field(place), column), folder / "patches.parquet")
    rewrite(folder)
    found = compare(own, mined(folder))
    assert set(found.findings["state"]) <= {"kept", "vanished", "appeared"}
    assert (found.findings["state"] == "kept").mean() > 0.8
    assert found.photos["alike"].tolist() == [number != 5 for number in range(len(images))]
    assert found.classes["class"].tolist() == own.study.class_names
    back = compare(mined(folder), own)
    assert back.classes["class"].tolist() == [f"class {number}" for number in range(10)]


def test_a_study_has_everything_in_common_with_itself(own):
    found = compare(own, own)
    assert found.same_network
    assert (len(found.photos), found.agreement) == (len(own.study.images), 1.0)
    assert set(found.findings["state"]) == {"kept"}
    assert (found.findings["units_a"] == found.findings["units_b"]).all()
    assert (found.findings["support_a"] == found.findings["support_b"]).all()
    candidates = own.candidates
    assert len(found.findings) == candidates["supported"].sum() > 10


def test_findings_are_kept_under_other_numbers_and_lost_with_their_units(own, renumbered):
    other, new = renumbered
    found = compare(own, other)
    assert not found.same_network
    rows = found.findings
    lost = rows[[4 in a or new[4] in b for a, b in zip(rows["units_a"], rows["units_b"], strict=True)]]
    rest = rows.drop(lost.index)
    assert len(rest) > 10
    assert set(rest["state"]) == {"kept"}
    for units_a, units_b in zip(rest["units_a"], rest["units_b"], strict=True):
        assert units_b == tuple(sorted(new[list(units_a)].tolist()))
    assert rest["support_a"].to_numpy() == pytest.approx(rest["support_b"].to_numpy())
    assert set(lost["state"]) == {"vanished", "appeared"}
    for row in found.classes.itertuples():
        assert (row.photos_a, row.itemsets_a, row.supported_a) == (row.photos_b, row.itemsets_b, row.supported_b)
        right = own.study.images.query(f"label == {own.study.class_names.index(row[1])}")
        assert row.recall_a == pytest.approx((right["predicted"] == right["label"]).mean(), nan_ok=True)


def test_what_is_less_frequent_than_the_threshold_vanished_and_appears_the_other_way_round(own, tmp_path):
    folder = shutil.copytree(studies() / "demo", tmp_path / "strict")
    shutil.rmtree(folder / "mined", ignore_errors=True)
    config = manifest_of(folder)["config"]
    rewrite(folder, config={**config, "mine": {**config["mine"], "min_support": 0.6}})
    strict = mined(folder)
    found = compare(own, strict).findings
    assert ((found["support_b"] >= 0.6) == (found["state"] == "kept")).all()
    assert {"kept", "vanished"} == set(found["state"])
    back = compare(strict, own).findings
    appeared = back[back["state"] == "appeared"]
    assert set(appeared["units_b"]) == set(found[found["state"] == "vanished"]["units_a"])
    assert (appeared["support_a"] < 0.6).all()


def test_photos_are_the_same_by_name_and_content(tmp_path):
    """Photo 3 has another name, photo 7 other content; the content of photo 9 is known to one of the studies only."""
    one, other = (shutil.copytree(studies() / "demo", tmp_path / name) for name in ("one", "other"))
    images = pd.read_parquet(one / "images.parquet")
    contents = {name: b"%016d" % number for number, name in enumerate(images["path"])}
    write_contents(one, contents)
    changed = {**contents, images["path"][7]: b"another content "}
    del changed[images["path"][9]]
    write_contents(other, changed)
    images.loc[3, "path"] = "elsewhere.png"
    write_images(other, images)
    first, second = shared_photos(open_study(one), open_study(other))
    assert first.tolist() == second.tolist() == [at for at in range(len(images)) if at not in (3, 7)]


def test_damaged_contents_of_photos_are_one_sentence(own, tmp_path):
    folder = shutil.copytree(studies() / "demo", tmp_path / "other")
    write_contents(folder, {name: b"%016d" % number for number, name in enumerate(own.study.images["path"])})
    file, whole = folder / "prints.parquet", (folder / "prints.parquet").read_bytes()
    before = prints.contents(folder)
    assert len(before) == len(own.study.images)
    told = []
    for place in range(4, len(whole) // 2, 7):  # of the pages; what the end says of them is not the content
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            assert prints.contents(folder) == before
        except InputError as error:
            told.append(str(error))
    assert len(told) > 20
    assert all("are damaged; delete the file" in each for each in told)
    file.write_bytes(whole[:100])
    with pytest.raises(InputError, match="delete the file"):
        shared_photos(own.study, open_study(folder))
    assert prints.read_prints(folder) == {}
    file.unlink()
    assert prints.contents(folder) == {}


def write_contents(folder, contents):
    known = {FileState(name, 1, 2, 3, 4): FilePrint(content, b"0" * 16) for name, content in contents.items()}
    write_prints(known, folder)
    rewrite(folder)


def test_too_few_photos_in_common_are_said(own, tmp_path, capsys):
    folder = shutil.copytree(studies() / "demo", tmp_path / "other")
    images = pd.read_parquet(folder / "images.parquet")
    images.loc[LEAST_PHOTOS - 1 :, "path"] = [f"{number}.png" for number in range(len(images) - LEAST_PHOTOS + 1)]
    write_images(folder, images)
    other = open_study(folder)
    with pytest.raises(InputError, match="demo and other have 99 photos in common, and to match units takes 100"):
        match_units(own.study, other)
    assert compare(own, mined(folder)).matches is None
    assert main(["compare", str(studies() / "demo"), str(folder)]) == 0
    assert "so units have the same numbers" in " ".join(capsys.readouterr().out.split())


def test_the_command_writes_what_it_prints(own, renumbered, tmp_path, capsys):
    other, new = renumbered
    files = [tmp_path / "findings.csv", tmp_path / "units.csv"]
    command = ["compare", str(own.study.folder), str(other.study.folder), "--rows", "3"]
    assert main([*command, "--out", str(files[0]), "--units", str(files[1])]) == 0
    said = " ".join(capsys.readouterr().out.split())
    rows = compare(own, other).findings["state"].value_counts()
    assert f"{rows['kept']:,} kept, {rows.get('vanished', 0):,} vanished, {rows.get('appeared', 0):,} appeared" in said
    assert f"{len(own.study.images)} in common, 100 % of them predicted alike" in said
    assert len(pd.read_csv(files[0])) == rows.sum()
    units = pd.read_csv(files[1])
    assert units["unit"].tolist() == list(range(own.study.n_units))
    assert units["counterpart"][0] == new[0] or units["correlation"][0] == pytest.approx(1.0)
    assert main(["compare", str(own.study.folder), str(tmp_path / "none")]) == 2
