"""Evaluation by perturbation: the poster's Table 1, at the methods' natural sizes and at equal budgets."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from interpret.config import EvaluateConfig, MineConfig, digest
from interpret.errors import InputError
from interpret.evaluation import cross_class, unit_rankings
from interpret.evaluation.ablation import AblationSet, Ints, make_ablation_set
from interpret.evaluation.greedy import greedy
from interpret.evaluation.table1 import BASELINE, keep_only, table_1
from interpret.evaluation.unit_rankings import Ranking
from interpret.mining.stored import mine_study
from interpret.models.head import Head
from interpret.progress import Callback, Progress
from interpret.study import Study

DEFAULTS = EvaluateConfig()


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All that was measured. Shares and differences are fractions, not points.

    Attributes:
        table: one row a method and budget: method, budget (null: the natural size), units (off per class, mean over
            the classes), accuracy, error (standard error), low, high and spread (5th and 95th percentile and standard
            deviation over random draws; null for other methods), photos (count).
        differences: one row a mined method, rival and budget: method, rival, budget, difference (of accuracies,
            below 0 where the mined units cost more), low, high (95 % interval, photos resampled together).
        keep: as ``table``, with all units off but the chosen ones.
        matrix: rows A, columns B (class ids): by how much the accuracy of B falls with A's units off.
        dominance: 1 - mean fall of other classes / mean fall of the class itself.
        shared: see :func:`interpret.evaluation.cross_class.shared_falls`.
        synergy: see :func:`interpret.evaluation.cross_class.synergies`.
        about: model, layer, class ids, number of photos, options and the like.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    keep: pd.DataFrame
    matrix: pd.DataFrame
    dominance: float
    shared: pd.DataFrame
    synergy: pd.DataFrame
    about: dict[str, Any] = field(default_factory=dict)

    FRAMES = ("table", "differences", "keep", "matrix", "shared", "synergy")

    def write(self, folder: Path) -> None:
        """Write it into ``folder`` as Parquet files and one JSON file, which is written last."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.FRAMES:
            frame: pd.DataFrame = getattr(self, name)
            frame.rename(columns=str).to_parquet(folder / f"{name}.parquet")
        content = {"about": self.about, "dominance": None if np.isnan(self.dominance) else self.dominance}
        (folder / "evaluation.json").write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Evaluation":
        """Read what :meth:`write` wrote.

        Raises:
            InputError: a file is missing or damaged.
        """
        try:
            content = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
            frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in cls.FRAMES}
        except (OSError, ValueError) as error:
            raise InputError(f"The evaluation in {folder} cannot be read; run `evaluate` again.") from error
        frames["matrix"].columns = frames["matrix"].columns.astype(np.int64)
        dominance = float("nan") if content["dominance"] is None else float(content["dominance"])
        return cls(**frames, dominance=dominance, about=content["about"])


def results_folder(study: Study, on: Study, mine: MineConfig, config: EvaluateConfig) -> Path:
    """Where the result of an evaluation is kept, inside the study that was mined."""
    options = {name: value for name, value in asdict(mine).items() if name not in ("engine", "max_itemsets")}
    return study.folder / "evaluation" / "results" / digest(on.key, options, config)


def evaluate(
    study: Study,
    on: Study,
    head: Head,
    mine: MineConfig,
    config: EvaluateConfig = DEFAULTS,
    progress: Callback = lambda _: None,
) -> Evaluation:
    """Measure what the mined units are worth, beside every rival.

    Args:
        study: the study that was mined: every ranking comes from its photos.
        on: the photos that accuracy is measured on, from :func:`interpret.evaluation.heldout.heldout`.
        head: from :func:`interpret.evaluation.ablation.load_head`.
        mine: options of mining, but for N.
        config: the other options.
        progress: called now and then.
    """
    trained = make_ablation_set(study, head, replacement=config.replacement)
    tested = make_ablation_set(on, head, replacement=config.replacement, reference=study)
    classes = tested.classes
    progress(Progress("Ranking units", 0, 0))
    rankings = rank_all(study, trained, classes, mine, config)
    ours = [r for r in rankings if r.name.startswith("Ours-")]
    table, differences = table_1(tested, classes, rankings, ours, config, progress)
    progress(Progress("Keeping units only", 0, 0))
    keep = keep_only(tested, classes, rankings, config)
    last = ours[-1]
    mined = mine_study(study, replace(mine, top_units=config.top_units[-1]))
    progress(Progress("Measuring every class", 0, 0))
    matrix = cross_class.matrix(tested, classes, last)
    shared = cross_class.shared_falls(tested, classes, mined)
    synergy = cross_class.synergies(tested, classes, mined, last)
    about = {
        "model": study.manifest["model"],
        "layer": study.layer,
        "class_names": [study.class_names[c] for c in classes.tolist()],
        "classes": classes.tolist(),
        "photos": len(tested),
        "measured_on": str(on.images_root),
        "same_photos": study.same_photos(on),
        "mined_photos": len(study.images),
        "accuracy": float(table.loc[table["method"] == BASELINE, "accuracy"].iloc[0]),
        "config": asdict(config),
        "mine": asdict(mine),
    }
    return Evaluation(table, differences, keep, matrix, cross_class.dominance(matrix), shared, synergy, about)


def rank_all(
    study: Study, trained: AblationSet, classes: Ints, mine: MineConfig, config: EvaluateConfig
) -> list[Ranking]:
    """Every ranking but the random ones, all from the mined photos."""
    known = unit_rankings.trained_classes(trained, classes.tolist())
    rankings = [
        unit_rankings.mined(study, trained, classes, mine, top_units=n, rule=config.rule) for n in config.top_units
    ]
    if config.lasso:
        rankings.append(unit_rankings.lasso(trained, known, budget=max(config.budgets)))
    rankings.append(unit_rankings.activation(trained, known))
    rankings.append(unit_rankings.contribution(trained, known))
    rankings.append(unit_rankings.evidence(trained, known))
    if trained.head.linear:
        rankings.append(unit_rankings.weight(trained, classes))
        if config.greedy:
            rankings.append(greedy(trained, known, budget=max(config.budgets)))
    return rankings
