"""Batches are replayed after the third, if that gives every bit of what they gave; short ones are filled up."""

from typing import ClassVar

import numpy as np
import pytest
import torch

from interpret.config import Arithmetic, ExtractConfig
from interpret.explanation import forward_passes
from interpret.explanation.extractor import make_extractor
from interpret.explanation.forward_passes import WARM, ForwardPasses
from tests.test_pipeline import tiny_classifier

CPU = torch.device("cpu")


@pytest.fixture
def extractor():
    return make_extractor(tiny_classifier(), ExtractConfig(stored_units=8), CPU, Arithmetic("float32"))[0]


def batches(sizes):
    rng = np.random.default_rng(0)
    return [[rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(size)] for size in sizes]


class Recorded:
    """Stands in for a CUDA graph: the pass is run again, and counted."""

    made: ClassVar[list["Recorded"]] = []
    change: ClassVar[float] = 0.0

    def __init__(self, run, sample):
        self.run, self.replayed, self.sizes = run, 0, {len(sample)}
        Recorded.made.append(self)

    def replay(self, there):
        self.replayed += 1
        self.sizes.add(len(there))
        inputs, passed, predicted = self.run(there)
        passed.activations.add_(Recorded.change)
        return inputs, passed, predicted


@pytest.fixture
def stand_in(extractor, monkeypatch):
    """Passes that would be recorded, as on a GPU."""
    monkeypatch.setattr(forward_passes, "_Recorded", Recorded)
    monkeypatch.setattr(Recorded, "made", [])
    forward = ForwardPasses(extractor, 4)
    forward._fills_up = True
    return forward


def check(forward, extractor, given):
    for pixels in given:
        _, passed, predicted = forward(extractor.network, pixels)
        right = extractor.forward(extractor.network, extractor.inputs(pixels))
        torch.testing.assert_close(passed.logits, right.logits, rtol=0, atol=1e-5)  # sums in another order
        torch.testing.assert_close(passed.activations, right.activations, rtol=0, atol=1e-5)
        assert torch.equal(predicted, right.logits.argmax(dim=1))


def test_batches_are_replayed_whether_full_or_not(extractor, stand_in):
    check(stand_in, extractor, batches([4] * WARM))
    assert not Recorded.made
    check(stand_in, extractor, batches([3, 4, 1, 4]))
    (recorded,) = Recorded.made
    assert recorded.replayed == 4  # once to compare, then each batch
    assert recorded.sizes == {4}


def test_a_pass_that_replays_as_something_else_is_not_replayed(extractor, stand_in, monkeypatch):
    monkeypatch.setattr(Recorded, "change", 1e-3)
    check(stand_in, extractor, batches([4] * 6))
    assert [each.replayed for each in Recorded.made] == [1]


def test_a_pass_that_cannot_be_recorded_is_run_and_filled_up_all_the_same(extractor, stand_in, monkeypatch):
    """Or a run that is resumed, whose first batches are others, would give its short ones another rounding."""
    tried, sizes = [], []

    def refuse(run, sample):
        tried.append(len(sample))
        raise RuntimeError("operation not permitted when stream is capturing")

    def run(network, there):
        sizes.append(len(there))
        return ForwardPasses._run(stand_in, network, there)

    monkeypatch.setattr(forward_passes, "_Recorded", refuse)
    monkeypatch.setattr(stand_in, "_run", run)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    check(stand_in, extractor, batches([4, 3, 4, 4, 2, 1]))
    assert tried == [4]
    assert sizes == [4] * 6


def test_nothing_is_recorded_on_a_processor(extractor, monkeypatch):
    monkeypatch.setattr(forward_passes, "_Recorded", None)
    check(ForwardPasses(extractor, 4), extractor, batches([4] * 5))
