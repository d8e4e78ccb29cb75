"""All of it for one evaluation: minimal causal sets, joint firing and transfer, at each N."""

from dataclasses import replace

import numpy as np
import pandas as pd

from interpret.config import EvaluateConfig, MineConfig
from interpret.evaluation.ablation import AblationSet, classify
from interpret.evaluation.class_means import ClassMeans, class_means, rows_by_class
from interpret.evaluation.itemsets.causal_sets import (
    CANDIDATES,
    DRAWS,
    HEAD_CANDIDATES,
    HEAD_DRAWS,
    find_candidates,
    photo_sets,
    right_photos,
)
from interpret.evaluation.itemsets.causal_summary import causal_summary, halving_summary
from interpret.evaluation.itemsets.firing_summary import firing_summary
from interpret.evaluation.itemsets.halving_sets import halving_set, halving_table
from interpret.evaluation.itemsets.joint_firing import find_groups, joint_firing
from interpret.evaluation.itemsets.prediction_changes import prediction_changes
from interpret.evaluation.itemsets.result import FRAMES, ItemsetMeasures
from interpret.evaluation.itemsets.summary import Floats, SummaryRow
from interpret.evaluation.itemsets.supported_sets import ClassSets, supported_sets
from interpret.evaluation.itemsets.transfer import held_by_group, transfer
from interpret.evaluation.itemsets.transfer_summary import transfer_summary
from interpret.mining.ranked_units import ranked_units
from interpret.mining.stored import mine_study
from interpret.progress import Callback, Progress
from interpret.study import Study


def measure_itemsets(
    study: Study,
    heldout_study: Study,
    mined_set: AblationSet,
    test_set: AblationSet,
    mine: MineConfig,
    config: EvaluateConfig,
    progress: Callback = lambda _: None,
    means: ClassMeans | None = None,
) -> ItemsetMeasures:
    """Measure what itemsets say beyond single units.

    Args:
        study: the study that was mined.
        heldout_study: other photos.
        mined_set: the mined photos and the head.
        test_set: the other photos and the head.
        mine: options of mining, except N.
        config: ``top_units``, ``resamples`` and ``seed`` are used.
        progress: called at each stage.
        means: of classes that they hold, the evidence of units is not computed again.
    """
    nothing = [[np.zeros(0, np.int64)]]
    predicted = classify(test_set, nothing, np.zeros(len(test_set), np.int64))[0]
    evidence = dict(means.called_evidence) if means is not None else {}
    frames: dict[str, list[pd.DataFrame]] = {name: [] for name in FRAMES[:-1]}
    rows: list[SummaryRow] = []
    for n in config.top_units:
        progress(Progress(f"Comparing itemsets with single units, N = {n}", 0, 0))
        options = replace(mine, top_units=n)
        mined = mine_study(study, options)
        sets = supported_sets(mined)
        missing = np.array([c for c in sets if c not in evidence], np.int64)
        evidence |= class_means(mined_set, missing, study).called_evidence
        causal, halving = _causal(study, test_set, predicted, sets, evidence, options, config.seed)
        groups = find_groups(study, heldout_study, options, sets)
        firing = joint_firing(groups, n)
        found = held_by_group(study, heldout_study, options, sets)
        transferred = transfer(found, mined)
        right = int((predicted == test_set.labels).sum())
        known = int(np.isin(test_set.labels[predicted == test_set.labels], list(sets)).sum())
        rows += causal_summary(causal, right - known, n, config.resamples, config.seed)
        rows += halving_summary(halving, n)
        rows += firing_summary(groups, firing, n, config.seed)
        rows += transfer_summary(found, transferred, test_set.classes, n, config.seed)
        for name, frame in zip(frames, (causal, halving, firing, transferred), strict=True):
            frame.insert(0, "top_units", n)
            frames[name].append(frame)
    whole = {name: pd.concat(parts, ignore_index=True) for name, parts in frames.items()}
    return ItemsetMeasures(**whole, beyond=pd.DataFrame(rows, columns=list(SummaryRow._fields)))


def _causal(
    study: Study,
    test_set: AblationSet,
    predicted: np.ndarray,
    sets: dict[int, ClassSets],
    evidence: dict[int, Floats],
    options: MineConfig,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The minimal causal sets of every photo, and the set that halves each class."""
    linear = test_set.head.linear
    limit, draws = (CANDIDATES, DRAWS) if linear else (HEAD_CANDIDATES, HEAD_DRAWS)
    ranked = ranked_units(study, options)[0]
    patches_of = rows_by_class(study.patches["predicted"].to_numpy(np.int64))
    photos_of, halving = [], []
    for c, of_class in sets.items():
        photos = right_photos(test_set, predicted, c)
        if not len(photos):
            continue
        held = ranked[patches_of(c)]
        support = np.bincount(held[held >= 0], minlength=study.n_units) / max(len(held), 1)
        candidates = find_candidates(of_class, evidence[c], support, limit)
        changes = prediction_changes(test_set, photos, c, candidates.pool)
        table = photo_sets(changes, candidates, draws=draws, seed=seed)
        table.insert(0, "class_id", c)
        table.insert(1, "image_id", test_set.rows[photos])
        photos_of.append(table)
        halving.append({"class_id": c} | halving_set(changes, candidates, draws=draws, seed=seed))
    causal = pd.concat(photos_of, ignore_index=True) if photos_of else pd.DataFrame(columns=["class_id", "size"])
    return causal, halving_table(halving)
