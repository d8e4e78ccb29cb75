"""What is kept in a study is used only if it is, byte for byte, what was written from this very study."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from interpret.cli.main import main
from interpret.config import MineConfig
from interpret.errors import InputError
from interpret.mining import store, stored
from interpret.mining.stored import mine_study, mined_folder
from interpret.study import open_study
from interpret.study.copies import pack
from interpret.study.digests import FileDigest, difference
from interpret.study.manifest import write_manifest
from interpret.study.open import damages
from tests.manifests import aged, manifest_of
from tests.small_study import studies, without_contrast

FILES = ("itemsets.parquet", "rules.parquet", "units.parquet", "counts.parquet", "digests.json")


@pytest.fixture
def folder(tmp_path) -> Path:
    return Path(shutil.copytree(studies() / "demo", tmp_path / "demo"))


def mined(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """The files kept of mining with the study's own options, after they were asked for, and what was said."""
    said: list[str] = []
    study = open_study(folder, said.append)
    mine_study(study, study.mine_config)
    kept = mined_folder(study, study.mine_config)
    return {name: (kept / name).read_bytes() for name in FILES}, said


def flip(file: Path, seed: int) -> None:
    """Flip one bit, its place drawn by lot."""
    content = bytearray(file.read_bytes())
    place = int(np.random.default_rng(seed).integers(8 * len(content)))
    content[place // 8] ^= 1 << place % 8
    file.write_bytes(bytes(content))


def test_the_digest_is_half_of_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert FileDigest.of(tmp_path / "a") == FileDigest(3, hashlib.sha256(b"abc").hexdigest()[:32])
    assert difference(tmp_path / "a", FileDigest.of(tmp_path / "a")) is None
    (tmp_path / "a").write_bytes(b"abd")
    known = FileDigest(3, hashlib.sha256(b"abc").hexdigest()[:32])
    assert difference(tmp_path / "a", known) == "its bytes are not those that were written"
    assert difference(tmp_path / "b", known) == "it is missing"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("seed", range(3))
def test_itemsets_with_a_flipped_bit_are_mined_again_and_it_is_said(folder, name, seed):
    before, said = mined(folder)
    assert not said
    study = open_study(folder)
    flip(mined_folder(study, study.mine_config) / name, seed)
    after, said = mined(folder)
    assert after == before
    assert len(said) == 1
    assert "are not used" in said[0]
    assert "they are mined again" in said[0]


def test_itemsets_of_another_study_or_of_other_options_are_mined_again(folder, tmp_path):
    before, _ = mined(folder)
    study = open_study(folder)
    kept = mined_folder(study, study.mine_config)
    foreign = open_study(without_contrast() / "demo")
    other = MineConfig(top_units=8, min_support=0.5)
    mine_study(study, other)
    for source in (mined_folder(foreign, foreign.mine_config), mined_folder(study, other)):
        shutil.rmtree(kept)
        shutil.copytree(source, kept)
        store.read(kept)  # whole in itself
        after, said = mined(folder)
        assert after == before
        assert "made from other data or with other options" in said[0]
    (kept / "rules.parquet").write_bytes((mined_folder(study, other) / "rules.parquet").read_bytes())
    after, said = mined(folder)
    assert after == before
    assert "rules.parquet is damaged" in said[0]


@pytest.mark.parametrize(
    ("field", "said"), [("class_names", "predicted is out of range"), ("n_units", "a unit is out")]
)
def test_itemsets_of_classes_or_units_that_the_manifest_does_not_have_are_not_used(folder, field, said):
    """A manifest in which a class or a unit is missing, with digests that fit."""
    mined(folder)
    content = manifest_of(folder)
    content[field] = content[field][:-1] if field == "class_names" else 1
    write_manifest(content, folder)
    told = []
    study = open_study(folder, told.append)
    with pytest.raises(InputError, match=said):
        mine_study(study, study.mine_config)
    assert "holds classes or units that the study does not have" in told[0]


def test_itemsets_kept_by_an_earlier_version_are_mined_again(folder):
    before, _ = mined(folder)
    study = open_study(folder)
    (mined_folder(study, study.mine_config) / "digests.json").unlink()
    after, said = mined(folder)
    assert after == before
    assert "digests.json is missing" in said[0]


@pytest.mark.parametrize("name", ["images", "patches", "contrast", "skipped", "features", "cams"])
def test_a_flipped_bit_in_a_table_or_array_is_found_when_it_is_read(folder, name):
    (file,) = folder.glob(f"{name}.*")
    flip(file, 5)
    study = open_study(folder)
    with pytest.raises(InputError, match=rf"{file.name} is damaged \(its bytes are not those that were written\); put"):
        getattr(study, name)
    assert any(file.name in sentence for sentence in damages(study))


def test_verify_names_every_damaged_file_and_reads_them_again(folder, capsys):
    assert main(["info", str(folder), "--verify"]) == 0
    assert "All 6 files are as they were written." in capsys.readouterr().out
    study = open_study(folder)
    for array in (folder / "features.npy", mined_folder(study, study.mine_config) / "rules.parquet"):
        flip(array, 1)
    assert main(["info", str(folder), "--verify"]) == 2
    printed = capsys.readouterr()
    assert "features.npy is damaged" in printed.out
    assert "rules.parquet is damaged" in printed.out
    assert "3 of the files" in printed.err  # the array fails by its digest and when it is read


@pytest.mark.parametrize("left_out", [["rules.parquet"], None])
def test_verify_finds_a_list_of_digests_that_leaves_files_out(folder, left_out):
    study = open_study(folder)
    mine_study(study, study.mine_config)
    pack(study, 64, lambda _: None)
    for kept, names in ((mined_folder(study, study.mine_config), left_out), (folder / "photos", ["7.jpg"])):
        assert not list(damages(study))
        whole = (kept / "digests.json").read_text()
        listed = json.loads(whole)
        for name in list(listed["files"]) if names is None else names:
            del listed["files"][name]
        (kept / "digests.json").write_text(json.dumps(listed))
        assert [sentence.partition(" is ")[0] for sentence in damages(study)] == [str(kept / "digests.json")]
        (kept / "digests.json").write_text(whole)


def test_a_study_without_digests_opens_and_says_what_was_not_checked(folder, capsys):
    aged(folder)
    flip(folder / "features.npy", 9)
    assert len(open_study(folder).features) == 150
    assert main(["info", str(folder), "--verify"]) == 0
    assert "before files had digests" in capsys.readouterr().out
    (folder / "features.npy").write_bytes(b"no array")
    assert main(["info", str(folder), "--verify"]) == 2


def test_a_copy_of_a_photo_that_is_damaged_is_not_shown_and_is_packed_again(folder):
    study = open_study(folder)
    pack(study, 64, lambda _: None)
    copy = folder / "photos" / "7.jpg"
    before = copy.read_bytes()
    assert open_study(folder).photo_file(7) == copy
    flip(copy, 2)
    again = open_study(folder)
    assert again.photo_file(7) == again.images_root / again.images["path"][7]
    assert any("7.jpg is damaged" in sentence for sentence in damages(again))
    assert pack(again, 64, lambda _: None) == (150, 0)
    assert copy.read_bytes() == before
    assert not list(damages(open_study(folder)))
    assert json.loads((folder / "photos" / "digests.json").read_text())["files"].keys() == {
        f"{number}.jpg" for number in range(150)
    }


def test_results_that_were_not_used_for_longest_go_when_there_are_too_many(folder, monkeypatch):
    study = open_study(folder)
    shutil.rmtree(folder / "mined")
    kept = {support: mined_folder(study, MineConfig(min_support=support)) for support in (0.5, 0.6, 0.7, 0.8)}
    mine_study(study, study.mine_config)
    for age, support in enumerate((0.5, 0.6, 0.7)):
        mine_study(study, MineConfig(min_support=support))
        digests = kept[support] / "digests.json"
        os.utime(digests, (10**9 + age, 10**9 + age))
    mine_study(study, MineConfig(min_support=0.5))  # the oldest is used once more
    held = sum(file.stat().st_size for path in (folder / "mined").iterdir() for file in path.iterdir())
    monkeypatch.setattr(stored, "KEPT_BYTES", held)
    mine_study(study, MineConfig(min_support=0.8))
    names = {path.name for path in (folder / "mined").iterdir()}
    assert names == {mined_folder(study, study.mine_config).name, *(kept[s].name for s in (0.5, 0.7, 0.8))}
    monkeypatch.setattr(stored, "KEPT_BYTES", 1)
    mine_study(study, MineConfig(min_support=0.6))
    names = {path.name for path in (folder / "mined").iterdir()}
    assert names == {mined_folder(study, study.mine_config).name, kept[0.6].name}, "the study's own, and the last"
