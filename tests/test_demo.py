"""The demo's drawings, their masks, and the network trained on them."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpret import demo
from interpret.demo.canvas import SIZE, Canvas
from interpret.demo.draw import CLASS_NAMES, CLASS_PARTS, PARTS, SPLITS, sample
from interpret.demo.shapes import box
from interpret.errors import InputError

ROOT = Path(__file__).parents[1]
DIGEST = "072f9fb553adc04a"  # of twenty drawings and their masks: change it with demo.VERSION


def _digest(indices, split="train"):
    sha = hashlib.sha256()
    for index in indices:
        drawn = sample(index, split)
        sha.update(drawn.image.tobytes())
        for part, mask in sorted(drawn.masks.items()):
            sha.update(part.encode() + np.packbits(mask).tobytes())
    return sha.hexdigest()[:16]


@pytest.fixture(scope="module")
def drawn():
    """One hundred and twenty drawings, twelve of each class."""
    return [sample(index, "val") for index in range(120)]


@pytest.mark.slow
def test_drawings_are_the_same_in_any_process_order_and_on_any_machine():
    code = (
        "import sys; sys.path.insert(0, 'tests'); from test_demo import _digest; "
        "_digest([3, 4]); print(_digest(range(20)))"
    )
    other = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env=_environment("77")
    )
    assert other.stdout.strip() == _digest(range(20)) == DIGEST


def _environment(seed):
    return {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}


def test_splits_and_indices_differ():
    assert _digest([5]) != _digest([15])
    assert _digest([5]) != _digest([5], "val")
    assert len({_digest([5], split) for split in SPLITS}) == len(SPLITS) == 7
    with pytest.raises(ValueError, match="train, val, test1"):
        sample(0, "test")


def test_classes_are_balanced_and_made_of_their_own_parts(drawn):
    labels = np.bincount([each.label for each in drawn], minlength=10)
    assert labels.tolist() == [12] * 10
    for label, name in enumerate(CLASS_NAMES):
        own = [each for each in drawn if each.label == label]
        shown = {part for each in own for part in each.masks}
        assert shown == set(CLASS_PARTS[name])  # every part is seen, and none of another class
        for part in CLASS_PARTS[name]:
            assert sum(part in each.masks for each in own) >= 4, (name, part)


def test_parts_are_shared_as_the_classes_say():
    owners = {part: {name for name, parts in CLASS_PARTS.items() if part in parts} for part in PARTS}
    assert owners["wheel"] == {"Car", "Truck", "Bicycle"}
    assert owners["wing"] == {"Bird", "Plane"}
    assert owners["window"] == {"House", "Car", "Truck", "Plane"}
    assert owners["eye"] == {"Bird", "Dog", "Cat", "Fish"}
    assert owners["petal"] == {"Flower"}
    assert owners["beak"] == {"Bird"}


def test_masks_do_not_overlap_and_cover_a_sensible_share(drawn):
    for each in drawn:
        stacked = np.array(list(each.masks.values()))
        assert stacked.dtype == bool
        assert stacked.shape[1:] == (SIZE, SIZE)
        # a pixel is a part's where at least half of its sub-pixels are; two parts can hold half each, not three
        assert stacked.sum(0).max() <= 2
        assert (stacked.sum(0) > 1).mean() < 0.01
        assert 0.02 < stacked.any(0).mean() < 0.6
    areas = [np.any(list(each.masks.values()), axis=0).mean() for each in drawn]
    assert np.std(areas) > 0.03


def test_a_mask_holds_what_is_seen_and_not_what_is_hidden():
    canvas = Canvas(light_from_left=True)
    canvas.shape(box(-9, -9, 200, 200), (200, 200, 200))
    canvas.shape(box(20, 30, 60, 50), (250, 0, 0), 3)
    canvas.shape(box(50, 0, 90, 112), (0, 0, 250))  # in front: hides columns 50 to 59
    canvas.shape(box(22, 32, 24, 34), (0, 0, 0), 5, decal=True)
    masks = canvas.masks()
    assert sorted(masks) == [3, 5]
    expected = np.zeros((SIZE, SIZE), dtype=bool)
    expected[30:50, 20:50] = True
    wrong = masks[3] ^ expected
    wrong[32:34, 22:24] = False  # the decal
    assert not wrong[31:49, 21:49].any()
    assert wrong.sum() <= 60  # the outline is within half a pixel
    assert masks[5][32:34, 22:24].all()
    assert not masks[3][32:34, 22:24].any()


def test_light_falls_from_the_side_asked_for_and_shadows_on_what_is_below():
    shades = {}
    for left in (True, False):
        canvas = Canvas(light_from_left=left)
        canvas.shape(box(-9, -9, 200, 200), (128, 128, 128), shading=0)
        canvas.layer(40)
        canvas.shape(box(40, 40, 70, 70), (128, 128, 128), 1)
        flat = np.full((SIZE, SIZE), 128, np.uint8)
        shades[left] = canvas.render(np.zeros_like(flat), flat, (128, 128, 128), 40)[..., 0].astype(int)
    assert shades[True][55, 43] > shades[True][55, 67]
    assert shades[False][55, 43] < shades[False][55, 67]
    assert shades[True][72, 60] < 128 == shades[True][10, 10]  # the shadow below the box; none far away
    assert shades[True][20, 55] == 128


@pytest.mark.slow
def test_colour_and_place_alone_do_not_give_the_class_away():
    """A linear classifier of colour histograms, and one of tiny pictures, stay far below the network's 91 %."""
    images = np.stack([sample(index).image for index in range(900)])
    labels = np.arange(900) % 10
    bins = (images >> 6).astype(np.int64) @ np.array([16, 4, 1])
    histogram = np.sqrt(np.stack([np.bincount(row.ravel(), minlength=64) for row in bins]) / SIZE**2)
    tiny = images.reshape(900, 7, 16, 7, 16, 3).mean((2, 4)).reshape(900, -1) / 255
    for features in (histogram, tiny):
        features = np.column_stack([features, np.ones(900)])
        train, test = features[:650], features[650:]
        weights = np.linalg.solve(train.T @ train + 0.1 * np.eye(train.shape[1]), train.T @ np.eye(10)[labels[:650]])
        assert ((test @ weights).argmax(1) == labels[650:]).mean() < 0.4


