"""Zips that somebody sends to do harm: all is bounded before the first byte is unpacked."""

import io
import os
import struct
import time
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from interpret.errors import InputError
from pages.shared.backend import archives, uploads


def _pixel() -> bytes:
    Image.new("1", (1, 1)).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


PIXEL = _pixel()
"""The smallest photo."""


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("UNITSCOPE_STUDIES", str(tmp_path / "studies"))
    return tmp_path / "studies"


@pytest.fixture
def unpacked(monkeypatch) -> list[int]:
    """The number of bytes of each piece that was unpacked from a zip."""
    sizes: list[int] = []
    read = zipfile.ZipExtFile.read

    def counted(self: zipfile.ZipExtFile, n: int = -1) -> bytes:
        content = read(self, n)
        sizes.append(len(content))
        return content

    monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
    return sizes


def zip_of(*names: str, content: bytes = b"x" * 100, packed: int = zipfile.ZIP_STORED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content, packed)
    return file


def refusal(file: io.BytesIO) -> str:
    with pytest.raises(InputError) as caught:
        uploads.keep([("a.zip", file)])
    return str(caught.value)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_photos_that_are_too_large_in_all_are_refused_before_the_first_is_unpacked(unpacked, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_TOTAL_BYTES", 50 << 20)
    names = [f"{i}.png" for i in range(20)]
    content = os.urandom(1 << 20) + bytes(4 << 20)  # five times what it is packed to: no bomb by itself
    assert "one upload may hold" in refusal(zip_of(*names[:11], content=content, packed=zipfile.ZIP_DEFLATED))
    assert unpacked == []
    _, kept, _ = uploads.keep([("a.zip", zip_of(*names[:2], content=content, packed=zipfile.ZIP_DEFLATED))])
    assert (kept, sum(unpacked)) == (2, 10 << 20)


def test_what_is_refused_one_by_one_is_not_unpacked_either(unpacked):
    """Six gigabytes were written and deleted again, one refused photo after the other."""
    bomb = bytes(20 << 20)
    file = zip_of(*[f"{i}.png" for i in range(10)], content=bomb, packed=zipfile.ZIP_DEFLATED)
    assert "holds no photo" in refusal(file)
    assert unpacked == []


def test_bytes_of_a_refused_file_are_charged(monkeypatch):
    monkeypatch.setattr(uploads, "identify_photo", lambda file: (1, 1))
    monkeypatch.setattr(uploads, "MAX_TOTAL_BYTES", 250)
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", 100)
    files = [(f"{i}.png", io.BytesIO(b"x" * 10_000)) for i in range(5)]
    read: list[int] = []
    for _, file in files:
        file.read = lambda n, read=read.append: (read(n), b"x" * n)[1]  # type: ignore[method-assign]
    with pytest.raises(InputError):
        uploads.keep(files)
    assert read == [101, 101, 49, 1, 1], "more than the whole upload may cost was read"


def test_a_photo_that_is_larger_than_its_zip_says_costs_no_more_than_it_says(unpacked):
    file = zip_of("a.png", "b.png", content=bytes(5000), packed=zipfile.ZIP_DEFLATED)
    raw = bytearray(file.getvalue())
    place = raw.index(b"PK\1\2")
    raw[place + 24 : place + 28] = struct.pack("<L", 40)  # the size that the list of entries states
    assert "damaged" in refusal(io.BytesIO(bytes(raw)))
    assert sum(unpacked) <= 40


def test_six_thousand_photos_of_one_name_take_as_long_as_others():
    def seconds(names: list[str]) -> float:
        start = time.perf_counter()
        assert uploads.keep([("a.zip", zip_of(*names))])[1] == len(names)
        return time.perf_counter() - start

    others = seconds([f"set/{i}.png" for i in range(6000)])
    with pytest.warns(UserWarning, match="Duplicate name"):
        equal = seconds(["set/a.png"] * 6000)
    assert equal < 3 * others + 1


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_no_photo_of_an_equal_name_overwrites_another():
    file = zip_of("x/a.png", "x/a 1.png", "x/a.png", "x/A.PNG", "x/a 1.png", "y/x/a.png", "x/a 2.png")
    folder, kept, _ = uploads.keep([("a.zip", file)])
    assert kept == 7
    names = [path.name for path in (folder / "x").iterdir()]
    assert len({name.casefold() for name in names}) == 7


@pytest.mark.parametrize("name", ["ö" * 500 + ".png", "d" * 300 + "/" + "\U0001f986" * 90 + ".png"])
def test_a_long_name_is_cut_to_what_a_file_system_takes(name):
    folder, kept, _ = uploads.keep([("a.zip", zip_of(name))])
    assert kept == 1
    assert next(folder.rglob("*.png")).read_bytes() == b"x" * 100


def test_a_name_of_thousands_of_characters_is_skipped(unpacked):
    _, kept, skipped = uploads.keep([("a.zip", zip_of("a.png", "x/" * 2000 + "b.png"))])
    assert kept == 1
    assert len(skipped) == 1
    assert len(skipped[0]) < 200
    assert "longer than 1,000 characters" in skipped[0]


def with_list_of(size: int, entries: int) -> io.BytesIO:
    """A zip whose end says that its list of entries has so many bytes and entries."""
    return io.BytesIO(bytes(size) + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries, entries, size, 0, 0))


def with_list_of_64(size: int, entries: int) -> io.BytesIO:
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, entries, entries, size, 0)
    return io.BytesIO(bytes(size) + record + struct.pack("<4sLQL", b"PK\6\7", 0, size, 1) + end)


