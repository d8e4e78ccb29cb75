"""Built-in sets of photos: made or fetched once into the cache, whole or not at all."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret.data import builtin
from interpret.data.class_names import imagenet
from interpret.data.datasets import scan
from interpret.data.photos import open_photo
from interpret.errors import InputError
from interpret.files import cache_dir
from tests.test_datasets import NAMES, photo


def test_scikit_images_photos(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path / "cache"))
    assert cache_dir() == tmp_path / "cache"
    found = scan("skimage", *imagenet())
    assert [item.name for item in found.photos] == sorted(builtin.SKIMAGE_PHOTOS)
    assert found.root == tmp_path / "cache" / "skimage"
    assert all(item.label is None for item in found.photos)
    from skimage import data

    with Image.open(found.root / "astronaut.png") as copy:
        assert np.array_equal(np.asarray(copy), data.astronaut())
    (found.root / "coffee.png").write_bytes(b"half")  # as a killed copy would not leave it
    edited = bytearray((found.root / "moon.png").read_bytes())
    edited[len(edited) // 2] ^= 1  # of the same size
    (found.root / "moon.png").write_bytes(edited)
    (found.root / "rocket.jpg").unlink()
    assert scan("skimage", *imagenet()).fingerprint == found.fingerprint
    assert not [path for path in found.root.iterdir() if path.name.startswith(".")]


def test_every_listed_photo_of_scikit_image_opens(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path))
    assert all(min(open_photo(item.file).size) >= 300 for item in scan("skimage", NAMES, ()).photos)


def test_a_cache_that_cannot_be_written_is_said(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(InputError, match="UNITSCOPE_CACHE"):
        scan("skimage", NAMES, ())


def imagenette_archive(folder: Path) -> Path:
    import tarfile

    for split, wnid in (("train", "n01440764"), ("val", "n03445777")):
        photo(folder / "imagenette2-320" / split / wnid / "a.JPEG")
    archive = folder / "imagenette2-320.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder / "imagenette2-320", "imagenette2-320")
    return archive


def test_imagenette_is_announced_fetched_and_unpacked_once(tmp_path, monkeypatch):
    from interpret.data.downloads import file_digest

    archive = imagenette_archive(tmp_path / "server")
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(builtin, "IMAGENETTE", (archive.as_uri(), file_digest(archive, "md5")))
    said: list[str] = []
    found = scan("imagenette-val", *imagenet(), announce=said.append)
    assert [(item.name, item.label) for item in found.photos] == [("n03445777/a.JPEG", 574)]
    assert len(said) == 1
    assert all(word in said[0] for word in ("imagenette2-320.tgz", "340 MB", archive.as_uri(), str(tmp_path / "cache")))
    found = scan("imagenette", *imagenet(), announce=said.append)
    assert [item.label for item in found.photos] == [0]
    assert len(said) == 1
    assert sorted(path.name for path in (tmp_path / "cache" / "imagenette").iterdir()) == ["imagenette2-320"]


def test_imagenette_is_torchvisions():
    from torchvision.datasets import Imagenette

    assert Imagenette._ARCHIVES["320px"] == builtin.IMAGENETTE


def test_imagenette_without_a_network_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path))
    monkeypatch.setattr(builtin, "IMAGENETTE", ((tmp_path / "imagenette2-320.tgz.gone").as_uri(), "00"))
    with pytest.raises(InputError, match="put it into") as caught:
        scan("imagenette", *imagenet())
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "imagenette").iterdir()) == []


@pytest.mark.real
def test_imagenette_on_disk(photos):
    found = scan(photos / "imagenette" / "val", *imagenet())
    assert len(found.photos) == 3925
    assert sorted({item.label for item in found.photos}) == [0, 217, 482, 491, 497, 566, 569, 571, 574, 701]
    assert (found.skipped, found.unmatched) == ((), ())
    picked = scan(photos / "imagenette" / "val", *imagenet(), limit=105).photos
    counts = np.unique([item.label for item in picked], return_counts=True)[1]
    assert sorted(counts) == [10] * 5 + [11] * 5
