import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from interpret.config import Arithmetic, ExtractConfig
from interpret.explanation import gradcam, passes, trial
from interpret.explanation.extractor import make_extractor
from interpret.explanation.passes import Passes
from interpret.models import Preprocessing, wrap
from interpret.threads import one_thread
from tests.conftest import TinyNet
from tests.process_state import nothing_left_behind

CPU = torch.device("cpu")


def tiny_classifier(network=None):
    torch.manual_seed(3)
    return wrap(
        network or TinyNet().eval(),
        name="t",
        class_names=["class 0", "class 1", "class 2"],
        preprocessing=Preprocessing(size=(32, 32), resize=32),
        layer="act",
    )


def photos(count):
    rng = np.random.default_rng(5)
    return [rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(count)]


def test_each_thread_computes_by_itself_and_no_other_thread_is_changed():
    network = TinyNet().eval()
    elsewhere = []
    with nothing_left_behind(network):
        with Passes(network, CPU, 32) as running:
            numbers = [running.run(lambda _: torch.get_num_threads()).result() for _ in range(8)]
            thread = threading.Thread(target=lambda: elsewhere.append(torch.get_num_threads()))
            thread.start()
            thread.join()
        assert set(numbers) == {1}
    assert elsewhere == [torch.get_num_threads()]


def test_threads_begin_with_the_count_that_they_had_where_the_caller_has_another():
    def in_new_thread() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.get_num_threads).result()

    started = in_new_thread()
    with one_thread("cpu"):
        with Passes(TinyNet().eval(), CPU, 32) as running:
            assert running.run(lambda _: torch.get_num_threads()).result() == 1
            assert in_new_thread() == started
        assert torch.get_num_threads() == 1
    assert in_new_thread() == started


def test_networks_of_the_threads_share_parameters_but_no_hook():
    network = TinyNet().eval()
    with Passes(network, CPU, 8) as running:
        twin = running.run(lambda net: net).result()
    assert twin is not network
    for mine, theirs in zip(network.parameters(), twin.parameters(), strict=True):
        assert mine is theirs
    twin.register_forward_hook(lambda *_: None)
    assert not network._forward_hooks


def test_an_error_on_a_thread_is_raised_where_its_result_is_taken():
    with Passes(TinyNet().eval(), CPU, 8) as running, pytest.raises(ZeroDivisionError):
        running.run(lambda _: 1 / 0).result()


def test_batches_are_split_in_order():
    with Passes(TinyNet().eval(), CPU, 32) as running:
        assert running.split(list(range(11))) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]
        assert running.ahead(32) >= 2


def test_pieces_joined_are_the_batch():
    """The gradient of a linear head by its formula equals the one through the graph, further classes included."""
    classifier = tiny_classifier()
    extractor, _ = make_extractor(classifier, ExtractConfig(), CPU, Arithmetic("float32"))
    assert extractor.weight is not None
    inputs = extractor.inputs(photos(11))
    further = torch.tensor([[0, 1], [1, 2], [2, -1]] * 4)[:11]
    whole = gradcam.explain(classifier.network, "act", inputs, None, lambda _: further)
    parts = []
    for start in (0, 4, 8):
        piece = slice(start, start + 4)
        parts.append(extractor.grad_cam(inputs[piece], None, lambda _, piece=piece: further[piece]))
    joined = gradcam.join(parts)
    for name in ("logits", "targets", "activations", "alphas", "maps"):
        assert torch.allclose(getattr(joined, name), getattr(whole, name), atol=1e-5), name
    assert torch.equal(joined.contrast.targets, further)
    assert torch.allclose(joined.contrast.alphas, whole.contrast.alphas, atol=1e-6)
    assert torch.allclose(joined.contrast.maps, whole.contrast.maps, atol=1e-5)
    assert not joined.contrast.maps[2, 1].any()  # it has one further class only


def test_lowest_correlation_by_hand():
    exact = torch.tensor([[0.0, 1.0, 2.0, 3.0], [1.0, 0.0, 1.0, 0.0], [5.0, 5.0, 5.0, 5.0]])
    rough = torch.tensor([[0.0, 2.0, 4.0, 6.0], [1.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, 4.0]])
    assert trial.lowest_correlation(exact[:1], rough[:1]) == pytest.approx(1.0)
    assert trial.lowest_correlation(exact, rough) == pytest.approx(1 / np.sqrt(3))
    assert trial.lowest_correlation(exact[2:], rough[2:]) == 1.0  # a constant map has no correlation
    assert trial.lowest_correlation(exact[:1], torch.full((1, 4), float("nan"))) == 0.0
    assert trial.lowest_correlation(exact[:1], torch.ones(1, 4)) == 0.0


def test_the_trial_takes_the_least_share_in_float32_that_is_enough(monkeypatch):
    classifier = tiny_classifier()
    said = []
    chosen = trial.choose_arithmetic(classifier, CPU, "bfloat16", photos(6), said.append)
    assert chosen == trial.choose_arithmetic(classifier, CPU, "bfloat16", photos(6), said.append)
    assert (chosen.precision, chosen.folded) == ("bfloat16", True)
    for values, share in (
        ([0.9979, 0.999, 0.998, 0.99], 0.25),  # maps and features, share after share
        ([0.999, 0.98, 0.9, 0.9, 1.0, 1.0], 0.5),
        ([0.998, 0.99], 0.06),
    ):
        left = iter(values)
        monkeypatch.setattr(trial, "lowest_correlation", lambda *_, left=left: next(left))
        assert trial.choose_arithmetic(classifier, CPU, "bfloat16", photos(2), said.append).exact_share == share
    assert said == []


def test_float32_needs_no_trial_and_no_photo_allows_none():
    classifier = tiny_classifier()
    assert trial.choose_arithmetic(classifier, CPU, "float32", photos(3)) == Arithmetic("float32")
    assert trial.choose_arithmetic(classifier, CPU, "bfloat16", []) == Arithmetic("bfloat16")


def test_where_no_share_is_enough_the_network_computes_in_float32_and_one_line_says_so(monkeypatch):
    said = []
    monkeypatch.setattr(trial, "lowest_correlation", lambda *_: 0.97)
    found = trial.choose_arithmetic(tiny_classifier(), CPU, "bfloat16", photos(5), said.append)
    assert found == Arithmetic("float32")
    assert said == [
        "The network computes in float32: in bfloat16 the map of one of 5 photos correlates with its float32 one at "
        "0.970 only."
    ]


def test_pieces_hold_at_most_a_batch():
    with Passes(TinyNet().eval(), CPU, 3) as running:
        assert running.piece == 3
    with Passes(TinyNet().eval(), CPU, 32) as running:
        assert running.piece == passes.PIECE
