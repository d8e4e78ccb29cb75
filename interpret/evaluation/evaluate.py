"""Evaluation by perturbation: the poster's Table 1, at the methods' natural sizes and at equal budgets."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from interpret.config import EvaluateConfig, MineConfig, digest
from interpret.errors import InputError
from interpret.evaluation import cross_class, unit_rankings
from interpret.evaluation.ablation import AblationSet, Ints, make_ablation_set
from interpret.evaluation.class_means import ClassMeans, class_means
from interpret.evaluation.dealt_stretches import Dealer
from interpret.evaluation.greedy import greedy
from interpret.evaluation.itemsets import result
from interpret.evaluation.itemsets.measure import measure_itemsets
from interpret.evaluation.itemsets.result import ItemsetMeasures, nothing_measured
from interpret.evaluation.result_checks import RESULT_ERRORS, check_frames
from interpret.evaluation.table1 import BASELINE, EARLIER_BASELINE, keep_only, table_1
from interpret.evaluation.unit_rankings import Ranking
from interpret.files import new_folder, write_json
from interpret.mining.ranked_units import quantile_of
from interpret.mining.stored import deciding_options, mine_study
from interpret.models.head import Head
from interpret.progress import Callback, Progress
from interpret.study import Study, digests

DEFAULTS = EvaluateConfig()


FORMAT = 4
"""Version of what :meth:`Evaluation.write` writes; raised when a column changes or takes another meaning."""

NO_INTERVALS = 1
"""The version without a number: its intervals of shared falls and synergies were too narrow for few photos."""

NO_ITEMSETS = 2
"""The version before itemsets were compared with single units."""

NO_DIGESTS = 3
"""The version before results had digests; earlier ones are checked for their columns only."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that was measured. Accuracies, falls and differences are fractions, not points.

    Attributes:
        table: one row a method and budget: method, budget (null: the natural size), units (ablated per class, mean over
            the classes), accuracy, error (standard error), low, high and spread (5th and 95th percentile and standard
            deviation over random draws; null for other methods), photos (count).
        differences: one row a mined method, rival and budget: method, rival, budget, difference (of accuracies,
            below 0 where the mined units cost more), low, high (95 % interval, photos resampled together).
        keep: as ``table``, with all units ablated but the chosen ones.
        matrix: rows A, columns B (class ids): by how much the accuracy of B falls with A's units ablated.
        dominance: 1 - mean fall of other classes / mean fall of the class itself; NaN where that is not positive.
        shared: see :func:`interpret.evaluation.cross_class.shared_falls`.
        synergy: see :func:`interpret.evaluation.cross_class.synergies`.
        itemsets: what itemsets say beyond single units; empty tables where it was not measured.
        about: model, layer, class ids and names, number of photos, where they came from, and all options.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    keep: pd.DataFrame
    matrix: pd.DataFrame
    dominance: float
    shared: pd.DataFrame
    synergy: pd.DataFrame
    itemsets: ItemsetMeasures = field(default_factory=nothing_measured)
    about: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def clusters(self) -> npt.NDArray[np.int64]:
        """(c,) places of the classes of ``matrix`` with those that affect each other side by side."""
        return cross_class.clustered(self.matrix)

    FRAMES = ("table", "differences", "keep", "matrix", "shared", "synergy")

    def write(self, folder: Path, made_from: Mapping[str, str] | None = None) -> None:
        """Write the frames as Parquet files, the rest as JSON, and the digests of all; the folder appears whole.

        Args:
            folder: made with its parents; one that exists is replaced.
            made_from: what was evaluated, in short texts, see
                :func:`interpret.study.results.made_from`; :meth:`read` compares them.
        """
        with new_folder(folder) as made:
            for name in self.FRAMES:
                frame: pd.DataFrame = getattr(self, name)
                frame.rename(columns=str).to_parquet(made / f"{name}.parquet")
            self.itemsets.write(made)
            dominance = None if np.isnan(self.dominance) else self.dominance
            write_json({"format": FORMAT, "about": self.about, "dominance": dominance}, made / "evaluation.json")
            digests.write_list(made, made_from or {})

    @classmethod
    def read(cls, folder: Path, made_from: Mapping[str, str] | None = None) -> "Evaluation":
        """Read what :meth:`write` wrote.

        Earlier results are read too, checked for their columns: those before digests; those without ``itemsets``; and
        those without a format number, without the intervals of ``shared`` and ``synergy``, which are null.

        Args:
            folder: the folder.
            made_from: what must have been evaluated; anything if None.

        Raises:
            InputError: a file is missing, is not as it was written or does not fit, something else was evaluated, or
                another version wrote it.
        """
        try:
            return cls._read(folder, made_from)
        except RESULT_ERRORS as error:
            said = isinstance(error, InputError)
            raise InputError(
                f"The evaluation in {folder} is not used ({error if said else 'it is damaged'}); run `evaluate` again."
            ) from error

    @classmethod
    def _read(cls, folder: Path, made_from: Mapping[str, str] | None) -> "Evaluation":
        listed = digests.has_list(folder)
        if listed:
            names = [f"{name}.parquet" for name in (*cls.FRAMES, *result.FRAMES)]
            digests.check_list(folder, ["evaluation.json", *names], made_from)
        content = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
        version = content.get("format", NO_INTERVALS)
        if version not in (NO_INTERVALS, NO_ITEMSETS, NO_DIGESTS, FORMAT):
            raise InputError(f"it has format {version}, and this version reads formats up to {FORMAT}")
        if version == FORMAT and not listed:
            raise InputError(f"{folder / digests.NAME} is missing")
        frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in cls.FRAMES}
        itemsets = result.read(folder) if version >= NO_DIGESTS else nothing_measured()
        frames["matrix"].columns = frames["matrix"].columns.astype(np.int64)
        for name in ("table", "keep"):
            frames[name]["method"] = frames[name]["method"].replace(EARLIER_BASELINE, BASELINE)
        if version == NO_INTERVALS:
            for name in ("shared", "synergy"):
                frames[name] = frames[name].assign(low=np.nan, high=np.nan)
        about, dominance = content["about"], content["dominance"]
        check_frames(frames, itemsets, about)
        return cls(
            **frames,
            dominance=float("nan") if dominance is None else float(dominance),
            itemsets=itemsets,
            about=dict(about),
        )


