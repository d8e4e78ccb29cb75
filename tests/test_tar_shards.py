"""What is listed of WebDataset's tar files: the bytes that the library gives, and a sentence for what is damaged."""

import io
import json
import os
import sys
import tarfile

import pytest

from interpret.data import tar_shards
from interpret.data.photo_files import Stretch, stretch_opened
from interpret.errors import InputError


def write_tar(path, members: dict[str, bytes]):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    os.utime(path, (10**9, 10**9))
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path / "cache"))
    tar_shards._listed.cache_clear()
    return tmp_path / "cache"


SAMPLES = {
    "a.jpg": b"first",
    "a.cls": b"1",
    "a.mask.png": b"a mask",
    "n01440764/b.png": b"second!",
    "n01440764/b.txt": b"a caption",
    "c.JPEG": b"third",
    "c.json": json.dumps({"caption": "x", "label": "sea/lion"}).encode(),
    "d.cls": b"0",
    "./e.webp": b"fifth",
    "./e.json": b"{broken",
}


def test_each_photo_is_where_the_library_finds_it(tmp_path):
    shard = write_tar(tmp_path / "s-0.tar", SAMPLES)
    found = tar_shards.listed(shard, ())
    assert [name for name, _, _ in found.photos] == [
        "1/s-0.tar/a.jpg", "s-0.tar/n01440764/b.png", "sea-lion/s-0.tar/c.JPEG", "s-0.tar/e.webp",
    ]  # fmt: skip
    assert found.skipped == (("s-0.tar/d", "the sample holds no photo but cls"),)
    read = [stretch_opened(Stretch(shard, offset, size)).read() for _, offset, size in found.photos]
    from webdataset.tariterators import group_by_keys, tar_file_iterator

    with shard.open("rb") as file:
        samples = list(group_by_keys({**each, "__url__": ""} for each in tar_file_iterator(file)))
    parts = ("jpg", "png", "jpeg", "webp")
    given = [next(sample[part] for part in parts if part in sample) for sample in samples if sample["__key__"] != "d"]
    assert read == given == [b"first", b"second!", b"third", b"fifth"]


def test_numbers_of_classes_take_the_names_in_the_file_beside_the_shards(tmp_path):
    shard = write_tar(tmp_path / "s-0.tar", {"a.jpg": b"x", "a.cls": b"1\n", "b.jpg": b"y", "b.cls": b"7"})
    (tmp_path / tar_shards.CLASS_NAMES).write_text("cat\nfire truck\n")
    names = tar_shards.class_names(tmp_path)
    assert names == ("cat", "fire truck")
    assert [name for name, _, _ in tar_shards.listed(shard, names).photos] == [
        "fire truck/s-0.tar/a.jpg", "7/s-0.tar/b.jpg",
    ]  # fmt: skip


def cut_in_data(path):
    os.truncate(path, 512 * 4 + 100)


def cut_at_a_header(path):
    os.truncate(path, 512 * 3 + 200)


def overwritten(path):
    with path.open("r+b") as file:
        file.seek(512 * 3)
        file.write(b"\x01" * 512)


@pytest.mark.parametrize("damage", [cut_in_data, cut_at_a_header, overwritten])
def test_a_damaged_tar_gives_the_photos_before_the_damage_and_says_so(tmp_path, damage):
    members = {f"{key}.jpg": bytes([65 + at]) * 600 for at, key in enumerate("abc")}  # a header and two blocks each
    shard = write_tar(tmp_path / "s.tar", members)
    damage(shard)
    found = tar_shards.listed(shard, ())
    assert [name for name, _, _ in found.photos] == ["s.tar/a.jpg"]
    assert {reason.partition(";")[0] for _, reason in found.skipped} <= {
        "the tar file is cut off or damaged", "the tar file ends within it",
    }  # fmt: skip
    assert ("s.tar", "the tar file is cut off or damaged; what is behind that place is missing") in found.skipped


def test_what_is_no_tar_or_holds_a_name_twice_is_listed(tmp_path):
    (tmp_path / "text.tar").write_text("no tar at all" * 100)
    assert tar_shards.listed(tmp_path / "text.tar", ()).skipped[0][1].startswith("it is not a tar file")
    with tarfile.open(tmp_path / "twice.tar", "w") as tar:
        for content in (b"one", b"two"):
            info = tarfile.TarInfo("a.jpg")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    found = tar_shards.listed(tmp_path / "twice.tar", ())
    assert [name for name, _, _ in found.photos] == ["twice.tar/a.jpg"]
    assert found.skipped == (("twice.tar/a.jpg", "the tar file holds it twice"),)


def test_links_and_metadata_in_a_tar_are_no_photos(tmp_path):
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        link = tarfile.TarInfo("a.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        info = tarfile.TarInfo("__meta__.jpg")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    assert tar_shards.listed(tmp_path / "s.tar", ()).photos == ()


def test_a_list_is_kept_until_the_shard_changes_and_a_damaged_one_made_again(tmp_path, cache, monkeypatch):
    shard = write_tar(tmp_path / "s.tar", {"a.jpg": b"x"})
    first = tar_shards.listed(shard, ())
    (kept,) = (cache / "tar-lists").iterdir()
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "webdataset", None)  # not needed for what is kept
        tar_shards._listed.cache_clear()
        assert tar_shards.listed(shard, ()) == first
        kept.write_text("{")
        tar_shards._listed.cache_clear()
        with pytest.raises(InputError, match="pip install webdataset"):
            tar_shards.listed(shard, ())
    assert tar_shards.listed(shard, ()) == first
    write_tar(shard, {"b.jpg": b"x", "c.jpg": b"y"})
    assert [name for name, _, _ in tar_shards.listed(shard, ()).photos] == ["s.tar/b.jpg", "s.tar/c.jpg"]


def test_shards_are_named_by_braces_or_all_taken(tmp_path):
    for number in (0, 1, 2):
        write_tar(tmp_path / f"train-{number:03d}.tar", {})
    write_tar(tmp_path / "val-000.tar", {})
    names = [path.name for path in tar_shards.shards(tmp_path, "train-{000..001}.tar")]
    assert names == ["train-000.tar", "train-001.tar"]
    assert [path.name for path in tar_shards.shards(tmp_path, "train-*.tar")][-1] == "train-002.tar"
    assert len(tar_shards.shards(tmp_path, "")) == 4
    with pytest.raises(InputError, match=r"lacks train-003.tar and 1 more of the shards"):
        tar_shards.shards(tmp_path, "train-{000..004}.tar")
    with pytest.raises(InputError, match="braces"):
        tar_shards.shards(tmp_path, "train-{000..004.tar")
    with pytest.raises(InputError, match="holds no test"):
        tar_shards.shards(tmp_path, "test-*.tar")
