"""The manifest as a schema: what is missing, of another type or out of range is named, in every version."""

import copy
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from interpret.errors import InputError
from interpret.study import open_study
from interpret.study.manifest import Manifest, digest_of, read_manifest
from tests.manifests import aged, manifest_of, rewrite
from tests.small_study import studies


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(studies() / "demo", tmp_path / "demo"))


def test_every_field_is_read(folder):
    said = Manifest.read(manifest_of(folder))
    assert (said.schema_version, said.model, said.n_units, said.counts.images) == (3, "demo", 96, 150)
    assert said.config.mine.top_units == 8
    assert said.preprocessing.size == (112, 112)
    assert said.files.keys() >= {"images.parquet", "features.npy"}
    assert open_study(folder).counted() == said.counts


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("key", None, "key is None, not text"),
        ("key", "", "key is '', not text"),
        ("n_units", 0, "n_units is 0, not a whole number from 1"),
        ("n_units", 6.5, "n_units is 6.5, not a whole number"),
        ("n_units", True, "n_units is True, not a whole number"),
        ("class_names", [], r"class_names is \[\], not a list of texts"),
        ("class_names", ["a", 3], "class_names is .*, not a list of texts"),
        ("class_names", ["\ud800"], "class_names is .*, not a list of texts"),
        ("created", "yesterday", "created is 'yesterday', not a date and time"),
        ("weights", "none", "weights is 'none', not an object"),
        ("weights.digest", 7, "weights.digest is 7, not text"),
        ("config.extract.tau", 2.0, r"in config.extract: --tau is 2.0; the largest value allowed is 0.99"),
        ("config.mine.unheard_of", 1, "config.mine.'unheard_of' is unknown"),
        ("config.images", 4, "in config: --images is 4"),
        ("preprocessing.size", [224], r"preprocessing.size is \[224\], not a list of 2 numbers"),
        ("preprocessing.std", [1, 0, 1], "in preprocessing: The mean and std"),
        ("preprocessing.mean", [1, 0, float("nan")], "preprocessing.mean.2 is nan, not a number"),
        ("counts.patches", -3, "counts.patches is -3, not a whole number from 0"),
        ("timings.seconds", "long", "timings.seconds is 'long', not a number"),
        ("versions", {"torch": 2}, "versions.torch is 2, not text"),
        ("images_root", "/a\0b", "images_root is"),
    ],
)
def test_a_field_that_does_not_fit_is_named_and_the_study_refused(folder, path, value, said):
    aged(folder)  # without a digest of its own: the fields themselves are looked at
    content = manifest_of(folder)
    *sections, name = path.split(".")
    place = content
    for section in sections:
        place = place[section]
    place[name] = value
    (folder / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=rf"manifest\.json is damaged \({said}.*\); put it back"):
        open_study(folder)


@pytest.mark.parametrize("content", ["", "[", "[]", "3", "{}", '{"schema_version": "2"}', "[" * 100_000, '"\ud800"'])
def test_what_is_no_manifest_is_one_sentence(folder, content):
    (folder / "manifest.json").write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(InputError, match=r"manifest\.json is damaged"):
        open_study(folder)


def test_a_change_that_fits_the_schema_is_found_by_the_manifests_own_digest(folder):
    content = manifest_of(folder)
    assert content["digest"] == digest_of(content)
    changed = copy.deepcopy(content)
    changed["class_names"][0] = "Cow"
    (folder / "manifest.json").write_text(json.dumps(changed))
    with pytest.raises(InputError, match=r"manifest\.json is damaged \(it is not as it was written\)"):
        open_study(folder)
    rewrite(folder, changed)
    assert open_study(folder).class_names[0] == "Cow"
    (folder / "manifest.json").write_text(json.dumps({n: v for n, v in content.items() if n != "digest"}))
    with pytest.raises(InputError, match="it is not as it was written"):
        read_manifest(folder)


@pytest.mark.parametrize("version", [1, 2])
def test_studies_of_earlier_formats_open_with_what_they_hold(folder, version):
    whole = open_study(studies() / "demo")
    aged(folder, version)
    old = open_study(folder)
    assert old.files == {}
    assert old.images.equals(whole.images)
    assert old.patches["units"].map(list).tolist() == whole.patches["units"].map(list).tolist()
    assert old.has_contrast == (version == 2)
    assert len(old.contrast) == (len(whole.contrast) if version == 2 else 0)


@pytest.mark.parametrize(
    ("table", "column", "row", "value", "said"),
    [
        ("images", "predicted", 3, 10, "predicted is out of range"),
        ("images", "label", 3, -1, "label is out of range"),
        ("images", "image_id", 3, 4, "image_id does not count up from 0"),
        ("images", "confidence", 3, 1.5, "confidence is no fraction"),
        ("images", "path", 3, None, "path has nulls"),
        ("patches", "image_id", 0, 150, "image_id is out of range"),
        ("patches", "x1", 0, 100_000, "a box lies outside of its photo"),
        ("patches", "units", 0, [64], "a unit is out of range|a patch has more units than scores, or fewer"),
        ("patches", "scores", 0, [], "a patch has more units than scores, or fewer"),
        ("contrast", "target", 0, 10, "target is out of range"),
    ],
)
def test_a_table_without_digests_is_checked_against_the_format(folder, table, column, row, value, said):
    aged(folder)
    file = folder / f"{table}.parquet"
    rows = pq.read_table(file)
    columns = rows.to_pydict()
    columns[column][row] = value
    pq.write_table(rows.from_pydict(columns, schema=rows.schema), file)
    with pytest.raises(InputError, match=rf"{table}\.parquet is damaged \(({said})\); put it back"):
        getattr(open_study(folder), table)


def test_rows_are_compared_with_the_counts(folder):
    aged(folder)
    file = folder / "patches.parquet"
    rows = pq.read_table(file)
    pq.write_table(rows.slice(0, len(rows) - 1), file)
    with pytest.raises(InputError, match=rf"it has {len(rows) - 1} rows, not {len(rows)}"):
        _ = open_study(folder).patches


@pytest.mark.parametrize("file", ["images.parquet", "contrast.parquet", "features.npy"])
def test_a_missing_file_is_named_when_the_study_is_opened(folder, file):
    (folder / file).unlink()
    with pytest.raises(InputError, match=rf"{file} is damaged \(it is missing\); put it back, or make the study again"):
        open_study(folder)
