"""Listing photos: good ones are found beside every kind of bad file, and nothing bad goes unlisted."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret.data import datasets, folders
from interpret.data.class_names import imagenet
from interpret.data.datasets import Skipped, scan
from interpret.data.photos import UnreadablePhoto, open_photo
from interpret.errors import InputError
from tests.conftest import draw_photos
from tests.test_photos import png_of

NAMES = ("class 0", "class 1", "class 2")


def photo(path: Path, seed: int = 0, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 30, 3), dtype=np.uint8)).save(path, **options)
    return path


def test_class_folders(tmp_path):
    root = draw_photos(tmp_path / "set", classes=3, each=4)
    found = scan(root, NAMES, ())
    assert [item.name for item in found.photos] == [f"class {c}/{i:03d}.png" for c in range(3) for i in range(4)]
    assert [item.label for item in found.photos] == [0] * 4 + [1] * 4 + [2] * 4
    assert all(item.file == root / item.name and item.file.is_absolute() for item in found.photos)
    assert (found.skipped, found.unmatched, found.root) == ((), (), root)


def test_labels_come_from_the_outermost_folder_that_is_a_class(tmp_path):
    names, wnids = imagenet()
    for name in (
        "train/n01440764/a.jpg",
        "train/n01440764/217/b.jpg",
        "val/golf_ball/deep/er/c.jpg",
        "other things/d.jpg",
        "e.jpg",
    ):
        photo(tmp_path / name)
    found = scan(tmp_path, names, wnids)
    assert {item.name: item.label for item in found.photos} == {
        "train/n01440764/a.jpg": 0,
        "train/n01440764/217/b.jpg": 0,
        "val/golf_ball/deep/er/c.jpg": 574,
        "other things/d.jpg": None,
        "e.jpg": None,
    }
    assert found.unmatched == ("other things",)


def test_a_flat_folder_has_no_labels(tmp_path):
    photo(tmp_path / "n01440764_tench.JPEG")
    found = scan(str(tmp_path), *imagenet())
    assert [(item.name, item.label) for item in found.photos] == [("n01440764_tench.JPEG", None)]
    assert found.unmatched == ()


def test_bad_files_of_every_kind_beside_good_ones(tmp_path):
    """The good ones come out; each bad one is listed with its reason, here or when it is opened."""
    root = tmp_path / "set"
    good = {
        "plain.jpg": {},
        "UPPER.JPEG": {},
        "class 0/emoji 🦆.png": {},
        "class 0/new\nline.png": {},
        "class 1/animated.gif": {"save_all": True, "append_images": [Image.new("RGB", (30, 20))]},
        "folder.jpg/inside.bmp": {},
        "webp.webp": {},
        "tiff.tif": {},
    }
    for index, (name, options) in enumerate(good.items()):
        photo(root / name, index, **options)
    Image.new("CMYK", (9, 9), (9, 9, 9, 9)).save(root / "cmyk.jpg")
    Image.fromarray(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000).save(root / "sixteen.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    photo(root / "turned.jpg", exif=exif)
    names = [*good, "cmyk.jpg", "sixteen.png", "turned.jpg"]

    outside = photo(tmp_path / "outside.png")
    (root / "linked.png").symlink_to(outside)
    names.append("linked.png")
    photo(tmp_path / "elsewhere" / "far.png")
    (root / "linked folder").symlink_to(tmp_path / "elsewhere")
    names.append("linked folder/far.png")

    seen_at_once = {
        "zero.jpg": "the file is empty",
        "empty folder.png": "it is a folder, not a photo",
        "pipe.jpg": "it is a named pipe, not a photo",
        "nowhere.png": "it is a link to nothing",
        "self.png": "too many levels of symbolic links",
        "class 0/up": "a link to a folder that is read already",
        "again": "a link to a folder that is read already",
        "notes.txt": "not a photo (.txt)",
        "Thumbs.db": "not a photo (.db)",
        "drawing.svg": "not a photo (.svg)",
        "document.pdf": "not a photo (.pdf)",
        "phone.heic": "save it as JPEG first",
        "README": "no extension",
        ".hidden.jpg": "hidden",
        ".git": "hidden",
        "__MACOSX": "hidden",
    }
    (root / "zero.jpg").touch()
    (root / "empty folder.png").mkdir()
    os.mkfifo(root / "pipe.jpg")
    (root / "nowhere.png").symlink_to(root / "gone.png")
    (root / "self.png").symlink_to(root / "self.png")
    (root / "class 0" / "up").symlink_to(root)
    (root / "again").symlink_to(root / "class 1")
    for name in ("notes.txt", "Thumbs.db", "drawing.svg", "document.pdf", "phone.heic", "README"):
        (root / name).write_text("something")
    photo(root / "hidden.jpg").rename(root / ".hidden.jpg")
    photo(root / ".git" / "x.jpg")
    photo(root / "__MACOSX" / "x.jpg")
    raw = os.fsencode(root) + b"/bad \xff name.jpg"
    try:
        with open(raw, "wb") as file:  # noqa: PTH123 - a path of bytes
            file.write(b"x")
        seen_at_once["bad \\xff name.jpg"] = "not valid UTF-8"
    except OSError:  # a file system that takes only UTF-8
        pass

    whole = (root / "plain.jpg").read_bytes()
    seen_when_opened = {
        "truncated.jpg": (whole[: len(whole) // 2], "broken"),
        "text.jpg": (b"only words", "format"),
        "page.png": (b"<!DOCTYPE html><html></html>", "web page"),
        "huge.png": (png_of(60_000, 60_000), "million pixels"),
        "renamed.jpg": (b"%PDF-1.7", "PDF"),
        "header.gif": (b"GIF89a", "broken"),
    }
    for name, (content, _) in seen_when_opened.items():
        (root / name).write_bytes(content)

    found = scan(root, NAMES, ())
    assert [item.name for item in found.photos] == sorted([*names, *seen_when_opened])
    reasons = {item.name: item.reason for item in found.skipped}
    assert set(reasons) == set(seen_at_once)
    assert len(found.skipped) == len(seen_at_once)
    for name, words in seen_at_once.items():
        assert words in reasons[name], name
    for item in found.photos:
        item.name.encode()  # can be written to any file
        if item.name in seen_when_opened:
            with pytest.raises(UnreadablePhoto, match=seen_when_opened[item.name][1]):
                open_photo(item.file)
        else:
            assert open_photo(item.file).mode == "RGB"
    labels = {item.name: item.label for item in found.photos}
    assert labels["class 0/emoji 🦆.png"] == 0
    assert labels["class 1/animated.gif"] == 1
    assert labels["linked folder/far.png"] is None


def test_what_may_not_be_read_is_listed(tmp_path, monkeypatch):
    for name in ("a.png", "b.png", "locked/c.png"):
        photo(tmp_path / name)
    expected = ("a.png", {"b.png": "permission denied", "locked": "permission denied"})
    if os.geteuid() == 0:  # root reads everything: let the system refuse by hand
        opening, listing = Path.open, os.scandir

        def refuse_open(self, *args, **kwargs):
            if self.name == "b.png":
                raise PermissionError(13, "Permission denied")
            return opening(self, *args, **kwargs)

        def refuse_list(path):
            if Path(path).name == "locked":
                raise PermissionError(13, "Permission denied")
            return listing(path)

        monkeypatch.setattr(Path, "open", refuse_open)
        monkeypatch.setattr(os, "scandir", refuse_list)
    else:
        (tmp_path / "b.png").chmod(0)
        (tmp_path / "locked").chmod(0)
    try:
        found = scan(tmp_path, NAMES, ())
    finally:
        if os.geteuid() != 0:
            (tmp_path / "locked").chmod(0o755)
    assert [item.name for item in found.photos] == [expected[0]]
    assert {item.name: words in item.reason for item in found.skipped for words in [expected[1][item.name]]} == {
        "b.png": True,
        "locked": True,
    }


def test_folders_without_end(tmp_path):
    deep = tmp_path
    for level in range(folders.MAX_DEPTH + 3):
        deep = deep / "d"
        photo(deep / f"{level}.png")
    found = scan(tmp_path, NAMES, ())
    assert len(found.photos) == folders.MAX_DEPTH
    assert [item.reason for item in found.skipped] == [f"the folder lies more than {folders.MAX_DEPTH} folders deep"]


def test_a_file_too_large_is_listed(tmp_path):
    photo(tmp_path / "a.png")
    with (tmp_path / "b.png").open("wb") as file:
        file.truncate(folders.MAX_BYTES + 1)
    assert scan(tmp_path, NAMES, ()).skipped == (Skipped("b.png", "the file is larger than 1,024 MB"),)


def test_nothing_to_work_on_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "a.txt").write_text("a")
    photo(tmp_path / "file.png")
    for source, words in (
        (tmp_path / "missing", "does not exist"),
        (tmp_path / "file.png", "is a file, not a folder"),
        (tmp_path / "empty", "holds no photos;"),
        (tmp_path / "words", "left out: 1"),
        ("a\0b", "cannot be opened"),
    ):
        for listing in (lambda source: scan(source, NAMES, ()), datasets.count):
            with pytest.raises(InputError, match=words) as caught:
                listing(source)
            assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="leaves none"):
        scan(tmp_path, NAMES, (), limit=0)


def test_the_fingerprint_changes_with_any_photo_and_with_nothing_else(tmp_path):
    root = draw_photos(tmp_path / "set", classes=2, each=3)
    first = scan(root, NAMES, ()).fingerprint
    assert first == scan(root, NAMES, ()).fingerprint
    assert len(first) == 16
    (root / "notes.txt").write_text("no photo")
    os.utime(root / "class 0" / "000.png", (1, 1))
    assert scan(root, NAMES, ()).fingerprint == first
    moved = tmp_path / "moved"
    root.rename(moved)
    assert scan(moved, NAMES, ()).fingerprint == first

    seen = {first}
    target = moved / "class 0" / "000.png"
    content = target.read_bytes()
    for change in (content[:-1] + b"x", b"x" + content[1:], content + b"x", content[:-1]):
        target.write_bytes(change)
        seen.add(scan(moved, NAMES, ()).fingerprint)
    target.write_bytes(content)
    target.rename(moved / "class 0" / "renamed.png")
    seen.add(scan(moved, NAMES, ()).fingerprint)
    (moved / "class 0" / "renamed.png").unlink()
    seen.add(scan(moved, NAMES, ()).fingerprint)
    assert len(seen) == 7


def test_a_limit_takes_evenly_from_the_classes(tmp_path):
    for label, count in enumerate((10, 2, 6)):
        for index in range(count):
            photo(tmp_path / f"class {label}" / f"{index:02d}.png", index)
    picked = [item.name for item in scan(tmp_path, NAMES, (), limit=8).photos]
    # 8 over three classes: 3, 2 (all it has), 3; each spread over its names: 0, 10/3, 20/3 and 0, 2, 4
    assert picked == [
        "class 0/00.png", "class 0/03.png", "class 0/06.png",
        "class 1/00.png", "class 1/01.png",
        "class 2/00.png", "class 2/02.png", "class 2/04.png",
    ]  # fmt: skip
    assert len(scan(tmp_path, NAMES, (), limit=1).photos) == 1
    assert len(scan(tmp_path, NAMES, (), limit=18).photos) == len(scan(tmp_path, NAMES, (), limit=99).photos) == 18
    assert scan(tmp_path, NAMES, (), limit=8).fingerprint != scan(tmp_path, NAMES, ()).fingerprint