def results_folder(study: Study, heldout_study: Study, mine: MineConfig, config: EvaluateConfig) -> Path:
    """Where the result of an evaluation is kept, inside the study that was mined.

    The name is made of both studies' keys, which stand for the photos' contents, the network and the extraction, of
    every option, and of :data:`FORMAT`.
    """
    options = deciding_options(study, mine)
    return study.folder / "evaluation" / "results" / digest(FORMAT, study.key, heldout_study.key, options, config)


def evaluate(
    study: Study,
    heldout_study: Study,
    head: Head,
    mine: MineConfig,
    config: EvaluateConfig = DEFAULTS,
    progress: Callback = lambda _: None,
    deal: Dealer | None = None,
) -> Evaluation:
    """Measure how far ablating the mined units lowers accuracy, beside every rival.

    Args:
        study: the study that was mined; every ranking comes from its photos.
        heldout_study: the photos that accuracy is measured on, from :func:`interpret.evaluation.heldout.heldout`.
        head: from :func:`interpret.evaluation.heads.load_head`.
        mine: options of mining, except N.
        config: the other options.
        progress: called at each stage, and as photos are classified.
        deal: workers that classify photos, see :mod:`interpret.evaluation.dealt_stretches`; the result is the same.

    Raises:
        InputError: an option does not fit, or a file of a study is damaged.
    """
    mine = replace(mine, contrast_quantile=quantile_of(study, mine))
    mined_set = make_ablation_set(study, head, replacement=config.replacement, deal=deal)
    test_set = make_ablation_set(heldout_study, head, replacement=config.replacement, reference=study, deal=deal)
    classes = test_set.classes
    progress(Progress("Ranking units", 0, 0))
    means = class_means(mined_set, classes, study)
    rankings = rank_all(study, mined_set, classes, mine, config, means)
    ours = [ranking for ranking in rankings if ranking.name.startswith(f"{unit_rankings.OURS}-")]
    table, differences = table_1(test_set, classes, rankings, ours, config, progress)
    progress(Progress("Keeping units only", 0, 0))
    keep = keep_only(test_set, classes, rankings, config)
    kind = unit_rankings.CONTRASTIVE if mine.contrast_quantile else unit_rankings.OURS
    largest = [ranking for ranking in rankings if ranking.name.startswith(f"{kind}-")][-1]
    mined = mine_study(study, replace(mine, top_units=config.top_units[-1]))
    progress(Progress("Measuring every class", 0, 0))
    matrix = cross_class.matrix(test_set, classes, largest)
    shared = cross_class.shared_falls(test_set, classes, mined)
    synergy = cross_class.synergies(test_set, classes, mined, largest)
    itemsets = nothing_measured()
    if config.itemsets:
        itemsets = measure_itemsets(study, heldout_study, mined_set, test_set, mine, config, progress, means)
    about = {
        "model": study.model,
        "layer": study.layer,
        "class_names": [study.class_names[c] for c in classes.tolist()],
        "classes": classes.tolist(),
        "photos": len(test_set),
        "measured_on": str(heldout_study.images_root),
        "same_photos": study.same_photos(heldout_study),
        "mined_photos": len(study.images),
        "accuracy": float(table.loc[table["method"] == BASELINE, "accuracy"].iloc[0]),
        "config": asdict(config),
        "mine": asdict(mine),
    }
    return Evaluation(table, differences, keep, matrix, cross_class.dominance(matrix), shared, synergy, itemsets, about)


def rank_all(
    study: Study,
    mined_set: AblationSet,
    classes: Ints,
    mine: MineConfig,
    config: EvaluateConfig,
    means: ClassMeans | None = None,
) -> list[Ranking]:
    """Every ranking but the random ones, from the mined photos.

    The poster's transactions give Ours-N. Contrastive ones stand beside them where the study has a contrast, at the
    quantile that it was mined with or else that of ``config``.
    """
    seen = unit_rankings.trained_classes(mined_set, classes.tolist())
    quantiles = [0.0]
    if study.has_contrast and (quantile := quantile_of(study, mine) or config.contrast_quantile):
        quantiles.append(quantile)
    means = means or class_means(mined_set, classes, study)
    rankings = [
        unit_rankings.mined(
            study,
            mined_set,
            classes,
            replace(mine, top_units=n, contrast_quantile=q),
            rule=config.rule,
            means=means,
        )
        for q in quantiles
        for n in config.top_units
    ]
    if config.lasso:
        rankings.append(unit_rankings.lasso(mined_set, seen, budget=max(config.budgets)))
    rankings.append(unit_rankings.activation(mined_set, seen, means))
    rankings.append(unit_rankings.contribution(mined_set, seen, means))
    rankings.append(unit_rankings.evidence(mined_set, seen, means))
    if mined_set.head.linear:
        rankings.append(unit_rankings.weight(mined_set, classes))
        if config.greedy:
            rankings.append(greedy(mined_set, seen, budget=max(config.budgets), means=means))
    return rankings
