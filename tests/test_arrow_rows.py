"""Where the pictures of Hugging Face's data sets are: the bytes at that place are those that the library gives."""

import io
import sys

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from interpret.data import arrow_rows
from interpret.data.photo_files import Stretch, stretch_opened
from interpret.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path / "cache"))
    arrow_rows._rows.cache_clear()
    return tmp_path / "cache"


def picture(number: int) -> bytes:
    """A PNG of its own for each number."""
    held = io.BytesIO()
    Image.fromarray(np.full((6, 8, 3), number, np.uint8)).save(held, "PNG")
    return held.getvalue()


def made(count: int = 7, **columns):
    features = {"image": datasets.Image(), "label": datasets.ClassLabel(names=["cat", "sea lion", "a/b"])}
    held = {
        "image": [{"bytes": picture(row), "path": None} for row in range(count)],
        "label": [row % 3 for row in range(count)],
        **columns,
    }
    return datasets.Dataset.from_dict(held, features=datasets.Features(features))


def read(rows, row: int) -> bytes:
    place = rows.at(row)
    assert isinstance(place, Stretch)
    return stretch_opened(place).read()


def saved(opened, folder, **options):
    datasets.disable_progress_bars()
    opened.save_to_disk(str(folder), **options)
    datasets.enable_progress_bars()
    return folder


def test_every_row_is_where_the_library_reads_it(tmp_path):
    folder = saved(made(), tmp_path / "set", num_shards=2)
    rows = arrow_rows.rows(folder, "", "")
    assert [read(rows, row) for row in range(7)] == [picture(row) for row in range(7)]
    assert len(rows.files) == 2
    assert rows.names() == [f"{('cat', 'sea lion', 'a-b')[row % 3]}/{row:09d}" for row in range(7)]
    assert rows.classes == ("cat", "sea lion", "a/b")
    assert not datasets.are_progress_bars_disabled()


def test_rows_that_were_chosen_or_hold_nothing(tmp_path):
    elsewhere = tmp_path / "elsewhere.png"
    elsewhere.write_bytes(picture(9))
    images = [None, {"bytes": picture(1), "path": "x.png"}, {"bytes": None, "path": str(elsewhere)}]
    held = made(3, image=images, label=[2, None, 0])
    rows = arrow_rows.rows(saved(held.select([2, 0, 1]), tmp_path / "set"), "", "")
    assert rows.names() == ["cat/000000000", "a-b/000000001", "000000002"]
    assert (read(rows, 0), rows.at(1), read(rows, 2)) == (picture(9), None, picture(1))  # saving takes the file in
    (tmp_path / "paths").mkdir()
    pq.write_table(held.data.table, tmp_path / "paths" / "all.parquet")
    rows = arrow_rows.rows(tmp_path / "paths", "train", "")
    assert (rows.at(0), read(rows, 1), str(rows.at(2))) == (None, picture(1), str(elsewhere))


def test_a_split_is_asked_for_where_there_are_several(tmp_path):
    both = saved(datasets.DatasetDict({"train": made(4), "test": made(2)}), tmp_path / "both")
    assert len(arrow_rows.rows(both, arrow_rows.choose_split(both, "test"), "").file) == 2
    for split in ("", "val"):
        with pytest.raises(InputError, match=r"write one of hf:.*both:test, hf:.*both:train"):
            arrow_rows.choose_split(both, split)
    alone = saved(made(2), tmp_path / "alone")
    assert arrow_rows.choose_split(alone, "") == ""
    with pytest.raises(InputError, match="has no splits"):
        arrow_rows.choose_split(alone, "train")


def test_parquet_is_written_as_arrow_once(tmp_path, cache):
    folder = tmp_path / "set" / "data"
    folder.mkdir(parents=True)
    for part in (0, 1):
        table = made(6).data.table.slice(part * 3, 3)
        pq.write_table(table, folder / f"train-0000{part}-of-00002.parquet")
    (folder / "test-00000-of-00001.parquet").write_bytes(b"not read")
    root = folder.parent
    assert {split: len(files) for split, files in arrow_rows.parquet_files(root).items()} == {"train": 2, "test": 1}
    assert arrow_rows.rows(root, "train", "", convert=False) is None
    said: list[str] = []
    rows = arrow_rows.rows(root, "train", "", said.append)
    assert [read(rows, row) for row in range(6)] == [picture(row) for row in range(6)]
    assert rows.names()[4] == "sea lion/000000004"
    arrow_rows._rows.cache_clear()
    assert arrow_rows.rows(root, "train", "", said.append, convert=False).names() == rows.names()
    assert len(said) == 1
    assert "as Arrow into" in said[0]
    with pytest.raises(InputError, match="cannot be read"):
        arrow_rows.rows(root, "test", "")


def test_plain_columns_of_bytes_and_texts_do_as_well(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    content = pa.array([picture(0), picture(1)], pa.large_binary())
    pq.write_table(pa.table({"img": content, "category": ["dog", "cat"]}), folder / "all.parquet")
    rows = arrow_rows.rows(folder, "train", "")
    assert [read(rows, 0), read(rows, 1)] == [picture(0), picture(1)]
    assert rows.names() == ["dog/000000000", "cat/000000001"]
    with pytest.raises(InputError, match="no column 'photo'; it has img, category"):
        arrow_rows.rows(folder, "train", "photo")
    with pytest.raises(InputError, match=r"'category' of .* holds no pictures but string"):
        arrow_rows.rows(folder, "train", "category")


def test_a_damaged_set_and_an_absent_library_are_one_sentence(tmp_path, monkeypatch):
    folder = saved(made(), tmp_path / "set")
    (arrow,) = folder.glob("*.arrow")
    arrow.write_bytes(arrow.read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be read"):
        arrow_rows.rows(folder, "", "")
    (folder / "state.json").write_text((folder / "state.json").read_text().replace(arrow.name, f"../{arrow.name}"))
    arrow.write_bytes(b"")
    saved(made(), tmp_path / "other")
    (tmp_path / "other" / arrow.name).rename(tmp_path / arrow.name)
    with pytest.raises(InputError, match="which lies outside of it"):
        arrow_rows.rows(folder, "", "")
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match="pip install datasets"):
        arrow_rows.rows(folder, "", "")
