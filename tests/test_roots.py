"""A dashboard reads below its roots only, wherever links and received studies lead; the command line reads all."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from interpret import models
from interpret.cli.main import main
from interpret.config import ModelConfig
from interpret.data import datasets
from interpret.data.roots import check_within, is_within
from interpret.errors import InputError
from interpret.evaluation import heldout
from interpret.explanation.study_network import network_of
from interpret.files import assets
from interpret.study import Study, open_study
from pages.shared.backend import allowed_paths, first_study, jobs
from pages.shared.backend import studies as opened_studies
from tests.manifests import manifest_of, rewrite, write_images
from tests.shown_pages import blocks, show, tiles, unescaped
from tests.small_study import studies
from tests.test_runs import wait


@pytest.fixture
def secret(tmp_path) -> Path:
    """A folder outside of the roots, with a photo and a file of names."""
    folder = tmp_path / "secret"
    folder.mkdir()
    Image.new("RGB", (112, 112), "red").save(folder / "a.png")
    shutil.copy(assets() / "demo.safetensors", folder / "weights.safetensors")
    (folder / "names.txt").write_text("\n".join(f"name {index}" for index in range(10)))
    return folder


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """The folder of studies, the only root."""
    folder = tmp_path / "allowed" / "studies"
    folder.mkdir(parents=True)
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(folder))
    monkeypatch.setenv("UNITSCOPE_ROOTS", str(folder.parent))
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(first_study, "complete_demo", lambda: None)
    return folder


def received(root: Path, name: str = "received") -> Path:
    return shutil.copytree(studies() / "demo", root / name)


def guarded(folder: Path) -> Study:
    return open_study(folder, roots=allowed_paths.for_studies())


def test_a_path_is_within_a_root_by_where_it_leads(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "circle").symlink_to(tmp_path / "in" / "circle")
    roots = [tmp_path / "in"]
    assert is_within(tmp_path / "in" / "no" / "file", roots)
    assert is_within(tmp_path / "out" / ".." / "in", roots)
    for path in ("in/link", "in/link/file", "in/../out", "inside", "out"):
        assert not is_within(tmp_path / path, roots), path
        assert is_within(tmp_path / path, None)
    assert not is_within(Path("\0"), roots)
    with pytest.raises(InputError, match=r"^The file .*out lies outside of the folders that may be read"):
        check_within(tmp_path / "out", roots, "The file")


def test_links_below_a_root_that_lead_out_of_it_are_skipped_with_a_reason(root, secret):
    photos = root.parent / "photos"
    (photos / "inside").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(photos / "inside" / "b.png")
    (photos / "link.png").symlink_to(secret / "a.png")
    (photos / "folder").symlink_to(secret)
    (photos / "own").symlink_to(photos / "inside")
    found = datasets.scan(photos, [], [], roots=allowed_paths.for_studies())
    assert [photo.name for photo in found.photos] == ["inside/b.png"]
    assert {one.name: one.reason for one in found.skipped} == {
        "link.png": "it is a link to a place that may not be read",
        "folder": "it is a link to a place that may not be read",
        "own": "it is a link to a folder that is read already",
    }
    assert datasets.count(photos, roots=allowed_paths.for_studies()) == 1
    assert opened_studies.count_photos.__wrapped__(str(photos)) == 1
    everything = [photo.name for photo in datasets.scan(photos, [], []).photos]
    assert everything == ["folder/a.png", "inside/b.png", "link.png"], "the command line reads what its user may"
    with pytest.raises(InputError, match="outside"):
        datasets.scan(secret, [], [], roots=allowed_paths.for_studies())


@pytest.mark.parametrize("way", ["images_root", "link as images_root", "path", "link", "copy"])
def test_no_photo_of_a_received_study_comes_from_outside(root, secret, way):
    folder = received(root)
    inside = root.parent / "photos"
    inside.mkdir()
    images = open_study(folder).images
    if way == "images_root":
        rewrite(folder, images_root=str(secret))
    elif way == "link as images_root":
        (root / "there").symlink_to(secret)
        rewrite(folder, images_root=str(root / "there"))
    else:
        rewrite(folder, images_root=str(inside))
    if way == "link":
        (inside / "a.png").symlink_to(secret / "a.png")
    if way == "copy":
        (folder / "photos").mkdir()
        (folder / "photos" / "0.jpg").symlink_to(secret / "a.png")
    images["path"] = "../../secret/a.png" if way == "path" else "a.png"
    write_images(folder, images)
    assert open_study(folder).photo(0) is not None, "without roots it would be shown"
    assert guarded(folder).photo(0) is None


def test_pages_show_nothing_from_outside_and_say_so_in_a_sentence(root, secret):
    folder = received(root)
    rewrite(folder, images_root=str(secret))
    images = open_study(folder).images
    images["path"] = "a.png"
    write_images(folder, images)
    for page in ("pages/study.py", "pages/class_specific.py", "pages/unit.py", "pages/method.py"):
        app = show(page)
        said = [unescaped(warning.value) for warning in app.warning]
        assert any(f"are in {secret}, which is outside of the folders" in text for text in said), page
        assert tiles(app) == []
        assert "data:image" not in str(blocks(app))
    app = show("pages/explain.py", image="0")
    assert "are not on this machine, or may not be read" in unescaped(app.error[0].value)


@pytest.mark.parametrize(("option", "file"), [("weights", "weights.safetensors"), ("class_names", "names.txt")])
def test_no_checkpoint_and_no_class_names_of_a_received_study_come_from_outside(root, secret, option, file):
    folder = received(root)
    config = manifest_of(folder)["config"]
    config["model"][option] = str(secret / file)
    photos = shutil.copytree(open_study(folder).images_root, root.parent / "photos")
    rewrite(folder, config=config, images_root=str(photos))
    assert network_of(open_study(folder)).name == "demo", "without roots it would be read"
    with pytest.raises(InputError, match="lies outside of the folders that may be read"):
        network_of(guarded(folder))
    app = show("pages/explain.py", image="0")
    assert not app.exception
    assert ["lies outside" in unescaped(error.value) for error in app.error] == [True]


def test_a_model_is_loaded_from_within_the_roots_only(root, secret):
    weights = ModelConfig(model="demo", weights=str(secret / "weights.safetensors"))
    assert models.load(weights).name == "demo"
    with pytest.raises(InputError, match=r"The checkpoint .* lies outside"):
        models.load(weights, roots=[root])
    assert models.load(ModelConfig(model="demo", weights="random"), roots=[root]).name == "demo"


def test_the_word_for_imagenets_classes_is_no_path_outside_of_the_roots(tmp_path):
    config = ModelConfig(model="resnet18", weights="random", class_names="imagenet", layer="layer4")
    assert models.load(config, roots=[tmp_path]).class_names[207] == "golden retriever"


def test_a_study_that_is_a_link_or_holds_one_leads_nowhere_else(root, secret):
    shutil.copytree(studies() / "demo", secret / "study")
    (root / "linked").symlink_to(secret / "study")
    with pytest.raises(InputError, match=r"The study .*linked lies outside"):
        guarded(root / "linked")
    folder = received(root)
    (folder / "features.npy").unlink()
    (folder / "features.npy").symlink_to(secret / "study" / "features.npy")
    assert len(open_study(folder).features)
    with pytest.raises(InputError, match=r"The link .*features.npy lies outside"):
        guarded(folder)


def test_held_out_photos_inside_a_received_study_obey_the_same_roots(root, secret):
    folder = received(root)
    inside = folder / "evaluation" / "x"
    shutil.copytree(studies() / "demo", inside)
    rewrite(inside, images_root=str(secret))
    images = open_study(inside).images
    images["path"] = "a.png"
    write_images(inside, images)
    (kept,) = heldout.kept(guarded(folder)).studies
    assert kept.photo(0) is None
    (free,) = heldout.kept(open_study(folder)).studies
    assert free.photo(0) is not None


@pytest.mark.slow
def test_a_run_that_the_dashboard_starts_reads_below_the_roots_only(root, secret):
    photos = root.parent / "photos"
    photos.mkdir()
    for number in range(3):
        Image.new("RGB", (112, 112), (number * 50, 90, 10)).save(photos / f"{number}.png")
    (photos / "link.png").symlink_to(secret / "a.png")
    jobs.start("mine", ["--model", "demo", "--images", str(photos), "--no-contrast"])
    done = wait("mine", "done", "failed")
    assert done.state == "done", done.error
    made = open_study(root / "mine")
    assert len(made.images) == 3
    assert made.skipped["reason"].tolist() == ["it is a link to a place that may not be read"]
    config = manifest_of(root / "mine")["config"]
    config["model"]["weights"] = str(secret / "weights.safetensors")
    rewrite(root / "mine", config=config)
    jobs.start("mine", ["--images", str(photos)], kind="evaluate")
    failed = wait("mine", "failed", "done")
    assert "lies outside of the folders that may be read" in failed.error


def test_the_command_line_reads_what_its_user_may(root, secret, tmp_path, capsys):
    photos = tmp_path / "linked"
    photos.symlink_to(secret)
    command = ["run", "--model", "demo", "--images", str(photos), "--study", str(tmp_path / "free"), "--no-contrast"]
    assert main(command) == 0
    assert len(open_study(tmp_path / "free").images) == 1
    assert main([*command[:-2], str(tmp_path / "bound"), "--no-contrast", "--roots", str(root)]) == 2
    assert "lies outside of the folders that may be read" in capsys.readouterr().err


def test_reading_a_checkpoint_of_a_study_runs_no_code_in_it(root, tmp_path):
    """Checkpoints are loaded as weights only, also where a study names them."""
    marker = tmp_path / "ran"
    code = (
        "import os, torch\n"
        "class Bad:\n"
        f"    def __reduce__(self): return os.mkdir, ({str(marker)!r},)\n"
        f"torch.save({{'x': Bad()}}, {str(root / 'bad.pt')!r})\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    folder = received(root)
    config = manifest_of(folder)["config"]
    config["model"]["weights"] = str(root / "bad.pt")
    rewrite(folder, config=config)
    with pytest.raises(InputError, match="could run code"):
        network_of(guarded(folder))
    assert not marker.exists()


def test_the_roots_are_those_of_the_environment_else_the_folder_of_the_server(monkeypatch, tmp_path):
    monkeypatch.setenv("UNITSCOPE_ROOTS", os.pathsep.join([str(tmp_path), "~"]))
    assert allowed_paths.roots() == [tmp_path.resolve(), Path.home().resolve()]
    monkeypatch.delenv("UNITSCOPE_ROOTS")
    monkeypatch.chdir(tmp_path)
    assert allowed_paths.roots() == [tmp_path.resolve()]
