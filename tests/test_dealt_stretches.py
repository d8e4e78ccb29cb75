"""Ablations dealt to workers: the classes that this process finds, whatever the head reads, and the files of one."""

import dataclasses
import os
import shutil
import signal
import sys

import numpy as np
import pytest
import torch

from interpret import pipeline
from interpret.cli.main import main
from interpret.config import EvaluateConfig, ModelConfig
from interpret.evaluation.ablation import AblationSet, classify
from interpret.evaluation.dealt_stretches import Dealer, StretchWorker, stretch_workers
from interpret.evaluation.evaluate import evaluate
from interpret.evaluation.heads import load_head
from interpret.evaluation.heldout import heldout
from interpret.evaluation.stretches import HEAD_ROWS
from interpret.explanation.ray_pool import RayOptions
from interpret.models.head import find_head
from tests.conftest import TinyNet, draw_photos
from tests.runs_of_workers import NETWORK, workers_of_ray
from tests.test_pipeline import SMALL, config, contents

PHOTOS = 3 * HEAD_ROWS + 10


@pytest.fixture(autouse=True)
def one_thread():
    """On a busy machine threads of a small network wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class PoolOfOne:
    """A worker in this process, asked as Ray's are; results come in the reverse order."""

    def __init__(self, head):
        self.worker = StretchWorker(head, torch.get_num_threads())
        self.asked = []

    def __len__(self):
        return 1

    def results(self, tasks):
        self.asked += list(tasks)
        for task in reversed(self.asked):
            yield task, self.worker.classify(*task)


def photos_of(reads: str) -> AblationSet:
    """Photos for a head of two layers; ``inputs`` has it run as the whole network, on pixels."""
    torch.manual_seed(3)
    network = TinyNet().eval()
    head = find_head(network, "first", torch.rand(2, 3, 32, 32))
    rng = np.random.default_rng(0)
    maps = rng.normal(size=(PHOTOS + 5, 8, 16, 16)) * rng.uniform(0, 3, (PHOTOS + 5, 8, 1, 1))
    maps = maps.astype(np.float16)
    with torch.no_grad():  # so that no class has all photos
        network.head.bias -= head.logits(torch.from_numpy(maps[:64]).float()).mean(dim=0)
    beside = preprocessing = None
    if reads == "inputs":
        head = dataclasses.replace(head, whole=True)
        beside, preprocessing = rng.integers(0, 256, (PHOTOS + 5, 32, 32, 3), dtype=np.uint8), SMALL
    rows = rng.permutation(PHOTOS + 5)[:PHOTOS]
    fill = rng.normal(size=8).astype(np.float32)
    features = maps.mean(axis=(2, 3))
    labels = rng.integers(0, 3, PHOTOS)
    return AblationSet(head, labels, features, maps, rows, fill, beside=beside, preprocessing=preprocessing)


def settings_of(count: int):
    rng = np.random.default_rng(1)
    return [[rng.choice(8, rng.integers(0, 6), replace=False) for _ in range(3)] for _ in range(count)]


@pytest.mark.parametrize("reads", ["", "inputs"])
@pytest.mark.parametrize("keep", [False, True])
def test_workers_find_the_classes_that_this_process_finds(reads, keep):
    photos = photos_of(reads)
    assert not photos.head.linear
    groups = photos.labels - 1  # of those below 0 nothing is ablated
    expected = classify(photos, settings_of(6), groups, keep=keep)
    assert len({tuple(each) for each in expected.tolist()}) == 6
    pool = PoolOfOne(photos.head)
    done: list[int] = []
    dealt = dataclasses.replace(photos, deal=Dealer(photos.head, pool))
    assert np.array_equal(classify(dealt, settings_of(6), groups, keep=keep, on_progress=done.append), expected)
    assert len(pool.asked) > 3
    assert done[-1] == PHOTOS
    assert all(len(each.places) <= HEAD_ROWS for _, each in pool.asked)


def test_few_photos_and_those_of_another_head_are_classified_here():
    photos = photos_of("")
    pool = PoolOfOne(photos.head)
    dealt = dataclasses.replace(photos, deal=Dealer(photos.head, pool))
    few = np.arange(HEAD_ROWS)
    classify(dealt, settings_of(1), photos.labels[few], few)
    classify(dataclasses.replace(dealt, head=photos_of("").head), settings_of(1), photos.labels)
    assert pool.asked == []


def test_a_linear_head_takes_no_workers_and_says_so(tmp_path, capsys, monkeypatch):
    (tmp_path / "nets_of_evaluation.py").write_text(NETWORK)
    network = ModelConfig(f"{tmp_path}/nets_of_evaluation.py:build", input_size=32, precision="float32", device="cpu")
    asked = dataclasses.replace(config(draw_photos(tmp_path / "photos", each=22)), model=network)
    study = pipeline.run(asked, tmp_path / "study").folder
    command = [
        "evaluate",
        str(study),
        "--draws",
        "2",
        "--budgets",
        "2",
        "--no-lasso",
        "--no-itemsets",
        "--device",
        "cpu",
    ]
    assert main(command) == 0
    before = contents(study)
    capsys.readouterr()
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main([*command, "--ray"]) == 0
    assert "takes no workers" in " ".join(capsys.readouterr().err.split())
    assert contents(study) == before


@pytest.mark.long
def test_rays_workers_find_them_too_when_one_dies(ray):
    photos, settings = photos_of(""), settings_of(300)
    expected = classify(photos, settings, photos.labels)
    killed: list[int] = []

    def kill(_: int) -> None:
        if not killed:  # the first stretch is done, and each worker is asked for others
            killed.extend(workers_of_ray(b"StretchWorker")[:1])
            os.kill(killed[0], signal.SIGKILL)

    with stretch_workers(photos.head, RayOptions(workers=2)) as deal:
        dealt = dataclasses.replace(photos, deal=deal)
        found = classify(dealt, settings, photos.labels, on_progress=kill)
    assert killed
    assert deal.workers == 2
    assert np.array_equal(found, expected)


@pytest.mark.long
def test_an_evaluation_by_workers_writes_the_files_of_one_by_this_process(ray, tmp_path):
    deeper = NETWORK.replace("nn.ReLU(),", "nn.ReLU(), nn.Conv2d(8, 8, 1), nn.ReLU(),")
    (tmp_path / "nets_of_evaluation.py").write_text(deeper)
    network = ModelConfig(
        f"{tmp_path}/nets_of_evaluation.py:build", layer="1", input_size=32, precision="float32", device="cpu"
    )
    train, val = draw_photos(tmp_path / "train", each=10), draw_photos(tmp_path / "val", each=40)
    asked = dataclasses.replace(config(train), model=network)
    study = pipeline.run(asked, tmp_path / "study")
    options = {"budgets": (1, 3), "top_units": (2, 3), "draws": 3, "resamples": 50, "keep_budgets": (1,)}
    small = EvaluateConfig(**options, lasso=False)
    on = heldout(study, str(val), device="cpu")
    kept = contents(on.folder)
    shutil.rmtree(on.folder)
    on = heldout(study, str(val), device="cpu", ray=RayOptions(workers=2))
    assert contents(on.folder) == kept
    head = load_head(study, device="cpu")
    assert not head.linear
    evaluate(study, on, head, study.mine_config, small).write(tmp_path / "alone")
    with stretch_workers(head, RayOptions(workers=2)) as deal:
        evaluate(study, on, head, study.mine_config, small, deal=deal).write(tmp_path / "dealt")
    assert contents(tmp_path / "dealt") == contents(tmp_path / "alone")
