"""Preprocessing: equal to torchvision's and timm's own transforms, and its boxes map back exactly."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode

from interpret.data.preprocessing import Preprocessing, resized_side
from interpret.errors import InputError

ODD_SIZES = [(500, 375), (375, 500), (333, 257), (256, 256), (257, 256), (91, 640), (17, 19), (1, 5), (1200, 231)]


def picture(size: tuple[int, int], seed: int = 0) -> Image.Image:
    """Smooth colours with some noise: what interpolation gets wrong shows on both."""
    rng = np.random.default_rng(seed)
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    base = np.stack([x * 255 / max(width - 1, 1), y * 255 / max(height - 1, 1), (x * 7 + y * 3) % 256], axis=2)
    return Image.fromarray((0.8 * base + rng.uniform(0, 51, base.shape)).astype(np.uint8))


def as_input(preprocessing: Preprocessing, image: Image.Image) -> torch.Tensor:
    return preprocessing.normalise(torch.from_numpy(preprocessing.apply(image))[None])[0]


@pytest.mark.parametrize("size", ODD_SIZES)
@pytest.mark.parametrize("filter_name", ["bilinear", "bicubic"])
def test_equals_torchvisions_transforms(size, filter_name):
    ours = Preprocessing((224, 224), 256, filter_name, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    theirs = transforms.Compose(
        [
            transforms.Resize(256, InterpolationMode(filter_name)),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize(ours.mean, ours.std),
        ]
    )
    image = picture(size)
    assert torch.equal(as_input(ours, image), theirs(image))


@pytest.mark.parametrize("name", ["tf_efficientnet_lite0", "tf_efficientnet_lite1", "tf_efficientnet_lite2"])
def test_equals_timms_transform_of_the_lites(name):
    import timm

    from interpret.models.zoo import find_family

    ours = find_family(name.removeprefix("tf_")).preprocessing
    stated = timm.get_pretrained_cfg(name)
    theirs = timm.data.create_transform(
        input_size=stated.input_size,
        interpolation=stated.interpolation,
        mean=stated.mean,
        std=stated.std,
        crop_pct=stated.crop_pct,
    )
    assert ours.mean == ours.std == (0.5, 0.5, 0.5)
    assert ours.interpolation == "bicubic"
    for size in ODD_SIZES[:4]:
        image = picture(size, seed=1)
        torch.testing.assert_close(as_input(ours, image), theirs(image), rtol=0, atol=1e-6)


def test_the_lites_take_their_own_input_sizes():
    from interpret.models.zoo import find_family

    sizes = [find_family(f"efficientnet_lite{number}").preprocessing for number in range(3)]
    assert [(item.size, item.resize) for item in sizes] == [((224, 224), 256), ((240, 240), 272), ((260, 260), 292)]


def test_equals_torchvisions_own_recipe_for_vgg16_and_resnet50():
    from torchvision.models import ResNet50_Weights, VGG16_Weights

    from interpret.models.zoo import find_family

    image = picture((431, 309))
    for name, weights in (("vgg16", VGG16_Weights.IMAGENET1K_V1), ("resnet50", ResNet50_Weights.IMAGENET1K_V1)):
        assert torch.equal(as_input(find_family(name).preprocessing, image), weights.transforms()(image))


def test_a_photo_of_exactly_the_input_size_is_taken_whole_unless_told_otherwise():
    image = picture((224, 224))
    whole = Preprocessing((224, 224), 256)
    assert np.array_equal(whole.apply(image), np.asarray(image))
    assert whole.view_box((224, 224)) == (0.0, 0.0, 224.0, 224.0)
    cropped = Preprocessing((224, 224), 256, whole_if_exact=False)
    expected = image.resize((256, 256), Image.Resampling.BILINEAR).crop((16, 16, 240, 240))
    assert np.array_equal(cropped.apply(image), np.asarray(expected))
    assert cropped.view_box((224, 224)) == (14.0, 14.0, 210.0, 210.0)


def test_a_very_long_photo_is_sampled_under_the_crop_and_matches_the_long_way():
    image = picture((1100, 100))  # 11 : 1
    ours = Preprocessing((224, 224), 256, "bicubic").apply(image)
    long_way = image.resize((2816, 256), Image.Resampling.BICUBIC).crop((1296, 16, 1520, 240))
    difference = np.abs(ours.astype(int) - np.asarray(long_way).astype(int))
    assert difference.max() <= 1
    # the long way would take 20 gigabytes here
    assert Preprocessing((224, 224), 256).apply(Image.new("RGB", (30_000, 1), (9, 8, 7))).tolist()[5][7] == [9, 8, 7]


def test_normalise_by_hand():
    preprocessing = Preprocessing((1, 2), 2, mean=(0.5, 0.0, 0.25), std=(0.5, 2.0, 0.125))
    batch = torch.tensor([[[[255, 0, 51], [0, 255, 102]]]], dtype=torch.uint8)  # one row of two pixels
    expected = torch.tensor([[[[1.0, -1.0]], [[0.0, 0.5]], [[(0.2 - 0.25) / 0.125, (0.4 - 0.25) / 0.125]]]])
    out = preprocessing.normalise(batch)
    torch.testing.assert_close(out, expected)
    assert out.dtype == torch.float32
    assert out.is_contiguous(memory_format=torch.channels_last)
    assert batch[0, 0, 0, 0] == 255  # the caller's batch is untouched


def test_boxes_by_hand():
    # 500 x 375 -> scaled 341 x 256, crop corner (58, 16): round((341 - 224) / 2) = round(58.5) = 58
    preprocessing = Preprocessing((224, 224), 256)
    assert preprocessing.geometry((500, 375)) == (341, 256, 58, 16)
    boxes = preprocessing.to_source(np.array([[0, 0, 224, 224], [10, 20, 11, 21]]), (500, 375))
    # x: floor(58 * 500 / 341) = 85, ceil(282 * 500 / 341) = 414; y: floor(16 * 375 / 256) = 23, ceil(240 * 375 / 256)
    assert boxes.tolist() == [[85, 23, 414, 352], [99, 52, 102, 55]]
    assert boxes.dtype == np.int64
    back = preprocessing.to_model(boxes[:1], (500, 375))
    np.testing.assert_allclose(
        back, [[85 * 341 / 500 - 58, 23 * 256 / 375 - 16, 414 * 341 / 500 - 58, 352 * 256 / 375 - 16]]
    )


def test_boxes_outside_of_the_photo_are_clipped_and_never_empty():
    preprocessing = Preprocessing((10, 10), 10, whole_if_exact=False)
    boxes = np.array([[-50, -50, -40, -40], [90, 90, 95, 99], [3, 3, 3, 3], [-5, 2, 50, 4]])
    out = preprocessing.to_source(boxes, (10, 10))
    assert out.tolist() == [[0, 0, 1, 1], [9, 9, 10, 10], [3, 3, 4, 4], [0, 2, 10, 4]]
    assert preprocessing.to_source(np.zeros((0, 4), dtype=np.int64), (10, 10)).shape == (0, 4)


sides = st.integers(1, 3000)


@settings(max_examples=300, deadline=None)
@given(
    st.tuples(sides, sides),
    st.integers(8, 300),
    st.integers(0, 80),
    st.booleans(),
    st.lists(st.tuples(*[st.floats(0, 1)] * 4), min_size=1, max_size=5),
)
def test_boxes_of_the_photo_come_back_exactly(source, side, more, whole, fractions):
    """Photo -> input -> photo gives the same whole pixels: to_source undoes to_model."""
    preprocessing = Preprocessing((side, side), side + more, whole_if_exact=whole)
    width, height = source
    boxes = []
    for a, b, c, d in fractions:
        x0, x1 = sorted((int(a * width), int(b * width)))
        y0, y1 = sorted((int(c * height), int(d * height)))
        boxes.append([min(x0, width - 1), min(y0, height - 1), max(x1, x0 + 1), max(y1, y0 + 1)])
    boxes = np.minimum(np.array(boxes), [width, height, width, height])
    assert preprocessing.to_source(preprocessing.to_model(boxes, source), source).tolist() == boxes.tolist()


@settings(max_examples=300, deadline=None)
@given(st.tuples(sides, sides), st.integers(8, 300), st.integers(0, 80), st.tuples(*[st.integers(0, 10_000)] * 4))
def test_whole_model_boxes_are_covered_exactly(source, side, more, corners):
    """The photo's box holds the input's box, and would not with one pixel less on any side."""
    preprocessing = Preprocessing((side, side), side + more)
    x0, y0 = corners[0] % side, corners[1] % side
    box = np.array([[x0, y0, x0 + 1 + corners[2] % (side - x0), y0 + 1 + corners[3] % (side - y0)]])
    (out,) = preprocessing.to_source(box, source)
    scaled_w, scaled_h, left, top = preprocessing.geometry(source)
    for axis, (pixels, scaled, offset) in enumerate(((source[0], scaled_w, left), (source[1], scaled_h, top))):
        low, high = int(box[0][axis]) + offset, int(box[0][axis + 2]) + offset
        # in whole numbers: photo coordinate * scaled against input coordinate * pixels
        assert out[axis] * scaled <= low * pixels < (out[axis] + 1) * scaled
        assert (out[axis + 2] - 1) * scaled < high * pixels <= out[axis + 2] * scaled
    floats = preprocessing.to_source(box.astype(float), source)
    assert floats.tolist() == [out.tolist()]


@settings(max_examples=100, deadline=None)
@given(st.tuples(sides, sides), st.integers(8, 300), st.integers(0, 80))
def test_the_view_is_what_the_whole_input_maps_to(source, side, more):
    preprocessing = Preprocessing((side, side), side + more)
    view = np.array([preprocessing.view_box(source)])
    np.testing.assert_allclose(preprocessing.to_model(view, source), [[0, 0, side, side]], atol=1e-6)
    assert (view >= 0).all()
    assert (view <= [*source, *source]).all()


def test_resized_side_is_exact():
    assert [resized_side(224, 0.875), resized_side(240, 0.882), resized_side(260, 0.89)] == [256, 272, 292]
    assert resized_side(7, 0.07) == 100  # in floats 7 / 0.07 is 99.99999999999999


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": (0, 224)}, "input size"),
        ({"resize": 200}, "cannot hold a crop"),
        ({"interpolation": "cubic"}, "bicubic"),
        ({"std": (0.1, 0.0, 0.1)}, "above zero"),
        ({"mean": (0.1, float("nan"), 0.1)}, "three numbers"),
    ],
)
def test_what_does_not_fit_is_said(change, words):
    with pytest.raises(InputError, match=words):
        Preprocessing(**change)


def test_survives_a_manifest():
    import json

    preprocessing = Preprocessing((240, 240), 272, "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), False)
    assert Preprocessing.from_dict(json.loads(json.dumps(preprocessing.to_dict()))) == preprocessing
