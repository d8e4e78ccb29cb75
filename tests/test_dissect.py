"""Network Dissection and the truth of itemsets, against numbers worked by hand and other people's code."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from scipy.stats import hypergeom

from interpret.data.preprocessing import Preprocessing
from interpret.dissection.dissect import Dissection, dissect, judge
from interpret.dissection.masks import FolderMasks, as_seen
from interpret.dissection.overlap import Overlaps, enlarger, overlaps, thresholds
from interpret.dissection.verdicts import has_part, itemset_table, parts_of_classes, share_table, unit_table
from interpret.errors import InputError


def test_the_threshold_is_the_value_that_the_share_exceeds():
    values = np.arange(1000, dtype=np.float32)
    np.random.default_rng(0).shuffle(values)
    activations = np.stack([values.reshape(10, 10, 10), -values.reshape(10, 10, 10)], axis=1)
    limit = thresholds(activations, 0.005)
    assert limit.tolist() == [994.0, -5.0]  # 995 to 999 lie above: 5 of 1,000
    assert ((activations > limit[None, :, None, None]).sum((0, 2, 3)) == 5).all()


def test_the_share_is_counted_exactly_and_never_exceeded():
    activations = np.arange(100, dtype=np.float32).reshape(4, 1, 5, 5)
    assert thresholds(activations, 0.07)[0] == 92.0  # 7 above; 0.07 * 100 is 7.000000000000001 in floats
    assert thresholds(activations, 0.079)[0] == 92.0
    assert thresholds(activations, 0.0)[0] == 99.0
    assert thresholds(activations, 1.0)[0] == 0.0
    ties = np.array([1, 1, 1, 0], np.float32).reshape(1, 1, 2, 2)
    assert thresholds(ties, 0.25)[0] == 1.0  # three values share the first place: none is above it


def test_a_rare_unit_fires_wherever_it_is_positive():
    activations = np.zeros((10, 1, 10, 10), np.float32)
    activations[3, 0, 2, 2] = 0.25
    assert thresholds(activations)[0] == 0.0


@pytest.mark.parametrize(("cells", "pixels"), [(14, 112), (7, 224), (2, 5), (1, 6), (6, 6), (9, 4)])
def test_enlarging_is_what_torch_calls_bilinear(cells, pixels):
    field = np.random.default_rng(1).normal(size=(cells, cells)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(field)[None, None], size=(pixels, pixels), mode="bilinear", align_corners=False
    )
    weights = enlarger(cells, pixels)
    np.testing.assert_allclose(weights @ field @ weights.T, expected[0, 0].numpy(), atol=1e-5)
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)


@pytest.fixture
def two_images():
    """Unit 0 fires on the left column of image 0, unit 1 nowhere, unit 2 on all of image 1; masks as large."""
    activations = np.zeros((2, 3, 2, 2), np.float16)
    activations[0, 0, :, 0] = 1
    activations[1, 2] = 1
    masks = [
        {"tail": np.array([[1, 1], [0, 0]], bool), "unknown": np.ones((2, 2), bool)},
        {"tail": np.array([[1, 1], [1, 0]], bool), "wing": np.array([[0, 0], [0, 1]], bool)},
    ]
    return activations, masks


def test_overlaps_by_hand(two_images):
    activations, masks = two_images
    counted = overlaps(activations, masks.__getitem__, ("tail", "wing", "fin"), quantile=0.5)
    assert counted.thresholds.tolist() == [0, 0, 0]
    assert counted.fired.tolist() == [2, 0, 4]
    assert counted.labelled.tolist() == [5, 1, 0]
    assert counted.intersection.tolist() == [[1, 0, 0], [0, 0, 0], [3, 1, 0]]
    np.testing.assert_allclose(counted.iou, [[1 / 6, 0, 0], [0, 0, 0], [3 / 6, 1 / 4, 0]])
    assert counted.seen.tolist() == [[True, False, False], [True, True, False]]


def test_overlaps_do_not_depend_on_how_the_units_are_cut(monkeypatch):
    rng = np.random.default_rng(5)
    activations = rng.random((6, 11, 3, 4)).astype(np.float16)
    drawn = [{"a": rng.random((9, 16)) < 0.3, "b": rng.random((9, 16)) < 0.1} for _ in range(6)]
    whole = overlaps(activations, drawn.__getitem__, ("a", "b"), quantile=0.2)
    monkeypatch.setattr("interpret.dissection.overlap._CHUNK_VALUES", 300)
    cut = overlaps(activations, drawn.__getitem__, ("a", "b"), quantile=0.2)
    assert (whole.intersection == cut.intersection).all()
    assert (whole.thresholds == cut.thresholds).all()
    # an oracle pixel by pixel, with torch's enlargement
    limit = torch.from_numpy(whole.thresholds.copy())[:, None, None]
    field = torch.nn.functional.interpolate(
        torch.from_numpy(activations.astype(np.float32)), size=(9, 16), mode="bilinear", align_corners=False
    )
    fires = (field > limit).numpy()
    for place, part in enumerate(("a", "b")):
        mask = np.stack([each[part] for each in drawn])[:, None]
        shared, either = (fires & mask).sum((0, 2, 3)), (fires | mask).sum((0, 2, 3))
        np.testing.assert_allclose(whole.iou[:, place], shared / either, atol=2e-3)


def test_images_without_any_mask_count_against_a_unit():
    activations = np.ones((2, 1, 2, 2), np.float32)
    activations[0] = 2
    found = [{}, {"a": np.ones((2, 2), bool)}]
    counted = overlaps(activations, found.__getitem__, ("a",), quantile=0.5)
    assert counted.fired.tolist() == [4]
    assert counted.iou.tolist() == [[0.0]]


def test_unit_table_by_hand():
    table = unit_table(np.array([[0.5, 0.5, 0.1], [0.01, 0.03, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.04]]), "abc")
    assert table["part"].tolist() == ["a", None, None, "c"]  # of equal ones the first; 0.04 counts
    assert table["best_part"].tolist() == ["a", "b", None, "c"]
    assert table["iou"].tolist() == [0.5, 0.03, 0.0, 0.04]
    assert table["runner_up"].tolist() == ["b", "a", None, None]
    assert table["runner_up_iou"].tolist() == [0.5, 0.01, 0.0, 0.0]
    assert table["detects"].tolist() == [("a", "b", "c"), (), (), ("c",)]


PARTS = ("eye", "tail", "wheel")
HAS = has_part(("Dog", "Cat", "Car"), {"Dog": ("eye", "tail"), "Cat": ("eye", "tail"), "Car": ("wheel",)}, PARTS)


@pytest.fixture
def units():
    """Units 0 and 1 detect eyes, 2 tails, 3 wheels; 4 and 5 detect nothing."""
    iou = np.zeros((6, 3))
    iou[[0, 1, 2, 3], [0, 0, 1, 2]] = 0.2
    iou[4, 0] = 0.03
    return unit_table(iou, PARTS)


def test_has_part_by_hand():
    assert HAS.tolist() == [[True, True, False], [True, True, False], [False, False, True]]


def test_itemsets_are_judged_by_hand(units):
    itemsets = {0: (0,), 1: (0, 2), 2: (0, 3), 3: (3,), 4: (0, 4), 5: (2,), 6: (5,)}
    classes = {0: (0, 1), 1: (1,), 2: (0, 1), 3: (1, 2), 4: (0,), 6: (2,)}
    table = itemset_table(itemsets, classes, units, PARTS, HAS).set_index("itemset_id")
    assert table.index.tolist() == [0, 1, 2, 3, 4, 6]  # 5 reaches the support in no class
    assert table["kind"].tolist() == ["shared", "specific", "shared", "shared", "specific", "specific"]
    assert table["true"].tolist() == [True, True, False, False, False, False]
    assert table["decided"].tolist() == [True, True, True, True, False, False]
    assert table["parts"].tolist() == [("eye",), ("eye", "tail"), ("eye", "wheel"), ("wheel",), ("eye", None), (None,)]


def test_how_a_wrong_itemset_goes_wrong(units):
    """Unit 0 sees wheels best and eyes as well; unit 1 eyes; unit 3 nothing but wheels."""
    iou = np.zeros((4, 3))
    iou[0] = 0.1, 0.0, 0.2
    iou[[1, 3], [0, 2]] = 0.2
    units = unit_table(iou, PARTS)
    itemsets = {0: (0,), 1: (0,), 2: (0, 1), 3: (3,), 4: (0, 2)}
    classes = {0: (0, 1), 1: (0, 2), 2: (0, 1), 3: (1, 2), 4: (2,)}
    table = itemset_table(itemsets, classes, units, PARTS, HAS)
    assert table["true"].tolist() == [False, False, False, False, False]
    assert table["true_any"].tolist() == [True, False, True, False, False]  # eyes are of Dog and Cat
    assert table["true_each"].tolist() == [True, True, True, False, False]  # eyes of Dog, wheels of Car
    shares = share_table(table, units, PARTS, HAS, draws=40_000).set_index(["kind", "size"])
    assert shares.loc["shared", 0]["share_any"] == 0.5
    assert shares.loc["shared", 0]["share_each"] == 0.75
    # of the four units, two have eyes for Dog and Cat; one alone for Dog and Car
    assert shares.loc["shared", 2]["random_any"] == pytest.approx(float(hypergeom(4, 2, 2).pmf(2)), abs=0.02)
    assert shares.loc["shared", 1]["random_each"] == pytest.approx((2 + 1 + 1) / 4 / 3, abs=0.02)


def test_shares_by_hand_and_random_sets_against_their_exact_chance(units):
    itemsets = {0: (0,), 1: (0, 2), 2: (0, 3), 3: (4,)}
    classes = {0: (0, 1), 1: (0, 1), 2: (0, 1), 3: (2,)}
    judged = itemset_table(itemsets, classes, units, PARTS, HAS)
    shares = share_table(judged, units, PARTS, HAS, draws=40_000, seed=1).set_index(["kind", "size"])
    shared = shares.loc["shared", 0]
    assert (shared["itemsets"], shared["decided"], shared["true"]) == (3, 3, 2)
    assert shared["share"] == pytest.approx(2 / 3)
    specific = shares.loc["specific", 0]
    assert (specific["itemsets"], specific["decided"], specific["true"]) == (1, 0, 0)
    assert np.isnan(specific["share_decided"])
    # Dog and Cat have the parts of units 0, 1 and 2: 3 of 6 units, 3 of 4 detectors
    one, two = 3 / 6, float(hypergeom(6, 3, 2).pmf(2))
    assert two == pytest.approx(3 / 15)
    assert shares.loc["shared", 1]["random"] == pytest.approx(one, abs=0.02)
    assert shares.loc["shared", 2]["random"] == pytest.approx(two, abs=0.02)
    assert shared["random"] == pytest.approx((one + 2 * two) / 3, abs=0.02)
    assert shares.loc["shared", 2]["random_decided"] == pytest.approx(float(hypergeom(4, 3, 2).pmf(2)), abs=0.02)
    assert shares.loc["specific", 1]["random"] == pytest.approx(1 / 6, abs=0.02)
    again = share_table(judged, units, PARTS, HAS, draws=40_000, seed=1).set_index(["kind", "size"])
    pd.testing.assert_frame_equal(shares, again)


def test_shares_where_no_unit_detects_anything():
    units = unit_table(np.zeros((5, 3)), PARTS)
    judged = itemset_table({0: (1, 2), 1: (0,)}, {0: (0, 1), 1: (2,)}, units, PARTS, HAS)
    shares = share_table(judged, units, PARTS, HAS)
    assert (shares["true"] == 0).all()
    assert (shares["random"] == 0).all()


def test_parts_of_classes_are_what_a_tenth_of_their_images_show():
    seen = np.zeros((22, 2), bool)
    seen[0, 0] = True  # 1 of the 10 images of class 0
    seen[10, 1] = True  # 1 of the 11 images of class 1
    labels = [0] * 10 + [1] * 11 + [None]
    seen[21] = True
    assert parts_of_classes(seen, labels, 3).tolist() == [[True, False], [False, False], [False, False]]


def test_folder_masks(tmp_path):
    (tmp_path / "Dog/rex").mkdir(parents=True)
    mask = np.zeros((6, 8), np.uint8)
    mask[2:4, 1:5] = 255
    Image.fromarray(mask).save(tmp_path / "Dog/rex/tail.png")
    Image.fromarray(mask.T).save(tmp_path / "Dog/rex/left ear.png")
    masks = FolderMasks(tmp_path)
    assert masks.parts == ("left ear", "tail")
    assert masks.class_parts is None
    found = masks.of("Dog/rex.jpg")
    assert (found["tail"] == (mask > 0)).all()
    assert found["left ear"].shape == (8, 6)
    assert masks.of("Dog/other.jpg") == {}
    (tmp_path / "Dog/rex/tail.png").write_text("no image")
    with pytest.raises(InputError, match=r"tail\.png cannot be read"):
        masks.of("Dog/rex.jpg")


@pytest.mark.parametrize(("make", "said"), [(False, "no folder"), (True, "holds no masks")])
def test_folder_masks_that_are_not_there(tmp_path, make, said):
    root = tmp_path / "masks"
    if make:
        root.mkdir()
    with pytest.raises(InputError, match=said):
        FolderMasks(root)


def test_masks_go_through_the_photo_s_geometry():
    view = Preprocessing(size=(8, 8), resize=8)
    mask = np.zeros((16, 32), bool)
    mask[:, 16:] = True  # the photo's right half; the view is its middle half
    seen = as_seen({"a": mask}, view)["a"]
    assert seen.shape == (8, 8)
    assert seen[:, 5:].all()
    assert not seen[:, :3].any()
    exact = np.eye(8, dtype=bool)
    assert as_seen({"a": exact}, view)["a"] is exact


class _Mined:
    """The two columns of a mining result that are read."""

    def __init__(self) -> None:
        self.itemsets = pd.DataFrame(
            {
                "itemset_id": [0, 0, 0, 1, 1],
                "units": [[0]] * 3 + [[0, 1]] * 2,
                "class_id": pd.array([None, 0, 1, None, 2], dtype="Int32"),
            }
        )


def test_judging_reads_the_classes_of_each_itemset_and_survives_the_disk(tmp_path):
    counted = Overlaps(
        ("eye", "tail", "wheel"),
        intersection=np.array([[50, 0, 0], [0, 0, 7]]),
        fired=np.array([100, 100]),
        labelled=np.array([60, 10, 10]),
        thresholds=np.zeros(2, np.float32),
        seen=np.ones((1, 3), bool),
    )
    result = judge(counted, _Mined(), HAS, {"level": 0.04, "draws": 10, "seed": 0})
    assert result.units["part"].tolist() == ["eye", "wheel"]
    assert result.units["iou"].tolist() == [50 / 110, 7 / 103]
    assert result.itemsets["classes"].tolist() == [(0, 1), (2,)]
    assert result.itemsets["true"].tolist() == [True, False]
    assert (result.facts["units_at_0.04"], result.facts["units_at_0.1"]) == (2, 1)
    result.write(tmp_path / "found")
    again = Dissection.read(tmp_path / "found")
    for name in ("units", "itemsets", "shares"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(result, name))
    assert (again.iou == result.iou).all()
    assert (again.parts, again.facts) == (result.parts, result.facts)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study of the demo."""
    from interpret.config import ModelConfig, RunConfig
    from interpret.pipeline import run

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNITSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setitem(__import__("interpret.demo").demo.COUNTS, "train", 200)
        patch.setitem(__import__("interpret.demo").demo.COUNTS, "val", 100)
        config = RunConfig(images="demo", model=ModelConfig(model="demo", device="cpu", precision="float32"))
        yield run(config, tmp_path_factory.mktemp("studies") / "demo")


