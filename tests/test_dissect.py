"""Dissections of a small study of the demo: what is counted, when a kept result is read, and what is refused."""

import dataclasses
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from interpret import demo
from interpret.cli.main import main
from interpret.config import ModelConfig, RunConfig
from interpret.data.datasets import scan
from interpret.dissection.activations import see_photos
from interpret.dissection.dissect import dissect
from interpret.dissection.masks import DemoMasks
from interpret.dissection.result import FOLDER, FORMAT, Dissection
from interpret.errors import InputError
from interpret.models import load, wrap
from interpret.pipeline import run
from interpret.study import open_study
from interpret.study.digests import write_list
from tests.conftest import state_of

pytestmark = pytest.mark.slow

MODEL = ModelConfig(model="demo", device="cpu", precision="float32")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study of the demo."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNITSCOPE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setitem(demo.COUNTS, "train", 200)
        patch.setitem(demo.COUNTS, "val", 100)
        yield run(RunConfig(images="demo", model=MODEL), tmp_path_factory.mktemp("studies") / "demo")


@pytest.fixture
def own_parts(study, tmp_path):
    """Photos and masks in folders of one's own, 20 held-out drawings; no earlier result is kept."""
    shutil.rmtree(study.folder / FOLDER, ignore_errors=True)
    photos = scan("demo-val", study.class_names, (), limit=20).photos
    for photo in photos:
        target = tmp_path / "photos" / photo.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(photo.file, target)
        folder = (tmp_path / "masks" / photo.name).with_suffix("")
        folder.mkdir(parents=True)
        for part, mask in demo.masks_for(photo.name).items():
            Image.fromarray(mask).save(folder / f"{part}.png")
    return tmp_path / "photos", tmp_path / "masks"


def dissected(study, own_parts, **more):
    """The result for few itemsets, and whether it was counted now rather than read."""
    stages = []
    images, masks = own_parts
    options = {"mine": dataclasses.replace(study.mine_config, top_units=4), "draws": 3, **more}
    result = dissect(study, images=images, masks=masks, progress=lambda report: stages.append(report.stage), **options)
    return result, bool(stages)


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
    few = dataclasses.replace(study.mine_config, top_units=4)
    assert dissect(study, mine=few, level=0.1).facts["level"] == 0.1


def test_masks_of_one_s_own_give_the_same_as_the_demo_s(study, own_parts):
    images, _ = own_parts
    own, _ = dissected(study, own_parts)
    again, _ = dissected(study, (images, DemoMasks()))
    pd.testing.assert_frame_equal(own.units, again.units)


def test_the_same_photos_and_masks_in_other_folders_are_not_counted_again(study, own_parts, tmp_path):
    first, counted = dissected(study, own_parts)
    assert counted
    moved = tmp_path / "moved", tmp_path / "moved masks"
    for old, new in zip(own_parts, moved, strict=True):
        old.rename(new)
    second, counted = dissected(study, moved)
    assert not counted
    assert (first.iou == second.iou).all()


def test_an_edited_mask_changes_the_answer(study, own_parts):
    before, _ = dissected(study, own_parts)
    heads = sorted(own_parts[1].rglob("head.png"))
    assert heads
    for path in heads:
        with Image.open(path) as image:
            Image.new("L", image.size, 0).save(path)
    after, counted = dissected(study, own_parts)
    assert counted
    head = before.parts.index("head")
    assert before.iou[:, head].max() > 0
    assert after.iou[:, head].max() == 0


def test_an_edited_photo_changes_the_answer(study, own_parts):
    before, _ = dissected(study, own_parts)
    for path in own_parts[0].rglob("*.png"):
        with Image.open(path) as image:
            Image.new("RGB", image.size, "grey").save(path)
    after, counted = dissected(study, own_parts)
    assert counted
    assert not np.array_equal(before.iou, after.iou)


def test_photos_without_masks_count_as_many_pixels_as_others(study, own_parts):
    """Masks of one photo only, over all of it: every other photo counts against a unit with all its pixels."""
    images, masks = own_parts
    shutil.rmtree(masks)
    first = min(images.rglob("*.png"))
    folder = (masks / first.relative_to(images)).with_suffix("")
    folder.mkdir(parents=True)
    Image.new("L", (112, 112), 255).save(folder / "everything.png")
    result, _ = dissected(study, own_parts, quantile=0.5)
    classifier = load(MODEL)
    seen = see_photos(classifier, scan(images, study.class_names, ()).photos)
    limit = np.quantile(seen.activations.astype(np.float32), 0.5, axis=(0, 2, 3), method="inverted_cdf")
    field = torch.nn.functional.interpolate(
        torch.from_numpy(seen.activations.astype(np.float32)), (112, 112), mode="bilinear", align_corners=False
    ).numpy()
    fires = field > limit[None, :, None, None]
    at = [photo.file for photo in seen.photos].index(first)
    expected = fires[at].sum((1, 2)) / (fires.sum((0, 2, 3)) + 112 * 112 - fires[at].sum((1, 2)))
    np.testing.assert_allclose(result.iou[:, 0], expected, rtol=2e-3)


def test_a_damaged_result_is_made_again(study, own_parts):
    first, _ = dissected(study, own_parts)
    newest = max((study.folder / FOLDER).glob("*/facts.json"), key=lambda path: path.stat().st_mtime_ns)
    newest.write_text('{"parts": ')
    with pytest.raises(InputError, match=r"facts.json is damaged: .*; run `dissect` again"):
        Dissection.read(newest.parent)
    second, counted = dissected(study, own_parts)
    assert counted
    assert (first.iou == second.iou).all()
    assert not dissected(study, own_parts)[1]


