"""Torchvision's data sets become class folders with the right labels, whatever form torchvision keeps them in."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torchvision.datasets
from PIL import Image

from interpret.cli.main import main
from interpret.config import ModelConfig
from interpret.data import torchvision_writer
from interpret.data.class_names import imagenet, read_class_names
from interpret.data.datasets import scan
from interpret.data.torchvision_writer import prepare
from interpret.errors import InputError
from interpret.models import load

RNG = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(path)


def food101(root: Path) -> dict[str, str]:
    """A small set in the format of Food101: its files, and the class of each photo of the split `test`."""
    names = {"apple_pie": ["10", "11"], "sushi": ["20"]}
    for label, photos in names.items():
        for name in [*photos, "99"]:
            picture(root / "food-101" / "images" / label / f"{name}.jpg")
    meta = root / "food-101" / "meta"
    meta.mkdir()
    (meta / "test.json").write_text(json.dumps({c: [f"{c}/{name}" for name in photos] for c, photos in names.items()}))
    (meta / "train.json").write_text(json.dumps({c: [f"{c}/99"] for c in names}))
    return {f"{c}/{name}.jpg": c for c, photos in names.items() for name in photos}


def cifar10(root: Path, monkeypatch) -> np.ndarray:
    """A small set in the format of CIFAR10: twelve test pictures of the labels 0 to 9, 0, 1; returns their pixels."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    pixels = RNG.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
    batch = {"data": pixels.reshape(12, -1), "labels": [index % 10 for index in range(12)]}
    (folder / "test_batch").write_bytes(pickle.dumps(batch))
    names = [f"kind {index}" for index in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": names}))
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr(torchvision.datasets.cifar, "check_integrity", lambda *_: True)
    return pixels.transpose(0, 2, 3, 1)


def test_a_set_of_files_is_linked_under_its_classes(cache):
    expected = food101(cache / "torchvision")
    said: list[str] = []
    found = scan("torchvision/food101:test", ["sushi", "apple pie", "ramen"], (), announce=said.append)
    assert [photo.label for photo in found.photos] == [1, 1, 0]
    assert said == [
        f"preparing torchvision/food101:test from {cache / 'torchvision'}; what is not there is downloaded (5 GB)"
    ]
    for photo in found.photos:
        (same,) = [
            name for name in expected if photo.file.samefile(cache / "torchvision" / "food-101" / "images" / name)
        ]
        assert photo.name.startswith(f"{expected[same]}/")
    scan("torchvision/food101:test", ["sushi"], (), announce=said.append)
    assert len(said) == 1, "it is made once"
    assert not [path for path in found.root.parent.iterdir() if path.name.startswith(".")]
    assert read_class_names("torchvision/Food101:test")[0] == ("apple_pie", "sushi")
    options = ModelConfig("squeezenet1_1", weights="random", class_names="torchvision/Food101:test", input_size=64)
    network = load(options)
    assert network.class_names == ("apple_pie", "sushi")
    assert network.config == options, "the name is no path"


def test_a_set_of_pixels_is_written_without_loss(tmp_path, monkeypatch):
    pixels = cifar10(tmp_path / "torchvision", monkeypatch)
    prepare("cifar10", "test", tmp_path / "torchvision", tmp_path / "set")
    files = sorted((path.stem, path) for path in (tmp_path / "set").rglob("*.png"))
    assert [path.parent.name for _, path in files] == [f"kind {index % 10}" for index in range(12)]
    for (_, path), expected in zip(files, pixels, strict=True):
        with Image.open(path) as picture:
            assert np.array_equal(np.asarray(picture), expected)


def test_classes_with_wordnet_ids_are_matched_by_them(tmp_path):
    for split, wnid in (("train", "n01440764"), ("train", "n03445777"), ("val", "n03445777")):
        picture(tmp_path / "torchvision" / "imagenette2" / split / wnid / f"{split}_{wnid}.JPEG")
    prepare("Imagenette", "train", tmp_path / "torchvision", tmp_path / "set")
    found = scan(tmp_path / "set", *imagenet())
    assert [(photo.name, photo.label) for photo in found.photos] == [
        ("n01440764/000000.jpeg", 0),
        ("n03445777/000001.jpeg", 574),
    ]


def test_a_set_without_names_and_files_has_numbered_classes(tmp_path, monkeypatch):
    defaults = (6, (3, 8, 8), 3, None, None, 0)
    monkeypatch.setattr(torchvision.datasets.FakeData.__init__, "__defaults__", defaults)
    prepare("FakeData", "", tmp_path / "torchvision", tmp_path / "set")
    given = torchvision.datasets.FakeData(6, (3, 8, 8), 3)
    for index in range(6):
        picture, label = given[index]
        with Image.open(tmp_path / "set" / f"class {int(label)}" / f"{index:06d}.png") as written:
            assert np.array_equal(np.asarray(written), np.asarray(picture))


@pytest.mark.parametrize(
    ("name", "split", "words"),
    [
        ("Cifar", "", "has no set 'Cifar' of photos with classes; it has"),
        ("ImageFolder", "", "has no set"),
        ("CIFAR10", "middle", "CIFAR10 has no split 'middle'; it has train and test"),
        ("Food101", "middle", r"Food101 has no split 'middle'; it has .*train.*test"),
        ("Food101", "test", r"Food101 is not in .* and could not be downloaded \(.*\); put the files there"),
    ],
)
def test_one_sentence_says_what_does_not_fit(tmp_path, monkeypatch, name, split, words):
    def offline(*_args: object, **_options: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torchvision.datasets.food101, "download_and_extract_archive", offline)
    with pytest.raises(InputError, match=words) as caught:
        prepare(name, split, tmp_path / "torchvision", tmp_path / "set")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "set").exists()


def test_the_command_says_it_in_one_line(capsys):
    assert main(["run", "--model", "demo", "--images", "torchvision/Cifar 10", "--study", "s"]) == 2
    assert "names no data set of torchvision" in capsys.readouterr().err
    assert torchvision_writer.main(["Nothing", "", "a", "b"]) == 2
    assert capsys.readouterr().err.endswith(".\n")