@pytest.mark.slow
def test_the_demo_s_study_is_dissected_and_remembered(study):
    stages = []
    found = dissect(study, progress=lambda report: stages.append(report.stage))
    assert found.facts["images"] == 100
    assert found.facts["source"] == "demo-val"
    assert found.facts["accuracy"] > 0.85
    assert len(found.units) == study.n_units
    # most units of this network see a part: the figure itself is in docs/demo.md
    assert found.facts["units_at_0.04"] > 0.5 * study.n_units
    shares = found.shares.set_index(["kind", "size"])
    for kind in ("specific", "shared"):
        row = shares.loc[kind, 0]
        assert row["itemsets"] > 0
        assert row["share"] > row["random"]  # what was mined is truer than chance
    stages.clear()
    again = dissect(study, progress=lambda report: stages.append(report.stage))
    assert not stages  # read from the study's folder
    pd.testing.assert_frame_equal(again.shares, found.shares)
    assert dissect(study, level=0.1).facts["level"] == 0.1


@pytest.mark.slow
def test_masks_of_one_s_own_give_the_same_as_the_demo_s(study, tmp_path):
    from interpret.data.datasets import scan
    from interpret.demo import masks_for

    for photo in scan("demo-val", study.class_names, ()).photos:
        folder = (tmp_path / photo.name).with_suffix("")
        folder.mkdir(parents=True)
        for part, mask in masks_for(photo.name).items():
            Image.fromarray(mask).save(folder / f"{part}.png")
    own = dissect(study, images="demo-val", masks=tmp_path)
    demo = dissect(study)
    pd.testing.assert_frame_equal(own.units, demo.units)


def test_a_study_without_masks_is_refused_in_one_sentence(study):
    other = type(study)(study.folder, {**study.manifest, "model": "vgg16"})
    with pytest.raises(InputError, match="--images and --masks"):
        dissect(other)