def test_photos_are_drawn_once_whole_and_named_by_index(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path))
    lines = []
    folder = demo.photos("val", lines.append, count=20)
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    assert names == sorted(demo.name_of(index, "val") for index in range(20))
    assert demo.name_of(11, "val") == "Dog/val-00011.png"
    assert (np.asarray(Image.open(folder / "Dog/val-00011.png")) == sample(11, "val").image).all()
    masks = demo.masks_for("Dog/val-00011.png")
    assert {part: mask.tolist() for part, mask in masks.items()} == {
        part: mask.tolist() for part, mask in sample(11, "val").masks.items()
    }
    assert lines
    lines.clear()
    assert demo.photos("val", lines.append, count=20) == folder
    assert not lines  # taken from the cache
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]  # nothing temporary is left


@pytest.mark.parametrize("fails", [False, True])
def test_other_processes_draw_a_part_and_what_they_leave_out_is_drawn_here(tmp_path, monkeypatch, fails):
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    workers, here = [], []
    start, draw = demo._start_worker, demo.draw_images

    def worker(target, split, count):
        if fails:
            half = target / demo.name_of(7, split)
            half.parent.mkdir(parents=True)
            half.write_bytes(b"half an image")
            workers.append(subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"]))
        else:
            workers.append(start(target, split, count))
        return workers[-1]

    def own(target, split, indices):
        for index, path in draw(target, split, indices):
            here.append(index)
            if not fails:
                workers[0].wait()  # the other process draws all that is left
            yield index, path

    monkeypatch.setattr(demo, "_start_worker", worker)
    monkeypatch.setattr(demo, "draw_images", own)
    lines = []
    folder = demo.photos("val", lines.append, count=110)
    assert len(workers) == 1
    assert here == [index for index in range(110) if index != 7] if fails else len(here) == 1
    for index in (0, 7, 108, 109):
        assert (np.asarray(Image.open(folder / demo.name_of(index, "val"))) == sample(index, "val").image).all()
    assert sorted(path.name for path in folder.rglob("*.png")) == [f"val-{index:05d}.png" for index in range(110)]
    assert lines[-1] == "drawing the demo's images: 110 of 110"


def test_a_drawing_that_fails_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path))

    def fail(*_):
        raise RuntimeError("no pen")

    monkeypatch.setattr("interpret.demo.draw.sample", fail)
    with pytest.raises(RuntimeError, match="no pen"):
        demo.photos("val", count=10)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not (tmp_path / f"demo-{demo.VERSION}" / "val-10").exists()


@pytest.mark.parametrize("name", ["Dog/rex.png", "Dog/test-00011.png", "Dog/val-x.png", "val.png"])
def test_masks_of_a_strange_name_are_refused_in_one_sentence(name):
    with pytest.raises(InputError, match=r"names look like Dog/val-00011\.png"):
        demo.masks_for(name)


def test_an_unknown_split_or_a_cache_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="train, val"):
        demo.photos("test")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNITSCOPE_CACHE", str(tmp_path / "file"))
    with pytest.raises(InputError, match="UNITSCOPE_CACHE"):
        demo.photos("val", count=10)


def test_the_package_is_light_to_import():
    code = "import sys, interpret.demo; assert not {'torch', 'numpy', 'PIL'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, env=_environment("0"))
