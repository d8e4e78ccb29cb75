"""Pictures of patches, with numbers worked out by hand."""

import io

import numpy as np
import pytest
from PIL import Image

from interpret.data.preprocessing import Preprocessing
from interpret.figures import patch_pictures
from interpret.figures.colours import MAGMA, OTHER, class_colours, heat_colours, rgb


def white(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (200, 200, 200))


def test_window_is_square_holds_the_patch_and_stays_in_the_photo():
    # longer side 20, 35 % more on each side: 34 pixels, centred on (50, 30)
    assert patch_pictures.window((40, 25, 60, 35), (100, 80)) == (33, 13, 67, 47)
    # at the corner it is moved, not shrunk
    assert patch_pictures.window((0, 0, 20, 10), (100, 80)) == (0, 0, 34, 34)
    assert patch_pictures.window((90, 70, 100, 80), (100, 80)) == (83, 63, 100, 80)
    # never wider than the photo is high, unless the patch is
    assert patch_pictures.window((0, 0, 60, 60), (100, 60)) == (0, 0, 60, 60)
    assert patch_pictures.window((0, 0, 100, 20), (100, 60)) == (0, -20, 100, 80)


@pytest.mark.parametrize("seed", range(20))
def test_window_holds_every_patch_wherever_it_lies(seed):
    rng = np.random.default_rng(seed)
    width, height = rng.integers(10, 300, 2)
    x0, y0 = rng.integers(0, width), rng.integers(0, height)
    x1, y1 = rng.integers(x0 + 1, width + 1), rng.integers(y0 + 1, height + 1)
    left, top, right, bottom = patch_pictures.window((x0, y0, x1, y1), (int(width), int(height)))
    assert right - left == bottom - top >= 1
    assert left <= x0 + 1
    assert top <= y0 + 1
    assert right >= x1 - 1
    assert bottom >= y1 - 1


def test_patch_is_as_it_was_and_the_rest_is_dimmed():
    tile = np.asarray(patch_pictures.patch_tile(white(100, 100), (40, 40, 60, 60), side=340))
    # the window is 34 pixels wide, so a pixel is 10 large and the patch begins at (40 - 33) * 10
    assert tile.shape == (340, 340, 3)
    assert (tile[100:240, 100:240] == 200).all()
    assert (tile[:60] == int(200 * patch_pictures.DIMMED)).all()
    assert (tile[70, 70:270] == 255).all(), "the line around the patch"


def test_a_map_lies_over_the_place_in_the_photo_that_it_is_of():
    """The map covers the middle of the photo; of its four cells only the lower right one is warm."""
    photo, box = white(100, 100), (40, 40, 60, 60)  # the window is (33, 33, 67, 67), a pixel of it 10 of the tile
    hot = np.zeros((2, 2), np.float32)
    hot[1, 1] = 1.0
    plain = np.asarray(patch_pictures.patch_tile(photo, box, side=340)).astype(int)
    heat = patch_pictures.Heat(hot, (45, 45, 55, 55))
    warm = np.asarray(patch_pictures.patch_tile(photo, box, side=340, heat=heat)).astype(int)
    changed = np.argwhere((plain != warm).any(axis=2))
    assert changed.min() >= 120, "pixel 45 of the photo is 120 of the tile"
    assert changed.max() < 220
    assert (warm[219, 219] != plain[219, 219]).any()
    away = np.asarray(patch_pictures.patch_tile(photo, box, 340, patch_pictures.Heat(hot, (0, 0, 20, 20)))).astype(int)
    assert (away == plain).all()
    # A map over all of the photo, cut off at the window's edge, is the same as the part of it there.
    rng = np.random.default_rng(0)
    whole = patch_pictures.Heat(rng.random((50, 50)), (0, 0, 100, 100))
    tile = np.asarray(patch_pictures.patch_tile(photo, (0, 0, 100, 100), 1000, whole)).astype(int)
    part = np.asarray(patch_pictures.patch_tile(photo, box, 340, whole)).astype(int)
    assert np.abs(part[80:260, 80:260] - tile[410:590, 410:590]).max() <= 1


