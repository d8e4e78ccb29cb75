"""Quantiles of a large contrast are read where they are kept, and made again where they are not what was written."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from interpret.mining import contrast_quantiles, kept_quantiles
from interpret.mining.ranked_units import quantile_of, ranked_units
from interpret.mining.stored import mine_study
from interpret.study import digests, open_study
from interpret.study.open import damages
from tests.small_study import studies


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shutil.copytree(studies() / "demo", tmp_path / "demo")
    monkeypatch.setattr(kept_quantiles, "LEAST", 1)
    return tmp_path / "demo"


@pytest.fixture
def made(monkeypatch):
    """How often quantiles were made."""
    calls = []
    begin = contrast_quantiles.Quantiles.__init__

    def init(self, *arguments):
        calls.append(1)
        begin(self, *arguments)

    monkeypatch.setattr(contrast_quantiles.Quantiles, "__init__", init)
    return calls


def kept_in(folder):
    return [path for path in (folder / kept_quantiles.FOLDER).iterdir() if not path.name.startswith(".")]


def test_a_study_that_is_opened_again_has_the_same_transactions_without_its_contrast(folder, made):
    study = open_study(folder)
    expected = ranked_units(study, study.mine_config)
    assert len(made) == 1
    assert (expected[0] < 0).any(), "quantiles take units out"
    (kept,) = kept_in(folder)
    again = open_study(folder)
    (folder / "contrast.parquet").rename(folder / "away")  # nothing but what is kept is read
    found = ranked_units(again, again.mine_config)
    assert len(made) == 1
    assert all((a == b).all() for a, b in zip(expected, found, strict=True))
    (folder / "away").rename(folder / "contrast.parquet")
    assert not list(damages(again))
    shutil.rmtree(kept)
    mine_study(open_study(folder), replace(study.mine_config, contrast_quantile=0.5))
    assert not (folder / kept_quantiles.FOLDER / kept.name).exists(), "only the study's own options leave a folder"


@pytest.mark.parametrize("damage", ["cut off", "of another study", "not finite", "wrong size", "gone"])
def test_what_is_not_as_it_was_written_is_made_again(folder, made, damage):
    study = open_study(folder)
    expected = ranked_units(study, study.mine_config)
    (kept,) = kept_in(folder)
    table = np.load(kept / "table.npy")
    if damage == "cut off":
        (kept / "table.npy").write_bytes((kept / "table.npy").read_bytes()[:-4])
    elif damage == "gone":
        (kept / "groups.npy").unlink()
    else:
        if damage == "not finite":
            table[0, 0] = np.nan
        np.save(kept / "table.npy", table[:, :-1] if damage == "wrong size" else table)
        about = {"study": "another" if damage == "of another study" else study.identity, "options": kept.name}
        digests.write_list(kept, about)
    said: list[str] = []
    again = replace(open_study(folder), announce=said.append)
    found = ranked_units(again, again.mine_config)
    assert len(made) == 2
    assert len(said) == 1
    assert "are made again" in said[0]
    assert all((a == b).all() for a, b in zip(expected, found, strict=True))
    ranked_units(open_study(folder), study.mine_config)
    assert len(made) == 2, "what was made is kept"


def test_a_small_contrast_leaves_nothing(folder, monkeypatch):
    monkeypatch.setattr(kept_quantiles, "LEAST", 1 << 20)
    study = open_study(folder)
    assert quantile_of(study, study.mine_config) > 0
    ranked_units(study, study.mine_config)
    assert not (folder / kept_quantiles.FOLDER).exists()