@pytest.mark.parametrize("made", [with_list_of, with_list_of_64])
def test_a_list_of_millions_of_entries_is_refused_before_it_is_read(made, monkeypatch):
    def parsed(*_: object) -> None:
        raise AssertionError("the list was read")

    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", parsed)
    assert "too long a list" in refusal(made(30 << 20, 7))
    if made is with_list_of_64:
        assert "lists 5,000,000 files" in refusal(made(1000, 5_000_000))


def test_too_many_entries_are_refused_though_the_end_says_less(monkeypatch):
    monkeypatch.setattr(archives, "MAX_ENTRIES", 50)
    raw = bytearray(zip_of(*[f"{i}.txt" for i in range(51)]).getvalue())
    place = raw.rindex(b"PK\5\6")
    raw[place + 8 : place + 12] = struct.pack("<2H", 3, 3)
    assert "lists 51 files" in refusal(io.BytesIO(bytes(raw)))


def test_entries_that_share_their_bytes_are_refused(unpacked):
    """As in the zip bombs of Fifield: many entries of the list name one and the same piece of the file."""
    raw = zip_of("a.png", content=os.urandom(5000)).getvalue()
    at, end = raw.index(b"PK\1\2"), raw.rindex(b"PK\5\6")
    entry = raw[at:end]
    many = raw[:at] + entry * 40 + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 40, 40, 40 * len(entry), at, 0)
    assert "damaged" in refusal(io.BytesIO(many))
    assert unpacked == []


@pytest.mark.parametrize("packed", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_packed_by_a_method_that_unpacks_without_bounds_is_refused(packed, unpacked):
    """Four kilobytes of bz2 become gigabytes in one step, however few bytes are asked for."""
    assert "packed in an unknown way" in refusal(zip_of("a.png", content=os.urandom(3000), packed=packed))
    assert unpacked == []


@pytest.mark.parametrize("packed", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_with_a_damaged_photo_is_one_sentence(packed):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", packed) as archive:
        archive.writestr("a.png", os.urandom(1000) + bytes(1000))
    start = 30 + len("a.png")  # behind the entry's own header
    file.getbuffer()[start : start + 40] = b"\xff" * 40
    with pytest.raises(InputError, match="damaged"):
        uploads.keep([("a.zip", file)])


def test_a_photo_beyond_what_is_taken_at_once_is_not_called_too_large(monkeypatch):
    monkeypatch.setattr(uploads, "MAX_TOTAL_BYTES", 250)
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", 120)
    files = [(name, io.BytesIO(PIXEL.ljust(size))) for name, size in (("a.png", 130), ("b.png", 100), ("c.png", 100))]
    _, kept, skipped = uploads.keep(files)
    assert kept == 1
    assert ["larger than" in line for line in skipped] == [True, False]
    assert "one upload may hold" in skipped[1]


def test_the_photos_in_a_zip_are_counted_without_unpacking_it():
    listed = zip_of("set/Bird/a.png", "set/Bird/b.JPG", "set/", "set/readme.txt", "__MACOSX/a.png", "set/.hidden.png")
    photos, skipped = uploads.inspect("b.zip", listed)
    assert photos == 2
    assert skipped == ("set/readme.txt: not a photo",)
    photos, skipped = uploads.inspect("b.zip", io.BytesIO(b"no zip"))
    assert photos == 0
    assert skipped == ("b.zip: The zip is damaged or packed in an unknown way; pack it again.",)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.png", PIXEL, ""),
        ("a.jpg", PIXEL, ""),  # known by its content
        ("a.txt", PIXEL, "not a photo"),
        ("a.png", b"", "the file is empty"),
        ("a.png", b"%PDF-1.4", "it is a PDF document; save its pages as PNG first"),
        ("a.png", b"hello", "it is not a photo in a format that can be read (JPEG, PNG, WEBP, BMP, GIF, TIFF)"),
    ],
)
def test_a_file_that_is_no_photo_is_refused_before_anything_starts(name, content, reason):
    file = io.BytesIO(content)
    file.seek(len(content) // 2)
    assert uploads.inspect(name, file) == ((0, (f"{name}: {reason}",)) if reason else (1, ()))
    assert file.tell() == len(content) // 2
    if reason:
        with pytest.raises(InputError, match="holds no photo"):
            uploads.keep([(name, file)])
        _, kept, skipped = uploads.keep([(name, file), ("b.png", io.BytesIO(PIXEL))])
        assert (kept, skipped) == (1, [f"{name}: {reason}"])


def test_an_empty_photo_in_a_zip_is_listed():
    with zipfile.ZipFile(packed := io.BytesIO(), "w") as archive:
        archive.writestr("a.png", b"")
        archive.writestr("b.png", PIXEL)
    assert uploads.inspect("c.zip", packed) == (1, ("a.png: the file is empty",))


def looking() -> None:
    import streamlit as st

    from pages.shared.backend import studies

    files = st.file_uploader("Photos", ["zip"], accept_multiple_files=True, key="files")
    st.write(str(studies.inspect_uploaded(files)[0]))


def test_an_uploaded_zip_is_looked_into_once_however_often_the_page_is_drawn(monkeypatch):
    looked: list[str] = []
    inspect = uploads.inspect
    monkeypatch.setattr(uploads, "inspect", lambda name, file: looked.append(name) or inspect(name, file))
    app = AppTest.from_function(looking, default_timeout=60).run()
    app.file_uploader(key="files").upload("a.zip", zip_of("a.png", "b.png").getvalue(), "application/zip").run()
    for _ in range(3):
        app.run()
        assert app.markdown[0].value == "2"
    assert looked == ["a.zip"]
