"""Averages over the photos of each class, in one pass, against sums photo by photo; and memory that is let go again."""

import dataclasses
import resource
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch

from interpret.evaluation.class_means import class_means, rows_by_class
from interpret.evaluation.contributions import unit_contributions
from interpret.models.head import Head
from interpret.study.mapped import let_go
from interpret.threads import each_alone
from tests.ablation_example import CLASSES, hand_made
from tests.test_unit_rankings import linear_ablation_set, study_of


def test_averages_worked_out_by_hand():
    means = class_means(hand_made(), CLASSES)
    assert means.activation[1].tolist() == [0, 1.5, 0.5]
    assert means.contribution[1].tolist() == [0, 4.5, 0.5]  # weights 0, 3, 1 of class 1
    # class 2, photo 4: unit 0 is 0.5, logits 2, 0, 1; among classes 0 and 1 the softmax of 2 and 0 weighs their weights
    share = np.exp(2) / (1 + np.exp(2))
    assert means.evidence[2] == pytest.approx([(1 - 4 * share) * 0.5 / 2, 0, 0], abs=1e-7)  # photo 5 adds nothing
    assert not means.called_evidence
    assert not means.patch_evidence


@pytest.mark.parametrize("linear", [True, False])
def test_averages_are_those_of_contributions_photo_by_photo(tmp_path, linear, monkeypatch):
    data = linear_ablation_set(90, 12, 4, seed=5)
    predicted = np.asarray(data.features @ data.head.weight.numpy().T).argmax(axis=1)
    assert (predicted != data.labels).any()
    owners = np.sort(np.concatenate([np.arange(90), np.arange(0, 90, 3)]))  # every third photo has two patches
    study = study_of(tmp_path, [[0]] * 90, predicted, data.features, 12)
    study.__dict__["patches"] = study.patches.iloc[owners].assign(image_id=owners)
    if not linear:
        network = torch.nn.Sequential(torch.nn.Identity(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten())
        network.append(torch.nn.Linear(12, 4, bias=False))
        network[3].weight.data = data.head.weight.clone()
        head = Head(network, "0", torch.zeros(1, 12, 1, 1))
        maps = np.asarray(data.features)[:, :, None, None]
        data = dataclasses.replace(data, head=head, activations=maps)
    monkeypatch.setattr("interpret.evaluation.class_means.CONTRIBUTION_ROWS", 7)  # several pieces a class
    monkeypatch.setattr("interpret.evaluation.class_means.HEAD_ROWS", 7)
    classes = np.array([0, 2, 3])
    means = class_means(data, classes, study)
    for c in classes.tolist():
        of_class, called = np.flatnonzero(data.labels == c), np.flatnonzero(predicted == c)
        logit = unit_contributions(data, of_class, c).mean(axis=0, dtype=np.float64)
        assert means.activation[c] == pytest.approx(data.features[of_class].mean(axis=0, dtype=np.float64), rel=1e-12)
        assert means.contribution[c] == pytest.approx(logit, rel=1e-6)
        assert (c in means.called_evidence) == bool(len(called))
        for found, photos in ((means.evidence, of_class), *([(means.called_evidence, called)] if len(called) else [])):
            expected = unit_contributions(data, photos, c, against=True).mean(axis=0, dtype=np.float64)
            assert found[c] == pytest.approx(expected, rel=1e-5, abs=1e-7)
        patches = owners[np.isin(owners, called)]
        expected = unit_contributions(data, patches, c, against=True).sum(axis=0, dtype=np.float64)
        assert means.patch_evidence[c] == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_a_class_without_photos_has_no_mean(tmp_path):
    data = linear_ablation_set(20, 5, 3)
    study = study_of(tmp_path, [[0]] * 20, np.asarray(data.labels), data.features, 5)
    means = class_means(data, np.array([1, 7]), study)
    assert set(means.activation) == set(means.called_evidence) == {1}
    assert means.patch_evidence[7].tolist() == [0] * 5


def test_places_of_each_class():
    of = rows_by_class(np.array([4, 1, 4, 0, 1]))
    assert [of(c).tolist() for c in (0, 1, 2, 4)] == [[3], [1, 4], [], [0, 2]]
    assert rows_by_class(np.array([4, 1, 4]), np.array([10, 20, 30]))(4).tolist() == [10, 30]
    assert rows_by_class(np.zeros(0, np.int64))(3).tolist() == []


def test_work_is_shared_out_in_order_and_threads_compute_alone():
    before = torch.get_num_threads()
    seen = list(each_alone(lambda item: (item * item, torch.get_num_threads()), range(50), "cpu"))
    assert [square for square, _ in seen] == [n * n for n in range(50)]
    assert {threads for _, threads in seen} == {1} or before == 1
    assert torch.get_num_threads() == before

    def fail(item: int) -> int:
        raise ZeroDivisionError(item)

    with pytest.raises(ZeroDivisionError):
        list(each_alone(fail, range(50), "cpu"))
    assert torch.get_num_threads() == before


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read as Linux gives it")
def test_a_pass_over_a_mapped_file_holds_little_of_it(tmp_path):
    file = tmp_path / "features.npy"
    np.save(file, np.ones((96, 1 << 18), np.float32))  # 96 MB
    code = textwrap.dedent(f"""
        import sys
        import numpy as np
        from interpret.study.mapped import let_go

        array = np.load({str(file)!r}, mmap_mode="r")
        resident = lambda: int(open("/proc/self/statm").read().split()[1]) * {resource.getpagesize()}
        before, most = resident(), 0
        for start in range(0, 96, 8):
            assert array[start : start + 8].sum() == 8 << 18
            most = max(most, resident() - before)
            if sys.argv[1] == "let go":
                let_go(array)
        print(most)
    """)
    held, let = (
        int(subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True).stdout)
        for how in ("hold", "let go")
    )
    assert held > 80e6
    assert let < 40e6
    let_go(None, np.ones(3))  # nothing to do
