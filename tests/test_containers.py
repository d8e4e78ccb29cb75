"""Photos inside larger files: a study of them holds what one of the same photos in a folder holds, and shows them."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from interpret import pipeline
from interpret.cli.main import main
from interpret.data import containers
from interpret.data.class_names import read_class_names
from interpret.data.datasets import absolute, count, scan
from interpret.errors import InputError
from interpret.evaluation.heldout import is_own
from interpret.explanation.decoders import AT_ONCE, Decoders
from interpret.explanation.further import explain_further
from interpret.study import open_study
from pages.shared.backend import allowed_paths
from tests.conftest import draw_photos
from tests.test_arrow_rows import datasets
from tests.test_pipeline import config, contents, tiny_classifier
from tests.test_tar_shards import write_tar

CLASSES = ["class 0", "class 1", "class 2"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The same 24 photos in a folder, in two tar files and in a data set, each with a broken one."""
    root = tmp_path_factory.mktemp("sets")
    folder = draw_photos(root / "folder", each=8)
    (folder / "class 1" / "100.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 40)
    os.utime(folder / "class 1" / "100.png", (10**9, 10**9))
    files = sorted(folder.rglob("*.png"))
    tars = root / "tars"
    tars.mkdir()
    for shard in (0, 1):
        members = {}
        for at, file in enumerate(files):
            number = int(file.stem)
            if (number >= 4) == bool(shard):
                members[f"{at:05d}.png"] = file.read_bytes()
                members[f"{at:05d}.cls"] = file.parent.name[-1:].encode()
        write_tar(tars / f"s-{shard}.tar", members)
    (tars / "classnames.txt").write_text("\n".join(CLASSES))
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=CLASSES)})
    rows = {
        "image": [{"bytes": file.read_bytes(), "path": None} for file in files],
        "label": [int(file.parent.name[-1]) for file in files],
    }
    datasets.disable_progress_bars()
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(root / "hf"), num_shards=2)
    datasets.enable_progress_bars()
    for file in (root / "hf").iterdir():
        os.utime(file, (10**9, 10**9))
    return root


@pytest.fixture(scope="module")
def studies(made, tmp_path_factory):
    home = tmp_path_factory.mktemp("studies")
    sources = {"folder": made / "folder", "wds": f"wds:{made}/tars/s-{{0..1}}.tar", "hf": made / "hf"}
    return {
        name: pipeline.run(config(source), home / name, classifier=tiny_classifier())
        for name, source in sources.items()
    }


@pytest.mark.parametrize("kind", ["wds", "hf"])
def test_a_study_holds_the_bytes_of_the_same_photos_in_a_folder(studies, kind):
    study, plain = studies[kind], studies["folder"]
    named = ("images.parquet", "skipped.parquet", "prints.parquet")  # which hold names of photos

    def files(folder: Path) -> dict[str, bytes]:
        return {Path(name).name: content for name, content in contents(folder).items() if name not in named}

    assert {"features.npy", "patches.parquet", "contrast.parquet", "units.parquet"} < files(study.folder).keys()
    assert files(study.folder) == files(plain.folder)
    assert study.images.drop(columns="path").equals(plain.images.drop(columns="path"))
    assert study.images["label"].notna().all()
    assert study.skipped["reason"].tolist() == plain.skipped["reason"].tolist()
    assert [reason[:18] for reason in study.skipped["reason"]] == ["the file is broken"]


def test_photos_are_named_by_class_and_place(studies, made):
    assert studies["wds"].images["path"][9] == "class 1/s-0.tar/00009.png"
    assert studies["hf"].images["path"][9] == "class 1/000000009"
    assert str(studies["wds"].images_root) == f"wds:{made}/tars/s-{{0..1}}.tar"
    assert str(studies["hf"].images_root) == f"hf:{made}/hf::"


@pytest.mark.parametrize("kind", ["wds", "hf"])
def test_an_opened_study_shows_and_explains_its_photos(studies, kind):
    study, plain = open_study(studies[kind].folder), studies["folder"]
    for image in (0, 9, 23):
        assert np.array_equal(np.asarray(study.photo(image)), np.asarray(plain.photo(image)))
    ids = np.array([3, 20])
    rows, expected = (
        explain_further(each, ids, [0, 1], classifier=tiny_classifier(), device="cpu") for each in (study, plain)
    )
    assert rows.equals(expected)
    assert is_own(study, str(study.images_root))
    assert is_own(study, study.images_source)
    assert not is_own(study, "wds:nowhere")


@pytest.mark.parametrize("kind", ["wds", "hf"])
def test_photos_outside_of_the_roots_are_not_read(studies, made, kind, tmp_path):
    inside = (studies[kind].folder.resolve(),)
    assert open_study(studies[kind].folder, roots=inside).photo(0) is None
    study = open_study(studies[kind].folder, roots=(*inside, made.resolve()))
    assert study.photo(0) is not None
    with pytest.raises(InputError, match="lies outside of the folders"):
        scan(str(study.images_root), CLASSES, (), roots=(tmp_path.resolve(),))
    if kind == "hf":  # nor is anything told of it
        for source in (made, made / "hf", f"hf:{made}:secret"):
            with pytest.raises(InputError, match="lies outside of the folders"):
                scan(source, CLASSES, (), roots=(tmp_path.resolve(),))


