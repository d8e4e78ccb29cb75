"""An extraction on a GPU: the same bytes every time, and what the processor finds."""

import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from interpret import models, pipeline
from interpret.config import ModelConfig
from interpret.explanation import decoders, part_explainer
from tests.conftest import TinyNet, draw_photos
from tests.test_pipeline import SMALL, config, contents, tiny_classifier


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    folder = draw_photos(tmp_path_factory.mktemp("photos") / "set", each=40)
    (folder / "class 1" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 40)
    for path in folder.rglob("*.png"):  # photos that changed just now are left out of the table of digests
        os.utime(path, (10**9, 10**9))
    return folder


def dense_classifier():
    """One with a head of two linear layers, whose gradients differ from photo to photo."""
    torch.manual_seed(3)
    network = TinyNet().eval()
    network.head = nn.Sequential(nn.Linear(network.head.in_features, 12), nn.ReLU(), nn.Linear(12, 3))
    return models.wrap(
        network, name="dense", class_names=["class 0", "class 1", "class 2"], preprocessing=SMALL, layer="act"
    )


@pytest.mark.parametrize("encoding", ["region", "crop"])
@pytest.mark.parametrize("made", [tiny_classifier, dense_classifier])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_gives_the_same_bytes_again_and_what_the_processor_gives(
    many, tmp_path, monkeypatch, encoding, made, precision
):
    monkeypatch.setattr(decoders, "WORTHWHILE", 10)
    options = config(many, encoding=encoding, contrast=2)
    on_gpu = replace(options, model=ModelConfig(precision=precision, device="cuda"))
    one, again = (pipeline.run(on_gpu, tmp_path / name, classifier=made()) for name in ("a", "b"))
    assert contents(one.folder) == contents(again.folder)
    expected = pipeline.run(options, tmp_path / "c", classifier=made())
    assert list(one.images["path"]) == list(expected.images["path"])
    assert list(one.skipped["path"]) == list(expected.skipped["path"]) == ["class 1/broken.png"]
    kept = (one.images["predicted"] == expected.images["predicted"]).to_numpy()
    assert kept.mean() >= (1.0 if precision == "float32" else 0.97)
    tolerance = 5e-3 if precision == "float32" else 5e-2  # convolutions in float32 are TensorFloat32 on a GPU
    np.testing.assert_allclose(one.features[kept], expected.features[kept], rtol=tolerance, atol=tolerance)
    correlations = [
        np.corrcoef(a.ravel().astype(float), b.ravel().astype(float))[0, 1]
        for a, b in zip(one.cams[kept], expected.cams[kept], strict=True)
        if np.ptp(a) and np.ptp(b)
    ]
    assert min(correlations) > 0.97
    columns = ["image_id", "x0", "y0", "x1", "y1"]
    boxes, right = ({tuple(row) for row in each.patches[columns].to_numpy().tolist()} for each in (one, expected))
    assert len(boxes & right) >= (0.95 if precision == "float32" else 0.5) * len(right)


def test_photos_decoded_in_processes_give_the_same_study(many, tmp_path, monkeypatch):
    expected = pipeline.run(config(many), tmp_path / "a", classifier=tiny_classifier())
    made = []

    def in_processes(preprocessing, workers, device, photos):
        made.append(photos)
        return decoders.Decoders(preprocessing, 2, processes=True)

    monkeypatch.setattr(part_explainer, "decoders_for", in_processes)
    found = pipeline.run(config(many), tmp_path / "b", classifier=tiny_classifier())
    assert sum(made) == 121
    assert contents(found.folder) == contents(expected.folder)
