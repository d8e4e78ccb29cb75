"""Transfer of itemsets to held-out photos, counted again from the tables; and all measures of a small study."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from interpret.config import EvaluateConfig, MineConfig
from interpret.evaluation.ablation import make_ablation_set
from interpret.evaluation.heads import load_head
from interpret.evaluation.itemsets import sentences
from interpret.evaluation.itemsets.measure import measure_itemsets
from interpret.evaluation.itemsets.result import FRAMES, ItemsetMeasures, nothing_measured, read
from interpret.evaluation.itemsets.supported_sets import (
    MAX_CELLS,
    by_photo,
    holds,
    indicator,
    membership,
    supported_sets,
)
from interpret.evaluation.itemsets.transfer import held_by_group, transfer
from interpret.evaluation.itemsets.transfer_summary import transfer_summary
from interpret.frames import integers
from interpret.mining.contrast_quantiles import halves
from interpret.mining.ranked_elsewhere import ranked_contrast_elsewhere, ranked_elsewhere
from interpret.mining.ranked_units import kept_units, ranked_contrast_units, ranked_units
from interpret.mining.stored import mine_study
from interpret.study import Study, open_study
from tests.small_study import studies, without_contrast

CONFIG = MineConfig(top_units=6, contrast_quantile=0.0)


def relabelled() -> Study:
    """The small study as if it were one of other photos: every seventh photo has another label."""
    study = open_study(studies() / "demo")
    label = study.images["label"].astype("Int32").copy()
    label.iloc[::7] = (label.iloc[::7] + 1) % 10
    study.__dict__["images"] = study.images.assign(label=label)
    return study


def photos_holding(frame: pd.DataFrame, rows: pd.Series, units: tuple[int, ...]) -> tuple[int, int]:
    """Photos among some patches that hold an itemset, and all of them, one patch after the other."""
    holding, every = set(), set()
    for image_id, found in zip(frame.loc[rows, "image_id"], frame.loc[rows, "units"], strict=True):
        every.add(image_id)
        if set(units) <= set(found[: CONFIG.top_units].tolist()):
            holding.add(image_id)
    return len(holding), len(every)


def test_shares_are_those_counted_patch_by_patch():
    study, other = open_study(studies() / "demo"), relabelled()
    mined = mine_study(study, CONFIG)
    sets = supported_sets(mined)
    found = held_by_group(study, other, CONFIG, sets)
    table = transfer(found, mined)
    assert len(table) == sum(len(of_class.itemsets) for of_class in sets.values()) > 100
    own = pd.read_parquet(study.folder / "patches.parquet")
    contrast = pd.read_parquet(study.folder / "contrast.parquet")
    labels = other.images["label"].to_numpy(np.int64)
    label, for_label = pd.Series(labels[own["image_id"]]), pd.Series(labels[contrast["image_id"]])
    some = table.sample(60, random_state=0)
    assert (some["wrong_photos"] > 0).any()
    for row in some.to_dict("records"):
        c, units = row["class_id"], row["units"]
        called, is_c = own["predicted"] == c, label == c
        for group, (frame, rows) in {
            "mined": (own, called),
            "held": (own, called),
            "right": (own, called & is_c),
            "wrong": (own, called & ~is_c),
            "missed": (own, ~called & is_c),
            "missed_for_c": (contrast, (contrast["target"] == c) & (for_label == c)),
        }.items():
            count, n = photos_holding(frame, rows, units)
            assert (row[f"{group}_count"], row[f"{group}_photos"]) == (count, n)
            if n:
                low, high = binomtest(count, n).proportion_ci(method="wilson")
                assert row[group] == count / n
                assert (row[f"{group}_low"], row[f"{group}_high"]) == pytest.approx((low, high), abs=1e-4)
            else:
                assert np.isnan(row[group])
        rule = mined.rules[(mined.rules["class_id"] == c)].set_index("itemset_id")
        rule = rule.loc[mined.units_of.index(units)]
        assert row["contrast"] == rule["contrast_image_count"] / rule["contrast_images"]
        assert row["mined_count"] == rule["image_count"]
        assert row["shrinkage"] == row["mined"] - row["held"]


def test_the_summary_counts_each_class_once():
    study, other = open_study(studies() / "demo"), relabelled()
    mined = mine_study(study, CONFIG)
    sets = supported_sets(mined)
    found = held_by_group(study, other, CONFIG, sets)
    table = transfer(found, mined)
    classes = np.array(sorted(sets))[1:]  # the first class has no label: all photos called so are wrong
    rows = {(row.measure, row.size): row for row in transfer_summary(found, table, classes, 6, 0)}
    known, foreign = table[table["class_id"].isin(classes)], table[~table["class_id"].isin(classes)]
    for measure in ("mined", "held", "right", "contrast", "shrinkage"):
        assert rows[measure, "all"].value == pytest.approx(known.groupby("class_id")[measure].mean().mean())
    pairs = known[known["size"] == 2]
    assert rows["held", "2"].value == pytest.approx(pairs.groupby("class_id")["held"].mean().mean())
    assert rows["foreign", "all"].value == pytest.approx(foreign["held"].mean())
    assert rows["held", "all"].low < rows["held", "all"].value < rows["held", "all"].high
    with_wrong = known[known["wrong_photos"] > 0]
    gain = with_wrong.groupby("class_id")[["right", "wrong"]].mean().mean()
    assert rows["right_gain", "all"].value == pytest.approx(gain["right"] - gain["wrong"])
    # of fewer than 30 photos no interval is given
    assert rows["wrong", "all"].n < 30
    assert np.isnan(rows["wrong", "all"].low)


def exceeding(study, units, scores, target: int, photos=slice(None)) -> list[int]:
    """The units of a patch that exceed the 0.8 quantile of their scores in some contrast patches of its class."""
    stored_units, stored_scores = (stored[photos] for stored in study.ranked_contrast)
    rows = study.contrast["target"].to_numpy()[photos] == target
    kept = []
    for unit, score in zip(units.tolist(), scores.tolist(), strict=True):
        column = np.where(stored_units[rows] == unit, stored_scores[rows], 0).max(axis=1)
        if unit >= 0 and score > np.quantile(column, 0.8, method="inverted_cdf"):
            kept.append(unit)
    return kept


def test_held_out_transactions_are_held_to_all_contrast_photos():
    study = open_study(studies() / "demo")
    assert np.array_equal(ranked_elsewhere(study, study, CONFIG)[0], ranked_units(study, CONFIG)[0])
    config = dataclasses.replace(CONFIG, contrast_quantile=0.8, contrast_shared=0)
    units, scores = ranked_elsewhere(study, study, config)
    ranked, all_scores = ranked_units(study, CONFIG)
    predicted = study.patches["predicted"].to_numpy()
    assert (units < 0).any()
    for row in range(0, len(units), 9):
        kept = exceeding(study, ranked[row], all_scores[row], predicted[row])
        assert units[row][units[row] >= 0].tolist() == kept
        assert (scores[row] > 0).sum() == len(kept)
    # A contrast patch is held to the quantiles of the class that it was explained for.
    ranked, all_scores = ranked_contrast_units(study, CONFIG)
    units, _ = ranked_contrast_elsewhere(study, study, config)
    target = study.contrast["target"].to_numpy()
    for row in range(0, len(units), 97):
        assert units[row][units[row] >= 0].tolist() == exceeding(study, ranked[row], all_scores[row], target[row])


def test_mined_photos_are_held_to_the_contrast_photos_of_the_other_half():
    study = open_study(studies() / "demo")
    config = dataclasses.replace(CONFIG, contrast_quantile=0.8, contrast_shared=0)
    predicted, image = integers(study.patches, "predicted", "image_id")
    mined, other = (kept_units(study, config, study.ranked, predicted, photos)[0] for photos in (image, None))
    assert np.array_equal(mined, ranked_units(study, config)[0])
    assert not np.array_equal(mined, other)
    half = halves(len(study.images))
    of_contrast = half[study.contrast["image_id"].to_numpy()]
    ranked, scores = ranked_units(study, CONFIG)
    for row in range(0, len(mined), 9):
        kept = exceeding(study, ranked[row], scores[row], predicted[row], of_contrast != half[image[row]])
        assert mined[row][mined[row] >= 0].tolist() == kept


def test_which_transactions_hold_an_itemset(monkeypatch):
    rng = np.random.default_rng(0)
    ranked = np.stack([rng.permutation(9)[:4] for _ in range(50)])
    ranked[rng.random(ranked.shape) < 0.2] = -1
    units = np.array([1, 3, 4, 8])
    itemsets = [(1,), (3, 8), (1, 4, 8), (2, 3)]
    marked = indicator(itemsets, units)
    assert marked.astype(int).tolist() == [[1, 0, 0, 0], [0, 1, 0, 1], [1, 0, 1, 1], [0, 1, 0, 0]]  # 2 is unknown
    expected = [[set(members) & set(units.tolist()) <= set(row.tolist()) for members in itemsets] for row in ranked]
    member = membership(ranked, units)
    assert holds(member, marked).tolist() == expected
    monkeypatch.setattr("interpret.evaluation.itemsets.supported_sets.MAX_CELLS", 60)
    assert holds(member, marked).tolist() == expected
    assert MAX_CELLS > 60
    ids, counts = by_photo(np.array(expected), np.arange(50) % 7)
    assert ids.tolist() == list(range(7))
    assert counts[3].tolist() == np.array(expected)[3::7].sum(axis=0).tolist()
    assert by_photo(np.zeros((0, 4), bool), np.zeros(0, np.int64))[1].shape == (0, 4)


def measured(study: Study, other: Study, **options: object) -> ItemsetMeasures:
    head = load_head(study, device="cpu")
    mined_set, test_set = make_ablation_set(study, head), make_ablation_set(other, head)
    config = EvaluateConfig(top_units=(3, 6), resamples=100, **options)
    return measure_itemsets(study, other, mined_set, test_set, MineConfig(), config)


@pytest.fixture(scope="module")
def whole() -> ItemsetMeasures:
    study = open_study(studies() / "demo")
    return measured(study, study)


def test_all_measures_are_repeatable_and_come_back_from_disk(whole, tmp_path):
    study = open_study(studies() / "demo")
    again, other = measured(study, study), measured(study, study, seed=1)
    whole.write(tmp_path)
    back = read(tmp_path)
    for name in FRAMES:
        frame = getattr(whole, name)
        pd.testing.assert_frame_equal(frame, getattr(again, name))
        assert set(frame["top_units"]) == {3, 6}
        assert (
            getattr(back, name)
            .drop(columns="units", errors="ignore")
            .equals(frame.drop(columns="units", errors="ignore"))
        )
    assert not whole.beyond.equals(other.beyond)
    assert whole.firing["units"].tolist() == [tuple(units) for units in back.firing["units"].tolist()]
    mined = mine_study(study, MineConfig(top_units=6))
    for c, of_class in supported_sets(mined).items():
        rows = whole.firing[(whole.firing["top_units"] == 6) & (whole.firing["class_id"] == c)]
        assert rows["units"].tolist() == [units for units in of_class.itemsets if len(units) > 1]
    right = study.images["label"].astype(int) == study.images["predicted"]
    assert set(whole.causal["image_id"]) <= set(study.images["image_id"][right])


def test_the_sentences_say_the_figures(whole):
    figures = sentences.figures_of(whole.beyond, 6)
    assert sentences.top_units_of(whole.beyond) == [6, 3]
    one, held = figures["causal sets", "size", "1"], figures["transfer", "held", "all"]
    causal = " ".join(sentences.causal_sentences(figures))
    assert f"Of {one.n} held-out photos predicted correctly" in causal
    assert f"{100 * one.low:.1f} to {100 * one.high:.1f}\u00a0%" in causal
    alone, random = (figures["causal sets", name, "2+"] for name in ("any_evidence", "is_itemset_random"))
    assert f"change {100 * alone.value:.0f}\u00a0% ({100 * alone.low:.1f} to" in causal
    assert f"\u00a0% and {100 * random.value:.0f}\u00a0%. Inside: " in causal
    del figures["causal sets", "is_itemset_random", "2+"]  # as the first results with these measures are
    drawn = figures["causal sets", "inside_random", "2+"].value
    assert f"as frequent, {100 * drawn:.0f}\u00a0%. Inside: " in " ".join(sentences.causal_sentences(figures))
    assert f"{100 * held.value:.1f}\u00a0%" in " ".join(sentences.transfer_sentences(figures))
    ratio = figures["joint firing", "held_fixed_ratio", "all"]
    assert f"{ratio.value:.2f} times ({ratio.low:.2f} to {ratio.high:.2f})" in " ".join(
        sentences.firing_sentences(figures)
    )


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.02, 0.2, "Here an itemset does better"),
        (-0.2, -0.02, "the better choice"),
        (-0.1, 0.1, "add nothing"),
        (np.nan, np.nan, "too few photos"),
    ],
)
def test_a_verdict_follows_the_interval(whole, low, high, said):
    figures = sentences.figures_of(whole.beyond, 6)
    key = ("causal sets", "itemset_gain", "2+")
    figures[key] = figures[key]._replace(value=0.0, low=low, high=high)
    assert said in " ".join(sentences.causal_sentences(figures))


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (1.1, 1.3, "says more than its units’ single supports"),
        (0.7, 0.9, "less often than their single supports say"),
        (0.9, 1.1, "says no more than its units’ single supports"),
        (np.nan, np.nan, "too few photos to tell"),
    ],
)
def test_what_is_said_of_joint_firing_follows_the_interval(whole, low, high, said):
    figures = sentences.figures_of(whole.beyond, 6)
    key = ("joint firing", "held_fixed_ratio", "all")
    figures[key] = figures[key]._replace(value=1.0, low=low, high=high)
    assert said in sentences.firing_sentences(figures)[0]


def test_without_a_contrast_nothing_is_supported_and_that_is_said():
    study = open_study(without_contrast() / "demo")
    found = measured(study, study)
    assert found.firing.empty
    assert found.transfer.empty
    figures = sentences.figures_of(found.beyond, 6)
    assert sentences.causal_sentences(figures) == [sentences.NOTHING_SUPPORTED]
    assert "No itemset of two units" in sentences.firing_sentences(figures)[0]
    assert "No supported itemset" in sentences.transfer_sentences(figures)[0]
    assert sentences.top_units_of(nothing_measured().beyond) == []