def test_patch_of_the_whole_photo_has_no_line_and_no_dimming():
    assert (np.asarray(patch_pictures.patch_tile(white(64, 64), (0, 0, 64, 64), side=64)) == 200).all()


def test_a_patch_longer_than_the_photo_is_high_is_shown_whole():
    photo = white(100, 20)
    tile = np.asarray(patch_pictures.patch_tile(photo, (0, 0, 100, 20), side=100)).astype(int)
    assert (tile[42:58, 5:95] == 200).all()
    assert tile[:38].max() < 30, "above the photo there is nothing to show"


def test_box_is_mapped_to_a_smaller_copy():
    assert patch_pictures.scaled_box((10, 20, 30, 40), (100, 200), (50, 50)) == (5, 5, 15, 10)


def test_heat_colours_are_the_scale_at_its_ends_and_middle():
    colours = heat_colours(np.array([0.0, 0.5, 1.0, np.nan, 7.0]))
    assert [tuple(colour) for colour in colours] == [
        rgb(MAGMA[0]),
        rgb(MAGMA[5]),
        rgb(MAGMA[-1]),
        rgb(MAGMA[0]),
        rgb(MAGMA[-1]),
    ]


def test_overlay_leaves_the_photo_alone_where_the_map_is_zero():
    heat = np.zeros((4, 4), np.float32)
    heat[:, 2:] = 1
    over = np.asarray(patch_pictures.heat_overlay(white(80, 80), heat, opacity=1.0))
    assert (over[:, :15] == 200).all()
    assert (over[:, -15:] == rgb(MAGMA[-1])).all()
    assert (np.asarray(patch_pictures.heat_overlay(white(80, 80), heat, opacity=0.0)) == 200).all()


def test_view_shows_what_the_network_sees():
    photo = white(200, 100)
    photo.paste((255, 0, 0), (0, 0, 50, 100))
    photo.paste((0, 0, 255), (150, 0, 200, 100))
    seen = np.asarray(patch_pictures.view(photo, Preprocessing(size=(100, 100), resize=100), side=300))
    assert seen.shape == (300, 300, 3)
    assert (seen[:, 10:-10] == 200).all(), "the crop leaves both ends of the photo out"


def test_boxes_are_drawn_on_a_copy():
    photo = white(50, 50)
    marked = np.asarray(patch_pictures.boxed(photo, [(10, 10, 40, 40)], "#FF0000", width=2))
    assert tuple(marked[25, 10]) == (255, 0, 0)
    assert tuple(marked[25, 25]) == (200, 200, 200)
    assert (np.asarray(photo) == 200).all()


def test_sheet_lays_pictures_in_rows():
    tiles = [Image.new("RGB", (10, 10), (40 * i, 0, 0)) for i in range(5)]
    sheet = patch_pictures.sheet(tiles, columns=3, gap=2)
    assert sheet.size == (38, 26)
    assert sheet.getpixel((2 + 12 + 5, 2 + 12 + 5)) == (160, 0, 0)
    assert patch_pictures.sheet([], 3).size == (1, 1)


def test_files_are_what_they_say():
    assert Image.open(io.BytesIO(patch_pictures.jpeg(white(9, 9)))).format == "JPEG"
    layer = Image.open(io.BytesIO(patch_pictures.png(patch_pictures.heat_layer(np.ones((2, 2)), (8, 8)))))
    assert (layer.format, layer.mode) == ("PNG", "RGBA")


def test_thumbnail_is_the_middle():
    photo = white(300, 100)
    photo.paste((0, 0, 0), (0, 0, 100, 100))
    assert (np.asarray(patch_pictures.thumbnail(photo, 50))[:, 3:] == 200).all()


def test_every_class_has_one_colour_and_the_first_sixteen_differ():
    colours = class_colours(range(30))
    assert len({colours[one] for one in range(16)}) == 16
    assert {colours[one] for one in range(16, 30)} == {OTHER}
    assert class_colours([5, 3])[5] == class_colours([5])[5]
