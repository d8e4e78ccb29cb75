"""From photos to a study: resumption, bad files, and results that do not depend on how the run went."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from interpret import models, pipeline
from interpret.config import ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.data.preprocessing import Preprocessing
from interpret.errors import InputError
from interpret.explanation.gradcam import explain
from interpret.explanation.patches import cut
from interpret.explanation.upsampling import upsample
from interpret.study import open_study
from tests.conftest import TinyNet, draw_photos, state_of

SMALL = Preprocessing(size=(32, 32), resize=32, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


def tiny_classifier(seed: int = 7):
    torch.manual_seed(seed)
    return models.wrap(
        TinyNet().eval(), name="tiny", class_names=["class 0", "class 1", "class 2"], preprocessing=SMALL, layer="act"
    )


def config(images: Path, **extract_options) -> RunConfig:
    return RunConfig(
        images=str(images),
        model=ModelConfig(precision="float32", device="cpu"),
        extract=ExtractConfig(stored_units=8, **extract_options),
        mine=MineConfig(top_units=3, min_class_patches=2),
        batch_size=4,
        shard_size=8,
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = draw_photos(tmp_path_factory.mktemp("photos") / "set", each=11)
    (folder / "class 1" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 40)
    (folder / "notes.txt").write_text("not a photo")
    for path in folder.rglob("*.png"):  # photos that changed just now are left out of the table of digests
        os.utime(path, (10**9, 10**9))
    return folder


@pytest.fixture(scope="module")
def undisturbed(pictures, tmp_path_factory):
    return pipeline.run(config(pictures), tmp_path_factory.mktemp("studies") / "s", classifier=tiny_classifier())


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".parquet", ".npy"))
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_every_row_equals_a_photo_explained_alone(undisturbed, pictures):
    classifier = tiny_classifier()
    study = undisturbed
    assert study.manifest["counts"]["images"] == 33
    assert sorted(study.skipped["path"]) == ["class 1/broken.png", "notes.txt"]
    assert list(study.images["path"]) == sorted(study.images["path"])
    units, scores = study.ranked
    for image_id in range(0, 33, 4):
        photo = study.photo(image_id)
        pixels = torch.from_numpy(classifier.preprocessing.apply(photo))[None]
        with torch.no_grad():
            found = explain(classifier.network, "act", classifier.preprocessing.normalise(pixels))
        row = study.images.iloc[image_id]
        assert (photo.width, photo.height) == (row["width"], row["height"])
        assert row["predicted"] == int(found.logits.argmax())
        assert row["confidence"] == pytest.approx(float(found.logits.softmax(1).max()), abs=1e-5)
        assert row["path"].startswith(f"class {row['label']}/")
        assert study.features[image_id] == pytest.approx(found.activations[0].mean((1, 2)).numpy(), rel=2e-3, abs=1e-4)
        scaled = (found.maps[0] / found.maps[0].max().clamp_min(1e-30)).numpy()
        assert np.asarray(study.cams[image_id], np.float32) == pytest.approx(scaled, abs=1e-3)
        patches = cut(upsample(found.maps, 32, 32)[0], study.extract_config)
        own = study.patches[study.patches["image_id"] == image_id]
        boxes = classifier.preprocessing.to_source(patches.boxes, photo.size)
        assert own[["x0", "y0", "x1", "y1"]].to_numpy().tolist() == boxes.tolist()
        for box, (patch_id, listed) in zip(patches.boxes, own["units"].items(), strict=True):
            upsampled = (
                found.activations[0].repeat_interleave(4, 1).repeat_interleave(4, 2)
            )  # 8 x 8 locations of 4 pixels
            inside = upsampled[:, box[1] : box[3], box[0] : box[2]].mean((1, 2))
            score = (found.alphas[0] * inside).numpy()
            best = [int(k) for k in np.argsort(-score, kind="stable")[:8] if score[k] > 0]
            assert list(listed) == best
            assert scores[patch_id][: len(best)] == pytest.approx(score[best], abs=1e-5)
            assert list(units[patch_id][: len(best)]) == best
    assert len(study.patches) > 20


def test_a_network_is_left_as_it_was(pictures, tmp_path):
    classifier = tiny_classifier()
    classifier.network.train()
    before = state_of(classifier.network)
    pipeline.run(config(pictures), tmp_path / "s", classifier=classifier)
    assert state_of(classifier.network) == before


def test_the_same_inputs_give_the_same_bytes_whatever_the_number_of_workers(undisturbed, pictures, tmp_path):
    from dataclasses import replace

    again = pipeline.run(replace(config(pictures), workers=5), tmp_path / "s", classifier=tiny_classifier())
    assert contents(again.folder) == contents(undisturbed.folder)
    assert not (tmp_path / "s.partial").exists()


class Killed(BaseException):
    pass


@pytest.mark.parametrize("at", [3, 7, 12, 15, 17, 19])
def test_an_interrupted_run_resumes_and_ends_with_the_same_bytes(undisturbed, pictures, tmp_path, at):
    calls = 0

    def breaking(progress):
        nonlocal calls
        calls += 1
        if calls == at:
            raise Killed

    with pytest.raises(Killed):
        pipeline.run(config(pictures), tmp_path / "s", breaking, classifier=tiny_classifier())
    reports = []
    study = pipeline.run(config(pictures), tmp_path / "s", reports.append, classifier=tiny_classifier())
    assert contents(study.folder) == contents(undisturbed.folder)
    if 7 <= at < 19:
        assert study.manifest["timings"]["shards_resumed"] > 0


KILLED = """
import os, signal, sys
from tests.test_pipeline import config, tiny_classifier
from interpret import pipeline
from interpret.study import workspace
from pathlib import Path
pictures, study, where, at = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
calls = 0
holder = os if where == "fsync" else workspace
original = getattr(holder, where)
def dying(*arguments, **options):
    global calls
    calls += 1
    if calls == at:
        os.kill(os.getpid(), signal.SIGKILL)
    return original(*arguments, **options)
