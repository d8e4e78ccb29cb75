"""Fingerprints: any edit of any photo is seen, nothing else is, and no unchanged file is read twice."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret.data import datasets
from interpret.data.datasets import PhotoSet
from interpret.study.prints import NAME, read_prints, write_prints

NAMES = ("class 0", "class 1", "class 2")
YESTERDAY = time.time_ns() - 86_400 * 10**9
SIZES = {
    "small.png": 1_000,
    "class 0/middle.png": 20_000,
    "edge.bmp": 32_768,
    "class 1/large.bmp": 100_000,
    "huge.tif": 9_000_001,
}


def scan(folder: Path, **options) -> PhotoSet:
    return datasets.scan(folder, NAMES, (), **options)


def settle(path: Path) -> None:
    """Give a file an old time stamp, as the photos of a study have."""
    os.utime(path, ns=(YESTERDAY, YESTERDAY))


@pytest.fixture
def files(tmp_path) -> Path:
    """Files of every size that is treated in its own way, none of them decoded here."""
    root = tmp_path / "set"
    for name, size in SIZES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((b"0123456789abcdef" * (size // 16 + 1))[: size - 8] + size.to_bytes(8, "big"))
        settle(path)
    return root


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Names of the files that are read."""
    names: list[str] = []
    reading = datasets.read_print

    def recorded(name, path):
        names.append(name)
        return reading(name, path)

    monkeypatch.setattr(datasets, "read_print", recorded)
    return names


def test_an_edited_bmp_of_equal_size_is_another_photo(tmp_path):
    path = tmp_path / "a.bmp"
    pixels = np.zeros((100, 300, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    before, size = scan(tmp_path).fingerprint, path.stat().st_size
    pixels[50, 150] = 255
    Image.fromarray(pixels).save(path)
    assert path.stat().st_size == size
    assert scan(tmp_path).fingerprint != before


@pytest.mark.parametrize("size", [1, 100, 20_000, 32_769, 500_000])
def test_a_change_of_any_byte_is_seen_whatever_the_time_stamps(tmp_path, size):
    content = bytearray(np.random.default_rng(0).bytes(size))
    seen = set()
    places = sorted({0, size // 3, size // 2, size - 1} | {place for place in (16_384, 16_385) if place < size})
    for place in (None, *places):
        changed = bytearray(content)
        if place is not None:
            changed[place] ^= 1
        (tmp_path / "a.png").write_bytes(changed)
        settle(tmp_path / "a.png")
        seen.add(scan(tmp_path).fingerprint)
    assert len(seen) == len(places) + 1


def test_a_change_of_a_large_file_is_seen_by_its_time_or_in_its_samples(files):
    path = files / "huge.tif"
    before = scan(files).fingerprint
    content = bytearray(path.read_bytes())

    def after(place: int, *, keep_time: bool) -> str:
        changed = bytearray(content)
        changed[place] ^= 1
        path.write_bytes(changed)
        if keep_time:
            settle(path)
        return scan(files).fingerprint

    last = len(content) - 1
    seen = {before, after(200_000, keep_time=False)}
    for place in (0, 16_383, round(5 * (last + 1 - 16_384) / 63) + 100, last - 16_000, last):
        seen.add(after(place, keep_time=True))
    assert len(seen) == 7
    path.write_bytes(content)
    settle(path)
    assert scan(files).fingerprint == before


def test_time_stamps_of_small_files_do_not_matter(files):
    before = scan(files).fingerprint
    for name in set(SIZES) - {"huge.tif"}:
        os.utime(files / name, (1, 1))
    assert scan(files).fingerprint == before


def test_the_former_fingerprint_is_what_the_first_version_recorded(files):
    """The digits were computed by the code before the whole content was hashed."""
    found = scan(files)
    assert found.former_fingerprint == "9c1cba1df8e04bbe"
    assert found.fingerprint != found.former_fingerprint
    for name in ("class 1/large.bmp", "huge.tif"):
        (files / name).unlink()
    small = scan(files)
    assert small.fingerprint == small.former_fingerprint


def test_an_unchanged_file_is_not_read_again_and_a_changed_one_is(files, read):
    first = scan(files)
    assert sorted(read) == sorted(SIZES)
    read.clear()
    again = scan(files, known=first.prints)
    assert read == []
    assert (again.fingerprint, again.former_fingerprint) == (first.fingerprint, first.former_fingerprint)
    assert again.prints == first.prints

    path = files / "class 1" / "large.bmp"
    content = bytearray(path.read_bytes())
    content[50_000] ^= 1
    path.write_bytes(content)
    settle(path)  # as a program does that keeps the time stamp
    changed = scan(files, known=first.prints)
    assert read == ["class 1/large.bmp"]
    assert changed.fingerprint == scan(files).fingerprint != first.fingerprint


def test_a_file_that_changed_just_now_is_read_again(files, read):
    (files / "small.png").write_bytes(b"new")
    prints = scan(files).prints
    assert {state.name for state in prints} == set(SIZES) - {"small.png"}
    read.clear()
    scan(files, known=prints)
    assert read == ["small.png"]


def test_digests_are_kept_in_a_folder_and_a_damaged_table_only_costs_a_reading(files, tmp_path, read):
    found = scan(files)
    write_prints(found.prints, tmp_path)
    assert read_prints(tmp_path / "absent", tmp_path) == found.prints
    assert scan(files, known=read_prints(tmp_path)).fingerprint == found.fingerprint
    assert len(read) == len(SIZES)
    write_prints({}, tmp_path)
    assert read_prints(tmp_path) == {}
    for content in (b"", b"PAR1 cut short"):
        (tmp_path / NAME).write_bytes(content)
        assert read_prints(tmp_path) == {}


def test_counting_reads_no_photo(files, read):
    assert datasets.count(files) == len(SIZES)
    assert read == []
