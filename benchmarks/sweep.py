"""Which defaults lower accuracy most when units are ablated: N, support, ranking rule, tau, score, encoding.

    python -m benchmarks.sweep --train DIR --val DIR --cache DIR [--model efficientnet_lite0] [--extraction]

Choices are made on the training photos alone: units are mined on one half of them and measured on the other, and the
other way round ("folds"). The validation column is there to be reported, not to choose by. Every figure is accuracy
in percent over all outputs, mean over 5, 7, 10 and 20 units ablated for each class: lower is better. `--extraction`
also varies tau, score and encoding, which runs the network again for each. Prints a Markdown table.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from interpret import pipeline
from interpret.config import RANKING_RULES, ExtractConfig, MineConfig, ModelConfig, RunConfig
from interpret.errors import InputError
from interpret.evaluation import unit_rankings
from interpret.evaluation.ablation import AblationSet, Ints, classify, make_ablation_set
from interpret.evaluation.heads import load_head
from interpret.evaluation.unit_rankings import Ranking
from interpret.models.head import Head
from interpret.study import Study

BUDGETS = (5, 7, 10, 20)
USUAL = ExtractConfig()
EXTRACTIONS = {
    "the defaults": USUAL,
    "tau 0.3": replace(USUAL, tau=0.3),
    "tau 0.7": replace(USUAL, tau=0.7),
    "Otsu's threshold": replace(USUAL, threshold="otsu"),
    "score activation": replace(USUAL, score="activation"),
    "encoding crop": replace(USUAL, encoding="crop"),
}


def study_of(folder: Path, images: str, model: str, extract: ExtractConfig) -> Study:
    """The study in ``folder``, made where it is missing."""
    config = RunConfig(images=images, model=ModelConfig(model=model), extract=extract, hold_out=0.0)
    print(f"{folder} ...", file=sys.stderr)
    return pipeline.extract(config, folder)


def half(study: Study, parity: int, scratch: Path) -> Study:
    """The study with the patches of every second photo only."""
    chosen = study.patches["image_id"].to_numpy() % 2 == parity
    part = Study(Path(tempfile.mkdtemp(dir=scratch)), {**study.manifest, "key": f"{study.key}-{parity}"})
    units, scores = study.ranked
    part.__dict__.update(
        images=study.images,
        features=study.features,
        patches=study.patches[chosen].reset_index(drop=True),
        ranked=(units[chosen], scores[chosen]),
    )
    return part


def split(data: AblationSet, parity: int) -> AblationSet:
    """Every second photo."""
    chosen = data.rows % 2 == parity
    return replace(data, labels=data.labels[chosen], rows=data.rows[chosen])


def accuracy(data: AblationSet, classes: Ints, ranking: Ranking, budgets: tuple[int | None, ...]) -> float:
    """In percent, mean over budgets."""
    settings = [[ranking.best(class_id, budget) for class_id in classes.tolist()] for budget in budgets]
    predicted = classify(data, settings, np.searchsorted(classes, data.labels).astype(np.int64))
    return 100 * float((predicted == data.labels).mean())


def measure(study: Study, heldout_study: Study, head: Head, mine: MineConfig, rule: str, scratch: Path) -> str:
    """The cells of one row: folds, validation, units at the natural size and accuracy with those ablated."""
    mined_set, test_set = make_ablation_set(study, head), make_ablation_set(heldout_study, head)
    classes = test_set.classes
    folds = []
    for parity in (0, 1):
        ranking = unit_rankings.mined(half(study, parity, scratch), mined_set, classes, mine, rule=rule)
        folds.append(accuracy(split(mined_set, 1 - parity), classes, ranking, BUDGETS))
    ranking = unit_rankings.mined(study, mined_set, classes, mine, rule=rule)
    natural = np.mean(list(ranking.natural.values()))
    validation = accuracy(test_set, classes, ranking, BUDGETS)
    cells = [np.mean(folds), validation, natural, accuracy(test_set, classes, ranking, (None,))]
    return " | ".join(f"{cell:.1f}" for cell in cells)


def rivals(study: Study, heldout_study: Study, head: Head) -> Iterator[tuple[str, str]]:
    """What the mined rows are to be read beside: the strongest rivals that do not mine."""
    mined_set, test_set = make_ablation_set(study, head), make_ablation_set(heldout_study, head)
    classes = test_set.classes
    for rank in (unit_rankings.contribution, unit_rankings.weight, unit_rankings.evidence):
        folds = [
            accuracy(split(mined_set, 1 - p), classes, rank(split(mined_set, p), classes), BUDGETS) for p in (0, 1)
        ]
        ranking = rank(mined_set, classes)
        yield ranking.name, f"{np.mean(folds):.1f} | {accuracy(test_set, classes, ranking, BUDGETS):.1f} | |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", required=True)
    parser.add_argument("--val", required=True)
    parser.add_argument("--cache", required=True, type=Path, help="folder for the studies")
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--extraction", action="store_true", help="vary tau, score and encoding too")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    place = arguments.cache / arguments.model
    place.mkdir(parents=True, exist_ok=True)
    study = study_of(place / "train", arguments.train, arguments.model, USUAL)
    heldout_study = study_of(place / "val", arguments.val, arguments.model, USUAL)
    head = load_head(study)
    print(f"\n### {arguments.model}\n")
    print("| what | rule | folds | validation | units | with those off |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for name, cells in rivals(study, heldout_study, head):
            print(f"| {name} | | {cells}", flush=True)
        varied_mining = [(f"N {n}", MineConfig(top_units=n)) for n in (5, 10, 15, 20)]
        varied_mining += [(f"support {support}", MineConfig(min_support=support)) for support in (0.05, 0.1, 0.3, 0.5)]
        for name, mine in varied_mining:
            try:
                for rule in RANKING_RULES:
                    print(
                        f"| {name} | {rule} | {measure(study, heldout_study, head, mine, rule, Path(scratch))} |",
                        flush=True,
                    )
            except InputError:  # more itemsets than can be looked at: an answer too
                print(f"| {name} | | refused: too many itemsets | | | |", flush=True)
        for name, extract in EXTRACTIONS.items() if arguments.extraction else ():
            folder = place / ("train" if extract == USUAL else f"train-{name.replace(' ', '-')}")
            varied = study_of(folder, arguments.train, arguments.model, extract)
            for rule in RANKING_RULES:
                print(
                    f"| {name} | {rule} | {measure(varied, heldout_study, head, MineConfig(), rule, Path(scratch))} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
