"""The whole way on real photographs with a real ImageNet network, and its figures."""

import itertools
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from interpret import models
from interpret.config import Arithmetic, ExtractConfig, MineConfig, ModelConfig
from interpret.data import datasets
from interpret.data.photos import open_photo
from interpret.explanation.contrast_classes import Deal
from interpret.explanation.extractor import make_extractor
from interpret.explanation.gradcam import BatchExplanation, explain, join
from interpret.explanation.patches import cut
from interpret.explanation.trial import choose_arithmetic
from interpret.explanation.upsampling import upsample
from interpret.mining import mine
from interpret.mining.stored import mine_study, mined_folder
from interpret.mining.transactions import ContrastDatabase, TransactionDatabase
from interpret.models.precision import choose_precision, prepare
from interpret.study import Study, open_study

pytestmark = pytest.mark.real
EXTRACT = ExtractConfig()
POSTER = MineConfig(top_units=5, min_support=0.2, contrast_quantile=0.0)
"""The poster's transactions."""
TEN = {217, 0, 482, 491, 497, 566, 569, 571, 574, 701}
ROOT = Path(__file__).resolve().parents[1]


RUNS = {"train": ("train",), "peaks": ("train", "--patches", "peaks"), "val": ("val", "--limit", "400")}
"""Fixtures that are a study: the split of Imagenette, and options; no photo of it is set aside."""


