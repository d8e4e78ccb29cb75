"""Photos come decoded in order and the same, whether threads or processes decode them, also where those are killed."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from interpret.data.datasets import Photo
from interpret.data.preprocessing import Preprocessing
from interpret.explanation import decoders
from interpret.explanation.decoders import AT_ONCE, Decoders, decoders_for

PREPROCESSING = Preprocessing(size=(32, 40), resize=48)
COUNT = 3 * AT_ONCE + 3
BROKEN, TEXT, GONE = 4, AT_ONCE, COUNT - 1


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Photos of several sizes and odd names, among them a broken one, a text and one that is not there."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    paths = [folder / f"{number} \u00fc\n\u201c.png" for number in range(COUNT)]
    for number, path in enumerate(paths):
        Image.fromarray(rng.integers(0, 256, (60 + number, 90, 3), dtype=np.uint8)).save(path)
    paths[BROKEN].write_bytes(paths[BROKEN].read_bytes()[:500])
    paths[TEXT].write_text("no photo")
    paths[GONE].unlink()
    return [Photo(path, path.name, None) for path in paths]


def decoded(photos, **options):
    with Decoders(PREPROCESSING, 2, **options) as running:
        return list(running.ahead(photos, 5))


def same(found, expected):
    assert [each.photo for each in found] == [each.photo for each in expected]
    assert [(each.size, each.reason) for each in found] == [(each.size, each.reason) for each in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one.pixels is None) == (other.pixels is None)
        assert one.pixels is None or np.array_equal(one.pixels, other.pixels)


def test_processes_decode_what_threads_decode_in_order(photos):
    expected = decoded(photos)
    assert [number for number, each in enumerate(expected) if each.pixels is None] == [BROKEN, TEXT, GONE]
    assert expected[7].size == (90, 67)
    same(decoded(photos, processes=True), expected)


@pytest.fixture
def started(monkeypatch):
    """The processes that are started."""
    found = []
    popen = subprocess.Popen

    def start(*args, **options):
        found.append(popen(*args, **options))
        return found[-1]

    monkeypatch.setattr(decoders.subprocess, "Popen", start)
    return found


def test_a_process_that_is_killed_costs_no_photo(photos, started):
    found = []
    with Decoders(PREPROCESSING, 2, processes=True) as running:
        for each in running.ahead(photos, 0):
            found.append(each)
            for process in started:
                process.kill()
    assert started
    same(found, decoded(photos))


def test_where_no_process_can_be_started_threads_decode(photos, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    same(decoded(photos, processes=True), decoded(photos))


def test_processes_end_with_the_context(photos, started):
    def stop():
        with Decoders(PREPROCESSING, 2, processes=True) as running:
            next(running.ahead(photos, 5))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stop()
    assert started
    assert all(process.poll() is not None for process in started)


def test_a_process_ends_with_the_program_that_started_it(photos, started):
    with Decoders(PREPROCESSING, 1, processes=True) as running:
        list(running.ahead(photos, 5))
        started[0].stdin.close()  # as when the program is killed
        assert started[0].wait(timeout=20) == 0


def test_a_gpu_gets_processes_for_many_photos_only(monkeypatch):
    made = []
    monkeypatch.setattr(decoders, "Decoders", lambda *args, **options: made.append((*args[1:], options)))
    monkeypatch.setattr(decoders.os, "sched_getaffinity", lambda _: range(8), raising=False)
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    for workers, device, count in (
        (None, cpu, 10**6),
        (5, cpu, 9),
        (None, gpu, 999),
        (None, gpu, 1000),
        (3, gpu, 1000),
    ):
        decoders_for(PREPROCESSING, workers, device, count)
    assert made == [(2, {}), (5, {}), (2, {}), (6, {"processes": True}), (3, {"processes": True})]
