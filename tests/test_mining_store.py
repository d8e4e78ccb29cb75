"""Mined itemsets on disk: the same after reading as before writing, and the same bytes for the same result."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from interpret.errors import InputError
from interpret.mining import mine, store
from interpret.mining.transactions import TransactionDatabase
from tests.mining_cases import config, database, plain, skewed


def test_order_of_the_transactions_does_not_matter(tmp_path: Path) -> None:
    data = skewed(900, 5, seed=8)
    order = np.random.default_rng(0).permutation(len(data))
    other = TransactionDatabase(data.units[order], data.class_ids[order], data.image_ids[order], data.n_units)
    store.write(mine(data, config(0.1)), tmp_path / "a")
    store.write(mine(other, config(0.1)), tmp_path / "b")
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_files_round_trip(tmp_path: Path) -> None:
    found = mine(skewed(600, 4, seed=2), config(0.1))
    store.write(found, tmp_path / "deep" / "key")
    again = store.read(tmp_path / "deep" / "key")
    assert plain(again) == plain(found)
    for name in ("itemsets", "rules", "units"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name), check_exact=True)
    for name in ("class_ids", "class_sizes", "class_photos", "least"):
        assert np.array_equal(getattr(again, name), getattr(found, name))
    assert (again.n, again.n_photos, again.min_support) == (600, found.n_photos, 0.1)
    store.write(again, tmp_path / "deep" / "again")
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["again", "key"]
    for file in ("itemsets", "rules", "units", "counts"):
        paths = (tmp_path / "deep" / folder / f"{file}.parquet" for folder in ("key", "again"))
        first, second = (path.read_bytes() for path in paths)
        assert first == second


def test_files_hold_what_the_design_names(tmp_path: Path) -> None:
    store.write(mine(database([[2, 1], [1]], [4, 4]), config(0.5)), tmp_path / "key")
    table = pd.read_parquet(tmp_path / "key" / "itemsets.parquet")
    assert list(table.columns) == ["itemset_id", "units", "class_id", "support_count", "image_count", "support"]
    assert [list(units) for units in table.units] == [[1], [1], [2], [2], [1, 2], [1, 2]]
    assert table.class_id.isna().tolist() == [True, False] * 3
    assert table.support.tolist() == [1.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    rules = pd.read_parquet(tmp_path / "key" / "rules.parquet")
    assert set(rules.columns) >= {
        "itemset_id", "class_id", "support_count", "confidence", "lift", "leverage", "conviction", "image_count",
        "contrast_count", "contrast_patches", "contrast_support", "contrast_lift", "contrast_image_count",
        "contrast_images", "image_p_value", "image_q_value",
    }  # fmt: skip
    units = pd.read_parquet(tmp_path / "key" / "units.parquet")
    assert list(units.columns) == ["class_id", "unit", "rank", "support", "kind"]


def test_a_damaged_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"digests.json is missing"):
        store.read(tmp_path)
    store.write(mine(database([[1]], [0]), config(0.5)), tmp_path / "key")
    (tmp_path / "key" / "counts.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError, match=r"counts.parquet is damaged: it has 19 bytes, not "):
        store.read(tmp_path / "key")