def make(photos: Path, folder: Path, split: str, *options: str) -> Study:
    command = [sys.executable, "-m", "interpret", "run", "--model", "efficientnet_lite0"]
    command += ["--images", str(photos / "imagenette" / split), "--study", str(folder), "--hold-out", "0", *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr
    assert "Explaining photos" in done.stderr
    return open_study(folder)


@pytest.fixture(scope="session")
def runs(request, photos, tmp_path_factory) -> Iterator[dict[str, Future[Study]]]:
    """The runs that the chosen tests need, each once, two at a time on a thread each: no core waits for another."""
    needed = [name for name in RUNS if any(name in getattr(item, "fixturenames", ()) for item in request.session.items)]
    folder = tmp_path_factory.mktemp("real")
    with ThreadPoolExecutor(2) as pool:
        yield {name: pool.submit(make, photos, folder / name, *RUNS[name]) for name in needed}


@pytest.fixture(scope="session")
def train(runs) -> Study:
    return runs["train"].result()


@pytest.fixture(scope="session")
def peaks(runs) -> Study:
    return runs["peaks"].result()


@pytest.fixture(scope="session")
def val(runs) -> Study:
    return runs["val"].result()


def test_patches_and_relevant_units_of_the_training_photos(train):
    counts = train.manifest["counts"]
    assert counts["images"] == counts["labelled"] == 2000
    assert counts["skipped"] == counts["images_without_patch"] == 0
    assert counts["patches"] == pytest.approx(2104, rel=0.01)  # whole regions, as method.md defines a patch
    units = mine_study(train, POSTER).units
    held = units[units["class_id"].isin(TEN)].groupby("class_id").size()
    assert set(held.index) == TEN
    assert 6.0 <= held.mean() <= 8.0


@pytest.mark.long
def test_patches_around_peaks_are_as_many_as_the_prototype_counted(train, peaks):
    """3,150: that prototype cut a patch around each peak. The same explanations, so only the patches differ."""
    assert peaks.manifest["counts"]["patches"] == pytest.approx(3150, rel=0.02)
    assert peaks.images["predicted"].tolist() == train.images["predicted"].tolist()
    units = mine_study(peaks, POSTER).units
    held = units[units["class_id"].isin(TEN)].groupby("class_id").size()
    assert held.mean() == pytest.approx(6.8, abs=0.5)


@pytest.mark.parametrize(("n", "support"), [(5, 0.2), (10, 0.2), pytest.param(10, 0.07, marks=pytest.mark.long)])
def test_supports_and_rules_equal_a_recount_from_the_patches(train, n, support):
    """Counts again with nothing but the files and Python's sets."""
    config = replace(POSTER, top_units=n, min_support=support)
    mined = mine_study(train, config)
    rows = pq.read_table(train.folder / "patches.parquet").to_pylist()
    folder = mined_folder(train, config)
    itemsets = pq.read_table(folder / "itemsets.parquet").to_pylist()
    rules = pq.read_table(folder / "rules.parquet").to_pylist()
    sets = [(frozenset(row["units"][:n]), row["predicted"], row["image_id"]) for row in rows]
    sizes: dict[int, int] = {}
    for _, class_id, _ in sets:
        sizes[class_id] = sizes.get(class_id, 0) + 1
    least = {c: math.ceil(Fraction(str(support)) * m) for c, m in sizes.items() if m >= config.min_class_patches}

    # every frequent itemset, found breadth-first with sets of transaction numbers
    expected: dict[tuple[int, ...], dict[int, int]] = {}
    for class_id, minimum in least.items():
        tids: dict[tuple[int, ...], set[int]] = {}
        for tid, (units, c, _) in enumerate(sets):
            if c == class_id:
                for unit in units:
                    tids.setdefault((unit,), set()).add(tid)
        level = {key: held for key, held in tids.items() if len(held) >= minimum}
        while level:
            for key, held in level.items():
                expected.setdefault(key, {})[class_id] = len(held)
            joined = {}
            for a, b in itertools.combinations(sorted(level), 2):
                if a[:-1] == b[:-1] and len(both := level[a] & level[b]) >= minimum:
                    joined[(*a, b[-1])] = both
            level = joined
    found: dict[tuple[int, ...], dict[int, int]] = {}
    whole: dict[tuple[int, ...], tuple[int, int]] = {}
    for row in itemsets:
        key = tuple(row["units"])
        if row["class_id"] is None:
            whole[key] = (row["support_count"], row["image_count"])
        else:
            found.setdefault(key, {})[row["class_id"]] = row["support_count"]
            assert row["support"] == row["support_count"] / sizes[row["class_id"]]
    assert found == expected
    assert len(found) == len(mined) > 100
    ids = {row["itemset_id"]: tuple(row["units"]) for row in itemsets}
    for key in list(whole)[:: max(1, len(whole) // 200)]:
        holding = [(c, image) for units, c, image in sets if units.issuperset(key)]
        assert whole[key] == (len(holding), len({image for _, image in holding}))
    total = len(sets)
    assert {(ids[r["itemset_id"]], r["class_id"]) for r in rules} == {(k, c) for k in found for c in found[k]}
    for rule in rules[:: max(1, len(rules) // 300)]:
        key, class_id = ids[rule["itemset_id"]], rule["class_id"]
        both, x, c = found[key][class_id], whole[key][0], sizes[class_id]
        assert rule["support_count"] == both
        assert rule["confidence"] == pytest.approx(both / x)
        assert rule["lift"] == pytest.approx(both / x / (c / total))
        assert rule["leverage"] == pytest.approx(both / total - x / total * c / total)


def test_accuracy_on_the_validation_photos(val):
    accuracy, labelled = val.accuracy()
    assert labelled == 400
    assert accuracy == pytest.approx(0.755, abs=3 * math.sqrt(0.755 * 0.245 / 400))  # of all 3,925: 75.5 %


def test_every_bfloat16_map_follows_its_float32_one(photos):
    """Of 80 photos; benchmarks/results/extract.md has the figures of 1,000."""
    classifier = models.load(ModelConfig(model="efficientnet_lite0"))
    found = datasets.scan(photos / "imagenette" / "val", classifier.class_names, classifier.wnids, limit=80)
    pixels = [classifier.preprocessing.apply(open_photo(p.file)) for p in found.photos]
    cpu = torch.device("cpu")
    assert choose_precision("auto", cpu) in ("float32", "bfloat16")
    arithmetic = choose_arithmetic(classifier, cpu, "bfloat16", pixels[:: len(pixels) // 32])
    assert arithmetic.precision == "bfloat16"
    parts = []
    for start in range(0, len(pixels), 40):
        inputs = classifier.preprocessing.normalise(torch.from_numpy(np.stack(pixels[start : start + 40])))
        if not parts:
            fast = prepare(classifier.network, classifier.layer, cpu, arithmetic, inputs[:1])
        once = explain(classifier.network, classifier.layer, inputs)
        parts.append((once, explain(fast, classifier.layer, inputs, once.targets)))
    exact, rough = (join(each) for each in zip(*parts, strict=True))
    assert len(exact.maps) == 80
    a, b = exact.maps.flatten(1).numpy(), rough.maps.flatten(1).numpy()
    correlations = [float(np.corrcoef(x, y)[0, 1]) for x, y in zip(a, b, strict=True)]
    assert np.median(correlations) >= 0.999
    assert min(correlations) >= 0.99
    assert (exact.targets == rough.logits.argmax(1)).float().mean() >= 0.95
    same = [
        len(cut(x, EXTRACT).boxes) == len(cut(y, EXTRACT).boxes)
        for x, y in zip(upsample(exact.maps, 224, 224), upsample(rough.maps, 224, 224), strict=True)
    ]
    assert np.mean(same) >= 0.9


def test_findings_stay_against_their_contrast(train):
    found = mine_study(train, MineConfig(top_units=10, min_support=0.2)).rules
    assert (found.image_q_value <= 0.05).mean() > 0.4
    assert found[found.image_q_value <= 0.05].class_id.nunique() >= len(TEN)


@pytest.mark.long
def test_classes_dealt_out_before_explaining_make_no_rule(photos):
    """Real photos explained for classes dealt out by lot, 40 times: no more than 5 % of the runs report any rule."""
    classifier = models.load(ModelConfig(model="efficientnet_lite0"))
    extractor, _ = make_extractor(classifier, ExtractConfig(), torch.device("cpu"), Arithmetic("float32"))
    weight = classifier.network.get_submodule("classifier").weight.detach()
    found = datasets.scan(photos / "imagenette" / "train", classifier.class_names, classifier.wnids, limit=240).photos
    held = []
    for start in range(0, len(found), 40):
        pixels = [extractor.preprocessing.apply(open_photo(photo.file)) for photo in found[start : start + 40]]
        held.append(extractor.grad_cam(extractor.inputs(pixels)).activations)
    activations = torch.cat(held)
    reported = rules = 0
    for run in range(40):
        own, contrast = dealt_transactions(extractor, activations, weight, np.random.default_rng(run))
        made = mine(own, MineConfig(top_units=10, min_support=0.2), contrast=contrast).rules
        rules += len(made)
        reported += bool((made.image_q_value <= 0.05).any())
    assert rules > 40 * 10
    assert reported <= 2


def dealt_transactions(extractor, activations, weight, rng):
    """Own and contrast transactions of photos whose classes are dealt out by lot before they are explained.

    Args:
        extractor: cuts and encodes.
        activations: (n, K, h, w) of the photos.
        weight: (C, K) of the linear head.
        rng: deals.
    """
    n, k, h, w = activations.shape
    label = np.array(sorted(TEN))[rng.integers(0, len(TEN), n)]
    dealt = Deal(len(weight), 4, (int(rng.integers(1 << 30)),)).batch(label)
    image, place = np.nonzero(dealt >= 0)
    images = np.concatenate([np.arange(n), image])
    targets = np.concatenate([label, dealt[image, place]])
    alphas = weight[targets] / (h * w)
    maps = torch.einsum("mk,mkhw->mhw", alphas, activations[images]).relu()
    blank = torch.zeros(n, len(weight))
    explanation = BatchExplanation(blank, torch.from_numpy(label), activations, alphas[:n], maps[:n])
    regions = extractor.cut_patches(maps)
    encoded = extractor.encode_patches(
        explanation, torch.zeros(n, 3, 1, 1), regions, images, torch.from_numpy(targets), alphas
    )
    own = regions.owners < n
    at, units = images[regions.owners], encoded.units[:, :10]
    target = targets[regions.owners].astype(np.int32)
    return (
        TransactionDatabase(units[own], target[own], at[own], k),
        ContrastDatabase(units[~own], target[~own], label[at[~own]].astype(np.int32), at[~own], k),
    )