def test_results_of_other_formats(study, own_parts):
    """An earlier one has no digests; the next dissection replaces it."""
    dissected(study, own_parts)
    newest = max((study.folder / FOLDER).glob("*/facts.json"), key=lambda path: path.stat().st_mtime_ns)
    listed = newest.with_name("digests.json")
    before = listed.read_bytes()
    listed.unlink()
    with pytest.raises(InputError, match=r"digests.json is missing\); run `dissect` again"):
        Dissection.read(newest.parent)
    newest.write_text(newest.read_text().replace(f'"format": {FORMAT},', '"format": 99,'))
    write_list(newest.parent, {})
    with pytest.raises(InputError, match="format 99"):
        Dissection.read(newest.parent)
    said = []
    again, counted = dissected(open_study(study.folder, said.append), own_parts)
    assert counted
    assert len(again.units) == study.n_units
    assert [sentence.endswith("it is made again.") for sentence in said] == [True]
    assert listed.read_bytes() == before


@pytest.fixture(scope="module")
def bfloat16(study, tmp_path_factory):
    """The demo's network in bfloat16, and a study of it."""
    made = load(MODEL)
    classifier = wrap(
        made.network.bfloat16(),
        name="demo in bfloat16",
        class_names=made.class_names,
        preprocessing=made.preprocessing,
        layer=made.layer,
    )
    config = RunConfig(images="demo", model=MODEL, limit=60)
    return classifier, run(config, tmp_path_factory.mktemp("studies") / "bfloat16", classifier=classifier)


def test_a_network_in_bfloat16_is_dissected_in_float32(bfloat16, own_parts):
    classifier, study = bfloat16
    before = state_of(classifier.network)
    result, _ = dissected(study, own_parts, classifier=classifier)
    assert state_of(classifier.network) == before
    assert {tensor.dtype for tensor in classifier.network.parameters()} == {torch.bfloat16}
    made = load(MODEL)  # rounded to bfloat16 and computed in float32
    rounded = wrap(
        made.network.bfloat16().float(),
        name="rounded",
        class_names=made.class_names,
        preprocessing=made.preprocessing,
        layer=made.layer,
    )
    other = run(RunConfig(images="demo", model=MODEL, limit=60), study.folder.parent / "rounded", classifier=rounded)
    expected, _ = dissected(other, own_parts, classifier=rounded)
    assert (result.iou == expected.iou).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_network_on_a_gpu_is_dissected_where_it_is(study, own_parts):
    expected, _ = dissected(study, own_parts)
    shutil.rmtree(study.folder / FOLDER)
    classifier = load(MODEL)
    classifier.network.cuda()
    result, counted = dissected(study, own_parts, classifier=classifier)
    assert counted
    assert next(classifier.network.parameters()).is_cuda
    np.testing.assert_allclose(result.iou, expected.iou, atol=5e-3)


def test_the_caller_s_modes_and_random_state_are_left_alone(study, own_parts):
    classifier = load(MODEL)
    expected, _ = dissected(study, own_parts, classifier=classifier)
    shutil.rmtree(study.folder / FOLDER)
    before, threads = state_of(classifier.network), torch.get_num_threads()
    torch.manual_seed(3)
    random_state = torch.get_rng_state()
    with torch.inference_mode():
        result, counted = dissected(study, own_parts, classifier=classifier)
        assert torch.is_inference_mode_enabled()
    assert counted
    assert torch.is_grad_enabled()
    assert (result.iou == expected.iou).all()
    assert state_of(classifier.network) == before
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), random_state)


def test_another_network_is_refused_even_where_a_result_is_kept(study, own_parts):
    dissected(study, own_parts)
    classifier = load(MODEL)
    with torch.no_grad():
        next(classifier.network.parameters()).add_(1)
    with pytest.raises(InputError, match="weights of the network given are not those"):
        dissected(study, own_parts, classifier=classifier)


def test_a_study_of_another_network_is_not_judged_with_the_units_of_a_default_model(study, own_parts):
    other = type(study)(study.folder, {**study.manifest, "weights": {"digest": "0" * 16, "source": "elsewhere"}})
    with pytest.raises(InputError, match="weights of demo on this machine are not those"):
        dissected(other, own_parts, level=0.3)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"quantile": 0.0}, "--quantile is 0"),
        ({"quantile": 1.0}, "--quantile is 1"),
        ({"level": 0.0}, "--level is 0"),
        ({"draws": 0}, "draws=1 or more"),
        ({"limit": 0}, "limit of 0 photos"),
    ],
)
def test_options_out_of_bounds_are_refused_in_one_sentence(study, own_parts, options, said):
    with pytest.raises(InputError, match=said):
        dissected(study, own_parts, **options)


def test_a_support_of_nothing_is_refused_in_one_sentence(study):
    with pytest.raises(InputError, match=r"--min-support is 0(\.0)?; the smallest value allowed"):
        dataclasses.replace(study.mine_config, min_support=0.0)


def test_a_study_without_masks_is_refused_in_one_sentence(study):
    other = type(study)(study.folder, {**study.manifest, "model": "vgg16"})
    with pytest.raises(InputError, match="--images and --masks"):
        dissect(other)


def test_activations_are_in_no_file_that_a_killed_process_would_leave(study, own_parts, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    found = []
    images, masks = own_parts
    dissect(study, images=images, masks=masks, progress=lambda _: found.extend((tmp_path / "temporary").iterdir()))
    assert found == []


def test_a_full_disk_for_the_activations_is_one_sentence(study, own_parts, monkeypatch, capsys):
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: Path("/dev/full").open("w+b"))  # noqa: SIM115
    images, masks = own_parts
    assert main(["dissect", str(study.folder), "--images", str(images), "--masks", str(masks)]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: No space left on device"