def test_links_in_a_folder_of_shards_lead_nowhere_else(made, tmp_path):
    folder = tmp_path / "tars"
    folder.mkdir()
    (folder / "s-0.tar").symlink_to(made / "tars" / "s-0.tar")
    shutil.copy(made / "tars" / "s-1.tar", folder)
    found = scan(folder, CLASSES, (), roots=(folder.resolve(),))
    assert [(each.name, each.reason) for each in found.skipped] == [("s-0.tar", containers.OUTSIDE)]
    assert len(found.photos) == 13


def test_processes_decode_what_threads_decode(made):
    found = scan(made / "tars", CLASSES, ())
    photos = [*found.photos, *scan(made / "hf", CLASSES, ()).photos][: 2 * AT_ONCE]
    preprocessing = tiny_classifier().preprocessing

    def decoded(processes):
        with Decoders(preprocessing, 1, processes=processes) as running:
            return [(each.reason, None if each.pixels is None else each.pixels.tobytes(), each.size)
                    for each in running.ahead(photos, 4)]  # fmt: skip

    assert decoded(True) == decoded(False)


def test_a_photo_is_read_once_for_its_digest_and_a_changed_one_again(made, tmp_path):
    shutil.copytree(made / "tars", tmp_path / "tars")
    first = scan(tmp_path / "tars", CLASSES, ())
    again = scan(tmp_path / "tars", CLASSES, (), known=first.prints)
    assert again.fingerprint == first.fingerprint
    assert len(first.prints) == 25
    shard = tmp_path / "tars" / "s-1.tar"
    content = bytearray(shard.read_bytes())
    content[600] ^= 1  # in the first photo
    shard.write_bytes(content)
    assert scan(tmp_path / "tars", CLASSES, (), known=first.prints).fingerprint != first.fingerprint


def test_plain_folders_are_taken_for_what_they_hold(made, tmp_path):
    assert str(containers.located(made / "tars")) == f"wds:{made / 'tars'}"
    assert str(containers.located(made / "hf")) == f"hf:{made / 'hf'}::"
    assert containers.located(made / "folder") is None
    mixed = tmp_path / "mixed"
    shutil.copytree(made / "folder", mixed)
    shutil.copy(made / "tars" / "s-0.tar", mixed)
    assert containers.located(mixed) is None
    assert count(mixed) == 25
    assert containers.located(tmp_path / "nowhere") is None
    assert absolute(str(made / "hf")) == f"hf:{made / 'hf'}::"
    assert absolute("demo") == "demo"
    for text in (f"hf:{made / 'hf'}::image", f"wds:{made / 'tars'}", f"hf:{made}/with:colon:test:"):
        assert str(containers.recorded(text)) == text


def test_class_names_come_from_the_set(made):
    assert read_class_names(f"hf:{made / 'hf'}", 3) == (tuple(CLASSES), ())
    assert read_class_names(f"wds:{made / 'tars'}") == (tuple(CLASSES), ())
    with pytest.raises(InputError, match="does not say what its classes are called"):
        read_class_names(f"wds:{made / 'folder'}")


def test_what_is_wrong_is_one_sentence(made, tmp_path, capsys, monkeypatch):
    def said(source: str) -> str:
        assert main(["run", "--model", "demo", "--images", source, "--study", str(tmp_path / "s")]) == 2
        return " ".join(capsys.readouterr().err.split())

    assert "names no folder that is there; write it like wds:FOLDER" in said("wds:nowhere")
    assert f"{made / 'folder'} holds no .tar files" in said(f"wds:{made / 'folder'}")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.tar").write_text("no tar " * 200)
    assert "No photo was found in wds:" in said(str(tmp_path / "bad"))
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert "pip install datasets" in said(f"hf:{made / 'hf'}")
    monkeypatch.setitem(sys.modules, "webdataset", None)
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path / "cache"))
    write_tar(tmp_path / "bad" / "x.tar", {"new.jpg": b"x"})
    assert "pip install webdataset" in said(str(tmp_path / "bad"))


def test_the_dashboard_takes_sets_below_its_roots_only(made, tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_ROOTS", str(made))
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path / "studies"))
    assert allowed_paths.resolve_photos(f" hf:{made}/hf::image ") == f"hf:{made}/hf::image"
    assert allowed_paths.resolve_photos("wds:tars/s-*.tar") == f"wds:{made}/tars/s-*.tar"
    assert allowed_paths.resolve_photos("tars") == str(made / "tars")
    monkeypatch.setenv("UNITSCOPE_ROOTS", str(tmp_path))
    for text in (f"hf:{made}/hf::image", f"wds:{made}/tars", str(made / "tars")):
        with pytest.raises(InputError, match="lies outside of"):
            allowed_paths.resolve_photos(text)


def test_the_folder_in_a_source_can_be_replaced(made):
    def above(text: str) -> Path:
        if not Path(text).is_dir():
            raise InputError(f"no folder {text}")
        return Path("/data") / Path(text).name

    assert containers.with_folder(f"wds:{made}/tars/s-*.tar", above) == "wds:/data/tars/s-*.tar"
    assert containers.with_folder(f"hf:{made}/hf:train", above) == "hf:/data/hf:train:"
    with pytest.raises(InputError, match="no folder nowhere"):
        containers.with_folder("hf:nowhere:train:image", above)
