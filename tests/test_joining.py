"""Shards joined: every row at its place, activations never twice on the disk, and a run that is killed there."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from interpret import models, pipeline
from interpret.errors import InputError
from interpret.study import joining
from interpret.study.joining import JOURNAL, join_arrays, joined_rows
from tests.conftest import TinyNet, draw_photos
from tests.test_pipeline import SMALL, Killed, config, contents

SHAPE = (16, 32, 32)  # 32 KB a row in float16


def shards(folder: Path) -> tuple[list[Path], np.ndarray]:
    """Three files of 20 rows each and an empty one, and all rows."""
    every = np.random.default_rng(0).random((60, *SHAPE)).astype(np.float16)
    parts = [folder / f"{n}.npy" for n in range(4)]
    for part, rows in zip(parts, (every[:20], every[20:40], every[:0], every[40:]), strict=True):
        np.save(part, rows)
    return parts, every


def disk_bytes(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def test_rows_come_in_the_order_asked_for_and_sources_stay_without_a_journal(tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "JOINED_BYTES", 7 * 32 * 1024)
    parts, every = shards(tmp_path)
    order = np.random.default_rng(1).permutation(60)
    join_arrays([*parts, tmp_path / "absent.npy"], tmp_path / "all.npy", order)
    assert np.array_equal(np.load(tmp_path / "all.npy"), every[order])
    assert np.array_equal(np.load(parts[1]), every[20:40])
    join_arrays([tmp_path / "absent.npy"], tmp_path / "none.npy", order)
    assert not (tmp_path / "none.npy").exists()


def test_joined_rows_are_given_back_to_the_disk_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "JOINED_BYTES", 6 * 32 * 1024)
    parts, every = shards(tmp_path)
    before = disk_bytes(tmp_path)
    with (tmp_path / "trial").open("w+b") as file:
        file.write(bytes(1 << 16))
        if not joining._punch(file, 0, 1 << 16):
            pytest.skip("this file system gives no part of a file back")
    most, write = 0, joining.write_json

    def watched(content, path):
        nonlocal most
        most = max(most, disk_bytes(tmp_path))
        write(content, path)

    monkeypatch.setattr(joining, "write_json", watched)
    order = np.random.default_rng(1).permutation(60)
    join_arrays(parts, tmp_path / "all.npy", order, tmp_path)
    assert np.array_equal(np.load(tmp_path / "all.npy"), every[order])
    # a piece, and a block of 4 KB that two rows share for each row
    assert most < before + 2 * 6 * 32 * 1024 + 60 * 2 * 4096
    assert most < 1.5 * before
    assert joined_rows(tmp_path) == 60


def test_rows_that_cannot_be_given_back_are_joined_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(joining, "_allocate", lambda: None)  # as with a C library that cannot
    parts, every = shards(tmp_path)
    order = np.random.default_rng(1).permutation(60)
    join_arrays(parts, tmp_path / "all.npy", order, tmp_path)
    assert np.array_equal(np.load(tmp_path / "all.npy"), every[order])
    assert np.array_equal(np.load(parts[1]), every[20:40])


@pytest.mark.parametrize("at", range(1, 22, 4))
def test_joining_that_was_killed_goes_on_where_it_was(tmp_path, monkeypatch, at):
    monkeypatch.setattr(joining, "JOINED_BYTES", 6 * 32 * 1024)
    parts, every = shards(tmp_path)
    order = np.random.default_rng(1).permutation(60)
    calls = 0

    def dying(work):
        def counted(*arguments):
            nonlocal calls
            calls += 1
            if calls == at:
                raise Killed
            return work(*arguments)

        return counted

    for name in ("write_json", "_give_back"):  # before and after the journal, and between two files
        monkeypatch.setattr(joining, name, dying(getattr(joining, name)))
    with pytest.raises(Killed):
        join_arrays(parts, tmp_path / "all.npy", order, tmp_path)
    join_arrays(parts, tmp_path / "all.npy", order, tmp_path)
    assert np.array_equal(np.load(tmp_path / "all.npy"), every[order])


def test_a_damaged_journal_is_one_sentence(tmp_path):
    assert joined_rows(tmp_path) is None
    (tmp_path / JOURNAL).write_text("[]")
    with pytest.raises(InputError, match=r"joining.json is damaged; delete .* to start anew"):
        joined_rows(tmp_path)


def test_a_run_killed_while_activations_are_joined_ends_with_the_same_bytes(tmp_path, monkeypatch):
    pictures = draw_photos(tmp_path / "pictures")
    for path in pictures.rglob("*.png"):  # photos that changed just now are left out of the table of digests
        os.utime(path, (10**9, 10**9))

    def run(name: str):
        torch.manual_seed(7)
        names = ["class 0", "class 1", "class 2"]
        network = models.wrap(TinyNet().eval(), name="tiny", class_names=names, preprocessing=SMALL, layer="first")
        return pipeline.run(config(pictures), tmp_path / name, classifier=network)

    undisturbed = run("undisturbed")
    rows = undisturbed.activations
    assert rows is not None
    monkeypatch.setattr(joining, "JOINED_BYTES", 3 * rows[0].nbytes)
    calls, give_back = 0, joining._give_back

    def dying(*arguments):
        nonlocal calls
        calls += 1
        if calls == 4:
            raise Killed
        give_back(*arguments)

    monkeypatch.setattr(joining, "_give_back", dying)
    with pytest.raises(Killed):
        run("killed")
    assert 0 < joined_rows(tmp_path / "killed.partial") < len(rows)
    assert contents(run("killed").folder) == contents(undisturbed.folder)
    assert not (tmp_path / "killed.partial").exists()
