"""Unit thresholds and pixel counts of Network Dissection, and part masks, against numbers worked by hand and torch."""

import numpy as np
import pytest
import torch
from PIL import Image

from interpret.data.preprocessing import Preprocessing
from interpret.dissection.masks import FolderMasks, as_seen
from interpret.dissection.overlap import bilinear, overlaps, thresholds
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


@pytest.mark.parametrize(("locations", "pixels"), [(14, 112), (7, 224), (2, 5), (1, 6), (6, 6), (9, 4)])
def test_resizing_is_what_torch_calls_bilinear(locations, pixels):
    field = np.random.default_rng(1).normal(size=(locations, locations)).astype(np.float32)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(field)[None, None], size=(pixels, pixels), mode="bilinear", align_corners=False
    )
    weights = bilinear(locations, pixels)
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
    counted = overlaps(activations, masks.__getitem__, ("tail", "wing", "fin"), (2, 2), quantile=0.5)
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
    whole = overlaps(activations, drawn.__getitem__, ("a", "b"), (9, 16), quantile=0.2)
    monkeypatch.setattr("interpret.dissection.overlap._CHUNK_VALUES", 300)
    cut = overlaps(activations, drawn.__getitem__, ("a", "b"), (9, 16), quantile=0.2)
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
    counted = overlaps(activations, found.__getitem__, ("a",), (2, 2), quantile=0.5)
    assert counted.fired.tolist() == [4]
    assert counted.iou.tolist() == [[0.0]]


def test_images_with_and_without_masks_are_counted_at_the_same_size():
    """A unit fires nearly all over two images of 4 x 4 locations; a part covers 80 % of the 64 x 64 pixels of one."""
    activations = np.ones((2, 1, 4, 4), np.float32)
    activations[0, 0, 0, 0] = 0.5  # the smallest value is the threshold that everything may exceed
    mask = np.zeros(64 * 64, bool)
    mask[-round(0.8 * mask.size) :] = True
    found = [{"a": mask.reshape(64, 64)}, {}]
    counted = overlaps(activations, found.__getitem__, ("a",), (64, 64), quantile=1.0)
    corner = 8 * 8  # pixels up to the centre of the location that does not fire
    assert counted.fired.tolist() == [2 * 64 * 64 - corner]
    assert counted.iou[0, 0] == mask.sum() / (2 * 64 * 64 - corner)


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