setattr(holder, where, dying)
pipeline.run(config(pictures), study, classifier=tiny_classifier())
"""


@pytest.mark.slow
@pytest.mark.parametrize(("where", "at"), [("write_table", 5), ("fsync", 20), ("join_arrays", 2)])
def test_a_run_killed_while_it_writes_resumes_and_ends_with_the_same_bytes(undisturbed, pictures, tmp_path, where, at):
    command = [sys.executable, "-c", KILLED, str(pictures), str(tmp_path / "s"), where, str(at)]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "s").exists()
    with pytest.raises(InputError, match="unfinished"):
        open_study(tmp_path / "s")
    study = pipeline.run(config(pictures), tmp_path / "s", classifier=tiny_classifier())
    assert contents(study.folder) == contents(undisturbed.folder)


def test_a_whole_study_is_opened_and_not_made_again(undisturbed, pictures):
    reports = []
    again = pipeline.run(config(pictures), undisturbed.folder, reports.append, classifier=tiny_classifier())
    assert again.key == undisturbed.key
    assert not any(report.stage == "Explaining photos" for report in reports)
    with pytest.raises(InputError, match="already holds a study of other photos or options"):
        pipeline.run(config(pictures, tau=0.6), undisturbed.folder, classifier=tiny_classifier())


def test_activation_scores_are_the_pooled_activations(pictures, tmp_path, undisturbed):
    study = pipeline.run(config(pictures, score="activation"), tmp_path / "a", classifier=tiny_classifier())
    classifier = tiny_classifier()
    for patch in study.patches.iloc[::9].itertuples():
        photo = study.photo(patch.image_id)
        pixels = torch.from_numpy(classifier.preprocessing.apply(photo))[None]
        found = explain(classifier.network, "act", classifier.preprocessing.normalise(pixels))
        boxes = cut(upsample(found.maps, 32, 32)[0], study.extract_config).boxes
        nth = int((study.patches["image_id"] == patch.image_id).to_numpy()[: patch.patch_id].sum())
        x0, y0, x1, y1 = boxes[nth]
        upsampled = found.activations[0].repeat_interleave(4, 1).repeat_interleave(4, 2)
        pooled = upsampled[:, y0:y1, x0:x1].mean((1, 2)).numpy()
        best = [int(k) for k in np.argsort(-pooled, kind="stable")[:8] if pooled[k] > 0]
        assert list(patch.units) == best
        assert list(patch.scores) == pytest.approx(pooled[best], abs=1e-5)
    assert not np.array_equal(study.ranked[0], undisturbed.ranked[0])


def test_a_crop_is_enlarged_and_explained_again_for_the_photos_class(pictures, tmp_path):
    study = pipeline.run(config(pictures, encoding="crop"), tmp_path / "c", classifier=tiny_classifier())
    classifier = tiny_classifier()
    for patch in study.patches.iloc[::9].itertuples():
        photo = study.photo(patch.image_id)
        pixels = torch.from_numpy(classifier.preprocessing.apply(photo))[None]
        inputs = classifier.preprocessing.normalise(pixels)
        whole = explain(classifier.network, "act", inputs)
        boxes = cut(upsample(whole.maps, 32, 32)[0], study.extract_config).boxes
        nth = int((study.patches["image_id"] == patch.image_id).to_numpy()[: patch.patch_id].sum())
        x0, y0, x1, y1 = boxes[nth]
        crop = torch.nn.functional.interpolate(
            inputs[:, :, y0:y1, x0:x1], size=(32, 32), mode="bilinear", align_corners=False
        )
        found = explain(classifier.network, "act", crop, whole.targets)
        scores = (found.alphas * found.activations.mean((2, 3)))[0].numpy()
        best = [int(k) for k in np.argsort(-scores, kind="stable")[:8] if scores[k] > 0]
        assert list(patch.units) == best
        assert list(patch.scores) == pytest.approx(scores[best], abs=1e-5)


def test_the_manifest_says_what_was_done(undisturbed):
    manifest = json.loads((undisturbed.folder / "manifest.json").read_text())
    assert manifest["schema_version"] == 3
    assert manifest["precision"] == "float32"
    assert manifest["layer"] == "act"
    assert manifest["n_units"] == 12
    counts = manifest["counts"]
    owners = undisturbed.patches["image_id"].nunique()
    assert counts["images_without_patch"] == counts["images"] - owners
    assert open_study(undisturbed.folder).mine_config == MineConfig(top_units=3, min_class_patches=2)


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_a_network_of_another_type_is_explained_in_float32_and_left_as_it_was(pictures, tmp_path, kind):
    classifier = tiny_classifier()
    classifier.network.to(kind)
    before = state_of(classifier.network)
    study = pipeline.run(config(pictures), tmp_path / "s", classifier=classifier)
    assert state_of(classifier.network) == before
    assert study.manifest["counts"]["images"] == 33
    assert np.isfinite(study.features).all()


def test_photos_without_a_finite_answer_are_skipped_and_listed(pictures, tmp_path):
    class Overflows(TinyNet):
        """Gives no number for the photos whose first pixel is odd, as a type with too small a range does."""

        def forward(self, x):
            level = (x[:, 0, 0, 0] * 0.5 + 0.5) * 255
            odd = (level.round() % 2 == 1) & ((level - level.round()).abs() < 1e-3)  # which random inputs are not
            return super().forward(torch.where(odd[:, None, None, None], torch.nan, x))

    torch.manual_seed(7)
    classifier = tiny_classifier()
    fine = pipeline.run(config(pictures), tmp_path / "fine", classifier=classifier)
    odd = []
    for image_id, path in enumerate(fine.images["path"]):
        if classifier.preprocessing.apply(fine.photo(image_id))[0, 0, 0] % 2:
            odd.append(path)
    assert 0 < len(odd) < len(fine.images)
    network = Overflows().eval()
    network.load_state_dict(classifier.network.state_dict())
    broken = models.wrap(network, name="odd", class_names=classifier.class_names, preprocessing=SMALL, layer="act")
    study = pipeline.run(config(pictures), tmp_path / "s", classifier=broken)
    told = study.skipped[study.skipped["reason"].str.contains("not a finite number")]
    assert sorted(told["path"]) == sorted(odd)
    kept = fine.images[~fine.images["path"].isin(odd)]
    assert study.images["path"].tolist() == kept["path"].tolist()
    assert study.images["predicted"].tolist() == kept["predicted"].tolist()
    assert np.allclose(study.features, fine.features[kept.index], atol=1e-5)
    assert len(study.cams) == len(study.images)
